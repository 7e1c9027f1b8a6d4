//! Sign-ins: refreshed ahead of time, once; over when Google says so, said once; begun with PKCE.

use std::time::Duration;

use kata_channel::{ChannelError, Clock, settings::MailSettings};
use kata_gmail::oauth::{Credential, Flow, SignIn, SignInError, sign_in};
use kata_plugin::{ChannelContext, Health};
use kata_testkit::gmail::{CLIENT_ID, CLIENT_SECRET, FakeGmail, Fault, browse};
use tokio::net::TcpStream;
use url::Url;

use crate::rig::Rig;

fn asked(gmail: &FakeGmail) -> usize {
    gmail.calls("token").len()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_exchanged_before_it_ends() {
    let rig = Rig::start().await;
    let adapter = rig.make(rig.context(MailSettings::default()));
    let (a, b, c) = tokio::join!(adapter.connect(), adapter.connect(), adapter.connect());
    a.and(b).and(c).unwrap();
    assert_eq!(asked(&rig.gmail), 1);
    rig.time.advance(Duration::from_secs(54 * 60));
    adapter.connect().await.unwrap();
    assert_eq!(asked(&rig.gmail), 1);
    rig.time.advance(Duration::from_secs(2 * 60));
    adapter.connect().await.unwrap();
    assert_eq!(asked(&rig.gmail), 2, "five minutes ahead");
    // While a token is good, an endpoint that is ill is nobody's trouble.
    rig.time.advance(Duration::from_secs(56 * 60));
    rig.gmail.fail_next("token", Fault::Refuse(503, "x"));
    adapter.connect().await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_refused_is_exchanged_and_the_call_made_again() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    rig.gmail.expire_access_tokens();
    adapter.connect().await.unwrap();
    assert_eq!(asked(&rig.gmail), 2);
    rig.gmail
        .fail_always("getProfile", Fault::Refuse(401, "authError"));
    assert!(matches!(
        adapter.connect().await,
        Err(ChannelError::AuthExpired(_))
    ));
}

#[tokio::test]
async fn a_sign_in_that_is_over_is_said_and_nothing_is_asked_again() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    rig.gmail.revoke();
    for _ in 0..3 {
        let error = adapter.connect().await.unwrap_err();
        assert!(
            matches!(&error, ChannelError::AuthExpired(s) if s.contains("katad auth gmail")),
            "{error}"
        );
        assert!(!error.to_string().contains("1//"), "{error}");
    }
    assert_eq!(asked(&rig.gmail), 2);
}

#[tokio::test]
async fn the_death_of_a_sign_in_in_testing_is_named_two_days_ahead() {
    let rig = Rig::start().await;
    rig.gmail.sign_ins_live(7 * 24 * 3600);
    let adapter = rig.channel(MailSettings::default()).await;
    assert_eq!(adapter.warning(), None);
    rig.time.advance(Duration::from_secs(5 * 24 * 3600));
    let said = adapter.warning().unwrap();
    assert!(
        said.contains("seven days") && said.contains("katad auth gmail"),
        "{said}"
    );
    rig.time.advance(Duration::from_secs(2 * 24 * 3600 + 60));
    rig.gmail.revoke();
    let error = adapter.connect().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::AuthExpired(s) if s.contains("seven days")),
        "{error}"
    );
}

#[tokio::test]
async fn an_end_that_is_told_at_each_exchange_is_named_in_the_same_words() {
    let rig = Rig::start().await;
    let mut left = 47 * 3600;
    rig.gmail.sign_ins_live(left);
    let adapter = rig.channel(MailSettings::default()).await;
    let said = adapter.warning().unwrap();
    for _ in 0..5 {
        rig.time.advance(Duration::from_millis(3_600_700));
        left -= 3601;
        rig.gmail.sign_ins_live(left);
        adapter.connect().await.unwrap();
        assert_eq!(
            adapter.warning().as_ref(),
            Some(&said),
            "who has read it once need not again"
        );
    }
    assert_eq!(asked(&rig.gmail), 6);
}

#[tokio::test]
async fn a_token_of_the_apps_is_used_until_it_ends() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    adapter.connect().await.unwrap();
    let ends = rig.now() + Duration::from_secs(600);
    let credential = Credential::Access {
        access_token: "ya29.2".into(),
        expires_at: Some(ends),
    };
    let mut context = ChannelContext {
        token: Some(credential.to_secret()),
        ..rig.context(MailSettings::default())
    };
    context.key = kata_channel::ChannelKey::new("w1", "apps");
    let adapter = rig.make(context);
    adapter.connect().await.unwrap();
    rig.time.advance(Duration::from_secs(601));
    let error = adapter.connect().await.unwrap_err();
    assert!(
        matches!(&error, ChannelError::AuthExpired(s) if s.contains("katad auth gmail")),
        "{error}"
    );
}

fn who(gmail: &FakeGmail) -> SignIn {
    SignIn {
        client_id: CLIENT_ID.into(),
        client_secret: Some(CLIENT_SECRET.into()),
        token_url: Some(gmail.token_url().parse().unwrap()),
    }
}

#[tokio::test]
async fn a_person_signs_in_by_the_browser() {
    let rig = Rig::start().await;
    rig.gmail.sign_ins_live(604_799);
    let gmail = &rig.gmail;
    let (shown, seen) = tokio::sync::oneshot::channel();
    let clock = rig.time.clock();
    let signing = sign_in(who(gmail), &clock, |url| shown.send(url.clone()).unwrap());
    let person = async {
        let url = seen.await.unwrap();
        let back = gmail.agrees(&url);
        let mut knock = back.clone();
        knock.set_path("/favicon.ico");
        knock.set_query(None);
        assert_eq!(browse(&knock).await.status, 404);
        // A connection that a browser opened ahead, on which nothing is said, keeps nobody waiting.
        let _ahead = TcpStream::connect(("127.0.0.1", back.port().unwrap()))
            .await
            .unwrap();
        let mut forged = back.clone();
        forged.set_query(Some("code=4/evil&state=guess"));
        assert_eq!(browse(&forged).await.status, 404, "another's state is no answer");
        assert!(browse(&back).await.page.contains("You can close this page"));
        back
    };
    let (credential, back) = tokio::join!(signing, person);
    let credential = credential.unwrap();
    assert!(matches!(
        credential,
        Credential::Refresh {
            expires_at: Some(_),
            ..
        }
    ));
    assert!(
        TcpStream::connect(("127.0.0.1", back.port().unwrap()))
            .await
            .is_err(),
        "the port is closed"
    );
    let context = ChannelContext {
        token: Some(credential.to_secret()),
        ..rig.context(MailSettings::default())
    };
    rig.make(context).connect().await.unwrap();
}

#[tokio::test]
async fn a_sign_in_that_google_does_not_give_says_why_and_what_to_do() {
    let gmail = FakeGmail::start().await;
    let clock = Clock::system();
    gmail.denies(Some("access_denied"));
    let (shown, seen) = tokio::sync::oneshot::channel();
    let signing = sign_in(who(&gmail), &clock, |url| shown.send(url.clone()).unwrap());
    let person = async { browse(&gmail.agrees(&seen.await.unwrap())).await };
    let (refused, page) = tokio::join!(signing, person);
    assert!(page.page.contains("may not use this mailbox"), "{page:?}");
    let refused = refused.unwrap_err();
    assert_eq!(refused, SignInError::Refused("access_denied".into()));
    assert!(refused.to_string().contains("test users"), "{refused}");

    gmail.denies(None);
    gmail.withholds_refresh_tokens();
    let flow = Flow::new(who(&gmail), "http://127.0.0.1:1");
    let refused = flow.exchange(&code(&gmail, &flow), &clock).await.unwrap_err();
    assert_eq!(refused, SignInError::NoRefreshToken);

    let other = SignIn {
        client_secret: Some("another".into()),
        ..who(&gmail)
    };
    let flow = Flow::new(other, "http://127.0.0.1:1");
    let refused = flow.exchange(&code(&gmail, &flow), &clock).await.unwrap_err();
    assert!(refused.to_string().contains("Clients page"), "{refused}");
    assert!(!refused.to_string().contains("another"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_without_end() {
    let gmail = FakeGmail::start().await;
    let mut port = None;
    let clock = Clock::system();
    let late = sign_in(who(&gmail), &clock, |url| {
        let (_, back) = url
            .query_pairs()
            .find(|(name, _)| name == "redirect_uri")
            .unwrap();
        port = Url::parse(&back).unwrap().port();
    });
    assert_eq!(late.await.unwrap_err(), SignInError::Late);
    let knock = TcpStream::connect(("127.0.0.1", port.unwrap())).await;
    assert!(knock.is_err(), "the port is closed");
}

/// The code that a person's agreeing brings back.
fn code(gmail: &FakeGmail, flow: &Flow) -> String {
    let back = gmail.agrees(&flow.url());
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    code.into_owned()
}

#[tokio::test]
async fn a_code_is_useless_without_its_verifier() {
    let rig = Rig::start().await;
    let clock = rig.time.clock();
    let flow = Flow::new(who(&rig.gmail), "http://127.0.0.1:1");
    let code = code(&rig.gmail, &flow);
    let thief = Flow::new(who(&rig.gmail), "http://127.0.0.1:1");
    assert!(matches!(
        thief.exchange(&code, &clock).await,
        Err(SignInError::Refused(_))
    ));
}

#[tokio::test]
async fn a_permission_that_was_not_ticked_is_said_at_once() {
    let rig = Rig::start().await;
    rig.gmail.grant_scope("openid");
    let clock = rig.time.clock();
    let flow = Flow::new(who(&rig.gmail), "http://127.0.0.1:1");
    let code = code(&rig.gmail, &flow);
    assert_eq!(
        flow.exchange(&code, &clock).await.unwrap_err(),
        SignInError::Scope
    );
}

#[tokio::test]
async fn the_service_says_what_a_person_must_know() {
    let rig = Rig::start().await;
    let adapter = rig.channel(MailSettings::default()).await;
    let service = rig.service();
    let (context, stop) = rig.service_context();
    let trouble = async {
        // Both run on this task: the service has begun when this is polled.
        assert_eq!(service.health(), Health::Healthy);
        rig.gmail.revoke();
        adapter.connect().await.unwrap_err();
        let health = service.health();
        assert!(
            matches!(&health, Health::Unhealthy { reason } if reason.contains("katad auth gmail")),
            "{health:?}"
        );
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(service.run(context), trouble);
    ended.unwrap();
}
