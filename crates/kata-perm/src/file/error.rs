//! What is wrong with a file, and where.

/// A permissions file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct FileError {
    /// The line, from 1.
    pub line: usize,
    /// The column, in bytes; 0 where the line before has just ended.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

// === impl FileError ===

impl FileError {
    pub(super) fn new(error: &serde_json::Error) -> Self {
        let said = error.to_string();
        // The place is said beside the reason.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = said.strip_suffix(&place).unwrap_or(&said);
        Self {
            line: error.line().max(1),
            column: error.column(),
            reason: unknown_key(reason).unwrap_or_else(|| reason.to_owned()),
        }
    }

    pub(super) fn too_large(largest: usize) -> Self {
        Self {
            line: 1,
            column: 1,
            reason: format!("the file is larger than {largest} bytes"),
        }
    }
}

/// Says of an unknown key which known one is nearest. serde lists the known ones between back quotes, after the unknown one.
fn unknown_key(reason: &str) -> Option<String> {
    let mut names = reason
        .strip_prefix("unknown field ")?
        .split('`')
        .skip(1)
        .step_by(2);
    let unknown = names.next()?;
    let likeness = |known: &str| strsim::jaro_winkler(&unknown.to_lowercase(), &known.to_lowercase());
    let nearest = names
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    Some(match nearest {
        Some((_, known)) => format!("unknown key \"{unknown}\"; did you mean \"{known}\"?"),
        None => format!("unknown key \"{unknown}\""),
    })
}
