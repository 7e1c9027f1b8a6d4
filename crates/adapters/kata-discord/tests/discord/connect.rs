//! Who we are, and what is missing.

use kata_channel::ChannelError;
use kata_testkit::discord::{BOT_TOKEN, BOT_USER, Fault, GUILD};

use crate::rig::{ADA, Ear, GENERAL, Rig};

#[tokio::test]
async fn discord_says_who_we_are() {
    let rig = Rig::start().await;
    let adapter = rig.make(rig.context("support", &[GENERAL]));
    let me = adapter.connect().await.unwrap();
    assert_eq!(me.id.as_str(), BOT_USER);
}

#[tokio::test]
async fn a_token_that_is_no_good_says_where_to_get_another() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    rig.discord.revoke_token(BOT_TOKEN);
    let error = adapter.connect().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::AuthExpired(s) if s.contains("Reset Token") && !s.contains(BOT_TOKEN)),
        "{error}"
    );
    let failed = Ear::attach(&adapter).end().await.unwrap_err();
    assert!(matches!(failed, ChannelError::AuthExpired(_)), "{failed}");
}

#[tokio::test]
async fn an_app_that_may_not_read_says_what_to_switch_on() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    rig.discord.allow_message_content(false);
    for error in [
        adapter.connect().await.unwrap_err(),
        Ear::attach(&adapter).end().await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, ChannelError::Rejected(s) if s.contains("Message Content Intent")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_named_has_the_bot_and_the_named_channels_in_it() {
    let rig = Rig::start().await;
    let direct = rig.discord.add_dm(ADA);
    let in_server = |guild: &str, named: &[&str]| {
        let mut context = rig.context("support", named);
        context.settings.guild = Some(guild.to_owned());
        rig.make(context)
    };
    in_server(GUILD, &[GENERAL]).connect().await.unwrap();
    for (guild, named, advice) in [
        ("77", &[GENERAL][..], "invite it there"),
        (GUILD, &[&direct], "is not in the server"),
    ] {
        let error = in_server(guild, named).connect().await.unwrap_err();
        assert!(
            matches!(&error, ChannelError::Rejected(s) if s.contains(advice) && s.contains(guild)),
            "{error}"
        );
    }
    // Whatever one cannot see is not known to be elsewhere.
    rig.discord.set_visible(GENERAL, false);
    in_server(GUILD, &["999"]).connect().await.unwrap();
    rig.discord.fail_next("list_guild_channels", Fault::Http(503));
    let error = in_server(GUILD, &[]).connect().await.unwrap_err();
    assert!(matches!(error, ChannelError::ConnectionLost(_)), "{error}");
}

#[tokio::test]
async fn whether_a_session_may_begin_is_asked_without_beginning_one() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    let push = adapter.push().unwrap();
    push.probe().await.unwrap();
    rig.discord.leave_session_starts(0);
    let error = push.probe().await.unwrap_err();
    assert!(matches!(error, ChannelError::RateLimited { .. }), "{error}");
    assert_eq!(rig.discord.sessions(), 0);
}

#[tokio::test]
async fn a_discord_in_trouble_is_a_lost_connection() {
    let rig = Rig::start().await;
    let adapter = rig.make(rig.context("support", &[GENERAL]));
    for fault in [Fault::Http(503), Fault::CutBefore, Fault::Html] {
        rig.discord.fail_next("get_my_user", fault.clone());
        let error = adapter.connect().await.unwrap_err();
        assert!(
            matches!(error, ChannelError::ConnectionLost(_)),
            "{fault:?}: {error}"
        );
    }
    // Nobody holds the account any longer, nor a connection of its.
    drop(adapter);
    let fresh = rig.make(rig.context("support", &[GENERAL]));
    rig.discord.down().await;
    let error = fresh.connect().await.unwrap_err();
    assert_eq!(
        error,
        ChannelError::ConnectionLost("Discord cannot be reached".into())
    );
}

#[tokio::test]
async fn a_gateway_that_cannot_be_looked_up_is_not_looked_for_elsewhere() {
    let rig = Rig::start().await;
    let adapter = rig.channel("support", &[GENERAL]).await;
    rig.discord.fail_next("get_bot_gateway", Fault::Http(500));
    let error = Ear::attach(&adapter).end().await.unwrap_err();
    assert!(matches!(error, ChannelError::ConnectionLost(_)), "{error}");
    assert_eq!(rig.discord.connections(), 0);
}
