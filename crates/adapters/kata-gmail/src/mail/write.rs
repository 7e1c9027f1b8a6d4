//! Mail on its way out: an answer in Markdown becomes plain text and HTML, in the thread that it answers.

use kata_channel::{
    Length, Timestamp, Unit,
    markdown::{Dialect, render},
};
use mail_builder::{
    MessageBuilder,
    headers::{HeaderType, address::Address, message_id::MessageId, raw::Raw},
};
use pulldown_cmark::{Event, Options, Parser, html};
use sha2::{Digest as _, Sha256};

use super::{Mail, Person};

/// Under this header our mail carries the key of its answer, for the read-back: Gmail may put a Message-ID of its own in
/// place of ours (D20).
pub(crate) const KEY_HEADER: &str = "X-Kata-Key";
/// RFC 3834: a machine answers.
const AUTO_REPLIED: &str = "auto-replied";

/// The mail that is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) subject: String,
    pub(crate) message_id: Option<String>,
    pub(crate) references: Vec<String>,
}

/// A mail to be written.
#[derive(Clone, Debug)]
pub(crate) struct Letter<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a [Person],
    pub(crate) cc: &'a [Person],
    pub(crate) bcc: &'a [Person],
    /// None: that of the mail that is answered.
    pub(crate) subject: Option<&'a str>,
    pub(crate) answers: Option<&'a Answered>,
    pub(crate) markdown: &'a str,
    /// Its name for ever.
    pub(crate) key: &'a str,
    pub(crate) date: Timestamp,
}

// === impl Answered ===

impl From<&Mail> for Answered {
    fn from(mail: &Mail) -> Self {
        Self {
            subject: mail.subject.clone(),
            message_id: mail.message_id.clone(),
            references: mail.references.clone(),
        }
    }
}

// === impl Letter ===

impl Letter<'_> {
    /// The mail as it is sent.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut mail = MessageBuilder::new()
            .from(Address::new_address(None::<&str>, self.from))
            .date(self.date.as_millis().div_euclid(1000))
            .message_id(message_id(self.key, self.from))
            .subject(self.subject_line())
            .header("Auto-Submitted", HeaderType::from(Raw::new(AUTO_REPLIED)))
            .header(KEY_HEADER, HeaderType::from(Raw::new(one_line(self.key))))
            .text_body(as_text(self.markdown))
            .html_body(as_html(self.markdown));
        if !self.to.is_empty() {
            mail = mail.to(list(self.to));
        }
        if !self.cc.is_empty() {
            mail = mail.cc(list(self.cc));
        }
        if !self.bcc.is_empty() {
            mail = mail.bcc(list(self.bcc));
        }
        if let Some((last, before)) = self
            .answers
            .and_then(|it| Some((it.message_id.as_deref()?, &it.references)))
        {
            let chain = before
                .iter()
                .map(String::as_str)
                .filter(|id| *id != last)
                .chain([last]);
            mail = mail
                .in_reply_to(MessageId::new(last))
                .references(MessageId::new_list(chain));
        }
        mail.write_to_vec().expect("writing into memory does not fail")
    }

    fn subject_line(&self) -> String {
        let answered = self.answers.map(|answered| one_line(&answered.subject));
        match (self.subject, answered) {
            (Some(subject), _) => one_line(subject),
            (None, Some(subject)) if begins_with_re(&subject) => subject,
            (None, Some(subject)) => format!("Re: {subject}").trim_end().to_owned(),
            (None, None) => String::new(),
        }
    }
}

/// The Message-ID of the answer with this key: the same for ever, whoever asks (D20).
pub(crate) fn message_id(key: &str, from: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let hex: String = digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    let domain = from.rsplit_once('@').map_or("kata.invalid", |(_, domain)| domain);
    format!("kata.{hex}@{domain}")
}

/// A Message-ID that can stand in a header, without its brackets.
pub(super) fn id(said: &str) -> Option<String> {
    let id = said.trim().trim_start_matches('<').trim_end_matches('>');
    let is_one = !id.is_empty()
        && id.len() <= 500
        && id
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"<>(),;:\"\\".contains(&b) || b == b':');
    is_one.then(|| id.to_owned())
}

/// Text without line ends and other controls: nothing that a mail says begins a header of ours.
pub(crate) fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.trim().to_owned()
}

fn begins_with_re(subject: &str) -> bool {
    let head: String = subject.chars().take(3).collect();
    head.eq_ignore_ascii_case("re:")
}

fn list(people: &[Person]) -> Address<'_> {
    let addresses = people
        .iter()
        .map(|person| Address::new_address(person.name.as_deref(), &*person.address));
    Address::new_list(addresses.collect())
}

/// As somebody reads it whose program shows no HTML.
fn as_text(markdown: &str) -> String {
    let whole = Length {
        unit: Unit::Bytes,
        limit: usize::MAX,
    };
    let mut text = render(markdown, &Dialect::PLAIN, whole).join("\n\n");
    text.push('\n');
    text
}

/// HTML that an agent writes is shown as it was written: it is text, and no program's to run.
fn as_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        // In a chat, and in a mail, a line that somebody ends is a line.
        Event::SoftBreak => Event::HardBreak,
        other => other,
    });
    let mut out = String::from("<html><body>\n");
    html::push_html(&mut out, events);
    out.push_str("</body></html>\n");
    out
}
