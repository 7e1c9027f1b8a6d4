//! The fake by itself: it takes what real clients wrote, refuses what breaks the protocol, and keeps to it.

mod breaches;
mod rig;
mod steps;
mod tools;

use std::collections::HashMap;

use serde_json::Value;

use super::{
    line::Line,
    schema::{Part, Schema, Served},
};

const CLIENTS: &str = include_str!("../../../fixtures/acp/clients.jsonl");

#[test]
fn what_real_clients_wrote_is_accepted_and_so_are_the_requests_that_they_answered() {
    let schema = Schema::new();
    let mut asked: HashMap<String, String> = HashMap::new();
    let mut checked = 0;
    for line in CLIENTS.lines() {
        let record: Value = serde_json::from_str(line).expect("a recorded line");
        let agent = record["agent"].as_str().unwrap_or_default();
        let served = if record["dir"] == "c2a" {
            Served::ByAgent
        } else {
            Served::ByClient
        };
        let outcome = match Line::read(&record["msg"].to_string()).expect(line) {
            Line::Request { id, method, params } => {
                if served == Served::ByClient {
                    asked.insert(format!("{agent} {id}"), method.clone());
                }
                schema.check(served, &method, Part::Params, &params)
            }
            Line::Notification { method, params } => schema.check(served, &method, Part::Params, &params),
            Line::Answer { id, outcome } => {
                let method = &asked[&format!("{agent} {id}")];
                schema.check(
                    Served::ByClient,
                    method,
                    Part::Result,
                    &outcome.expect("a result"),
                )
            }
        };
        outcome.expect(line);
        checked += 1;
    }
    assert_eq!(checked, CLIENTS.lines().count());
    assert_eq!(asked.len(), 4, "each of the four agents asked once");
}
