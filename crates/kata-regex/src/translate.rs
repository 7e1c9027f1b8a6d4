//! From JavaScript's pattern syntax (ECMA-262 with Annex B, no `u` flag) to that of `fancy_regex`.
//!
//! <https://tc39.es/ecma262/#sec-patterns>, <https://tc39.es/ecma262/#sec-regular-expressions-patterns>

use super::escape::{Escape, Set};

/// What `.` matches without the flag `s`: JavaScript knows four line terminators.
const DOT: &str = r"[^\n\r\x{2028}\x{2029}]";
/// A word character, out of reach of the flag `i`: with it, the Kelvin sign would be one.
const WORD: &str = "(?-i:[0-9A-Za-z_])";

/// Why a pattern is refused, as the end of a sentence.
pub(super) type Reason = &'static str;

/// Translates a whole pattern.
pub(super) fn translate(pattern: &str) -> Result<String, Reason> {
    let source: Vec<char> = pattern.chars().collect();
    let groups = Groups::find(&source)?;
    Translator {
        source: Source {
            chars: &source,
            at: 0,
        },
        groups,
        out: String::new(),
        open: Vec::new(),
        captures: 0,
        repeatable: false,
    }
    .run()
}

/// The pattern and how far it was read.
pub(super) struct Source<'p> {
    chars: &'p [char],
    at: usize,
}

impl Source<'_> {
    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        Some(c)
    }

    /// The character `ahead` places after the next one.
    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Takes `text` if it is what comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let here = self.chars.get(self.at..).unwrap_or_default();
        let length = text.chars().count();
        let found = here.len() >= length && text.chars().eq(here[..length].iter().copied());
        if found {
            self.at += length;
        }
        found
    }

    /// Takes up to `most` digits of `radix`, if there are at least `least`.
    pub(super) fn digits(&mut self, radix: u32, least: usize, most: usize) -> Option<u32> {
        let count = (0..most)
            .take_while(|&i| self.peek(i).is_some_and(|c| c.is_digit(radix)))
            .count();
        if count < least {
            return None;
        }
        let mut value: u32 = 0;
        for _ in 0..count {
            let digit = self.next()?.to_digit(radix)?;
            value = value.saturating_mul(radix).saturating_add(digit);
        }
        Some(value)
    }

    /// Takes everything up to `end`, and `end`.
    fn until(&mut self, end: char) -> Option<String> {
        let length = self.chars.get(self.at..)?.iter().position(|&c| c == end)?;
        let taken = self.chars[self.at..self.at + length].iter().collect();
        self.at += length + 1;
        Some(taken)
    }
}

/// The capturing groups of a pattern, in order, with their names.
pub(super) struct Groups(Vec<Option<String>>);

impl Groups {
    /// They are found before the translation: a back reference may stand before its group.
    fn find(chars: &[char]) -> Result<Self, Reason> {
        let mut source = Source { chars, at: 0 };
        let mut groups = Self(Vec::new());
        let mut in_class = false;
        while let Some(c) = source.next() {
            match c {
                '\\' => drop(source.next()),
                '[' => in_class = true,
                ']' => in_class = false,
                '(' if !in_class => groups.note(&mut source)?,
                _ => {}
            }
        }
        Ok(groups)
    }

    fn note(&mut self, source: &mut Source<'_>) -> Result<(), Reason> {
        if source.peek(0) != Some('?') {
            self.0.push(None);
        } else if source.peek(1) == Some('<') && !matches!(source.peek(2), Some('=' | '!')) {
            source.take("?<");
            let name = source.until('>').ok_or("a group's name has no end")?;
            if name.is_empty() || self.index(&name).is_some() {
                return Err("a group's name is empty or used twice");
            }
            self.0.push(Some(name));
        }
        Ok(())
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|known| known.as_deref() == Some(name))
            .map(|at| at + 1)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn are_named(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }
}

/// A group that is not closed yet.
struct Open {
    /// It may be repeated once it is closed.
    repeatable: bool,
    /// Its number, if it captures.
    capture: Option<usize>,
}

struct Translator<'p> {
    source: Source<'p>,
    groups: Groups,
    out: String,
    open: Vec<Open>,
    /// How many capturing groups were opened so far.
    captures: usize,
    /// May what was written last be repeated?
    repeatable: bool,
}

impl Translator<'_> {
    fn run(mut self) -> Result<String, Reason> {
        while let Some(c) = self.source.next() {
            match c {
                '*' | '+' | '?' => self.quantifier(&c.to_string())?,
                '{' => self.brace()?,
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '|' => self.plain("|", false),
                '^' => self.plain(r"\A", false),
                '$' => self.plain(r"\z", false),
                '.' => self.plain(DOT, true),
                '[' => {
                    let class = super::class::translate(&mut self.source, &self.groups)?;
                    self.plain(&class, true);
                }
                '\\' => self.escape()?,
                literal => self.plain(&quoted(literal), true),
            }
        }
        if self.open.is_empty() {
            Ok(self.out)
        } else {
            Err("a group has no end")
        }
    }

    fn plain(&mut self, text: &str, repeatable: bool) {
        self.out.push_str(text);
        self.repeatable = repeatable;
    }

    fn quantifier(&mut self, text: &str) -> Result<(), Reason> {
        // Also what keeps `a++` an error, as in JavaScript, and from being possessive, as in our engine.
        if !self.repeatable {
            return Err("there is nothing to repeat");
        }
        self.plain(text, false);
        if self.source.take("?") {
            self.out.push('?');
        }
        Ok(())
    }

    /// A brace that opens no quantifier is a literal (Annex B).
    fn brace(&mut self) -> Result<(), Reason> {
        let start = self.source.at;
        if let Some((least, most)) = self.bounds() {
            return match most {
                Some(most) if most < least => Err("the bounds of a repetition are in the wrong order"),
                Some(most) => self.quantifier(&format!("{{{least},{most}}}")),
                None => self.quantifier(&format!("{{{least},}}")),
            };
        }
        self.source.at = start;
        self.plain(&quoted('{'), true);
        Ok(())
    }

    fn bounds(&mut self) -> Option<(u32, Option<u32>)> {
        let least = self.source.digits(10, 1, usize::MAX)?;
        let most = if self.source.take(",") {
            self.source.digits(10, 1, usize::MAX)
        } else {
            Some(least)
        };
        self.source.take("}").then_some((least, most))
    }

    fn open_group(&mut self) -> Result<(), Reason> {
        const KINDS: [(&str, bool); 5] = [
            ("?:", true),
            ("?=", false),
            ("?!", false),
            ("?<=", false),
            ("?<!", false),
        ];
        let kind = KINDS.into_iter().find(|(opening, _)| self.source.take(opening));
        let (opening, repeatable) = kind.unwrap_or(("", true));
        if kind.is_none() && self.source.take("?<") {
            // Names serve references alone, and those go by number here: a name may have letters that ours may not.
            self.source.until('>');
        } else if kind.is_none() && self.source.peek(0) == Some('?') {
            return Err("it has a kind of group that is not supported");
        }
        self.plain(&format!("({opening}"), false);
        let capture = opening.is_empty().then(|| {
            self.captures += 1;
            self.captures
        });
        self.open.push(Open { repeatable, capture });
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), Reason> {
        let closed = self.open.pop().ok_or("a group is closed that was never opened")?;
        self.plain(")", closed.repeatable);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Reason> {
        match Escape::read(&mut self.source, &self.groups)? {
            Escape::Char(c) => self.plain(&quoted(c), true),
            Escape::Set(set) => self.plain(&outside(set), true),
            Escape::Boundary => {
                self.plain(&format!("(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))"), false)
            }
            Escape::NoBoundary => {
                self.plain(&format!("(?:(?<={WORD})(?={WORD})|(?<!{WORD})(?!{WORD}))"), false)
            }
            Escape::Group(group) => self.back_reference(group)?,
            Escape::NamedGroup => {
                let name = if self.source.take("<") {
                    self.source.until('>')
                } else {
                    None
                };
                let group = name.and_then(|name| self.groups.index(&name));
                self.back_reference(group.ok_or("it refers to a group that does not exist")?)?;
            }
        }
        Ok(())
    }

    /// A group that took no part matches empty in JavaScript, and fails in our engine. So does a group from inside itself,
    /// but there our engine cannot tell.
    fn back_reference(&mut self, group: usize) -> Result<(), Reason> {
        if self.open.iter().any(|open| open.capture == Some(group)) {
            return Err("it refers to a group from inside that group");
        }
        self.plain(&format!("(?:(?({group})\\{group}|))"), true);
        Ok(())
    }
}

/// A set as an atom of its own.
fn outside(set: Set) -> String {
    match set {
        Set::Word => WORD.to_owned(),
        Set::NotWord => "(?-i:[^0-9A-Za-z_])".to_owned(),
        other => other.class().to_owned(),
    }
}

/// A character that stands for itself, in a class and outside.
pub(super) fn quoted(c: char) -> String {
    if c.is_ascii_alphanumeric() {
        c.to_string()
    } else {
        format!("\\x{{{:X}}}", u32::from(c))
    }
}
