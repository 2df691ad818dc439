//! Readiness, liveness and startup probes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::{Container, HTTPGetAction, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tokio::time::{Instant, sleep, timeout};

use super::Context;
use super::containers::Life;
use super::hooks;
use super::state::PodState;

/// The first pause between two tries of a probe that has not passed yet. It doubles up to the probe's period: a
/// server is seen ready within milliseconds, where kubelet would wait for its next second. Failures in these extra
/// tries count for nothing.
const EAGER: Duration = Duration::from_millis(10);

/// Which probe failed for good, so that the container has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unhealthy {
    Startup,
    Liveness,
}

/// What a probe's tries have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passing,
    Failing,
}

/// Runs a container's probes for one life of it. Returns only when it has to be killed.
pub(super) async fn run(context: Arc<Context>, pod: Arc<Pod>, state: Arc<PodState>, life: Life) -> Unhealthy {
    let container = &life.container;
    if let Some(probe) = &container.startup_probe {
        let mut series = Series::new(&context, &pod, &life, probe, "Startup");
        if series.next_verdict(None).await == Verdict::Failing {
            return Unhealthy::Startup;
        }
    }
    // Both in one step: a pod whose container is started is not seen unready for want of a second update.
    state.update_container(&container.name, |container_state| {
        container_state.started = true;
        container_state.ready = container.readiness_probe.is_none();
    });
    let readiness = async {
        let Some(probe) = &container.readiness_probe else { return std::future::pending().await };
        let mut series = Series::new(&context, &pod, &life, probe, "Readiness");
        let mut last = None;
        loop {
            let verdict = series.next_verdict(last).await;
            last = Some(verdict);
            state
                .update_container(&container.name, |container| container.ready = verdict == Verdict::Passing);
        }
    };
    let liveness = async {
        let Some(probe) = &container.liveness_probe else { return std::future::pending().await };
        let mut series = Series::new(&context, &pod, &life, probe, "Liveness");
        // A container that has not answered yet is taken to be alive.
        series.next_verdict(Some(Verdict::Passing)).await;
    };
    tokio::select! {
        () = liveness => {}
        () = readiness => {}
    }
    Unhealthy::Liveness
}

/// The tries of one probe.
struct Series<'a> {
    context: &'a Arc<Context>,
    pod: &'a Arc<Pod>,
    life: &'a Life,
    probe: &'a Probe,
    name: &'static str,
    begun: bool,
}

impl<'a> Series<'a> {
    fn new(
        context: &'a Arc<Context>,
        pod: &'a Arc<Pod>,
        life: &'a Life,
        probe: &'a Probe,
        name: &'static str,
    ) -> Self {
        Self { context, pod, life, probe, name, begun: false }
    }

    fn seconds(value: Option<i32>, default: u64) -> Duration {
        Duration::from_secs(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(default))
    }

    /// Tries until the verdict is another than `last`.
    async fn next_verdict(&mut self, last: Option<Verdict>) -> Verdict {
        let period = Self::seconds(self.probe.period_seconds, 10).max(Duration::from_secs(1));
        let needed =
            |threshold: Option<i32>, default| u32::try_from(threshold.unwrap_or(default)).unwrap_or(1).max(1);
        let to_pass = needed(self.probe.success_threshold, 1);
        let to_fail = needed(self.probe.failure_threshold, 3);
        let delay = if self.begun { period } else { Self::seconds(self.probe.initial_delay_seconds, 0) };
        self.begun = true;
        sleep(delay).await;
        let (mut passed, mut failed) = (0, 0);
        let mut due = Instant::now();
        let mut eager = if last.is_none() { EAGER } else { period };
        loop {
            let result = check(self.context, self.pod, self.life, self.probe).await;
            let regular = Instant::now() >= due;
            if regular {
                due += period;
            }
            match result {
                Ok(()) => {
                    passed += 1;
                    failed = 0;
                    if passed >= to_pass && last != Some(Verdict::Passing) {
                        return Verdict::Passing;
                    }
                    eager = period;
                }
                Err(why) => {
                    passed = 0;
                    if regular {
                        failed += 1;
                    }
                    if regular && (last.is_some() || failed >= to_fail) {
                        let message = format!("{} probe failed: {why}", self.name);
                        self.context.event(self.pod, "Warning", "Unhealthy", &message).await;
                    }
                    if failed >= to_fail && last != Some(Verdict::Failing) {
                        return Verdict::Failing;
                    }
                    // What is known to fail is waited for eagerly as well: readiness may come back any moment, but
                    // at the pace of the probe.
                    eager = if last.is_none() { (eager * 2).min(period) } else { period };
                }
            }
            let pause = due.saturating_duration_since(Instant::now()).min(eager);
            sleep(pause).await;
        }
    }
}

/// One try.
async fn check(context: &Arc<Context>, pod: &Pod, life: &Life, probe: &Probe) -> Result<(), String> {
    let patience = Series::seconds(probe.timeout_seconds, 1).max(Duration::from_secs(1));
    if let Some(get) = &probe.http_get {
        return http_get(context, &life.container, life.address, get, patience).await;
    }
    if let Some(socket) = &probe.tcp_socket {
        let address = target(&life.container, life.address, socket.host.as_deref(), &socket.port)?;
        let connection = context.settings.network.namespace().connect(address, patience).await;
        return connection.map(drop).map_err(|error| error.to_string());
    }
    if let Some(exec) = &probe.exec {
        let command = exec.command.clone().unwrap_or_default();
        return hooks::exec(context, pod, life, command, patience).await;
    }
    Ok(())
}

/// Makes one HTTP/1.1 request from the node to the pod. Any status from 200 to 399 is well.
pub(super) async fn http_get(
    context: &Context,
    container: &Container,
    pod_address: IpAddr,
    get: &HTTPGetAction,
    patience: Duration,
) -> Result<(), String> {
    let address = target(container, pod_address, get.host.as_deref(), &get.port)?;
    let path = get.path.as_deref().filter(|path| !path.is_empty()).unwrap_or("/");
    let mut request =
        Request::builder().method(Method::GET).uri(path).header("user-agent", "kube-probe/lath");
    let own_host = get.http_headers.iter().flatten().any(|header| header.name.eq_ignore_ascii_case("host"));
    if !own_host {
        request = request.header("host", address.to_string());
    }
    for header in get.http_headers.iter().flatten() {
        request = request.header(&header.name, &header.value);
    }
    let request = request
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let exchange = async {
        let stream = context
            .settings
            .network
            .namespace()
            .connect(address, patience)
            .await
            .map_err(|error| error.to_string())?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        // It ends with the sender, when this request is done with.
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        if (200..400).contains(&status) { Ok(()) } else { Err(format!("HTTP status {status}")) }
    };
    timeout(patience, exchange).await.map_err(|_elapsed| format!("no answer in {patience:?}"))?
}

fn target(
    container: &Container,
    pod: IpAddr,
    host: Option<&str>,
    port: &IntOrString,
) -> Result<SocketAddr, String> {
    let host = match host.filter(|host| !host.is_empty()) {
        Some("localhost") => std::net::Ipv4Addr::LOCALHOST.into(),
        Some(host) => {
            host.parse().map_err(|error| format!("the host {host:?} is not an address: {error}"))?
        }
        None => pod,
    };
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => container
            .ports
            .iter()
            .flatten()
            .find(|port| port.name.as_ref() == Some(name))
            .map(|port| port.container_port)
            .or_else(|| name.parse().ok()),
    };
    let number = number.and_then(|number| u16::try_from(number).ok());
    number
        .map(|number| SocketAddr::new(host, number))
        .ok_or_else(|| format!("the container has no port {port:?}"))
}
