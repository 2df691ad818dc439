//! A node's namespace, the pods attached to it, and the ways to cut it off.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::addresses::Pair;
use super::fabric::Fabric;
use super::namespace::Namespace;
use super::netlink::{Netlink, Route};
use crate::error::Result;

/// The gateway of every pod: the node's end of the pod's own link.
const POD_GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// A hardware address that no interface has.
const NOBODY: [u8; 6] = [0x02, 0, 0, 0, 0, 0];

/// What a node can be cut off from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// The API server.
    ApiServer,
    /// The cloud's endpoint.
    Cloud,
    /// Everything beyond the node; its pods still reach each other.
    Network,
}

/// The network of one node.
#[derive(Debug)]
pub struct NodeNetwork {
    fabric: Fabric,
    addresses: Pair,
    namespace: Namespace,
    netlink: Netlink,
    uplink: u32,
    /// A bridge without ports: what is routed there vanishes without a word.
    void: u32,
    /// The router's end of the node's link.
    port: u32,
    links: AtomicU32,
    cuts: Mutex<BTreeSet<Peer>>,
}

/// The network of one pod. [`NodeNetwork::detach`] it; dropped without, its link lives as long as the node.
#[derive(Debug, Clone)]
pub struct PodNetwork {
    /// The pod's namespace.
    pub namespace: Namespace,
    /// The pod's addresses.
    pub addresses: Pair,
    link: u32,
}

impl NodeNetwork {
    pub(super) async fn create(fabric: Fabric, index: u8) -> Result<Self> {
        let plan = fabric.plan();
        let addresses = plan.node(index);
        let namespace = Namespace::create().await?;
        for (key, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            ("ipv4/conf/all/send_redirects", "0"),
            ("ipv4/conf/default/send_redirects", "0"),
            // Established sockets must meet the routing rules as well, or a cut would not reach them.
            ("ipv4/ip_early_demux", "0"),
        ] {
            namespace.set(key, value)?;
        }
        let port_name = format!("node{index}");
        fabric.netlink().add_veth(&port_name, "eth0", &namespace).await?;
        let port = fabric.netlink().index(&port_name).await?;
        fabric.netlink().add_port(port, fabric.bridge()).await?;
        fabric.netlink().up(port).await?;

        let netlink = namespace.netlink()?;
        let uplink = netlink.index("eth0").await?;
        netlink.add_address(uplink, addresses.v4.into(), 24).await?;
        netlink.add_address(uplink, addresses.v6.into(), 64).await?;
        netlink.up(uplink).await?;
        for gateway in plan.api().both() {
            netlink.add_route(Route::default(gateway, uplink)).await?;
        }
        // What comes from a peer whose way back leads elsewhere is dropped: a cut works in both directions.
        namespace.set("ipv4/conf/eth0/rp_filter", "1")?;
        let void = netlink.add_bridge("void").await?;
        netlink.up(void).await?;
        for peer in [plan.api().v4, plan.cloud().v4] {
            netlink.add_neighbour(void, peer.into(), NOBODY).await?;
        }
        Ok(Self {
            fabric,
            addresses,
            namespace,
            netlink,
            uplink,
            void,
            port,
            links: AtomicU32::new(0),
            cuts: Mutex::new(BTreeSet::new()),
        })
    }

    /// The node's addresses.
    pub fn addresses(&self) -> Pair {
        self.addresses
    }

    /// The node's namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The network that this node is part of.
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// Makes a pod's namespace with these addresses and routes to it from everywhere.
    pub async fn attach(&self, addresses: Pair) -> Result<PodNetwork> {
        let namespace = Namespace::create().await?;
        let name = format!("pod{}", self.links.fetch_add(1, Ordering::Relaxed));
        self.netlink.add_veth(&name, "eth0", &namespace).await?;
        let link = self.netlink.index(&name).await?;
        self.netlink.add_address(link, POD_GATEWAY_V6.into(), 64).await?;
        self.netlink.up(link).await?;

        let inside = namespace.netlink()?;
        let interface = inside.index("eth0").await?;
        for address in addresses.both() {
            inside.add_address(interface, address, if address.is_ipv4() { 32 } else { 128 }).await?;
        }
        inside.up(interface).await?;
        // The node answers for its own address on every link, so that is a gateway that all pods can share.
        inside.add_route(Route::default(self.addresses.v4.into(), interface)).await?;
        inside.add_route(Route::default(POD_GATEWAY_V6.into(), interface)).await?;

        for address in addresses.both() {
            self.netlink.add_route(Route::to(address, None, link)).await?;
            self.fabric.netlink().add_route(self.route_from_router(address)).await?;
        }
        Ok(PodNetwork { namespace, addresses, link })
    }

    /// Takes a pod's link and routes away. The routes of a pod on another node that has the address by now stay.
    pub async fn detach(&self, pod: &PodNetwork) -> Result<()> {
        for address in pod.addresses.both() {
            self.fabric.netlink().delete_route(self.route_from_router(address)).await?;
        }
        self.netlink.delete(pod.link).await
    }

    /// Cuts the node and its pods off from a peer: packets vanish in both directions, nobody is told.
    pub async fn cut(&self, peer: Peer) -> Result<()> {
        let mut cuts = self.cuts.lock().await;
        match self.detour(peer) {
            Some(route) => self.netlink.add_route(route).await?,
            None => self.fabric.netlink().down(self.port).await?,
        }
        cuts.insert(peer);
        Ok(())
    }

    /// Undoes [`NodeNetwork::cut`].
    pub async fn heal(&self, peer: Peer) -> Result<()> {
        let mut cuts = self.cuts.lock().await;
        if cuts.remove(&peer) {
            match self.detour(peer) {
                Some(route) => self.netlink.delete_route(route).await?,
                None => self.fabric.netlink().up(self.port).await?,
            }
        }
        Ok(())
    }

    /// Takes the node off the bridge.
    pub async fn remove(&self) -> Result<()> {
        self.fabric.netlink().delete(self.port).await
    }

    /// The index of the node's interface to the world, for tests that look at it.
    pub fn uplink(&self) -> u32 {
        self.uplink
    }

    fn detour(&self, peer: Peer) -> Option<Route> {
        let plan = self.fabric.plan();
        let address: IpAddr = match peer {
            Peer::ApiServer => plan.api().v4.into(),
            Peer::Cloud => plan.cloud().v4.into(),
            Peer::Network => return None,
        };
        Some(Route::to(address, None, self.void))
    }

    fn route_from_router(&self, address: IpAddr) -> Route {
        let via = if address.is_ipv4() { self.addresses.v4.into() } else { self.addresses.v6.into() };
        Route::to(address, Some(via), self.fabric.bridge())
    }
}
