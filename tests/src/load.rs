//! Load: a pod of the image test-server that sends requests while something happens, and what became of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Doing as _, Error, Result};
use crate::expect::{get_json, request};

/// Where the pods' server listens.
pub const PORT: u16 = 8080;

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
    /// Lets the server at `pod` send requests with this Host to `address`, from so many workers, each of which waits for
    /// its answer.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn begin(pod: SocketAddr, address: SocketAddr, host: &str, workers: u8) -> Result<Self> {
        let load = Self { pod };
        load.tell(&format!("load?address={address}&host={host}&workers={workers}")).await?;
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
