//! Lines, taken apart into the pieces between which an answer may be split.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;

use super::{
    Dialect,
    line::{Line, LinkMarks, Rank, Style},
};
use crate::adapter::Length;

/// A piece that is never split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom<'a> {
    pub(super) line: &'a Line,
    /// It is the first piece of its line.
    pub(super) starts: bool,
    /// White space before it, which a split swallows.
    pub(super) space: &'a str,
    pub(super) text: &'a str,
    pub(super) style: Style,
    pub(super) link: Option<&'a LinkMarks>,
    /// How good it is to split before it.
    pub(super) rank: Rank,
}

/// Takes `lines` apart.
pub(super) fn atoms<'a>(lines: &'a [Line], dialect: &Dialect, length: Length) -> Vec<Atom<'a>> {
    let mut cutter = Cutter {
        dialect,
        length,
        room: length.limit / 8,
        atoms: Vec::new(),
    };
    for line in lines {
        cutter.line(line);
    }
    cutter.atoms
}

struct Cutter<'a, 'd> {
    dialect: &'d Dialect,
    length: Length,
    /// A longer word is taken apart, so that a part can always be filled well.
    room: usize,
    atoms: Vec<Atom<'a>>,
}

// === impl Cutter ===

impl<'a> Cutter<'a, '_> {
    fn line(&mut self, line: &'a Line) {
        let before = self.atoms.len();
        if line.verbatim {
            self.verbatim(line);
        } else {
            self.prose(line);
        }
        match self.atoms.get_mut(before) {
            Some(first) => {
                first.starts = true;
                first.rank = line.rank;
            }
            // Even an empty line is one: its bullet or its place in the code counts.
            None => self.atoms.push(Atom {
                starts: true,
                rank: line.rank,
                ..blank(line)
            }),
        }
    }

    /// Code: split behind white space, and all of it is kept.
    fn verbatim(&mut self, line: &'a Line) {
        for run in &line.runs {
            let atom = Atom {
                style: run.style,
                ..blank(line)
            };
            let mut rest = run.text.as_str();
            while !rest.is_empty() {
                let word = rest.find(is_space).unwrap_or(rest.len());
                let end = rest[word..]
                    .find(|c| !is_space(c))
                    .map_or(rest.len(), |spaces| word + spaces);
                self.push(Atom {
                    text: &rest[..end],
                    rank: Rank::Word,
                    ..atom
                });
                rest = &rest[end..];
            }
        }
    }

    fn prose(&mut self, line: &'a Line) {
        let sentences = sentence_starts(line);
        let mut space = "";
        let mut at = 0;
        for run in &line.runs {
            let atom = Atom {
                style: run.style,
                link: run.link.as_deref(),
                ..blank(line)
            };
            let mut rest = run.text.as_str();
            while !rest.is_empty() {
                let spaces = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
                if spaces > 0 {
                    if !space.is_empty() {
                        // Two runs meet with white space on both sides: the former is a piece of its own.
                        self.push(Atom { text: space, ..atom });
                    }
                    space = &rest[..spaces];
                    rest = &rest[spaces..];
                    at += spaces;
                }
                let word = rest.find(is_space).unwrap_or(rest.len());
                if word > 0 {
                    self.word(
                        Atom {
                            space: std::mem::take(&mut space),
                            text: &rest[..word],
                            ..atom
                        },
                        at,
                        &sentences,
                    );
                    rest = &rest[word..];
                    at += word;
                }
            }
        }
    }

    /// A word that starts at byte `at` of its line. A script without spaces has its sentences inside "words".
    fn word(&mut self, word: Atom<'a>, at: usize, sentences: &BTreeSet<usize>) {
        let rank = match (word.space.is_empty(), sentences.contains(&at)) {
            (true, _) => Rank::Glyph,
            (false, true) => Rank::Sentence,
            (false, false) => Rank::Word,
        };
        let space = if self.length.unit.len(word.space) > self.room {
            " "
        } else {
            word.space
        };
        let mut piece = Atom { space, rank, ..word };
        let mut from = 0;
        for start in sentences
            .range(at + 1..at + word.text.len())
            .map(|start| start - at)
        {
            if word.text[..start].ends_with(|c: char| !c.is_ascii()) {
                self.push(Atom {
                    text: &word.text[from..start],
                    ..piece
                });
                piece = Atom {
                    space: "",
                    rank: Rank::Sentence,
                    ..word
                };
                from = start;
            }
        }
        self.push(Atom {
            text: &word.text[from..],
            ..piece
        });
    }

    /// Takes a piece apart that is too long: between graphemes, and inside one only if it alone is too long.
    fn push(&mut self, mut atom: Atom<'a>) {
        let code = atom.line.verbatim || atom.style.code;
        let escape = self.dialect.escape_for(code, atom.link.is_some());
        let (unit, room) = (self.length.unit, self.room);
        let measure = |text: &str| unit.len(&escape(text));
        let mut from = 0;
        let mut taken = 0;
        for (start, glyph) in glyphs(atom.text, |glyph| measure(glyph) > room) {
            let len = measure(glyph);
            if start > from && taken + len > room {
                self.atoms.push(Atom {
                    text: &atom.text[from..start],
                    ..atom
                });
                (atom.space, atom.rank) = ("", Rank::Glyph);
                (from, taken) = (start, 0);
            }
            taken += len;
        }
        self.atoms.push(Atom {
            text: &atom.text[from..],
            ..atom
        });
    }
}

fn blank(line: &Line) -> Atom<'_> {
    Atom {
        line,
        starts: false,
        space: "",
        text: "",
        style: Style::default(),
        link: None,
        rank: Rank::Glyph,
    }
}

/// White space at which a line may end: the kinds that forbid it are letters to us.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Where sentences start, as byte offsets in the text of the whole line.
fn sentence_starts(line: &Line) -> BTreeSet<usize> {
    let text: String = line.runs.iter().map(|run| run.text.as_str()).collect();
    text.split_sentence_bound_indices()
        .map(|(start, _)| start)
        .collect()
}

/// Graphemes with their offsets; the ones that are `too_long` as single characters.
fn glyphs(text: &str, too_long: impl Fn(&str) -> bool) -> impl Iterator<Item = (usize, &str)> {
    text.grapheme_indices(true).flat_map(move |(at, glyph)| {
        let whole = !too_long(glyph);
        let single = glyph
            .char_indices()
            .map(move |(i, c)| (at + i, &glyph[i..i + c.len_utf8()]));
        whole
            .then_some((at, glyph))
            .into_iter()
            .chain(single.filter(move |_| !whole))
    })
}
