//! Mail as it is: parsed, judged, folded for a reader, and written. Pure: nothing in here asks anybody.

mod automatic;
mod body;
mod fold;
mod html;
mod list;
mod proof;
mod skeleton;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod ugly;
mod write;

use mail_parser::{Addr, Address, HeaderName, HeaderValue, Message, MessageParser};

pub(crate) use self::{
    list::Listed,
    proof::Proof,
    skeleton::skeleton,
    write::{Answered, KEY_HEADER, Letter, message_id, one_line},
};

/// A subject is shown up to this length. Characters.
const SUBJECT: usize = 500;
/// So many earlier mails are named in an answer: mail programs thread by the first and the last ones.
const REFERENCES: usize = 20;
/// So many recipients of a mail are read.
const RECIPIENTS: usize = 100;

/// Somebody in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// The display name. Untrusted text.
    pub(crate) name: Option<String>,
    /// The address, in lower case.
    pub(crate) address: String,
}

/// A mail, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    /// Who wrote it, as it says itself. None where that is nobody, or more than one.
    pub(crate) from: Option<Person>,
    /// Where answers go.
    pub(crate) reply_to: Option<Person>,
    pub(crate) to: Vec<Person>,
    pub(crate) cc: Vec<Person>,
    pub(crate) subject: String,
    /// Without its angle brackets, as all ids here.
    pub(crate) message_id: Option<String>,
    pub(crate) references: Vec<String>,
    /// What of it says that no person wrote it.
    pub(crate) automatic: Option<&'static str>,
    /// Whether its sender is who it says.
    pub(crate) proof: Proof,
    /// The key of the answer that it is, for one that we wrote.
    pub(crate) key: Option<String>,
    /// What a reader sees of it, with history and signature folded.
    pub(crate) text: String,
    pub(crate) attachments: Vec<Listed>,
}

/// It is no mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no mail: it has no header")]
pub(crate) struct NoMail;

// === impl Mail ===

impl Mail {
    /// Reads a mail as it was sent.
    ///
    /// # Errors
    /// It has no header.
    pub(crate) fn parse(raw: &[u8]) -> Result<Self, NoMail> {
        let message = MessageParser::default().parse(raw).ok_or(NoMail)?;
        if message.headers().is_empty() {
            return Err(NoMail);
        }
        let from = only(&people(message.from()));
        let attachments = list::attachments(&message);
        let (text, note) = body::of(&message);
        let mut text = fold::fold(&text);
        if let Some(note) = note {
            text.push_str(&format!("\n\n{note}"));
        }
        Ok(Self {
            reply_to: people(message.reply_to()).into_iter().next(),
            to: people(message.to()),
            cc: people(message.cc()),
            subject: short(&one_line(message.subject().unwrap_or_default()), SUBJECT),
            message_id: message.message_id().and_then(write::id),
            references: references(&message),
            automatic: automatic::sign_of(&message, from.as_ref()),
            proof: from
                .as_ref()
                .map_or(Proof::Refuted, |from| proof::of(&message, from)),
            key: raw_header(&message, KEY_HEADER).next().map(str::to_owned),
            text,
            attachments,
            from,
        })
    }

    /// Where an answer goes.
    pub(crate) fn answer_to(&self) -> Option<&Person> {
        self.reply_to.as_ref().or(self.from.as_ref())
    }

    /// The mail as an agent reads it.
    pub(crate) fn readable(&self) -> String {
        let mut readable = format!("Subject: {}\n\n{}", self.subject, self.text);
        if !self.attachments.is_empty() {
            let all: Vec<_> = self.attachments.iter().map(Listed::to_string).collect();
            readable.push_str(&format!("\n\n[attachments: {}]", all.join("; ")));
        }
        readable
    }
}

fn only(people: &[Person]) -> Option<Person> {
    match people {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn people(of: Option<&Address<'_>>) -> Vec<Person> {
    of.map(|all| all.iter().filter_map(person).take(RECIPIENTS).collect())
        .unwrap_or_default()
}

fn person(addr: &Addr<'_>) -> Option<Person> {
    let address = addr.address()?.trim().to_lowercase();
    let is_one = address
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;".contains(c));
    is_one.then(|| Person {
        name: addr.name().map(one_line).filter(|name| !name.is_empty()),
        address,
    })
}

/// The mails before this one, the oldest first.
fn references(message: &Message<'_>) -> Vec<String> {
    let listed = match message.references() {
        HeaderValue::Empty => message.in_reply_to(),
        some => some,
    };
    let ids: Vec<String> = match listed {
        HeaderValue::Text(id) => write::id(id).into_iter().collect(),
        HeaderValue::TextList(ids) => ids.iter().filter_map(|id| write::id(id)).collect(),
        _ => Vec::new(),
    };
    // The first one names the thread, the last ones the branch.
    match ids.len().checked_sub(REFERENCES) {
        Some(over) if over > 0 => {
            let (first, rest) = ids.split_at(1);
            [first, &rest[over..]].concat()
        }
        _ => ids,
    }
}

/// A header as it was sent, each time that it stands there, from the top. One that is not UTF-8 is passed over.
fn raw_header<'m>(message: &'m Message<'_>, name: &str) -> impl Iterator<Item = &'m str> {
    let name = HeaderName::parse(name.to_owned());
    let headers = message.headers().iter();
    headers
        .filter(move |header| Some(&header.name) == name.as_ref())
        .filter_map(|header| {
            let raw = message
                .raw_message
                .get(header.offset_start as usize..header.offset_end as usize)?;
            std::str::from_utf8(raw).ok().map(str::trim)
        })
}

fn short(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
