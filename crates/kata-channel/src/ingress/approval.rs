//! Answers to questions about tool calls. Stands right behind the sender gate, before everything that queues: the turn
//! that waits for the answer holds its lane, so a "yes" that became a turn would wait for itself.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    id::ConversationId,
    inbound::{ApprovalAnswer, ApprovalDecision, Consumed, Disposition, Inbound, Kind},
    ingress::{Step, Trigger},
};

/// No answer is longer. Bytes.
const LONGEST: usize = 64;

/// The codes of a channel's questions: the open ones, and those that were closed so lately that somebody may still answer.
///
/// In memory, since nothing in the ingress stack waits, not even for a look into the store (D1). It decides only what *is* an
/// answer: whether the question is still open, and whether this sender may answer it, is the store's to say, in the transaction
/// of the answer's row. So a code that stays here too long costs a polite refusal, and one that is missing makes an answer an
/// ordinary message; whoever keeps the questions adds a code before its card is sent, and fills this from the store at start.
///
/// Clones share the codes.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    codes: Arc<RwLock<HashMap<ConversationId, HashSet<String>>>>,
}

/// Takes what answers a question out of the stream of messages.
///
/// An answer is, in any case and with any white space: `yes CODE`, `yes CODE 1h` (or `1 h`, `hour`, `1 hour`) or `no CODE`;
/// `approve` and `allow` mean yes, `deny` means no; one full stop at the end is forgiven. Text that is no more than this, by
/// a message or a slash command, with or without the mention or the trigger; or the pressed button that says it. An edit
/// answers nothing: what was asked and answered stands.
#[derive(Clone, Debug)]
pub struct ApprovalRouter {
    questions: Questions,
    trigger: Trigger,
}

// === impl Questions ===

impl Questions {
    /// A question with this code is asked in the conversation.
    pub fn add(&self, conversation: &ConversationId, code: &str) {
        let mut codes = self.codes.write().unwrap_or_else(PoisonError::into_inner);
        codes
            .entry(conversation.clone())
            .or_default()
            .insert(code.to_ascii_uppercase());
    }

    /// The question was closed so long ago that nobody answers it any more.
    pub fn remove(&self, conversation: &ConversationId, code: &str) {
        let mut codes = self.codes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = codes.get_mut(conversation) {
            here.remove(&code.to_ascii_uppercase());
            if here.is_empty() {
                codes.remove(conversation);
            }
        }
    }

    /// Whether the code names a question of this conversation, in any case.
    #[must_use]
    pub fn contains(&self, conversation: &ConversationId, code: &str) -> bool {
        let codes = self.codes.read().unwrap_or_else(PoisonError::into_inner);
        codes
            .get(conversation)
            .is_some_and(|here| here.contains(&code.to_ascii_uppercase()))
    }

    /// Whether anything was asked in this conversation.
    fn any(&self, conversation: &ConversationId) -> bool {
        let codes = self.codes.read().unwrap_or_else(PoisonError::into_inner);
        codes.contains_key(conversation)
    }
}

// === impl ApprovalRouter ===

impl ApprovalRouter {
    /// A router for one channel. Answers count with and without what `trigger` matches.
    #[must_use]
    pub fn new(questions: Questions, trigger: Trigger) -> Self {
        Self { questions, trigger }
    }

    fn answer(&self, message: &Inbound) -> Option<ApprovalAnswer> {
        let here = &message.place.conversation;
        // Most conversations ask nothing: no pattern is tried for them.
        if !self.questions.any(here) {
            return None;
        }
        match message.kind {
            Kind::Press => {
                read(&message.text.raw).filter(|answer| self.questions.contains(here, &answer.code))
            }
            Kind::Message | Kind::Command { .. } => self
                .trigger
                .readings(&message.text)
                .filter_map(|text| read(&text))
                .find(|answer| self.questions.contains(here, &answer.code)),
            Kind::Edit { .. } | Kind::Deletion | Kind::Reaction { .. } => None,
        }
    }
}

impl Step for ApprovalRouter {
    fn step(&self, message: &mut Inbound) {
        let consumed = match self.answer(message) {
            Some(answer) => Consumed::Approval(answer),
            // Whatever a button says, nobody wrote it: it is never a turn.
            None if message.kind == Kind::Press => Consumed::Skipped("a choice that asks nothing"),
            None => return,
        };
        message.disposition = Disposition::Consumed(consumed);
    }
}

fn read(text: &str) -> Option<ApprovalAnswer> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let decision = match words.as_slice() {
        ["yes" | "approve" | "allow", _] => ApprovalDecision::AllowOnce,
        ["yes" | "approve" | "allow", _, "1h" | "hour"] => ApprovalDecision::AllowHour,
        ["yes" | "approve" | "allow", _, "1", "h" | "hour"] => ApprovalDecision::AllowHour,
        ["no" | "deny", _] => ApprovalDecision::Deny,
        _ => return None,
    };
    Some(ApprovalAnswer {
        code: words.get(1)?.to_ascii_uppercase(),
        decision,
    })
}

#[cfg(test)]
mod tests {
    use ApprovalDecision::{AllowHour, AllowOnce, Deny};

    use super::*;
    use crate::{
        id::Place,
        inbound::{OrderKey, Text},
        ingress::sample,
    };

    /// A router that was told of the question `7Q4` in `C1`.
    fn router(patterns: &[&str]) -> ApprovalRouter {
        let patterns: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        let questions = Questions::default();
        questions.add(&"C1".into(), "7Q4");
        ApprovalRouter::new(questions, Trigger::compile(&patterns).expect("valid patterns"))
    }

    fn outcome(router: &ApprovalRouter, mut message: Inbound) -> Disposition {
        router.step(&mut message);
        message.disposition
    }

    fn decided(decision: ApprovalDecision) -> Disposition {
        Disposition::Consumed(Consumed::Approval(ApprovalAnswer {
            code: "7Q4".into(),
            decision,
        }))
    }

    fn press(says: &str) -> Inbound {
        Inbound {
            kind: Kind::Press,
            ..sample::message(says)
        }
    }

    #[test]
    fn the_words_are_exact_but_for_case_space_and_a_full_stop() {
        for (text, expect) in [
            ("yes 7Q4", Some(AllowOnce)),
            ("  YES \t 7q4 \n", Some(AllowOnce)),
            ("Yes 7Q4.", Some(AllowOnce)),
            ("approve 7Q4", Some(AllowOnce)),
            ("allow 7q4", Some(AllowOnce)),
            ("yes 7Q4 1h", Some(AllowHour)),
            ("yes 7Q4 1 H.", Some(AllowHour)),
            ("allow 7Q4 hour", Some(AllowHour)),
            ("yes 7Q4 1 hour", Some(AllowHour)),
            ("no 7Q4", Some(Deny)),
            ("Deny 7q4.", Some(Deny)),
            ("no 7Q4 1h", None),
            ("yes 7Q4 2h", None),
            ("yes 7Q4 1 h please", None),
            ("yes 7Q4 please", None),
            ("well, yes 7Q4", None),
            ("yes 7Q4..", None),
            ("yes7Q4", None),
            ("yes", None),
            ("7Q4", None),
            ("yes 8Q4", None),
            ("yes 7Q4\u{200b}", None),
            ("", None),
        ] {
            let expect = expect.map_or(Disposition::Turn, decided);
            assert_eq!(outcome(&router(&[]), sample::message(text)), expect, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_that_ends_like_an_answer_is_none() {
        let text = format!("yes 7Q4{}1h", " ".repeat(LONGEST));
        assert_eq!(outcome(&router(&[]), sample::message(&text)), Disposition::Turn);
    }

    #[test]
    fn a_code_counts_in_its_own_conversation_alone() {
        let elsewhere = Inbound {
            place: Place::conversation("C2"),
            ..sample::message("yes 7Q4")
        };
        assert_eq!(outcome(&router(&[]), elsewhere), Disposition::Turn);
    }

    #[test]
    fn neither_a_mention_nor_the_trigger_hides_an_answer() {
        let mentioned = Text {
            raw: "<@U9> yes 7Q4".into(),
            readable: "@kata yes 7Q4".into(),
            prompt: "yes 7Q4".into(),
        };
        let message = Inbound {
            text: mentioned,
            ..sample::message("")
        };
        assert_eq!(outcome(&router(&[]), message), decided(AllowOnce));
        for text in ["yes 7Q4", "!kata yes 7Q4", "Kata, yes 7q4", "kata: yes 7Q4."] {
            let router = router(&["^!?kata\\b"]);
            assert_eq!(
                outcome(&router, sample::message(text)),
                decided(AllowOnce),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_slash_command_may_say_it() {
        let said = sample::command("/kata", "yes 7Q4 1h");
        assert_eq!(outcome(&router(&[]), said), decided(AllowHour));
    }

    #[test]
    fn a_pressed_choice_says_what_it_says() {
        assert_eq!(outcome(&router(&[]), press("no 7Q4")), decided(Deny));
    }

    #[test]
    fn a_choice_that_asks_nothing_is_never_a_turn() {
        let passed_over = Disposition::Consumed(Consumed::Skipped("a choice that asks nothing"));
        for says in ["yes 8Q4", "hello", ""] {
            assert_eq!(outcome(&router(&[]), press(says)), passed_over, "{says:?}");
        }
    }

    #[test]
    fn an_edit_into_an_answer_answers_nothing() {
        let edit = Inbound {
            kind: Kind::Edit { edited: OrderKey(2) },
            ..sample::message("yes 7Q4")
        };
        assert_eq!(outcome(&router(&[]), edit), Disposition::Turn);
    }

    #[test]
    fn a_question_that_was_taken_away_is_not_answered() {
        let questions = Questions::default();
        let router = ApprovalRouter::new(questions.clone(), Trigger::compile(&[]).expect("no pattern"));
        questions.add(&"C1".into(), "7q4");
        assert_eq!(outcome(&router, sample::message("yes 7Q4")), decided(AllowOnce));
        questions.remove(&"C1".into(), "7Q4");
        assert_eq!(outcome(&router, sample::message("yes 7Q4")), Disposition::Turn);
        assert!(
            !questions.any(&"C1".into()),
            "a conversation without questions is forgotten"
        );
    }
}
