//! What a test makes happen: mail, labels, faults, sign-ins that end.

use super::{FakeGmail, NewMail, authorize, fault::Fault};

/// # What happens in the mailbox
impl FakeGmail {
    /// The user makes a label; gives its id.
    pub fn add_label(&self, name: &str) -> String {
        self.shared.change(|state| {
            let id = format!("Label_{}", state.next());
            state.labels.insert(id.clone(), name.to_owned());
            id
        })
    }

    /// A mail comes in; gives its id.
    pub fn arrives(&self, mail: NewMail) -> String {
        self.shared.change(|state| {
            let labels = mail.labels.iter().map(|label| state.label_id(label)).collect();
            let raw = mail.bytes(&format!("m{}", state.serial + 1));
            let id = state.store(raw, labels, mail.thread.clone());
            if state.stutters {
                state.put_label(&id, "IMPORTANT");
            }
            id
        })
    }

    /// The user labels a mail, by the label's name.
    pub fn labels(&self, message: &str, label: &str) {
        self.shared.change(|state| {
            let label = state.label_id(label);
            state.put_label(message, &label);
        });
    }

    /// The user deletes a label, by its id; mail stays.
    pub fn removes_label(&self, id: &str) {
        self.shared.change(|state| {
            state.labels.remove(id);
            for stored in state.mail.values_mut() {
                stored.labels.retain(|label| label != id);
            }
        });
    }

    /// The user puts a mail into the bin: it leaves the inbox, and keeps his own labels.
    pub fn bins(&self, message: &str) {
        self.shared.change(|state| {
            state.put_label(message, "TRASH");
            if let Some(stored) = state.mail.get_mut(message) {
                stored.labels.retain(|label| label != "INBOX");
            }
        });
    }

    /// A mail is gone for good.
    pub fn deletes(&self, message: &str) {
        self.shared.change(|state| state.mail.remove(message));
    }

    /// From now on each mail is told of twice: Gmail finds it important a moment after it came in.
    pub fn tells_twice(&self) {
        self.shared.change(|state| state.stutters = true);
    }

    /// Mail is dated so much earlier.
    pub fn ages(&self, message: &str, by: std::time::Duration) {
        self.shared.change(|state| {
            if let Some(stored) = state.mail.get_mut(message) {
                stored.date -= i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            }
        });
    }

    /// Something happens to other mail, and Google forgets the history so far.
    pub fn forgets_history(&self) {
        self.shared.change(|state| {
            state.history += 3;
            state.forgotten = state.history;
            state.is_read = false;
        });
    }

    /// From now on the search does not know new mail, until [`index_catches_up`](Self::index_catches_up).
    pub fn index_lags(&self) {
        self.shared.change(|state| state.index_lags = true);
    }

    /// The search knows all mail.
    pub fn index_catches_up(&self) {
        self.shared.change(|state| {
            state.index_lags = false;
            state.unindexed.clear();
        });
    }

    /// From now on Google puts a Message-ID of its own in place of the sender's.
    pub fn renames_mail(&self) {
        self.shared.change(|state| state.renames = true);
    }

    /// No page holds more than `items`, whatever the caller asks for.
    pub fn cap_pages(&self, items: usize) {
        self.shared.change(|state| state.page_cap = items);
    }
}

/// # What Google's servers do
impl FakeGmail {
    /// The next call of `method` (`messages.get`, `token`) meets `fault`; faults queue up.
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

    /// Takes every call and answers none, until [`speaks`](Self::speaks).
    pub fn falls_silent(&self) {
        self.shared.change(|state| state.is_silent = true);
    }

    /// Answers what is asked from now on.
    pub fn speaks(&self) {
        self.shared.change(|state| state.is_silent = false);
    }

    /// Cuts the connections that are open.
    pub fn cuts(&self) {
        self.port.cut_all();
    }

    /// Makes a further refresh token known.
    pub fn add_sign_in(&self, refresh_token: &str) {
        self.shared
            .change(|state| state.refresh_tokens.insert(refresh_token.to_owned()));
    }

    /// All access tokens so far are refused with 401.
    pub fn expire_access_tokens(&self) {
        self.shared.change(|state| state.access_tokens.clear());
    }

    /// The sign-in is revoked: `invalid_grant`, and 401 for its access tokens.
    pub fn revoke(&self) {
        self.shared.change(|state| {
            state.refresh_tokens.clear();
            state.access_tokens.clear();
        });
    }

    /// How long access tokens live, in seconds.
    pub fn tokens_live(&self, seconds: u64) {
        self.shared.change(|state| state.token_lives = seconds);
    }

    /// Sign-ins end after so many seconds, as those of a project in testing do.
    pub fn sign_ins_live(&self, seconds: u64) {
        self.shared.change(|state| state.sign_in_lives = Some(seconds));
    }

    /// What sign-ins may do from now on.
    pub fn grant_scope(&self, scope: &str) {
        self.shared.change(|state| state.scope = scope.to_owned());
    }

    /// The person says no, or Google does with another of its codes (`access_denied`); `None` = they agree.
    pub fn denies(&self, code: Option<&str>) {
        self.shared.change(|state| state.denies = code.map(str::to_owned));
    }

    /// Sign-ins from now on come without a refresh token.
    pub fn withholds_refresh_tokens(&self) {
        self.shared.change(|state| state.withholds_refresh = true);
    }

    /// A person agrees at the address that a sign-in shows; gives where the browser is sent back to, code and state included.
    ///
    /// # Panics
    /// If it is no address of Google's for a sign-in with PKCE.
    pub fn agrees(&self, address: &url::Url) -> url::Url {
        assert_eq!(address.host_str(), Some("accounts.google.com"));
        let query = address.query().unwrap_or_default();
        let back = self
            .shared
            .change(|state| authorize::answer(state, query.as_bytes()));
        back.expect("Google would show an error and send nobody back")
    }

    /// Where a browser finds this Google instead, for an address of the real one that a sign-in shows.
    ///
    /// # Panics
    /// If it is none of Google's for that.
    pub fn here(&self, address: &url::Url) -> url::Url {
        assert!(
            address
                .as_str()
                .starts_with("https://accounts.google.com/o/oauth2/v2/auth?"),
            "{address}"
        );
        let path = &address[url::Position::BeforePath..];
        format!("{}{path}", self.api_url())
            .parse()
            .expect("an address of ours")
    }
}
