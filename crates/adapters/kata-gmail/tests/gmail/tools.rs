//! What an agent may do in the mail of its channel, and what not.

use kata_channel::settings::MailSettings;
use kata_plugin::{ToolDefault, ToolError};
use kata_testkit::gmail::{Fault, NewMail};
use serde_json::json;

use crate::rig::Rig;

fn mail() -> NewMail {
    NewMail::from("ada@example.org").subject("Offer").label("Kata")
}

#[tokio::test]
async fn a_search_stays_within_the_label() {
    let rig = Rig::start().await;
    let _adapter = rig.channel(MailSettings::default()).await;
    let ours = rig.gmail.arrives(mail());
    rig.gmail
        .arrives(NewMail::from("ada@example.org").subject("Offer of another kind"));
    let found = rig
        .tool("gmail_search", &ours, json!({"query": "offer"}))
        .await
        .unwrap();
    assert_eq!(found["mails"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&found["mails"][0]["id"], &found["mails"][0]["from"]),
        (&json!(ours), &json!("ada@example.org"))
    );
    assert!(
        rig.tool("gmail_search", &ours, json!({"query": "a) OR (b"}))
            .await
            .is_err()
    );
    assert_eq!(rig.gmail.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_mail_is_read_where_the_channel_serves_it() {
    let rig = Rig::start().await;
    let _adapter = rig.channel(MailSettings::default()).await;
    let ours = rig.gmail.arrives(mail().text("How much?"));
    let second = rig.gmail.arrives(mail().text("And when?").thread(&ours));
    let private = rig
        .gmail
        .arrives(NewMail::from("bank@example.org").text("Your PIN"));
    let read = rig.tool("gmail_read", &ours, json!({})).await.unwrap();
    let texts: Vec<_> = read["mails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| mail["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["How much?", "And when?"]);
    let one = rig
        .tool("gmail_read", &ours, json!({"id": second}))
        .await
        .unwrap();
    assert_eq!(one["mails"][0]["sender_is_verified"], true);
    for id in [&*private, "ffff"] {
        let error = rig
            .tool("gmail_read", &ours, json!({"id": id}))
            .await
            .unwrap_err();
        assert_eq!(error, ToolError::Input("there is no such mail (any more)".into()));
    }
    assert!(
        rig.tool("gmail_read", &ours, json!({"id": "../labels"}))
            .await
            .is_err(),
        "an id is an id"
    );
}

#[tokio::test]
async fn a_draft_goes_to_whom_the_agent_names() {
    let rig = Rig::start().await;
    let _adapter = rig.channel(MailSettings::default()).await;
    let ours = rig.gmail.arrives(mail());
    let input = json!({"to": ["bob@example.org"], "cc": ["eve@example.org"], "subject": "Please\r\nBcc: x@evil.example", "body": "look"});
    rig.tool("gmail_draft", &ours, input).await.unwrap();
    let draft = &rig.gmail.drafted()[0];
    assert_eq!(
        (&*draft.to, &*draft.text),
        (&["bob@example.org".to_owned()][..], "look")
    );
    assert!(
        draft.raw.contains("Cc: ") && !draft.raw.contains("\nBcc:"),
        "{}",
        draft.raw
    );
    assert_ne!(draft.thread, ours);
    let input = json!({"to": ["ada@example.org"], "body": "yes", "reply_to": ours});
    rig.tool("gmail_draft", &ours, input).await.unwrap();
    assert_eq!(
        (&*rig.gmail.drafted()[1].thread, &*rig.gmail.drafted()[1].subject),
        (&*ours, "Re: Offer")
    );
    assert!(rig.gmail.sent().is_empty());
}

#[tokio::test]
async fn sending_is_asked_for_and_looked_up_when_nobody_knows() {
    let rig = Rig::start().await;
    let _adapter = rig.channel(MailSettings::default()).await;
    assert_eq!(rig.tool_default("gmail_send"), ToolDefault::Ask);
    let ours = rig.gmail.arrives(mail());
    let input = json!({"to": ["bob@example.org"], "bcc": ["eve@example.org"], "subject": "s", "body": "b"});
    rig.gmail.fail_next("messages.send", Fault::CutAfter);
    let said = rig.tool("gmail_send", &ours, input.clone()).await.unwrap();
    assert_eq!(said["sent"], json!(rig.gmail.sent()[0].id));
    rig.gmail.fail_next("messages.send", Fault::CutBefore);
    let error = rig.tool("gmail_send", &ours, input).await.unwrap_err();
    assert!(matches!(error, ToolError::Unknown(_)), "{error}");
    assert_eq!(rig.gmail.sent().len(), 1);
}

#[tokio::test]
async fn labels_are_put_on_and_nothing_is_deleted() {
    let rig = Rig::start().await;
    let _adapter = rig.channel(MailSettings::default()).await;
    let done = rig.gmail.add_label("Done");
    let ours = rig.gmail.arrives(mail());
    rig.tool(
        "gmail_label",
        &ours,
        json!({"add": ["done"], "remove": ["UNREAD"]}),
    )
    .await
    .unwrap();
    let labels = rig.gmail.labels_of(&ours);
    assert!(
        labels.contains(&done) && !labels.contains(&"UNREAD".to_owned()),
        "{labels:?}"
    );
    for label in ["TRASH", "SPAM", "DRAFT", "SENT", "nothing"] {
        let refused = rig.tool("gmail_label", &ours, json!({"add": [label]})).await;
        assert!(matches!(refused, Err(ToolError::Input(_))), "{label}");
    }
}

#[tokio::test]
async fn tools_work_in_a_turn_of_a_mailbox_alone() {
    let rig = Rig::start().await;
    let refused = rig.tool("gmail_search", "1", json!({"query": "x"})).await;
    assert!(matches!(refused, Err(ToolError::NotHere(_))), "{refused:?}");
    let _adapter = rig.make(rig.context(MailSettings::default()));
    let refused = rig.tool("gmail_search", "1", json!({"query": "x"})).await;
    assert!(
        matches!(refused, Err(ToolError::Platform(_))),
        "not connected yet: {refused:?}"
    );
}

#[tokio::test]
async fn spam_and_what_was_thrown_away_is_not_shown() {
    let rig = Rig::start().await;
    let _adapter = rig.channel(MailSettings::default()).await;
    let ours = rig.gmail.arrives(mail());
    for label in ["SPAM", "TRASH"] {
        let hidden = rig.gmail.arrives(mail().thread(&ours).label(label));
        let refused = rig.tool("gmail_read", &ours, json!({"id": hidden})).await;
        assert!(matches!(refused, Err(ToolError::Input(_))), "{label}");
    }
    let thread = rig.tool("gmail_read", &ours, json!({})).await.unwrap();
    assert_eq!(thread["mails"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_address_gets_no_mail() {
    let rig = Rig::start().await;
    let _adapter = rig.channel(MailSettings::default()).await;
    let ours = rig.gmail.arrives(mail());
    let many: Vec<String> = (0..1000).map(|n| format!("a{n}@example.org")).collect();
    for (field, value) in [
        ("to", json!(["a@example.org\r\nBcc: x@evil.example"])),
        ("to", json!(["a\u{0}@example.org"])),
        ("cc", json!(["a@example.org,b@example.org"])),
        ("bcc", json!(["Ada <a@example.org>"])),
        ("cc", json!(["a@exam\u{1b}ple.org"])),
        ("to", json!(many)),
        ("bcc", json!(many)),
        ("to", json!([])),
    ] {
        let mut input = json!({"to": ["a@example.org"], "subject": "s", "body": "b"});
        input[field] = value;
        for tool in ["gmail_send", "gmail_draft"] {
            let refused = rig.tool(tool, &ours, input.clone()).await;
            assert!(
                matches!(refused, Err(ToolError::Input(_))),
                "{tool} {field} {}",
                input[field]
            );
        }
    }
    assert!(rig.gmail.sent().is_empty() && rig.gmail.drafted().is_empty());
}
