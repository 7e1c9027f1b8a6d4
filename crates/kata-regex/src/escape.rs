//! What follows a backslash.

use super::translate::{Groups, Reason, Source};

/// An escape, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    Char(char),
    Set(Set),
    Boundary,
    NoBoundary,
    Group(usize),
    /// `\k`, with the name still to be read.
    NamedGroup,
}

/// A shorthand for a set of characters. JavaScript's are ASCII but for white space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Digit,
    NotDigit,
    Word,
    NotWord,
    Space,
    NotSpace,
}

impl Set {
    /// As a bracketed class, which may stand in another one.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Digit => "[0-9]",
            Self::NotDigit => "[^0-9]",
            Self::Word => "[0-9A-Za-z_]",
            Self::NotWord => "[^0-9A-Za-z_]",
            // WhiteSpace and LineTerminator of ECMA-262: not what Unicode calls white space (U+FEFF is in, U+0085 is out).
            Self::Space => {
                r"[\t\n\x{B}\x{C}\r\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]"
            }
            Self::NotSpace => {
                r"[^\t\n\x{B}\x{C}\r\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]"
            }
        }
    }
}

impl Escape {
    /// Reads an escape outside a class; the backslash is already taken.
    pub(super) fn read(source: &mut Source<'_>, groups: &Groups) -> Result<Self, Reason> {
        match source.peek(0).ok_or("it ends in a backslash")? {
            'b' => Ok(taken(source, Self::Boundary)),
            'B' => Ok(taken(source, Self::NoBoundary)),
            'k' if groups.are_named() => Ok(taken(source, Self::NamedGroup)),
            '1'..='9' => number(source, groups),
            _ => Self::read_in_class(source, groups),
        }
    }

    /// Reads an escape in a class: a set or a character.
    pub(super) fn read_in_class(source: &mut Source<'_>, groups: &Groups) -> Result<Self, Reason> {
        let c = source.peek(0).ok_or("it ends in a backslash")?;
        let set = match c {
            'd' => Set::Digit,
            'D' => Set::NotDigit,
            'w' => Set::Word,
            'W' => Set::NotWord,
            's' => Set::Space,
            'S' => Set::NotSpace,
            'k' if groups.are_named() => return Err("it has `\\k` in a class"),
            _ => return character(source).map(Self::Char),
        };
        Ok(taken(source, Self::Set(set)))
    }
}

fn taken(source: &mut Source<'_>, escape: Escape) -> Escape {
    source.next();
    escape
}

/// `\1` refers to a group if there are so many, else it is a legacy octal escape (Annex B).
fn number(source: &mut Source<'_>, groups: &Groups) -> Result<Escape, Reason> {
    let digits = (0..)
        .take_while(|&i| source.peek(i).is_some_and(|c| c.is_ascii_digit()))
        .count();
    let text: String = (0..digits).filter_map(|i| source.peek(i)).collect();
    match text.parse::<usize>() {
        Ok(group) if group <= groups.count() => {
            source.digits(10, digits, digits);
            Ok(Escape::Group(group))
        }
        _ => character(source).map(Escape::Char),
    }
}

/// An escape for one character.
fn character(source: &mut Source<'_>) -> Result<char, Reason> {
    let c = source.peek(0).ok_or("it ends in a backslash")?;
    if matches!(c, '0'..='7') {
        return octal(source);
    }
    // `\c` without a letter is a backslash, and the `c` stands for itself.
    if c == 'c' && !source.peek(1).is_some_and(|c| c.is_ascii_alphabetic()) {
        return Ok('\\');
    }
    source.next();
    match c {
        't' => Ok('\t'),
        'n' => Ok('\n'),
        'v' => Ok('\u{B}'),
        'f' => Ok('\u{C}'),
        'r' => Ok('\r'),
        'c' => {
            let letter = source.next().ok_or("it ends in a backslash")?;
            Ok(char::from_u32(u32::from(letter) % 32).unwrap_or(letter))
        }
        'x' => Ok(source.digits(16, 2, 2).and_then(char::from_u32).unwrap_or('x')),
        'u' => unicode(source),
        // Without the flag `u` any other character stands for itself.
        other => Ok(other),
    }
}

/// Up to three octal digits, at most `\377`.
fn octal(source: &mut Source<'_>) -> Result<char, Reason> {
    let most = if matches!(source.peek(0), Some('0'..='3')) {
        3
    } else {
        2
    };
    source
        .digits(8, 1, most)
        .and_then(char::from_u32)
        .ok_or("it has a bad escape")
}

/// `\uXXXX`, or two of them for one character. `\u{…}` is an escape only with the flag `u`: here it is the letter, repeated.
fn unicode(source: &mut Source<'_>) -> Result<char, Reason> {
    let Some(unit) = source.digits(16, 4, 4) else {
        return Ok('u');
    };
    if let Some(c) = char::from_u32(unit) {
        return Ok(c);
    }
    let low = if source.take("\\u") {
        source.digits(16, 4, 4)
    } else {
        None
    };
    let pair = low.filter(|low| (0xD800..0xDC00).contains(&unit) && (0xDC00..0xE000).contains(low));
    pair.and_then(|low| char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)))
        .ok_or("it names half of a surrogate pair")
}
