//! Our side of the protocol: what becomes of the agent's messages.
//!
//! The library calls these one after the other, and reads on when they are done. So nothing waits here; what takes time
//! is spawned on the connection. Which turn a message belongs to is settled before that: later it may be another one.

use std::{io, sync::Arc};

use agent_client_protocol::{
    Agent, Client, Error, Lines, on_receive_notification, on_receive_request,
    v1::{
        ConnectionTo,
        schema::{
            ReadTextFileRequest, ReadTextFileResponse, RequestPermissionRequest, SessionNotification,
            WriteTextFileRequest, WriteTextFileResponse,
        },
    },
};
use futures_util::{Sink, Stream};
use tokio::sync::oneshot;

use super::{
    files::{self, Unfit},
    open::Stage,
    permission,
};

/// Serves the agent at the other end until it is gone. The connection is handed to `ready` for our own requests.
///
/// # Cancel safety
/// Dropping it closes the connection.
pub(super) async fn serve(
    outgoing: impl Sink<String, Error = io::Error> + Send + 'static,
    incoming: impl Stream<Item = io::Result<String>> + Send + 'static,
    stage: Arc<Stage>,
    ready: oneshot::Sender<ConnectionTo<Agent>>,
) -> Result<(), Error> {
    let (updates, permissions, reads, writes) =
        (Arc::clone(&stage), Arc::clone(&stage), Arc::clone(&stage), stage);
    Client
        .v1()
        .name("katad")
        .on_receive_notification(
            async move |told: SessionNotification, _| {
                if let Some(turn) = updates.turn(&told.session_id) {
                    turn.hear(told.update);
                }
                Ok(())
            },
            on_receive_notification!(),
        )
        .on_receive_request(
            async move |asked: RequestPermissionRequest, responder, cx: ConnectionTo<Agent>| {
                let turn = permissions.turn(&asked.session_id);
                // Read before it waits, since what waits is counted.
                let turn = turn.map(|turn| (turn.told(asked.tool_call), turn));
                let options = asked.options;
                cx.spawn(async move {
                    let answer = match turn {
                        Some((told, turn)) => permission::decide(&turn, told, options).await,
                        None => permission::refuse(&options),
                    };
                    // An error here would close the connection, which is what it says if there is one.
                    let _ = responder.respond(answer);
                    Ok(())
                })
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: ReadTextFileRequest, responder, cx: ConnectionTo<Agent>| {
                let turn = reads.turn(&asked.session_id);
                cx.spawn(async move {
                    let read = match turn {
                        Some(turn) => files::read(&turn, asked).await,
                        None => Err(Unfit::Over),
                    };
                    let answer = read.map(ReadTextFileResponse::new).map_err(Error::from);
                    let _ = responder.respond_with_result(answer);
                    Ok(())
                })
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: WriteTextFileRequest, responder, cx: ConnectionTo<Agent>| {
                let turn = writes.turn(&asked.session_id);
                cx.spawn(async move {
                    let written = match turn {
                        Some(turn) => files::write(&turn, asked).await,
                        None => Err(Unfit::Over),
                    };
                    let answer = written
                        .map(|()| WriteTextFileResponse::new())
                        .map_err(Error::from);
                    let _ = responder.respond_with_result(answer);
                    Ok(())
                })
            },
            on_receive_request!(),
        )
        .connect_with(
            Lines::new(outgoing, incoming),
            async move |cx: ConnectionTo<Agent>| {
                let _ = ready.send(cx.clone());
                cx.incoming_closed().await;
                Ok(())
            },
        )
        .await
}
