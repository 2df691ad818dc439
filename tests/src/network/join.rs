//! Joins the networks of two worlds, one of which has a cloud for both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::addresses::Plan;
use super::namespace::Namespace;
use super::netlink::Route;
use crate::error::{Error, Result};

/// Where the cloud has services, resources and its resolver, as `lath sim settings` shows: addresses and prefix lengths.
const RANGES: [(IpAddr, u8); 4] = [
    (IpAddr::V4(Ipv4Addr::new(169, 254, 171, 0)), 24),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 169, 253)), 32),
    (IpAddr::V4(Ipv4Addr::new(129, 224, 0, 0)), 17),
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0)), 32),
];

/// The ends of the link, which answer for IPv6: on the side of the cloud, and on the other.
const ENDS: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2)];

/// Lets the cloud in one router's namespace reach the pods behind another router, and these the cloud. Pods of the two do
/// not reach each other, as those of VPCs that nobody has joined. The link goes with either namespace.
pub async fn share_cloud(cloud: (&Namespace, Plan), other: (&Namespace, Plan)) -> Result<()> {
    let (at_cloud, at_other) = (cloud.0.netlink()?, other.0.netlink()?);
    let (plan, beyond) = (cloud.1, other.1);
    let name = format!("world{}", beyond.number);
    if !at_cloud.add_veth(&name, "cloud", other.0).await? {
        return Err(Error::failed("joining two worlds", "they are joined already"));
    }
    let (here, there) = (at_cloud.index(&name).await?, at_other.index("cloud").await?);
    at_cloud.add_address(here, ENDS[0].into(), 64).await?;
    at_other.add_address(there, ENDS[1].into(), 64).await?;
    // What the cloud sends comes from an address that the other side has a route to.
    at_cloud.add_address(here, plan.api().v4.into(), 32).await?;
    at_cloud.up(here).await?;
    at_other.up(there).await?;

    let (v4, v6) = (beyond.network_v4(), beyond.network_v6());
    for (destination, prefix, via) in
        [(IpAddr::V4(v4.0), v4.1, beyond.api().v4.into()), (v6.0.into(), v6.1, ENDS[1].into())]
    {
        at_cloud.add_route(Route { destination, prefix, via: Some(via), interface: here }).await?;
    }
    let gateway = |destination: IpAddr| match destination {
        IpAddr::V4(_) => IpAddr::V4(plan.api().v4),
        IpAddr::V6(_) => IpAddr::V6(ENDS[0]),
    };
    for address in plan.api().both().into_iter().chain(plan.cloud().both()) {
        at_other.add_route(Route::to(address, Some(gateway(address)), there)).await?;
    }
    for (destination, prefix) in RANGES {
        let via = Some(gateway(destination));
        at_other.add_route(Route { destination, prefix, via, interface: there }).await?;
    }
    Ok(())
}
