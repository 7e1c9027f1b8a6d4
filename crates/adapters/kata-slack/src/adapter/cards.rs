//! Messages with choices: their buttons, and how they are taken away.

use async_trait::async_trait;
use kata_channel::{Cards, Choice, ChoiceStyle, MessageId, Place};
use serde_json::json;
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockButtonElement,
    SlackBlockButtonStyle, SlackBlockMarkDownText, SlackBlockPlainText, SlackSectionBlock,
};

use super::SlackAdapter;
use crate::{
    read::CHOICE,
    web::{Call, wire::Done},
};

/// <https://docs.slack.dev/reference/block-kit/blocks/section-block>
const SECTION: usize = 3_000;
/// <https://docs.slack.dev/reference/block-kit/blocks/actions-block>
const BUTTONS: usize = 25;

#[async_trait]
impl Cards for SlackAdapter {
    async fn close(&self, place: &Place, message: &MessageId, text: &str) {
        // A text alone would take the blocks away as well; an empty list says what is meant.
        let body = json!({
            "channel": place.conversation.as_str(), "ts": message.as_str(), "text": text, "blocks": [],
        });
        let closed = self
            .account()
            .web
            .post::<_, Done>(Call::method("chat.update"), &body);
        if let Err(error) = closed.await {
            tracing::debug!(
                code = error.code(),
                "the choices under a message could not be taken away"
            );
        }
    }
}

/// The text, and its choices as buttons. The message's own text stays the fallback of notifications.
pub(super) fn blocks(text: &str, choices: &[Choice]) -> Vec<SlackBlock> {
    let sections = sections(text).into_iter().map(|text| {
        let text = SlackBlockMarkDownText::new(text.to_owned());
        SlackSectionBlock::new().with_text(text.into()).into()
    });
    let buttons: Vec<SlackActionBlockElement> = choices
        .iter()
        .enumerate()
        .map(|(n, choice)| button(n, choice).into())
        .collect();
    let rows = buttons
        .chunks(BUTTONS)
        .map(|row| SlackActionsBlock::new(row.to_vec()).into());
    sections.chain(rows).collect()
}

fn button(n: usize, choice: &Choice) -> SlackBlockButtonElement {
    let style = match choice.style {
        ChoiceStyle::Primary => Some(SlackBlockButtonStyle::Primary),
        ChoiceStyle::Danger => Some(SlackBlockButtonStyle::Danger),
        ChoiceStyle::Plain => None,
    };
    SlackBlockButtonElement::new(SlackBlockPlainText::new(choice.label.clone()).into())
        .with_action_id(SlackActionId(format!("{CHOICE}{n}")))
        .with_value(choice.says.clone())
        .opt_style(style)
}

/// The text in pieces that fit a section, cut behind a line where there is one.
fn sections(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while let Some((end, _)) = text.char_indices().nth(SECTION) {
        let end = text[..end].rfind('\n').map_or(end, |line| line + 1);
        let (piece, rest) = text.split_at(end);
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    // Slack refuses a section without text.
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_piece_fits_a_section_and_none_is_lost(text in "([a-zé]{1,900}[ \n]){0,12}") {
            let pieces = sections(&text);
            prop_assert!(pieces.iter().all(|piece| piece.chars().count() <= SECTION && !piece.is_empty()));
            let whole = pieces.concat();
            prop_assert_eq!(whole.trim_end(), text.trim_end());
        }
    }

    #[test]
    fn a_long_text_is_cut_behind_a_line() {
        let text = format!("{}\n{}", "a".repeat(2_000), "b".repeat(2_000));
        let lengths: Vec<_> = sections(&text).iter().map(|piece| piece.len()).collect();
        assert_eq!(lengths, [2_001, 2_000]);
    }
}
