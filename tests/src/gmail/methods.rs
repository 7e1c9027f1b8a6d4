//! What the methods do (<https://developers.google.com/workspace/gmail/api/reference/rest>).

use serde_json::{Value, json};

use super::{
    ADDRESS,
    discovery::Found,
    payload::tell,
    search,
    state::{Record, State, Stored},
    web::{Answer, Refusal},
};

const NOT_FOUND: Refusal = Refusal(404, "notFound");

pub(super) fn run(
    state: &mut State,
    found: &Found,
    query: &[(String, String)],
    body: Value,
    upload: Option<Vec<u8>>,
) -> Answer {
    let id = found.id.as_deref().unwrap_or_default();
    let args = Args(query);
    match &*found.method {
        "getProfile" => Ok(json!({
            "emailAddress": ADDRESS, "messagesTotal": state.mail.len(), "threadsTotal": state.mail.len(),
            "historyId": state.history.to_string(),
        })),
        "labels.list" => Ok(labels(state)),
        "history.list" => history(state, &args),
        "messages.list" => list(state, &args),
        "messages.get" => {
            let stored = state.mail.get(id).ok_or(NOT_FOUND)?;
            Ok(tell(
                stored,
                args.one("format").unwrap_or("full"),
                &args.all("metadataHeaders"),
            ))
        }
        "threads.get" => thread(state, id, &args),
        "threads.modify" => modify(state, id, &body),
        "drafts.create" => {
            let message = post(state, &body["message"], upload, "DRAFT")?;
            let draft = format!("r{}", state.next());
            state.drafts.push((draft.clone(), message.clone()));
            let stored = state.mail.get(&message).ok_or(NOT_FOUND)?;
            Ok(
                json!({"id": draft, "message": {"id": message, "threadId": stored.thread, "labelIds": ["DRAFT"]}}),
            )
        }
        "messages.send" => {
            let message = post(state, &body, upload, "SENT")?;
            state.sent.push(message.clone());
            let stored = state.mail.get(&message).ok_or(NOT_FOUND)?;
            Ok(json!({"id": message, "threadId": stored.thread, "labelIds": ["SENT"]}))
        }
        _ => Err(NOT_FOUND),
    }
}

struct Args<'q>(&'q [(String, String)]);

impl Args<'_> {
    fn one(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn all(&self, name: &str) -> Vec<String> {
        let found = self.0.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).collect()
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.one(name)?.parse().ok()
    }
}

fn labels(state: &State) -> Value {
    let system = [
        "INBOX",
        "UNREAD",
        "STARRED",
        "IMPORTANT",
        "SENT",
        "DRAFT",
        "SPAM",
        "TRASH",
    ];
    let system = system
        .iter()
        .map(|name| json!({"id": name, "name": name, "type": "system"}));
    let user = state
        .labels
        .iter()
        .map(|(id, name)| json!({"id": id, "name": name, "type": "user"}));
    json!({"labels": system.chain(user).collect::<Vec<_>>()})
}

/// A page of what there is, and the token of the next.
fn page<T: Clone>(all: &[T], args: &Args<'_>, state: &State) -> (Vec<T>, Option<String>) {
    let from = args.number("pageToken").unwrap_or(0).min(all.len());
    let most = args.number("maxResults").unwrap_or(100).min(state.page_cap);
    let end = (from + most).min(all.len());
    (
        all[from..end].to_vec(),
        (end < all.len()).then(|| end.to_string()),
    )
}

fn history(state: &State, args: &Args<'_>) -> Answer {
    let start: u64 = args
        .one("startHistoryId")
        .and_then(|id| id.parse().ok())
        .ok_or(Refusal(400, "invalidArgument"))?;
    if start < state.forgotten || start > state.history {
        return Err(NOT_FOUND);
    }
    let types = args.all("historyTypes");
    let label = args.one("labelId");
    if label.is_some_and(|label| !is_known(state, label)) {
        return Err(Refusal(400, "invalidArgument"));
    }
    let is_asked_for = |record: &&Record| {
        let kind = if record.labelled.is_some() {
            "labelAdded"
        } else {
            "messageAdded"
        };
        let carries = |label: &str| {
            let stored = state.mail.get(&record.message);
            stored.is_some_and(|stored| stored.labels.iter().any(|one| one == label))
        };
        record.id > start
            && (types.is_empty() || types.iter().any(|one| one == kind))
            && label.is_none_or(carries)
    };
    let records: Vec<Record> = state.records.iter().filter(is_asked_for).cloned().collect();
    let (records, next) = page(&records, args, state);
    let told: Vec<Value> = records.iter().map(|record| tell_record(state, record)).collect();
    let mut answer = json!({"historyId": state.history.to_string()});
    if !told.is_empty() {
        answer["history"] = told.into();
    }
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

fn tell_record(state: &State, record: &Record) -> Value {
    let stored = state.mail.get(&record.message);
    let message = json!({
        "id": record.message,
        "threadId": stored.map_or(&record.message, |stored| &stored.thread),
        "labelIds": stored.map(|stored| stored.labels.clone()).unwrap_or_default(),
    });
    let bare = json!({"id": message["id"], "threadId": message["threadId"]});
    match &record.labelled {
        None => {
            json!({"id": record.id.to_string(), "messages": [bare], "messagesAdded": [{"message": message}]})
        }
        Some(labels) => json!({
            "id": record.id.to_string(), "messages": [bare],
            "labelsAdded": [{"message": message, "labelIds": labels}],
        }),
    }
}

fn is_known(state: &State, label: &str) -> bool {
    state.labels.contains_key(label) || label.chars().all(|c| c.is_ascii_uppercase())
}

fn list(state: &State, args: &Args<'_>) -> Answer {
    let query = args.one("q").unwrap_or_default();
    let labels = args.all("labelIds");
    if !labels.iter().all(|label| is_known(state, label)) {
        return Err(Refusal(400, "invalidArgument"));
    }
    let is_asked_for = |stored: &&Stored| {
        let hidden = stored
            .labels
            .iter()
            .any(|label| label == "SPAM" || label == "TRASH");
        !hidden
            && (query.is_empty() || !state.unindexed.contains(&stored.id))
            && labels.iter().all(|label| stored.labels.contains(label))
            && search::matches(state, stored, query)
    };
    let mut found: Vec<&Stored> = state.mail.values().filter(is_asked_for).collect();
    found.sort_by_key(|stored| std::cmp::Reverse((stored.date, stored.id.clone())));
    let found: Vec<Value> = found
        .iter()
        .map(|stored| json!({"id": stored.id, "threadId": stored.thread}))
        .collect();
    let (messages, next) = page(&found, args, state);
    let mut answer = json!({"resultSizeEstimate": found.len()});
    if !messages.is_empty() {
        answer["messages"] = messages.into();
    }
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

fn thread(state: &State, id: &str, args: &Args<'_>) -> Answer {
    let messages: Vec<Value> = state
        .mail
        .values()
        .filter(|stored| stored.thread == id)
        .map(|stored| {
            tell(
                stored,
                args.one("format").unwrap_or("full"),
                &args.all("metadataHeaders"),
            )
        })
        .collect();
    match messages.is_empty() {
        true => Err(NOT_FOUND),
        false => Ok(json!({"id": id, "historyId": state.history.to_string(), "messages": messages})),
    }
}

fn modify(state: &mut State, id: &str, body: &Value) -> Answer {
    let names = |key: &str| -> Vec<String> {
        let all = body[key].as_array().into_iter().flatten();
        all.filter_map(|label| label.as_str().map(str::to_owned))
            .collect()
    };
    let (add, remove) = (names("addLabelIds"), names("removeLabelIds"));
    if !add.iter().chain(&remove).all(|label| is_known(state, label)) {
        return Err(Refusal(400, "invalidArgument"));
    }
    let messages: Vec<String> = state
        .mail
        .values()
        .filter(|stored| stored.thread == id)
        .map(|stored| stored.id.clone())
        .collect();
    if messages.is_empty() {
        return Err(NOT_FOUND);
    }
    for message in &messages {
        for label in &add {
            state.put_label(message, label);
        }
        if let Some(stored) = state.mail.get_mut(message) {
            stored.labels.retain(|label| !remove.contains(label));
        }
    }
    Ok(json!({"id": id}))
}

/// A mail that is uploaded, into the thread that its resource names.
fn post(
    state: &mut State,
    resource: &Value,
    upload: Option<Vec<u8>>,
    label: &str,
) -> Result<String, Refusal> {
    let mut raw = upload.ok_or(Refusal(400, "invalidArgument"))?;
    let thread = resource["threadId"].as_str().map(str::to_owned);
    if let Some(thread) = &thread
        && !state.mail.values().any(|stored| stored.thread == *thread)
    {
        return Err(NOT_FOUND);
    }
    if state.renames {
        let text = String::from_utf8_lossy(&raw).replace("Message-ID: <", "Message-ID: <CA+renamed.");
        raw = text.into_bytes();
    }
    Ok(state.store(raw, vec![label.to_owned()], thread))
}
