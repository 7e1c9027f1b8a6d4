use kata_channel::Timestamp;
use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        Mail::parse(include_bytes!(concat!("../../tests/fixtures/", $name, ".eml"))).unwrap()
    };
}

#[test]
fn charsets_and_encoded_words_are_read() {
    let mail = fixture!("latin1");
    assert_eq!(mail.from.as_ref().unwrap().name.as_deref(), Some("André Müller"));
    assert_eq!(mail.from.as_ref().unwrap().address, "andre@example.org");
    assert_eq!(mail.subject, "Rückfrage zum Angebot 😀");
    assert!(mail.text.starts_with("Grüße aus Köln"), "{}", mail.text);
    assert_eq!(mail.references, ["a@example.org", "b@example.org"]);
    let mail = fixture!("koi8");
    assert_eq!((&*mail.subject, &*mail.text), ("Вопрос", "Привет, как дела?"));
    let mail = fixture!("jis");
    assert_eq!((&*mail.subject, &*mail.text), ("質問", "こんにちは、世界。"));
    let mail = fixture!("unlabelled");
    assert!(mail.text.starts_with("Caf"), "{}", mail.text);
}

#[test]
fn html_is_read_as_its_text() {
    let mail = fixture!("newsletter");
    assert!(
        mail.text.contains("half price") && mail.text.contains("today"),
        "{}",
        mail.text
    );
    assert!(!mail.text.contains("alert") && !mail.text.contains("color") && !mail.text.contains('<'));
}

#[test]
fn what_is_new_is_kept_and_the_rest_is_folded() {
    let mail = fixture!("outlook");
    assert!(mail.text.starts_with("We take it – thanks."), "{}", mail.text);
    assert!(
        !mail.text.contains("Dear Ada") && !mail.text.contains("Analytical"),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains("[earlier mail:") && mail.text.contains("[signature:"),
        "{}",
        mail.text
    );
    assert_eq!(mail.attachments, [], "a picture in the text is none");
    assert_eq!(mail.references, ["kata.1@example.com"]);
}

#[test]
fn quotes_are_folded_by_where_they_stand() {
    for (text, expect) in [
        (
            "Yes.\n\nOn Tue, 24 Nov 2026, Kata <kata@example.com> wrote:\n> a\n> b\n",
            "Yes.\n\n[earlier mail: 2 lines left out]",
        ),
        ("> when?\n\nAt ten.", "> when?\n\nAt ten."),
        ("> 1\n> 2\n> 3\n> 4\n> 5\n\nNo.", "[5 quoted lines]\n\nNo."),
        ("> only\n> this", "> only\n> this"),
        ("Hi\n--\nAda\n", "Hi\n\n[signature: 1 lines left out]"),
        (
            "I say this:\n> x\n",
            "I say this:\n\n[earlier mail: 1 lines left out]",
        ),
        ("", ""),
    ] {
        assert_eq!(fold::fold(text), expect, "{text:?}");
    }
}

#[test]
fn forty_levels_of_quotes_are_one_line() {
    let history: String = (1..=40)
        .map(|level| format!("{} level {level}\n", ">".repeat(level)))
        .collect();
    let raw = format!("From: a@example.org\nSubject: s\n\nNew.\n\n{history}");
    let mail = Mail::parse(raw.as_bytes()).unwrap();
    assert_eq!(mail.text, "New.\n\n[earlier mail: 40 lines left out]");
    let nested = "<blockquote>".repeat(400) + "deep" + &"</blockquote>".repeat(400);
    let raw = format!("From: a@example.org\nContent-Type: text/html\n\n<p>New.</p>{nested}");
    assert!(Mail::parse(raw.as_bytes()).unwrap().text.starts_with("New."));
}

#[test]
fn attachments_are_listed_and_not_opened() {
    let mail = fixture!("winmail");
    assert_eq!(mail.text, "See you at ten.");
    assert_eq!(
        mail.attachments,
        [Listed {
            name: "winmail.dat".into(),
            mime_type: "application/ms-tnef".into(),
            size: 204
        }]
    );
    assert!(
        mail.readable()
            .ends_with("[attachments: winmail.dat (application/ms-tnef, 204 bytes)]")
    );
}

#[test]
fn twenty_five_megabytes_are_listed() {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let mut raw = String::from(
        "From: a@example.org\r\nSubject: big\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee the file.\r\n\
         --x\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    while raw.len() < 34_000_000 {
        raw.push_str(&line);
    }
    raw.push_str("--x--\r\n");
    let mail = Mail::parse(raw.as_bytes()).unwrap();
    assert_eq!(mail.text, "See the file.");
    assert!(mail.attachments[0].size > 24_000_000, "{:?}", mail.attachments);
}

#[test]
fn a_large_mail_is_read_from_its_structure() {
    use google_gmail1::api::{MessagePart, MessagePartBody, MessagePartHeader};
    let header = |name: &str, value: &str| MessagePartHeader {
        name: Some(name.into()),
        value: Some(value.into()),
    };
    let root = MessagePart {
        mime_type: Some("multipart/mixed".into()),
        headers: Some(vec![
            header("From", "Ada <ada@example.org>"),
            header("Subject", "=?UTF-8?Q?gro=C3=9F?="),
            header("Content-Type", "multipart/mixed; boundary=\"of the original\""),
        ]),
        parts: Some(vec![
            MessagePart {
                headers: Some(vec![
                    header("Content-Type", "text/plain; charset=iso-8859-1"),
                    header("Content-Transfer-Encoding", "quoted-printable"),
                ]),
                body: Some(MessagePartBody {
                    data: Some(b"Gr\xfc\xdfe".to_vec()),
                    ..MessagePartBody::default()
                }),
                ..MessagePart::default()
            },
            MessagePart {
                mime_type: Some("text/plain".into()),
                headers: Some(vec![header("Content-Type", "text/plain; charset=iso-8859-1")]),
                body: Some(MessagePartBody {
                    data: Some("Köln".into()),
                    ..MessagePartBody::default()
                }),
                ..MessagePart::default()
            },
            MessagePart {
                headers: Some(vec![
                    header("Content-Type", "application/pdf; name=\"a.pdf\""),
                    header("Content-Disposition", "attachment; filename=\"a.pdf\""),
                    header("Content-Transfer-Encoding", "base64"),
                ]),
                body: Some(MessagePartBody {
                    size: Some(25_000_000),
                    attachment_id: Some("at1".into()),
                    ..MessagePartBody::default()
                }),
                ..MessagePart::default()
            },
        ]),
        ..MessagePart::default()
    };
    let mail = Mail::parse(&skeleton(&root)).unwrap();
    assert_eq!(
        (&*mail.subject, &*mail.text),
        ("groß", "Grüße\n\nKöln"),
        "as it was sent, and as Gmail tells it"
    );
    assert_eq!(
        mail.attachments[0].to_string(),
        "a.pdf (application/pdf, 25.0 MB)"
    );
}

#[test]
fn what_no_person_wrote_is_known() {
    assert!(fixture!("newsletter").automatic.is_some());
    assert!(fixture!("bounce").automatic.is_some());
    for (header, automatic) in [
        ("Auto-Submitted: auto-replied", true),
        ("Auto-Submitted: no", false),
        ("Auto-Submitted: auto-generated; owner=x", true),
        ("Precedence: bulk", true),
        ("Precedence: first-class", false),
        ("List-Id: <a.example.org>", true),
        ("X-Auto-Response-Suppress: All", true),
        ("Return-Path: < >", true),
        ("Return-Path: <ada@example.org>", false),
        ("Content-Type: multipart/report; boundary=x", true),
        ("X-Nothing: x", false),
    ] {
        let raw = format!("{header}\r\nFrom: ada@example.org\r\n\r\nhi");
        assert_eq!(
            Mail::parse(raw.as_bytes()).unwrap().automatic.is_some(),
            automatic,
            "{header}"
        );
    }
    for (address, automatic) in [
        ("no-reply@example.org", true),
        ("DoNotReply@example.org", true),
        ("bounces+7@example.org", true),
        ("MAILER-DAEMON@example.org", true),
        ("norah@example.org", false),
    ] {
        let raw = format!("From: {address}\r\n\r\nhi");
        assert_eq!(
            Mail::parse(raw.as_bytes()).unwrap().automatic.is_some(),
            automatic,
            "{address}"
        );
    }
}

#[test]
fn a_sender_is_who_google_found_it_to_be() {
    assert_eq!(fixture!("latin1").proof, Proof::Proven);
    assert_eq!(
        fixture!("forged").proof,
        Proof::Refuted,
        "what the mail brings along counts for nothing"
    );
    for (results, proof) in [
        ("mx.google.com; dmarc=pass header.from=example.org", Proof::Proven),
        ("mx.google.com; dkim=pass header.i=@example.org", Proof::Proven),
        (
            "mx.google.com; dkim=pass header.i=@mail.example.org",
            Proof::Unproven,
        ),
        ("mx.google.com; dkim=pass header.i=@org", Proof::Unproven),
        (
            "mx.google.com; spf=pass smtp.mailfrom=ada@evil.example",
            Proof::Unproven,
        ),
        (
            "mx.google.com; spf=fail smtp.mailfrom=ada@example.org",
            Proof::Refuted,
        ),
        (
            "mx.google.com; dkim=pass header.i=@evil.example; dmarc=fail header.from=example.org",
            Proof::Refuted,
        ),
        (
            "mx.evil.example; dmarc=pass header.from=example.org",
            Proof::Unproven,
        ),
        (
            "mx.google.com; (dmarc=pass header.from=example.org) none",
            Proof::Unproven,
        ),
    ] {
        let raw = format!("Authentication-Results: {results}\r\nFrom: ada@example.org\r\n\r\nhi");
        assert_eq!(Mail::parse(raw.as_bytes()).unwrap().proof, proof, "{results}");
    }
    let fetched = b"X-Gmail-Fetch-Info: ada@pop.example 1 pop.example 995 ada\r\n\
        Authentication-Results: mx.google.com; dmarc=pass header.from=example.org\r\nFrom: ada@example.org\r\n\r\nhi";
    assert_eq!(
        Mail::parse(fetched).unwrap().proof,
        Proof::Unproven,
        "Google saw nothing of it"
    );
    let two = b"Authentication-Results: mx.google.com; dmarc=pass header.from=example.org\r\n\
        From: ada@example.org, owner@example.org\r\n\r\nhi";
    assert_eq!(Mail::parse(two).unwrap().proof, Proof::Refuted, "nobody is two");
}

#[test]
fn a_broken_mail_is_read_as_far_as_it_goes_and_none_is_refused() {
    let mail = fixture!("broken");
    assert_eq!(mail.from.unwrap().address, "x@example.org");
    assert!(Mail::parse(b"").is_err());
}

fn person(address: &str) -> Person {
    Person {
        name: None,
        address: address.into(),
    }
}

fn letter<'a>(markdown: &'a str, to: &'a [Person], answers: Option<&'a Answered>) -> Letter<'a> {
    Letter {
        from: "kata@example.com",
        to,
        cc: &[],
        bcc: &[],
        subject: None,
        answers,
        markdown,
        key: "answer:7:1",
        date: Timestamp::from_millis(1_800_000_000_000),
    }
}

#[test]
fn an_answer_stays_in_its_thread() {
    let answered = Answered::from(&fixture!("latin1"));
    let to = [person("andre@example.org")];
    let raw = letter("**Ja**, gern.\n\n<script>x</script>", &to, Some(&answered)).write();
    let text = String::from_utf8(raw.clone()).unwrap();
    let mail = Mail::parse(&raw).unwrap();
    assert_eq!(mail.subject, "Re: Rückfrage zum Angebot 😀");
    assert_eq!(
        mail.references,
        ["a@example.org", "b@example.org", "l1@example.org"]
    );
    assert!(text.contains("In-Reply-To: <l1@example.org>"), "{text}");
    assert_eq!(
        mail.automatic,
        Some("Auto-Submitted"),
        "nobody's machine answers ours"
    );
    assert_eq!(mail.key.as_deref(), Some("answer:7:1"));
    assert_eq!(
        mail.message_id,
        Some(message_id("answer:7:1", "kata@example.com"))
    );
    assert!(
        text.contains("<strong>Ja</strong>") && text.contains("&lt;script&gt;"),
        "{text}"
    );
    assert!(text.contains("multipart/alternative"));
}

#[test]
fn a_subject_gets_one_re() {
    for (subject, expect) in [("Offer", "Re: Offer"), ("RE: Offer", "RE: Offer"), ("", "Re:")] {
        let answered = Answered {
            subject: subject.into(),
            ..Answered::default()
        };
        let raw = letter("x", &[], Some(&answered)).write();
        assert_eq!(Mail::parse(&raw).unwrap().subject, expect);
    }
}

#[test]
fn a_key_has_one_message_id() {
    let id = message_id("k", "kata@example.com");
    assert_eq!(id, message_id("k", "kata@example.com"));
    assert_ne!(id, message_id("l", "kata@example.com"));
    assert!(id.ends_with("@example.com"));
}

proptest! {
    #[test]
    fn nothing_that_arrives_makes_it_panic(raw in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = Mail::parse(&raw);
    }

    #[test]
    fn mime_of_any_nesting_is_read(
        parts in proptest::collection::vec(("[a-z/]{0,12}", "[a-z0-9-]{0,10}", "\\PC{0,60}", 0_usize..3), 0..12),
    ) {
        let mut raw = String::from("From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n");
        for (kind, charset, text, level) in &parts {
            raw += &format!("--b{level}\r\nContent-Type: {kind}; charset={charset}; boundary=b{}\r\n\r\n{text}\r\n", level + 1);
        }
        let mail = Mail::parse(raw.as_bytes()).unwrap();
        prop_assert_eq!(mail.from.unwrap().address, "a@example.org");
    }

    #[test]
    fn what_is_written_is_read_again(subject in "\\PC{0,120}", text in "[^\\r\\x00>]{0,400}", name in "\\PC{0,40}") {
        let to = [Person { name: Some(name), address: "ada@example.org".into() }];
        let letter = Letter { subject: Some(&subject), ..letter(&text, &to, None) };
        let mail = Mail::parse(&letter.write()).unwrap();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(words(&mail.subject), words(&one_line(&subject)));
        prop_assert_eq!(&mail.to[0].address, "ada@example.org");
        prop_assert_eq!(mail.automatic, Some("Auto-Submitted"));
    }

    #[test]
    fn no_header_is_smuggled_in(subject in "[a-z\\r\\n: ]{0,60}", key in "[a-z\\r\\n: ]{0,40}", name in "[a-z\\r\\n:<>@, ]{0,40}") {
        let to = [Person { name: Some(name), address: "ada@example.org".into() }];
        let raw = Letter { subject: Some(&subject), key: &key, ..letter("x", &to, None) }.write();
        let message = MessageParser::default().parse(&raw).unwrap();
        let known = ["From", "To", "Date", "Message-ID", "Subject", "Auto-Submitted", "X-Kata-Key", "MIME-Version", "Content-Type"];
        for header in message.headers() {
            prop_assert!(known.iter().any(|name| header.name().eq_ignore_ascii_case(name)), "{}", header.name());
        }
        prop_assert_eq!(Mail::parse(&raw).unwrap().to.len(), 1);
    }

    #[test]
    fn folding_keeps_what_is_not_quoted(lines in proptest::collection::vec("[a-z ]{1,20}", 1..12)) {
        let text = lines.join("\n");
        let folded = fold::fold(&text);
        for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
            prop_assert!(folded.contains(line), "{line:?} in {folded:?}");
        }
    }
}
