//! Quotas of a service, and the budgets of namespaces within them.
//!
//! Lattice refuses what is above a quota, and the rest of the service with it: better to say so first. Where routes of
//! several namespaces share a service, a budget keeps one of them from using up what is there for all.

use std::collections::BTreeSet;

use lath_kubernetes::parameters::Parameters;
use lattice::{rule::Match, service::GroupKey};

use super::{
    super::verdict::{Reason, Verdict},
    Draft,
};
use crate::{
    gateway::route::RouteName,
    quotas::{Quota, Use},
};

/// A namespace's budget for something.
struct Budget<'a> {
    namespace: &'a str,
    /// What it is for, in words.
    what: String,
    most: u32,
    /// How much the namespace's older routes use.
    used: usize,
    /// The field of the parameters that sets it.
    field: &'static str,
}

impl Budget<'_> {
    fn check(&self, count: usize) -> Result<(), Verdict> {
        if fits(count, self.most) {
            return Ok(());
        }
        let Self { namespace, what, most, used, field } = self;
        Err(Verdict::no(
            Reason::QuotaExceeded,
            format!(
                "The routes of namespace {namespace} would have {count} {what} in this shared service. The budget of each \
                 namespace is {most}, of which older routes of {namespace} use {used}: write fewer, or have the budget \
                 raised at the Gateway (GatewayParameters, quotas.{field})"
            ),
        ))
    }
}

impl Draft {
    /// Whether the routes of a namespace keep to its budgets, now that this one is among them. What routes of other
    /// namespaces have does not count, nor whether one of theirs with the same match goes before.
    pub(super) fn check_budgets(&self, route: &RouteName) -> Result<(), Verdict> {
        let namespace = &route.object.namespace;
        let own = |of: &RouteName| of.object.namespace == *namespace;
        let older = |of: &RouteName| own(of) && of != route;
        if let Some(most) = self.parameters.rules_per_namespace {
            for port in self.listeners.keys() {
                let what = format!("rules on port {port}");
                let used = self.rules_of(*port, &older);
                let budget = Budget { namespace, what, most, used, field: "rulesPerNamespace" };
                budget.check(self.rules_of(*port, &own))?;
            }
        }
        if let Some(most) = self.parameters.target_groups_per_namespace {
            let (what, used) = ("target groups".to_owned(), self.groups_of(&older));
            let budget = Budget { namespace, what, most, used, field: "targetGroupsPerNamespace" };
            budget.check(self.groups_of(&own))?;
        }
        Ok(())
    }

    /// How many rules these routes have on a port.
    fn rules_of(&self, port: u16, whose: &dyn Fn(&RouteName) -> bool) -> usize {
        let rules = self.listeners.get(&port).into_iter().flat_map(|listener| listener.rules.values());
        let own = rules.filter(|placed| whose(&placed.route));
        own.map(|placed| &placed.rule.matching).collect::<BTreeSet<&Match>>().len()
    }

    /// How many groups these routes name.
    fn groups_of(&self, whose: &dyn Fn(&RouteName) -> bool) -> usize {
        let mut groups: BTreeSet<&GroupKey> = BTreeSet::new();
        for (port, listener) in &self.listeners {
            let own = listener.rules.values().filter(|placed| whose(&placed.route));
            groups.extend(own.flat_map(|placed| placed.rule.action.groups()));
            if self.passing.get(port).is_some_and(whose) {
                groups.extend(listener.default.groups());
            }
        }
        groups.len()
    }

    /// How far the service uses each quota.
    pub(super) fn uses(&self) -> Vec<(Quota, Use)> {
        let of = |used, quota| Use { used, quota };
        let Parameters { rules_per_listener, listeners_per_service, target_groups_per_service, .. } =
            self.parameters;
        let rules = self.listeners.keys().map(|port| self.rules_of(*port, &|_| true));
        let mut uses: Vec<(Quota, Use)> =
            rules.map(|rules| (Quota::RulesPerListener, of(rules, rules_per_listener))).collect();
        uses.push((Quota::ListenersPerService, of(self.listeners.len(), listeners_per_service)));
        uses.push((Quota::TargetGroupsPerService, of(self.groups().len(), target_groups_per_service)));
        uses
    }

    /// Whether the service keeps to the quotas.
    pub(super) fn check_quotas(&self) -> Result<(), Verdict> {
        let over = |what: &str, count: usize, quota: u32, field: &str| {
            if fits(count, quota) {
                return Ok(());
            }
            Err(Verdict::no(
                Reason::QuotaExceeded,
                format!(
                    "The service would have {count} {what}, and VPC Lattice's quota is {quota}: write fewer, or have the \
                     quota raised by AWS and tell Lath so (GatewayParameters, quotas.{field})"
                ),
            ))
        };
        for port in self.listeners.keys() {
            let what = format!("rules on port {port}");
            let count = self.rules_of(*port, &|_| true);
            over(&what, count, self.parameters.rules_per_listener, "rulesPerListener")?;
        }
        over(
            "listeners",
            self.listeners.len(),
            self.parameters.listeners_per_service,
            "listenersPerService",
        )?;
        let groups = self.groups().len();
        over("target groups", groups, self.parameters.target_groups_per_service, "targetGroupsPerService")
    }
}

fn fits(count: usize, most: u32) -> bool {
    u32::try_from(count).is_ok_and(|count| count <= most)
}
