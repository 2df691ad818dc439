//! Load: a pod of the image test-server that sends requests while something happens, and what became of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Doing as _, Error, Result};
use crate::expect::{get_json, request};

/// Where the pods' server listens.
pub const PORT: u16 = 8080;

/// Where services are in the cloud, for HTTP: the first address of its range, see `lath sim settings`.
pub const SERVICES: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 171, 1)), 80);

/// Settings of a cloud under which rollouts are hard: it needs seconds until a change acts on traffic, as AWS is assumed
/// to, and sends requests to targets for as long as they drain, the worst that users have seen.
pub const SLOW_CLOUD: [&str; 3] =
    ["propagation.register_seconds=2", "propagation.deregister_seconds=10", "traffic.draining=all"];

/// A pod that sends requests until it is told to rest.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pod: SocketAddr,
}

/// What became of the requests.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Outcome {
    /// Answers with status 200, by the pod that gave them.
    pub answered: BTreeMap<String, u64>,
    /// Requests without one.
    pub failures: u64,
    /// The first failures, each with its time.
    pub told: Vec<Value>,
}

impl Load {
    /// Lets the server at `pod` send requests for this host to [`SERVICES`], from so many workers, each of which waits
    /// for its answer.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn begin(pod: SocketAddr, host: &str, workers: u8) -> Result<Self> {
        let load = Self { pod };
        load.tell(&format!("load?address={SERVICES}&host={host}&workers={workers}")).await?;
        Ok(load)
    }

    /// What became of the requests so far.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn outcome(&self) -> Result<Outcome> {
        let seen = get_json(self.pod, "/load").await?;
        serde_json::from_value(seen).doing("reading what became of the requests")
    }

    /// Ends the requests and returns what became of them.
    ///
    /// # Errors
    /// As [`Load::outcome`].
    pub async fn end(self) -> Result<Outcome> {
        self.tell("rest").await?;
        self.outcome().await
    }

    async fn tell(&self, control: &str) -> Result<()> {
        let (status, body) = request("POST", self.pod, &format!("/control/{control}")).await?;
        if status == 200 {
            return Ok(());
        }
        Err(Error::failed(format!("telling the server at {} to {control}", self.pod), body.trim()))
    }
}

impl Outcome {
    /// How many requests there were.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.answered.values().sum::<u64>() + self.failures
    }
}
