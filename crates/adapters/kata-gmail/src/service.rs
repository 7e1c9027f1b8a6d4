//! `gmail_sync`: keeps the sign-ins of a workspace's channels fresh, also of those that are polled seldom, and says of its
//! health what a person must know: a sign-in that has ended, or will in two days.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use kata_channel::WorkspaceId;
use kata_plugin::{Health, Service, ServiceContext, ServiceSpec};
use tokio::time::sleep;

use crate::registry::Registry;

/// More often than an access token has to be exchanged ahead of its end.
const EVERY: Duration = Duration::from_secs(4 * 60);

pub(crate) fn spec(registry: &Arc<Registry>) -> ServiceSpec {
    let registry = Arc::clone(registry);
    ServiceSpec {
        name: "gmail_sync",
        make: Arc::new(move || {
            Arc::new(Sync {
                registry: Arc::clone(&registry),
                workspace: OnceLock::new(),
            })
        }),
    }
}

struct Sync {
    registry: Arc<Registry>,
    workspace: OnceLock<WorkspaceId>,
}

#[async_trait]
impl Service for Sync {
    async fn run(&self, context: ServiceContext) -> Result<(), String> {
        let workspace = self.workspace.get_or_init(|| context.workspace.clone());
        let keep_fresh = async {
            loop {
                sleep(EVERY).await;
                for desk in self.registry.of_workspace(workspace) {
                    if let Err(error) = desk.mailbox.api.tokens().token().await {
                        tracing::debug!(channel = %desk.key, "no access token: {error}");
                    }
                }
            }
        };
        context.stop.run_until_cancelled(keep_fresh).await;
        Ok(())
    }

    fn health(&self) -> Health {
        let desks = self
            .workspace
            .get()
            .map(|workspace| self.registry.of_workspace(workspace));
        let trouble = desks.into_iter().flatten().find_map(|desk| {
            let said = desk.mailbox.api.tokens().trouble()?;
            Some(format!("channel {:?}: {said}", desk.key.slug))
        });
        trouble.map_or(Health::Healthy, |reason| Health::Unhealthy { reason })
    }
}
