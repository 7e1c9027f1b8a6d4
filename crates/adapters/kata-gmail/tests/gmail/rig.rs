//! Channels at a fake Gmail.

use std::sync::Arc;

use kata_channel::{
    Adapter, ChannelError, ChannelKey, Clock, Cursor, Finding, IdempotencyKey, Inbound, Lookup, ManualClock,
    MessageId, Outbound, Place, PollPage, PollRequest, Timestamp,
    settings::{Filter, MailSettings, Settings},
};
use kata_gmail::GmailPlugin;
use kata_plugin::{
    ChannelContext, MemoryState, Plugin, PluginState, Registrar, Service, ServiceContext, ToolContext,
    ToolDefault, ToolError,
};
use kata_testkit::gmail::{CREDENTIAL, FakeGmail};
use serde_json::{Map, Value};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A mailbox with the label `Kata`, and a plugin to make channels with.
pub(crate) struct Rig {
    pub(crate) gmail: FakeGmail,
    pub(crate) time: ManualClock,
    registrar: Registrar,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let gmail = FakeGmail::start().await;
        gmail.add_label("Kata");
        let mut registrar = Registrar::new();
        let token_url = gmail.token_url().parse().unwrap();
        GmailPlugin::new(Ok(Some(token_url)))
            .register(&mut registrar)
            .unwrap();
        Self {
            gmail,
            time: ManualClock::at(Clock::system().wall()),
            registrar,
        }
    }

    pub(crate) fn context(&self, mail: MailSettings) -> ChannelContext {
        ChannelContext {
            key: ChannelKey::new("w1", "mail"),
            filter: Filter {
                channel_ids: Some(vec!["Kata".into()]),
                ..Filter::default()
            },
            settings: Settings {
                mail,
                ..Settings::default()
            },
            owners: Vec::new(),
            poll_interval: None,
            token: Some(CREDENTIAL.into()),
            app_token: None,
            endpoint: Some(self.gmail.api_url().parse().unwrap()),
            clock: self.time.clock(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn make(&self, context: ChannelContext) -> Arc<dyn Adapter> {
        (self.registrar.channel("gmail").unwrap().make)(context).unwrap()
    }

    /// A channel for the label `Kata` that knows whose mailbox it is.
    pub(crate) async fn channel(&self, mail: MailSettings) -> Arc<dyn Adapter> {
        self.connected(self.context(mail)).await
    }

    pub(crate) async fn connected(&self, context: ChannelContext) -> Arc<dyn Adapter> {
        let adapter = self.make(context);
        adapter.connect().await.unwrap();
        adapter
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.time.clock().wall()
    }

    /// An answer in a mail's thread.
    pub(crate) fn answer(&self, thread: &str, to: &str, key: &str, text: &str) -> Outbound {
        Outbound {
            channel: ChannelKey::new("w1", "mail"),
            place: Place::thread("Kata", thread),
            reply_to: Some(MessageId::new(to)),
            text: text.into(),
            key: IdempotencyKey(key.into()),
            part: 1,
            of: 1,
            metadata: Map::new(),
            choices: Vec::new(),
            created_at: self.now(),
        }
    }

    /// Asks whether an answer has arrived.
    pub(crate) async fn find(
        &self,
        adapter: &Arc<dyn Adapter>,
        out: &Outbound,
    ) -> Result<Finding, ChannelError> {
        let lookup = Lookup {
            outbound: out.clone(),
            since: self.now(),
        };
        adapter.read_back().unwrap().find(&lookup).await
    }

    pub(crate) fn tool_default(&self, name: &str) -> ToolDefault {
        self.registrar
            .tools()
            .find(|tool| tool.spec.name == name)
            .unwrap()
            .spec
            .default
    }

    pub(crate) fn service(&self) -> Arc<dyn Service> {
        let service = self.registrar.services().next().unwrap();
        (service.spec.make)()
    }

    pub(crate) fn service_context(&self) -> (ServiceContext, CancellationToken) {
        let state = PluginState::new(Arc::new(MemoryState::default()), "kata-gmail", "w1".into());
        let stop = CancellationToken::new();
        let context = ServiceContext::new(state, stop.clone(), self.time.clock(), TaskTracker::new());
        (context, stop)
    }

    /// Calls a tool in a turn of the thread.
    pub(crate) async fn tool(&self, name: &str, thread: &str, input: Value) -> Result<Value, ToolError> {
        self.call(name, context(thread), input).await
    }

    /// Calls a tool with the turn's answer.
    pub(crate) async fn answer_tool(
        &self,
        name: &str,
        thread: &str,
        input: Value,
    ) -> Result<Value, ToolError> {
        self.call(name, context(thread).answering(), input).await
    }

    async fn call(&self, name: &str, context: ToolContext, input: Value) -> Result<Value, ToolError> {
        let tool = self
            .registrar
            .tools()
            .find(|tool| tool.spec.name == name)
            .unwrap();
        tool.check(&input)
            .map_err(|misfit| ToolError::Input(misfit.to_string()))?;
        Ok(tool.spec.handler.call(&context, input).await?.content)
    }
}

fn context(thread: &str) -> ToolContext {
    ToolContext::new(
        ChannelKey::new("w1", "mail"),
        Place::thread("Kata", thread),
        "daemon-mail-1",
    )
}

/// The cursor of now.
pub(crate) async fn now(adapter: &Arc<dyn Adapter>) -> Cursor {
    adapter
        .history()
        .unwrap()
        .start_from_now(&Place::conversation("Kata"))
        .await
        .unwrap()
}

pub(crate) async fn page(adapter: &Arc<dyn Adapter>, cursor: &Cursor, page: Option<String>) -> PollPage {
    let request = PollRequest {
        place: Place::conversation("Kata"),
        cursor: cursor.clone(),
        page,
    };
    adapter.history().unwrap().poll(request).await.unwrap()
}

/// Everything since a cursor, and the cursor after it.
pub(crate) async fn read(adapter: &Arc<dyn Adapter>, from: &Cursor) -> (Vec<Inbound>, Cursor) {
    let history = adapter.history().unwrap();
    let (mut all, mut cursor, mut next) = (Vec::new(), from.clone(), None);
    loop {
        let page = page(adapter, from, next).await;
        all.extend(page.messages);
        if let Some(newest) = page.newest {
            assert!(history.compare(&cursor, &newest).is_le(), "{cursor:?} {newest:?}");
            cursor = newest;
        }
        next = page.next;
        if next.is_none() {
            return (all, cursor);
        }
    }
}

pub(crate) fn ids(messages: &[Inbound]) -> Vec<&str> {
    messages.iter().map(|message| message.id.as_str()).collect()
}
