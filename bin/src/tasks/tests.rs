//! The timer over a real store, with a plugin that can be asked, and a clock in the hand.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use kata_channel::{ManualClock, Timestamp};
use kata_ipc::{Event, command::TaskRef};
use kata_plugin::{ActionContext, ActionError, Plugin, Plugins, Registrar, RegistrationError};
use kata_store::{FireState, Task};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{hand, plugin::Desk, timer};
use crate::{
    daemon::{Daemon, Events, Parts},
    gate::Place,
    home::{DaemonConfig, Home},
    open,
};

/// Can be asked to ring.
#[derive(Clone, Default)]
struct Bell(Arc<AtomicU32>);

#[async_trait]
impl Plugin for Bell {
    fn id(&self) -> &'static str {
        "kata-bell"
    }

    fn name(&self) -> &'static str {
        "Bell"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn register(&self, _: &mut Registrar) -> Result<(), RegistrationError> {
        Ok(())
    }

    fn actions(&self) -> &'static [&'static str] {
        &["ring", "crack"]
    }

    async fn action(
        &self,
        context: &ActionContext,
        action: &str,
        payload: Value,
    ) -> Result<Value, ActionError> {
        assert_eq!(
            (context.workspace.as_str(), &payload),
            ("w", &json!({"loud": true}))
        );
        self.0.fetch_add(1, Ordering::Relaxed);
        match action {
            "ring" => Ok(json!("ding")),
            _ => Err(ActionError::Failed("the bell has a crack".into())),
        }
    }
}

struct Rig {
    clock: ManualClock,
    bell: Bell,
    daemon: Arc<Daemon>,
    heard: mpsc::Receiver<Event>,
    _folder: TempDir,
}

impl Rig {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let home = Home::at(folder.path());
        home.create().unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(1_774_602_000_000));
        let (config, bell) = (DaemonConfig::default(), Bell::default());
        let store = open::store(&home, &config, &clock.clock()).unwrap().store;
        let (events, heard) = mpsc::channel(1_000);
        let plugin: Arc<dyn Plugin> = Arc::new(bell.clone());
        let daemon = Daemon::new(Parts {
            config,
            store,
            clock: clock.clock(),
            events: Events::inside(events),
            plugins: Plugins::new([plugin]).unwrap(),
            desk: Desk::default(),
            host: None,
            home,
        });
        let place = Place {
            id: "w".into(),
            root: folder.path().join("w"),
            plugins: BTreeSet::from(["kata-bell".to_owned()]),
        };
        daemon.gate.policies.load(place, daemon.registrar());
        Self {
            clock,
            bell,
            daemon,
            heard,
            _folder: folder,
        }
    }

    /// Makes a task; it is the first one.
    async fn schedule(&self, fields: Value) {
        let mut command = json!({
            "workspaceId": "w",
            "action": {"type": "plugin_action", "pluginId": "kata-bell", "action": "ring", "payload": {"loud": true}},
        });
        for (name, value) in fields.as_object().unwrap() {
            command[name] = value.clone();
        }
        hand::schedule(&self.daemon, serde_json::from_value(command).unwrap())
            .await
            .unwrap();
    }

    /// Has what is due run, and waits for it.
    async fn after(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
        // A run that has ended may let the next one begin.
        for _ in 0..10 {
            timer::due(&self.daemon).await.unwrap();
            self.daemon.turning.close();
            self.daemon.turning.wait().await;
            self.daemon.turning.reopen();
        }
    }

    async fn task(&self) -> Task {
        self.daemon.store.task(1).await.unwrap().unwrap()
    }

    /// The states of its runs, the oldest first.
    async fn runs(&self) -> Vec<FireState> {
        let fires = self.daemon.store.fires(1, None, 100).await.unwrap();
        fires.into_iter().rev().map(|fire| fire.state).collect()
    }

    fn rung(&self) -> u32 {
        self.bell.0.load(Ordering::Relaxed)
    }

    fn notices(&mut self) -> Vec<String> {
        let mut notices = Vec::new();
        while let Ok(event) = self.heard.try_recv() {
            if let Event::PluginError(notice) = event {
                notices.push(notice.error);
            }
        }
        notices
    }
}

#[tokio::test]
async fn an_action_is_asked_of_its_plugin_once_a_run_and_its_run_ends() {
    let rig = Rig::new();
    rig.schedule(json!({"taskType": "interval", "schedule": "600000"}))
        .await;
    rig.after(9).await;
    assert_eq!(rig.rung(), 0);
    rig.after(1).await;
    rig.after(10).await;
    assert_eq!((rig.rung(), rig.runs().await), (2, vec![FireState::Done; 2]));
    assert_eq!(
        rig.daemon.store.next_task_due().await.unwrap().unwrap().0,
        1_774_602_000_000 + 1_800_000
    );
}

#[tokio::test]
async fn an_action_that_fails_is_tried_again_ever_later_and_parked_with_one_notice() {
    let mut rig = Rig::new();
    let cracks = json!({"type": "plugin_action", "pluginId": "kata-bell", "action": "crack", "payload": {"loud": true}});
    rig.schedule(json!({"taskType": "one-shot", "schedule": "2026-03-27T09:10:00Z", "action": cracks}))
        .await;
    rig.after(10).await;
    for (failures, pause) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
        let task = rig.task().await;
        assert_eq!((task.failures, task.enabled), (failures, true));
        rig.after(pause - 1).await;
        assert_eq!(rig.rung(), failures, "too early");
        rig.after(1).await;
    }
    let parked = rig.task().await;
    assert_eq!(
        (rig.rung(), parked.enabled, parked.parked.is_some()),
        (5, false, true)
    );
    rig.after(600).await;
    assert_eq!(rig.rung(), 5);
    let notices = rig.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].contains("task 1") && notices[0].contains("the bell has a crack"),
        "{notices:?}"
    );
}

#[tokio::test]
async fn all_that_was_missed_is_made_up_for_without_overlap() {
    let rig = Rig::new();
    rig.schedule(json!({"taskType": "interval", "schedule": "600000", "missed": "all", "missedMax": 3}))
        .await;
    rig.after(54).await;
    let skipped_then_done = [
        FireState::Skipped,
        FireState::Done,
        FireState::Done,
        FireState::Done,
    ];
    assert_eq!((rig.rung(), &*rig.runs().await), (3, &skipped_then_done[..]));
}

#[tokio::test]
async fn a_clock_that_is_set_back_repeats_no_run() {
    let rig = Rig::new();
    rig.schedule(json!({"taskType": "interval", "schedule": "600000"}))
        .await;
    rig.after(30).await;
    assert_eq!(rig.rung(), 1);
    rig.clock
        .set_wall(Timestamp::from_millis(1_774_602_000_000 + 900_000));
    // Somebody pauses and resumes it: its next run is counted from the time that it is said to be.
    let task = || serde_json::from_value::<TaskRef>(json!({"taskId": 1})).unwrap();
    hand::pause(&rig.daemon, task()).await.unwrap();
    hand::resume(&rig.daemon, task()).await.unwrap();
    rig.after(16).await;
    // The slot at thirty minutes was run before.
    assert_eq!(
        (rig.rung(), rig.task().await.next_run.unwrap().0),
        (1, 1_774_602_000_000 + 2_400_000)
    );
}

#[tokio::test]
async fn a_clock_that_was_a_day_ahead_for_a_while_costs_no_day_of_runs() {
    const START: i64 = 1_774_602_000_000;
    let rig = Rig::new();
    rig.schedule(json!({"taskType": "interval", "schedule": "600000"}))
        .await;
    rig.clock.set_wall(Timestamp::from_millis(START + 86_400_000));
    rig.after(0).await;
    assert_eq!(rig.rung(), 1, "the newest run that was missed, as it seems");
    rig.clock.set_wall(Timestamp::from_millis(START + 60_000));
    timer::set_right(&rig.daemon).await.unwrap();
    // All that was missed, as it seemed, is recorded by its first slot: that one is made no more.
    for (minutes, rung) in [(9, 1), (9, 1), (1, 2), (10, 3)] {
        rig.after(minutes).await;
        assert_eq!(rig.rung(), rung);
    }
    // Set back once more, it runs nothing again.
    rig.clock.set_wall(Timestamp::from_millis(START + 60_000));
    timer::set_right(&rig.daemon).await.unwrap();
    rig.after(28).await;
    assert_eq!(rig.rung(), 3);
    rig.after(11).await;
    assert_eq!(rig.rung(), 4);
}

#[tokio::test]
async fn a_single_run_that_was_missed_for_too_long_is_said_once() {
    let mut rig = Rig::new();
    rig.schedule(json!({"taskType": "one-shot", "schedule": "2026-03-27T09:10:00Z", "missedGraceMs": 60000}))
        .await;
    rig.after(60).await;
    assert_eq!((rig.rung(), rig.runs().await), (0, vec![FireState::Skipped]));
    let notices = rig.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].contains("2026-03-27T09:10:00.000Z") && notices[0].contains("run_task"),
        "{notices:?}"
    );
}
