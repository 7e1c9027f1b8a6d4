//! Newtypes for every name that crosses a crate: cheap to clone, impossible to mix up.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a name as the platform or the host wrote it.
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self::new(name)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A Kata workspace: channels, tools and permissions are scoped to it.
    WorkspaceId
);
id!(
    /// A channel's folder name. Alone it is not unique: see [`ChannelKey`].
    Slug
);
id!(
    /// The platform's place of talk: a Slack channel or DM, a Discord channel, a WhatsApp chat, a Gmail thread.
    ConversationId
);
id!(
    /// A thread inside a conversation (Slack: the `ts` of its first message).
    ThreadId
);
id!(
    /// The platform's own id of a message, unique in its conversation (Slack: `ts`).
    MessageId
);
id!(
    /// The platform's own id of a person or bot.
    SenderId
);

/// One configured adapter. The slug alone is not unique: two workspaces may use the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelKey {
    /// The workspace it belongs to.
    pub workspace: WorkspaceId,
    /// Its folder name in that workspace.
    pub slug: Slug,
}

impl ChannelKey {
    /// A channel's key.
    pub fn new(workspace: impl Into<WorkspaceId>, slug: impl Into<Slug>) -> Self {
        Self {
            workspace: workspace.into(),
            slug: slug.into(),
        }
    }
}

impl fmt::Display for ChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.workspace, self.slug)
    }
}

/// Where talk happens: a conversation, or a thread in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The conversation.
    pub conversation: ConversationId,
    /// The thread, when the talk is in one.
    pub thread: Option<ThreadId>,
}

impl Place {
    /// A conversation itself, outside any thread.
    pub fn conversation(id: impl Into<ConversationId>) -> Self {
        Self {
            conversation: id.into(),
            thread: None,
        }
    }

    /// A thread in a conversation.
    pub fn thread(conversation: impl Into<ConversationId>, thread: impl Into<ThreadId>) -> Self {
        Self {
            conversation: conversation.into(),
            thread: Some(thread.into()),
        }
    }
}
