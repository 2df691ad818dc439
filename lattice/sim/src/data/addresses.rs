//! Which addresses services and resource configurations have.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::settings::Settings;
use crate::settings::choice::Addresses;
use crate::state::State;

/// The address at this place of a range, from 1 on; the last one beyond its end.
fn at(range: IpNet, place: u64) -> IpAddr {
    match range {
        IpNet::V4(range) => {
            let hosts = (1_u64 << (32 - range.prefix_len())).saturating_sub(2).max(1);
            let first = u32::from(range.network());
            let place = u32::try_from(place.clamp(1, hosts)).unwrap_or(1);
            IpAddr::V4(first.saturating_add(place).min(u32::from(range.broadcast())).into())
        }
        IpNet::V6(range) => {
            let address = u128::from(range.network()).saturating_add(u128::from(place.max(1)));
            IpAddr::V6(address.min(u128::from(range.broadcast())).into())
        }
    }
}

/// The addresses of the service with this id.
pub(crate) fn of_service(state: &State, settings: &Settings, id: &str) -> Vec<IpAddr> {
    let place = match settings.addresses {
        Addresses::Shared => 1,
        Addresses::Each => state.services.place(id).unwrap_or(1),
    };
    let ranges = [settings.ipv4_range.0, settings.ipv6_range.0];
    ranges.into_iter().flatten().map(|range| at(range, place)).collect()
}

/// The address of a resource configuration, by its number.
pub(crate) fn of_resource(settings: &Settings, number: u32) -> Option<IpAddr> {
    settings.resource_range.0.map(|range| at(range, u64::from(number) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_within_their_range() {
        for (range, place, expected) in [
            ("169.254.171.0/24", 1, "169.254.171.1"),
            ("169.254.171.0/24", 254, "169.254.171.254"),
            ("169.254.171.0/24", 999, "169.254.171.254"),
            ("10.0.0.7/32", 5, "10.0.0.7"),
            ("129.224.0.0/17", 300, "129.224.1.44"),
            ("fd00:ec2:80::/64", 1, "fd00:ec2:80::1"),
            ("fd00:ec2:80::/64", 70_000, "fd00:ec2:80::1:1170"),
        ] {
            assert_eq!(at(range.parse().unwrap(), place).to_string(), expected, "{range} {place}");
        }
    }
}
