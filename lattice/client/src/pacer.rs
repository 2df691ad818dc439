//! The pace of calls: none of its own until Lattice throttles, then additive increase and multiplicative decrease.
//!
//! VPC Lattice publishes no rates, so there is no number to configure. Calls start unlimited. The first throttled one
//! halves the rate that was being reached; each second of calls without another adds a tenth of a call per second and
//! a fiftieth of the rate, until that is so high that it limits nothing. While the rate is limited, calls wait in order of [`Urgency`], and those of
//! one urgency in order of arrival. A group has one call in flight, so order of arrival is fair between groups.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// What goes first when not everything can. Source of the order: a request to a pod that is gone fails, one to a pod
/// that is not yet in the group goes to another pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Take dying pods out.
    Deregister,
    /// Put ready pods in.
    Register,
    /// Make sure of something that was already called.
    Verify,
    /// Bring services, rules and groups to what is wanted. No pod is waiting, but a user may be.
    Change,
    /// Look at what no pod waits for.
    Observe,
}

/// The lowest rate: slow enough for any account, fast enough that a full node recovers within minutes.
const SLOWEST: f64 = 0.5;

/// From this rate on there is no limit. More than a node or a controller can use.
const FASTEST: f64 = 200.0;

/// Calls per second by which the rate grows in each second in which it was used. At one call per second this gives
/// about four served calls for each throttled one.
const INCREASE: f64 = 0.1;

/// The share of itself by which the rate grows as well, so that a high rate is regained within minutes.
const INCREASE_SHARE: f64 = 0.02;

/// What a throttled call makes of the rate.
const DECREASE: f64 = 0.5;

/// Throttled calls that started within this time of each other count once: they tell of the same excess.
const ONE_EXCESS: Duration = Duration::from_millis(500);

/// Gives every call its turn.
#[derive(Debug)]
pub struct Pacer {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Calls per second; `None`: no limit.
    rate: Option<f64>,
    /// Calls that may start now, at most one: a limited rate has no bursts.
    allowance: f64,
    refilled: Instant,
    /// Starts within the last second, for the rate that is being reached.
    recent: VecDeque<Instant>,
    /// When the rate was last lowered. Throttled calls that had started before then say nothing new.
    lowered: Option<Instant>,
    waiting: BTreeSet<(Urgency, u64)>,
    next_ticket: u64,
}

/// Most starts that are remembered to tell the rate being reached. A rate above this limits nothing.
const RECENT_STARTS: usize = 256;

impl Default for Pacer {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                rate: None,
                allowance: 0.0,
                refilled: Instant::now(),
                recent: VecDeque::new(),
                lowered: None,
                waiting: BTreeSet::new(),
                next_ticket: 0,
            }),
            changed: Notify::new(),
        }
    }
}

impl Pacer {
    /// Waits for the turn of a call. Returns when it started. Dropping the future gives the turn to the next.
    pub async fn turn(&self, urgency: Urgency) -> Instant {
        let mut ticket = None;
        loop {
            let changed = self.changed.notified();
            let wait = {
                let mut state = self.state();
                match state.try_start(urgency, ticket.as_ref().map(|ticket: &Ticket<'_>| ticket.number)) {
                    Ok(started) => {
                        drop(state);
                        // The ticket leaves the queue and wakes whoever is next.
                        drop(ticket);
                        return started;
                    }
                    Err(wait) => {
                        if ticket.is_none() {
                            let number = state.next_ticket;
                            state.next_ticket += 1;
                            state.waiting.insert((urgency, number));
                            ticket = Some(Ticket { pacer: self, urgency, number });
                        }
                        wait
                    }
                }
            };
            match wait {
                Some(wait) => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Tells that a call was served.
    pub fn served(&self) {
        let mut state = self.state();
        if let Some(rate) = state.rate {
            let rate = rate + INCREASE / rate + INCREASE_SHARE;
            state.rate = (rate < FASTEST).then_some(rate);
            if state.rate.is_none() {
                drop(state);
                self.changed.notify_waiters();
            }
        }
    }

    /// Tells that a call which started at `started` was throttled, and for how long Lattice asks to hold back.
    pub fn throttled(&self, started: Instant, retry_after: Option<Duration>) {
        let mut state = self.state();
        let now = Instant::now();
        if state.lowered.is_none_or(|lowered| started > lowered || now - lowered > ONE_EXCESS) {
            let reached = state.reached(now);
            let rate = state.rate.unwrap_or(FASTEST).min(reached.max(SLOWEST / DECREASE));
            state.rate = Some((rate * DECREASE).max(SLOWEST));
            state.lowered = Some(now);
        }
        state.refill(now);
        state.allowance = 0.0;
        if let (Some(hold), Some(rate)) = (retry_after, state.rate) {
            // Bounded, so that a wild answer cannot stop everything for long.
            state.allowance = -(hold.min(Duration::from_secs(30)).as_secs_f64() * rate);
        }
    }

    /// Calls per second that may start; `None`: no limit.
    pub fn rate(&self) -> Option<f64> {
        self.state().rate
    }

    /// How many calls wait for their turn.
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// The state, also when a thread has panicked while it held the lock: no change leaves it half made.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Starts a call if it is its turn; else says how long to wait, or `None` for until something changes.
    fn try_start(&mut self, urgency: Urgency, ticket: Option<u64>) -> Result<Instant, Option<Duration>> {
        let now = Instant::now();
        let first = match (self.waiting.first(), ticket) {
            (None, _) => true,
            (Some(first), Some(ticket)) => *first == (urgency, ticket),
            (Some(first), None) => urgency < first.0,
        };
        if let Some(rate) = self.rate {
            if !first {
                return Err(None);
            }
            self.refill(now);
            if self.allowance < 1.0 {
                // A nanosecond more, so that rounding never wakes the call too early.
                let wait = Duration::from_secs_f64((1.0 - self.allowance) / rate) + Duration::from_nanos(1);
                return Err(Some(wait));
            }
            self.allowance -= 1.0;
        }
        if self.recent.len() == RECENT_STARTS {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        Ok(now)
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = (now - self.refilled).as_secs_f64();
        self.refilled = now;
        if let Some(rate) = self.rate {
            self.allowance = (self.allowance + elapsed * rate).min(1.0);
        }
    }

    /// Calls that started within the last second.
    fn reached(&mut self, now: Instant) -> f64 {
        while self.recent.front().is_some_and(|start| now - *start > Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        self.recent.len() as f64
    }
}

/// A place in the queue, left when dropped.
struct Ticket<'a> {
    pacer: &'a Pacer,
    urgency: Urgency,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.pacer.state().waiting.remove(&(self.urgency, self.number));
        self.pacer.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
