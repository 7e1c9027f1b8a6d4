//! A daemon whose channel has a fake ACP agent: what the tests of agents, questions and tools share.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{AcpAgent, Channel, Config, FakeHost, Start},
    slack::Posted,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Ada (`U1`) owns the workspace, Bob (`U2`) is a member of its conversations.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    /// A place for what agents write.
    pub(crate) scratch: TempDir,
    told: AtomicU32,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        Self::with(json!({})).await
    }

    /// With these settings in `daemon.json` besides.
    pub(crate) async fn with(mut settings: Value) -> Self {
        let stage = Stage::set().await;
        settings["workspaces"] = json!({WORKSPACE: {"owners": {"slack": ["U1"]}}});
        stage.home.write_settings(&settings);
        Self {
            stage,
            scratch: TempDir::new().expect("a directory"),
            told: AtomicU32::new(1),
        }
    }

    /// One whose rules ask about `tools`.
    pub(crate) async fn asking(tools: &[&str]) -> Self {
        let scene = Self::set().await;
        scene.permit(json!({"askTools": tools}));
        scene
    }

    /// Writes the workspace's permissions.
    pub(crate) fn permit(&self, permissions: Value) {
        self.stage
            .home
            .write_permissions(WORKSPACE, &permissions.to_string());
    }

    /// A path for an agent to write to.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A daemon that serves `C1` and `C2`.
    pub(crate) fn start(&self, agent: &AcpAgent) -> Start {
        let channel = Channel::slack(SLUG).conversations(&["C1", "C2"]).agent(agent);
        let config = Config::new().channel(WORKSPACE, channel);
        self.stage.home.start(&self.stage.slack).config(config)
    }

    pub(crate) async fn up(&self, agent: &AcpAgent) -> FakeHost {
        self.stage.up(self.start(agent)).await
    }

    pub(crate) async fn play(&self) -> FakeHost {
        self.up(&AcpAgent::new()).await
    }

    /// `who` tells the agent in `C1` what to do, step by step.
    pub(crate) fn tell(&self, who: &str, steps: &[&str]) -> String {
        self.tell_in("C1", who, steps)
    }

    pub(crate) fn tell_in(&self, conversation: &str, who: &str, steps: &[&str]) -> String {
        let lines: Vec<String> = steps.iter().map(|step| format!("do: {step}")).collect();
        self.stage.slack.user_posts(conversation, who, &lines.join("\n"))
    }

    /// Tells the agent in `C1` what to do, and gives its answer.
    pub(crate) async fn told(&self, steps: &[&str]) -> String {
        self.told_in("C1", steps).await
    }

    /// The answer is known by its last line: cards, replies and notices are posted too.
    pub(crate) async fn told_in(&self, conversation: &str, steps: &[&str]) -> String {
        let last = format!("that was {}.", self.told.fetch_add(1, Ordering::Relaxed));
        let say = format!("say {last}");
        let steps: Vec<&str> = steps.iter().copied().chain([&*say]).collect();
        self.tell_in(conversation, "U1", &steps);
        let answer = self.heard(&last).await;
        assert_eq!(answer.channel, conversation);
        answer.text.trim_end_matches(&last).trim_end().to_owned()
    }

    /// Waits until something was posted that contains this.
    pub(crate) async fn heard(&self, part: &str) -> Posted {
        let mut looked_at = 0;
        loop {
            let posted = self.stage.slack.wait_posted(looked_at + 1).await;
            if let Some(found) = posted.iter().find(|p| p.text.contains(part)) {
                return found.clone();
            }
            looked_at = posted.len();
        }
    }

    /// Waits for the newest card.
    pub(crate) async fn card(&self) -> Posted {
        self.stage.slack.wait_card().await
    }
}
