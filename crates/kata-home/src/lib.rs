//! The folder of the desktop app, read without the app: workspaces, the channels in them, and the credentials of those.
//!
//! What the app wrote is only read. Written are new channels where none was, and a store of tokens of our own. This crate refuses to
//! know: what a daemon is, what a channel's settings mean, who reaches a platform with a token, what time it is.
//!
//! ```
//! use std::path::Path;
//! use kata_home::Workspaces;
//!
//! let folder = tempfile::tempdir()?;
//! let json = r#"{ "workspaces": [{ "id": "w1", "name": "Notes", "rootPath": "~/notes" }] }"#;
//! std::fs::write(folder.path().join("config.json"), json)?;
//!
//! let workspaces = Workspaces::read(folder.path(), Some(Path::new("/people/ada")))?;
//! assert_eq!(workspaces.root("w1"), Path::new("/people/ada/notes"));
//! assert_eq!(workspaces.root("w2"), folder.path().join("workspaces/w2"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod channels;
mod credentials;
mod error;
mod folders;
mod json;
mod machine;
mod plugins;
mod sources;
mod tokens;
mod variable;
mod workspaces;
mod write;

pub use channels::{AddError, ChannelFile, add_channel, channels};
pub use credentials::{Credential, CredentialStore, Credentials, CredentialsError};
pub use error::HomeError;
pub use machine::{Machine, MachineError};
pub use plugins::enabled_plugins;
pub use sources::{SourceChannel, source_channels};
pub use tokens::{Kept, Keyring, TokenStore, TokenStoreError};
pub use variable::{app_token_variable, token_variable};
pub use workspaces::{Workspace, Workspaces, WorkspacesError, begin_list};
