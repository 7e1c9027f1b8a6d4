//! What is new in a mail. The history below an answer and the signature are folded into one line each that says so: an
//! agent has read the history, and a thread of forty mails would drown the forty-first.

/// A quote of so few lines between the writer's own is what he answers to: it stays.
const SHORT_QUOTE: usize = 4;
/// A signature is no longer than this. Lines.
const SIGNATURE: usize = 15;
/// "On Tuesday Ada wrote:" takes no more lines.
const ATTRIBUTION: usize = 3;

/// Folds a text. One of which nothing would be left stays whole: it is a quote that is meant to be read.
pub(super) fn fold(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let (own, below) = split_history(&lines);
    let folded = Folded::of(own, below);
    if folded.is_empty() {
        return tidy(&lines);
    }
    folded.text()
}

/// Lines of the writer, and how much was left out.
struct Folded<'t> {
    kept: Vec<std::borrow::Cow<'t, str>>,
    history: usize,
    signature: usize,
}

// === impl Folded ===

impl<'t> Folded<'t> {
    fn of(own: &[&'t str], below: usize) -> Self {
        let mut folded = Self {
            kept: Vec::new(),
            history: below,
            signature: 0,
        };
        let own = folded.cut_signature(own);
        let end = own.iter().rposition(|line| !is_quoted(line) && !line.is_empty());
        let end = end.map_or(0, |at| at + 1);
        let (above, trailing) = own.split_at(end);
        let quoted = trailing.iter().filter(|line| is_quoted(line)).count();
        let above = if quoted > 0 {
            &above[..above.len() - attribution(above)]
        } else {
            above
        };
        folded.history += quoted;
        folded.keep(above);
        folded
    }

    /// RFC 3676: a line of two dashes and a space. Many programs drop the space.
    fn cut_signature<'l>(&mut self, own: &'l [&'t str]) -> &'l [&'t str] {
        let Some(at) = own.iter().rposition(|line| *line == "--") else {
            return own;
        };
        let below = &own[at + 1..];
        // What a writer says below a quote is not his signature's.
        if below.len() > SIGNATURE || below.iter().any(|line| is_quoted(line)) {
            return own;
        }
        self.signature = below.iter().filter(|line| !line.is_empty()).count();
        &own[..at]
    }

    /// Keeps the writer's lines, with long quotes between them folded.
    fn keep(&mut self, lines: &[&'t str]) {
        let mut rest = lines;
        while let Some(first) = rest.first() {
            let run = rest
                .iter()
                .take_while(|line| is_quoted(line) == is_quoted(first))
                .count();
            let (these, others) = rest.split_at(run);
            match is_quoted(first) && run > SHORT_QUOTE {
                true => self.kept.push(format!("[{} quoted lines]", these.len()).into()),
                false => self.kept.extend(these.iter().map(|line| (*line).into())),
            }
            rest = others;
        }
    }

    fn is_empty(&self) -> bool {
        self.kept.iter().all(|line| line.trim().is_empty())
    }

    fn text(self) -> String {
        let lines: Vec<&str> = self.kept.iter().map(|line| &**line).collect();
        let mut text = tidy(&lines);
        for (count, what) in [(self.signature, "signature"), (self.history, "earlier mail")] {
            if count > 0 {
                text.push_str(&format!("\n\n[{what}: {count} lines left out]"));
            }
        }
        text
    }
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Where a program puts the mail before below a line of its own, without marking its lines.
fn split_history<'l, 't>(lines: &'l [&'t str]) -> (&'l [&'t str], usize) {
    let starts = |at: &usize| {
        let line = lines[*at].trim_matches(['-', '_', ' ', '*']);
        let ruled = lines[*at].trim_start().starts_with("--");
        let original = ruled
            && [
                "original message",
                "ursprüngliche nachricht",
                "message d'origine",
                "mensaje original",
            ]
            .contains(&&*line.to_lowercase());
        original || is_header_block(&lines[*at..])
    };
    // At the very top it is a forwarded mail, which is what the writer wants to be read.
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    match (first + 1..lines.len()).find(starts) {
        Some(at) => {
            let below = lines[at..].iter().filter(|line| !line.is_empty()).count();
            (&lines[..at], below)
        }
        None => (lines, 0),
    }
}

/// `From:`, `Sent:`, `To:` and `Subject:` under each other, as Outlook writes them in the language of its user: four lines
/// that begin with one short word and a colon, the first of them with an address.
fn is_header_block(lines: &[&str]) -> bool {
    let is_field = |line: &&&str| {
        line.trim_start_matches('*')
            .split_once(':')
            .is_some_and(|(name, value)| {
                name.split_whitespace().count() == 1 && name.len() < 20 && !value.trim().is_empty()
            })
    };
    lines.len() >= 4
        && lines[0].contains('@')
        && ["From", "Von", "De", "Da", "Van", "Od"]
            .iter()
            .any(|word| lines[0].trim_start_matches('*').starts_with(&format!("{word}:")))
        && lines.iter().take(4).filter(is_field).count() == 4
}

/// How many of the last lines say who wrote what is quoted below them.
fn attribution(above: &[&str]) -> usize {
    let Some(last) = above.last().filter(|line| line.ends_with(':')) else {
        return 0;
    };
    let names_somebody = |lines: &[&str]| {
        let said = lines.join(" ");
        said.contains('@') || said.chars().filter(char::is_ascii_digit).count() >= 2
    };
    if names_somebody(&[last]) && last.split_whitespace().count() >= 4 {
        return 1;
    }
    let paragraph = above.iter().rev().take_while(|line| !line.is_empty()).count();
    let lines = &above[above.len() - paragraph..];
    if paragraph <= ATTRIBUTION && names_somebody(lines) {
        paragraph
    } else {
        0
    }
}

/// Without blank lines at both ends, and with no more than one between two others.
fn tidy(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut blank = 0;
    for line in lines {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        text.push_str(line);
    }
    text
}
