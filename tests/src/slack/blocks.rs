//! Block Kit, as far as Slack checks it: <https://docs.slack.dev/reference/block-kit/blocks>.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{args::Args, error::Refusal};

/// <https://docs.slack.dev/reference/block-kit/blocks#limits>
const MOST_BLOCKS: usize = 50;
/// <https://docs.slack.dev/reference/block-kit/blocks/actions-block>
const MOST_ELEMENTS: usize = 25;
/// <https://docs.slack.dev/reference/block-kit/blocks/context-block>
const MOST_CONTEXT: usize = 10;
/// <https://docs.slack.dev/reference/block-kit/blocks/section-block>
const SECTION_TEXT: usize = 3_000;
/// <https://docs.slack.dev/reference/block-kit/blocks/header-block>
const HEADER_TEXT: usize = 150;
/// <https://docs.slack.dev/reference/block-kit/blocks/markdown-block>
const MARKDOWN_TEXT: usize = 12_000;
/// <https://docs.slack.dev/reference/block-kit/block-elements/button-element>
const BUTTON_TEXT: usize = 75;
const BUTTON_VALUE: usize = 2_000;
/// Of `action_id` and `block_id`.
const ID: usize = 255;

/// Blocks that a message may have and that are taken as they are.
const UNCHECKED: [&str; 8] = [
    "context_actions",
    "divider",
    "file",
    "image",
    "rich_text",
    "table",
    "task_card",
    "video",
];

/// Elements of an actions block that are taken as they are.
/// <https://docs.slack.dev/reference/block-kit/block-elements>
const ELEMENTS: [&str; 16] = [
    "channels_select",
    "checkboxes",
    "conversations_select",
    "datepicker",
    "datetimepicker",
    "external_select",
    "multi_channels_select",
    "multi_conversations_select",
    "multi_external_select",
    "multi_static_select",
    "multi_users_select",
    "overflow",
    "radio_buttons",
    "static_select",
    "timepicker",
    "users_select",
];

/// The argument `blocks`, checked; a block without an id is given one that begins with `serial`.
pub(crate) fn read(args: &Args, serial: u64) -> Result<Option<Vec<Value>>, Refusal> {
    let given = match args.all.get("blocks") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| "invalid_blocks_format")?,
        Some(given) => given.clone(),
    };
    let Value::Array(mut blocks) = given else {
        return Err("invalid_blocks_format".into());
    };
    let mut check = Check::default();
    check.at_most("/blocks", blocks.len(), MOST_BLOCKS, "items allowed");
    let mut ids = BTreeSet::new();
    for (n, block) in blocks.iter_mut().enumerate() {
        check.block(&format!("/blocks/{n}"), block);
        let given = block["block_id"].as_str().map(str::to_owned);
        if given.as_ref().is_some_and(|id| !ids.insert(id.clone())) {
            check.fail(&format!("/blocks/{n}/block_id"), "block_id already exists");
        }
        if let (None, Some(block)) = (given, block.as_object_mut()) {
            block.insert("block_id".into(), format!("{serial:x}.{n}").into());
        }
    }
    check.verdict().map(|()| Some(blocks))
}

/// The buttons in a message's blocks, each with the id of its block.
pub(crate) fn buttons(blocks: &[Value]) -> impl Iterator<Item = (&str, &Value)> {
    blocks.iter().flat_map(|block| {
        let id = block["block_id"].as_str().unwrap_or_default();
        let accessory = Some(&block["accessory"]).into_iter();
        let elements = block["elements"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(accessory);
        elements
            .filter(|element| element["type"] == "button")
            .map(move |element| (id, element))
    })
}

/// What is wrong, in Slack's words: a sentence and where.
#[derive(Debug, Default)]
struct Check(Vec<String>);

impl Check {
    fn fail(&mut self, at: &str, what: &str) {
        self.0.push(format!("{what} [json-pointer:{at}]"));
    }

    fn at_most(&mut self, at: &str, count: usize, most: usize, of: &str) {
        if count > most {
            self.fail(at, &format!("no more than {most} {of}"));
        }
    }

    fn verdict(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let messages: Vec<String> = self.0.iter().map(|error| format!("[ERROR] {error}")).collect();
        Err(Refusal::from("invalid_blocks")
            .with("errors", json!(self.0))
            .with("response_metadata", json!({ "messages": messages })))
    }

    fn block(&mut self, at: &str, block: &Value) {
        let Some(fields) = block.as_object() else {
            return self.fail(at, "must be an object");
        };
        self.id(at, fields, "block_id");
        match block["type"].as_str().unwrap_or_default() {
            "section" => self.section(at, fields),
            "actions" => self.actions(at, fields),
            "header" => self.text(
                &format!("{at}/text"),
                &block["text"],
                &["plain_text"],
                HEADER_TEXT,
            ),
            "context" => self.elements(at, fields, MOST_CONTEXT, |_, _, _| {}),
            "markdown" => self.string(&format!("{at}/text"), &block["text"], MARKDOWN_TEXT),
            known if UNCHECKED.contains(&known) => {}
            unknown => self.fail(&format!("{at}/type"), &format!("unsupported type: {unknown}")),
        }
    }

    fn section(&mut self, at: &str, section: &Map<String, Value>) {
        match (section.get("text"), section.get("fields")) {
            (None, None) => self.fail(at, "missing required field: text"),
            (Some(text), _) => self.text(
                &format!("{at}/text"),
                text,
                &["plain_text", "mrkdwn"],
                SECTION_TEXT,
            ),
            (None, Some(_)) => {}
        }
        if let Some(accessory) = section.get("accessory") {
            self.element(&format!("{at}/accessory"), accessory, &mut BTreeSet::new());
        }
    }

    /// An `action_id` is unique in its block.
    fn actions(&mut self, at: &str, actions: &Map<String, Value>) {
        let mut seen = BTreeSet::new();
        self.elements(at, actions, MOST_ELEMENTS, |check, at, element| {
            check.element(at, element, &mut seen);
        });
    }

    fn elements(
        &mut self,
        at: &str,
        block: &Map<String, Value>,
        most: usize,
        mut each: impl FnMut(&mut Self, &str, &Value),
    ) {
        let at = format!("{at}/elements");
        let Some(elements) = block
            .get("elements")
            .and_then(Value::as_array)
            .filter(|e| !e.is_empty())
        else {
            return self.fail(&at, "must have at least 1 item");
        };
        self.at_most(&at, elements.len(), most, "items allowed");
        for (n, element) in elements.iter().enumerate() {
            each(self, &format!("{at}/{n}"), element);
        }
    }

    fn element(&mut self, at: &str, element: &Value, seen: &mut BTreeSet<String>) {
        let kind = element["type"].as_str().unwrap_or_default();
        if kind == "button" {
            self.button(at, element);
        } else if !ELEMENTS.contains(&kind) {
            self.fail(&format!("{at}/type"), &format!("unsupported type: {kind}"));
        }
        if let Some(id) = element["action_id"].as_str()
            && !seen.insert(id.to_owned())
        {
            self.fail(&format!("{at}/action_id"), "action_id already exists");
        }
    }

    fn button(&mut self, at: &str, button: &Value) {
        self.text(
            &format!("{at}/text"),
            &button["text"],
            &["plain_text"],
            BUTTON_TEXT,
        );
        let Some(fields) = button.as_object() else { return };
        self.id(at, fields, "action_id");
        if let Some(value) = fields.get("value") {
            self.string(&format!("{at}/value"), value, BUTTON_VALUE);
        }
        let style = fields.get("style");
        if style.is_some_and(|style| style != "primary" && style != "danger") {
            self.fail(&format!("{at}/style"), "must be primary or danger");
        }
    }

    fn text(&mut self, at: &str, text: &Value, kinds: &[&str], most: usize) {
        if !text["type"].as_str().is_some_and(|kind| kinds.contains(&kind)) {
            self.fail(&format!("{at}/type"), "unsupported type");
        }
        self.string(&format!("{at}/text"), &text["text"], most);
    }

    fn string(&mut self, at: &str, text: &Value, most: usize) {
        match text.as_str().map(|text| text.chars().count()) {
            None => self.fail(at, "must be a string"),
            Some(0) => self.fail(at, "must be more than 0 characters"),
            Some(count) if count > most => {
                self.fail(at, &format!("must be less than {} characters", most + 1));
            }
            Some(_) => {}
        }
    }

    fn id(&mut self, at: &str, fields: &Map<String, Value>, name: &str) {
        if let Some(id) = fields.get(name) {
            self.string(&format!("{at}/{name}"), id, ID);
        }
    }
}
