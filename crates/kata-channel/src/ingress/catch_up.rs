//! How far a catch-up reaches back (D4). What history brings that is older leaves a row, and gets no turn.
//!
//! Behind all that decides: nothing from a stranger leaves a row, and what is no message to an agent but a word to us (`/reset`, the
//! answer to a question) counts though it piled up. Before the quota: what is passed over is not metered.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tower::{Layer, Service};

use crate::{
    inbound::{Consumed, Disposition, Inbound, Page},
    settings::{self, CatchUpMode},
    time::{Clock, Timestamp},
};

const TOO_OLD: &str = "older than the catch-up reaches back";
const PILED_UP: &str = "piled up while nobody was here";

/// Passes over what is too old. A pushed message is none of its business: the platform says it now.
#[derive(Clone, Debug)]
pub struct CatchUpLayer {
    reach: Arc<Reach>,
}

/// See [`CatchUpLayer`].
#[derive(Clone, Debug)]
pub struct CatchUp<S> {
    inner: S,
    reach: Arc<Reach>,
}

#[derive(Debug)]
struct Reach {
    /// Nothing counts that is older.
    most: Duration,
    /// No message gets a turn that is older.
    turns: Duration,
    clock: Clock,
}

// === impl CatchUpLayer ===

impl CatchUpLayer {
    /// For one channel.
    #[must_use]
    pub fn new(settings: &settings::CatchUp, clock: Clock) -> Self {
        let most = settings.max_age();
        let turns = match settings.mode {
            CatchUpMode::Skip => most.min(settings.after()),
            CatchUpMode::Run | CatchUpMode::Digest => most,
        };
        Self {
            reach: Arc::new(Reach { most, turns, clock }),
        }
    }
}

impl<S> Layer<S> for CatchUpLayer {
    type Service = CatchUp<S>;

    fn layer(&self, inner: S) -> CatchUp<S> {
        CatchUp {
            inner,
            reach: Arc::clone(&self.reach),
        }
    }
}

// === impl CatchUp ===

impl<S> Service<Page> for CatchUp<S>
where
    S: Service<Page>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut page: Page) -> S::Future {
        if page.advance.is_some() {
            let now = self.reach.clock.wall();
            for message in &mut page.messages {
                self.reach.pass_over(message, now);
            }
        }
        self.inner.call(page)
    }
}

// === impl Reach ===

impl Reach {
    fn pass_over(&self, message: &mut Inbound, now: Timestamp) {
        let age = now.since(message.sent_at);
        if message.disposition == Disposition::Consumed(Consumed::Pairing) && age > self.most {
            message.disposition = Disposition::Refused("a stranger, long ago");
        }
        let why = match message.disposition {
            Disposition::Refused(_) | Disposition::Consumed(Consumed::Skipped(_)) => return,
            _ if !message.starts_a_turn() => return,
            _ if age > self.most => TOO_OLD,
            Disposition::Turn if age > self.turns => PILED_UP,
            Disposition::Turn | Disposition::Consumed(_) => return,
        };
        message.disposition = Disposition::Consumed(Consumed::Skipped(why));
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::{
        error::Error,
        id::Place,
        inbound::{Advance, Cursor, Kind, OrderKey},
        ingress::sample,
        time::ManualClock,
    };

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn said(ago: Duration, disposition: Disposition) -> Inbound {
        Inbound {
            sent_at: NOW - ago,
            disposition,
            ..sample::message("hi")
        }
    }

    fn reset() -> Disposition {
        Disposition::Consumed(Consumed::Reset)
    }

    fn skipped(why: &'static str) -> Disposition {
        Disposition::Consumed(Consumed::Skipped(why))
    }

    /// What becomes of a page in a channel that reaches back 72 h, and to which half an hour is long ago.
    async fn passed(mode: CatchUpMode, page: Page) -> Vec<Disposition> {
        let settings = settings::CatchUp {
            mode,
            ..settings::CatchUp::default()
        };
        let inner = service_fn(|page: Page| async move { Ok::<_, Error>(page) });
        let layer = CatchUpLayer::new(&settings, ManualClock::at(NOW).clock());
        let page = layer.layer(inner).oneshot(page).await.unwrap();
        page.messages.into_iter().map(|m| m.disposition).collect()
    }

    fn history(messages: Vec<Inbound>) -> Page {
        let advance = Advance::To {
            place: Place::conversation("C1"),
            to: Cursor("1".into()),
        };
        Page {
            messages,
            advance: Some(advance),
        }
    }

    #[tokio::test]
    async fn what_is_older_than_the_reach_gets_no_turn_in_any_mode() {
        for mode in [CatchUpMode::Run, CatchUpMode::Digest, CatchUpMode::Skip] {
            let ages = [73 * HOUR, MINUTE];
            let page = history(ages.map(|age| said(age, Disposition::Turn)).into());
            assert_eq!(passed(mode, page).await, [skipped(TOO_OLD), Disposition::Turn]);
        }
    }

    #[tokio::test]
    async fn where_it_is_asked_for_what_piled_up_gets_no_turn() {
        let ages = || [8 * HOUR, 31 * MINUTE, 30 * MINUTE];
        let page = || history(ages().map(|age| said(age, Disposition::Turn)).into());
        assert_eq!(
            passed(CatchUpMode::Skip, page()).await,
            [skipped(PILED_UP), skipped(PILED_UP), Disposition::Turn]
        );
        for mode in [CatchUpMode::Run, CatchUpMode::Digest] {
            assert_eq!(passed(mode, page()).await, [const { Disposition::Turn }; 3]);
        }
    }

    #[tokio::test]
    async fn a_command_in_the_pile_counts_and_one_beyond_the_reach_does_not() {
        let page = history(vec![said(8 * HOUR, reset()), said(73 * HOUR, reset())]);
        assert_eq!(passed(CatchUpMode::Skip, page).await, [reset(), skipped(TOO_OLD)]);
    }

    #[tokio::test]
    async fn what_was_refused_leaves_no_row_for_its_age_and_a_stranger_of_long_ago_is_let_in_by_nobody() {
        let refused = Disposition::Refused("a stranger");
        let knock = Disposition::Consumed(Consumed::Pairing);
        let page = history(vec![said(73 * HOUR, refused.clone()), said(73 * HOUR, knock)]);
        let too_late = Disposition::Refused("a stranger, long ago");
        assert_eq!(passed(CatchUpMode::Skip, page).await, [refused, too_late]);
    }

    #[tokio::test]
    async fn an_old_edit_still_edits_and_what_is_pushed_is_said_now() {
        let edit = Inbound {
            kind: Kind::Edit { edited: OrderKey(2) },
            ..said(73 * HOUR, Disposition::Turn)
        };
        assert_eq!(
            passed(CatchUpMode::Skip, history(vec![edit])).await,
            [Disposition::Turn]
        );
        let pushed = Page::pushed(vec![said(73 * HOUR, Disposition::Turn)]);
        assert_eq!(passed(CatchUpMode::Skip, pushed).await, [Disposition::Turn]);
    }
}
