//! The few netlink requests that the world makes, each as one function.

use std::io;
use std::net::IpAddr;

use futures::TryStreamExt as _;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use rtnetlink::{Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};

use super::namespace::Namespace;
use crate::error::{Doing as _, Error, Result};

/// The hardware address of every bridge: a locally administered one, which its namespace has once.
const BRIDGE_HARDWARE: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

/// A connection to the routing tables and interfaces of one network namespace.
#[derive(Debug, Clone)]
pub struct Netlink {
    handle: Handle,
}

/// Where packets for `destination` go.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Destination network or address.
    pub destination: IpAddr,
    /// Prefix length of the destination.
    pub prefix: u8,
    /// Next hop, which needs no route of its own: it is taken to be on the interface.
    pub via: Option<IpAddr>,
    /// Interface that the packets leave by.
    pub interface: u32,
}

impl Route {
    /// The route for one address alone.
    pub fn to(address: IpAddr, via: Option<IpAddr>, interface: u32) -> Self {
        Self { destination: address, prefix: if address.is_ipv4() { 32 } else { 128 }, via, interface }
    }

    /// The route for everything of the family of `via`.
    pub fn default(via: IpAddr, interface: u32) -> Self {
        let destination = if via.is_ipv4() {
            IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)
        } else {
            IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED)
        };
        Self { destination, prefix: 0, via: Some(via), interface }
    }

    fn message(self) -> Result<RouteMessage> {
        let what = "composing a route";
        let mut builder = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(self.destination, self.prefix)
            .doing(what)?
            .output_interface(self.interface);
        if let Some(via) = self.via {
            builder = builder.gateway(via).doing(what)?.onlink();
        } else if self.destination.is_ipv4() {
            builder = builder.scope(netlink_packet_route::route::RouteScope::Link);
        }
        Ok(builder.build())
    }
}

impl Netlink {
    /// Opens a socket in the calling thread's namespace. Needs a Tokio runtime, which then drives it.
    pub(super) fn open() -> io::Result<Self> {
        let (connection, handle, _messages) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        Ok(Self { handle })
    }

    /// The index of an interface.
    pub async fn index(&self, name: &str) -> Result<u32> {
        let what = || format!("looking for the interface {name}");
        self.handle
            .link()
            .get()
            .match_name(name)
            .execute()
            .try_next()
            .await
            .doing_with(what)?
            .map(|link| link.header.index)
            .ok_or_else(|| Error::failed(what(), "there is none"))
    }

    /// Makes a pair of joined interfaces: `name` here, `peer` in `peer_namespace`. Says whether `name` was free.
    pub async fn add_veth(&self, name: &str, peer: &str, peer_namespace: &Namespace) -> Result<bool> {
        let peer = LinkUnspec::new_with_name(peer).setns_by_fd(peer_namespace.raw()).build();
        let message = LinkMessageBuilder::<LinkVeth>::new_with_info_kind(InfoKind::Veth)
            .name(name)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
            .build();
        match self.handle.link().add(message).execute().await {
            Ok(()) => Ok(true),
            Err(rtnetlink::Error::NetlinkError(error))
                if error.to_io().kind() == io::ErrorKind::AlreadyExists =>
            {
                Ok(false)
            }
            Err(error) => Err(error).doing_with(|| format!("making the veth pair {name}")),
        }
    }

    /// Makes a bridge and returns its index. Its hardware address is fixed: otherwise it would be that of a port, and
    /// change when that one goes, which neighbours notice only after seconds.
    pub async fn add_bridge(&self, name: &str) -> Result<u32> {
        self.handle
            .link()
            .add(LinkBridge::new(name).address(BRIDGE_HARDWARE.to_vec()).build())
            .execute()
            .await
            .doing_with(|| format!("making the bridge {name}"))?;
        self.index(name).await
    }

    /// Makes an interface a port of a bridge.
    pub async fn add_port(&self, interface: u32, bridge: u32) -> Result<()> {
        self.handle
            .link()
            .set(LinkUnspec::new_with_index(interface).controller(bridge).build())
            .execute()
            .await
            .doing("adding a port to a bridge")
    }

    /// Sets an interface up.
    pub async fn up(&self, interface: u32) -> Result<()> {
        self.handle
            .link()
            .set(LinkUnspec::new_with_index(interface).up().build())
            .execute()
            .await
            .doing("setting an interface up")
    }

    /// Sets an interface down.
    pub async fn down(&self, interface: u32) -> Result<()> {
        self.handle
            .link()
            .set(LinkUnspec::new_with_index(interface).down().build())
            .execute()
            .await
            .doing("setting an interface down")
    }

    /// Removes an interface (of a veth pair: both ends); one that is gone is no error.
    pub async fn delete(&self, interface: u32) -> Result<()> {
        match self.handle.link().del(interface).execute().await {
            Err(rtnetlink::Error::NetlinkError(error))
                if error.raw_code() == -rustix::io::Errno::NODEV.raw_os_error() =>
            {
                Ok(())
            }
            other => other.doing("removing an interface"),
        }
    }

    /// Gives an interface an address.
    pub async fn add_address(&self, interface: u32, address: IpAddr, prefix: u8) -> Result<()> {
        self.handle
            .address()
            .add(interface, address, prefix)
            .execute()
            .await
            .doing_with(|| format!("adding the address {address}/{prefix}"))
    }

    /// Adds a route, in the place of one for the same destination if there is one.
    pub async fn add_route(&self, route: Route) -> Result<()> {
        self.handle
            .route()
            .add(route.message()?)
            .replace()
            .execute()
            .await
            .doing_with(|| format!("adding {route:?}"))
    }

    /// Removes exactly this route; one that is not there is no error.
    pub async fn delete_route(&self, route: Route) -> Result<()> {
        match self.handle.route().del(route.message()?).execute().await {
            Err(rtnetlink::Error::NetlinkError(error))
                if error.raw_code() == -rustix::io::Errno::SRCH.raw_os_error() =>
            {
                Ok(())
            }
            other => other.doing_with(|| format!("removing {route:?}")),
        }
    }

    /// Says that `address` is reached at a hardware address, without asking the network.
    pub async fn add_neighbour(&self, interface: u32, address: IpAddr, hardware: [u8; 6]) -> Result<()> {
        self.handle
            .neighbours()
            .add(interface, address)
            .link_layer_address(&hardware)
            .execute()
            .await
            .doing_with(|| format!("adding a neighbour entry for {address}"))
    }

    /// Whether some route other than a default one covers an address of `network`/`prefix`.
    pub async fn overlaps(&self, network: std::net::Ipv4Addr, prefix: u8) -> Result<bool> {
        let mut routes =
            self.handle.route().get(RouteMessageBuilder::<std::net::Ipv4Addr>::new().build()).execute();
        while let Some(route) = routes.try_next().await.doing("reading the host's routes")? {
            let length = route.header.destination_prefix_length;
            if route.header.address_family != AddressFamily::Inet || length == 0 {
                continue;
            }
            let destination = route.attributes.iter().find_map(|attribute| match attribute {
                RouteAttribute::Destination(RouteAddress::Inet(address)) => Some(*address),
                _ => None,
            });
            let mask = u32::MAX << (32 - u32::from(length.min(prefix)));
            if destination.is_some_and(|address| (u32::from(address) ^ u32::from(network)) & mask == 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
