//! The command line's questions to the daemon that runs, by the same socket.

use kata_ipc::socket::{self, AskError, Client};

use crate::{home::Home, open::sentence};

/// Asks the daemon that runs with this config directory.
pub(crate) async fn ask<T>(
    home: &Home,
    question: impl AsyncFnOnce(&Client) -> Result<T, AskError>,
) -> Result<T, String> {
    let (client, link) = socket::connect(&super::socket(home), None)
        .await
        .map_err(|error| sentence(&error))?;
    tokio::select! {
        answer = question(&client) => answer.map_err(|error| error.to_string()),
        ended = link.run() => Err(match ended {
            Ok(()) => "the daemon closed the connection".to_owned(),
            Err(error) => error.to_string(),
        }),
    }
}
