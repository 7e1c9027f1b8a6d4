//! The words by which a row says where it stands, as types.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

macro_rules! words {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The word in the database.
            #[must_use]
            $vis fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_str()? {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(FromSqlError::InvalidType),
                }
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
    };
}

words!(
    /// `messages.direction`.
    pub(crate) Way {
        In = "inbound",
        Out = "outbound",
    }
);

words!(
    /// `messages.status`, whose values are those of 0.7.
    pub(crate) Status {
        /// Waits.
        Pending = "pending",
        /// Leased to a turn. Never used for answers: 0.7 would take it back.
        Processing = "processing",
        /// Ended.
        Processed = "processed",
        /// Given up.
        Failed = "failed",
    }
);

words!(
    /// `kata_parts.state`.
    pub(crate) PartState {
        Waiting = "waiting",
        /// The attempt mark: the platform is being called.
        Sending = "sending",
        /// It may have been sent: to be read back.
        Unknown = "unknown",
        /// The platform is being asked.
        Reading = "reading",
        Sent = "sent",
        Parked = "parked",
    }
);

words!(
    /// What is decided about a tool call.
    pub Ruling {
        /// It runs.
        Allow = "allow",
        /// It does not.
        Deny = "deny",
        /// It runs if somebody says yes.
        Ask = "ask",
    }
);

words!(
    /// Where a question about a tool call stands.
    pub ApprovalState {
        /// It waits for an answer, unless its time is over: see [`Approval::expires_at`](crate::Approval::expires_at).
        Open = "open",
        /// Somebody said yes to this call, once.
        AllowedOnce = "allowed_once",
        /// Somebody said yes for an hour.
        AllowedHour = "allowed_1h",
        /// Somebody said no.
        Denied = "denied",
        /// Nobody answered in time. This is no denial.
        Expired = "expired",
        /// The turn ended without needing the answer.
        Withdrawn = "withdrawn",
    }
);

words!(
    /// The answers to a question about a tool call (D28).
    pub ApprovalDecision {
        /// This call, once.
        AllowOnce = "allow_once",
        /// This tool with these arguments in this conversation, for an hour.
        AllowHour = "allow_1h",
        /// No.
        Deny = "deny",
    }
);

words!(
    /// The way by which an answer came.
    pub Via {
        /// From the host's own user.
        Host = "host",
        /// Out of the conversation.
        Conversation = "conversation",
    }
);

words!(
    /// What a grant comes from.
    pub GrantSource {
        /// Somebody's answer to a question.
        Approval = "approval",
        /// A rule of the permissions file that ends, or has a number of uses.
        File = "file",
    }
);

words!(
    /// What an audit row is about.
    pub AuditKind {
        /// A verdict on a tool call.
        Verdict = "verdict",
        /// A question was asked.
        Asked = "asked",
        /// A question was answered.
        Answered = "answered",
        /// Somebody who may not answered a question.
        AnswerRefused = "answer_refused",
        /// A question was not answered in time.
        Expired = "expired",
        /// A question was not needed any more.
        Withdrawn = "withdrawn",
        /// A grant was minted.
        Granted = "granted",
        /// The rule behind a grant is gone.
        GrantEnded = "grant_ended",
        /// A grant was taken back.
        Revoked = "revoked",
        /// A stranger was let in.
        Paired = "paired",
        /// Somebody who was let in was put out again.
        Unpaired = "unpaired",
        /// At a start the head file said other than the chain; the reason says what.
        HeadDisputed = "head_disputed",
    }
);

words!(
    /// Who speaks in an entry of a transcript.
    pub Speaker {
        /// People of the conversation.
        People = "people",
        /// The agent.
        Agent = "agent",
        /// A summary of what was said before.
        Summary = "summary",
    }
);

words!(
    /// What a task's schedule is, in the words of 0.7.
    pub TaskKind {
        /// A pattern.
        Cron = "cron",
        /// A number of milliseconds.
        Interval = "interval",
        /// One time.
        OneShot = "one-shot",
    }
);

words!(
    /// Where a task's run stands.
    pub FireState {
        /// It was claimed, and has not ended.
        Running = "running",
        /// It ended well, or by a user's hand.
        Done = "done",
        /// It failed.
        Failed = "failed",
        /// It was not made.
        Skipped = "skipped",
    }
);

words!(
    /// Where a pairing stands.
    pub PairingState {
        /// The sender has a code, unless its time is over: see [`Pairing::expires_at`](crate::Pairing::expires_at).
        Asked = "asked",
        /// The sender is let in.
        Paired = "paired",
        /// The code came to nothing.
        Expired = "expired",
        /// It was taken back.
        Revoked = "revoked",
    }
);
