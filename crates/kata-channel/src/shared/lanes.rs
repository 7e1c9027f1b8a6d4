//! Commits run side by side, those of one conversation one after the other: a slow one holds up its own
//! conversation and no other, and what queued up behind it meanwhile becomes one commit.

use std::{collections::HashMap, fmt};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};

/// Conversations that are committed at a time.
const ABREAST: usize = 64;
/// Events in memory; beyond that the socket is not read.
const HELD: usize = 1_024;

/// Work in lanes. `R` is what the work on a batch of `T` comes to.
pub struct Lanes<T, R> {
    work: Box<dyn Fn(Vec<T>) -> BoxFuture<'static, R> + Send + Sync>,
    /// Every lane at work, with what waits behind it.
    waiting: HashMap<String, Vec<T>>,
    running: FuturesUnordered<BoxFuture<'static, (String, usize, R)>>,
    held: usize,
}

// === impl Lanes ===

impl<T: Send + 'static, R: Send + 'static> Lanes<T, R> {
    /// Lanes whose batches `work` works on.
    pub fn new(work: impl Fn(Vec<T>) -> BoxFuture<'static, R> + Send + Sync + 'static) -> Self {
        Self {
            work: Box::new(work),
            waiting: HashMap::new(),
            running: FuturesUnordered::new(),
            held: 0,
        }
    }

    /// Whether one more may be added.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.running.len() < ABREAST && self.held < HELD
    }

    /// Adds work to a lane.
    pub fn add(&mut self, lane: String, item: T) {
        self.held += 1;
        if let Some(queue) = self.waiting.get_mut(&lane) {
            queue.push(item);
        } else {
            self.start(lane, vec![item]);
        }
    }

    /// The next batch that is done; none if nothing runs.
    ///
    /// # Cancel safety
    /// Cancel safe: work that runs goes on at the next call.
    pub async fn next(&mut self) -> Option<R> {
        let (lane, count, result) = self.running.next().await?;
        self.held -= count;
        if let Some(queue) = self.waiting.remove(&lane).filter(|queue| !queue.is_empty()) {
            self.start(lane, queue);
        }
        Some(result)
    }

    fn start(&mut self, lane: String, batch: Vec<T>) {
        self.waiting.insert(lane.clone(), Vec::new());
        let count = batch.len();
        let work = (self.work)(batch);
        self.running
            .push(Box::pin(async move { (lane, count, work.await) }));
    }
}

impl<T, R> fmt::Debug for Lanes<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes")
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    /// Lanes whose work waits for a permit and gives its batch back.
    fn gated() -> (Lanes<u32, Vec<u32>>, Arc<Semaphore>) {
        let gate = Arc::new(Semaphore::new(0));
        let held = gate.clone();
        let lanes = Lanes::new(move |batch: Vec<u32>| {
            let gate = held.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                batch
            })
        });
        (lanes, gate)
    }

    #[tokio::test]
    async fn what_waits_in_a_lane_becomes_one_batch_in_order() {
        let (mut lanes, gate) = gated();
        for n in 1..=4 {
            lanes.add("a".into(), n);
        }
        gate.add_permits(2);
        assert_eq!(lanes.next().await, Some(vec![1]));
        assert_eq!(lanes.next().await, Some(vec![2, 3, 4]));
        assert_eq!(lanes.next().await, None);
    }

    #[tokio::test]
    async fn a_slow_lane_holds_up_no_other() {
        let mut lanes: Lanes<u32, Vec<u32>> = Lanes::new(|batch| {
            Box::pin(async move {
                if batch == [1] {
                    std::future::pending::<()>().await;
                }
                batch
            })
        });
        lanes.add("slow".into(), 1);
        lanes.add("quick".into(), 2);
        assert_eq!(lanes.next().await, Some(vec![2]));
    }

    #[tokio::test]
    async fn memory_is_bounded_in_both_directions() {
        let (mut wide, _gate) = gated();
        for n in 0..ABREAST {
            assert!(wide.has_room());
            wide.add(n.to_string(), 0);
        }
        assert!(!wide.has_room());
        let (mut deep, gate) = gated();
        for n in 0..HELD {
            assert!(deep.has_room());
            deep.add("a".into(), u32::try_from(n).unwrap());
        }
        assert!(!deep.has_room());
        gate.add_permits(1);
        deep.next().await;
        assert!(deep.has_room());
    }
}
