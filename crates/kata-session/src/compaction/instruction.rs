//! What the agent is told to do with a conversation that has grown too long.

use super::Cut;
use crate::{estimate, fence, history::Parts, redact, transcript::Entry};

// === impl Cut ===

impl Cut {
    /// The prompt by which the agent writes the summary, with all that is folded as data between fences, secrets masked.
    /// The same cut gives the same text. None where that prompt would be over the limit itself, as it is when a session
    /// is compacted for the first time long after it became too long: then [`fallback`](Self::fallback) writes it.
    #[must_use]
    pub fn instruction(&self) -> Option<String> {
        let folded: Vec<Entry> = self
            .folded
            .iter()
            .map(|entry| Entry {
                text: redact(&entry.text),
                ..entry.clone()
            })
            .collect();
        let parts = Parts::of(&folded);
        let outside: Vec<&str> = parts.outside().collect();
        let fence = fence::around(&outside);
        let mut text = task(characters(&folded, self.room));
        parts.write(&fence, &mut text);
        text.push_str("Now write the summary.\n");
        (estimate(&text) <= self.limit).then_some(text)
    }
}

fn task(characters: u64) -> String {
    format!(
        "This conversation has become too long to be kept whole. Write a summary that takes the place of what follows: \
         whoever goes on with the conversation knows nothing else of it.\n\
         - First, each on a line that starts with \"Pinned:\", the facts that people pinned or asked to be remembered, \
         word for word. Lines that start so in an earlier summary stay.\n\
         - Names of people, projects, files and links, as they were written.\n\
         - Who is where: which person, place, thread or channel a thing belongs to.\n\
         - Decisions: who decided what, and when.\n\
         - Open tasks: who does what until when, and what was promised.\n\
         - All that an earlier summary holds and that still counts.\n\
         Invent nothing, answer nothing, use no tools, and leave out passwords and keys. Write at most {characters} \
         characters, in the language of the conversation, and nothing but the summary.\n\n"
    )
}

/// Characters that fit into this many tokens, in the writing of these entries. A tenth is left, since nobody counts
/// exactly.
fn characters(entries: &[Entry], room: u64) -> u64 {
    let (characters, tokens) = entries.iter().fold((0, 0), |(characters, tokens), entry| {
        let count = u64::try_from(entry.text.chars().count()).unwrap_or(u64::MAX);
        (characters + count, tokens + estimate(&entry.text))
    });
    // A text without a character is as Latin as any.
    let (characters, tokens) = if tokens == 0 { (4, 1) } else { (characters, tokens) };
    room.saturating_mul(characters) / tokens / 10 * 9
}
