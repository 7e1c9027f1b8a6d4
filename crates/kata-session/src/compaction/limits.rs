//! How long a session may grow.

/// The least that a session may be limited to: below it there is no room for both a summary and a conversation.
const LEAST: u64 = 1_000;
/// The least that is asked of a summary, and for it.
pub(super) const LEAST_SUMMARY: u64 = 128;
/// The limit where nothing is said about it. A program that is started for each turn reads, and pays for, all of it
/// each time; beyond this it costs more than it remembers. A setting may say more.
const MOST: u64 = 150_000;
/// The context window that is supposed of a model whose name says nothing, tokens.
const UNKNOWN: u64 = 32_000;
/// Longer summaries are no summaries.
const LONGEST_SUMMARY: u64 = 8_000;

/// Context windows by how the name of a model begins, tokens. The longest beginning counts. Where models of that name
/// differ it is the smallest window of those in use.
///
/// See <https://platform.claude.com/docs/en/build-with-claude/context-windows>, <https://platform.openai.com/docs/models>,
/// <https://ai.google.dev/gemini-api/docs/models>.
const WINDOWS: [(&str, u64); 15] = [
    ("claude", 200_000),
    ("gpt-3.5", 16_000),
    ("gpt-4", 8_000),
    ("gpt-4-turbo", 128_000),
    ("gpt-4o", 128_000),
    ("gpt-4.1", 1_000_000),
    ("gpt-5", 200_000),
    ("gpt-oss", 128_000),
    ("o1", 128_000),
    ("o3", 200_000),
    ("o4", 200_000),
    ("gemini", 1_000_000),
    ("deepseek", 64_000),
    ("llama", 8_000),
    ("mistral-large", 128_000),
];

/// How many tokens a session may take, and what a compaction leaves of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    tokens: u64,
    keep_recent: u64,
    max_summary: u64,
}

// === impl Limits ===

impl Limits {
    /// A session of at most `tokens`, the next prompt included, of which a compaction leaves `keep_recent` as they are
    /// and `max_summary` for the rest. What contradicts itself is made to fit: at least 1,000 tokens in all, a summary of
    /// at least 128 and at most half of them, and no more kept than is left beside it.
    #[must_use]
    pub fn new(tokens: u64, keep_recent: u64, max_summary: u64) -> Self {
        let tokens = tokens.max(LEAST);
        let max_summary = max_summary.clamp(LEAST_SUMMARY, tokens / 2);
        Self {
            tokens,
            keep_recent: keep_recent.min(tokens - max_summary),
            max_summary,
        }
    }

    /// The limits for an agent: as set, else three quarters of the context window of the model that it was told to use,
    /// which leaves room for its own instructions, its tools and its answer; at most 150,000. Of that a quarter is kept
    /// and an eighth, at most 8,000, is for the summary.
    ///
    /// The model's name may begin with that of its provider (`anthropic/claude-…`).
    #[must_use]
    pub fn for_model(hint: Option<&str>, setting: Option<u64>) -> Self {
        let tokens = setting.unwrap_or_else(|| (hint.map_or(UNKNOWN, window) / 4 * 3).min(MOST));
        Self::new(tokens, tokens / 4, (tokens / 8).min(LONGEST_SUMMARY))
    }

    /// Tokens that the session and the next prompt may take together.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Tokens of the newest part that a compaction leaves as it is.
    #[must_use]
    pub const fn keep_recent(&self) -> u64 {
        self.keep_recent
    }

    /// Tokens that a summary may take.
    #[must_use]
    pub const fn max_summary(&self) -> u64 {
        self.max_summary
    }
}

fn window(model: &str) -> u64 {
    let model = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let known = WINDOWS.iter().filter(|(name, _)| model.starts_with(name));
    known
        .max_by_key(|(name, _)| name.len())
        .map_or(UNKNOWN, |(_, window)| *window)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_limit_follows_the_setting_then_the_model_then_caution() {
        for (hint, setting, tokens) in [
            (None, None, 24_000),
            (Some("some-model"), None, 24_000),
            (Some("claude-sonnet-4-5"), None, 150_000),
            (Some("anthropic/Claude-Opus"), None, 150_000),
            (Some("gpt-4"), None, 6_000),
            (Some("gpt-4o-mini"), None, 96_000),
            (Some("gemini-2.5-pro"), None, 150_000),
            (Some("gpt-4"), Some(50_000), 50_000),
            (None, Some(0), 1_000),
            (None, Some(700_000), 700_000),
        ] {
            let limits = Limits::for_model(hint, setting);
            assert_eq!(limits.tokens(), tokens, "{hint:?} {setting:?}");
        }
    }

    proptest! {
        #[test]
        fn limits_never_contradict_themselves(tokens in any::<u64>(), keep in any::<u64>(), summary in any::<u64>()) {
            for limits in [Limits::new(tokens, keep, summary), Limits::for_model(None, Some(tokens))] {
                prop_assert!(limits.max_summary() >= LEAST_SUMMARY);
                prop_assert!(limits.keep_recent() <= limits.tokens() - limits.max_summary());
            }
        }
    }
}
