//! The whole stack, in the order that the module's docs name, with the gate in its place.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use kata_perm::{
    Context, Policy, Role, ToolCall, ToolDefault, Verdict,
    gate::{Authority, GateLayer, Resolution, Situation},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt as _, util::BoxCloneSyncService};

use super::*;
use crate::{
    sample,
    tool::{SideEffect, Tool, ToolContext, ToolError, ToolOutput, ToolSpec},
};

/// What a call may take, waiting for a slot and for people left out.
const LIMIT: Duration = Duration::from_secs(60);
/// How long the person thinks before saying yes.
const THINKS: Duration = Duration::from_secs(9 * 60);

/// Lets `slack_echo` pass, and asks a person about `slack_post`.
#[derive(Debug, Default)]
struct Person {
    said_yes: AtomicBool,
    asked: AtomicBool,
}

#[async_trait]
impl Authority for Person {
    async fn situation(&self) -> Result<Situation, Error> {
        let post = if self.said_yes.load(Ordering::Relaxed) {
            ToolDefault::Allow
        } else {
            ToolDefault::Ask
        };
        let policy = Policy::base()
            .with_plugin_tool("slack_echo", ToolDefault::Allow)
            .with_plugin_tool("slack_post", post);
        Ok(Situation {
            policy: Arc::new(policy),
            context: Context::new(Role::Owner).asking(),
        })
    }

    async fn record(&self, _: &ToolCall, verdict: Verdict) -> Result<Verdict, Error> {
        Ok(verdict)
    }

    async fn ask(&self, _: &ToolCall, _: &Verdict) -> Result<Resolution, Error> {
        self.asked.store(true, Ordering::Relaxed);
        sleep(THINKS).await;
        self.said_yes.store(true, Ordering::Relaxed);
        Ok(Resolution::Allowed)
    }
}

/// Takes most of the time that a call has.
struct Slow;

#[async_trait]
impl Tool for Slow {
    async fn call(&self, _: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
        sleep(LIMIT * 2 / 3).await;
        Ok(ToolOutput::json(json!("done")))
    }
}

type Stack = BoxCloneSyncService<ToolCall, ToolOutput, Error>;

/// One call at a time.
fn stack(person: &Arc<Person>) -> Stack {
    let post = ToolSpec {
        name: "slack_post",
        default: ToolDefault::Ask,
        side_effect: SideEffect::EveryTime,
        ..sample::spec(Slow)
    };
    let tools = sample::set([sample::spec(Slow), post]);
    let context = sample::context();
    ServiceBuilder::new()
        .layer(Stack::layer())
        .layer(ValidateLayer::new(tools.clone()))
        .layer(GateLayer::new(Arc::clone(person) as _))
        .layer(BeforeToolCallLayer::new([], Arc::clone(&context)))
        .layer(AfterToolCallLayer::new([], Arc::clone(&context)))
        .layer(ToolLimitLayer::new(1))
        .layer(BoundLayer::new(1024))
        .layer(ToolTimeoutLayer::new(tools.clone(), LIMIT))
        .service(Tools::new(tools, context))
}

#[tokio::test(start_paused = true)]
async fn a_person_who_takes_minutes_holds_no_slot_and_uses_up_no_timeout() {
    let person = Arc::<Person>::default();
    let stack = stack(&person);
    let begun = Instant::now();
    let post = stack
        .clone()
        .oneshot(ToolCall::new("slack_post", json!({"text": "hi"})));
    let echo = async {
        let said = stack.clone().oneshot(sample::call()).await;
        (said, begun.elapsed())
    };
    let (posted, (echoed, after)) = tokio::join!(post, echo);
    assert_eq!(posted.unwrap().content, json!("done"));
    assert_eq!(echoed.unwrap().content, json!("done"));
    assert!(after < LIMIT, "the other call went on meanwhile: {after:?}");
    assert!(begun.elapsed() > THINKS);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_slot_costs_a_call_none_of_its_time() {
    let stack = stack(&Arc::default());
    let (one, other) = tokio::join!(
        stack.clone().oneshot(sample::call()),
        stack.clone().oneshot(sample::call())
    );
    // Together they take longer than one call may.
    one.unwrap();
    other.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_about_a_call_that_could_not_run() {
    let person = Arc::<Person>::default();
    let refused = stack(&person)
        .oneshot(ToolCall::new("slack_post", json!({"text": 7})))
        .await
        .unwrap_err();
    assert!(refused.is::<Invalid>());
    assert!(!person.asked.load(Ordering::Relaxed));
}
