//! Payloads in the full shape that Slack sends (`tests/fixtures/SOURCE.md`), with the blanks filled in.

use kata_channel::Inbound;
use kata_testkit::slack::BOT;
use serde_json::{Value, json};

use crate::rig::{Ear, Rig};

const TS: &str = "1700000000.000100";

/// A sample's event with some of its blanks filled in.
fn event(sample: &str, filled: &Value) -> Value {
    let path = format!("{}/tests/fixtures/{sample}.json", env!("CARGO_MANIFEST_DIR"));
    let payload: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut event = payload["event"].clone();
    fill(&mut event, filled);
    event
}

fn fill(into: &mut Value, with: &Value) {
    match (into, with) {
        (Value::Object(into), Value::Object(with)) => {
            for (name, value) in with {
                fill(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(with)) if !into.is_empty() => {
            into.iter_mut()
                .zip(with)
                .for_each(|(into, with)| fill(into, with));
        }
        (into, with) => *into = with.clone(),
    }
}

/// What a channel hears of it; a message that follows marks the end.
async fn heard(sample: &str, filled: Value) -> Vec<Value> {
    let rig = Rig::start().await;
    let mut ear = Ear::open(&rig.channel("support", &["C1"]).await).await;
    rig.slack.event(&event(sample, &filled));
    let last = rig.slack.user_posts("C1", "U1", "the end");
    let mut heard = Vec::new();
    loop {
        for message in ear.page().await {
            if message.id.as_str() == last {
                return heard;
            }
            heard.push(shown(&message));
        }
    }
}

fn shown(inbound: &Inbound) -> Value {
    json!({
        "place": inbound.place, "id": inbound.id, "order": inbound.order, "kind": format!("{:?}", inbound.kind),
        "sender": format!("{:?}", inbound.sender), "text": inbound.text.raw, "mentions_us": inbound.mentions_us,
        "sent_at": inbound.sent_at, "attachments": inbound.attachments, "metadata": inbound.metadata,
    })
}

fn said(text: &str) -> Value {
    json!({"channel": "C1", "user": "U1", "ts": TS, "text": text, "channel_type": "channel"})
}

fn also(mut base: Value, more: Value) -> Value {
    fill(&mut base, &more);
    base
}

macro_rules! reads {
    ($($name:ident: $sample:literal, $filled:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let heard = heard($sample, $filled).await;
            // In which order an object's keys come hangs on who else is built.
            insta::with_settings!({sort_maps => true}, {
                insta::assert_json_snapshot!(stringify!($name), heard);
            });
        }
    )*};
}

reads! {
    a_message: "MessagePayload", also(said("hello"), json!({"bot_id": null}));
    a_message_of_a_bot: "MessageBotPayload", json!({"channel": "C1", "ts": TS, "text": "beep", "bot_id": "B9", "username": "beeper"});
    a_message_of_ours: "MessagePayload", also(said("hello"), json!({"bot_id": BOT}));
    a_mention: "AppMentionPayload", also(said("<@U0KATABOT1> hello"), json!({"bot_id": null}));
    words_about_oneself: "MessageMePayload", also(said("waves"), json!({"bot_id": null}));
    a_reply_shown_in_the_conversation: "MessageThreadBroadcastPayload", also(said("for all"), json!({"thread_ts": "1690000000.000001"}));
    a_file: "MessageFileSharePayload", also(said("look"), json!({"thread_ts": null, "files": [
        {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 3, "url_private_download": "https://files.slack.com/a"}]}));
    a_file_that_is_gone: "MessageFileSharePayload", also(said("look"), json!({"thread_ts": null, "files": [{"id": "F1", "mode": "tombstone"}]}));
    an_edit: "MessageChangedPayload", json!({"channel": "C1", "message": {"user": "U1", "ts": TS, "text": "new", "thread_ts": null,
        "bot_id": null, "edited": {"ts": "1700000001.000200"}}});
    a_preview_is_no_edit: "MessageChangedPayload", json!({"channel": "C1", "message": {"user": "U1", "ts": TS, "text": "same", "edited": null}});
    a_first_message_deleted_from_its_thread: "MessageChangedPayload", json!({"channel": "C1", "message": {"subtype": "tombstone", "ts": TS},
        "previous_message": {"user": "U1", "ts": TS}});
    a_deletion: "MessageDeletedPayload", json!({"channel": "C1", "deleted_ts": TS, "previous_message": {"user": "U1"}});
    a_join: "MessageChannelJoinPayload", said("<@U1> has joined the channel");
    a_topic: "MessageChannelTopicPayload", said("<@U1> set the topic");
    a_reaction: "ReactionAddedPayload", json!({"user": "U1"});
}
