//! The folder of the desktop app, read without the app: workspaces, the channels in them, and the credentials of those.
//!
//! It only reads, and never writes there: the folder is the app's. This crate refuses to know: what a daemon is, what a
//! channel's settings mean, who reaches a platform with a token, what time it is.
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
mod variable;
mod workspaces;

pub use channels::{ChannelFile, channels};
pub use credentials::{Credential, CredentialStore, Credentials, CredentialsError};
pub use error::HomeError;
pub use machine::{Machine, MachineError};
pub use plugins::enabled_plugins;
pub use sources::{SourceChannel, source_channels};
pub use variable::{app_token_variable, token_variable};
pub use workspaces::{Workspace, Workspaces};
