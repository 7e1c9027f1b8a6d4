//! What the fakes alone can do, with a client that does nothing: a figure of the daemon cannot be better.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::body::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use kata_testkit::slack::{APP_TOKEN, BOT_TOKEN, FakeSlack};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    firehose::{Firehose, Plan},
    lab::{Lab, USER, conversations},
    samples::Samples,
    table::{Row, thousands},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Web = Client<HttpConnector, Full<Bytes>>;

/// The same flood, to a client that acknowledges without storing.
pub(crate) fn of_the_firehose(lab: &Lab) -> Result<Row> {
    let events = lab.count(30_000, 2_000);
    let slack = Firehose::start(lab, Plan::new(&conversations(10), events))?;
    let mut socket = lab.runtime.block_on(connect(&slack.socket_url()))?;
    let client = lab.runtime.spawn(async move {
        while let Ok(envelope) = envelope(&mut socket).await {
            acknowledge(&mut socket, &envelope).await?;
        }
        anyhow::Ok(())
    });
    let took = slack.flood();
    client.abort();
    let rate = f64::from(u32::try_from(events)?) / took?.as_secs_f64();
    Ok(Row::note(
        "— the fake alone, to a client that stores nothing",
        format!("{}/s", thousands(rate)),
    ))
}

/// How long an event, and a call, are on their way if nobody does anything with them.
pub(crate) fn of_one_message(lab: &Lab) -> Result<Vec<Row>> {
    let rounds = lab.count(1_000, 100);
    let names = conversations(1);
    let slack = lab.slack(&names);
    let (mut inward, mut outward) = (Samples::new()?, Samples::new()?);
    lab.runtime.block_on(async {
        let web = Client::builder(TokioExecutor::new()).build_http();
        let opened = call(&web, &slack, "apps.connections.open", APP_TOKEN, &json!({})).await?;
        let mut socket = connect(opened["url"].as_str().context("Slack names no address")?).await?;
        slack.wait_connected().await;
        for round in 0..rounds {
            let text = format!("number {round}");
            let written = Instant::now();
            slack.user_posts(&names[0], USER, &text);
            let event = envelope(&mut socket).await?;
            inward.record(written.elapsed())?;
            acknowledge(&mut socket, &event).await?;

            let answered = Timestamp::now();
            let answer = json!({"channel": names[0], "text": text});
            call(&web, &slack, "chat.postMessage", BOT_TOKEN, &answer).await?;
            let arrived = slack.calls("chat.postMessage").last().map(|call| call.at);
            let took = arrived
                .context("the call was not recorded")?
                .duration_since(answered);
            outward.record(Duration::try_from(took)?)?;
            // Its own message comes back as an event.
            let echo = envelope(&mut socket).await?;
            acknowledge(&mut socket, &echo).await?;
        }
        anyhow::Ok(())
    })?;
    Ok(vec![
        Row::note("— the fake alone: an event to a client", row(&inward)),
        Row::note("— the fake alone: a client's call to Slack", row(&outward)),
    ])
}

fn row(samples: &Samples) -> String {
    format!(
        "p50 {:.2} ms, p99 {:.2} ms",
        samples.median(),
        samples.percentile(99.0)
    )
}

async fn call(web: &Web, slack: &FakeSlack, method: &str, token: &str, arguments: &Value) -> Result<Value> {
    let request = Request::post(format!("{}/{method}", slack.api_url()))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json; charset=utf-8")
        .body(Full::from(arguments.to_string()))?;
    let answer = web.request(request).await?.into_body().collect().await?;
    Ok(serde_json::from_slice(&answer.to_bytes())?)
}

async fn connect(url: &str) -> Result<Socket> {
    Ok(connect_async(url).await?.0)
}

#[derive(Deserialize)]
struct Envelope {
    envelope_id: String,
}

/// The next envelope's id.
async fn envelope(socket: &mut Socket) -> Result<String> {
    while let Some(frame) = socket.next().await {
        // Hello and pings are frames too.
        if let Ok(Envelope { envelope_id }) = serde_json::from_slice(&frame?.into_data()) {
            return Ok(envelope_id);
        }
    }
    bail!("the socket was closed")
}

async fn acknowledge(socket: &mut Socket, envelope: &str) -> Result<()> {
    let acknowledgement = json!({"envelope_id": envelope}).to_string();
    Ok(socket.send(Message::text(acknowledgement)).await?)
}
