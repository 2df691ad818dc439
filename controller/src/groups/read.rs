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
    tokio::select! {
        () = follow(&cluster, &groups, &site) => {}
        () = keep(&groups, &client, true) => {}
        // By themselves, since under throttling these wait until nobody else has anything to call.
        () = keep(&groups, &client, false) => {}
    }
}

/// Keeps up with which groups the cluster's bindings name.
async fn follow(cluster: &Shared<Cluster>, groups: &Shared<Groups>, site: &Site) {
    let mut changes = cluster.subscribe();
    let mut known = BTreeSet::new();
    let mut seen = 0;
    loop {
        changes.borrow_and_update();
        let now = Instant::now();
        let (wanted, respecified) = wanted(&cluster.read(), site, &mut seen);
        if wanted != known || !respecified.is_empty() {
            groups.update(|groups| {
                groups.want(&wanted, now);
                for group in &respecified {
                    groups.hasten(group, now);
                }
            });
            known = wanted;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Reads groups when they are due: those that somebody waits for, or the others.
async fn keep(groups: &Shared<Groups>, client: &Client, awaited: bool) {
    let urgency = if awaited { Urgency::Verify } else { Urgency::Observe };
    let mut changes = groups.subscribe();
    let mut random = Random::default();
    loop {
        changes.borrow_and_update();
        let (due, next) = {
            let groups = groups.read();
            (groups.due(awaited, Instant::now()), groups.next_due(awaited))
        };
        let mut reads = futures::stream::iter(due)
            .map(|group| async move {
                let read = read(client, &group, urgency).await;
                (group, read)
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
            changed = changes.changed() => if changed.is_err() { return },
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

async fn read(client: &Client, group: &TargetGroupArn, urgency: Urgency) -> Result<Facts, Finding> {
    let of = |error| Finding::of(&error);
    let facts = client.target_group(group, urgency).await.map_err(of)?;
    let tags = client.tags(group.as_str(), urgency).await.map_err(of)?;
    Ok(Facts { group: facts, tags })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lattice_client::Error;
    use lattice_sim::Fault;

    use super::*;
    use crate::testing::cloud::Cloud;

    #[tokio::test(start_paused = true)]
    async fn making_sure_of_known_groups_holds_up_nobody_when_calls_are_throttled() {
        let cloud = Cloud::new(&[]).await;
        let mut wanted = BTreeSet::new();
        for number in 0..30 {
            wanted.insert(cloud.group(&format!("group-{number}"), false, true).await);
        }
        let any = wanted.first().unwrap().clone();
        let groups = Arc::new(Shared::new(Groups::new(Duration::from_secs(5))));
        groups.update(|groups| groups.want(&wanted, Instant::now()));
        for awaited in [true, false] {
            let (groups, client) = (groups.clone(), cloud.client.clone());
            tokio::spawn(async move { keep(&groups, &client, awaited).await });
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(wanted.iter().all(|group| groups.read().facts(group).is_some()));

        // The pace falls below what these readings would take.
        let throttled = Fault {
            error: Some("ThrottlingException".into()),
            count: Some(8),
            ..Fault::on("GetTargetGroup")
        };
        cloud.simulator.set_faults(vec![throttled]).unwrap();
        tokio::time::sleep(Duration::from_secs(15)).await;
        let change = async {
            while let Err(Error::Throttled { .. }) = cloud.client.target_group(&any, Urgency::Change).await {}
        };
        tokio::time::timeout(Duration::from_secs(5), change).await.unwrap();
        // Nor are they given up.
        let before = cloud.simulator.calls()["GetTargetGroup"];
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(cloud.simulator.calls()["GetTargetGroup"] > before + 30);
    }
}
