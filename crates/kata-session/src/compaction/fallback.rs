//! A summary without a model: lines that were said, chosen by plain rules.

use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation;

use super::{Cut, marks};
use crate::{
    estimate, redact,
    transcript::{Entry, Speaker},
};

const TITLE: &str = "Lines of what was said, chosen without a model:";
/// The longest line, in tokens, where there is room for many.
const LONGEST_LINE: u64 = 80;
/// The longest name before a line, in characters.
const LONGEST_NAME: usize = 40;

/// Why a line is kept, in the order in which lines are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Somebody asked to remember it.
    Pinned,
    /// It is of the first message of a person.
    First,
    /// It stood in an earlier summary.
    Earlier,
    /// It looks like a decision or a task, or names something.
    Noted,
    /// It begins or ends what somebody said.
    Gist,
}

/// Up to how many eighths of the room are filled when the lines of each kind were chosen, and whether the newest come
/// first. What one kind leaves is for the next. Facts do not age, so the oldest go first and nobody can push them out by
/// pinning more; how the talk went does.
const SHARES: [(Why, u64, bool); 5] = [
    (Why::Pinned, 3, false),
    (Why::First, 4, false),
    (Why::Earlier, 6, false),
    (Why::Noted, 7, true),
    (Why::Gist, 8, true),
];

struct Line {
    why: Why,
    text: String,
}

// === impl Cut ===

impl Cut {
    /// A summary that no model writes: what people asked to be remembered, the first message of each, the beginning of the
    /// earlier summary, decisions, tasks, dates, names, paths and links, and the first and last sentence of all else, as
    /// far as there is room. [`apply`](Self::apply) takes it. The same cut gives the same text.
    #[must_use]
    pub fn fallback(&self) -> String {
        let lines = lines(&self.folded, (self.room / 8).min(LONGEST_LINE));
        let mut chosen = chosen(&lines, self.room);
        loop {
            let text = written(&lines, &chosen);
            // Masking may make a text longer: what was chosen last goes.
            if self.summary(&text).is_ok() || chosen.pop().is_none() {
                return text;
            }
        }
    }
}

/// The lines in the order in which they were said.
fn written(lines: &[Line], chosen: &[usize]) -> String {
    let mut order = chosen.to_vec();
    order.sort_unstable();
    let mut text = TITLE.to_owned();
    for n in order {
        text.push('\n');
        text.push_str(&lines[n].text);
    }
    redact(&text)
}

/// Which lines there is room for, the most important first.
fn chosen(lines: &[Line], room: u64) -> Vec<usize> {
    let mut used = estimate(TITLE);
    let (mut chosen, mut seen) = (Vec::new(), HashSet::new());
    for (why, share, newest_first) in SHARES {
        let most = u64::try_from(u128::from(room) * u128::from(share) / 8).unwrap_or(room);
        let mut of_kind: Vec<usize> = (0..lines.len()).filter(|n| lines[*n].why == why).collect();
        if newest_first {
            of_kind.reverse();
        }
        for n in of_kind {
            // With the end of the line before it.
            let cost = estimate(&lines[n].text) + 1;
            if used + cost <= most && seen.insert(lines[n].text.as_str()) {
                used += cost;
                chosen.push(n);
            }
        }
    }
    chosen
}

fn lines(folded: &[Entry], longest: u64) -> Vec<Line> {
    let mut met = HashSet::new();
    let mut lines = Vec::new();
    for entry in folded {
        let text = redact(&entry.text);
        match entry.speaker {
            Speaker::Summary => lines.extend(of_summary(&text, longest)),
            Speaker::People | Speaker::Agent => {
                let is_first = entry.speaker == Speaker::People && met.insert(entry.name.as_deref());
                lines.extend(of_entry(entry, &text, is_first, longest));
            }
        }
    }
    lines
}

fn of_summary(text: &str, longest: u64) -> impl Iterator<Item = Line> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != TITLE)
        .map(move |line| Line {
            why: if marks::is_pinned(line) {
                Why::Pinned
            } else {
                Why::Earlier
            },
            text: short(line, longest),
        })
}

fn of_entry(entry: &Entry, text: &str, is_first: bool, longest: u64) -> Vec<Line> {
    let who = who(entry);
    let sentences: Vec<&str> = text.unicode_sentences().collect();
    let ends = [0, sentences.len().saturating_sub(1)];
    let why = |n: usize, sentence: &str| match sentence {
        // The agent says that it will remember; only people say what.
        _ if entry.speaker == Speaker::People && marks::is_pinned(sentence) => Some(Why::Pinned),
        _ if is_first => Some(Why::First),
        _ if marks::is_noted(sentence) => Some(Why::Noted),
        _ => ends.contains(&n).then_some(Why::Gist),
    };
    let lines = sentences.iter().enumerate();
    lines
        .filter_map(|(n, sentence)| {
            let words: Vec<&str> = sentence.split_whitespace().collect();
            Some(Line {
                why: why(n, sentence)?,
                text: short(&format!("{who}: {}", words.join(" ")), longest),
            })
        })
        .collect()
}

fn who(entry: &Entry) -> String {
    let name = entry.name.as_deref().unwrap_or(entry.speaker.as_str());
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_NAME).collect()
}

/// As much of a line as fits into this many tokens.
fn short(line: &str, tokens: u64) -> String {
    if estimate(line) <= tokens {
        return line.to_owned();
    }
    let mut kept = String::new();
    // A token is for the sign that says that more was there.
    for c in line.chars() {
        kept.push(c);
        if estimate(&kept) >= tokens {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}
