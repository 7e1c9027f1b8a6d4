//! Chooses where an answer is split: as late as the limit allows, at the best place in the later half of the part.

use super::{
    Dialect,
    atom::{Atom, atoms},
    line::{Line, Rank, Style},
    write::Writer,
};
use crate::adapter::Length;

/// Writes `lines` as parts of at most `length`.
pub(super) fn parts(lines: &[Line], dialect: &Dialect, length: Length) -> Vec<String> {
    let atoms = atoms(lines, dialect, length);
    let mut rest = atoms.as_slice();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, left) = rest.split_at(fitting(rest, dialect, length));
        let text = write(part, dialect, length);
        if !text.trim().is_empty() {
            parts.push(text);
        }
        rest = left;
    }
    parts
}

/// How many pieces make the next part: at least one.
fn fitting(atoms: &[Atom<'_>], dialect: &Dialect, length: Length) -> usize {
    let mut writer = Writer::new(dialect, length.unit);
    // The last good place of each rank.
    let mut places = [None; Rank::BEST_FIRST.len()];
    for (i, atom) in atoms.iter().enumerate() {
        if i > 0 && writer.len() >= length.limit / 2 {
            places[atom.rank as usize] = Some(i);
        }
        writer.push(*atom);
        if writer.len() > length.limit {
            let best = Rank::BEST_FIRST
                .into_iter()
                .find_map(|rank| places[rank as usize]);
            return best.unwrap_or(i).max(1);
        }
    }
    atoms.len()
}

fn write(atoms: &[Atom<'_>], dialect: &Dialect, length: Length) -> String {
    let mut writer = Writer::new(dialect, length.unit);
    for atom in atoms {
        writer.push(*atom);
    }
    if let ([atom], true) = (atoms, writer.len() > length.limit) {
        // Its marks alone leave it no room: text goes before looks.
        writer = Writer::new(dialect, length.unit);
        writer.push(Atom {
            style: Style::default(),
            ..*atom
        });
    }
    writer.finish()
}
