//! The network interface that carries the addresses of services.

use std::collections::HashSet;
use std::io;
use std::net::IpAddr;

use futures::TryStreamExt as _;
use rtnetlink::{Handle, LinkBridge, LinkDummy, LinkUnspec};

/// The name of no interface: addresses are there already.
const NONE: &str = "none";

/// Why an interface can't be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
}

impl Interface {
    /// Makes an interface in the network namespace of this thread, in the place of one that an earlier run left.
    pub(super) async fn create(name: &str) -> Result<Self, Error> {
        if name == NONE {
            return Ok(Self { own: None, has: HashSet::new() });
        }
        let (connection, handle, _messages) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        let refused = |reason: String| Error::Refused { name: name.to_owned(), reason };
        if let Ok(index) = index(&handle, name).await {
            handle.link().del(index).execute().await.map_err(|error| refused(error.to_string()))?;
        }
        let dummy = handle.link().add(LinkDummy::new(name).build()).execute().await;
        if dummy.is_err() {
            // Not every kernel has dummy interfaces; a bridge without ports serves as well.
            let bridge = handle.link().add(LinkBridge::new(name).build()).execute().await;
            bridge.map_err(|error| refused(error.to_string()))?;
        }
        let index = index(&handle, name).await.map_err(refused)?;
        let up = handle.link().set(LinkUnspec::new_with_index(index).up().build()).execute().await;
        up.map_err(|error| refused(error.to_string()))?;
        Ok(Self { own: Some(Own { handle, index, name: name.to_owned() }), has: HashSet::new() })
    }

    /// Gives the interface an address, unless it has it.
    pub(super) async fn add(&mut self, address: IpAddr) -> Result<(), String> {
        let Some(own) = &self.own else { return Ok(()) };
        if !self.has.insert(address) {
            return Ok(());
        }
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        let added = own.handle.address().add(own.index, address, prefix).execute().await;
        added.map_err(|error| format!("adding {address} to the interface {}: {error}", own.name))
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

async fn index(handle: &Handle, name: &str) -> Result<u32, String> {
    let found = handle.link().get().match_name(name.to_owned()).execute().try_next().await;
    let link = found.map_err(|error| error.to_string())?.ok_or_else(|| "it is not there".to_owned())?;
    Ok(link.header.index)
}
