//! Reads Markdown into lines, event by event. Inline text is collected in [`inline`](super::inline), lines in
//! [`layout`](super::layout).

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{
    Dialect, Fence,
    inline::Inline,
    layout::Layout,
    line::{Gap, Line},
    references::References,
    table::Table,
};
use crate::adapter::Length;

/// Reads `markdown` into lines whose prefixes and links are already in the platform's markup.
pub(super) fn lines(markdown: &str, dialect: &Dialect, length: Length) -> Vec<Line> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES;
    let parser = Parser::new_ext(markdown, options);
    let mut references = References::of(&parser);
    let mut reader = Reader::new(dialect, length);
    for event in parser {
        if let Event::Start(Tag::Link { link_type, id, .. } | Tag::Image { link_type, id, .. }) = &event
            && matches!(
                link_type,
                LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut
            )
        {
            references.used(id);
        }
        reader.event(event);
    }
    reader.leftover(references);
    reader.layout.into_lines()
}

/// A block of code that is being read.
#[derive(Debug)]
struct Code {
    language: String,
    text: String,
}

#[derive(Debug)]
struct Reader<'d> {
    dialect: &'d Dialect,
    length: Length,
    layout: Layout<'d>,
    inline: Inline<'d>,
    /// A footnote's label, waiting for the first line of its text.
    label: Option<String>,
    code: Option<Code>,
    table: Option<Table>,
}

// === impl Reader ===

impl<'d> Reader<'d> {
    fn new(dialect: &'d Dialect, length: Length) -> Self {
        Self {
            dialect,
            length,
            layout: Layout::new(dialect, length),
            inline: Inline::new(dialect, length),
            label: None,
            code: None,
            table: None,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.text.push_str(&text),
                None => self.text(&text),
            },
            Event::Code(code) => {
                self.open_line();
                self.inline.code(&code);
            }
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::InlineHtml(html) if is_break(&html) => self.line_break(),
            // HTML is no markup on a chat platform: its text is shown as it was written.
            Event::InlineHtml(html) => self.text(&html),
            Event::Html(html) => self.html(&html),
            Event::FootnoteReference(label) => self.text(&format!("[{label}]")),
            Event::TaskListMarker(done) => self.task(done),
            Event::Rule => {
                self.begin_block();
                self.text(self.dialect.rule);
                self.close_line();
            }
            // Mathematics is not parsed: its dollars are text.
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.begin_paragraph(),
            Tag::Heading { .. } => {
                self.begin_block();
                self.inline.start(|style| style.heading = true);
            }
            Tag::BlockQuote(_) => {
                self.begin_block();
                self.layout.nest.open_quote();
            }
            Tag::CodeBlock(kind) => {
                self.begin_block();
                self.code = Some(Code {
                    language: self.language(&kind),
                    text: String::new(),
                });
            }
            Tag::HtmlBlock => self.begin_block(),
            Tag::List(start) => self.begin_list(start),
            Tag::Item => {
                self.close_line();
                self.layout.nest.open_item(self.dialect);
            }
            Tag::FootnoteDefinition(label) => {
                self.begin_block();
                self.label = Some(format!("[{label}]: "));
            }
            Tag::Table(alignments) => {
                self.begin_block();
                self.table = Some(Table::new(alignments));
                self.inline.show_addresses(true);
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.open_row();
                }
            }
            Tag::Emphasis => self.inline.start(|style| style.italic = true),
            Tag::Strong => self.inline.start(|style| style.bold = true),
            Tag::Strikethrough => self.inline.start(|style| style.strike = true),
            Tag::Link {
                link_type, dest_url, ..
            }
            | Tag::Image {
                link_type, dest_url, ..
            } => {
                self.inline.open_link(&address(link_type, &dest_url));
            }
            // A cell is its text; the others are not asked of the parser.
            Tag::TableCell
            | Tag::MetadataBlock(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.close_line(),
            TagEnd::Heading(_) => {
                self.inline.end();
                self.close_line();
                self.layout.headed();
            }
            TagEnd::BlockQuote(_) => {
                self.close_line();
                self.layout.nest.close_container();
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::List(_) => {
                self.close_line();
                self.layout.nest.close_list();
            }
            TagEnd::Item => {
                self.close_line();
                self.flush_marker();
                self.layout.nest.close_container();
            }
            TagEnd::FootnoteDefinition => {
                self.close_line();
                self.flush_marker();
            }
            TagEnd::TableCell => {
                let text = self.inline.take_text();
                if let Some(table) = &mut self.table {
                    table.push_cell(&text);
                }
            }
            TagEnd::Table => self.end_table(),
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.inline.end(),
            TagEnd::Link | TagEnd::Image => {
                self.open_line();
                self.inline.close_link();
            }
            TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::MetadataBlock(_)
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript => {}
        }
    }

    /// A block stands apart from the one before it, but for the first one of a list item.
    fn begin_block(&mut self) {
        self.close_line();
        if !self.layout.nest.is_fresh() {
            self.layout.want(Gap::Blank);
        }
    }

    /// Only the items of a loose list have paragraphs: they stand apart as well.
    fn begin_paragraph(&mut self) {
        self.close_line();
        if !(self.layout.nest.is_fresh() && self.layout.nest.is_first_item()) {
            self.layout.want(Gap::Blank);
        }
    }

    fn begin_list(&mut self, start: Option<u64>) {
        self.close_line();
        if !self.layout.nest.in_item() {
            self.layout.want(Gap::Blank);
        }
        // An item that begins with a list: its own marker gets a line.
        self.flush_marker();
        self.layout.nest.open_list(start);
    }

    fn end_code(&mut self) {
        let Some(Code { language, text }) = self.code.take() else {
            return;
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        if !text.trim().is_empty() {
            self.verbatim(
                &language,
                text.split('\n')
                    .map(|line| line.trim_end_matches('\r').to_owned()),
            );
        }
    }

    fn end_table(&mut self) {
        self.inline.show_addresses(false);
        if let Some(table) = self.table.take() {
            self.verbatim("", table.into_lines());
        }
    }

    fn verbatim(&mut self, language: &str, texts: impl IntoIterator<Item = String>) {
        // A fence does not stand behind a bullet.
        self.flush_marker();
        self.layout.verbatim(language, texts);
    }

    /// The name behind a fence: its first word, unless it is none.
    fn language(&self, kind: &CodeBlockKind<'_>) -> String {
        let (CodeBlockKind::Fenced(info), Fence::Backticks { language: true }) = (kind, self.dialect.fence)
        else {
            return String::new();
        };
        let name = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
        let fits = self.length.unit.len(name) <= self.layout.room() && !name.contains('`');
        if fits { name.to_owned() } else { String::new() }
    }

    fn task(&mut self, done: bool) {
        let mark = if done { "☑ " } else { "☐ " };
        if !self.layout.nest.tick(mark) {
            self.text(mark);
        }
    }

    fn html(&mut self, html: &str) {
        for line in html.split('\n').map(|line| line.trim_end_matches('\r')) {
            if !line.is_empty() && !is_break(line) {
                self.text(line);
            }
            self.close_line();
        }
    }

    /// What was defined and never referred to would vanish: it is shown below.
    fn leftover(&mut self, references: References) {
        self.close_line();
        self.layout.want(Gap::Blank);
        for definition in references.unused() {
            self.text(&definition);
            self.close_line();
        }
    }

    fn text(&mut self, text: &str) {
        self.open_line();
        self.inline.text(text);
    }

    fn line_break(&mut self) {
        if self.table.is_some() {
            self.inline.text(" ");
        } else {
            self.close_line();
        }
    }

    fn open_line(&mut self) {
        if self.table.is_some() || self.layout.is_open() {
            return;
        }
        self.layout.open_line();
        if let Some(label) = self.label.take() {
            self.inline.text(&label);
        }
    }

    fn close_line(&mut self) {
        if self.layout.is_open() {
            self.layout.close_line(self.inline.take_runs());
        }
    }

    /// A marker or a label that got no text of its own still gets its line.
    fn flush_marker(&mut self) {
        if self.layout.nest.is_fresh() || self.label.is_some() {
            self.open_line();
            self.close_line();
        }
    }
}

fn address(kind: LinkType, url: &CowStr<'_>) -> String {
    match kind {
        LinkType::Email => format!("mailto:{url}"),
        _ => url.to_string(),
    }
}

fn is_break(html: &str) -> bool {
    let tag: String = html.chars().filter(|c| !c.is_whitespace()).collect();
    tag.eq_ignore_ascii_case("<br>") || tag.eq_ignore_ascii_case("<br/>")
}
