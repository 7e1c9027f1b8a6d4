//! Messages with choices: their buttons, and how they are taken away.
//! <https://docs.discord.com/developers/components/reference#button>

use async_trait::async_trait;
use http::Method;
use kata_channel::{Cards, Choice, ChoiceStyle, MessageId, Place};
use serde_json::{Value, json};

use super::{DiscordAdapter, send};
use crate::{read::CHOICE, rest::Call};

const ACTION_ROW: u64 = 1;
const BUTTON: u64 = 2;
/// Buttons in a row, and rows in a message.
const ROW: usize = 5;
const ROWS: usize = 5;
/// Characters.
const LONGEST_ID: usize = 100;
const LONGEST_LABEL: usize = 80;

#[async_trait]
impl Cards for DiscordAdapter {
    async fn close(&self, place: &Place, message: &MessageId, text: &str) {
        let body = json!({"content": text, "components": [], "allowed_mentions": send::quiet(false)});
        // What answers a question that was asked in another channel than the turn's is found where it was asked.
        let path = format!("/channels/{}/messages/{message}", send::target(self, place));
        let call = Call::new("close a question", Method::PATCH, path);
        if let Err(error) = self.account().rest.done(call, &body).await {
            tracing::debug!(
                code = error.code(),
                "the choices under a message could not be taken away"
            );
        }
    }
}

/// The choices as rows of buttons; none where there are no choices, or one of them says more than a button can carry: the text says how
/// to answer without.
pub(super) fn rows(choices: &[Choice]) -> Option<Value> {
    let fits = |(n, choice): (usize, &Choice)| id(n, choice).chars().count() <= LONGEST_ID;
    if choices.is_empty() || choices.len() > ROW * ROWS || !choices.iter().enumerate().all(fits) {
        return None;
    }
    let buttons: Vec<Value> = choices
        .iter()
        .enumerate()
        .map(|(n, choice)| button(n, choice))
        .collect();
    let rows = buttons
        .chunks(ROW)
        .map(|row| json!({"type": ACTION_ROW, "components": row}));
    Some(rows.collect())
}

fn id(n: usize, choice: &Choice) -> String {
    format!("{CHOICE}{n}:{}", choice.says)
}

fn button(n: usize, choice: &Choice) -> Value {
    let style = match choice.style {
        ChoiceStyle::Primary => 1,
        ChoiceStyle::Plain => 2,
        ChoiceStyle::Danger => 4,
    };
    let label: String = choice.label.chars().take(LONGEST_LABEL).collect();
    json!({"type": BUTTON, "style": style, "label": label, "custom_id": id(n, choice)})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(says: &str) -> Choice {
        Choice {
            label: "l".repeat(100),
            says: says.into(),
            style: ChoiceStyle::Danger,
        }
    }

    #[test]
    fn choices_are_rows_of_five() {
        let all: Vec<_> = (0..7).map(|n| choice(&n.to_string())).collect();
        let rows = rows(&all).unwrap();
        assert_eq!(rows[0]["components"].as_array().unwrap().len(), 5);
        let last = &rows[1]["components"][1];
        assert_eq!(
            (&last["custom_id"], &last["style"]),
            (&json!("kata_choice:6:6"), &json!(4))
        );
        assert_eq!(last["label"].as_str().unwrap().len(), LONGEST_LABEL);
    }

    #[test]
    fn what_a_button_cannot_carry_is_left_to_words() {
        assert!(rows(&[]).is_none());
        assert!(rows(&[choice("yes 7Q4"), choice(&"x".repeat(100))]).is_none());
        assert!(rows(&vec![choice("x"); 26]).is_none());
    }
}
