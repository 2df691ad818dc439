//! What tests of a cluster keep doing: apply objects, wait for something to become true, ask a pod.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::TypeMeta;
use kube::discovery::pinned_kind;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::error::{Doing as _, Error, Result};

/// Asks again and again until the answer is `Ok`.
///
/// # Panics
///
/// When time is over, with what the last `Err` says that was seen instead: it is an assertion.
pub async fn eventually<T, E: Debug>(
    what: &str,
    within: Duration,
    mut attempt: impl AsyncFnMut() -> std::result::Result<T, E>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(seen) => {
                assert!(Instant::now() < deadline, "{what}: not within {within:?}, last seen: {seen:?}");
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Makes a namespace, and waits until pods can be made in it.
pub async fn namespace(client: &Client, name: &str) -> Result<()> {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces
        .patch(name, &PatchParams::apply("tests"), &Patch::Apply(&object))
        .await
        .doing_with(|| format!("making the namespace {name}"))?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), name);
    for _ in 0..500 {
        if accounts.get_opt("default").await.doing("looking for the default service account")?.is_some() {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(Error::failed(
        format!("waiting for the default service account of {name}"),
        "kube-controller-manager makes none",
    ))
}

/// Applies an object of any kind (server-side apply) in a namespace.
pub async fn apply(client: &Client, namespace: &str, object: Value) -> Result<DynamicObject> {
    let doing = || format!("applying {} {}", object["kind"], object["metadata"]["name"]);
    let types: TypeMeta = serde_json::from_value(object.clone()).doing_with(doing)?;
    let kind = kube::core::GroupVersionKind::try_from(&types).doing_with(doing)?;
    let (resource, capabilities) = pinned_kind(client, &kind).await.doing_with(doing)?;
    let api: Api<DynamicObject> = match capabilities.scope {
        kube::discovery::Scope::Cluster => Api::all_with(client.clone(), &resource),
        kube::discovery::Scope::Namespaced => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    api.patch(name, &PatchParams::apply("tests").force(), &Patch::Apply(&object)).await.doing_with(doing)
}

/// Makes an HTTP/1.1 request without a body and returns status and body. Takes at most five seconds.
pub async fn request(method: &str, address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let doing = || format!("{method} http://{address}{path}");
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(Duration::from_secs(5), exchange).await.doing_with(doing)?.doing_with(doing)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| Error::failed(doing(), "the answer has no end of head"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| Error::failed(doing(), "the answer has no status"))?, body.to_owned()))
}

/// GETs a path and reads the answer as JSON; any status but 200 is an error.
pub async fn get_json(address: SocketAddr, path: &str) -> Result<Value> {
    let (status, body) = request("GET", address, path).await?;
    if status != 200 {
        return Err(Error::failed(format!("GET http://{address}{path}"), format!("status {status}")));
    }
    serde_json::from_str(&body).doing_with(|| format!("reading the answer of http://{address}{path}"))
}
