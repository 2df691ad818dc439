//! A plain client of the simulator: makes what a demo or a test needs, and reads what the simulator has seen.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    error::{Doing as _, Error, Result},
    world::Description,
};

/// A client of a world's cloud, in the name of the cluster's account.
#[derive(Debug, Clone)]
pub struct Lattice {
    http: Client<HttpConnector, Full<Bytes>>,
    endpoint: String,
    authorization: String,
}

/// What one call was, as the simulator saw it.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// Its number, for asking for what came later.
    pub n: u64,
    /// The simulator's wall clock in seconds when the whole request had been read.
    pub time: f64,
    /// `time` without what the clock was moved on, which is the machine's wall clock.
    pub machine_time: f64,
    /// The operation.
    pub operation: String,
    /// The HTTP status of the answer; `None` for a call that is never answered.
    pub status: Option<u16>,
    /// The request's members.
    #[serde(default)]
    pub request: Value,
    /// The answer's members.
    #[serde(default)]
    pub response: Value,
}

impl Call {
    /// The targets of a RegisterTargets or DeregisterTargets, as address and port.
    #[must_use]
    pub fn targets(&self) -> Vec<(String, u16)> {
        let targets = self.request["targets"].as_array().into_iter().flatten();
        targets
            .filter_map(|target| {
                let port = target["port"].as_u64().and_then(|port| u16::try_from(port).ok())?;
                Some((target["id"].as_str()?.to_owned(), port))
            })
            .collect()
    }
}

/// A target and how Lattice sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Target {
    /// Its address.
    pub id: String,
    /// Its port.
    pub port: u16,
    /// Such as `HEALTHY`.
    pub status: String,
}

impl Lattice {
    /// A client of the cloud that a description tells of.
    #[must_use]
    pub fn new(world: &Description) -> Self {
        Self::at(&world.lattice_endpoint, &world.account.access_key_id, &world.region)
    }

    /// A client of a simulator.
    #[must_use]
    pub fn at(endpoint: &str, access_key_id: &str, region: &str) -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            endpoint: endpoint.into(),
            // The simulator's `instant` profile looks at the key, which decides the account, and not at the signature.
            authorization: format!(
                "AWS4-HMAC-SHA256 Credential={access_key_id}/20260101/{region}/vpc-lattice/aws4_request, \
                 SignedHeaders=host, Signature=0"
            ),
        }
    }

    /// Sends a request and reads its JSON answer; an empty one is `null`.
    ///
    /// # Errors
    /// When the simulator does not answer, or refuses; its words are in the error.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let doing = || format!("{method} {path} at the simulator");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.endpoint))
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .body(Full::from(body))
            .doing_with(doing)?;
        let response = self.http.request(request).await.doing_with(doing)?;
        let status = response.status();
        let bytes = response.into_body().collect().await.doing_with(doing)?.to_bytes();
        if !status.is_success() {
            return Err(Error::failed(doing(), format!("{status}: {}", String::from_utf8_lossy(&bytes))));
        }
        if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes).doing_with(doing) }
    }

    /// Makes a resource and returns the answer.
    ///
    /// # Errors
    /// As [`Lattice::send`].
    pub async fn create(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, body).await
    }

    /// Makes a target group of type IP that Lath may fill from `namespace`, and returns its ARN.
    ///
    /// # Errors
    /// As [`Lattice::send`].
    pub async fn create_group(
        &self,
        name: &str,
        vpc: &str,
        cluster: &str,
        namespace: &str,
    ) -> Result<String> {
        let group = json!({
            "name": name,
            "type": "IP",
            "config": { "port": 8080, "protocol": "HTTP", "protocolVersion": "HTTP1", "vpcIdentifier": vpc },
            "tags": { "lath.dev/cluster": cluster, "lath.dev/namespace": namespace },
        });
        text(&self.create("/targetgroups", &group).await?, "arn")
    }

    /// Makes a service with a listener that forwards everything to a group, and returns the service's ARN. Lattice
    /// checks the health of a group's targets once a service uses it.
    ///
    /// # Errors
    /// As [`Lattice::send`].
    pub async fn create_service(&self, name: &str, group: &str) -> Result<String> {
        let service = self.create("/services", &json!({ "name": name })).await?;
        let listener = json!({
            "name": "http",
            "protocol": "HTTP",
            "port": 80,
            "defaultAction": { "forward": { "targetGroups": [{ "targetGroupIdentifier": group }] } },
        });
        self.create(&format!("/services/{}/listeners", text(&service, "id")?), &listener).await?;
        text(&service, "arn")
    }

    /// The calls after number `after`, oldest first.
    ///
    /// # Errors
    /// As [`Lattice::send`].
    pub async fn calls(&self, after: u64) -> Result<Vec<Call>> {
        let log = self.send(Method::GET, &format!("/_sim/log?after={after}"), &Value::Null).await?;
        serde_json::from_value(log).doing("reading the simulator's log")
    }

    /// The targets of a group, by its ARN.
    ///
    /// # Errors
    /// As [`Lattice::send`], and when the group does not exist.
    pub async fn targets(&self, group: &str) -> Result<Vec<Target>> {
        let state = self.send(Method::GET, "/_sim/state", &Value::Null).await?;
        let groups = state["target_groups"].as_array().into_iter().flatten();
        let found = groups.into_iter().find(|entry| entry["arn"] == group);
        let found =
            found.ok_or_else(|| Error::failed("reading targets", format!("{group} does not exist")))?;
        serde_json::from_value(found["targets"].clone()).doing("reading targets")
    }

    /// Changes settings, by their names.
    ///
    /// # Errors
    /// As [`Lattice::send`].
    pub async fn set(&self, settings: &Value) -> Result<()> {
        self.send(Method::PUT, "/_sim/settings", settings).await.map(|_| ())
    }

    /// Lets the simulator's clock run so many times as fast as ours, in steps of a second, until dropped.
    ///
    /// # Errors
    /// As [`Lattice::send`]. It does not end otherwise.
    pub async fn hurry(&self, speed: u64) -> Result<Infallible> {
        let step = json!({ "advance_seconds": speed.saturating_sub(1) });
        loop {
            sleep(Duration::from_secs(1)).await;
            self.send(Method::POST, "/_sim/clock", &step).await?;
        }
    }

    /// The name by which clients call a service, by its ARN or id.
    ///
    /// # Errors
    /// As [`Lattice::send`].
    pub async fn host(&self, service: &str) -> Result<String> {
        let id = service.rsplit('/').next().unwrap_or(service);
        let service = self.send(Method::GET, &format!("/services/{id}"), &Value::Null).await?;
        text(&service["dnsEntry"], "domainName")
    }

    /// Sets the fault rules.
    ///
    /// # Errors
    /// As [`Lattice::send`].
    pub async fn set_faults(&self, rules: &Value) -> Result<()> {
        self.send(Method::PUT, "/_sim/faults", rules).await.map(|_| ())
    }
}

/// A member of an answer that has to be a text.
fn text(answer: &Value, member: &str) -> Result<String> {
    let found = answer[member].as_str().map(ToOwned::to_owned);
    found.ok_or_else(|| {
        Error::failed("reading the simulator's answer", format!("it has no {member}: {answer}"))
    })
}
