use std::sync::Mutex;

use serde_json::json;
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt, timeout::TimeoutLayer};
use tower_test::{assert_request_eq, mock, mock::Handle};

use super::*;
use crate::{Digest, PermissionsFile, Role, Roots, ToolDefault};

type Mock = mock::Mock<ToolCall, &'static str>;

/// What the gate did with its authority, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Recorded(Decision),
    Asked,
}

/// What the person does who is asked.
#[derive(Clone, Debug)]
enum Person {
    Answers(Resolution),
    /// Says yes, while somebody else puts other rules into force.
    SaysYesUnder(Arc<Policy>),
    Cannot,
}

/// An authority that does as it was told, and remembers what it was asked.
#[derive(Debug)]
struct Script {
    policy: Mutex<Option<Arc<Policy>>>,
    person: Person,
    /// How long the person takes.
    takes: Duration,
    /// From this record on none can be written.
    full_at: usize,
    grants: Mutex<Vec<Digest>>,
    steps: Mutex<Vec<Step>>,
}

#[derive(Debug, thiserror::Error)]
#[error("out of order")]
struct OutOfOrder;

// === impl Script ===

impl Script {
    fn new(person: Person) -> Self {
        let policy = Policy::base().with_plugin_tool("post", ToolDefault::Ask);
        Self {
            policy: Mutex::new(Some(Arc::new(policy))),
            person,
            takes: Duration::ZERO,
            full_at: usize::MAX,
            grants: Mutex::default(),
            steps: Mutex::default(),
        }
    }

    fn answering(resolution: Resolution) -> Self {
        Self::new(Person::Answers(resolution))
    }

    fn steps(&self) -> Vec<Step> {
        self.steps.lock().unwrap().clone()
    }
}

#[async_trait]
impl Authority for Script {
    async fn situation(&self) -> Result<Situation, Error> {
        let policy = self.policy.lock().unwrap().clone().ok_or(OutOfOrder)?;
        let context = Context::new(Role::Member).asking();
        Ok(Situation { policy, context })
    }

    async fn record(&self, call: &ToolCall, verdict: Verdict) -> Result<Verdict, Error> {
        let mut steps = self.steps.lock().unwrap();
        if steps.len() >= self.full_at {
            return Err(OutOfOrder.into());
        }
        steps.push(Step::Recorded(verdict.decision));
        let mut grants = self.grants.lock().unwrap();
        let grant = grants.iter().position(|grant| *grant == call.digest());
        Ok(match (verdict.decision, grant) {
            (Decision::Ask, Some(grant)) => {
                grants.remove(grant);
                Verdict::allow("grant:1", "A person allowed it.".to_owned())
            }
            _ => verdict,
        })
    }

    async fn ask(&self, call: &ToolCall, verdict: &Verdict) -> Result<Resolution, Error> {
        assert_eq!(verdict.decision, Decision::Ask);
        self.steps.lock().unwrap().push(Step::Asked);
        sleep(self.takes).await;
        let resolution = match &self.person {
            Person::Answers(resolution) => resolution.clone(),
            Person::SaysYesUnder(policy) => {
                *self.policy.lock().unwrap() = Some(Arc::clone(policy));
                Resolution::Allowed
            }
            Person::Cannot => return Err(OutOfOrder.into()),
        };
        if resolution == Resolution::Allowed {
            self.grants.lock().unwrap().push(call.digest());
        }
        Ok(resolution)
    }
}

/// A gate before a runner that is ready, and what comes to the runner.
fn gate(script: Script) -> (Arc<Script>, Gate<Mock>, Handle<ToolCall, &'static str>) {
    let script = Arc::new(script);
    let (runner, handle) = mock::pair();
    let gate = GateLayer::new(Arc::clone(&script) as Arc<dyn Authority>).layer(runner);
    (script, gate, handle)
}

fn post() -> ToolCall {
    ToolCall::new("post", json!({ "text": "hello" }))
}

/// Makes a call through a gate to a runner that answers at once. Says what came of it, and whether it ran.
async fn outcome(script: Script, call: ToolCall) -> (Result<&'static str, Error>, bool, Vec<Step>) {
    let (script, gate, mut handle) = gate(script);
    let runs = async {
        let (_, answer) = handle.next_request().await?;
        answer.send_response("ran");
        Some(())
    };
    let (result, ran) = tokio::join!(gate.oneshot(call), runs);
    (result, ran.is_some(), script.steps())
}

/// The refusal of a call that did not run.
async fn refusal(script: Script, call: ToolCall) -> (Refused, Vec<Step>) {
    let (result, ran, steps) = outcome(script, call).await;
    assert!(!ran, "the call ran");
    let error = result.expect_err("the call was let through");
    (error.downcast_ref::<Refused>().expect("a refusal").clone(), steps)
}

#[tokio::test]
async fn an_allowed_call_runs_once_its_verdict_is_recorded() {
    let read = ToolCall::new("Read", json!({ "file_path": "x" }));
    let (result, ran, steps) = outcome(Script::new(Person::Cannot), read).await;
    assert_eq!((result.unwrap(), ran), ("ran", true));
    assert_eq!(steps, [Step::Recorded(Decision::Allow)]);
}

#[tokio::test]
async fn a_denied_call_never_reaches_the_runner() {
    let deploy = ToolCall::new("Deploy", json!({}));
    let (refused, steps) = refusal(Script::answering(Resolution::Allowed), deploy).await;
    assert_eq!((&*refused.rule, refused.is_expired), ("default", false));
    assert_eq!(
        refused.to_string(),
        "Deploy is not in the daemon tool allowlist. Daemon mode restricts tool access for safety."
    );
    assert_eq!(steps, [Step::Recorded(Decision::Deny)]);
}

#[tokio::test]
async fn a_call_that_a_person_allows_is_recorded_again_and_runs() {
    let (result, ran, steps) = outcome(Script::answering(Resolution::Allowed), post()).await;
    assert_eq!((result.unwrap(), ran), ("ran", true));
    let asked = Step::Recorded(Decision::Ask);
    assert_eq!(steps, [asked.clone(), Step::Asked, asked]);
}

#[tokio::test]
async fn a_call_with_a_grant_asks_nobody() {
    let script = Script::new(Person::Cannot);
    script.grants.lock().unwrap().push(post().digest());
    let (result, ran, steps) = outcome(script, post()).await;
    assert_eq!((result.unwrap(), ran), ("ran", true));
    assert_eq!(steps, [Step::Recorded(Decision::Ask)]);
}

#[tokio::test]
async fn a_no_is_a_denial_with_its_reason() {
    let no = |reason: Option<&str>| Resolution::Denied {
        reason: reason.map(str::to_owned),
    };
    let (refused, steps) = refusal(Script::answering(no(Some("not today"))), post()).await;
    assert_eq!(
        refused.reason,
        "post was denied by the person who was asked: not today"
    );
    assert_eq!((&*refused.rule, refused.is_expired), ("plugin:post", false));
    assert_eq!(steps, [Step::Recorded(Decision::Ask), Step::Asked]);
    let (refused, _) = refusal(Script::answering(no(None)), post()).await;
    assert_eq!(refused.reason, "post was denied by the person who was asked");
}

#[tokio::test]
async fn a_question_that_nobody_answered_is_no_denial_and_says_so() {
    let after = Duration::from_secs(10 * 60);
    let (refused, _) = refusal(Script::answering(Resolution::Expired { after }), post()).await;
    assert!(refused.is_expired);
    assert!(
        refused.reason.contains("within 10 min. This is not a denial"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_denial_that_came_meanwhile_beats_the_yes() {
    let file = PermissionsFile::parse(r#"{ "blockedTools": ["post"] }"#).unwrap();
    let blocked = Policy::base().with_file(&file, &Roots::new("/none/ws"));
    let script = Script::new(Person::SaysYesUnder(Arc::new(blocked)));
    let (refused, steps) = refusal(script, post()).await;
    assert_eq!(refused.rule, "blockedTools:post");
    assert_eq!(
        steps,
        [
            Step::Recorded(Decision::Ask),
            Step::Asked,
            Step::Recorded(Decision::Deny)
        ]
    );
}

#[tokio::test]
async fn a_yes_is_for_this_call_alone() {
    let (script, gate, mut handle) = gate(Script::answering(Resolution::Allowed));
    for _ in 0..2 {
        let (result, ()) = tokio::join!(gate.clone().oneshot(post()), async {
            assert_request_eq!(handle, post()).send_response("ran");
        });
        result.unwrap();
    }
    let questions = script.steps().iter().filter(|step| **step == Step::Asked).count();
    assert_eq!(questions, 2);
    // A call that differs in its arguments finds no grant of the other.
    script.grants.lock().unwrap().push(post().digest());
    let other = ToolCall::new("post", json!({ "text": "hello!" }));
    let verdict = decide(&*script, &other).await.unwrap();
    assert_eq!(verdict.decision, Decision::Ask);
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_run() {
    for (full_at, questions) in [(0, 0), (2, 1)] {
        let script = Script {
            full_at,
            ..Script::answering(Resolution::Allowed)
        };
        let (result, ran, steps) = outcome(script, post()).await;
        assert!(result.unwrap_err().is::<OutOfOrder>());
        assert!(!ran);
        assert_eq!(
            steps.iter().filter(|step| **step == Step::Asked).count(),
            questions
        );
    }
}

#[tokio::test]
async fn without_rules_nothing_runs() {
    let script = Script::answering(Resolution::Allowed);
    *script.policy.lock().unwrap() = None;
    let (result, ran, steps) = outcome(script, post()).await;
    assert!(result.unwrap_err().is::<OutOfOrder>());
    assert_eq!((ran, &*steps), (false, &[][..]));
}

#[tokio::test]
async fn where_nobody_could_be_asked_nothing_runs() {
    let (result, ran, _) = outcome(Script::new(Person::Cannot), post()).await;
    assert!(result.unwrap_err().is::<OutOfOrder>());
    assert!(!ran);
}

#[tokio::test]
async fn an_agent_that_runs_its_own_tools_is_told_the_same() {
    let yes = Script::answering(Resolution::Allowed);
    admit(&yes, &post()).await.unwrap();
    let no = Script::answering(Resolution::Denied { reason: None });
    assert!(admit(&no, &post()).await.unwrap_err().is::<Refused>());
    let deploy = ToolCall::new("Deploy", json!({}));
    assert!(admit(&yes, &deploy).await.unwrap_err().is::<Refused>());
}

#[tokio::test]
async fn a_call_that_is_given_up_while_a_person_thinks_does_not_run() {
    let (script, gate, mut handle) = gate(Script {
        takes: Duration::from_secs(60),
        ..Script::answering(Resolution::Allowed)
    });
    let mut call = Box::pin(gate.oneshot(post()));
    assert!(futures_util::poll!(&mut call).is_pending());
    drop(call);
    assert_eq!(script.steps(), [Step::Recorded(Decision::Ask), Step::Asked]);
    assert!(handle.next_request().await.is_none(), "the call ran");
}

#[tokio::test]
async fn the_gate_is_ready_when_the_runner_is() {
    let (_, gate, mut handle) = gate(Script::new(Person::Cannot));
    handle.allow(0);
    let mut gate = mock::Spawn::new(gate);
    assert!(gate.poll_ready().is_pending());
    handle.allow(2);
    assert!(gate.poll_ready().is_ready());
    // The runner that was polled takes the call: a clone of it would panic, as it is not ready.
    let read = ToolCall::new("Read", json!({}));
    let call = gate.call(read.clone());
    assert!(gate.poll_ready().is_ready());
    let (result, ()) = tokio::join!(call, async {
        assert_request_eq!(handle, read).send_response("ran");
    });
    assert_eq!(result.unwrap(), "ran");
    handle.send_error(OutOfOrder);
    assert!(matches!(gate.poll_ready(), Poll::Ready(Err(error)) if error.is::<OutOfOrder>()));
}

/// A person takes nine minutes, and the runner `runs`; the time limit within the gate is a minute.
async fn with_a_limit(runs: Duration) -> (Result<&'static str, Error>, Duration) {
    let script: Arc<dyn Authority> = Arc::new(Script {
        takes: Duration::from_secs(9 * 60),
        ..Script::answering(Resolution::Allowed)
    });
    let (runner, mut handle) = mock::pair::<ToolCall, &'static str>();
    let stack = ServiceBuilder::new()
        .layer(GateLayer::new(script))
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .service(runner);
    let start = Instant::now();
    let (result, ()) = tokio::join!(stack.oneshot(post()), async {
        let answer = assert_request_eq!(handle, post());
        sleep(runs).await;
        answer.send_response("ran");
    });
    (result, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_person_may_take_longer_than_the_tool() {
    let (result, took) = with_a_limit(Duration::from_secs(59)).await;
    assert_eq!(result.unwrap(), "ran");
    assert_eq!(took.as_secs(), 9 * 60 + 59);
}

#[tokio::test(start_paused = true)]
async fn the_tool_may_not_take_longer_than_its_limit() {
    let (result, _) = with_a_limit(Duration::from_secs(61)).await;
    assert!(result.unwrap_err().is::<tower::timeout::error::Elapsed>());
}
