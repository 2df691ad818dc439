//! Reads the groups that bindings name.

use std::{collections::BTreeSet, sync::Arc};

use futures::StreamExt as _;
use lattice::TargetGroupArn;
use lattice_client::{Client, Urgency};
use tokio::time::Instant;

use super::{Facts, Finding, Groups};
use crate::{bindings::judge::Site, cluster::Cluster, random::Random, shared::Shared};

/// Most groups that are read at once. Two calls each; enough to know 100 groups within a second at 50 ms per call.
const AT_ONCE: usize = 8;

/// Keeps the facts of the groups of `site` that the cluster's bindings name, for ever.
pub async fn run(
    cluster: Arc<Shared<Cluster>>,
    groups: Arc<Shared<Groups>>,
    client: Client,
    site: Arc<Site>,
) {
    let mut cluster_changes = cluster.subscribe();
    let mut group_changes = groups.subscribe();
    let mut random = Random::default();
    let mut known = BTreeSet::new();
    let mut seen = 0;
    loop {
        cluster_changes.borrow_and_update();
        group_changes.borrow_and_update();
        let now = Instant::now();
        let (wanted, respecified) = wanted(&cluster.read(), &site, &mut seen);
        if wanted != known || !respecified.is_empty() {
            groups.update(|groups| {
                groups.want(&wanted, now);
                for group in &respecified {
                    groups.hasten(group, now);
                }
            });
            known = wanted;
        }
        let (due, next) = {
            let groups = groups.read();
            (groups.due(now), groups.next_due())
        };
        let mut reads = futures::stream::iter(due)
            .map(|group| {
                let client = client.clone();
                async move {
                    let read = read(&client, &group).await;
                    (group, read)
                }
            })
            .buffer_unordered(AT_ONCE);
        let mut any = false;
        while let Some((group, read)) = reads.next().await {
            any = true;
            if let Err(finding) = &read {
                tracing::debug!(%group, ?finding, "a target group can't be read");
            }
            let spread = random.fraction();
            groups.update(|groups| groups.settle(&group, read, Instant::now(), spread));
        }
        if any {
            continue;
        }
        let idle = async {
            match next {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = idle => {}
            changed = cluster_changes.changed() => if changed.is_err() { return },
            changed = group_changes.changed() => if changed.is_err() { return },
        }
    }
}

/// The groups of this account and region that bindings name, and those among them whose bindings were made or
/// changed since the revision `seen`, which is brought up to date.
fn wanted(
    cluster: &Cluster,
    site: &Site,
    seen: &mut u64,
) -> (BTreeSet<TargetGroupArn>, BTreeSet<TargetGroupArn>) {
    let since = std::mem::replace(seen, cluster.revision());
    let groups = |since: u64| {
        cluster
            .bindings()
            .filter(|(_, entry)| entry.respecified >= since)
            .filter_map(|(_, entry)| entry.group.clone())
            .filter(|group| site.owns(group))
            .collect()
    };
    (groups(0), groups(since + 1))
}

async fn read(client: &Client, group: &TargetGroupArn) -> Result<Facts, Finding> {
    let of = |error| Finding::of(&error);
    let facts = client.target_group(group, Urgency::Verify).await.map_err(of)?;
    let tags = client.tags(group.as_str(), Urgency::Verify).await.map_err(of)?;
    Ok(Facts { group: facts, tags })
}
