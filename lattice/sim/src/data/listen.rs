//! Where clients come in: sockets at the services' addresses, and what a connection turns out to be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use ipnet::IpNet;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::simulator::World;

use super::connections::Stream;
use super::exchange::{Exchange, ServiceEntry};
use super::heads::{Head, HeadStream};
use super::idle::{IdleStream, Limit};
use super::interface::Interface;
use super::tls::{Agreed, Hello, hello};
use super::{Shared, addresses, filter, forward, passthrough, resource};

/// How often it is looked whether what is in force has changed by the passing of time alone.
const PERIOD: Duration = Duration::from_millis(500);
/// How long a connection may be idle before its service is known. Source: the default of services.
const IDLE: Duration = Duration::from_secs(60);
/// How long a connection lives at most. Source: VPC Lattice user guide, idle time-outs.
const LIFE: Duration = Duration::from_secs(600);
/// How long a client may take for its ClientHello, for its handshake, for the head of a request from its first byte on,
/// and for what it is at when its connection comes to its end.
const HEAD: Duration = Duration::from_secs(10);
/// Most bytes of a request's head.
const MOST_HEAD: usize = 64 << 10;
/// Most bytes of a ClientHello. Source: RFC 8446, one record.
const MOST_HELLO: usize = 16 << 10;
/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1_024;
/// First byte of a TLS handshake. Source: RFC 8446, content type.
const HANDSHAKE: u8 = 22;
/// Most requests that a connection of HTTP/2 carries at a time, and most resets that are waited for.
const MOST_STREAMS: u32 = 256;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// Where it came in.
    pub(super) local: SocketAddr,
    /// Whether it speaks TLS.
    pub(super) secure: bool,
    /// What it agreed upon in TLS.
    pub(super) tls: Option<Agreed>,
    /// How long it may be idle.
    pub(super) idle: Limit,
}

/// A socket that is open, with the ranges that its filter lets in.
struct Open {
    task: tokio::task::AbortHandle,
    listener: Arc<TcpListener>,
    sources: watch::Sender<Sources>,
}

/// The ranges that may come, `None` for all.
type Sources = Option<Vec<IpNet>>;

/// Opens and closes sockets as the control plane says, for ever.
pub(super) async fn run(shared: Arc<Shared>, interface: &mut Interface) {
    let slots = Arc::new(Semaphore::new(shared.simulator.settings().connections.0));
    let mut changed = shared.simulator.watch();
    let mut open: HashMap<SocketAddr, Open> = HashMap::new();
    let mut refused = HashSet::new();
    let mut tasks = JoinSet::new();
    loop {
        let wanted = shared.simulator.lock().openings();
        open.retain(|at, socket| {
            let keep = wanted.contains_key(at);
            if !keep {
                socket.task.abort();
            }
            keep
        });
        refused.retain(|at| wanted.contains_key(at));
        for (at, sources) in wanted {
            if let Some(socket) = open.get_mut(&at) {
                if *socket.sources.borrow() != sources {
                    report(&at, admit(&*socket.listener, &at, sources.as_deref()));
                    socket.sources.send_replace(sources);
                }
                continue;
            }
            let listener = match interface.add(at.ip()).await {
                Ok(()) => bind(at, sources.as_deref()).map_err(|error| match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        format!("{error}; ports below 1024 need root or CAP_NET_BIND_SERVICE")
                    }
                    _ => error.to_string(),
                }),
                Err(error) => Err(error),
            };
            match listener {
                Ok(listener) => {
                    refused.remove(&at);
                    let listener = Arc::new(listener);
                    let sources = watch::Sender::new(sources);
                    let place = Place { at, listener: Arc::clone(&listener), sources: sources.subscribe() };
                    let accepting = accept(Arc::clone(&shared), place, Arc::clone(&slots));
                    open.insert(at, Open { task: tasks.spawn(accepting), listener, sources });
                }
                Err(error) if refused.insert(at) => {
                    tracing::warn!(address = %at, %error, "can't listen there; trying again");
                }
                Err(_) => {}
            }
        }
        while tasks.try_join_next().is_some() {}
        tokio::select! {
            _ = changed.changed() => {}
            () = sleep(PERIOD) => {}
        }
    }
}

impl World {
    /// The addresses and ports of all listeners in force and of all resource configurations, each with the ranges of
    /// clients that may come.
    fn openings(&self) -> BTreeMap<SocketAddr, Option<Vec<IpNet>>> {
        let now = self.clock.now();
        let mut openings = BTreeSet::new();
        for service in self.state.services.rows().filter(|service| service.life.works(now)) {
            let Some(listeners) = service.published.at(now).filter(|listeners| !listeners.is_empty()) else {
                continue;
            };
            for address in addresses::of_service(&self.state, &self.settings, &service.id) {
                openings.extend(listeners.iter().map(|listener| SocketAddr::new(address, listener.port)));
            }
        }
        let ports: BTreeSet<u16> = openings.iter().map(SocketAddr::port).collect();
        let sources: BTreeMap<u16, _> = ports.into_iter().map(|port| (port, self.sources(port))).collect();
        let services = openings.into_iter().map(|at| (at, sources.get(&at.port()).cloned().flatten()));
        let mut openings = self.resource_openings(now);
        openings.extend(services);
        openings
    }
}

/// Lets in clients of these ranges only, or everybody.
fn admit<'a>(socket: impl Into<SockRef<'a>>, at: &SocketAddr, sources: Option<&[IpNet]>) -> io::Result<()> {
    let socket = socket.into();
    match sources {
        Some(ranges) => socket.attach_filter(&filter::program(ranges, at.is_ipv4())),
        None => socket.detach_filter(),
    }
}

/// Says what comes of a filter that can't be set. Where the kernel lets only root set one, whoever may not come is cut off
/// when it has come.
fn report(at: &SocketAddr, changed: io::Result<()>) {
    match changed {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::debug!(address = %at, "without the right to filter, connections are cut off instead of unanswered");
        }
        Err(error) => tracing::warn!(address = %at, %error, "who may connect there is not filtered"),
        Ok(()) => {}
    }
}

fn bind(at: SocketAddr, sources: Option<&[IpNet]>) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // An IPv6 address can be used only a moment after it was added, unless one insists.
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
        socket.set_freebind_v6(true)?;
    }
    if sources.is_some() {
        report(&at, admit(&socket, &at, sources));
    }
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Where connections come in.
struct Place {
    at: SocketAddr,
    listener: Arc<TcpListener>,
    sources: watch::Receiver<Sources>,
}

async fn accept(shared: Arc<Shared>, place: Place, slots: Arc<Semaphore>) {
    let Place { at, listener, sources } = place;
    let mut failed = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                failed = false;
                let from = peer.ip().to_canonical();
                let may_come = |ranges: &Vec<IpNet>| ranges.iter().any(|range| range.contains(&from));
                if !sources.borrow().as_ref().is_none_or(may_come) {
                    continue;
                }
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Err(error) = connection(shared, stream, peer, at).await {
                        tracing::debug!(%peer, %error, "a connection ended");
                    }
                    drop(slot);
                });
            }
            Err(error) => {
                // Out of file descriptors, say: others have to end first.
                if !std::mem::replace(&mut failed, true) {
                    tracing::warn!(address = %at, %error, "can't accept a connection; trying again");
                }
                sleep(PERIOD).await;
            }
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let idle = Limit::new(IDLE);
    let mut client = Client {
        address: peer.ip().to_canonical(),
        port: peer.port(),
        local,
        secure: false,
        tls: None,
        idle: idle.clone(),
    };
    // Servers of many protocols speak first, so nothing is read before.
    let route = shared.simulator.lock().route_to_resource(&client);
    if let Some(route) = route {
        return Ok(resource::carry(&shared.simulator, stream, route?).await?);
    }
    let mut first = [0];
    timeout(IDLE, stream.peek(&mut first)).await??;
    client.secure = first == [HANDSHAKE];
    if !client.secure {
        return http(shared, client, IdleStream::new(stream, idle)).await;
    }
    let name = timeout(HEAD, server_name(&stream)).await??;
    let mut entry = ServiceEntry::default();
    let way = shared.simulator.lock().passes_through(&client, &name, &mut entry);
    if !matches!(way, Ok(None)) {
        client.tls = Some(Agreed { name: name.clone(), cipher: None, version: None });
        let exchange = Exchange::begin(&shared.simulator, &client, entry);
        let Some((target, limit)) = way? else { return Ok(()) };
        idle.set(limit);
        let carried = passthrough::carry(stream, &idle, target, exchange.as_ref());
        return Ok(timeout(LIFE, carried).await??);
    }
    let handshake = shared.authority.acceptor().accept(IdleStream::new(stream, idle));
    let stream = timeout(HEAD, handshake).await??;
    client.tls = Some(Agreed::of(name, stream.get_ref().1));
    http(shared, client, stream).await
}

/// The name that the ClientHello at the beginning of a connection asks for. It stays to be read.
async fn server_name(stream: &TcpStream) -> Result<String, Failure> {
    let mut bytes = vec![0; MOST_HELLO];
    let mut before = 0;
    loop {
        let read = stream.peek(&mut bytes).await?;
        match hello(bytes.get(..read).unwrap_or_default()) {
            Hello::Name(name) => return name.ok_or_else(|| "the client names no server".into()),
            Hello::Malformed => return Err("that is not a TLS handshake".into()),
            Hello::Partial if read == MOST_HELLO => return Err("the TLS handshake is too long".into()),
            Hello::Partial => {}
        }
        if stream.ready(Interest::READABLE).await?.is_read_closed() && read == before {
            return Err("the TLS handshake broke off".into());
        }
        // What was seen stays in the socket, so nothing tells when more has come.
        before = read;
        sleep(Duration::from_millis(5)).await;
    }
}

/// Serves HTTP, of whichever version the client speaks.
async fn http(shared: Arc<Shared>, client: Client, stream: impl Stream + 'static) -> Result<(), Failure> {
    let client = Arc::new(client);
    let service = service_fn(move |request| {
        let (shared, client) = (Arc::clone(&shared), Arc::clone(&client));
        async move { Ok::<_, std::convert::Infallible>(forward::answer(shared, client, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The stream ends by itself when a head takes too long; it only has to hear when one is waited for. Bodies may be slow:
    // they end by the idle time-out between two bytes, and by the connection's life.
    let head = Head::awaited();
    let stream = HeadStream::new(stream, head.clone(), HEAD);
    builder.http1().timer(head).header_read_timeout(HEAD).max_buf_size(MOST_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_pending_accept_reset_streams(MOST_STREAMS as usize)
        .max_local_error_reset_streams(MOST_STREAMS as usize)
        .max_header_list_size(u32::try_from(MOST_HEAD).unwrap_or(u32::MAX));
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let busy = LIFE.saturating_sub(HEAD);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = sleep(busy) => connection.as_mut().graceful_shutdown(),
    }
    timeout(HEAD, connection).await?
}
