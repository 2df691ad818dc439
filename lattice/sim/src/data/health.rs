//! Health checks: real requests to the targets of groups that are in use.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri, Version, header};
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::clock::SimTime;
use crate::simulator::{Simulator, World};
use crate::state::target_group::Protocol;

use super::connections::{Destination, connect};

/// Most checks at a time.
const MOST_CHECKS: usize = 64;
/// Longest time between looks at what is due.
const PERIOD: Duration = Duration::from_secs(1);

/// A check to be made.
struct Check {
    /// Since which beginning of everything there is this target.
    resets: u64,
    group: String,
    place: u64,
    to: Destination,
    /// Absent where a connection is all that is asked for.
    request: Option<Asked>,
    within: Duration,
    /// Checks in a row that make a target healthy again, and unhealthy.
    healthy: u32,
    unhealthy: u32,
}

/// The request of a check.
struct Asked {
    path: String,
    /// The statuses that pass, `200-299,301` say.
    matcher: String,
}

/// Makes the checks that are due, for ever.
pub(super) async fn run(simulator: Simulator) {
    let slots = Arc::new(Semaphore::new(MOST_CHECKS));
    let mut changed = simulator.watch();
    loop {
        let (due, next) = simulator.lock().due();
        for check in due {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let simulator = simulator.clone();
            tokio::spawn(async move {
                let passed = timeout(check.within, passes(&check)).await.unwrap_or(false);
                simulator.note(&check, passed);
                drop(slot);
            });
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = sleep(next.min(PERIOD)) => {}
        }
    }
}

impl World {
    /// The checks that are due, and how long it is until the next one.
    fn due(&mut self) -> (Vec<Check>, Duration) {
        let now = self.clock.now();
        let mut next = SimTime::MAX;
        let mut places = Vec::new();
        for group in self.state.groups.rows().filter(|group| group.checked()) {
            for (place, target) in group.targets.iter().filter(|(_, target)| target.leaving.is_none()) {
                match target.checked.due {
                    Some(due) if due <= now => places.push((group.id.clone(), place)),
                    Some(due) => next = next.min(due),
                    None => {}
                }
            }
        }
        let default_port = self.settings.health_port;
        let mut checks = Vec::new();
        for (id, place) in places {
            let Some(group) = self.state.groups.get(&id) else { continue };
            let Some(health) = group.config.health.clone() else { continue };
            let address = group.targets.at(place).and_then(|target| self.address(group, target));
            let port = health.port.or(match default_port {
                crate::settings::choice::HealthPort::Target => None,
                crate::settings::choice::HealthPort::Group => group.config.port,
            });
            let after = now + Duration::from_secs(health.interval.into());
            next = next.min(after);
            let target = self.state.groups.get_mut(&id).and_then(|group| group.targets.at_mut(place));
            let (Some(target), Some(address)) = (target, address) else { continue };
            target.checked.due = Some(after);
            let port = port.unwrap_or(address.port());
            let request = (health.protocol != Protocol::Tcp)
                .then(|| Asked { path: health.path.clone(), matcher: health.matcher.clone() });
            checks.push(Check {
                resets: self.resets,
                group: id,
                place,
                to: Destination {
                    target: SocketAddr::new(address.ip(), port),
                    secure: health.protocol == Protocol::Https,
                    version: if health.protocol_version == "HTTP2" {
                        Version::HTTP_2
                    } else {
                        Version::HTTP_11
                    },
                },
                request,
                within: Duration::from_secs(health.timeout.into()),
                healthy: health.healthy,
                unhealthy: health.unhealthy,
            });
        }
        (checks, next.saturating_sub(now))
    }
}

impl Simulator {
    /// Takes in what a check found.
    fn note(&self, check: &Check, passed: bool) {
        let mut world = self.lock();
        if world.resets != check.resets {
            return;
        }
        let group = world.state.groups.get_mut(&check.group);
        if let Some(target) = group.and_then(|group| group.targets.at_mut(check.place)) {
            target.checked.note(passed, check.healthy, check.unhealthy);
        }
    }
}

/// Whether a target passes a check.
async fn passes(check: &Check) -> bool {
    let Ok(stream) = connect(check.to).await else { return false };
    let Some(asked) = &check.request else { return true };
    let status = if check.to.version == Version::HTTP_2 {
        let uri = format!("http://{}{}", check.to.target, asked.path);
        let Ok(request) = request(&uri, None) else { return false };
        let Ok((mut sender, connection)) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await
        else {
            return false;
        };
        tokio::spawn(connection);
        sender.send_request(request).await.map(|response| response.status().as_u16())
    } else {
        let Ok(request) = request(&asked.path, Some(check.to.target)) else { return false };
        let Ok((mut sender, connection)) = http1::handshake(TokioIo::new(stream)).await else { return false };
        tokio::spawn(connection);
        sender.send_request(request).await.map(|response| response.status().as_u16())
    };
    status.is_ok_and(|status| matches(&asked.matcher, status))
}

fn request(uri: &str, host: Option<SocketAddr>) -> Result<Request<Empty<Bytes>>, http::Error> {
    let uri: Uri = uri.parse()?;
    let builder = Request::builder().uri(uri).header(header::USER_AGENT, "VpcLattice-HealthChecker");
    let builder = match host {
        Some(host) => builder.header(header::HOST, host.to_string()),
        None => builder.version(Version::HTTP_2),
    };
    builder.body(Empty::new())
}

/// Whether a status is among those of a matcher, `200`, `200,202` or `200-299`.
fn matches(matcher: &str, status: u16) -> bool {
    matcher.split(',').any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
            (Ok(first), Ok(last)) => (first..=last).contains(&status),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_names_statuses_and_ranges() {
        for (matcher, status, expected) in [
            ("200", 200, true),
            ("200", 201, false),
            ("200,202", 202, true),
            ("200-299,301", 250, true),
            ("200-299,301", 301, true),
            ("200-299,301", 300, false),
            ("", 200, false),
            ("-", 200, false),
        ] {
            assert_eq!(matches(matcher, status), expected, "{matcher} {status}");
        }
    }
}
