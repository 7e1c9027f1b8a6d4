//! What stands between brackets.

use super::{
    escape::{Escape, Set},
    translate::{Groups, Reason, Source, quoted},
};

#[derive(Clone, Copy)]
enum Member {
    Char(char),
    Set(Set),
}

/// Translates a class; its opening bracket is already taken.
pub(super) fn translate(source: &mut Source<'_>, groups: &Groups) -> Result<String, Reason> {
    let negated = source.take("^");
    let mut members = String::new();
    while let Some(first) = member(source, groups)? {
        // A dash at the end stands for itself.
        if source.peek(0) != Some('-') || source.peek(1) == Some(']') {
            push(&mut members, first);
            continue;
        }
        source.next();
        let last = member(source, groups)?.ok_or("a class has no end")?;
        range(&mut members, first, last)?;
    }
    Ok(match (negated, members.is_empty()) {
        // `[]` matches nothing, `[^]` anything.
        (false, true) => r"[^\x{0}-\x{10FFFF}]".to_owned(),
        (true, true) => r"[\x{0}-\x{10FFFF}]".to_owned(),
        (false, false) => format!("[{members}]"),
        (true, false) => format!("[^{members}]"),
    })
}

/// The next member; none at the closing bracket, which is taken.
fn member(source: &mut Source<'_>, groups: &Groups) -> Result<Option<Member>, Reason> {
    let member = match source.next().ok_or("a class has no end")? {
        ']' => return Ok(None),
        '\\' if source.take("b") => Member::Char('\u{8}'),
        '\\' => match Escape::read_in_class(source, groups)? {
            Escape::Set(set) => Member::Set(set),
            Escape::Char(c) => Member::Char(c),
            Escape::Boundary | Escape::NoBoundary | Escape::Group(_) | Escape::NamedGroup => {
                return Err("it has a bad escape in a class");
            }
        },
        c => Member::Char(c),
    };
    Ok(Some(member))
}

fn range(members: &mut String, first: Member, last: Member) -> Result<(), Reason> {
    match (first, last) {
        (Member::Char(first), Member::Char(last)) if first > last => {
            Err("a range in a class is in the wrong order")
        }
        (Member::Char(first), Member::Char(last)) => {
            members.push_str(&format!("{}-{}", quoted(first), quoted(last)));
            Ok(())
        }
        // With a set at either end there is no range, and the dash stands for itself (Annex B).
        (first, last) => {
            [first, Member::Char('-'), last]
                .into_iter()
                .for_each(|member| push(members, member));
            Ok(())
        }
    }
}

fn push(members: &mut String, member: Member) {
    match member {
        Member::Char(c) => members.push_str(&quoted(c)),
        Member::Set(set) => members.push_str(set.class()),
    }
}
