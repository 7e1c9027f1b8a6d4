//! A session with the gateway, which outlives its socket: <https://docs.discord.com/developers/events/gateway#resuming>.

use url::Url;

/// A session that fails to resume this often in a row is given up.
const TRIES: u32 = 3;

/// What it takes to resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: String,
    /// Where Discord wants it resumed.
    pub(super) url: Url,
    /// The last event before which nothing waits to be stored. What came later comes again (D1).
    pub(super) stored: u64,
    /// Attempts to resume it since it last was.
    tries: u32,
}

// === impl Session ===

impl Session {
    pub(super) fn new(id: String, url: Url, stored: u64) -> Self {
        Self {
            id,
            url,
            stored,
            tries: 0,
        }
    }

    /// One more attempt to resume it; `false` = it has failed too often.
    pub(super) fn try_again(&mut self) -> bool {
        self.tries += 1;
        self.tries <= TRIES
    }

    /// It was resumed.
    pub(super) fn resumed(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_fails_again_and_again_is_given_up() {
        let url = "wss://gateway.discord.gg".parse().unwrap();
        let mut session = Session::new("s".into(), url, 0);
        let tries = |session: &mut Session| (0..5).map(|_| session.try_again()).collect::<Vec<_>>();
        assert_eq!(tries(&mut session), [true, true, true, false, false]);
        session.resumed();
        assert!(session.try_again());
    }
}
