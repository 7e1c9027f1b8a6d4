//! What an agent may do, where, and what it is told when it may not.

use kata_channel::{ChannelKey, Place};
use kata_plugin::{SideEffect, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput};
use kata_testkit::discord::{ChannelKind, Fault};
use serde_json::{Value, json};

use crate::rig::{ADA, GENERAL, Rig};

async fn call(rig: &Rig, name: &str, input: Value) -> Result<ToolOutput, ToolError> {
    let place = Place::conversation(GENERAL);
    let context = ToolContext::new(ChannelKey::new("w1", "support"), place, "daemon-support-1");
    let tool = rig.tools().into_iter().find(|tool| tool.name == name).unwrap();
    tool.handler.call(&context, input).await
}

#[tokio::test]
async fn what_only_reads_is_allowed_and_what_writes_is_asked_about() {
    let rig = Rig::start().await;
    for tool in rig.tools() {
        let reads = tool.effects == [ToolEffect::Reads];
        assert_eq!(reads, tool.name == "discord_read_history", "{}", tool.name);
        assert_eq!(reads, tool.default == ToolDefault::Allow, "{}", tool.name);
        assert_eq!(reads, tool.side_effect == SideEffect::None, "{}", tool.name);
    }
    assert_eq!(rig.tools().len(), 5);
}

#[tokio::test]
async fn the_tools_do_what_they_say() {
    let rig = Rig::start().await;
    let _channel = rig.channel("support", &[GENERAL]).await;
    let asked = rig.discord.post_silently(GENERAL, ADA, "rain?");
    let read = call(&rig, "discord_read_history", json!({})).await.unwrap();
    assert_eq!(read.content["messages"][0]["text"], "rain?");
    call(&rig, "discord_react", json!({"message": asked, "emoji": "👍"}))
        .await
        .unwrap();
    assert_eq!(rig.discord.reactions(GENERAL, &asked), ["👍"]);
    let embed =
        json!({"title": "Rain", "description": "at noon", "fields": [{"name": "take", "value": "umbrella"}]});
    call(&rig, "discord_send_embed", embed).await.unwrap();
    let sent = rig.discord.calls("create_message").remove(0).body;
    assert_eq!(sent["embeds"][0]["title"], "Rain");
    assert_eq!(sent["allowed_mentions"]["parse"], json!([]));
    let opened = call(
        &rig,
        "discord_create_thread",
        json!({"name": "about rain", "message": asked}),
    )
    .await
    .unwrap();
    let thread = opened.content["thread"].as_str().unwrap().to_owned();
    let inside = call(&rig, "discord_read_history", json!({"channel": thread})).await;
    assert!(
        inside.is_ok(),
        "a thread of a served channel is served: {inside:?}"
    );
}

#[tokio::test]
async fn a_channel_that_is_not_configured_is_out_of_reach() {
    let rig = Rig::start().await;
    rig.discord.add_channel("2002", "secret", ChannelKind::Text);
    let _channel = rig.channel("support", &[GENERAL]).await;
    for asked in ["2002", "../users/@me", "2001/messages"] {
        let refused = call(&rig, "discord_read_history", json!({"channel": asked})).await;
        assert!(
            matches!(refused, Err(ToolError::NotHere(_))),
            "{asked}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_failure_says_whether_it_may_have_happened() {
    let rig = Rig::start().await;
    let _channel = rig.channel("support", &[GENERAL]).await;
    let embed = || json!({"title": "Rain"});
    rig.discord.fail_next("create_message", Fault::CutAfter);
    let unknown = call(&rig, "discord_send_embed", embed()).await;
    assert!(matches!(unknown, Err(ToolError::Unknown(_))), "{unknown:?}");
    rig.discord
        .fail_next("create_message", Fault::Refused(403, 50013));
    let refused = call(&rig, "discord_send_embed", embed()).await;
    assert!(matches!(refused, Err(ToolError::NotHere(_))), "{refused:?}");
}

fn picture() -> Value {
    json!({"content": "iVBORw0KAAA=", "encoding": "base64", "name": "rain.png"})
}

#[tokio::test]
async fn files_go_out_as_they_were_given() {
    let rig = Rig::start().await;
    let _channel = rig.channel("support", &[GENERAL]).await;
    let table = json!({"content": "hour,mm\r\n12,3 \u{2614}\r\n", "name": "regen in Zürich.csv"});
    let input = json!({"files": [table, picture()], "text": "as @everyone asked"});
    let sent = call(&rig, "discord_send_file", input).await.unwrap();
    let posted = rig.discord.posted().remove(0);
    assert_eq!(sent.content["message"], posted.id.as_str());
    assert_eq!(
        (posted.channel.as_str(), posted.text.as_str()),
        (GENERAL, "as @everyone asked")
    );
    assert_eq!(posted.files, ["regen in Zürich.csv", "rain.png"]);
    let contents = rig.discord.files(GENERAL, &posted.id);
    assert_eq!(contents[0], "hour,mm\r\n12,3 \u{2614}\r\n".as_bytes());
    assert_eq!(contents[1], b"\x89PNG\r\n\0\0");
    let call = rig.discord.calls("create_message").remove(0);
    assert_eq!(
        call.body["allowed_mentions"]["parse"],
        json!([]),
        "nobody is pinged"
    );
}

#[tokio::test]
async fn files_that_cannot_go_out_are_named_and_nothing_is_sent() {
    let rig = Rig::start().await;
    let _channel = rig.channel("support", &[GENERAL]).await;
    let large = json!({"content": "x".repeat(400_000), "name": "log.txt"});
    for (file, says) in [
        (
            json!({"content": "%", "encoding": "base64", "name": "a.png"}),
            "\"a.png\" is no base64",
        ),
        (large, "a call takes 393216"),
    ] {
        let refused = call(&rig, "discord_send_file", json!({"files": [file]}))
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, ToolError::Input(why) if why.contains(says)),
            "{refused:?}"
        );
    }
    assert!(rig.discord.calls("create_message").is_empty());
    rig.discord.fail_next("create_message", Fault::CutAfter);
    let unknown = call(&rig, "discord_send_file", json!({"files": [picture()]})).await;
    assert!(matches!(unknown, Err(ToolError::Unknown(_))), "{unknown:?}");
    rig.discord
        .fail_next("create_message", Fault::Refused(413, 40005));
    let refused = call(&rig, "discord_send_file", json!({"files": [picture()]}))
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("larger than Discord takes"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_files_name_is_a_name_and_no_path() {
    let rig = Rig::start().await;
    let set = rig.registrar().tool_set(|_| true);
    let tool = set.get("discord_send_file").unwrap();
    let named = |name: &str| tool.check(&json!({"files": [{"content": "x", "name": name}]}));
    assert_eq!(named("Übersicht (1).txt"), Ok(()));
    for bad in ["", "../a", "a\\b", "a\"; name=\"payload_json", "a\r\nX: y", "a\0"] {
        assert!(named(bad).is_err(), "{bad:?}");
    }
}
