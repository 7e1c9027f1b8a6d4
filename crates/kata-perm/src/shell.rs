//! Shell text into the simple commands that it runs.
//!
//! Only lists and pipelines of simple commands are understood. The words are read here, by a list of signs that mean
//! themselves in every common shell; how they are put together is read by [`rable`], a parser of Bash's grammar. Text that
//! either of the two does not understand is refused: a rule decides about what will run, never about what it looks like.
//! Where a text has plain words alone, which is most of it, there is nothing to parse: see [`plain`].

mod plain;

use rable::{ListOperator, Node, NodeKind, PipeSep};

use crate::text::{LONGEST, hidden};

/// Words of the grammar. Their nesting is what makes a recursive parser deep, so few of them are let through.
const RESERVED: [&str; 15] = [
    "if", "then", "elif", "else", "while", "until", "for", "do", "case", "esac", "select", "time", "coproc",
    "function", "in",
];
/// More of them than a command has arguments that happen to be called so.
const MOST_RESERVED: usize = 16;
/// The longest chain of commands.
const MOST_COMMANDS: usize = 64;
/// Signs between commands, of which `&&` has two. The parser goes one call deeper for each.
const MOST_OPERATORS: usize = 256;

/// A simple command, in both forms that a pattern may be meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// Its words as they were written, with one space between.
    pub(crate) written: String,
    /// Its words as the program gets them, with one space between.
    pub(crate) plain: String,
}

/// Why shell text is refused, as the end of a sentence.
pub(crate) type Refusal = &'static str;

/// The simple commands of `text`, in order.
pub(crate) fn commands(text: &str) -> Result<Vec<Command>, Refusal> {
    if text.len() > LONGEST {
        return Err("it is too long to be looked at");
    }
    match plain::commands(text) {
        Some(commands) => Ok(commands),
        None => parsed(text),
    }
}

/// The same, by the parser.
fn parsed(text: &str) -> Result<Vec<Command>, Refusal> {
    if text.chars().any(|c| hidden(c) && !matches!(c, '\n' | '\t')) {
        return Err("it has control characters or characters that cannot be seen");
    }
    scan(text)?;
    let reserved = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| RESERVED.contains(word));
    if reserved.count() > MOST_RESERVED {
        return Err("it has too many words of the shell's grammar");
    }
    let mut commands = Vec::new();
    for node in rable::parse(text, false).map_err(|_| "it does not parse")? {
        collect(&node, &mut commands)?;
    }
    match commands.len() {
        0 => Err("it has no command"),
        MOST_COMMANDS.. => Err("it has too many commands"),
        _ => Ok(commands),
    }
}

fn collect(node: &Node, commands: &mut Vec<Command>) -> Result<(), Refusal> {
    match &node.kind {
        NodeKind::Command { assignments, .. } if !assignments.is_empty() => Err("it sets a variable"),
        NodeKind::Command { redirects, .. } if !redirects.is_empty() => Err("it redirects"),
        NodeKind::Command { words, .. } => {
            commands.push(simple(words)?);
            Ok(())
        }
        // `|&` is a redirection in disguise.
        NodeKind::Pipeline { separators, .. } if separators.contains(&PipeSep::PipeBoth) => {
            Err("it redirects")
        }
        NodeKind::Pipeline { commands: parts, .. } => {
            parts.iter().try_for_each(|part| collect(part, commands))
        }
        NodeKind::List { items } => items.iter().try_for_each(|item| {
            if item.operator == Some(ListOperator::Background) {
                return Err("it runs a command in the background");
            }
            collect(&item.command, commands)
        }),
        _ => Err("it is more than a list of simple commands"),
    }
}

fn simple(words: &[Node]) -> Result<Command, Refusal> {
    let mut command = Command {
        written: String::new(),
        plain: String::new(),
    };
    for (at, word) in words.iter().enumerate() {
        let NodeKind::Word { value, .. } = &word.kind else {
            return Err("it has a word that is not understood");
        };
        let plain = unquoted(value)?;
        // Said by the parser as well; a program's name needs neither sign.
        if at == 0 && (plain.is_empty() || plain.contains('=') || !plain.is_ascii()) {
            return Err("it sets a variable, or its program's name is not plain");
        }
        if at > 0 {
            command.written.push(' ');
            command.plain.push(' ');
        }
        command.written.push_str(value);
        command.plain.push_str(&plain);
    }
    Ok(command)
}

/// Where in a word we are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// Refuses every sign that could mean more than itself where it stands.
fn scan(text: &str) -> Result<(), Refusal> {
    let mut quote = Quote::None;
    let mut before = ' ';
    let mut operators = 0;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Quote::None, '\'') => quote = Quote::Single,
            (Quote::None, '"') => quote = Quote::Double,
            (Quote::Single, '\'') | (Quote::Double, '"') => quote = Quote::None,
            (Quote::Single, _) => {}
            (_, '\\') => match chars.next() {
                None | Some('\n') => return Err("it continues on another line"),
                Some(_) => {}
            },
            (_, '$' | '`') => return Err("it has a substitution"),
            (Quote::Double, '!') => return Err("it has a sign that some shells take for the history"),
            (Quote::Double, _) => {}
            (Quote::None, ';' | '&' | '|' | '\n') if operators == MOST_OPERATORS => {
                return Err("it has too many commands");
            }
            (Quote::None, ';' | '&' | '|' | '\n') => operators += 1,
            (Quote::None, _) => bare(c, before)?,
        }
        before = c;
    }
    if quote == Quote::None {
        Ok(())
    } else {
        Err("a quote has no end")
    }
}

/// A sign outside quotes; `before` stands before it.
fn bare(c: char, before: char) -> Result<(), Refusal> {
    let starts = matches!(before, ' ' | '\t' | '\n' | ';' | '&' | '|');
    match c {
        ' ' | '\t' => Ok(()),
        // zsh reads `=ls` as the place of `ls`; a tilde is a home at the start of a word and after `:` and `=`.
        '=' if starts => Err("it has an expansion"),
        '~' if starts || matches!(before, ':' | '=') => Err("it has an expansion"),
        '_' | '-' | '.' | '/' | ',' | ':' | '@' | '%' | '+' | '=' | '~' => Ok(()),
        '<' | '>' => Err("it redirects"),
        '(' | ')' => Err("it has a subshell or a function"),
        '*' | '?' | '[' | ']' | '{' | '}' | '^' => Err("it has an expansion"),
        '#' => Err("it has a comment"),
        _ if c.is_alphanumeric() => Ok(()),
        _ => Err("it has a sign that is not plain outside quotes"),
    }
}

/// A word without its quotes. [`scan`] has seen every sign of it.
fn unquoted(word: &str) -> Result<String, Refusal> {
    let mut plain = String::with_capacity(word.len());
    let mut quote = Quote::None;
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Quote::None, '\'') => quote = Quote::Single,
            (Quote::None, '"') => quote = Quote::Double,
            (Quote::Single, '\'') | (Quote::Double, '"') => quote = Quote::None,
            (Quote::None, '\\') => plain.push(chars.next().ok_or("a word has no end")?),
            (Quote::Double, '\\') => {
                let next = chars.next().ok_or("a word has no end")?;
                // Between double quotes a backslash stays, but before these.
                if !matches!(next, '"' | '\\' | '$' | '`') {
                    plain.push('\\');
                }
                plain.push(next);
            }
            (_, c) => plain.push(c),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests;
