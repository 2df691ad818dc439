//! The router at the middle of a world's network, and its link to the host.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::addresses::{Plan, Pool};
use super::namespace::Namespace;
use super::netlink::{Netlink, Route};
use super::node::NodeNetwork;
use crate::error::{Doing as _, Error, Result};

/// The network of one world. Dropped, it vanishes with all that is attached to it.
#[derive(Debug, Clone)]
pub struct Fabric {
    plan: Plan,
    host_interface: u32,
    router: Namespace,
    netlink: Netlink,
    bridge: u32,
    pool: Arc<Mutex<Pool>>,
}

impl Fabric {
    /// Makes the router and joins it to the host by a veth pair, on the first number whose addresses are free.
    ///
    /// The name of the host's end is the claim on the number, so worlds that start at once cannot take the same.
    pub async fn create() -> Result<Self> {
        let host = Namespace::of_this_thread().doing("opening the host's network namespace")?.netlink()?;
        let router = Namespace::create().await?;
        let (plan, host_interface) = claim(&host, &router).await?;

        for (key, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            // Pods of two nodes meet here on one interface; redirects would teach nodes to bypass the routes.
            ("ipv4/conf/all/send_redirects", "0"),
            ("ipv4/conf/default/send_redirects", "0"),
        ] {
            router.set(key, value)?;
        }
        let netlink = router.netlink()?;
        let bridge = netlink.add_bridge("bridge").await?;
        for (address, lengths) in [(plan.api(), (24, 64)), (plan.cloud(), (32, 128))] {
            netlink.add_address(bridge, address.v4.into(), lengths.0).await?;
            netlink.add_address(bridge, address.v6.into(), lengths.1).await?;
        }
        netlink.up(bridge).await?;

        let uplink = netlink.index("uplink").await?;
        netlink.add_address(uplink, plan.uplink().v4.into(), 30).await?;
        netlink.add_address(uplink, plan.uplink().v6.into(), 64).await?;
        netlink.up(uplink).await?;
        Ok(Self {
            plan,
            host_interface,
            router,
            netlink,
            bridge,
            pool: Arc::new(Mutex::new(Pool::new(plan))),
        })
    }

    /// The world's addresses.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// The index of the host's end of the link between host and world.
    #[must_use]
    pub fn host_interface(&self) -> u32 {
        self.host_interface
    }

    /// The namespace in which the control plane and the cloud run.
    #[must_use]
    pub fn router(&self) -> &Namespace {
        &self.router
    }

    /// The pod addresses.
    pub fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the namespace of a node and attaches it to the bridge. `index` is below
    /// [`MAX_NODES`](super::addresses::MAX_NODES) and no other living node's.
    pub async fn add_node(&self, index: u8) -> Result<NodeNetwork> {
        NodeNetwork::create(self.clone(), index).await
    }

    pub(super) fn netlink(&self) -> &Netlink {
        &self.netlink
    }

    pub(super) fn bridge(&self) -> u32 {
        self.bridge
    }
}

/// Removes the host's end of a world's link, and with it the other end and all routes; one that is gone is no error.
pub async fn delete_host_link(interface: u32) -> Result<()> {
    Netlink::open().doing("opening a netlink socket")?.delete(interface).await
}

/// Takes the first free number and makes the link between host and router, whose index on the host it returns.
async fn claim(host: &Netlink, router: &Namespace) -> Result<(Plan, u32)> {
    for number in Plan::NUMBERS {
        let plan = Plan { number };
        let (network, prefix) = plan.network_v4();
        if host.overlaps(network, prefix).await? {
            continue;
        }
        let name = plan.interface();
        if !host.add_veth(&name, "uplink", router).await? {
            continue;
        }
        let interface = host.index(&name).await?;
        host.add_address(interface, plan.host().v4.into(), 30).await?;
        host.up(interface).await?;
        host.add_route(Route {
            destination: network.into(),
            prefix,
            via: Some(plan.uplink().v4.into()),
            interface,
        })
        .await?;
        // A host without IPv6 still reaches the world by IPv4, which is what its clients use.
        if host.add_address(interface, plan.host().v6.into(), 64).await.is_ok() {
            let (destination, prefix) = plan.network_v6();
            let route = Route {
                destination: destination.into(),
                prefix,
                via: Some(plan.uplink().v6.into()),
                interface,
            };
            if let Err(error) = host.add_route(route).await {
                tracing::debug!(%error, "no IPv6 route from the host into the world");
            }
        }
        return Ok((plan, interface));
    }
    Err(Error::failed(
        "looking for a free network between 10.64.0.0/16 and 10.191.0.0/16",
        "routes of this machine or other worlds use all of them; stop a world",
    ))
}
