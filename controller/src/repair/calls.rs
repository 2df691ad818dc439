//! Calls that repairs make: batches, counted and explained.

use std::{future::pending, time::Duration};

use lattice::{Target, TargetGroupArn, TargetStatus, batch};
use lattice_client::{Client, Error, Urgency};
use tokio::time::Instant;

use super::metrics::{Metrics, Why};

/// How long what was read to prove that nobody has an address is relied upon. As in agents: an address that has been
/// free for long may be given to a pod at any moment.
const PROOF_LASTS: Duration = Duration::from_secs(5);

/// What repairs call Lattice with.
#[derive(Debug, Clone)]
pub struct Calls {
    client: Client,
    metrics: Metrics,
}

impl Calls {
    /// Calls by this client.
    #[must_use]
    pub fn new(client: Client, metrics: Metrics) -> Self {
        Self { client, metrics }
    }

    /// Puts targets in. Returns those that Lattice has taken.
    pub async fn register(&self, group: &TargetGroupArn, targets: &[Target], why: Why) -> Vec<Target> {
        let mut done = Vec::new();
        for batch in batch::calls(targets) {
            match self.client.register(group, batch).await {
                Ok(outcome) => {
                    for failure in &outcome.failed {
                        tracing::warn!(%group, target = %failure.target, code = failure.code, message = failure.message, "a target was refused");
                    }
                    done.extend(outcome.done);
                }
                Err(error) => {
                    self.report("registering", group, batch, why, &error);
                    break;
                }
            }
        }
        if !done.is_empty() {
            self.metrics.registered(why, done.len());
            tracing::info!(%group, targets = ?list(&done), why = why.as_str(), "registered");
        }
        done
    }

    /// Takes targets out, unless what was read to prove it, from the time `proven` on, is too old when it is their turn.
    /// Returns those that are out: also where the group itself is gone.
    pub async fn deregister(
        &self,
        group: &TargetGroupArn,
        targets: &[Target],
        why: Why,
        proven: Instant,
    ) -> Vec<Target> {
        let mut done = Vec::new();
        for batch in batch::calls(targets) {
            match self.client.deregister(group, batch, proven + PROOF_LASTS, pending()).await {
                Ok(outcome) => {
                    for failure in &outcome.failed {
                        tracing::warn!(%group, target = %failure.target, code = failure.code, message = failure.message, "a target was not taken out");
                    }
                    done.extend(outcome.done);
                    let refused: Vec<Target> = outcome.failed.iter().map(|failure| failure.target).collect();
                    done.extend(self.absent(group, &refused).await);
                }
                Err(Error::Missing { .. }) => done.extend(batch),
                Err(error) => {
                    self.report("taking out", group, batch, why, &error);
                    break;
                }
            }
        }
        if !done.is_empty() {
            self.metrics.deregistered(why, done.len());
            tracing::info!(%group, targets = ?list(&done), why = why.as_str(), "taken out");
        }
        done
    }

    /// Those that a group does not hold, or only lets drain: Lattice may refuse to take them out.
    async fn absent(&self, group: &TargetGroupArn, targets: &[Target]) -> Vec<Target> {
        let mut absent = Vec::new();
        for filter in batch::filters(targets) {
            match self.client.states_of(group, filter, Urgency::Verify).await {
                Ok(states) => {
                    let held = |target: &Target| {
                        states.iter().any(|it| it.target == *target && it.status != TargetStatus::Draining)
                    };
                    absent.extend(filter.iter().filter(|target| !held(target)));
                }
                Err(error) => {
                    tracing::debug!(%group, error = error.chain(), "looking at refused targets failed");
                }
            }
        }
        absent
    }

    fn report(&self, what: &str, group: &TargetGroupArn, targets: &[Target], why: Why, error: &Error) {
        self.metrics.failed(why);
        tracing::warn!(
            %group, targets = targets.len(), why = why.as_str(), error = error.chain(),
            "{what} targets failed and is tried again"
        );
    }
}

/// Targets as people read them, at most ten.
fn list(targets: &[Target]) -> Vec<String> {
    targets.iter().take(10).map(ToString::to_string).collect()
}
