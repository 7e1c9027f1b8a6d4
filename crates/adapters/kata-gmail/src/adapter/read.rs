//! From Gmail's words to ours.

use google_gmail1::api::Message;
use kata_channel::{
    Disposition, Inbound, Kind, MessageId, OrderKey, Place, Role, Sender, SenderId, Text, Timestamp,
};
use serde_json::{Map, Value, json};

use crate::{
    desk::Desk,
    errors::CallError,
    mail::{Mail, NoMail, Proof, skeleton},
};

/// Under this name the metadata says which mail thread it is.
pub(super) const THREAD: &str = "gmailThread";
/// Under this name the metadata says where an answer goes.
pub(super) const ANSWER_TO: &str = "answerTo";

/// What became of a mail that was to be read.
pub(super) enum Read {
    Ours(Box<Inbound>),
    /// The query does not choose it, but may once Gmail's search knows it.
    Late(String),
    /// It is gone, unreadable, or not for this channel.
    Nothing,
}

/// Mails that were read.
#[derive(Default)]
pub(super) struct Mails {
    pub(super) ours: Vec<Inbound>,
    pub(super) late: Vec<String>,
}

/// The text of a mail that is too odd to be read.
const UNTOLD: &str = "[the parts of this mail are nested too deeply to be read]";

/// A message as a mail. Gmail tells its structure with the texts; attachments are named and not fetched.
pub(crate) fn mail_of(message: &Message) -> Result<Mail, NoMail> {
    Mail::parse(&skeleton(message.payload.as_ref().ok_or(NoMail)?))
}

/// A mail with its message. One that cannot be told with its structure is read from its head.
pub(crate) async fn fetch(desk: &Desk, id: &str) -> Result<(Message, Result<Mail, NoMail>), CallError> {
    let api = &desk.mailbox.api;
    match api.message(id, "full").await {
        Err(CallError::Unreadable) => {
            let message = api.message(id, "metadata").await?;
            let mail = mail_of(&message).map(|mail| Mail {
                text: UNTOLD.into(),
                ..mail
            });
            Ok((message, mail))
        }
        message => message.map(|message| {
            let mail = mail_of(&message);
            (message, mail)
        }),
    }
}

/// A mail as it walks into the daemon. `me` = the mailbox's own address.
pub(super) fn inbound(desk: &Desk, me: &str, message: &Message, mail: Mail) -> Option<Inbound> {
    let thread = message.thread_id.clone()?;
    let sent_at = Timestamp::from_millis(message.internal_date?);
    let place = Place {
        thread: Some(thread.clone().into()),
        ..desk.place()
    };
    let readable = mail.readable();
    Some(Inbound {
        channel: desk.key.clone(),
        place,
        id: MessageId::new(message.id.clone()?),
        order: OrderKey(sent_at.as_millis()),
        kind: Kind::Message,
        sender: sender(desk, me, &mail),
        text: Text {
            // A pattern may be anchored to the text: the subject stands before it in the other two.
            raw: mail.text.clone(),
            readable: readable.clone(),
            prompt: readable,
        },
        mentions_us: true,
        is_direct: true,
        sent_at,
        attachments: Vec::new(),
        metadata: metadata(&thread, &mail),
        role: Role::Stranger,
        disposition: disposition(desk, &mail),
        not_before: None,
    })
}

/// The owner of the mailbox has put a mail away. Gmail does not say when; whatever waits of it is withdrawn.
pub(super) fn taken_back(desk: &Desk, message: &Message) -> Option<Inbound> {
    let sent_at = Timestamp::from_millis(message.internal_date?);
    Some(Inbound {
        channel: desk.key.clone(),
        place: Place {
            thread: Some(message.thread_id.clone()?.into()),
            ..desk.place()
        },
        id: MessageId::new(message.id.clone()?),
        order: OrderKey(sent_at.as_millis()),
        kind: Kind::Deletion,
        sender: Sender {
            id: SenderId::new("nobody"),
            name: None,
            is_bot: false,
            is_self: false,
        },
        text: Text::default(),
        mentions_us: false,
        is_direct: false,
        sent_at,
        attachments: Vec::new(),
        metadata: Map::new(),
        role: Role::Stranger,
        disposition: Disposition::Turn,
        not_before: None,
    })
}

fn sender(desk: &Desk, me: &str, mail: &Mail) -> Sender {
    let address = mail.from.as_ref().map_or("nobody", |from| &from.address);
    // Only a proven address is one that `owners` and `senders` can name.
    let id = match mail.proof {
        Proof::Proven => address.to_owned(),
        Proof::Unproven => format!("unverified:{address}"),
        Proof::Refuted => format!("forged:{address}"),
    };
    Sender {
        id: SenderId::new(id),
        name: mail.from.as_ref().and_then(|from| from.name.clone()),
        is_bot: mail.automatic.is_some() && !desk.mail.automatic,
        is_self: address == me || mail.key.is_some(),
    }
}

fn disposition(desk: &Desk, mail: &Mail) -> Disposition {
    if mail.proof == Proof::Refuted {
        return Disposition::Refused("its sender is not who it says");
    }
    match mail.automatic {
        Some(_) if !desk.mail.automatic => Disposition::Refused("no person wrote it"),
        _ => Disposition::Turn,
    }
}

fn metadata(thread: &str, mail: &Mail) -> Map<String, Value> {
    let to: Vec<&str> = mail.to.iter().map(|person| &*person.address).collect();
    let cc: Vec<&str> = mail.cc.iter().map(|person| &*person.address).collect();
    let mut metadata = Map::new();
    metadata.insert(THREAD.into(), thread.into());
    metadata.insert("subject".into(), mail.subject.clone().into());
    metadata.insert("to".into(), json!(to));
    if let Some(person) = mail.answer_to() {
        metadata.insert(ANSWER_TO.into(), person.address.clone().into());
    }
    if !cc.is_empty() {
        metadata.insert("cc".into(), json!(cc));
    }
    metadata.insert("verified".into(), (mail.proof == Proof::Proven).into());
    metadata
}
