//! Whether a transcript is cut, and where.

use super::{Cut, Limits, limits::LEAST_SUMMARY};
use crate::{
    history::{FRAME, Parts},
    transcript::{Entry, Speaker, Transcript, costs_of, tokens_of},
};

/// What to do before the next prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: all of it fits.
    Fits,
    /// Put a summary in the place of the oldest part.
    Compact(Cut),
    /// Nothing helps: beside the next prompt there is no room for even a short summary. It is the prompt that is too long;
    /// the transcript is left as it is.
    Over,
}

/// Whether a transcript is compacted before a prompt that takes `next_prompt_tokens` without it, and where it is cut.
///
/// As much of its end stays as [`Limits::keep_recent`] allows, but in whole exchanges: what people said is never cut off
/// from the answer to it. The newest exchange stays even where it is longer than that, unless there is no room for it
/// beside a summary and the prompt; then it becomes part of the summary too, and the cut [says so](Cut::folds_newest).
#[must_use]
pub fn plan(transcript: &Transcript, limits: &Limits, next_prompt_tokens: u64) -> Plan {
    let entries = transcript.entries();
    if tokens_of(entries).saturating_add(next_prompt_tokens) <= limits.tokens() {
        return Plan::Fits;
    }
    let room = limits
        .tokens()
        .saturating_sub(next_prompt_tokens)
        .saturating_sub(Parts::RULES + FRAME);
    let (folded, kept) = entries.split_at(keep_from(entries, limits, room));
    // INVARIANT: a summary that fits here takes less than what it stands for: all of it together did not fit.
    let room = room.saturating_sub(costs_of(kept)).min(limits.max_summary());
    if folded.is_empty() || room < LEAST_SUMMARY {
        return Plan::Over;
    }
    Plan::Compact(Cut::new(folded, kept, room, limits.tokens()))
}

/// Where the part begins that is kept.
fn keep_from(entries: &[Entry], limits: &Limits, room: u64) -> usize {
    let most = room.saturating_sub(limits.max_summary());
    let (mut from, mut cost) = (entries.len(), 0_u64);
    for start in (0..entries.len()).rev().filter(|n| begins_exchange(entries, *n)) {
        cost = cost.saturating_add(costs_of(&entries[start..from]));
        let is_newest = from == entries.len();
        let allowed = if is_newest {
            most
        } else {
            most.min(limits.keep_recent())
        };
        if cost > allowed {
            break;
        }
        from = start;
    }
    from
}

/// An exchange begins with the first of several messages in a row and ends with the answer to them. What the agent says
/// of its own accord is one too.
fn begins_exchange(entries: &[Entry], n: usize) -> bool {
    n.checked_sub(1)
        .is_none_or(|before| entries[before].speaker != Speaker::People)
}
