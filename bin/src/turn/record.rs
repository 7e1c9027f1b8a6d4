//! What a turn that was answered adds to its session: what was said in it, and what it used.

use kata_agent::Reply;
use kata_channel::Timestamp;
use kata_session::{Entry, estimate, redact};
use kata_store::{ClaimedTurn, Record, Usage};
use serde_json::Value;

use super::{history::new_entry, session::said};
use crate::agents::Remembers;

/// What the turn adds.
pub(crate) fn record(turn: &ClaimedTurn, reply: &Reply, remembers: Remembers, now: Timestamp) -> Record {
    let reported = reply.usage.as_ref().and_then(|usage| reported(usage, remembers));
    let people = turn.rows.iter().map(|row| Entry::from(&said(row)));
    let answer = Entry::answer(reply.text.as_str(), now, None);
    let entries: Vec<Entry> = people.chain([answer]).map(masked).collect();
    Record {
        tokens: entries.iter().map(Entry::cost).fold(0, u64::saturating_add),
        entries: if remembers.keeps_a_transcript() {
            entries.iter().map(new_entry).collect()
        } else {
            Vec::new()
        },
        usage: reported,
    }
}

/// The same for an answer that came when no turn waited for it: what was asked is not at hand any more.
pub(crate) fn record_late(reply: &Reply) -> Record {
    Record {
        entries: Vec::new(),
        tokens: estimate(&reply.text),
        usage: reply
            .usage
            .as_ref()
            .and_then(|usage| reported(usage, Remembers::ByTheHost)),
    }
}

/// The boundary: what leaves the turn that it was said in leaves its secrets behind. The agent of this turn has read them;
/// no later one does, and no summary is made from them.
fn masked(entry: Entry) -> Entry {
    Entry {
        name: entry.name.as_deref().map(redact),
        text: redact(&entry.text),
        ..entry
    }
}

/// Tokens, in the words of the Agent Client Protocol, whose numbers are sums over a session, or of a host.
fn reported(usage: &Value, remembers: Remembers) -> Option<Usage> {
    let count = |names: [&str; 2]| names.iter().find_map(|name| usage.get(name)?.as_u64());
    let (input, output) = (
        count(["inputTokens", "input_tokens"])?,
        count(["outputTokens", "output_tokens"])?,
    );
    Some(match remembers {
        Remembers::UntilLost => Usage::Sums { input, output },
        _ => Usage::OfTurn { input, output },
    })
}

#[cfg(test)]
mod tests {
    use kata_store::{ChannelId, ClaimedRow, Speaker, UnixMs};
    use serde_json::json;

    use super::*;

    fn turn(text: &str) -> ClaimedTurn {
        let row = ClaimedRow {
            id: 1,
            platform_id: Some("m1".into()),
            content: text.into(),
            prompt: text.into(),
            sender: Some("U1".into()),
            role: None,
            sent_at: UnixMs(5),
            metadata: serde_json::Map::new(),
            has_files: false,
        };
        ClaimedTurn {
            id: 1,
            channel: ChannelId(1),
            workspace: "w1".into(),
            slug: "team".into(),
            session_key: "daemon-team-1".into(),
            conversation: "C1".into(),
            thread: None,
            attempt: 1,
            is_digest: false,
            rows: vec![row],
        }
    }

    fn reply(text: &str, usage: Option<Value>) -> Reply {
        Reply {
            text: text.into(),
            usage,
            sent: false,
        }
    }

    fn recorded(said: &str, reply: &Reply, remembers: Remembers) -> Record {
        record(&turn(said), reply, remembers, Timestamp::from_millis(9))
    }

    #[test]
    fn secrets_stay_in_the_turn_that_they_were_said_in() {
        let reply = reply("I use GH_TOKEN=abc123 then", None);
        let record = recorded("the password: hunter2, use it", &reply, Remembers::WhatItIsTold);
        let texts: Vec<_> = record.entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["the password: •••, use it", "I use GH_TOKEN=••• then"]);
    }

    #[test]
    fn an_exchange_is_who_asked_what_when_and_the_answer_even_an_empty_one() {
        let record = recorded("hello", &reply("", None), Remembers::UntilLost);
        let told: Vec<_> = record
            .entries
            .iter()
            .map(|e| (e.speaker, e.name.as_deref(), e.at.0))
            .collect();
        assert_eq!(
            told,
            [(Speaker::People, Some("U1"), 5), (Speaker::Agent, None, 9)]
        );
    }

    #[test]
    fn of_a_session_that_the_host_remembers_the_length_is_known_and_no_word() {
        let record = recorded("hello", &reply("hi", None), Remembers::ByTheHost);
        assert!(record.entries.is_empty() && record.tokens > 0);
    }

    #[test]
    fn reported_tokens_are_a_turns_or_sums_and_what_is_no_report_is_none() {
        let check = |usage, remembers, expect| {
            assert_eq!(recorded("a", &reply("b", Some(usage)), remembers).usage, expect);
        };
        let acp = json!({"totalTokens": 12, "inputTokens": 10, "outputTokens": 2});
        let (input, output) = (10, 2);
        check(acp, Remembers::UntilLost, Some(Usage::Sums { input, output }));
        let host = json!({"input_tokens": 10, "output_tokens": 2});
        check(host, Remembers::ByTheHost, Some(Usage::OfTurn { input, output }));
        for nothing in [
            json!({"inputTokens": 10}),
            json!("much"),
            json!({"inputTokens": -1, "outputTokens": 1}),
        ] {
            check(nothing, Remembers::ByTheHost, None);
        }
    }
}
