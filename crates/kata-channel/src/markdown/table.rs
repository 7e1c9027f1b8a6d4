//! A table as aligned lines of text: no chat platform shows tables, all of them show code in one width.

use pulldown_cmark::Alignment;
use unicode_width::UnicodeWidthStr;

/// Columns are aligned up to this width; a wider cell juts out, rather than pad all others to its width.
const WIDEST: usize = 48;

/// A table that is being read.
#[derive(Debug)]
pub(super) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
}

// === impl Table ===

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self {
            alignments,
            rows: Vec::new(),
        }
    }

    pub(super) fn open_row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn push_cell(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.push(text.trim().to_owned());
        }
    }

    /// The head, a line under it, the rows.
    pub(super) fn into_lines(self) -> Vec<String> {
        let widths = self.widths();
        let rule = widths
            .iter()
            .map(|w| "-".repeat(*w))
            .collect::<Vec<_>>()
            .join("-|-");
        let mut lines: Vec<String> = self.rows.iter().map(|row| self.row(row, &widths)).collect();
        lines.insert(lines.len().min(1), rule);
        lines
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells
                    .map(|cell| cell.width())
                    .filter(|w| *w <= WIDEST)
                    .max()
                    .unwrap_or(0)
                    .max(1)
            })
            .collect()
    }

    fn row(&self, cells: &[String], widths: &[usize]) -> String {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                pad(
                    cell,
                    *width,
                    self.alignments.get(column).copied().unwrap_or(Alignment::None),
                )
            })
            .collect();
        padded.join(" | ").trim_end().to_owned()
    }
}

/// Pads by what a reader sees: a CJK character is two columns wide, a combining mark none.
fn pad(cell: &str, width: usize, alignment: Alignment) -> String {
    let room = width.saturating_sub(cell.width());
    let left = match alignment {
        Alignment::None | Alignment::Left => 0,
        Alignment::Center => room / 2,
        Alignment::Right => room,
    };
    format!("{}{cell}{}", " ".repeat(left), " ".repeat(room - left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(alignments: Vec<Alignment>, rows: &[&[&str]]) -> String {
        let mut table = Table::new(alignments);
        for row in rows {
            table.open_row();
            row.iter().for_each(|cell| table.push_cell(cell));
        }
        table.into_lines().join("\n")
    }

    #[test]
    fn columns_are_aligned_by_what_a_reader_sees() {
        let text = table(
            vec![Alignment::Left, Alignment::Right, Alignment::Center],
            &[
                &["name", "count", "state"],
                &["重点", "7", "ok"],
                &["e\u{301}", "1234567", "x"],
            ],
        );
        insta::assert_snapshot!(text, @r"
        name |   count | state
        -----|---------|------
        重点 |       7 |  ok
        é    | 1234567 |   x
        ");
    }

    #[test]
    fn one_wide_cell_does_not_pad_the_others_to_its_width() {
        let wide = "w".repeat(WIDEST + 1);
        let text = table(vec![Alignment::None; 2], &[&["a", "b"], &[&wide, "c"]]);
        assert_eq!(text, format!("a | b\n--|--\n{wide} | c"));
    }
}
