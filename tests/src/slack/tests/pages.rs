//! Paging, from either end.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{super::*, call, outcome, workspace};

/// Reads all pages; each page as its texts, in the order served.
async fn read(slack: &FakeSlack, method: &str, mut args: Value) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let answer = call(slack, method, args.clone()).await;
        assert_eq!(answer["ok"], true, "{answer}");
        let texts = answer["messages"].as_array().unwrap().iter();
        pages.push(texts.map(|m| m["text"].as_str().unwrap().to_owned()).collect());
        match answer["response_metadata"]["next_cursor"].as_str() {
            Some(next) if !next.is_empty() => args["cursor"] = next.into(),
            _ => {
                assert_eq!(answer["has_more"], false);
                return pages;
            }
        }
    }
}

#[tokio::test]
async fn history_is_newest_first_whichever_end_the_pages_start_from() {
    let slack = workspace().await;
    let ts: Vec<String> = (0..5)
        .map(|n| slack.post_silently("C1", "U1", &n.to_string()))
        .collect();
    let args = json!({"channel": "C1", "limit": 2, "oldest": ts[0]});
    assert_eq!(
        read(&slack, "conversations.history", args.clone()).await,
        [vec!["4", "3"], vec!["2", "1"]]
    );
    slack.serve_pages(PageOrder::OldestFirst);
    assert_eq!(
        read(&slack, "conversations.history", args).await,
        [vec!["2", "1"], vec!["4", "3"]]
    );
    let window = json!({"channel": "C1", "oldest": ts[1], "latest": ts[3], "inclusive": true});
    assert_eq!(
        read(&slack, "conversations.history", window).await,
        [vec!["3", "2", "1"]]
    );
}

#[tokio::test]
async fn every_message_is_served_once_over_many_pages() {
    let slack = workspace().await;
    slack.cap_pages(7);
    for n in 0..100 {
        slack.post_silently("C1", "U1", &n.to_string());
    }
    for order in [PageOrder::NewestFirst, PageOrder::OldestFirst] {
        slack.serve_pages(order);
        let args = json!({"channel": "C1", "limit": 999, "oldest": "1.000000"});
        let pages = read(&slack, "conversations.history", args).await;
        assert_eq!(pages.len(), 15);
        let all: Vec<&String> = pages.iter().flatten().collect();
        assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (100, 100));
    }
}

#[tokio::test]
async fn a_thread_is_oldest_first_led_by_its_root_and_hidden_from_history() {
    let slack = workspace().await;
    let root = slack.post_silently("C1", "U1", "root");
    for n in 0..3 {
        slack.reply_silently("C1", &root, "U1", &n.to_string());
    }
    let args = json!({"channel": "C1", "ts": root, "limit": 2});
    assert_eq!(
        read(&slack, "conversations.replies", args).await,
        [vec!["root", "0"], vec!["1", "2"]]
    );
    let history = call(&slack, "conversations.history", json!({"channel": "C1"})).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1);
    assert_eq!(history["messages"][0]["reply_count"], 3);
    let missing = json!({"channel": "C1", "ts": "1.000001"});
    assert_eq!(
        outcome(&slack, "conversations.replies", missing).await,
        "thread_not_found"
    );
}

#[tokio::test]
async fn lists_have_cursors_and_bad_arguments_have_codes() {
    let slack = workspace().await;
    for n in 0..5 {
        slack.add_im(&format!("U{n}"));
    }
    let mut seen = 0;
    let mut args = json!({"types": "im,public_channel", "limit": 2});
    loop {
        let answer = call(&slack, "users.conversations", args.clone()).await;
        seen += answer["channels"].as_array().unwrap().len();
        match answer["response_metadata"]["next_cursor"].as_str().unwrap() {
            "" => break,
            next => args["cursor"] = next.into(),
        }
    }
    assert_eq!(seen, 6);
    let codes = [
        (json!({"channel": "C1", "limit": 5000}), "invalid_limit"),
        (json!({"channel": "C1", "cursor": "nonsense"}), "invalid_cursor"),
        (
            json!({"channel": "C1", "oldest": "yesterday"}),
            "invalid_ts_oldest",
        ),
        (json!({"channel": "C2"}), "not_in_channel"),
        (json!({"channel": "G1"}), "channel_not_found"),
    ];
    for (args, code) in codes {
        assert_eq!(outcome(&slack, "conversations.history", args).await, code);
    }
}
