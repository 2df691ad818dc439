//! Leader election: one controller acts, the others stand by and write nothing.
//!
//! By a Lease, as Kubernetes' own controllers do: it lasts 15 s, its holder renews it every 2 s and steps down when it
//! could not for 10 s, so that there are never two. Whoever stands by counts from when it last saw the Lease change,
//! on its own monotonic clock.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use lath_kubernetes::names;
use tokio::time::Instant;

use crate::random::Random;

/// How long a Lease lasts without renewal. client-go's default.
const LEASE: Duration = Duration::from_secs(15);

/// How long a holder tries to renew before it steps down. client-go's default.
const RENEW_WITHIN: Duration = Duration::from_secs(10);

/// How often it renews, and how often others look. client-go's default.
const RETRY: Duration = Duration::from_secs(2);

/// The longest time for one request, so that a few fit into [`RENEW_WITHIN`].
const REQUEST: Duration = Duration::from_secs(3);

/// A candidate.
#[derive(Debug)]
pub struct Candidate {
    api: Api<Lease>,
    identity: String,
    judge: Judge,
    failing: bool,
}

/// A Lease that is held.
#[derive(Debug)]
pub struct Tenure<'a> {
    candidate: &'a mut Candidate,
    lease: Lease,
    renewed: Instant,
}

/// What to do about a Lease that somebody may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// It is free, or has run out.
    Take,
    /// Somebody holds it.
    Wait,
}

/// Tells when a Lease has run out.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    seen: Option<(Option<String>, Instant)>,
}

impl Judge {
    pub(crate) fn decide(&mut self, lease: &Lease, identity: &str, now: Instant) -> Move {
        let spec = lease.spec.as_ref();
        let holder = spec.and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default();
        if holder.is_empty() || holder == identity {
            return Move::Take;
        }
        let version = lease.metadata.resource_version.clone();
        let changed = match &self.seen {
            Some((seen, at)) if *seen == version => *at,
            _ => {
                self.seen = Some((version, now));
                now
            }
        };
        let lasts = spec
            .and_then(|spec| spec.lease_duration_seconds)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(LEASE, Duration::from_secs);
        if now - changed > lasts { Move::Take } else { Move::Wait }
    }
}

impl Candidate {
    /// A candidate for the Lease in `namespace`. `name` is the pod's; what is added tells a restarted process from the
    /// one before it.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        let suffix = Random::default().fraction().to_bits() & 0xffff_ffff;
        Self {
            api: Api::namespaced(client, namespace),
            identity: format!("{name}_{suffix:08x}"),
            judge: Judge::default(),
            failing: false,
        }
    }

    /// Waits until the Lease is held.
    pub async fn acquire(&mut self) -> Tenure<'_> {
        loop {
            let began = Instant::now();
            match tokio::time::timeout(REQUEST, self.attempt()).await {
                Ok(Ok(Some(lease))) => {
                    self.failing = false;
                    tracing::info!(identity = self.identity, "this controller leads");
                    return Tenure { candidate: self, lease, renewed: began };
                }
                Ok(Ok(None)) => self.failing = false,
                Ok(Err(error)) => self.complain(&error.to_string()),
                Err(_elapsed) => self.complain("the API server does not answer"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Says once per state that the election does not get on.
    fn complain(&mut self, error: &str) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(
                error,
                lease = names::LEADER_LEASE,
                "taking part in the leader election fails and is tried again; is the API server reachable, and may \
                 this service account get, create and update Leases?"
            );
        }
    }

    async fn attempt(&mut self) -> kube::Result<Option<Lease>> {
        let params = PostParams { field_manager: Some(names::CONTROLLER.into()), ..PostParams::default() };
        let written = match self.api.get_opt(names::LEADER_LEASE).await? {
            None => self.api.create(&params, &self.claim(None)).await,
            Some(lease) => match self.judge.decide(&lease, &self.identity, Instant::now()) {
                Move::Wait => return Ok(None),
                Move::Take => {
                    let claim = self.claim(Some(&lease));
                    self.api.replace(names::LEADER_LEASE, &params, &claim).await
                }
            },
        };
        match written {
            Ok(lease) => Ok(Some(lease)),
            // Another candidate was faster.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The Lease as this candidate would hold it.
    fn claim(&self, old: Option<&Lease>) -> Lease {
        let now = Some(MicroTime(Timestamp::now()));
        let old_spec = old.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let mine = old_spec.holder_identity.as_deref() == Some(&self.identity);
        Lease {
            metadata: old.map_or_else(
                || ObjectMeta { name: Some(names::LEADER_LEASE.into()), ..ObjectMeta::default() },
                |lease| lease.metadata.clone(),
            ),
            spec: Some(LeaseSpec {
                acquire_time: if mine { old_spec.acquire_time } else { now.clone() },
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(LEASE.as_secs()).ok(),
                lease_transitions: Some(
                    old_spec.lease_transitions.unwrap_or(0) + i32::from(!mine && old.is_some()),
                ),
                renew_time: now,
                ..LeaseSpec::default()
            }),
        }
    }
}

impl Tenure<'_> {
    /// Renews until that has failed for too long or another candidate holds the Lease.
    pub async fn keep(&mut self) {
        loop {
            tokio::time::sleep(RETRY).await;
            let deadline = self.renewed + RENEW_WITHIN;
            let began = Instant::now();
            if began >= deadline {
                tracing::warn!("the Lease could not be renewed in time, this controller steps down");
                return;
            }
            let within = REQUEST.min(deadline - began);
            match tokio::time::timeout(within, self.renew()).await {
                Ok(Ok(true)) => {
                    self.renewed = began;
                    self.candidate.failing = false;
                }
                Ok(Ok(false)) => {
                    tracing::warn!("another controller holds the Lease, this one steps down");
                    return;
                }
                Ok(Err(error)) => self.candidate.complain(&error.to_string()),
                Err(_elapsed) => self.candidate.complain("the API server does not answer"),
            }
        }
    }

    /// Renews once; `false`: somebody else holds it.
    async fn renew(&mut self) -> kube::Result<bool> {
        let params = PostParams::default();
        let claim = self.candidate.claim(Some(&self.lease));
        match self.candidate.api.replace(names::LEADER_LEASE, &params, &claim).await {
            Ok(lease) => {
                self.lease = lease;
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                // Either our own earlier renewal got through without our hearing of it, or we have lost.
                let lease = self.candidate.api.get_opt(names::LEADER_LEASE).await?;
                let holder = lease
                    .as_ref()
                    .and_then(|lease| lease.spec.as_ref())
                    .and_then(|spec| spec.holder_identity.as_deref());
                let mine = holder == Some(self.candidate.identity.as_str());
                if let (true, Some(lease)) = (mine, lease) {
                    self.lease = lease;
                }
                Ok(mine)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the Lease up, so that a standby need not wait for its end. To be called when nothing is written any more.
    pub async fn release(self) {
        let mut lease = self.lease;
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        let params = PostParams::default();
        let released = self.candidate.api.replace(names::LEADER_LEASE, &params, &lease);
        if let Ok(Ok(_)) = tokio::time::timeout(REQUEST, released).await {
            tracing::info!("the Lease is given up");
        } else {
            tracing::debug!("giving up the Lease failed, it runs out by itself");
        }
    }
}

#[cfg(test)]
mod tests;
