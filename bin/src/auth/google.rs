//! `katad auth gmail`: a person agrees in a browser, which comes back to a port that is open for that alone. What is said to Google
//! is kata-gmail's.

use kata_channel::Clock;
use kata_gmail::oauth::{self, SignIn};
use secrecy::ExposeSecret;

use super::{Given, asked};
use crate::{daemon::moved, terminal};

/// Asks for the client that people made for themselves, and signs in with it.
pub(super) fn sign_in() -> Result<Given, String> {
    let client = asked("Client id of a Google project, of kind \"desktop app\"")?
        .ok_or("no client id was given; nothing was stored")?;
    let with = SignIn {
        client_id: client.expose_secret().to_owned(),
        client_secret: asked("Its client secret")?,
        token_url: moved("KATA_GOOGLE_TOKEN_URL")?,
    };
    let runtime = crate::runtime().map_err(|why| why.to_string())?;
    let credential = runtime.block_on(oauth::sign_in(with, &Clock::system(), |address| {
        terminal::say(format_args!(
            "Open this address in a browser on this machine, and agree:\n\n{address}\n"
        ));
    }));
    Ok(Given {
        token: credential.map_err(|why| why.to_string())?.to_secret(),
        app_token: None,
    })
}
