//! A session of 5,000 messages, compacted again and again.

use kata_channel::{ChannelKey, Place, Role, Timestamp};
use kata_session::{
    Entry, Prompt, Said, Speaker, Transcript,
    compaction::{Cut, Limits, Plan, plan},
    estimate,
};

const MESSAGES: usize = 5_000;
const FACT: &str = "the launch is called Heron-7, and nobody says so in public";

/// An agent that is asked for a summary. None: it failed.
type Summariser = fn(&str) -> Option<String>;

/// Does what the instruction says, and knows nothing but the instruction: the pinned lines, then some of the talk.
fn obedient(instruction: &str) -> Option<String> {
    let (mut pinned, mut talk) = (Vec::new(), Vec::new());
    for line in parts(instruction).lines().filter(|line| !line.trim().is_empty()) {
        if let Some(fact) = line.strip_prefix("Pinned: ") {
            pinned.push(format!("Pinned: {fact}"));
        } else if let Some((_, fact)) = line.split_once("remember: ") {
            pinned.push(format!("Pinned: {fact}"));
        } else {
            talk.push(line.chars().take(40).collect::<String>());
        }
    }
    let newest = talk.split_off(talk.len().saturating_sub(5));
    Some([pinned, newest].concat().join("\n"))
}

fn failing(_: &str) -> Option<String> {
    None
}

/// Gives back all that it got, and more.
fn swelling(instruction: &str) -> Option<String> {
    Some(format!("Here is the summary:\n{instruction}"))
}

/// Does well, fails, swells, or says nothing: as it comes in a year.
fn moody(instruction: &str) -> Option<String> {
    match instruction.len() % 5 {
        0 | 1 => obedient(instruction),
        2 => failing(instruction),
        3 => swelling(instruction),
        _ => Some("\n".to_owned()),
    }
}

/// What lies between the fences.
fn parts(instruction: &str) -> String {
    let (mut inside, mut text) = (false, String::new());
    for line in instruction.lines() {
        if line.starts_with("EARLIER ") {
            inside = true;
        } else if line.starts_with("END ") {
            inside = false;
        } else if inside {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn message(n: usize) -> Said {
    let text = match n {
        0 => format!("Hello. Please remember: {FACT}. How are you?"),
        _ if n.is_multiple_of(97) => format!("A long one: {}", "and so on, ".repeat(n % 60)),
        _ if n.is_multiple_of(13) => format!("We decided that step {n} is for @ben, see docs/step-{n}.md."),
        _ => format!("This is message {n}. It says little. What do you think?"),
    };
    Said {
        message_id: n.to_string().into(),
        sender: format!("U{}", n % 3).into(),
        sender_name: Some(["Ann", "Ben", "Cleo"][n % 3].into()),
        role: Role::Member,
        sent_at: Timestamp::from_millis(1_700_000_000_000 + i64::try_from(n).expect("it is small") * 60_000),
        text,
        files: Vec::new(),
    }
}

/// As a daemon does: compact where needed, run the turn, keep what was said.
struct Session {
    limits: Limits,
    transcript: Transcript,
    archive: Vec<Entry>,
    summariser: Summariser,
    compactions: usize,
    refused: usize,
}

impl Session {
    fn new(limits: Limits, summariser: Summariser) -> Self {
        Self {
            limits,
            transcript: Transcript::default(),
            archive: Vec::new(),
            summariser,
            compactions: 0,
            refused: 0,
        }
    }

    /// Gives the prompt of the turn if it is to be looked at: after each compaction, and now and then.
    fn turn(&mut self, message: &Said, look: bool) -> Option<String> {
        let compactions = self.compactions;
        let (channel, place) = (ChannelKey::new("ws_1", "work"), Place::conversation("C1"));
        let messages = std::slice::from_ref(message);
        let prompt = Prompt::new("slack", &channel, &place, messages);
        let next = estimate(&prompt.render());
        match plan(&self.transcript, &self.limits, next) {
            Plan::Fits => {}
            Plan::Compact(cut) => {
                self.compact(&cut);
                let again = plan(&self.transcript, &self.limits, next);
                assert_eq!(again, Plan::Fits, "it is compacted once a turn");
            }
            Plan::Over => panic!("every message is short"),
        }
        let is_shown = look || self.compactions > compactions;
        let text = is_shown.then(|| prompt.with_history(&self.transcript).render());
        let answer = format!("I think that {} is a number. Yes.", message.message_id);
        self.transcript.push(Entry::from(message));
        self.transcript.push(Entry::answer(answer, message.sent_at, None));
        text
    }

    fn compact(&mut self, cut: &Cut) {
        self.compactions += 1;
        let asked = cut.instruction().and_then(|text| (self.summariser)(&text));
        let taken = asked.and_then(|summary| cut.apply(&summary).ok());
        self.transcript = taken.unwrap_or_else(|| {
            self.refused += 1;
            cut.apply(&cut.fallback()).expect("it is never refused")
        });
        self.archive.extend_from_slice(cut.folded());
    }
}

fn check(summariser: Summariser, expect_refused: impl Fn(&Session) -> bool) {
    let limits = Limits::for_model(None, Some(4_000));
    let mut session = Session::new(limits, summariser);
    for n in 0..MESSAGES {
        let Some(prompt) = session.turn(&message(n), n.is_multiple_of(10)) else {
            continue;
        };
        assert!(
            estimate(&prompt) <= limits.tokens(),
            "message {n}: the limit holds"
        );
        assert!(prompt.contains(FACT), "message {n}: the fact is there");
    }
    assert!(
        session.compactions > 50,
        "it was compacted {} times",
        session.compactions
    );
    assert!(
        expect_refused(&session),
        "{} of {} were refused",
        session.refused,
        session.compactions
    );
    // What people and the agent said is in the archive or in the session, once, in order.
    let said: Vec<Entry> = session
        .archive
        .iter()
        .chain(session.transcript.entries())
        .filter(|entry| entry.speaker != Speaker::Summary)
        .cloned()
        .collect();
    assert_eq!(said.len(), 2 * MESSAGES);
    assert!(
        said.chunks(2)
            .enumerate()
            .all(|(n, pair)| pair[0] == Entry::from(&message(n)))
    );
}

#[test]
fn an_agent_that_does_what_it_is_told_is_never_replaced() {
    check(obedient, |session| session.refused == 0);
}

#[test]
fn an_agent_that_fails_costs_no_pinned_fact() {
    check(failing, |session| session.refused == session.compactions);
}

#[test]
fn an_agent_that_writes_more_than_it_got_is_refused_each_time_and_never_asked_twice() {
    check(swelling, |session| session.refused == session.compactions);
}

#[test]
fn an_agent_that_is_now_this_and_now_that_costs_no_pinned_fact() {
    check(moody, |session| {
        session.refused > 0 && session.refused < session.compactions
    });
}
