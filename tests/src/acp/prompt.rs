//! What a prompt says. katad fences each message between a BEGIN and an END line; by hand one writes plain text.

use serde_json::Value;

/// The text of a prompt's blocks.
pub(crate) fn text(blocks: &Value) -> String {
    let blocks = blocks.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = blocks.iter().filter_map(|b| b["text"].as_str()).collect();
    texts.join("\n")
}

/// The last message in a prompt: what stands in its last fence, or all of it where there is none.
pub(crate) fn last_message(text: &str) -> &str {
    let Some(begin) = text.rfind("\nBEGIN ") else {
        return text.trim();
    };
    let opening = &text[begin + 1..];
    let (line, rest) = opening.split_once('\n').unwrap_or((opening, ""));
    let mark = line.split(' ').nth(1).unwrap_or_default();
    rest.split(&format!("\nEND {mark}")).next().unwrap_or(rest).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_is_what_the_last_fence_holds() {
        let prompt = "You answer.\n\nBEGIN 9a67 {\"role\":\"owner\"}\none\nEND 9a67\n\nBEGIN 9a67 {}\ntwo\nlines\nEND 9a67\n";
        assert_eq!(last_message(prompt), "two\nlines");
        assert_eq!(last_message("hello\n"), "hello");
    }
}
