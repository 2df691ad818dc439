//! A network namespace that lives as long as somebody holds it.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::netlink::Netlink;
use crate::error::{Doing as _, Result};
use crate::process::on_own_thread;

/// A network namespace. The kernel removes it, with its interfaces, when the last clone is dropped and the last
/// process in it has ended.
#[derive(Debug, Clone)]
pub struct Namespace {
    fd: Arc<OwnedFd>,
}

impl Namespace {
    /// Makes a new, empty namespace whose loopback interface is up.
    pub async fn create() -> Result<Self> {
        let namespace = on_own_thread(|| {
            // SAFETY: the flag gives this thread a new network namespace and shares out nothing else; the
            // descriptor table stays common to all threads.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
            Self::of_this_thread()
        })
        .doing("making a network namespace; are you root?")?;
        // IPv6 addresses would be unusable for a second while the kernel looks for duplicates that cannot exist.
        for scope in ["all", "default"] {
            namespace.set(&format!("ipv6/conf/{scope}/accept_dad"), "0")?;
            namespace.set(&format!("ipv6/conf/{scope}/dad_transmits"), "0")?;
        }
        // Sockets of killed processes whose peers are gone as well would keep the namespace for minutes.
        namespace.set("ipv4/tcp_orphan_retries", "1")?;
        let netlink = namespace.netlink()?;
        netlink.up(netlink.index("lo").await?).await?;
        Ok(namespace)
    }

    /// The namespace of the calling thread.
    pub fn of_this_thread() -> io::Result<Self> {
        Self::open("/proc/thread-self/ns/net")
    }

    /// The namespace that a path in `/proc` stands for: a process's own, or one that it holds a descriptor of.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self { fd: Arc::new(File::open(path)?.into()) })
    }

    /// Moves the calling thread into this namespace, for good.
    pub fn enter(&self) -> io::Result<()> {
        Ok(move_into_link_name_space(self.fd.as_fd(), Some(LinkNameSpaceType::Network))?)
    }

    /// Runs `work` on a thread in this namespace. Sockets made there belong to this namespace for good.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_own_thread(|| {
            self.enter()?;
            work()
        })
    }

    /// Sets a value below `/proc/sys/net` of this namespace.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        let path = format!("/proc/sys/net/{key}");
        self.run(|| std::fs::write(&path, value)).doing_with(|| format!("setting {path} to {value}"))
    }

    /// A connection to the kernel's routing tables and interfaces in this namespace.
    pub fn netlink(&self) -> Result<Netlink> {
        let runtime = tokio::runtime::Handle::current();
        self.run(move || {
            let _entered = runtime.enter();
            Netlink::open()
        })
        .doing("opening a netlink socket")
    }

    /// Connects to `address` from this namespace.
    pub async fn connect(&self, address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        let socket =
            self.run(|| if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() })?;
        let stream = tokio::time::timeout(timeout, socket.connect(address)).await.map_err(|_elapsed| {
            io::Error::new(io::ErrorKind::TimedOut, format!("no answer from {address} in {timeout:?}"))
        })??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Listens on `address` in this namespace.
    pub fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let runtime = tokio::runtime::Handle::current();
        self.run(move || {
            let _entered = runtime.enter();
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(128)
        })
    }

    /// The descriptor, for netlink messages that name a namespace.
    pub(super) fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// The descriptor, to be handed to `setns`.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
