//! A simulator that carries traffic on loopback addresses, and targets behind it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_vpclattice::types::builders::TargetGroupConfigBuilder;
use aws_sdk_vpclattice::types::{
    ForwardAction, HealthCheckConfig, ListenerProtocol, RuleAction, Target, TargetGroupConfig,
    TargetGroupProtocol, TargetGroupProtocolVersion, TargetGroupType, WeightedTargetGroup,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::harness::Sim;

/// The beginning of a block of 256 addresses of loopback for each plane, so that tests can run side by side.
pub(crate) fn free_block() -> String {
    static BLOCKS: AtomicU16 = AtomicU16::new(0);
    let number = BLOCKS.fetch_add(1, Ordering::Relaxed);
    format!("127.{}.{number}", std::process::id() % 200 + 20)
}

/// Lets time pass for everything that runs in this test.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// A simulator that carries traffic at an address of its own.
pub(crate) struct Plane {
    pub(crate) sim: Sim,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
}

/// A target that answers with its name, or as its status says.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) status: Arc<AtomicU16>,
    /// Connections so far.
    pub(crate) accepted: Arc<AtomicUsize>,
}

impl Plane {
    pub(crate) async fn start(changes: &[(&str, &str)]) -> Self {
        Self::start_at(&free_block(), changes).await
    }

    /// A simulator in a block of 256 addresses, of which this is the beginning.
    pub(crate) async fn start_at(block: &str, changes: &[(&str, &str)]) -> Self {
        let range = format!("{block}.0/24");
        let mut all =
            vec![("data.interface", "none"), ("data.ipv4_range", range.as_str()), ("data.ipv6_range", "off")];
        let resources = format!("{block}.128/26");
        all.push(("data.resource_range", resources.as_str()));
        // Without an interface of its own, it has no address for the resolver.
        let dns = format!("{block}.253:5353");
        all.push(("dns.listen", dns.as_str()));
        all.extend(changes);
        let sim = Sim::with(&all);
        let plane = sim.simulator.data_plane().await.unwrap();
        tokio::spawn(plane.run(std::future::pending()));
        let address = format!("{block}.1").parse().unwrap();
        Self { sim, address, port: 8080 }
    }

    /// A group of HTTP targets without health checks, by id.
    pub(crate) async fn group(&self, name: &str, targets: &[SocketAddr]) -> String {
        self.checked_group(name, targets, HealthCheckConfig::builder().enabled(false).build()).await
    }

    pub(crate) async fn checked_group(
        &self,
        name: &str,
        targets: &[SocketAddr],
        health: HealthCheckConfig,
    ) -> String {
        self.grouped(
            name,
            TargetGroupConfig::builder().protocol(TargetGroupProtocol::Http).health_check(health),
            targets,
        )
        .await
    }

    async fn grouped(&self, name: &str, config: TargetGroupConfigBuilder, targets: &[SocketAddr]) -> String {
        let config = config.port(8080).vpc_identifier("vpc-12345678").build();
        let call =
            self.sim.client.create_target_group().name(name).r#type(TargetGroupType::Ip).config(config);
        let group = call.send().await.unwrap().id().unwrap().to_owned();
        self.register(&group, targets).await;
        group
    }

    /// A group without health checks whose targets speak this protocol in this version, by id.
    pub(crate) async fn group_of(
        &self,
        name: &str,
        protocol: TargetGroupProtocol,
        version: Option<TargetGroupProtocolVersion>,
        targets: &[SocketAddr],
    ) -> String {
        let health = HealthCheckConfig::builder().enabled(false).build();
        let config = TargetGroupConfig::builder().protocol(protocol).set_protocol_version(version);
        self.grouped(name, config.health_check(health), targets).await
    }

    /// A group of HTTP/2 targets without health checks, by id.
    pub(crate) async fn http2_group(&self, name: &str, targets: &[SocketAddr]) -> String {
        let version = Some(TargetGroupProtocolVersion::Http2);
        self.group_of(name, TargetGroupProtocol::Http, version, targets).await
    }

    pub(crate) async fn register(&self, group: &str, targets: &[SocketAddr]) {
        if targets.is_empty() {
            return;
        }
        let call = self.sim.client.register_targets().target_group_identifier(group);
        call.set_targets(Some(named(targets))).send().await.unwrap();
    }

    pub(crate) async fn deregister(&self, group: &str, targets: &[SocketAddr]) {
        let call = self.sim.client.deregister_targets().target_group_identifier(group);
        call.set_targets(Some(named(targets))).send().await.unwrap();
    }

    /// A service with one listener: the ids of both, and its name.
    pub(crate) async fn service(&self, name: &str, action: RuleAction) -> (String, String, String) {
        let service = self.sim.client.create_service().name(name).send().await.unwrap();
        let host = service.dns_entry().unwrap().domain_name().unwrap().to_owned();
        let id = service.id().unwrap().to_owned();
        let call =
            self.sim.client.create_listener().service_identifier(&id).name("http").port(self.port.into());
        let listener = call.protocol(ListenerProtocol::Http).default_action(action).send().await.unwrap();
        self.wait_until_open(self.port).await;
        (id, listener.id().unwrap().to_owned(), host)
    }

    pub(crate) async fn wait_until_open(&self, port: u16) {
        for _ in 0..200 {
            if TcpStream::connect((self.address, port)).await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("nothing listens at {}:{port}", self.address);
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect((self.address, self.port)).await.unwrap()
    }

    /// Sends one request over a connection of its own: status, headers and body.
    pub(crate) async fn get(
        &self,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, HeaderMap, String) {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.connect().await)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().uri(path).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Which bodies so many requests get, and how often.
    pub(crate) async fn count(&self, host: &str, requests: usize) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for _ in 0..requests {
            let (status, _, body) = self.get(host, "/", &[]).await;
            let got = if status == 200 { body } else { status.to_string() };
            *counts.entry(got).or_default() += 1;
        }
        counts
    }

    /// Sends bytes and reads until the other side ends.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The other side may end before it has read everything.
        let _broken = stream.write_all(bytes).await;
        let mut read = Vec::new();
        let _broken = timeout(Duration::from_secs(20), stream.read_to_end(&mut read)).await.unwrap();
        String::from_utf8_lossy(&read).into_owned()
    }
}

/// Whether a client with this address gets a connection within a second. Without one, it is not even refused: nobody
/// answers.
pub(crate) async fn connects(from: &str, to: SocketAddr) -> bool {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
    timeout(Duration::from_secs(1), socket.connect(to)).await.is_ok_and(|connected| connected.is_ok())
}

/// Waits until clients with these addresses get a connection, or do not, as said.
pub(crate) async fn reached_by<const N: usize>(to: SocketAddr, expected: [(&str, bool); N]) {
    for attempt in 0.. {
        let mut got = expected;
        for (from, reaches) in &mut got {
            *reaches = connects(from, to).await;
        }
        if got == expected {
            return;
        }
        assert!(attempt < 20, "{got:?}, not {expected:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

pub(crate) fn named(targets: &[SocketAddr]) -> Vec<Target> {
    let target =
        |at: &SocketAddr| Target::builder().id(at.ip().to_string()).port(at.port().into()).build().unwrap();
    targets.iter().map(target).collect()
}

pub(crate) fn weighted(groups: &[(&str, i32)]) -> RuleAction {
    let groups = groups.iter().map(|(group, weight)| {
        WeightedTargetGroup::builder().target_group_identifier(*group).weight(*weight).build().unwrap()
    });
    RuleAction::Forward(ForwardAction::builder().set_target_groups(Some(groups.collect())).build().unwrap())
}

/// More than any buffer holds.
static LARGE: [u8; 4 << 20] = [0; 4 << 20];

impl Backend {
    /// A server of HTTP/1.1 and HTTP/2 that answers each request with this text. `/headers` shows the headers, `/echo` the
    /// body, `/length` its length, `/large` is large, and `/slow` takes a second.
    pub(crate) async fn start(name: &'static str) -> Self {
        Self::start_at(name, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn start_at(name: &'static str, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let status = Arc::new(AtomicU16::new(200));
        let shown = Arc::clone(&status);
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let shown = Arc::clone(&shown);
                let service = service_fn(move |request: Request<Incoming>| {
                    let status = shown.load(Ordering::Relaxed);
                    async move {
                        if request.uri().path() == "/slow" {
                            sleep(Duration::from_secs(1)).await;
                        }
                        let body = match request.uri().path() {
                            "/headers" => format!("{:?} {:?}", request.version(), request.headers()),
                            "/echo" => {
                                let Ok(collected) = request.into_body().collect().await else {
                                    return Err("the request broke off");
                                };
                                let trailers = collected.trailers().cloned();
                                let trailer = trailers.and_then(|trailers| trailers.get("x-sum").cloned());
                                format!("{:?} {trailer:?}", collected.to_bytes())
                            }
                            "/length" => {
                                let Ok(collected) = request.into_body().collect().await else {
                                    return Err("the request broke off");
                                };
                                collected.to_bytes().len().to_string()
                            }
                            "/large" => return Ok(Response::new(Full::new(Bytes::from_static(&LARGE)))),
                            _ => name.to_owned(),
                        };
                        let response = Response::builder().status(status).body(Full::new(Bytes::from(body)));
                        Ok(response.unwrap())
                    }
                });
                tokio::spawn(async move {
                    let _broken = auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, status, accepted }
    }
}
