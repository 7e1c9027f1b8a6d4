//! Who we are, and what is missing.

use kata_channel::ChannelError;
use kata_plugin::{ChannelContext, SetupError};
use kata_testkit::slack::{BOT_TOKEN, BOT_USER, Fault};

use crate::rig::Rig;

#[tokio::test]
async fn slack_says_who_we_are() {
    let rig = Rig::start().await;
    let identity = rig
        .make(rig.context("support", &["C1"]))
        .unwrap()
        .connect()
        .await
        .unwrap();
    assert_eq!((identity.id.as_str(), identity.name.as_str()), (BOT_USER, "kata"));
}

#[tokio::test]
async fn a_token_that_is_no_good_is_named_with_the_way_out() {
    for code in [
        "invalid_auth",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_authed",
    ] {
        let rig = Rig::start().await;
        rig.slack.refuse_token(BOT_TOKEN, Some(code));
        let error = rig
            .make(rig.context("support", &["C1"]))
            .unwrap()
            .connect()
            .await
            .unwrap_err();
        assert!(
            matches!(&error, ChannelError::AuthExpired(s) if s.contains(code) && s.contains("token")),
            "{error}"
        );
        assert!(!error.to_string().contains(BOT_TOKEN));
    }
}

#[tokio::test]
async fn a_scope_that_is_needed_is_named_before_the_first_send() {
    let rig = Rig::start().await;
    rig.slack.revoke_scope("chat:write");
    let error = rig
        .make(rig.context("support", &["C1"]))
        .unwrap()
        .connect()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ChannelError::Rejected(s) if s.contains("chat:write") && s.contains("reinstall")),
        "{error}"
    );
}

#[tokio::test]
async fn a_scope_that_is_pleasant_is_not_missed() {
    let rig = Rig::start().await;
    for scope in ["reactions:write", "users:read", "files:read"] {
        rig.slack.revoke_scope(scope);
    }
    rig.channel("support", &["C1"]).await;
}

#[tokio::test]
async fn a_slack_that_is_away_or_ill_is_worth_another_try() {
    let rig = Rig::start().await;
    let adapter = rig.make(rig.context("support", &["C1"])).unwrap();
    for fault in [Fault::Http(503), Fault::CutBefore, Fault::CutAfter] {
        rig.slack.fail_next("auth.test", fault);
        assert!(matches!(
            adapter.connect().await,
            Err(ChannelError::ConnectionLost(_))
        ));
    }
    rig.slack.down().await;
    assert!(matches!(
        adapter.connect().await,
        Err(ChannelError::ConnectionLost(_))
    ));
    rig.slack.up().await;
    adapter.connect().await.unwrap();
}

#[tokio::test]
async fn a_captive_portal_is_not_slack() {
    let rig = Rig::start().await;
    rig.slack.fail_next("auth.test", Fault::Html);
    let error = rig
        .make(rig.context("support", &["C1"]))
        .unwrap()
        .connect()
        .await
        .unwrap_err();
    assert!(matches!(error, ChannelError::ConnectionLost(_)), "{error}");
}

#[tokio::test]
async fn a_second_channel_of_the_token_may_not_name_the_same_conversation() {
    let rig = Rig::start().await;
    let first = rig.make(rig.context("support", &["C1"])).unwrap();
    let other = ChannelContext {
        token: Some("xoxb-other".into()),
        ..rig.context("elsewhere", &["C1"])
    };
    assert!(rig.make(other).is_ok(), "another token is another matter");
    assert!(
        matches!(rig.make(rig.context("ops", &["C1"])), Err(SetupError::Invalid(s)) if s.contains("support"))
    );
    drop(first);
    assert!(rig.make(rig.context("ops", &["C1"])).is_ok());
}
