//! Signs of life: pleasant, never necessary.

use kata_channel::{MessageId, Place, settings::Settings};
use kata_plugin::ChannelContext;
use kata_testkit::slack::Fault;

use crate::rig::Rig;

#[tokio::test]
async fn a_reaction_is_put_on_and_taken_off() {
    let rig = Rig::start().await;
    rig.slack.revoke_scope("assistant:write");
    let adapter = rig.channel("support", &["C1"]).await;
    let ts = rig.slack.post_silently("C1", "U1", "hello");
    let signs = adapter.signs().unwrap();
    let sign = signs
        .sign_for(&Place::conversation("C1"), &MessageId::new(ts.as_str()))
        .unwrap();
    signs.put_on(&sign).await;
    signs.put_on(&sign).await;
    assert_eq!(rig.slack.reactions("C1", &ts), ["eyes"]);
    assert!(signs.take_off(&sign).await);
    assert!(rig.slack.reactions("C1", &ts).is_empty());
    assert!(signs.take_off(&sign).await, "what is gone is gone");
}

#[tokio::test]
async fn an_assistants_thread_shows_a_status() {
    let rig = Rig::start().await;
    let adapter = rig.channel("open", &[]).await;
    let im = rig.slack.add_im("U1");
    let root = rig.slack.post_silently(&im, "U1", "hello");
    let reply = rig.slack.reply_silently(&im, &root, "U1", "again");
    let signs = adapter.signs().unwrap();
    let sign = signs
        .sign_for(&Place::thread(im.as_str(), root.as_str()), &MessageId::new(reply))
        .unwrap();
    signs.put_on(&sign).await;
    assert!(signs.take_off(&sign).await);
    let shown: Vec<String> = rig
        .slack
        .statuses()
        .into_iter()
        .map(|status| status.status)
        .collect();
    assert_eq!(shown, ["is thinking…", ""]);
}

#[tokio::test]
async fn without_the_scope_there_is_silence() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let ts = rig.slack.post_silently("C1", "U1", "hello");
    let (place, message) = (Place::conversation("C1"), MessageId::new(ts));
    let sign = adapter.signs().unwrap().sign_for(&place, &message).unwrap();
    rig.slack.revoke_scope("reactions:write");
    adapter.signs().unwrap().put_on(&sign).await;
    assert!(
        adapter.signs().unwrap().sign_for(&place, &message).is_none(),
        "slack is asked once"
    );
    assert!(adapter.signs().unwrap().take_off(&sign).await);
}

#[tokio::test]
async fn a_sign_stays_to_be_taken_off_while_slack_is_away() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &["C1"]).await;
    let ts = rig.slack.post_silently("C1", "U1", "hello");
    let signs = adapter.signs().unwrap();
    let sign = signs
        .sign_for(&Place::conversation("C1"), &MessageId::new(ts))
        .unwrap();
    signs.put_on(&sign).await;
    rig.slack.fail_next("reactions.remove", Fault::Http(503));
    assert!(!signs.take_off(&sign).await);
    assert!(signs.take_off(&sign).await);
}

#[tokio::test]
async fn signs_are_a_setting_and_need_a_message() {
    let rig = Rig::start().await;
    let settings = Settings {
        signs: false,
        ..Settings::default()
    };
    let quiet = rig
        .connected(ChannelContext {
            settings,
            ..rig.context("quiet", &["C1"])
        })
        .await;
    assert!(quiet.signs().is_none());
    drop(quiet);
    let adapter = rig.channel("support", &["C1"]).await;
    let command = MessageId::new("13345224609.738474920.8088930838d88f008e0");
    assert!(
        adapter
            .signs()
            .unwrap()
            .sign_for(&Place::conversation("C1"), &command)
            .is_none()
    );
}
