//! Access tokens of one sign-in: one lock, refreshed ahead of time, and once Google has said that the sign-in is over,
//! nothing is asked any more.

use std::{error::Error, fmt, pin::Pin, sync::Arc, time::Duration};

use google_apis_common::GetToken;
use kata_channel::{Clock, Timestamp};
use rustls::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::{
    Credential, TokenError,
    endpoint::{Denied, Granted, TokenEndpoint},
};

/// An access token with less left is exchanged before it is used.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// One that lives so long is used though a new one cannot be had now.
const LAST: Duration = Duration::from_secs(30);
/// Google's usual, should it forget to say.
const USUAL: u64 = 3600;
/// A sign-in that ends is named so long before.
const NAMED_AHEAD: Duration = Duration::from_secs(48 * 3600);

/// Two tellings of one end do not differ by more.
const SAME_END: Duration = Duration::from_secs(3600);

/// The access tokens of one sign-in. Clones share them.
#[derive(Clone)]
pub(crate) struct Tokens(Arc<Inner>);

struct Inner {
    endpoint: TokenEndpoint,
    credential: Credential,
    clock: Clock,
    /// Held while Google is asked, so that it is asked once.
    state: Mutex<State>,
    /// What is told without waiting for Google.
    told: std::sync::Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// When the sign-in ends by itself.
    ends: Option<Timestamp>,
    scopes: Option<String>,
    over: Option<String>,
}

#[derive(Default)]
struct State {
    access: Option<Access>,
    over: Option<TokenError>,
}

#[derive(Clone)]
struct Access {
    token: SecretString,
    until: Timestamp,
}

// === impl Tokens ===

impl Tokens {
    pub(crate) fn new(credential: Credential, url: String, tls: &ClientConfig, clock: Clock) -> Self {
        let (access, ends) = match &credential {
            Credential::Refresh { expires_at, .. } => (None, *expires_at),
            Credential::Access {
                access_token,
                expires_at,
            } => {
                let until = expires_at.unwrap_or(clock.wall() + Duration::from_secs(USUAL));
                (
                    Some(Access {
                        token: access_token.clone(),
                        until,
                    }),
                    None,
                )
            }
        };
        Self(Arc::new(Inner {
            endpoint: TokenEndpoint::new(url, tls),
            credential,
            clock,
            state: Mutex::new(State { access, over: None }),
            told: std::sync::Mutex::new(Told {
                ends,
                ..Told::default()
            }),
        }))
    }

    pub(crate) fn is_for(&self, credential: &Credential) -> bool {
        self.0.credential.is_same(credential)
    }

    /// A token that is good now.
    ///
    /// # Errors
    /// There is none. Once the sign-in is over this is said without asking.
    pub(crate) async fn token(&self) -> Result<SecretString, TokenError> {
        let mut state = self.0.state.lock().await;
        if let Some(over) = &state.over {
            return Err(over.clone());
        }
        let now = self.0.clock.wall();
        let lives = |access: &Access, more: Duration| access.until > now + more;
        if let Some(access) = state.access.as_ref().filter(|access| lives(access, AHEAD)) {
            return Ok(access.token.clone());
        }
        match self.refresh(now).await {
            Ok(access) => {
                state.access = Some(access.clone());
                Ok(access.token)
            }
            Err(error) => {
                if let Some(access) = state.access.as_ref().filter(|access| lives(access, LAST)) {
                    return Ok(access.token.clone());
                }
                if let TokenError::Expired(said) = &error {
                    state.over = Some(error.clone());
                    self.told().over = Some(said.clone());
                }
                Err(error)
            }
        }
    }

    /// Google refused a token with a 401: the next one is a new one. `false` = there will be none.
    pub(crate) async fn refused(&self, refused: &SecretString) -> bool {
        let mut state = self.0.state.lock().await;
        let is_current = state
            .access
            .as_ref()
            .is_some_and(|access| access.token.expose_secret() == refused.expose_secret());
        if is_current {
            state.access = None;
        }
        matches!(self.0.credential, Credential::Refresh { .. }) && state.over.is_none()
    }

    /// What the sign-in may do, once Google has said it.
    pub(crate) fn scopes(&self) -> Option<String> {
        self.told().scopes.clone()
    }

    /// The sign-in has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.told().over.is_some()
    }

    /// Why the sign-in has ended, or that it does within two days, as a sentence.
    pub(crate) fn trouble(&self) -> Option<String> {
        let over = self.told().over.clone();
        over.or_else(|| self.warning())
    }

    /// A sign-in that ends within two days, as a sentence.
    pub(crate) fn warning(&self) -> Option<String> {
        let ends = self.told().ends?;
        let now = self.0.clock.wall();
        (ends <= now + NAMED_AHEAD).then(|| {
            format!(
                "the Google sign-in ends {}: while a Google project is in testing, its sign-ins last seven days; run katad auth \
                 gmail before then, or publish the project",
                ends.to_iso()
            )
        })
    }

    async fn refresh(&self, now: Timestamp) -> Result<Access, TokenError> {
        let Credential::Refresh {
            refresh_token,
            client_id,
            client_secret,
            ..
        } = &self.0.credential
        else {
            return Err(TokenError::Expired(
                "the Google sign-in of the desktop app has ended, and only the app can renew it: run katad auth gmail for one of \
                 katad's own"
                    .into(),
            ));
        };
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
            ("client_id", client_id),
        ];
        if let Some(secret) = client_secret {
            form.push(("client_secret", secret.expose_secret()));
        }
        match self.0.endpoint.ask(&form).await {
            Ok(granted) => {
                self.note(&granted, now);
                let lives = Duration::from_secs(granted.expires_in.unwrap_or(USUAL));
                Ok(Access {
                    token: granted.access_token,
                    until: now + lives,
                })
            }
            Err(Denied::Other(error)) => Err(error),
            Err(Denied::Code(code)) => Err(TokenError::Expired(self.verdict(&code, now))),
        }
    }

    fn note(&self, granted: &Granted, now: Timestamp) {
        let mut told = self.told();
        if let Some(seconds) = granted.refresh_token_expires_in.filter(|seconds| *seconds > 0) {
            let ends = now + Duration::from_secs(seconds);
            // Each exchange tells it in seconds from then. The same end is told in the same words, which are said once.
            let moved = told.ends.map(|known| known.since(ends).max(ends.since(known)));
            if moved.is_none_or(|by| by > SAME_END) {
                told.ends = Some(ends);
            }
        }
        if let Some(scopes) = &granted.scope {
            told.scopes = Some(scopes.clone());
        }
    }

    /// Why there will be no more tokens, and the way out.
    fn verdict(&self, code: &str, now: Timestamp) -> String {
        let ended = self.told().ends.is_some_and(|ends| ends <= now + LAST);
        match code {
            "invalid_grant" if ended => "the Google sign-in has ended after its seven days, as sign-ins of a Google project in \
                                         testing do: publish the project, and run katad auth gmail"
                .into(),
            "invalid_grant" => "the Google sign-in was revoked or has ended (a Google project in testing ends each after seven \
                                days): run katad auth gmail"
                .into(),
            "invalid_client" | "unauthorized_client" | "deleted_client" => {
                "Google does not know the client id of this sign-in, or its secret: check both, and run katad auth gmail".into()
            }
            code => {
                let code: String = code.chars().filter(char::is_ascii_graphic).take(60).collect();
                format!("Google refuses this sign-in ({code}): run katad auth gmail")
            }
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0
            .told
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl GetToken for Tokens {
    fn get_token<'a>(
        &'a self,
        _scopes: &'a [&str],
    ) -> Pin<Box<dyn Future<Output = Result<Option<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>> {
        Box::pin(async move {
            let token = self.token().await?;
            Ok(Some(token.expose_secret().to_owned()))
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("credential", &self.0.credential)
            .finish_non_exhaustive()
    }
}
