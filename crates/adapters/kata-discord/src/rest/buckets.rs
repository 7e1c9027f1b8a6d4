//! Keeps Discord's rate limits: each route has a bucket, named by Discord, one for every channel, server or webhook
//! (<https://docs.discord.com/developers/topics/rate-limits>). An empty bucket is waited out, or told, without a call.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, Method};
use tokio::time::Instant;

/// Windows in memory; the ones that are over are swept when there are more.
const SWEEP_AT: usize = 1_000;
/// Discord always says how long; should it forget, this is polite.
const UNSAID: Duration = Duration::from_secs(1);

/// What a call counts against: the route with its ids taken out, and the id of the channel, server or webhook that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    route: String,
    major: String,
}

/// What is known of one token's limits.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The bucket that a route belongs to, as Discord names it. There are as many as we have routes.
    names: HashMap<String, String>,
    /// By bucket and major parameter.
    windows: HashMap<(String, String), Window>,
    /// Nothing at all may be called before this.
    everything: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    left: u32,
    until: Instant,
}

// === impl Lane ===

impl Lane {
    /// `path` begins behind the API's version: `/channels/1/messages`.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let mut route = method.to_string();
        let (mut major, mut before) = (String::new(), "");
        for (n, segment) in path.trim_start_matches('/').split('/').enumerate() {
            // The token behind a webhook's or interaction's id is as good as its id.
            let is_token = n == 2 && matches!(before, "webhooks" | "interactions");
            let is_id = !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit());
            let is_emoji = before == "reactions";
            route.push('/');
            if n == 1 && is_id || is_token {
                major.push_str(segment);
                major.push('/');
            }
            if is_id || is_token || is_emoji {
                route.push('*');
            } else {
                route.push_str(segment);
            }
            if !(n == 1 && matches!(before, "webhooks" | "interactions")) {
                before = segment;
            }
        }
        Self { route, major }
    }
}

// === impl Buckets ===

impl Buckets {
    /// Takes one call from the bucket.
    ///
    /// # Errors
    /// It is empty, or everything is paused: for so long.
    pub(super) fn take(&self, lane: &Lane) -> Result<(), Duration> {
        let now = Instant::now();
        let mut known = self.lock();
        let left = |until: Instant| until.saturating_duration_since(now);
        if let Some(pause) = known.everything.map(left).filter(|left| !left.is_zero()) {
            return Err(pause);
        }
        let key = known.key(lane);
        if let Some(window) = known.windows.get_mut(&key).filter(|window| window.until > now) {
            if window.left == 0 {
                return Err(left(window.until));
            }
            window.left -= 1;
        }
        Ok(())
    }

    /// Takes note of what an answer says about its bucket.
    pub(super) fn note(&self, lane: &Lane, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut known = self.lock();
        if let Some(name) = text("x-ratelimit-bucket") {
            known.names.insert(lane.route.clone(), name.to_owned());
        }
        let left = text("x-ratelimit-remaining").and_then(|n| n.parse().ok());
        let reset = text("x-ratelimit-reset-after").and_then(seconds);
        if let (Some(left), Some(reset)) = (left, reset) {
            known.open(lane, left, reset);
        }
    }

    /// Discord refused a call for its number (429). Gives the pause.
    pub(super) fn limited(
        &self,
        lane: &Lane,
        headers: &HeaderMap,
        said: Option<f64>,
        global: bool,
    ) -> Duration {
        let header = headers.get(http::header::RETRY_AFTER);
        let header = header.and_then(|value| value.to_str().ok()).and_then(seconds);
        // The body's figure has a fraction, the header's has none.
        let said = said.and_then(|said| Duration::try_from_secs_f64(said).ok());
        let pause = said.or(header).unwrap_or(UNSAID);
        let global = global || headers.contains_key("x-ratelimit-global");
        let mut known = self.lock();
        if global {
            known.everything = Instant::now().checked_add(pause);
        } else {
            known.open(lane, 0, pause);
        }
        pause
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Known ===

impl Known {
    fn key(&self, lane: &Lane) -> (String, String) {
        let name = self.names.get(&lane.route).unwrap_or(&lane.route);
        (name.clone(), lane.major.clone())
    }

    fn open(&mut self, lane: &Lane, left: u32, reset: Duration) {
        let now = Instant::now();
        let Some(until) = now.checked_add(reset) else {
            return;
        };
        if self.windows.len() >= SWEEP_AT {
            self.windows.retain(|_, window| window.until > now);
        }
        let key = self.key(lane);
        // Answers overtake each other: of two about one window the stricter counts.
        let left = match self.windows.get(&key) {
            Some(running) if running.until > now => running.left.min(left),
            _ => left,
        };
        self.windows.insert(key, Window { left, until });
    }
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse()
        .ok()
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(path: &str) -> Lane {
        Lane::of(&Method::POST, path)
    }

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_route_counts_for_its_channel_and_not_for_its_messages() {
        for (a, b, same) in [
            ("/channels/1/messages", "/channels/2/messages", false),
            ("/channels/1/messages/7", "/channels/1/messages/8?x=1", true),
            (
                "/channels/1/messages/7/reactions/%F0%9F%91%80/@me",
                "/channels/1/messages/8/reactions/a:9/@me",
                true,
            ),
            ("/webhooks/1/aaa", "/webhooks/1/bbb", false),
            (
                "/applications/1/guilds/2/commands",
                "/applications/1/guilds/3/commands",
                true,
            ),
        ] {
            assert_eq!(lane(a) == lane(b), same, "{a} {b}");
        }
        let secret = lane("/webhooks/1/aaa/messages/@original");
        assert_eq!(secret.route, "POST/webhooks/*/*/messages/@original");
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_is_told_until_it_is_filled_again() {
        let buckets = Buckets::default();
        let (here, there) = (lane("/channels/1/messages"), lane("/channels/2/messages"));
        let said = headers(&[
            ("x-ratelimit-bucket", "abcd"),
            ("x-ratelimit-remaining", "1"),
            ("x-ratelimit-reset-after", "2.5"),
        ]);
        buckets.note(&here, &said);
        assert_eq!(buckets.take(&here), Ok(()));
        assert_eq!(buckets.take(&here), Err(Duration::from_millis(2_500)));
        assert_eq!(buckets.take(&there), Ok(()), "another channel has its own");
        tokio::time::advance(Duration::from_millis(2_500)).await;
        assert_eq!(buckets.take(&here), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn routes_of_one_bucket_share_it() {
        let buckets = Buckets::default();
        let (one, other) = (lane("/channels/1/messages"), lane("/channels/1/typing"));
        for lane in [&one, &other] {
            buckets.note(lane, &headers(&[("x-ratelimit-bucket", "abcd")]));
        }
        let full = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset-after", "1")]);
        buckets.note(&one, &full);
        assert!(buckets.take(&other).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_global_limit_pauses_everything() {
        let buckets = Buckets::default();
        let pause = buckets.limited(&lane("/channels/1/messages"), &HeaderMap::new(), Some(0.5), true);
        assert_eq!(pause, Duration::from_millis(500));
        assert_eq!(buckets.take(&lane("/channels/2/typing")), Err(pause));
        let header = headers(&[("retry-after", "3")]);
        let pause = buckets.limited(&lane("/channels/3/typing"), &header, None, false);
        assert_eq!(pause, Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_late_does_not_fill_the_bucket() {
        let buckets = Buckets::default();
        let here = lane("/channels/1/messages");
        let said = |left| headers(&[("x-ratelimit-remaining", left), ("x-ratelimit-reset-after", "5")]);
        buckets.note(&here, &said("0"));
        buckets.note(&here, &said("1"));
        assert!(buckets.take(&here).is_err());
    }
}
