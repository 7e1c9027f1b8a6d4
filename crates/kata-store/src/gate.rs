//! The operations of the gate: verdicts, questions, grants, and looking at what was decided.

use std::path::Path;

use crate::{
    Answered, Approval, ApprovalFilter, AuditFilter, AuditReport, AuditRow, CardPlace, ChannelId, FileGrant,
    Grant, GrantFilter, Judge, Judged, NewApproval, OpenedApproval, Reply, Store, StoreError, UnixMs, View,
    approval, audit, grant, judge,
};

impl Store {
    // === verdicts ===

    /// Writes down what the rules say about a tool call, and says what stands: `Ask` becomes `Allow` where a grant of an
    /// approval covers the call, and takes a use of it; `Allow` becomes `Deny` where the rule's grant of the file is
    /// spent, over or revoked. A denial stays one.
    ///
    /// # Cancel safety
    /// A use that was taken is not given back: repeating it takes another one.
    ///
    /// # Errors
    /// When the store is closed or the database refuses. Then nothing was written, and nothing may be done.
    pub async fn judge(&self, judge: Judge) -> Result<Judged, StoreError> {
        self.write("judge", move |tx| judge::judge(tx, judge)).await
    }

    // === questions ===

    /// Asks about a tool call, and puts the card into the outbox, in one transaction. One question a call: the one that
    /// is open already is returned, and belongs to this turn from here on. A call that was denied to this very turn is
    /// denied still.
    ///
    /// # Errors
    /// [`StoreError::NoTurn`] when there is no such turn, [`StoreError::Codes`] when the channel's codes are used up.
    pub async fn open_approval(&self, new: NewApproval) -> Result<OpenedApproval, StoreError> {
        self.write("ask", move |tx| approval::open(tx, new)).await
    }

    /// Answers a question by its number. Who may is the caller's to know. One answer counts; a "yes" mints a grant in
    /// the same transaction (D28).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn resolve_approval(&self, id: i64, reply: Reply) -> Result<Answered, StoreError> {
        self.write("resolve", move |tx| approval::resolve(tx, id, reply))
            .await
    }

    /// Closes the questions whose time is over: those just closed, some hundred at once. While
    /// [`next_approval_expiry`](Self::next_approval_expiry) is past there are more.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn expire_approvals(&self) -> Result<Vec<Approval>, StoreError> {
        self.write("expire", approval::expire).await
    }

    /// When the next open question's time is over.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn next_approval_expiry(&self) -> Result<Option<UnixMs>, StoreError> {
        self.read(approval::next_expiry).await
    }

    /// Closes the open questions of a turn that ended without needing the answers: those just closed.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn withdraw_approvals(&self, message: i64) -> Result<Vec<Approval>, StoreError> {
        self.write("withdraw", move |tx| approval::withdraw(tx, message))
            .await
    }

    /// A question.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn approval(&self, id: i64) -> Result<Option<Approval>, StoreError> {
        self.read(move |conn| approval::one(conn, id)).await
    }

    /// Questions, the newest first, with ids below `before`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn approvals(
        &self,
        filter: ApprovalFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        self.read(move |conn| approval::list(conn, &filter, before, limit))
            .await
    }

    /// What an answer may name: (channel, conversation, code) of the questions that are open, or were closed since then.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn known_codes(&self, since: UnixMs) -> Result<Vec<(ChannelId, String, String)>, StoreError> {
        self.read(move |conn| approval::known_codes(conn, since)).await
    }

    /// Where a question's card stands on the platform; none while it was not sent.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn card_of(&self, approval: i64) -> Result<Option<CardPlace>, StoreError> {
        self.read(move |conn| approval::card_of(conn, approval)).await
    }

    // === grants ===

    /// Brings the grants of a workspace's permissions file up to what stands in it: a rule with a number of uses or an
    /// end is a grant; another fingerprint is another one, counted anew; a rule that is gone ends its grant. The very
    /// rule put back goes on where it stopped, revoked if it was.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn sync_file_grants(&self, workspace: &str, rules: Vec<FileGrant>) -> Result<(), StoreError> {
        let workspace = workspace.to_owned();
        self.write("grants", move |tx| grant::sync(tx, &workspace, rules))
            .await
    }

    /// How often each rule with a grant of the workspace's file was used. A revoked one counts as used up.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn grant_uses(&self, workspace: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let workspace = workspace.to_owned();
        self.read(move |conn| grant::uses(conn, &workspace)).await
    }

    /// Takes a grant back. False if it let nothing through any more.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn revoke_grant(&self, id: i64, by: &str) -> Result<bool, StoreError> {
        let by = by.to_owned();
        self.write("revoke", move |tx| grant::revoke(tx, id, &by)).await
    }

    /// Grants, the newest first, with ids below `before`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn grants(
        &self,
        filter: GrantFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Grant>, StoreError> {
        self.read(move |conn| grant::list(conn, &filter, before, limit))
            .await
    }

    // === audit ===

    /// The audit, the newest row first, with ids below `before`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn audit(
        &self,
        filter: AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.read(move |conn| audit::list(conn, &filter, before, limit))
            .await
    }
}

impl View {
    /// See [`Store::approvals`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn approvals(
        &self,
        filter: &ApprovalFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        approval::list(self.conn(), filter, before, limit)
    }

    /// See [`Store::grants`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn grants(
        &self,
        filter: &GrantFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Grant>, StoreError> {
        grant::list(self.conn(), filter, before, limit)
    }

    /// See [`Store::audit`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        audit::list(self.conn(), filter, before, limit)
    }

    /// Looks at the whole audit, row by row, and at the file that names its head
    /// ([`OpenOptions::audit_head`](crate::OpenOptions)). Memory stays constant.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn verify_audit(&self, head: &Path) -> Result<AuditReport, StoreError> {
        audit::verify(self.conn(), head)
    }
}
