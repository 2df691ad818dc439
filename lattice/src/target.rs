//! A target of type IP, and the states in which Lattice reports it.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a target group of type IP sends traffic to. Lattice's own key: address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// Where it listens.
    pub address: IpAddr,
    /// On which port, 1 to 65535.
    pub port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::net::SocketAddr::new(self.address, self.port).fmt(f)
    }
}

/// The family of an address. A target group has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IpFamily {
    /// IPv4.
    IPv4,
    /// IPv6.
    IPv6,
}

impl IpFamily {
    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::IPv4,
            IpAddr::V6(_) => Self::IPv6,
        }
    }
}

impl fmt::Display for IpFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IPv4 => "IPv4",
            Self::IPv6 => "IPv6",
        })
    }
}

/// A target's status as ListTargets reports it. Source: API model, `TargetStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TargetStatus {
    /// Registered, not yet checked.
    Initial,
    /// Passed its checks.
    Healthy,
    /// Failed its checks.
    Unhealthy,
    /// The group is used by no service.
    Unused,
    /// Health checks are off.
    Unavailable,
    /// Deregistered; connections run out.
    Draining,
}

impl TargetStatus {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::Initial, Self::Unhealthy, Self::Unavailable, Self::Unused, Self::Draining];

    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "INITIAL",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
            Self::Unused => "UNUSED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Draining => "DRAINING",
        }
    }
}

impl fmt::Display for TargetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A status that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a status of a VPC Lattice target")]
pub struct UnknownStatus(pub String);

impl FromStr for TargetStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| UnknownStatus(text.into()))
    }
}

/// One entry of ListTargets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetState {
    /// Which target.
    pub target: Target,
    /// How Lattice sees it.
    pub status: TargetStatus,
    /// Why, such as `HealthCheckFailed`; there is no complete list of these.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_written_as_a_socket_address() {
        let target = |address: &str| Target { address: address.parse().unwrap(), port: 80 };
        assert_eq!(target("10.0.0.1").to_string(), "10.0.0.1:80");
        assert_eq!(target("fd00::1").to_string(), "[fd00::1]:80");
    }

    #[test]
    fn every_status_reads_back_from_its_word() {
        for status in TargetStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("healthy".parse::<TargetStatus>().is_err());
    }
}
