//! What the daemon registers.

use std::sync::{Arc, RwLock};

use kata_channel::Adapter;
use kata_plugin::{ChannelContext, ChannelKind, Plugin, Registrar, RegistrationError, SetupError};
use url::Url;

use crate::{
    adapter::GmailAdapter,
    desk::{Desk, MAILBOX},
    endpoint,
    oauth::Credential,
    registry::Registry,
    service, tools,
};

const ID: &str = "kata-gmail";

/// The Gmail plugin: channels whose `adapter` is `gmail`, the tools that work in their mail, and the service that keeps their
/// sign-ins fresh.
#[derive(Debug)]
pub struct GmailPlugin {
    registry: Arc<Registry>,
    token_url: Result<Option<Url>, String>,
}

// === impl GmailPlugin ===

impl GmailPlugin {
    /// A plugin with no channels yet. `token_url` = Google's token endpoint, when it was moved for tests or a proxy; or what is
    /// wrong with it, which every channel then says.
    #[must_use]
    pub fn new(token_url: Result<Option<Url>, String>) -> Self {
        Self {
            registry: Arc::default(),
            token_url,
        }
    }
}

impl Plugin for GmailPlugin {
    fn id(&self) -> &'static str {
        ID
    }

    fn name(&self) -> &'static str {
        "Gmail"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
        let (registry, token_url) = (self.registry.clone(), self.token_url.clone());
        to.register_channel(ChannelKind {
            adapter: "gmail",
            plugin: ID,
            endpoint_variable: Some("KATA_GMAIL_API_URL"),
            make: Arc::new(move |context| {
                let token_url = token_url
                    .as_ref()
                    .map_err(|why| SetupError::Invalid(why.clone()))?;
                Ok(Arc::new(make(&registry, token_url.as_ref(), context)?) as Arc<dyn Adapter>)
            }),
        })?;
        to.register_service(ID, service::spec(&self.registry))?;
        tools::all(&self.registry)
            .into_iter()
            .try_for_each(|tool| to.register_tool(ID, tool))
    }
}

fn make(
    registry: &Registry,
    token_url: Option<&Url>,
    context: ChannelContext,
) -> Result<GmailAdapter, SetupError> {
    let invalid = |error: &dyn std::fmt::Display| SetupError::Invalid(error.to_string());
    let label = label(&context)?;
    let mail = context.settings.mail.clone();
    let has_query = mail
        .query
        .as_deref()
        .is_some_and(|query| !query.trim().is_empty());
    if label.is_none() && !has_query {
        return Err(SetupError::Invalid(
            "a Gmail channel serves the mail of a label (filter.channelIds) or of a search (settings.mail.query), and this one \
             names neither: the whole mailbox is not served"
                .into(),
        ));
    }
    let token = context.token.as_ref().ok_or_else(|| {
        SetupError::MissingToken("the channel has no Google sign-in: run katad auth gmail".into())
    })?;
    let credential = Credential::parse(token).map_err(|e| invalid(&e))?;
    let root = endpoint::gmail(context.endpoint.as_ref()).map_err(|e| invalid(&e))?;
    let token_url = endpoint::token(token_url).map_err(|e| invalid(&e))?;
    let tls = registry.tls().map_err(|_| {
        SetupError::Invalid("the system's certificates cannot be read: Gmail cannot be reached".into())
    })?;
    let mailbox = registry.mailbox(&root, token_url, credential, &tls, context.clock.clone());
    let part = format!(
        "{}\n{}",
        label.as_deref().unwrap_or(MAILBOX),
        mail.query.as_deref().unwrap_or_default()
    );
    let registration = mailbox.register(&context.key, &part).map_err(|by| {
        SetupError::Invalid(format!(
            "the same mail is already served by the channel {} with the same Google sign-in: give them different labels or \
             searches",
            by.slug
        ))
    })?;
    let desk = Arc::new(Desk {
        key: context.key,
        mailbox,
        label,
        mail,
        max_age: context.settings.catch_up.max_age(),
        clock: context.clock,
        label_id: RwLock::default(),
    });
    registry.add(&desk);
    Ok(GmailAdapter::new(desk, registration))
}

/// The label that the channel serves.
fn label(context: &ChannelContext) -> Result<Option<String>, SetupError> {
    let labels: Vec<&str> = context.filter.named().iter().map(|label| label.trim()).collect();
    match &*labels {
        [] => Ok(None),
        [label] if !label.is_empty() => Ok(Some((*label).to_owned())),
        _ => Err(SetupError::Invalid(
            "a Gmail channel serves one label: filter.channelIds names it; make a channel for each label"
                .into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use kata_channel::{
        ChannelKey, Clock,
        settings::{Filter, MailSettings, Settings},
    };
    use tokio_util::task::TaskTracker;

    use super::*;

    fn context(slug: &str, labels: &[&str], query: Option<&str>) -> ChannelContext {
        let ids = labels.iter().map(|&id| id.to_owned()).collect();
        ChannelContext {
            key: ChannelKey::new("w", slug),
            filter: Filter {
                channel_ids: Some(ids),
                ..Filter::default()
            },
            settings: Settings {
                mail: MailSettings {
                    query: query.map(str::to_owned),
                    ..MailSettings::default()
                },
                ..Settings::default()
            },
            owners: Vec::new(),
            poll_interval: None,
            token: Some(r#"{"refreshToken":"r","clientId":"c"}"#.into()),
            app_token: None,
            endpoint: None,
            clock: Clock::system(),
            tasks: TaskTracker::new(),
        }
    }

    fn refusal(context: ChannelContext) -> String {
        make(&Registry::default(), None, context).unwrap_err().to_string()
    }

    #[test]
    fn a_channel_for_the_whole_mailbox_does_not_start_and_says_so() {
        for query in [None, Some(" ")] {
            let said = refusal(context("a", &[], query));
            assert!(
                said.contains("filter.channelIds") && said.contains("settings.mail.query"),
                "{said}"
            );
        }
        for (labels, query) in [(&["Kata"][..], None), (&[], Some("is:important"))] {
            assert!(make(&Registry::default(), None, context("a", labels, query)).is_ok());
        }
        assert!(refusal(context("a", &["A", "B"], None)).contains("one label"));
    }

    #[test]
    fn a_channel_without_a_sign_in_says_where_to_get_one() {
        for token in [None, Some("xoxb-1".into())] {
            let without = ChannelContext {
                token,
                ..context("a", &["Kata"], None)
            };
            assert!(refusal(without).contains("katad auth gmail"));
        }
    }

    #[test]
    fn a_second_channel_for_the_same_mail_is_refused_with_the_first_named() {
        let registry = Registry::default();
        let first = make(&registry, None, context("support", &["Kata"], None)).unwrap();
        let refused = make(&registry, None, context("ops", &["Kata"], None)).unwrap_err();
        assert!(
            matches!(&refused, SetupError::Invalid(s) if s.contains("support")),
            "{refused}"
        );
        assert!(make(&registry, None, context("other", &["Other"], None)).is_ok());
        drop(first);
        assert!(make(&registry, None, context("ops", &["Kata"], None)).is_ok());
    }

    #[test]
    fn plain_http_to_another_machine_is_refused() {
        let moved = ChannelContext {
            endpoint: Some("http://10.0.0.1/".parse().unwrap()),
            ..context("a", &["Kata"], None)
        };
        assert!(refusal(moved).contains("10.0.0.1"));
    }
}
