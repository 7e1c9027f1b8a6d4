//! What a test makes Slack's servers do: faults, outages, sockets, pages, tokens.

use std::{sync::PoisonError, time::Duration};

use super::{
    FakeSlack,
    fault::{Fault, Rate},
    hub::Redelivery,
    state::{PageOrder, Token},
};

/// # What Slack's servers do
impl FakeSlack {
    /// The next call of `method` meets `fault`; faults queue up. Besides the Web API's methods: `link` (the upgrade to
    /// a WebSocket: `Http`, `CutBefore`, `Hang`) and `response_url`.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.shared.change(|state| state.faults.script(method, fault));
    }

    /// Every call of `method` meets `fault`, until [`heal`](Self::heal).
    pub fn fail_always(&self, method: &str, fault: Fault) {
        self.shared
            .change(|state| state.faults.set_always(method, Some(fault)));
    }

    /// Ends [`fail_always`](Self::fail_always).
    pub fn heal(&self, method: &str) {
        self.shared.change(|state| state.faults.set_always(method, None));
    }

    /// From now on `method` answers 429 when it is called more often than `rate` says.
    pub fn limit(&self, method: &str, rate: Rate) {
        self.shared.change(|state| state.faults.set_rate(method, rate));
    }

    /// Refuses connections and cuts those that are open, until [`up`](Self::up).
    ///
    /// # Panics
    /// If the port cannot be kept.
    pub async fn down(&self) {
        self.port.down().await.expect("the port can be kept");
    }

    /// Serves again, on the same port.
    ///
    /// # Panics
    /// If the port cannot be listened on.
    pub async fn up(&self) {
        self.port.up().await.expect("the port is ours");
    }

    /// The open sockets go half-open: nothing is read from them or written to them, and they are not closed.
    pub fn silence_sockets(&self) {
        self.shared.change(|state| state.hub.fall_silent());
    }

    /// Cuts the open sockets' connections without a close frame.
    pub fn cut_sockets(&self) {
        self.shared.change(|state| state.hub.cut());
    }

    /// Sends a `disconnect` frame (`warning`, `refresh_requested`, `link_disabled`); told so, a socket gets no more
    /// events, its acknowledgements are still taken, and it stays until the app closes it.
    pub fn ask_to_disconnect(&self, reason: &str) {
        self.shared.change(|state| state.hub.disconnect(reason));
    }

    /// Forgets every event that was not acknowledged: Slack tried often enough.
    pub fn give_up_events(&self) {
        self.shared.change(|state| state.hub.give_up());
    }

    /// When unacknowledged events come again (60 s, three times). On a new socket they come at once.
    pub fn set_redelivery(&self, redelivery: Redelivery) {
        self.shared.change(|state| state.hub.redelivery = redelivery);
    }

    /// How often new sockets are pinged (10 s).
    pub fn ping_every(&self, every: Duration) {
        *self
            .shared
            .ping_every
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = every;
    }

    /// Which end history is served from.
    pub fn serve_pages(&self, order: PageOrder) {
        self.shared.change(|state| state.order = order);
    }

    /// No page holds more than `items`, whatever the caller's `limit` is.
    pub fn cap_pages(&self, items: usize) {
        self.shared.change(|state| state.page_cap = items);
    }

    /// Makes a further token known.
    pub fn add_token(&self, token: &str, app_level: bool) {
        self.shared.change(|state| {
            state.tokens.insert(
                token.to_owned(),
                Token {
                    app_level,
                    refused: None,
                },
            )
        });
    }

    /// From now on `token` is refused with `code` (`token_revoked`, `account_inactive`, …); `None` takes it back.
    pub fn refuse_token(&self, token: &str, code: Option<&'static str>) {
        self.shared.change(|state| {
            state
                .tokens
                .get_mut(token)
                .unwrap_or_else(|| panic!("unknown token"))
                .refused = code;
        });
    }

    /// Takes a scope from the app.
    pub fn revoke_scope(&self, scope: &str) {
        self.shared.change(|state| state.scopes.retain(|s| *s != scope));
    }

    /// Every `response_url` handed out so far is now older than half an hour.
    pub fn expire_response_urls(&self) {
        self.shared.change(|state| {
            state
                .response_urls
                .values_mut()
                .for_each(|url| url.expired = true)
        });
    }
}
