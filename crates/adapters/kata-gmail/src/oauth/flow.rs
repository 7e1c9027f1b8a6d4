//! Signing in (RFC 8252): the person agrees in a browser, and Google sends it back to a port of this machine that is open
//! for that and no longer. PKCE (RFC 7636) makes the code useless to everybody else on the machine.

use std::{fmt, io, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use kata_channel::Clock;
use rand::RngExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use url::Url;

use super::{
    Credential, SCOPE,
    endpoint::{Denied, TokenEndpoint},
};
use crate::endpoint;

const AUTHORIZE: &str = "https://accounts.google.com/o/oauth2/v2/auth";
/// A person has so long to agree.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// A browser's request is short.
const LONGEST_REQUEST: usize = 16 << 10;
const READ_WITHIN: Duration = Duration::from_secs(5);
/// Browsers open connections ahead and say nothing on them: so many are listened to at once.
const MOST_CONNECTIONS: usize = 32;

/// What a sign-in is made with.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The client id of a Google project, of kind "desktop app".
    pub client_id: String,
    /// Its secret, which Google gives to desktop apps too.
    pub client_secret: Option<SecretString>,
    /// Google's token endpoint, when it was moved for tests or a proxy (`KATA_GOOGLE_TOKEN_URL`).
    pub token_url: Option<Url>,
}

/// Why there is no sign-in. Each is one sentence for the person at the desk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// No port, no certificates, no way to Google.
    #[error("{0}")]
    Environment(String),
    /// Nobody agreed in time.
    #[error("nobody agreed within {} minutes; run katad auth gmail again", PATIENCE.as_secs() / 60)]
    Late,
    /// Google, or the person, said no.
    #[error("Google gave no sign-in ({code}): {advice}", code = .0, advice = advice(.0))]
    Refused(String),
    /// An access token alone would end within the hour.
    #[error(
        "Google gave no refresh token: take the access of this client id away on https://myaccount.google.com/connections, then \
         run katad auth gmail again"
    )]
    NoRefreshToken,
    /// Without the permission the channel would fail later.
    #[error(
        "the permission to read and write mail was not ticked; run katad auth gmail again and agree to it"
    )]
    Scope,
}

/// One try to sign in: its secrets, and the address to which Google sends the browser back.
pub struct Flow {
    sign_in: SignIn,
    redirect: String,
    verifier: SecretString,
    state: String,
}

// === impl Flow ===

impl Flow {
    /// A try whose answer comes to `redirect`.
    #[must_use]
    pub fn new(sign_in: SignIn, redirect: impl Into<String>) -> Self {
        Self {
            sign_in,
            redirect: redirect.into(),
            verifier: random().into(),
            state: random(),
        }
    }

    /// Where the person agrees.
    ///
    /// # Panics
    /// Never: the address is a constant.
    #[must_use]
    pub fn url(&self) -> Url {
        let challenge = Sha256::digest(self.verifier.expose_secret().as_bytes());
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let pairs = [
            ("client_id", &*self.sign_in.client_id),
            ("redirect_uri", &self.redirect),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("state", &self.state),
            // Google gives a refresh token only where it asks anew.
            ("access_type", "offline"),
            ("prompt", "consent"),
        ];
        Url::parse_with_params(AUTHORIZE, pairs).expect("a constant address")
    }

    /// The code in the address that the browser came back to.
    ///
    /// # Errors
    /// It is no answer to this try (`None`), or a refusal.
    fn code(&self, path: &str) -> Option<Result<String, SignInError>> {
        let url = Url::parse("http://127.0.0.1").ok()?.join(path).ok()?;
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        };
        if value("state")? != self.state {
            return None;
        }
        match (value("code"), value("error")) {
            (Some(code), _) => Some(Ok(code)),
            (None, Some(error)) => Some(Err(refused(&error))),
            (None, None) => None,
        }
    }

    /// Exchanges the code for a sign-in.
    ///
    /// # Errors
    /// As [`SignInError`].
    pub async fn exchange(&self, code: &str, clock: &Clock) -> Result<Credential, SignInError> {
        let environment = |error: &dyn fmt::Display| SignInError::Environment(error.to_string());
        let tls = endpoint::tls().map_err(|e| environment(&e))?;
        let url = endpoint::token(self.sign_in.token_url.as_ref()).map_err(|e| environment(&e))?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.sign_in.client_id),
            ("redirect_uri", &self.redirect),
            ("code_verifier", self.verifier.expose_secret()),
        ];
        if let Some(secret) = &self.sign_in.client_secret {
            form.push(("client_secret", secret.expose_secret()));
        }
        let granted = match TokenEndpoint::new(url, &tls).ask(&form).await {
            Ok(granted) => granted,
            Err(Denied::Code(code)) => return Err(refused(&code)),
            Err(Denied::Other(error)) => return Err(environment(&error)),
        };
        if granted
            .scope
            .is_some_and(|scope| scope.split(' ').all(|one| one != SCOPE))
        {
            return Err(SignInError::Scope);
        }
        let lives = granted.refresh_token_expires_in.filter(|seconds| *seconds > 0);
        Ok(Credential::Refresh {
            refresh_token: granted.refresh_token.ok_or(SignInError::NoRefreshToken)?,
            client_id: self.sign_in.client_id.clone(),
            client_secret: self.sign_in.client_secret.clone(),
            expires_at: lives.map(|seconds| clock.wall() + Duration::from_secs(seconds)),
        })
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("redirect", &self.redirect)
            .finish_non_exhaustive()
    }
}

/// Signs a person in: `show` is given the address to agree at. The port is closed when this returns.
///
/// # Cancel safety
/// Dropped midway, the port is closed and nothing is kept.
///
/// # Errors
/// As [`SignInError`].
pub async fn sign_in(
    with: SignIn,
    clock: &Clock,
    show: impl FnOnce(&Url),
) -> Result<Credential, SignInError> {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(|why| no_port(&why))?;
    let port = listener.local_addr().map_err(|why| no_port(&why))?.port();
    let flow = Flow::new(with, format!("http://127.0.0.1:{port}"));
    show(&flow.url());
    let code = timeout(PATIENCE, answer(&listener, &flow))
        .await
        .map_err(|_| SignInError::Late)??;
    drop(listener);
    flow.exchange(&code, clock).await
}

/// Waits for the browser. Whatever else knocks (a favicon, a scanner) is told that there is nothing, and a connection on which
/// nothing is said keeps no other waiting.
async fn answer(listener: &TcpListener, flow: &Flow) -> Result<String, SignInError> {
    let mut knocking = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if knocking.len() < MOST_CONNECTIONS => match accepted {
                Ok((tcp, _)) => knocking.push(knock(tcp)),
                // It was gone before we looked.
                Err(why) if why.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(why) => return Err(no_port(&why)),
            },
            Some((mut tcp, path)) = knocking.next() => {
                let Some(answer) = path.and_then(|path| flow.code(&path)) else {
                    reply(&mut tcp, "404 Not Found", "There is nothing here.").await;
                    continue;
                };
                let said = match &answer {
                    Ok(_) => "katad has your answer, and says in its terminal what comes of it. You can close this page.",
                    Err(_) => "katad may not use this mailbox. You can close this page.",
                };
                reply(&mut tcp, "200 OK", said).await;
                return answer;
            }
        }
    }
}

/// A connection, and the path that it asks for.
async fn knock(mut tcp: TcpStream) -> (TcpStream, Option<String>) {
    let path = timeout(READ_WITHIN, path(&mut tcp)).await.ok().flatten();
    (tcp, path)
}

/// Reads the whole head: a connection that is closed with something unread is reset, and the browser shows no page.
async fn path(tcp: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = tcp.read(&mut chunk).await.ok()?;
        request.extend(&chunk[..read]);
        if read == 0 || request.len() > LONGEST_REQUEST {
            return None;
        }
    }
    let request = String::from_utf8_lossy(&request);
    let mut words = request.lines().next()?.split(' ');
    (words.next() == Some("GET")).then(|| words.next().map(str::to_owned))?
}

async fn reply(tcp: &mut TcpStream, status: &str, said: &str) {
    let reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        said.len()
    );
    // The browser's page is a courtesy.
    let _ = tcp.write_all(reply.as_bytes()).await;
    let _ = tcp.shutdown().await;
}

fn random() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    URL_SAFE_NO_PAD.encode(bytes)
}

fn no_port(why: &io::Error) -> SignInError {
    SignInError::Environment(format!("no port for the browser's answer: {why}"))
}

/// The way out, by the codes of <https://developers.google.com/identity/protocols/oauth2/native-app#error-codes> and RFC 6749.
fn advice(code: &str) -> &'static str {
    match code {
        "access_denied" => {
            "nobody agreed, or this account is none of the project's test users; run katad auth gmail again"
        }
        "invalid_client" | "unauthorized_client" | "deleted_client" => {
            "the client id and its secret are not those of a client of the kind \"desktop app\"; copy both anew from the \
             project's Clients page"
        }
        "invalid_grant" => "the code was used already, or is too old; run katad auth gmail again",
        "admin_policy_enforced" | "org_internal" => {
            "the administrators of this account's organisation do not let this client in; ask them to allow its client id"
        }
        _ => "run katad auth gmail again; docs/gmail.md says how the Google project has to be set up",
    }
}

fn refused(code: &str) -> SignInError {
    SignInError::Refused(code.chars().filter(char::is_ascii_graphic).take(60).collect())
}
