//! A Kubernetes client whose connections leave from a node's own network, so that cutting the node cuts it too.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::controlplane::client_config;
use crate::error::{Doing as _, Result};
use crate::network::Namespace;

/// As kubelet's: a node that reaches nothing notices after this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to addresses from one network namespace.
#[derive(Debug, Clone)]
struct Connector {
    namespace: Namespace,
}

/// Makes the client.
pub(super) async fn client(kubeconfig: &Path, namespace: &Namespace) -> Result<kube::Client> {
    let config = client_config(kubeconfig).await?;
    let connector = config
        .rustls_https_connector_with_connector(Connector { namespace: namespace.clone() })
        .doing("making a node's TLS client")?;
    let client: HyperClient<_, Body> = HyperClient::builder(TokioExecutor::new()).build(connector);
    Ok(ClientBuilder::new(client, "default").with_layer(&config.base_uri_layer()).build())
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let namespace = self.namespace.clone();
        Box::pin(async move {
            let address = uri
                .host()
                .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok())
                .ok_or_else(|| io::Error::other(format!("{uri} does not name an address")))?;
            let address = SocketAddr::new(address, uri.port_u16().unwrap_or(443));
            Ok(TokioIo::new(namespace.connect(address, CONNECT_TIMEOUT).await?))
        })
    }
}
