//! The words by which a row says where it stands, as types.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant,)+ }

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
                Ok(match self { $(Self::$variant => $word,)+ }.into())
            }
        }
    };
}

words!(
    /// `messages.direction`.
    Way {
        In = "inbound",
        Out = "outbound",
    }
);

words!(
    /// `messages.status`, whose values are those of 0.7.
    Status {
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
    PartState {
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
