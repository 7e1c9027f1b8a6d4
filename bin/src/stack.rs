//! The picture of the program: what stands in a message's way, one layer a line, each with why it is there and why
//! *there*. `ServiceBuilder` only: the top line is the outermost.
//!
//! Between the stacks stand three loops and a database: ingress ends in a commit; the claim loop
//! (`daemon/turns.rs`) takes capacity, then the next ready lane, and runs it through the turn stack; the turn's end
//! and its answer are one commit; the outbox loop (`daemon/sends.rs`) runs each answer through the prepare stack and each
//! of its parts through the egress stack, and writes down what became of it.
//!
//! The hooks of plugins are five lines of it: `message_received` and `session_start` in [`ingress`], `before_tool_call` and
//! `after_tool_call` in [`tool`], `message_sending` in [`prepare`].

use std::{convert::Infallible, sync::Arc, time::Duration};

use kata_agent::{AgentRun, TurnDeadlineLayer, TurnGateLayer};
use kata_channel::{
    Outbound,
    drive::Ingress,
    egress::{AdapterService, AttemptTimeoutLayer, Resend},
    ingress::{
        Addressed, ApprovalRouter, CatchUpLayer, ChatCommands, Coalesce, Controls, EachLayer, Quota,
        SenderGate, Trigger,
    },
    settings::ReplyMode,
    span::SpanLayer,
};
use kata_perm::{ToolCall, gate::GateLayer};
use kata_plugin::{
    AfterToolCallLayer, BeforeToolCallLayer, BoundLayer, Draft, MessageReceivedLayer, MessageSendingLayer,
    SessionStartLayer, ToolContext, ToolOutput, ToolTimeoutLayer, Tools, ValidateLayer,
};
use tower::{Service, ServiceBuilder, util::BoxCloneSyncService};

use crate::{
    admit::{AdmitService, Naming},
    daemon::{Channel, Daemon},
    gate::{Docket, Standing},
    render::Render,
    rescue::{self, Attempt, RescueLayer, SendOutcome, TurnOutcome},
    tools,
    turn::{BudgetLayer, ByLeaveLayer, Claimed, FilesLayer, HistoryLayer, Past, SessionLayer, Summarise},
};

/// D12: a turn that takes longer gives its slot back.
const SLOT_SHARE: Duration = Duration::from_secs(15 * 60);
/// One call of a tool.
const TOOL: Duration = Duration::from_secs(60);
/// The longest result of a tool. Bytes.
const TOOL_OUTPUT: usize = 256 << 10;
/// One call to a platform.
const ATTEMPT: Duration = Duration::from_secs(30);

/// The way of a tool call.
pub(crate) type ToolStack = BoxCloneSyncService<ToolCall, ToolOutput, kata_perm::gate::Error>;

/// A message's way in. Nothing in it waits (D1): each layer looks, decides and passes on.
pub(crate) fn ingress(daemon: &Arc<Daemon>, channel: &Channel, trigger: Trigger) -> Ingress {
    let (id, spec) = (channel.id, &*channel.spec);
    let takes_commands = channel.adapter.descriptor().approvals;
    let owners = spec.owners.iter().map(|o| o.as_str().into());
    let gate =
        SenderGate::new(&spec.filter, &spec.settings, owners).door(daemon.pairings.door(channel, &trigger));
    let answers = ApprovalRouter::new(daemon.gate.approvals.questions(id), trigger.clone());
    let catch_up = &spec.settings.catch_up;
    let quota = Quota::new(&spec.settings.quota, daemon.clock.clone())
        .catching_up(catch_up)
        .edits(spec.settings.edits);
    let coalesce = Coalesce::new(&spec.settings.coalesce, daemon.clock.clone());
    let naming = Naming {
        filter: spec.filter.clone(),
        session: spec.session,
        edits: spec.settings.edits,
    };
    ServiceBuilder::new()
        .layer(Ingress::layer()) // one nameable type, for the drivers
        .layer(SpanLayer) // first, so that every line below names the channel
        .layer(EachLayer::new(gate)) // a stranger gets nowhere, not even to a command; at most a pairing code
        .layer(EachLayer::new(Controls)) // a reaction that stops a turn must not queue behind it
        .layer(EachLayer::new(answers)) // a "yes" must not queue behind the turn that waits for it
        .layer(EachLayer::new(Addressed::new(&spec.filter))) // under the answers: `yes 7Q4` counts without a mention
        .option_layer(takes_commands.then(|| EachLayer::new(ChatCommands::new(trigger.clone())))) // over the trigger: `/reset` counts without it. Never by mail, where anybody writes any name
        .layer(EachLayer::new(trigger)) // what is not for us leaves no row
        .layer(CatchUpLayer::new(catch_up, daemon.clock.clone())) // over the quota, which does not meter what is passed over; under the commands, which count though they piled up
        .layer(EachLayer::new(quota)) // behind all that decides: only what asks for a turn is metered
        .layer(EachLayer::new(coalesce)) // under the quota: the longer of two waits counts
        .layer(MessageReceivedLayer::new(daemon.announcer.clone())) // over the commit: hooks see what is new and stored (D1)
        .layer(SessionStartLayer::new(daemon.announcer.clone())) // under it: a session begins before its first message
        .service(AdmitService::new(daemon, id, naming)) // durable; then, and not before, the platform may be told
}

/// A turn's way, from its claim to its outcome. Made anew for each turn: what the host can do decides the limit.
pub(crate) fn turn(
    daemon: &Daemon,
    channel: &Channel,
    docket: Arc<Docket>,
    limit: Duration,
) -> impl Service<Claimed, Response = TurnOutcome, Error = Infallible, Future: Send> + use<> {
    let files = FilesLayer::new(Arc::clone(&channel.adapter), &daemon.home.attachments());
    let session = SessionLayer::new(channel.spec.kind.adapter, channel.key.clone());
    let history = history(daemon, channel, &docket, limit);
    let asks = channel.spec.settings.mail.reply_mode == ReplyMode::Approve;
    let tools = docket
        .turn
        .as_ref()
        .filter(|_| asks)
        .map(|turn| tool_as(daemon, &docket, turn.tool_context().answering()));
    let by_leave = ByLeaveLayer::new(Arc::clone(&channel.adapter), tools);
    ServiceBuilder::new()
        .layer(SpanLayer) // first, so that every line below names the turn
        .layer(RescueLayer::new(rescue::turn_ended)) // the only place where a turn's error becomes: again, parked, given back
        .layer(BudgetLayer::new(SLOT_SHARE)) // over the deadline: a long turn may end, but not keep others out. Over the gate, which waits for nobody
        .layer(files) // before the session, which names their paths
        .layer(session) // rows become the turn an agent is given
        .layer(TurnGateLayer::new(docket)) // outside the deadline; may this sender start a run, and what decides its tool calls
        .layer(by_leave) // outside the deadline: the agent is done, and a person may take minutes. Under the gate, which binds who is asked
        .layer(TurnDeadlineLayer::new(limit)) // the lease: time awake, the run and nothing else
        .layer(history) // under both: a summary of what was said is a run, in the turn's own time
        .service(agent(daemon, channel))
}

/// A tool call's way, on behalf of an open turn. An agent's own tools are its own: of these it asks the same gate, by what
/// the turn was given.
pub(crate) fn tool(daemon: &Daemon, docket: &Arc<Docket>, turn: &Standing) -> ToolStack {
    tool_as(daemon, docket, turn.tool_context())
}

fn tool_as(daemon: &Daemon, docket: &Arc<Docket>, context: ToolContext) -> ToolStack {
    let plugins = daemon.registrar();
    let is_enabled = |plugin| daemon.gate.policies.is_enabled(&docket.workspace, plugin);
    let tools = plugins.tool_set(is_enabled);
    let context = Arc::new(context);
    ServiceBuilder::new()
        .layer(ToolStack::layer()) // one nameable type, for all who call
        .layer(ValidateLayer::new(tools.clone())) // over the gate: nobody is asked about a call that makes no sense
        .layer(GateLayer::new(docket.clone())) // outside limit and timeout: a person may take minutes
        .layer(BeforeToolCallLayer::new(
            plugins.before_tool_call(is_enabled),
            Arc::clone(&context),
        )) // what was allowed may still be blocked
        .layer(AfterToolCallLayer::new(
            plugins.after_tool_call(is_enabled),
            Arc::clone(&context),
        )) // over the limits, so that it sees how they ended a call
        .layer(docket.tool_limit()) // over the timeout: waiting for a place costs a call none of its time
        .layer(ToolTimeoutLayer::new(tools.clone(), TOOL)) // what was cut off may have happened
        .layer(BoundLayer::new(TOOL_OUTPUT)) // an agent's memory is as bounded as ours
        .service(Tools::new(tools, context))
}

/// An answer's way from what the agent said to the parts that are sent. They are durable before anything of it is (D17).
pub(crate) fn prepare(
    daemon: &Daemon,
    channel: &Arc<Channel>,
) -> impl Service<Draft, Response = Vec<String>, Error = kata_channel::Error, Future: Send> + use<> {
    ServiceBuilder::new()
        .layer(SpanLayer) // first, so that every line below names the answer
        .layer(MessageSendingLayer::new(channel.message_sending(daemon))) // over the rendering: hooks read what was said, not markup; one that fails stops it
        .service(Render::new(channel)) // in the platform's markup, split where it must be
}

/// A part's way out. Made anew for each part: its age decides what becomes of a failure.
pub(crate) fn egress(
    channel: &Channel,
    attempt: Attempt,
) -> impl Service<Outbound, Response = SendOutcome, Error = Infallible, Future: Send> + use<> {
    ServiceBuilder::new()
        .layer(SpanLayer) // first, so that every line below names the part
        .layer(RescueLayer::new(move |sent| attempt.ended(sent))) // the only place where a send's error becomes: later, looked up, parked
        .retry(Resend::new()) // short pauses only, and only what certainly had no effect; long ones go back to the queue
        .layer(channel.pace.clone()) // under the retry: every attempt pays; shared by all parts of the channel
        .layer(AttemptTimeoutLayer::new(ATTEMPT)) // per attempt; what was cut off may have arrived
        .service(AdapterService::new(Arc::clone(&channel.adapter)))
}

/// What its agent does not know of a session by itself.
fn history(daemon: &Daemon, channel: &Channel, docket: &Docket, limit: Duration) -> HistoryLayer {
    let spec = &channel.spec;
    let turn = docket
        .turn
        .as_ref()
        .expect("the docket of a turn that was claimed");
    let summariser = BoxCloneSyncService::new(daemon.agents.summariser(spec));
    let past = Past {
        store: daemon.store.clone(),
        channel: channel.id,
        platform: spec.kind.adapter,
        key: channel.key.clone(),
        place: turn.place.clone(),
        max_tokens: spec.session.max_tokens,
        limits: daemon.agents.limits(spec),
        summarise: Summarise::new(
            summariser,
            limit,
            daemon.events.clone(),
            daemon.complaints.clone(),
        ),
    };
    HistoryLayer::new(past, daemon.agents.remembers(spec))
}

/// Who answers on this channel.
fn agent(daemon: &Daemon, channel: &Channel) -> AgentRun {
    let workspace = daemon.gate.policies.root(channel.key.workspace.as_str());
    let tools = tools::server_for(daemon);
    daemon.agents.of(&channel.spec, workspace.as_deref(), tools)
}
