//! More output than anybody wants.

use serde_json::json;

use super::turn::Turn;

const CHUNK: usize = 64 * 1024;
const MEGABYTE: usize = 1024 * 1024;

/// Says that many megabytes in chunks.
pub(crate) async fn chunks(turn: &Turn, megabytes: usize) {
    // Not remembered: it would be kept with the session.
    let update = json!({
        "sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "x".repeat(CHUNK)},
    });
    for _ in 0..megabytes * MEGABYTE / CHUNK {
        turn.update(update.clone()).await;
    }
}

/// Writes one line of that many megabytes: a chunk, should anybody read it to its end.
pub(crate) async fn line(turn: &Turn, megabytes: usize) {
    let client = &turn.process.client;
    let head = format!(
        r#"{{"jsonrpc":"2.0","method":"session/update","params":{{"sessionId":"{}","update":{{"sessionUpdate":"agent_message_chunk","content":{{"type":"text","text":""#,
        turn.session.id
    );
    client.raw(head.as_bytes()).await;
    let piece = "x".repeat(CHUNK);
    for _ in 0..megabytes * MEGABYTE / CHUNK {
        client.raw(piece.as_bytes()).await;
    }
    client.raw(b"\"}}}}\n").await;
}
