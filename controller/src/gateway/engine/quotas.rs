//! How much of VPC Lattice's quotas is used by what is there.

use std::collections::BTreeMap;

use lattice::{
    id::NetworkId,
    observed::Members,
    resource::{ResourceKind, ResourceTree},
};

use super::Engine;
use crate::quotas::Quota;

impl Engine {
    /// Shows how much is used of the quotas of the account and of service networks. Cost: O(services + groups + networks).
    pub(super) fn count_quotas(&self) {
        let quotas = &self.links.metrics.quotas;
        let services = self.services.values().filter(|it| !it.unit.tree.is_absent());
        quotas.show(Quota::Services, services.count());
        let groups = self.groups.values().filter(|it| !it.unit.tree.is_absent());
        quotas.show(Quota::TargetGroups, groups.count());
        for (quota, kind) in [
            (Quota::ResourceConfigurations, ResourceKind::Configuration),
            (Quota::ResourceGatewaysPerVpc, ResourceKind::Gateway),
        ] {
            let there = self.resources.values().filter(|it| it.kind == kind && !it.unit.tree.is_absent());
            quotas.show(quota, there.count());
        }
        let own = |arn: &str| arn.split(':').nth(4) == Some(&self.links.site.account);
        let networks = self.known_networks.iter().flatten().filter(|network| own(&network.arn));
        quotas.show(Quota::ServiceNetworks, networks.count());
        let most = self.fullest();
        quotas.show(Quota::ServicesPerServiceNetwork, most.services);
        quotas.show(Quota::VpcsPerServiceNetwork, most.vpcs);
        quotas.show(Quota::ResourceConfigurationsPerServiceNetwork, most.configurations);
    }

    /// The most of each that is in one of the service networks that Gateways stand for.
    fn fullest(&self) -> Members {
        // What Lath has put there since they were listed, or all of it where they are not listed again.
        let mut own: BTreeMap<&NetworkId, Members> = BTreeMap::new();
        for tree in self.services.values().filter_map(|it| it.unit.tree.read()) {
            for network in tree.associations.keys() {
                own.entry(network).or_default().services += 1;
            }
        }
        for (tree, _) in self.resources.values().filter_map(|it| it.unit.tree.read()) {
            if let ResourceTree::Configuration(_, associations) = tree {
                for network in associations.keys() {
                    own.entry(network).or_default().configurations += 1;
                }
            }
        }
        for network in self.vpc.keys() {
            own.entry(network).or_default().vpcs += 1;
        }
        let ids = self.networks.values().filter_map(|it| it.network.as_ref()).map(|network| &network.id);
        let counts = ids.flat_map(|id| [self.members.get(id), own.get(id)]).flatten();
        counts.fold(Members::default(), |most, of| most.max(*of))
    }
}
