//! Which messages share a session, and which share a lane.

use kata_channel::{
    ConversationId, Inbound, ThreadId,
    settings::{Filter, Scope, SessionSettings, ThreadSession},
};
use serde_json::json;

/// What stands for the conversation in the session key.
///
/// With the default scope that is the thread's id in a thread, else the conversation's id; but a channel whose
/// filter names exactly one conversation uses its slug for it, as Kata 0.7 did, so that its sessions go on.
///
/// A conversation's key is decided once, when it is first seen: the caller stores what this gives by
/// [`lane_key`], and does not ask again after the filter has changed.
#[must_use]
pub fn thread_key(filter: &Filter, session: &SessionSettings, message: &Inbound) -> String {
    let place = &message.place;
    match (session.scope, own_thread(session, message)) {
        (Scope::Instance, _) => message.channel.slug.to_string(),
        (Scope::Sender, _) => format!("{}:{}", place.conversation, message.sender.id),
        (Scope::Conversation, Some(thread)) => thread.to_string(),
        (Scope::Conversation, None) if is_the_one_named(filter, &place.conversation) => {
            message.channel.slug.to_string()
        }
        (Scope::Conversation, None) => place.conversation.to_string(),
    }
}

/// The lane's name within its channel (D8): conversation and thread, or what the scope makes of it. Unlike the session key
/// it depends on nothing that a person may change but the scope itself, and two lanes never share it.
///
/// It is a JSON array, which keeps ids apart whatever characters a platform puts into them.
#[must_use]
pub fn lane_key(session: &SessionSettings, message: &Inbound) -> String {
    let conversation = message.place.conversation.as_str();
    match session.scope {
        Scope::Instance => json!(["instance"]).to_string(),
        Scope::Sender => json!(["sender", conversation, message.sender.id.as_str()]).to_string(),
        Scope::Conversation => {
            conversation_lane(conversation, own_thread(session, message).map(ThreadId::as_str))
        }
    }
}

/// The thread, if it has a session of its own. One that goes on with its conversation's shares its lane too: a session has
/// one turn at a time.
fn own_thread<'m>(session: &SessionSettings, message: &'m Inbound) -> Option<&'m ThreadId> {
    let thread = message.place.thread.as_ref();
    thread.filter(|_| session.thread == ThreadSession::Own)
}

/// The lane of a conversation or thread under the default scope. Rows of the 0.7 daemon, which knew no other, are
/// adopted into it.
#[must_use]
pub fn conversation_lane(conversation: &str, thread: Option<&str>) -> String {
    match thread {
        Some(thread) => json!(["thread", conversation, thread]),
        None => json!(["conversation", conversation]),
    }
    .to_string()
}

/// A slash command may come from a conversation that the filter does not name: that one keeps its own id.
fn is_the_one_named(filter: &Filter, conversation: &ConversationId) -> bool {
    let named = filter.named();
    !named.is_empty() && named.iter().all(|id| id == conversation.as_str())
}

#[cfg(test)]
mod tests {
    use kata_channel::{
        ChannelKey, Disposition, OrderKey, Place, Role, Sender, Text, Timestamp, inbound::Kind,
    };
    use proptest::prelude::*;

    use super::*;

    fn message(place: Place, sender: &str) -> Inbound {
        Inbound {
            channel: ChannelKey::new("ws_1", "work"),
            place,
            id: "1700000000.000200".into(),
            order: OrderKey(1),
            kind: Kind::Message,
            sender: Sender {
                id: sender.into(),
                name: None,
                is_bot: false,
                is_self: false,
            },
            text: Text::plain("hello"),
            mentions_us: false,
            is_direct: false,
            sent_at: Timestamp::from_millis(0),
            attachments: Vec::new(),
            metadata: serde_json::Map::new(),
            role: Role::Member,
            disposition: Disposition::Turn,
            not_before: None,
        }
    }

    fn filter(ids: &[&str]) -> Filter {
        Filter {
            channel_ids: Some(ids.iter().map(|id| (*id).to_owned()).collect()),
            ..Filter::default()
        }
    }

    fn scope(scope: Scope) -> SessionSettings {
        SessionSettings {
            scope,
            ..SessionSettings::default()
        }
    }

    #[test]
    fn the_thread_key_follows_scope_thread_and_filter() {
        let check = |named: &[&str], wide, place: Place, expect: &str| {
            assert_eq!(
                thread_key(&filter(named), &scope(wide), &message(place, "U1")),
                expect
            );
        };
        let channel = || Place::conversation("C1");
        let thread = || Place::thread("C1", "17.1");
        check(&[], Scope::Conversation, channel(), "C1");
        check(&["C1", "C2"], Scope::Conversation, channel(), "C1");
        check(&["C1"], Scope::Conversation, channel(), "work");
        check(&["C1", "C1"], Scope::Conversation, channel(), "work");
        check(&["C1"], Scope::Conversation, thread(), "17.1");
        check(&["C2"], Scope::Conversation, channel(), "C1");
        check(&[], Scope::Instance, channel(), "work");
        check(&[], Scope::Instance, thread(), "work");
        check(&["C1"], Scope::Sender, channel(), "C1:U1");
        check(&[], Scope::Sender, thread(), "C1:U1");
    }

    #[test]
    fn a_thread_that_inherits_is_its_conversation_in_key_and_lane() {
        let inherit = SessionSettings {
            thread: ThreadSession::Inherit,
            ..SessionSettings::default()
        };
        let thread = message(Place::thread("C1", "17.1"), "U1");
        let above = message(Place::conversation("C1"), "U1");
        for named in [&[][..], &["C1"], &["C1", "C2"]] {
            assert_eq!(
                thread_key(&filter(named), &inherit, &thread),
                thread_key(&filter(named), &inherit, &above)
            );
        }
        assert_eq!(lane_key(&inherit, &thread), lane_key(&inherit, &above));
        // Who asks for it finds the session that was there before.
        assert_eq!(
            lane_key(&inherit, &above),
            lane_key(&SessionSettings::default(), &above)
        );
        assert_eq!(
            thread_key(&filter(&[]), &inherit, &above),
            thread_key(&filter(&[]), &SessionSettings::default(), &above)
        );
    }

    #[test]
    fn a_channel_without_a_filter_keys_by_conversation() {
        let said = message(Place::conversation("D7"), "U1");
        assert_eq!(
            thread_key(&Filter::default(), &SessionSettings::default(), &said),
            "D7"
        );
    }

    #[test]
    fn a_lane_is_as_wide_as_the_scope() {
        let check = |wide, place: Place, expect: &str| {
            assert_eq!(lane_key(&scope(wide), &message(place, "U1")), expect);
        };
        check(
            Scope::Conversation,
            Place::conversation("C1"),
            r#"["conversation","C1"]"#,
        );
        check(
            Scope::Conversation,
            Place::thread("C1", "17.1"),
            r#"["thread","C1","17.1"]"#,
        );
        check(
            Scope::Sender,
            Place::thread("C1", "17.1"),
            r#"["sender","C1","U1"]"#,
        );
        check(Scope::Instance, Place::thread("C1", "17.1"), r#"["instance"]"#);
    }

    fn place() -> impl Strategy<Value = Place> {
        let id = r#"[a-c:,"\[\]\\]{0,3}"#;
        (id, proptest::option::of(id)).prop_map(|(conversation, thread)| match thread {
            Some(thread) => Place::thread(conversation, thread),
            None => Place::conversation(conversation),
        })
    }

    proptest! {
        #[test]
        fn two_places_never_share_a_lane(a in place(), b in place()) {
            let lane = |place: &Place| lane_key(&SessionSettings::default(), &message(place.clone(), "U1"));
            prop_assert_eq!(a == b, lane(&a) == lane(&b));
        }
    }
}
