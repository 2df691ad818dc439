//! The network interface that carries the addresses of services.

use std::collections::HashSet;
use std::io;
use std::net::IpAddr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use futures::TryStreamExt as _;
use rtnetlink::packet_route::link::LinkAttribute;
use rtnetlink::{Handle, LinkBridge, LinkDummy, LinkUnspec};

/// The name of no interface: addresses are there already.
const NONE: &str = "none";

/// Why an interface can't be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another simulator has it.
    #[error(
        "the network interface {0} carries the traffic of another simulator in this network namespace; stop that one, \
         or run this one in a namespace of its own (`ip netns exec NAME lath sim …`)"
    )]
    Taken(String),
    /// It is somebody else's.
    #[error(
        "there is an interface {0} that no simulator has made; choose another name for ours with \
         --set data.interface=NAME"
    )]
    Foreign(String),
    /// There is no way to ask the kernel.
    #[error("asking the kernel for a network interface: {0}")]
    Netlink(#[from] io::Error),
    /// The kernel refuses.
    #[error(
        "making the network interface {name}: {reason}; the data plane needs the right to administer the network \
         (root, or CAP_NET_ADMIN), or --set data.interface=none with ranges that are there already, such as \
         --set data.ipv4_range=127.171.0.0/24 --set data.ipv6_range=off --set data.resource_range=127.172.0.0/24"
    )]
    Refused {
        /// The interface.
        name: String,
        /// Why not.
        reason: String,
    },
}

/// The alias that tells an interface of ours from others.
const ALIAS: &str = "lath sim";

/// An interface of ours, or none.
#[derive(Debug)]
pub(super) struct Interface {
    own: Option<Own>,
    has: HashSet<IpAddr>,
}

#[derive(Debug)]
struct Own {
    handle: Handle,
    index: u32,
    name: String,
    /// Held for as long as the interface is ours.
    _claim: UnixDatagram,
}

impl Interface {
    /// Makes an interface in the network namespace of this thread, in the place of one that a run left that was killed.
    pub(super) async fn create(name: &str) -> Result<Self, Error> {
        if name == NONE {
            return Ok(Self { own: None, has: HashSet::new() });
        }
        let claim = claim(name)?;
        let (connection, handle, _messages) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        let refused = |reason: String| Error::Refused { name: name.to_owned(), reason };
        if let Ok((index, alias)) = find(&handle, name).await {
            if alias.as_deref() != Some(ALIAS) {
                return Err(Error::Foreign(name.to_owned()));
            }
            handle.link().del(index).execute().await.map_err(|error| refused(error.to_string()))?;
        }
        let dummy = handle.link().add(LinkDummy::new(name).build()).execute().await;
        if dummy.is_err() {
            // Not every kernel has dummy interfaces; a bridge without ports serves as well.
            let bridge = handle.link().add(LinkBridge::new(name).build()).execute().await;
            bridge.map_err(|error| refused(error.to_string()))?;
        }
        let (index, _) = find(&handle, name).await.map_err(refused)?;
        let up = LinkUnspec::new_with_index(index).up();
        let up = up.append_extra_attribute(LinkAttribute::IfAlias(ALIAS.to_owned())).build();
        if let Err(error) = handle.link().set(up).execute().await {
            // Without its alias it would be taken for somebody else's the next time.
            let _gone = handle.link().del(index).execute().await;
            return Err(refused(error.to_string()));
        }
        let own = Own { handle, index, name: name.to_owned(), _claim: claim };
        Ok(Self { own: Some(own), has: HashSet::new() })
    }

    /// Gives the interface an address, unless it has it.
    pub(super) async fn add(&mut self, address: IpAddr) -> Result<(), String> {
        let Some(own) = &self.own else { return Ok(()) };
        if self.has.contains(&address) {
            return Ok(());
        }
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        let added = own.handle.address().add(own.index, address, prefix).execute().await;
        added.map_err(|error| format!("adding {address} to the interface {}: {error}", own.name))?;
        self.has.insert(address);
        Ok(())
    }

    /// Takes the interface away.
    pub(super) async fn remove(&mut self) {
        if let Some(own) = self.own.take()
            && let Err(error) = own.handle.link().del(own.index).execute().await
        {
            tracing::warn!(name = own.name, %error, "the data plane's network interface stays behind");
        }
    }
}

/// Claims a name for this process among those of its network namespace, as whose the kernel keeps abstract sockets. The
/// claim ends with what is returned, or with the process.
fn claim(name: &str) -> Result<UnixDatagram, Error> {
    let address = SocketAddr::from_abstract_name(format!("lath-sim/{name}"))?;
    UnixDatagram::bind_addr(&address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Error::Taken(name.to_owned()),
        _ => error.into(),
    })
}

/// Index and alias of an interface.
async fn find(handle: &Handle, name: &str) -> Result<(u32, Option<String>), String> {
    let found = handle.link().get().match_name(name.to_owned()).execute().try_next().await;
    let link = found.map_err(|error| error.to_string())?.ok_or_else(|| "it is not there".to_owned())?;
    let alias = link.attributes.into_iter().find_map(|attribute| match attribute {
        LinkAttribute::IfAlias(alias) => Some(alias),
        _ => None,
    });
    Ok((link.header.index, alias))
}
