//! Whose mailbox it is, and what is missing.

use kata_channel::{ChannelError, settings::MailSettings};
use kata_testkit::gmail::{ADDRESS, Fault};

use crate::rig::Rig;

#[tokio::test]
async fn gmail_says_whose_mailbox_it_is() {
    let rig = Rig::start().await;
    let identity = rig
        .make(rig.context(MailSettings::default()))
        .connect()
        .await
        .unwrap();
    assert_eq!(identity.id.as_str(), ADDRESS);
    assert_eq!(rig.gmail.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_label_that_is_not_there_is_named_with_those_that_are() {
    let rig = Rig::start().await;
    let mut context = rig.context(MailSettings::default());
    context.filter.channel_ids = Some(vec!["Katta".into()]);
    let error = rig.make(context).connect().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::Rejected(s) if s.contains("Katta") && s.contains("Kata")),
        "{error}"
    );
    for named in ["kata", "Label_1"] {
        let mut context = rig.context(MailSettings::default());
        context.filter.channel_ids = Some(vec![named.into()]);
        rig.make(context).connect().await.unwrap();
    }
}

#[tokio::test]
async fn a_permission_that_is_needed_is_named_before_the_first_draft() {
    let rig = Rig::start().await;
    rig.gmail
        .grant_scope("https://www.googleapis.com/auth/gmail.readonly");
    let error = rig
        .make(rig.context(MailSettings::default()))
        .connect()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ChannelError::Rejected(s) if s.contains("gmail.modify")),
        "{error}"
    );
}

#[tokio::test]
async fn a_gmail_that_is_away_or_ill_is_worth_another_try() {
    let rig = Rig::start().await;
    let adapter = rig.make(rig.context(MailSettings::default()));
    for fault in [
        Fault::Refuse(503, "backendError"),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::Html,
    ] {
        // There is no access token yet, so each try asks for one first.
        rig.gmail.fail_next("token", fault.clone());
        let error = rig
            .make(rig.context(MailSettings::default()))
            .connect()
            .await
            .unwrap_err();
        assert!(
            matches!(error, ChannelError::ConnectionLost(_)),
            "token {fault:?}: {error}"
        );
        rig.gmail.fail_next("getProfile", fault.clone());
        let error = adapter.connect().await.unwrap_err();
        assert!(
            matches!(error, ChannelError::ConnectionLost(_)),
            "getProfile {fault:?}: {error}"
        );
        rig.time.advance(std::time::Duration::from_secs(3600));
    }
    rig.gmail.down().await;
    assert!(matches!(
        adapter.connect().await,
        Err(ChannelError::ConnectionLost(_))
    ));
    rig.gmail.up().await;
    adapter.connect().await.unwrap();
}

#[tokio::test]
async fn each_refusal_is_what_it_means() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    for (status, reason, code) in [
        (403, "rateLimitExceeded", "rate_limited"),
        (403, "userRateLimitExceeded", "rate_limited"),
        (403, "insufficientPermissions", "rejected"),
        (403, "accessNotConfigured", "rejected"),
        (403, "domainPolicy", "rejected"),
    ] {
        rig.gmail.fail_next("getProfile", Fault::Refuse(status, reason));
        assert_eq!(adapter.connect().await.unwrap_err().code(), code, "{reason}");
    }
    rig.gmail
        .fail_next("getProfile", Fault::RateLimited { retry_after: 7 });
    let error = adapter.connect().await.unwrap_err();
    assert_eq!(
        error.retry_after(),
        Some(std::time::Duration::from_secs(7)),
        "{error:?}"
    );
}
