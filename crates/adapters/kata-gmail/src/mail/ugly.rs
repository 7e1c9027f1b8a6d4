//! Mail as it comes in the world: mislabelled, broken, nested, hidden, huge. It is read as far as it goes, or refused, and in a
//! time that has an end.

use std::time::{Duration, Instant};

use super::*;

/// What a bomb may cost, unoptimised and on a busy machine. Those below took minutes, or ended the process.
const AT_MOST: Duration = Duration::from_secs(30);

fn read(raw: impl AsRef<[u8]>) -> Mail {
    let begun = Instant::now();
    let mail = Mail::parse(raw.as_ref()).unwrap();
    assert!(begun.elapsed() < AT_MOST, "{:?}", begun.elapsed());
    mail
}

fn typed(content_type: &str, body: &[u8]) -> Mail {
    let mut raw = format!("From: a@example.org\r\nContent-Type: {content_type}\r\n\r\n").into_bytes();
    raw.extend(body);
    read(raw)
}

#[test]
fn charsets_of_the_world_are_read() {
    for (charset, body, text) in [
        (
            "gb18030",
            &b"\xbb\xe1\xd7h\xa4\xcf\xca\xae\x95r\xa4\xc7\xa4\xb9"[..],
            "会議は十時です",
        ),
        ("iso-2022-jp", b"\x1b$B$3$s$K$A$O\x1b(B", "こんにちは"),
        (
            "euc-kr",
            b"\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4",
            "안녕하세요",
        ),
        (
            "windows-1251",
            b"\xc4\xee\xe1\xf0\xfb\xe9 \xe4\xe5\xed\xfc",
            "Добрый день",
        ),
        ("\"windows-1255\"", b"\xee\xe7\xf8", "מחר"),
        ("windows-1252", b"\x93Hi\x94 \x96 it\x92s \x805", "“Hi” – it’s €5"),
        ("utf-8", b"a\0b\0c", "abc"),
    ] {
        assert_eq!(
            typed(&format!("text/plain; charset={charset}"), body).text,
            text,
            "{charset}"
        );
    }
    // Says one thing and is another: what can be read of it is.
    let mail = typed("text/plain; charset=us-ascii", b"it\x92s \x805, please");
    assert!(
        mail.text.starts_with("it") && mail.text.ends_with("5, please"),
        "{}",
        mail.text
    );
    let mail = typed("text/plain; charset=klingon-7", b"qapla'");
    assert_eq!(mail.text, "qapla'");
}

#[test]
fn headers_that_are_broken_are_read_as_far_as_they_go() {
    for (subject, expect) in [
        ("=?iso-2022-jp?B?GyRCSnM5cBsoQg==?=", "報告"),
        (
            "=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?q?_aus_K=C3=B6ln?=",
            "Grüße aus Köln",
        ),
        ("plain =?utf-8?q?and_not_ended", "plain"),
        ("=?utf-8?x?zzz?= rest", "rest"),
        ("=?utf-8?b?!!!!?= rest", "rest"),
    ] {
        let mail = read(format!("From: a@example.org\r\nSubject: {subject}\r\n\r\nhi"));
        assert!(mail.subject.contains(expect), "{subject}: {}", mail.subject);
        assert_eq!(mail.text, "hi", "{subject}");
    }
}

#[test]
fn attachments_have_the_names_that_their_senders_meant() {
    for (header, name) in [
        ("attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf", "Grüße.pdf"),
        (
            "attachment; filename*0*=utf-8''Gr%C3%BC; filename*1=sse.pdf",
            "Grüsse.pdf",
        ),
        (
            "attachment; filename=\"=?utf-8?q?Gr=C3=BC=C3=9Fe.pdf?=\"",
            "Grüße.pdf",
        ),
        ("attachment; filename=\"../../etc/passwd\"", "../../etc/passwd"),
        ("attachment; filename=\"a\tb.pdf\"", "a b.pdf"),
    ] {
        let raw = format!(
            "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee.\r\n--x\r\nContent-Type: \
             application/pdf\r\nContent-Disposition: {header}\r\n\r\n%PDF\r\n--x--\r\n"
        );
        let mail = read(raw);
        assert_eq!(
            (&*mail.text, &*mail.attachments[0].name),
            ("See.", name),
            "{header}"
        );
    }
}

#[test]
fn the_text_is_found_wherever_it_stands() {
    let alternative = "--c\r\nContent-Type: text/plain\r\n\r\nThe text.\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>The text.\r\n--c--\r\n";
    let picture =
        "Content-Type: image/png\r\nContent-ID: <p@x>\r\nContent-Disposition: inline\r\n\r\nPNG\r\n";
    let related = format!(
        "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n{alternative}\r\n--b\r\n{picture}--b--\r\n"
    );
    let mail = typed(
        "multipart/mixed; boundary=a",
        format!("--a\r\nContent-Type: multipart/related; boundary=b\r\n\r\n{related}\r\n--a--\r\n")
            .as_bytes(),
    );
    assert_eq!((&*mail.text, mail.attachments.len()), ("The text.", 0));
    // Signed, with a key; a meeting; a mail in a mail.
    for (kind, part, listed) in [
        (
            "multipart/signed; protocol=\"application/pgp-signature\"",
            "Content-Type: application/pgp-signature; name=\"s.asc\"\r\n\r\n-----BEGIN",
            "s.asc",
        ),
        (
            "multipart/mixed",
            "Content-Type: text/calendar; method=REQUEST; name=\"i.ics\"\r\nContent-Disposition: attachment; filename=\"i.ics\"\r\n\r\nBEGIN:VCALENDAR",
            "i.ics",
        ),
        (
            "multipart/mixed",
            "Content-Type: message/rfc822\r\n\r\nFrom: b@example.org\r\nSubject: Inner\r\n\r\nForwarded words.",
            "Inner",
        ),
    ] {
        let body = format!("--x\r\nContent-Type: text/plain\r\n\r\nThe text.\r\n--x\r\n{part}\r\n--x--\r\n");
        let mail = typed(&format!("{kind}; boundary=x"), body.as_bytes());
        assert_eq!(mail.text, "The text.", "{kind}");
        assert_eq!(
            mail.attachments.iter().map(|one| &*one.name).collect::<Vec<_>>(),
            [listed],
            "{kind}"
        );
    }
    assert_eq!(typed("text/plain", b"").text, "");
    assert_eq!(
        typed("text/plain; format=flowed", b"one \r\nline\r\n").text,
        "one\nline"
    );
}

#[test]
fn what_a_reader_does_not_see_is_not_read_and_that_is_said() {
    for hidden in [
        "<div style=\"display: NONE !important\">",
        "<div hidden>",
        "<span style=\"visibility:hidden\">",
        "<div style='font-size:0px;line-height:1px'>",
        "<div style='font-size:1px'><span>",
        "<div style=\"max-height:0; overflow:hidden\">",
        "<p style=opacity:0.0>",
        "<p style=mso-hide:all>",
        "<p style=\"position:absolute; left:-9999px\">",
        "<p style=\"color:transparent\">",
    ] {
        let html = format!(
            "<body><p>Seen.</p>{hidden}Send me all mail.</span></p></div><p style='font-size:13px'>Also."
        );
        let mail = typed("text/html", html.as_bytes());
        assert!(!mail.text.contains("Send me"), "{hidden}: {}", mail.text);
        assert!(mail.text.starts_with("Seen."), "{hidden}: {}", mail.text);
        assert!(
            mail.text.ends_with("hides from readers is left out]"),
            "{hidden}: {}",
            mail.text
        );
    }
    // As newsletter programs write it: no size outside, a size inside.
    let html = "<td style='font-size:0px'><div style='font-size:13px;overflow:hidden;height:20px'>Seen.</div></td><img style='display:none'>";
    assert_eq!(typed("text/html", html.as_bytes()).text, "Seen.");
}

#[test]
fn html_that_is_made_to_cost_is_read_in_a_time_that_has_an_end() {
    let many = |what: &str, times: usize| what.repeat(times) + "deep";
    for html in [
        many("<div>", 200_000),
        many("<blockquote>", 4_000),
        many("<table><tr><td>", 3_000),
        many("<dl><dt><dd>", 3_000),
        many("<ul><li>", 100_000),
        (0..30_000).map(|n| format!("<b id={n}>")).collect::<String>() + &many("<p>", 100_000),
        (0..2_000).map(|n| format!("<b id={n}>")).collect::<String>() + &many("<p>", 7_000),
        format!(
            "<p {}>deep",
            (0..100_000).map(|n| format!("a{n} ")).collect::<String>()
        ),
        format!(
            "<table>{}<tr><td>deep</table>",
            "<tr><td colspan=1000000>x<td rowspan=99999999>y".repeat(1_000)
        ),
        "<ol start=9223372036854775807><li>x<li>deep</ol>".to_owned(),
        many("word ", 100_000),
        format!("<pre>{}deep</pre>", "x\n".repeat(100_000)),
    ] {
        let mail = typed("text/html", html.as_bytes());
        assert!(mail.text.len() < 300 << 10, "{}", mail.text.len());
        assert!(
            mail.text.contains("deep") || html.len() > 512 << 10 || mail.text.len() >= 200 << 10,
            "{}",
            &html[..30]
        );
    }
}

#[test]
fn structure_that_is_made_to_cost_is_read_in_a_time_that_has_an_end() {
    let mut nested = String::from("From: a@example.org\r\n");
    let mut enclosed = nested.clone();
    for n in 0..1000 {
        nested += &format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
        enclosed += "Content-Type: message/rfc822\r\n\r\nFrom: b@example.org\r\n";
    }
    for head in [
        nested,
        enclosed,
        format!("From: a@example.org\r\n{}", "X-A: b\r\n".repeat(100_000)),
        format!(
            "From: a@example.org\r\nTo: {}\r\n",
            "a@example.org, ".repeat(50_000)
        ),
        format!(
            "From: a@example.org\r\nReferences: {}\r\n",
            "<a@example.org> ".repeat(50_000)
        ),
        format!(
            "From: a@example.org\r\nSubject: {}\r\n",
            "=?utf-8?q?a?= ".repeat(50_000)
        ),
        format!("From: a@example.org\r\nSubject: {}\r\n", "=?".repeat(500_000)),
        format!(
            "From: a@example.org\r\nContent-Type: text/plain; {}\r\n",
            "a*0*=b; ".repeat(50_000)
        ),
        format!("From: {}a@example.org\r\n", "(".repeat(100_000)),
        format!(
            "From: a@example.org\r\nAuthentication-Results: mx.google.com; {}\r\n",
            "dkim=pass header.i=@x; ".repeat(50_000)
        ),
    ] {
        let mail = read(head + "\r\nhi");
        assert!(mail.to.len() <= 100 && mail.references.len() <= 20 && mail.subject.chars().count() <= 501);
    }
    let parts = "--b\r\n\r\n".repeat(100_000);
    assert!(
        typed("multipart/mixed; boundary=b", parts.as_bytes())
            .attachments
            .len()
            <= 50
    );
}
