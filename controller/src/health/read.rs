//! Asks Lattice what the watchman wants to know, and hands out what it decides.

use std::sync::Arc;

use futures::{StreamExt as _, stream::FuturesUnordered};
use lattice::{TargetGroupArn, TargetState};
use lattice_client::{Client, Urgency};
use tokio::{sync::mpsc, time::Instant};

use super::{
    metrics::Metrics,
    watchman::{GateWrite, Read, Watchman},
};
use crate::{cluster::Cluster, groups::Groups, shared::Shared};

/// How long changes are collected before gates are decided: short beside the second within which a gate has to open.
const COLLECT: std::time::Duration = std::time::Duration::from_millis(10);

/// A full listing of a group that somebody else asked for.
#[derive(Debug)]
pub struct Listing {
    /// The group.
    pub group: TargetGroupArn,
    /// Its targets.
    pub states: Arc<Vec<TargetState>>,
    /// When it was asked for.
    pub asked: Instant,
}

/// The channels by which gates are decided here and written elsewhere.
#[derive(Debug)]
pub struct Channels {
    /// Conditions to write.
    pub writes: mpsc::Sender<GateWrite>,
    /// Whether they could be written.
    pub written: mpsc::Receiver<(GateWrite, bool)>,
    /// Full listings by the audit.
    pub listings: mpsc::Receiver<Listing>,
}

/// Decides gates for ever.
pub async fn run(
    mut watchman: Watchman,
    cluster: Arc<Shared<Cluster>>,
    groups: Arc<Shared<Groups>>,
    client: Client,
    mut channels: Channels,
    metrics: Metrics,
) {
    let mut cluster_changes = cluster.subscribe();
    let mut group_changes = groups.subscribe();
    let mut reads = FuturesUnordered::new();
    loop {
        cluster_changes.borrow_and_update();
        group_changes.borrow_and_update();
        let now = Instant::now();
        let mut step = {
            let cluster = cluster.read();
            if cluster.complete() {
                watchman.step(&cluster, &groups.read(), now)
            } else {
                super::watchman::Step::default()
            }
        };
        metrics.waiting(watchman.waiting());
        for write in step.writes.drain(..) {
            if let Err(refused) = channels.writes.try_send(write) {
                let write = match refused {
                    mpsc::error::TrySendError::Full(write) | mpsc::error::TrySendError::Closed(write) => {
                        write
                    }
                };
                // It is decided again after a moment.
                watchman.wrote(&write, false, now);
            }
        }
        for read in step.reads.drain(..) {
            let client = client.clone();
            reads.push(async move {
                let states = client.states_of(&read.group, &read.targets, Urgency::Observe).await;
                (read, states)
            });
        }
        let idle = async {
            match step.wake {
                Some(wake) => tokio::time::sleep_until(wake).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some((read, states)) = reads.next(), if !reads.is_empty() => {
                settle(&mut watchman, &groups, &read, &states, &metrics);
            }
            Some((write, done)) = channels.written.recv() => {
                metrics.wrote(&write, done);
                watchman.wrote(&write, done, Instant::now());
            }
            Some(listing) = channels.listings.recv() => {
                watchman.audited(&listing.group, &listing.states, listing.asked);
            }
            () = idle => {}
            changed = cluster_changes.changed() => {
                if changed.is_err() { return }
                tokio::time::sleep(COLLECT).await;
            }
            changed = group_changes.changed() => if changed.is_err() { return },
        }
    }
}

fn settle(
    watchman: &mut Watchman,
    groups: &Shared<Groups>,
    read: &Read,
    states: &Result<Vec<TargetState>, lattice_client::Error>,
    metrics: &Metrics,
) {
    metrics.read(states.is_ok());
    if let Err(error) = states {
        tracing::debug!(group = %read.group, error = error.chain(), "looking up targets failed and is tried again");
    }
    watchman.read(read, states.as_deref().ok(), &groups.read(), Instant::now());
}

#[cfg(test)]
mod tests;
