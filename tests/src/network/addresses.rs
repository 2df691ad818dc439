//! Which addresses a world uses, and which pod gets which.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// Port of the API server on the world's bridge address.
pub const API_PORT: u16 = 6443;
/// Port of the simulator on the cloud's address.
pub const CLOUD_PORT: u16 = 8443;
/// Most nodes of one world: their addresses lie between .0.10 and .0.250.
pub const MAX_NODES: u8 = 240;
/// Pods' addresses that one world has: 200 blocks of 254.
const POD_ADDRESSES: u32 = 200 * 254;

/// The address plan of a world, derived from one number: 10.NUMBER.0.0/16 and fd00:1a74:NUMBER::/48.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The second byte of every IPv4 address of this world.
    pub number: u8,
}

/// One IPv4 and one IPv6 address of the same owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair {
    /// The IPv4 address, which Kubernetes lists first.
    pub v4: Ipv4Addr,
    /// The IPv6 address.
    pub v6: Ipv6Addr,
}

impl Pair {
    /// Both, IPv4 first.
    #[must_use]
    pub fn both(self) -> [IpAddr; 2] {
        [self.v4.into(), self.v6.into()]
    }
}

impl Plan {
    /// The numbers to try. Below 64 and above 191, 10/8 networks of companies and clouds are common.
    pub const NUMBERS: std::ops::RangeInclusive<u8> = 64..=191;

    /// The name of the host's end of the link between host and world.
    #[must_use]
    pub fn interface(self) -> String {
        format!("lath{}", self.number)
    }

    fn pair(self, third: u8, fourth: u8, subnet: u16, host: u16) -> Pair {
        Pair {
            v4: Ipv4Addr::new(10, self.number, third, fourth),
            v6: Ipv6Addr::new(0xfd00, 0x1a74, self.number.into(), subnet, 0, 0, 0, host),
        }
    }

    /// The IPv4 network of the whole world: address and prefix length.
    #[must_use]
    pub fn network_v4(self) -> (Ipv4Addr, u8) {
        (Ipv4Addr::new(10, self.number, 0, 0), 16)
    }

    /// The IPv6 network of the whole world: address and prefix length.
    #[must_use]
    pub fn network_v6(self) -> (Ipv6Addr, u8) {
        (self.pair(0, 0, 0, 0).v6, 48)
    }

    /// The bridge's own address, where the API server listens.
    #[must_use]
    pub fn api(self) -> Pair {
        self.pair(0, 1, 0, 1)
    }

    /// The address of the cloud's endpoint, on the bridge too.
    #[must_use]
    pub fn cloud(self) -> Pair {
        self.pair(0, 2, 0, 2)
    }

    /// The host's end of the link between host and world.
    #[must_use]
    pub fn host(self) -> Pair {
        self.pair(255, 1, 0xffff, 1)
    }

    /// The world's end of the link between host and world.
    #[must_use]
    pub fn uplink(self) -> Pair {
        self.pair(255, 2, 0xffff, 2)
    }

    /// A node's address; `index` counts from 0 and is below [`MAX_NODES`].
    #[must_use]
    pub fn node(self, index: u8) -> Pair {
        let host = index.saturating_add(10);
        self.pair(0, host, 0, host.into())
    }

    /// A pod's address by its place in the pool.
    fn pod(self, place: u32) -> Pair {
        let third = u8::try_from(1 + place / 254).unwrap_or(u8::MAX);
        let fourth = u8::try_from(1 + place % 254).unwrap_or(u8::MAX);
        self.pair(third, fourth, third.into(), fourth.into())
    }

    /// The place in the pool of a pod's IPv4 address, if it is one.
    fn place(self, address: Ipv4Addr) -> Option<u32> {
        let [ten, number, third, fourth] = address.octets();
        let is_pod =
            ten == 10 && number == self.number && (1..=200).contains(&third) && (1..=254).contains(&fourth);
        is_pod.then(|| (u32::from(third) - 1) * 254 + u32::from(fourth) - 1)
    }
}

/// Hands out pod addresses. Freed ones come back late, as a VPC's do, unless a test asks for them.
#[derive(Debug)]
pub struct Pool {
    plan: Plan,
    next: u32,
    used: BTreeSet<u32>,
    /// Addresses that tests asked for, with the start of the pod's `namespace/name` they are meant for.
    wanted: VecDeque<(u32, String)>,
}

impl Pool {
    /// A pool of which nothing is used.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self { plan, next: 0, used: BTreeSet::new(), wanted: VecDeque::new() }
    }

    /// Makes the next pod whose `namespace/name` starts with `pod` get this address. Says no to an address that is
    /// not a pod address of this world, or when 1,000 wishes wait already.
    pub fn want(&mut self, address: Ipv4Addr, pod: &str) -> bool {
        match self.plan.place(address) {
            Some(place) if self.wanted.len() < 1000 => {
                self.wanted.push_back((place, pod.to_owned()));
                true
            }
            _ => false,
        }
    }

    /// An address for a pod. `None` when all are used, or when the one that a test wants for it is used still.
    pub fn take(&mut self, pod: &str) -> Option<Pair> {
        let wish = self.wanted.iter().position(|(_, prefix)| pod.starts_with(prefix.as_str()));
        let place = if let Some(wish) = wish {
            let place = self.wanted.get(wish).map(|(place, _)| *place)?;
            if self.used.contains(&place) {
                return None;
            }
            self.wanted.remove(wish);
            place
        } else {
            let place = (0..POD_ADDRESSES).map(|step| (self.next + step) % POD_ADDRESSES).find(|place| {
                !self.used.contains(place) && !self.wanted.iter().any(|(wish, _)| wish == place)
            })?;
            self.next = (place + 1) % POD_ADDRESSES;
            place
        };
        self.used.insert(place);
        Some(self.plan.pod(place))
    }

    /// Gives an address back.
    pub fn free(&mut self, address: Pair) {
        if let Some(place) = self.plan.place(address.v4) {
            self.used.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { number: 77 };

    #[test]
    fn a_freed_address_is_not_handed_out_again_soon() {
        let mut pool = Pool::new(PLAN);
        let first = pool.take("default/a").unwrap();
        assert_eq!(first.v4, Ipv4Addr::new(10, 77, 1, 1));
        assert_eq!(first.v6, "fd00:1a74:4d:1::1".parse::<Ipv6Addr>().unwrap());
        pool.free(first);
        assert_ne!(pool.take("default/b"), Some(first));
    }

    #[test]
    fn a_wanted_address_goes_to_the_pod_it_is_meant_for_once_it_is_free() {
        let mut pool = Pool::new(PLAN);
        let first = pool.take("default/a").unwrap();
        assert!(pool.want(first.v4, "default/web-"));
        assert_ne!(pool.take("default/other"), Some(first));
        assert_eq!(pool.take("default/web-1"), None, "it is in use still");
        pool.free(first);
        assert_ne!(pool.take("default/other"), Some(first), "it is kept for its pod");
        assert_eq!(pool.take("default/web-1"), Some(first));
    }

    #[test]
    fn every_address_is_handed_out_once_and_then_none() {
        let mut pool = Pool::new(PLAN);
        let all: BTreeSet<_> = std::iter::from_fn(|| pool.take("x")).collect();
        assert_eq!(all.len(), 50_800);
        assert_eq!(all.last().unwrap().v4, Ipv4Addr::new(10, 77, 200, 254));
    }

    #[test]
    fn addresses_of_nodes_and_strangers_cannot_be_wanted() {
        let mut pool = Pool::new(PLAN);
        for address in
            [PLAN.node(0).v4, PLAN.api().v4, Ipv4Addr::new(10, 78, 1, 1), Ipv4Addr::new(10, 77, 201, 1)]
        {
            assert!(!pool.want(address, ""), "{address}");
        }
    }
}
