//! `katad auth gmail`: a person agrees in a browser, and the daemon reads mail from then on.

use std::{fs, os::unix::fs::PermissionsExt};

use kata_testkit::{
    Done, Katad, SLUG, Served, WORKSPACE,
    gmail::{CLIENT_ID, CLIENT_SECRET, FakeGmail, Fault, NewMail, browse},
    host::{Channel, Home},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use url::Url;

use crate::app_store;

/// A mailbox with the label `Kata`, and a config directory with a channel for it and an agent.
struct Scene {
    gmail: FakeGmail,
    home: Home,
}

impl Scene {
    async fn set() -> Self {
        let gmail = FakeGmail::start().await;
        gmail.add_label("Kata");
        let home = Home::new();
        home.list_workspaces(&[WORKSPACE]);
        home.write_settings(&json!({"agent": {"backend": "echo"}}));
        let channel = Channel::gmail(SLUG, 1000).conversations(&["Kata"]);
        channel.write(&home.workspace(WORKSPACE));
        Self { gmail, home }
    }

    fn katad(&self, arguments: &[&str]) -> Katad {
        let katad = self.home.katad(&self.gmail, arguments);
        katad.env("KATA_GOOGLE_TOKEN_URL", self.gmail.token_url())
    }

    /// The command, its questions answered, waiting for a browser; and the address that it shows.
    async fn signing_in(&self) -> (Served, Url) {
        let typed = format!("{CLIENT_ID}\n{CLIENT_SECRET}\n");
        let asking = self.katad(&["auth", "gmail"]).stdin(&typed).serve();
        let shown = asking.wait_printed("https://accounts.google.com/").await;
        (asking, shown.parse().expect("an address"))
    }

    /// Where a browser is sent back to that goes to the address.
    async fn sent_back(&self, shown: &Url) -> Url {
        let google = browse(&self.gmail.here(shown)).await;
        assert_eq!(google.status, 302, "{google:?}");
        google.location.expect("an address to come back to")
    }

    /// What is stored, if anything.
    fn stored(&self) -> Option<Value> {
        let file = fs::read(self.tokens()).ok()?;
        let tokens: Value = serde_json::from_slice(&file).expect("JSON");
        let kept = tokens["tokens"][WORKSPACE][SLUG]["value"].as_str()?;
        Some(serde_json::from_str(kept).expect("JSON"))
    }

    fn tokens(&self) -> std::path::PathBuf {
        self.home.path().join("state/tokens.json")
    }
}

/// How it ended, once nothing listens any more. Its secrets are in nothing that it said.
async fn ended(asking: &Served, back: &Url) -> Done {
    let code = asking.wait_exit().await;
    let port = back.port().expect("a port");
    let knock = TcpStream::connect(("127.0.0.1", port)).await;
    assert!(knock.is_err(), "the port is closed");
    let done = Done {
        code,
        stdout: asking.printed(),
        stderr: asking.logged(),
    };
    let said = format!("{}{}", done.stdout, done.stderr);
    for secret in [CLIENT_SECRET, "1//", "ya29."] {
        assert!(!said.contains(secret), "{said}");
    }
    done
}

/// A refusal: one sentence, and nothing stored.
fn assert_refused(scene: &Scene, done: &Done, says: &[&str]) {
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    for part in says {
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    assert_eq!(scene.stored(), None);
}

#[tokio::test]
async fn a_person_agrees_in_a_browser_and_mail_is_read_without_the_app() {
    let scene = Scene::set().await;
    let (asking, shown) = scene.signing_in().await;
    let back = scene.sent_back(&shown).await;

    // What is none of Google's answers changes nothing.
    let mut knock = back.clone();
    knock.set_path("/favicon.ico");
    knock.set_query(None);
    assert_eq!(browse(&knock).await.status, 404);
    let mut forged = back.clone();
    forged.set_query(Some("code=4/evil&state=guess"));
    assert_eq!(browse(&forged).await.status, 404);
    assert!(asking.is_running());

    let page = browse(&back).await;
    assert!(page.page.contains("You can close this page"), "{page:?}");
    let done = ended(&asking, &back).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("The token is good"), "{}", done.stdout);
    let mode = fs::metadata(scene.tokens()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stored = scene.stored().unwrap();
    assert_eq!(
        (&stored["clientId"], &stored["clientSecret"]),
        (&json!(CLIENT_ID), &json!(CLIENT_SECRET))
    );
    let refresh = stored["refreshToken"].as_str().unwrap();
    assert!(refresh.starts_with("1//"), "{stored}");

    let served = scene.katad(&["serve"]).serve();
    served.wait_log(&["the channel is connected"]).await;
    scene.gmail.wait_calls("history.list", 1).await;
    let mail = NewMail::from("ada@example.org").label("Kata");
    scene.gmail.arrives(mail.text("How much?"));
    let drafts = scene.gmail.wait_drafted(1).await;
    assert!(drafts[0].text.contains("How much?"), "{}", drafts[0].text);
    assert_eq!(served.terminate().await, Some(0));
    let logged = served.logged();
    assert!(!logged.contains(refresh) && !logged.contains(CLIENT_SECRET) && !logged.contains("ya29."));
    assert_eq!(scene.gmail.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_person_who_does_not_agree_is_told_and_nothing_is_stored() {
    let scene = Scene::set().await;
    scene.gmail.denies(Some("access_denied"));
    let (asking, shown) = scene.signing_in().await;
    let back = scene.sent_back(&shown).await;
    assert!(browse(&back).await.page.contains("may not use this mailbox"));
    let done = ended(&asking, &back).await;
    assert_refused(&scene, &done, &["access_denied", "test users"]);
    assert!(scene.gmail.calls("token").is_empty(), "there was no code");
}

#[tokio::test]
async fn a_sign_in_that_cannot_do_the_channels_work_is_refused() {
    for (prepare, says) in [
        (
            (|gmail| gmail.grant_scope("https://www.googleapis.com/auth/gmail.readonly")) as fn(&FakeGmail),
            "was not ticked",
        ),
        (FakeGmail::withholds_refresh_tokens, "no refresh token"),
        (
            |gmail| gmail.fail_next("getProfile", Fault::Refuse(403, "accessNotConfigured")),
            "Gmail API",
        ),
        (
            |gmail| gmail.fail_next("token", Fault::Html),
            "no answer that can be read",
        ),
    ] {
        let scene = Scene::set().await;
        prepare(&scene.gmail);
        let (asking, shown) = scene.signing_in().await;
        let back = scene.sent_back(&shown).await;
        browse(&back).await;
        let done = ended(&asking, &back).await;
        assert_refused(&scene, &done, &[says]);
    }
}

#[tokio::test]
async fn a_browser_that_never_comes_is_waited_for_until_somebody_ends_it() {
    let scene = Scene::set().await;
    let (asking, shown) = scene.signing_in().await;
    let back = scene.sent_back(&shown).await;
    assert!(asking.is_running());
    // As Ctrl-C does, but that a shell may have had its background jobs ignore that one.
    asking.signal(Signal::TERM);
    let done = ended(&asking, &back).await;
    assert_eq!((done.code, &*done.stderr), (None, ""), "ended by the signal");
    assert_eq!(scene.stored(), None);
    assert!(scene.gmail.calls("token").is_empty());

    // Nobody to ask for the client: nothing is opened at all.
    let done = scene.katad(&["auth", "gmail"]).run().await;
    assert_refused(&scene, &done, &["no client id was given"]);
}

#[tokio::test]
async fn the_apps_google_token_is_used_until_it_ends_and_then_our_own() {
    let scene = Scene::set().await;
    let root = scene.home.workspace(WORKSPACE);
    fs::remove_dir_all(root.join("channels")).unwrap();
    let source = root.join("sources").join(SLUG);
    fs::create_dir_all(&source).unwrap();
    let config = json!({"type": "api", "channel": {"adapter": "gmail", "gmailLabel": "Kata"}});
    fs::write(source.join("config.json"), config.to_string()).unwrap();
    let account = format!("source_oauth::{WORKSPACE}::{SLUG}");
    app_store::write_all(
        &scene.home.person(),
        &json!({account: {"value": "ya29.of-the-app", "refreshToken": "1//of-the-app", "expiresAt": 1}}),
    );
    let served = scene.katad(&["serve"]).serve();
    served.wait_log(&["needs a new token", "katad auth gmail"]).await;
    assert!(
        scene.gmail.calls("token").is_empty(),
        "the app's refresh token is not ours"
    );

    let mark = served.mark();
    let (asking, shown) = scene.signing_in().await;
    let back = scene.sent_back(&shown).await;
    browse(&back).await;
    assert_eq!(ended(&asking, &back).await.code, Some(0));
    served.wait_log_since(mark, &["the channel is connected"]).await;
    scene.gmail.wait_calls("history.list", 1).await;
    scene
        .gmail
        .arrives(NewMail::from("ada@example.org").label("Kata"));
    scene.gmail.wait_drafted(1).await;
}
