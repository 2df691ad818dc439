//! The admission webhook: gives pods of labelled namespaces Lath's readiness gate and a sleep before they stop.
//!
//! watch → [`bound`] (which pods' Services are bound) → [`mutate`] (pod in, patch out, pure) ← [`review`] ← [`serve`]
//! (HTTPS), with the certificate that [`keeper`] makes and renews. It runs on every replica, not on the leader alone,
//! and never refuses a pod: where there is any doubt, the pod stays as it is.

use std::{io, net::SocketAddr, sync::Arc};

use kube::Client;
use runtime::readiness::Readiness;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{cluster, shared::Shared};

pub mod bound;
pub mod certificate;
pub mod keeper;
pub mod metrics;
pub mod mutate;
pub mod review;
pub mod serve;

/// The name of everything of the webhook: its Service, Secret and MutatingWebhookConfiguration. The chart goes by it.
pub const NAME: &str = "lath-webhook";

/// How the webhook is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it is served.
    pub address: SocketAddr,
    /// How long containers sleep before they stop, in seconds. 0: they get no sleep.
    pub sleep_seconds: u32,
    /// Somebody else, such as cert-manager, keeps the certificate in the Secret.
    pub external_certificate: bool,
}

/// What the webhook is connected to.
#[derive(Clone)]
pub struct Links {
    /// Kubernetes, for watches.
    pub watches: Client,
    /// Kubernetes, for everything else.
    pub kubernetes: Client,
    /// The watches' metrics.
    pub cluster: cluster::metrics::Metrics,
    /// The webhook's own.
    pub metrics: metrics::Metrics,
    /// What `/readyz` shows.
    pub readiness: Readiness,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

/// The address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listening for admission requests on {address} failed, is the port taken?")]
pub struct Error {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

/// A webhook that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it is served, which differs where port 0 was asked for.
    pub address: SocketAddr,
    serving: JoinHandle<()>,
    _followers: [AbortOnDropHandle<()>; 2],
}

impl Running {
    /// Waits until those requests are answered that were under way at the shutdown.
    pub async fn finished(self) {
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "serving the admission webhook ended");
        }
    }
}

/// Starts the webhook in the controller's own `namespace`. It is ready, and so gets requests, once it has a certificate
/// and knows Services and bindings.
///
/// # Errors
/// When the address can't be listened on.
pub async fn start(
    settings: &Settings,
    namespace: &str,
    links: Links,
    shutdown: CancellationToken,
) -> Result<Running, Error> {
    let address = settings.address;
    let refuse = |source| Error { address, source };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let known: Arc<Shared<bound::Bound>> = Arc::default();
    let lists = links.readiness.wait_for("the webhook's lists of Services and bindings");
    let follower =
        tokio::spawn(bound::run(bound::updates(&links.watches), known.clone(), links.cluster.clone(), lists));
    let (shown, certificate) = watch::channel(None);
    let keeper = keeper::Keeper::new(
        links.kubernetes.clone(),
        namespace,
        keeper::Settings { external: settings.external_certificate, ..keeper::Settings::default() },
        shown,
        links.readiness.clone(),
        links.metrics.clone(),
    );
    let keeping = tokio::spawn(keeper.run());
    let answerer = review::Answerer {
        rules: mutate::Rules { namespace: namespace.into(), sleep_seconds: settings.sleep_seconds },
        known,
        metrics: links.metrics.clone(),
    };
    let server = serve::Server { answerer: Arc::new(answerer), metrics: links.metrics };
    let serving = tokio::spawn(server.run(listener, certificate, serve::Pace::default(), shutdown));
    tracing::info!(%address, "the admission webhook is served");
    let followers = [AbortOnDropHandle::new(follower), AbortOnDropHandle::new(keeping)];
    Ok(Running { address, serving, _followers: followers })
}
