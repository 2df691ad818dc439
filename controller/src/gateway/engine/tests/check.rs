//! Whether the simulator holds exactly what is wanted.

use lattice::{observed::ServiceTree, rule};

use super::*;

/// Reads everything of this cluster's and compares it with what is wanted. Faults have to be cleared before.
pub(super) async fn check(world: &World, desired: &Desired) -> Result<(), String> {
    let client = &world.cloud.client;
    let site = testing::site();
    let found = read::catalogue(client, &site, true, Urgency::Change).await.unwrap();
    let mut groups: BTreeMap<TargetGroupArn, GroupKey> = BTreeMap::new();
    let by_tag: BTreeMap<String, &GroupKey> =
        desired.groups.keys().filter_map(|key| Some((names::tag_of(key)?, key))).collect();
    for (arn, tags) in &found.groups {
        let key = by_tag.get(&tags[tags::GROUP]).ok_or(format!("group {arn} is left over"))?;
        if groups.values().any(|other| other == *key) {
            return Err(format!("group {arn} is there twice"));
        }
        let group = client.group(arn, Urgency::Change).await.unwrap();
        let spec = &desired.groups[*key];
        // Of functions and load balancers there is none to be compared.
        if spec.health_check != HealthCheck::default() {
            same("health check", &group.health_check, &spec.health_check)?;
        }
        if let Some(targets) = &spec.targets {
            let held = client.declared_targets(arn, Urgency::Change).await.unwrap();
            same("targets", &held.into_iter().collect(), targets)?;
        }
        same("tags of a group", tags, &spec.tags)?;
        groups.insert(arn.clone(), (*key).clone());
    }
    same("groups", &groups.len(), &desired.groups.len())?;
    let networks = read::networks(client, &site, Urgency::Change).await.unwrap();
    let name_of = |id: &NetworkId| {
        networks.all.iter().find(|one| one.id == *id).map(|one| one.name.clone()).unwrap_or_default()
    };
    let mut owners = BTreeSet::new();
    for (arn, tags) in &found.services {
        let owner = &tags[tags::OWNER];
        let spec = desired.services.get(owner).ok_or(format!("the service of {owner} is left over"))?;
        if !owners.insert(owner.clone()) {
            return Err(format!("the service of {owner} is there twice"));
        }
        let seed = read::ServiceSeed { arn: arn.clone(), tags: None };
        let read = read::service(
            client,
            &site,
            seed,
            read::Ours::default(),
            spec.access_logs.clone(),
            Urgency::Change,
        );
        let tree = read.await.unwrap().unwrap().tree;
        service_is(&tree, spec, &groups, &name_of).map_err(|error| format!("service of {owner}: {error}"))?;
    }
    same("services", &owners.len(), &desired.services.len())?;
    super::resources::check(client, &found.resources, desired, &name_of).await?;
    for (name, spec) in &desired.networks {
        let network =
            networks.all.iter().find(|one| one.name == *name).ok_or(format!("no network {name}"))?;
        let vpc = networks.vpc.get(&network.id);
        same("the VPC's place", &vpc.is_some(), &spec.vpc.is_some())?;
        if let (Some(is), Some(wanted)) = (vpc, &spec.vpc) {
            same("security groups", &is.security_groups, &wanted.security_groups)?;
        }
    }
    for network in &networks.all {
        let spec = desired.networks.get(&network.name).cloned().unwrap_or_default();
        if network.name == "foreign" {
            continue;
        }
        let read = read::policies(
            client,
            &site,
            &network.arn,
            read::Ours::default(),
            BTreeSet::new(),
            Urgency::Change,
        );
        let (policies, _) = read.await.unwrap().unwrap();
        same("policy of a network", &policies.auth_policy, &spec.auth_policy)?;
        same("whether a network's policy is in force", &policies.auth, &spec.auth_policy.is_some())?;
        let logs: BTreeSet<String> = policies.access_logs.into_keys().collect();
        same("logs of a network", &logs, &spec.access_logs)?;
        let claimed = spec.auth_policy.is_some() || !spec.access_logs.is_empty();
        same("claim", &policies.tags.contains_key(tags::POLICIES), &claimed)?;
    }
    Ok(())
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, wanted: &T) -> Result<(), String> {
    if is == wanted { Ok(()) } else { Err(format!("{what}: {is:?}, wanted {wanted:?}")) }
}

fn service_is(
    tree: &ServiceTree,
    spec: &ServiceSpec,
    groups: &BTreeMap<TargetGroupArn, GroupKey>,
    name_of: &dyn Fn(&NetworkId) -> String,
) -> Result<(), String> {
    same("name", &tree.service.name, &spec.name)?;
    same("custom domain", &tree.service.custom_domain, &spec.custom_domain)?;
    same("tags", &tree.tags, &spec.tags)?;
    same("policy", &tree.auth_policy, &spec.auth_policy)?;
    same("auth", &tree.service.auth, &spec.auth_policy.is_some())?;
    same("logs", &tree.access_logs.keys().cloned().collect(), &spec.access_logs)?;
    same("networks", &tree.associations.keys().map(name_of).collect(), &spec.networks)?;
    same("ports", &tree.listeners.keys().collect::<Vec<_>>(), &spec.listeners.keys().collect::<Vec<_>>())?;
    let named = |action: &Action<TargetGroupArn>| action.try_map(|arn| groups.get(arn).cloned());
    for (port, wanted) in &spec.listeners {
        let is = &tree.listeners[port];
        same("protocol", &is.listener.protocol, &Some(wanted.protocol))?;
        same("default", &is.listener.default.as_ref().and_then(named), &Some(wanted.default.clone()))?;
        let mut placed: Vec<_> = is.rules.values().collect();
        placed.sort_by_key(|rule| rule.priority);
        let rules: Vec<Option<rule::Rule<GroupKey>>> = placed
            .iter()
            .map(|placed| {
                let rule = placed.rule.as_ref()?;
                Some(rule::Rule { matching: rule.matching.clone(), action: named(&rule.action)? })
            })
            .collect();
        same("rules", &rules, &wanted.rules.iter().cloned().map(Some).collect())?;
    }
    Ok(())
}
