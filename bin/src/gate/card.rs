//! What a person reads who is asked about a tool call, and what is said when they answered.

use kata_channel::{Choice, ChoiceStyle};
use kata_perm::{ToolCall, Verdict, preview};
use kata_store::{Answered, AnsweredWhat, Approval, ApprovalState, Run};

/// The most that a card shows of the arguments, in characters: it has to fit one message of every platform.
const ARGUMENTS: usize = 900;
/// More than any arguments that pass the gate are shown in.
const LONGEST: usize = 4 << 20;
/// The most that it shows of a name.
const NAME: usize = 120;

/// What is asked. It says all that is needed to answer: which tool, with what, why it is asked, on whose behalf.
pub(crate) fn question(
    call: &ToolCall,
    verdict: &Verdict,
    requester: &str,
    minutes: u64,
) -> impl Fn(&Approval) -> String + Send + use<> {
    let arguments = preview::card(call, ARGUMENTS);
    let answers = if is_whole(call) {
        "`yes CODE` (this call), `yes CODE 1h` (the same call for an hour) or `no CODE`"
    } else {
        "`yes CODE` (this call) or `no CODE`; **not all of it is shown here**"
    };
    let (tool, reason, requester) = (plain(&call.tool), verdict.reason.clone(), plain(requester));
    let rule = plain(&verdict.rule);
    move |approval| {
        format!(
            "**Approval needed:** `{tool}`\n```\n{arguments}\n```\n{reason} Rule: `{rule}`. Caused by {requester}.\n\
             Reply {}, within {minutes} min.",
            answers.replace("CODE", &approval.code)
        )
    }
}

/// Whether a card shows all of the call's arguments. What nobody could read is not allowed for an hour.
pub(crate) fn is_whole(call: &ToolCall) -> bool {
    preview::card(call, ARGUMENTS) == preview::card(call, LONGEST)
}

/// The buttons: what they say is what could be typed.
pub(crate) fn choices(code: &str, is_whole: bool) -> Vec<Choice> {
    let choice = |label: &str, says: String, style| Choice {
        label: label.to_owned(),
        says,
        style,
    };
    let mut choices = vec![choice("Allow once", format!("yes {code}"), ChoiceStyle::Primary)];
    if is_whole {
        choices.push(choice(
            "Allow for 1 h",
            format!("yes {code} 1h"),
            ChoiceStyle::Plain,
        ));
    }
    choices.push(choice("Deny", format!("no {code}"), ChoiceStyle::Danger));
    choices
}

/// What the card says once it needs no answer any more.
pub(crate) fn closed(approval: &Approval) -> String {
    let tool = plain(&approval.tool);
    let by = approval
        .reply
        .as_ref()
        .map(|reply| plain(&reply.by))
        .unwrap_or_default();
    match approval.state {
        ApprovalState::Open => format!("Approval needed: `{tool}`"),
        ApprovalState::AllowedHour => format!(
            "`{tool}` was allowed for 1 h by {by}: this tool with these arguments, in this conversation."
        ),
        ApprovalState::AllowedOnce => format!("`{tool}` was allowed once by {by}."),
        ApprovalState::Denied => format!("`{tool}` was denied by {by}."),
        ApprovalState::Expired => {
            format!("Nobody answered in time about `{tool}`. That is no denial: the agent may ask again.")
        }
        ApprovalState::Withdrawn => format!("`{tool}` is not asked for any more."),
    }
}

/// What is said to the one who answered.
pub(crate) fn reply(answered: &Answered) -> String {
    let Some(approval) = &answered.approval else {
        return "There is no such question here.".to_owned();
    };
    let tool = plain(&approval.tool);
    match answered.what {
        AnsweredWhat::Taken => format!("{}{}", closed(approval), what_follows(approval, answered.run)),
        AnsweredWhat::NotAllowed => {
            format!("Only an owner of this workspace may answer about `{tool}`. Thank you all the same.")
        }
        AnsweredWhat::Already if approval.state == ApprovalState::Withdrawn => closed(approval),
        AnsweredWhat::Already => format!("That question is answered already. {}", closed(approval)),
        AnsweredWhat::TooLate => format!(
            "That question has expired; nothing was allowed or denied. If `{tool}` is still wanted, the agent asks again."
        ),
        AnsweredWhat::Unknown => "There is no such question here.".to_owned(),
    }
}

/// The agent may have died while it waited.
fn what_follows(approval: &Approval, run: Run) -> &'static str {
    match (approval.state, run) {
        (ApprovalState::Denied, _) | (_, Run::Open) => "",
        (_, Run::Again) => " The run that asked was interrupted; it is tried again and may use this.",
        (_, Run::Over) => {
            " The run that asked has ended meanwhile: say again what you want, the approval holds for an hour."
        }
    }
}

/// A name that cannot leave its place on the card.
fn plain(text: &str) -> String {
    preview::line(text, NAME).replace('`', "'")
}
