//! The local socket: who gets in, what is carried, and what a bad peer costs.

use futures_util::{FutureExt, future};
use kata_ipc::{
    event::view::{SideEffect, ToolDefault, ToolEffect, ToolView},
    socket::{
        Answers, Ask, AskError, ConnectError, Data, LINE_BYTES, ListenError, Listener, Rejected,
        RequestError, Requests, Secret, connect, listen,
    },
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::{fs::PermissionsExt, net},
    path::PathBuf,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

struct Daemon {
    listener: Listener,
    secret: Secret,
    _folder: TempDir,
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            listener: listen(folder.path().join("run/katad.sock")).unwrap(),
            secret: Secret::generate(),
            _folder: folder,
        }
    }

    /// Lets one client in, if it shows the secret.
    async fn let_in(&self) -> Option<(Requests, Answers)> {
        let guest = self.listener.accept().await.unwrap().greeted().await.ok()?;
        match guest.secret() {
            Some(secret) if self.secret.matches(secret) => Some(guest.welcome().await.unwrap()),
            _ => {
                guest.refuse("the secret is not known").await.unwrap();
                None
            }
        }
    }

    /// A client that was let in, by hand: what it writes is what stands on the wire.
    async fn by_hand(&self) -> (UnixStream, Requests, Answers) {
        let mut stream = UnixStream::connect(self.listener.path()).await.unwrap();
        let hello = format!("{{\"type\":\"hello\",\"secret\":\"{}\"}}\n", self.secret.expose());
        stream.write_all(hello.as_bytes()).await.unwrap();
        let (requests, answers) = self.let_in().await.expect("it shows the secret");
        assert_eq!(line(&mut stream).await, "{\"type\":\"hello\"}\n");
        (stream, requests, answers)
    }
}

async fn line(stream: &mut UnixStream) -> String {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        match stream.read_u8().await {
            Ok(byte) => line.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(line).unwrap()
}

fn tool() -> ToolView {
    ToolView {
        name: "slack_react".into(),
        plugin_id: "kata-slack".into(),
        description: "Adds a reaction.".into(),
        default: ToolDefault::Ask,
        effects: vec![ToolEffect::Writes],
        side_effect: SideEffect::Idempotent,
        input_schema: json!({"type": "object"}),
    }
}

#[tokio::test]
async fn questions_are_answered_in_any_order() {
    let daemon = Daemon::start();
    let secret = Some(daemon.secret.clone());
    let (served, connected) = tokio::join!(daemon.let_in(), connect(daemon.listener.path(), secret));
    let ((mut requests, answers), (client, link)) = (served.unwrap(), connected.unwrap());
    let serve = async {
        let first = requests.next().await.unwrap().unwrap();
        let second = requests.next().await.unwrap().unwrap();
        assert!(matches!(&first.ask, Ask::Call { tool, input } if tool == "slow" && input["n"] == 1));
        assert_eq!(second.ask, Ask::List);
        answers
            .send(second.id, Ok(Data::Tools(vec![tool()])))
            .await
            .unwrap();
        answers
            .send(first.id, Ok(Data::Output(json!({"said": "é"}))))
            .await
            .unwrap();
        assert!(requests.next().await.unwrap().is_none(), "the client is gone");
    };
    let ask = async move {
        let (called, tools) = tokio::join!(client.call("slow", json!({"n": 1})), client.list());
        assert_eq!(called.unwrap(), json!({"said": "é"}));
        assert_eq!(tools.unwrap(), [tool()]);
    };
    let (run, ()) = tokio::join!(link.run(), future::join(ask, serve).map(drop));
    run.unwrap();
}

#[tokio::test]
async fn a_call_that_is_refused_ends_with_the_daemons_sentence() {
    let daemon = Daemon::start();
    let secret = Some(daemon.secret.clone());
    let (served, connected) = tokio::join!(daemon.let_in(), connect(daemon.listener.path(), secret));
    let ((mut requests, answers), (client, link)) = (served.unwrap(), connected.unwrap());
    let serve = async {
        while let Some(request) = requests.next().await.unwrap() {
            let no = Err("slack_react is not allowed".to_owned());
            answers.send(request.id, no).await.unwrap();
        }
    };
    let ask = async move {
        let refused = client.call("slack_react", Value::Null).await.unwrap_err();
        assert_eq!(refused, AskError::Refused("slack_react is not allowed".into()));
        let revoked = client.revoke_grant(4).await.unwrap_err();
        assert!(matches!(revoked, AskError::Refused(_)));
    };
    let (run, ((), ())) = tokio::join!(link.run(), future::join(ask, serve));
    run.unwrap();
}

#[tokio::test]
async fn a_daemon_that_goes_away_ends_every_open_question() {
    let daemon = Daemon::start();
    let secret = Some(daemon.secret.clone());
    let (served, connected) = tokio::join!(daemon.let_in(), connect(daemon.listener.path(), secret));
    let ((mut requests, answers), (client, link)) = (served.unwrap(), connected.unwrap());
    let serve = async move {
        requests.next().await.unwrap().unwrap();
        drop((requests, answers));
    };
    let (run, asked, ()) = tokio::join!(link.run(), client.call("slow", Value::Null), serve);
    run.unwrap();
    assert_eq!(asked.unwrap_err(), AskError::Gone);
    assert_eq!(client.list().await.unwrap_err(), AskError::Gone);
}

#[tokio::test]
async fn a_client_without_the_secret_is_sent_away_with_a_sentence() {
    let daemon = Daemon::start();
    for wrong in [None, Some(Secret::generate()), Some(String::new().into())] {
        let (served, refused) = tokio::join!(daemon.let_in(), connect(daemon.listener.path(), wrong));
        assert!(served.is_none());
        let sentence = refused.unwrap_err().to_string();
        assert_eq!(sentence, "the secret is not known");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_say_hello_is_not_waited_for() {
    let daemon = Daemon::start();
    let _silent = UnixStream::connect(daemon.listener.path()).await.unwrap();
    let arrival = daemon.listener.accept().await.unwrap();
    assert!(matches!(arrival.greeted().await, Err(Rejected::Silent)));
}

#[tokio::test]
async fn a_first_line_that_is_no_hello_ends_the_connection() {
    let daemon = Daemon::start();
    for first in ["{\"id\":1,\"type\":\"list\"}\n", "nonsense\n", ""] {
        let mut stream = UnixStream::connect(daemon.listener.path()).await.unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let arrival = daemon.listener.accept().await.unwrap();
        assert!(
            matches!(arrival.greeted().await, Err(Rejected::NoHello)),
            "{first}"
        );
    }
}

#[tokio::test]
async fn a_request_that_is_not_understood_costs_an_answer_and_not_the_connection() {
    let daemon = Daemon::start();
    let (mut stream, mut requests, answers) = daemon.by_hand().await;
    stream
        .write_all(b"{\"id\":8,\"type\":\"teleport\"}\n{\"id\":9,\"type\":\"grants\"}\n")
        .await
        .unwrap();
    let Err(error @ RequestError::NotUnderstood { id: 8, .. }) = requests.next().await else {
        panic!("nobody can teleport")
    };
    assert!(!error.to_string().contains("teleport"), "{error}");
    let next = requests.next().await.unwrap().unwrap();
    assert_eq!((next.id, next.ask), (9, Ask::Grants));
    answers.send(9, Ok(Data::Grants(vec![]))).await.unwrap();
    assert_eq!(line(&mut stream).await, "{\"id\":9,\"ok\":true,\"data\":[]}\n");
}

#[tokio::test]
async fn a_line_without_end_ends_the_connection_and_is_not_kept() {
    let daemon = Daemon::start();
    let (mut stream, mut requests, _answers) = daemon.by_hand().await;
    let flood = async {
        let piece = vec![b'x'; 64 * 1024];
        // Until the daemon has enough of it.
        while stream.write_all(&piece).await.is_ok() {}
    };
    let refuse = async {
        assert!(matches!(requests.next().await, Err(RequestError::TooLong)));
        drop((requests, _answers));
    };
    tokio::join!(flood, refuse);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_a_sentence() {
    let daemon = Daemon::start();
    let (mut stream, _requests, answers) = daemon.by_hand().await;
    let huge = Data::Output("x".repeat(LINE_BYTES).into());
    answers.send(3, Ok(huge)).await.unwrap();
    let said: Value = serde_json::from_str(&line(&mut stream).await).unwrap();
    assert_eq!((&said["id"], &said["ok"]), (&json!(3), &json!(false)));
}

#[tokio::test]
async fn only_the_daemons_user_comes_near_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    // A directory that somebody made too open is closed.
    fs::create_dir(&run).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    let listener = listen(run.join("katad.sock")).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&run), 0o700);
    assert_eq!(mode(listener.path()), 0o600);
    let path = listener.path().to_owned();
    drop(listener);
    assert!(!path.exists(), "its file goes with it");
}

#[tokio::test]
async fn what_a_dead_daemon_left_is_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("katad.sock");
    // A listener of the standard library leaves its file behind.
    drop(net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let alive = listen(&path).unwrap();
    assert!(matches!(listen(&path), Err(ListenError::InUse { .. })));
    drop(alive);
    fs::write(&path, "notes").unwrap();
    assert!(matches!(listen(&path), Err(ListenError::NotASocket { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "notes");
}

#[tokio::test]
async fn a_path_that_the_system_does_not_take_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("x".repeat(120));
    let Err(error @ ListenError::PathTooLong(_)) = listen(&path) else {
        panic!("it is too long")
    };
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert!(matches!(
        connect(&path, None).await,
        Err(ConnectError::PathTooLong(_))
    ));
}

#[tokio::test]
async fn where_no_daemon_runs_the_path_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("katad.sock");
    let error = connect(&path, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no daemon answers at {}", path.display())
    );
}
