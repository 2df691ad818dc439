//! VPC Lattice's quotas, and how far each is used, as metrics.
//!
//! Whoever knows a use shows it: translation what services come to, the engine what is there, audits how many targets
//! groups have. Nobody calls VPC Lattice for it.

use lattice::limits;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

/// A quota of VPC Lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is called as it is in metrics")]
pub enum Quota {
    ListenersPerService,
    ResourceConfigurations,
    ResourceConfigurationsPerServiceNetwork,
    ResourceGatewaysPerVpc,
    RulesPerListener,
    ServiceNetworks,
    Services,
    ServicesPerServiceNetwork,
    TargetGroups,
    TargetGroupsPerService,
    TargetsPerGroup,
    VpcsPerServiceNetwork,
}

impl Quota {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ListenersPerService,
        Self::ResourceConfigurations,
        Self::ResourceConfigurationsPerServiceNetwork,
        Self::ResourceGatewaysPerVpc,
        Self::RulesPerListener,
        Self::ServiceNetworks,
        Self::Services,
        Self::ServicesPerServiceNetwork,
        Self::TargetGroups,
        Self::TargetGroupsPerService,
        Self::TargetsPerGroup,
        Self::VpcsPerServiceNetwork,
    ];

    /// The word in metrics and flags.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListenersPerService => "listeners_per_service",
            Self::ResourceConfigurations => "resource_configurations",
            Self::ResourceConfigurationsPerServiceNetwork => "resource_configurations_per_service_network",
            Self::ResourceGatewaysPerVpc => "resource_gateways_per_vpc",
            Self::RulesPerListener => "rules_per_listener",
            Self::ServiceNetworks => "service_networks",
            Self::Services => "services",
            Self::ServicesPerServiceNetwork => "services_per_service_network",
            Self::TargetGroups => "target_groups",
            Self::TargetGroupsPerService => "target_groups_per_service",
            Self::TargetsPerGroup => "targets_per_group",
            Self::VpcsPerServiceNetwork => "vpcs_per_service_network",
        }
    }

    /// What it is unless AWS has raised it.
    #[must_use]
    pub fn usual(self) -> u32 {
        match self {
            Self::ListenersPerService => limits::LISTENERS_PER_SERVICE,
            Self::ResourceConfigurations => limits::CONFIGURATIONS_PER_ACCOUNT,
            Self::ResourceConfigurationsPerServiceNetwork => limits::CONFIGURATIONS_PER_NETWORK,
            Self::ResourceGatewaysPerVpc => limits::RESOURCE_GATEWAYS_PER_VPC,
            Self::RulesPerListener => limits::RULES_PER_LISTENER,
            Self::ServiceNetworks => limits::NETWORKS_PER_ACCOUNT,
            Self::Services => limits::SERVICES_PER_ACCOUNT,
            Self::ServicesPerServiceNetwork => limits::SERVICES_PER_NETWORK,
            Self::TargetGroups => limits::GROUPS_PER_ACCOUNT,
            Self::TargetGroupsPerService => limits::GROUPS_PER_SERVICE,
            Self::TargetsPerGroup => u32::try_from(limits::TARGETS_PER_GROUP).unwrap_or(u32::MAX),
            Self::VpcsPerServiceNetwork => limits::VPCS_PER_NETWORK,
        }
    }

    /// Whether each Gateway says what it is, by its GatewayParameters.
    #[must_use]
    pub fn is_of_gateways(self) -> bool {
        matches!(self, Self::ListenersPerService | Self::RulesPerListener | Self::TargetGroupsPerService)
    }
}

/// How far a quota is used, by what comes nearest to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// How much is used.
    pub used: usize,
    /// The quota.
    pub quota: u32,
}

impl Use {
    /// The one of two that is nearer to its quota: of which a larger share is used, or less is left.
    #[must_use]
    pub fn nearer(self, other: Self) -> Self {
        let share =
            |one: Self, two: Self| one.used.saturating_mul(usize::try_from(two.quota).unwrap_or(usize::MAX));
        let (mine, others) = (share(self, other), share(other, self));
        if others > mine || (others == mine && other.quota < self.quota) { other } else { self }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuotaLabel {
    quota: &'static str,
}

/// Shows quotas, and how far they are used.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    quotas: Family<QuotaLabel, Gauge>,
    used: Family<QuotaLabel, Gauge>,
}

impl Metrics {
    /// Metrics in `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "quota",
            "VPC Lattice's quotas: the usual ones, or as GatewayParameters and --raised-quota say",
            metrics.quotas.clone(),
        );
        registry.register(
            "quota_used",
            "How much of each quota is used: by what comes nearest to it, as far as this cluster's Lath makes or uses it; of \
             those of the account, what Lath holds, and all of the account's service networks",
            metrics.used.clone(),
        );
        // Series exist from the start, so that each use has its quota beside it.
        for quota in Quota::ALL {
            metrics.set(quota, quota.usual());
            metrics.show(quota, 0);
        }
        metrics
    }

    /// Shows another quota than the usual one.
    pub fn set(&self, quota: Quota, is: u32) {
        self.quotas.get_or_create(&QuotaLabel { quota: quota.as_str() }).set(is.into());
    }

    /// Shows how much of a quota is used.
    pub fn show(&self, quota: Quota, used: usize) {
        let used = i64::try_from(used).unwrap_or(i64::MAX);
        self.used.get_or_create(&QuotaLabel { quota: quota.as_str() }).set(used);
    }

    /// What is shown of a quota: how much of it is used, and what it is.
    #[cfg(test)]
    pub(crate) fn shown(&self, quota: Quota) -> (i64, i64) {
        let of = |family: &Family<QuotaLabel, Gauge>| {
            family.get(&QuotaLabel { quota: quota.as_str() }).map_or(0, |gauge| gauge.get())
        };
        (of(&self.used), of(&self.quotas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_use_is_that_of_the_larger_share() {
        let of = |used, quota| Use { used, quota };
        for (one, two, nearer) in [
            (of(9, 10), of(50, 100), of(9, 10)),
            (of(50, 100), of(9, 10), of(9, 10)),
            (of(10, 10), of(100, 100), of(10, 10)),
            (of(0, 100), of(0, 10), of(0, 10)),
            (of(3, 10), of(3, 10), of(3, 10)),
        ] {
            assert_eq!(one.nearer(two), nearer);
        }
    }
}
