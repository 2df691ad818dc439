//! The real Kubernetes control plane: etcd, API server, controller manager and scheduler with a folder as their state.

pub mod binaries;
mod certificates;
mod components;
mod detached;
pub mod gateway_api;
mod kubeconfig;

pub use binaries::Binaries;
pub use certificates::{Authority, Certificate, Subject};
pub use components::{Component, Ports, Settings};
pub use detached::{start, stop};
pub use kubeconfig::{admin, client_config, node};

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Doing as _, Error, Result};

/// How long an API server may take from start to readiness. It needs 4 s on two idle cores.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// Waits until the API server says that it is ready.
///
/// `died` tells whether a component has ended meanwhile, in words; then waiting on is pointless.
pub async fn ready(client: &kube::Client, mut died: impl FnMut() -> Option<String>) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let request = http::Request::get("/readyz").body(Vec::new()).doing("composing a request")?;
        let Err(last) = client.request_text(request).await else { return Ok(()) };
        if let Some(why) = died() {
            return Err(Error::failed("starting the control plane", why));
        }
        if Instant::now() > deadline {
            return Err(last)
                .doing_with(|| format!("waiting {READY_WITHIN:?} for the API server to be ready"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
