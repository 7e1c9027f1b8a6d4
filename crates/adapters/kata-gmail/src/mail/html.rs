//! HTML as text.
//!
//! Whoever writes HTML chooses what reading it costs: a parser's work grows with the square of the depth, and what stays open
//! is copied into each paragraph. So what is beyond any mail that people write is read by a simpler reader, whose work is the
//! length of what it reads. What a person does not see is not shown to an agent either: it is there for machines, and nobody
//! who looks at the mail could say where an agent got it from.

use std::panic;

use html2text::{Element, Handle, RcDom, config};
use mail_parser::decoders::html::html_to_text;

/// HTML that is larger is read up to here: marketing mail carries megabytes of it. Bytes.
const LONGEST: usize = 512 << 10;
/// With more tags it is none that a person wrote. A long thread of Outlook's has a few thousand.
const MOST_TAGS: usize = 10_000;
/// One tag has no more attributes.
const MOST_ATTRIBUTES: usize = 3_000;
/// The width that HTML is laid out for. It wraps tables; a paragraph is one line.
const WIDTH: usize = 10_000;
/// What stays open over the end of a paragraph is opened again in the next (<https://html.spec.whatwg.org/#formatting>). None of
/// them means anything in plain text.
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// HTML, read.
pub(super) struct Readable {
    pub(super) text: String,
    /// What of it is not as a reader sees it.
    pub(super) note: Option<&'static str>,
}

/// Quotes as `> `, lists as lists, links as their text, nothing of styles and pictures, and nothing that is hidden.
pub(super) fn readable(html: &str) -> Readable {
    let html = &html[..super::body::floor(html, LONGEST)];
    // A library that meets a mail which nobody thought of must not end the reading of all others.
    let laid_out = || panic::catch_unwind(|| laid_out(html)).ok().flatten();
    if let Some(readable) = is_plain(html).then(laid_out).flatten() {
        return readable;
    }
    Readable {
        text: html_to_text(html),
        note: Some("[this mail is unusual HTML: what it hides from readers may stand here too]"),
    }
}

fn laid_out(html: &str) -> Option<Readable> {
    let config = config::plain_no_decorate()
        .allow_width_overflow()
        .no_table_borders();
    let dom = config.parse_html(without_formatting(html).as_bytes()).ok()?;
    let has_hidden = leave_out_hidden(&dom);
    let tree = config.dom_to_render_tree(&dom).ok()?;
    let text = config.render_to_string(tree, WIDTH).ok()?;
    Some(Readable {
        text,
        note: has_hidden.then_some("[what this mail hides from readers is left out]"),
    })
}

/// Whether it is small enough to be parsed, whatever is in it.
fn is_plain(html: &str) -> bool {
    let starts = |text: &str| {
        text.as_bytes()
            .windows(2)
            .filter(|pair| pair[0] == b'<' && pair[1].is_ascii_alphabetic())
            .count()
    };
    // A name that is given twice is looked for among all of its tag's.
    let attributes = |piece: &str| {
        let tag = piece.find('<').map_or("", |at| &piece[at..]);
        tag.bytes()
            .filter(|b| b.is_ascii_whitespace() || *b == b'/')
            .count()
    };
    starts(html) <= MOST_TAGS && html.split('>').all(|piece| attributes(piece) <= MOST_ATTRIBUTES)
}

fn without_formatting(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + 1024);
    let mut pieces = html.split('<');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push('<');
        let rest = match piece.strip_prefix('/') {
            Some(rest) => {
                out.push('/');
                rest
            }
            None => piece,
        };
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')
            .unwrap_or(rest.len());
        let name = &rest[..end];
        match FORMATTING.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            true => out.push_str("span"),
            false => out.push_str(name),
        }
        out.push_str(&rest[end..]);
    }
    out
}

/// Takes out what no reader sees. What a style sheet hides by a class is not known here.
fn leave_out_hidden(dom: &RcDom) -> bool {
    let mut found = false;
    let mut to_do = vec![(dom.document.clone(), false)];
    while let Some((node, is_tiny)) = to_do.pop() {
        node.children.borrow_mut().retain(|child| {
            let Element { .. } = &child.data else {
                // Text of no size; a child may have a size of its own again.
                return !is_tiny;
            };
            without_sizes(child);
            let look = Look::of(child);
            let has_text = !child.children.borrow().is_empty();
            found |= has_text && (look.is_hidden || look.is_tiny == Some(true));
            to_do.push((child.clone(), look.is_tiny.unwrap_or(is_tiny)));
            if look.is_hidden {
                to_do.pop();
            }
            !look.is_hidden
        });
    }
    found
}

/// A table's cells may claim to be a million columns wide, and a list to begin at the last number there is.
fn without_sizes(element: &Handle) {
    if let Element { attrs, .. } = &element.data {
        attrs
            .borrow_mut()
            .retain(|attr| !matches!(&*attr.name.local, "colspan" | "rowspan" | "start" | "value"));
    }
}

/// How an element looks, by its own attributes.
#[derive(Default)]
struct Look {
    is_hidden: bool,
    /// None: as what it stands in.
    is_tiny: Option<bool>,
}

// === impl Look ===

impl Look {
    fn of(element: &Handle) -> Self {
        let Element { attrs, .. } = &element.data else {
            return Self::default();
        };
        let attrs = attrs.borrow();
        let mut look = Self::default();
        for attr in attrs.iter() {
            match &*attr.name.local {
                "hidden" => look.is_hidden = true,
                "style" => look.read(&attr.value),
                _ => {}
            }
        }
        look
    }

    fn read(&mut self, style: &str) {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
        let style = style.to_ascii_lowercase().replace("!important", "");
        let (mut is_flat, mut is_cut) = (false, false);
        for (name, value) in style.split(';').filter_map(|one| one.split_once(':')) {
            match (name, value) {
                ("display", "none") | ("visibility", "hidden" | "collapse") | ("mso-hide", "all") => {
                    self.is_hidden = true;
                }
                ("opacity", _) => self.is_hidden |= number(value) == Some(0.0),
                ("font-size", _) => self.is_tiny = Some(is_tiny(value)),
                ("font", _) => self.is_tiny = value.starts_with("0/").then_some(true).or(self.is_tiny),
                ("color", "transparent") => self.is_hidden = true,
                ("max-height" | "height" | "max-width" | "width", _) => is_flat |= number(value) == Some(0.0),
                ("overflow", "hidden") => is_cut = true,
                ("text-indent" | "left" | "top" | "margin-left", _) => {
                    self.is_hidden |= number(value).is_some_and(|at| at < -900.0);
                }
                _ => {}
            }
        }
        self.is_hidden |= is_flat && is_cut;
    }
}

/// Nobody reads letters of two pixels.
fn is_tiny(size: &str) -> bool {
    let most = if size.ends_with("px") || size.ends_with("pt") {
        2.0
    } else {
        0.0
    };
    number(size).is_some_and(|size| size <= most)
}

/// The number that a value begins with.
fn number(value: &str) -> Option<f32> {
    let end = value
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-')
        .unwrap_or(value.len());
    value[..end].parse().ok()
}
