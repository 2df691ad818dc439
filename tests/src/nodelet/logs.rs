//! The part of kubelet's API that `kubectl logs` uses: `/containerLogs/NAMESPACE/POD/CONTAINER` over TLS.

use std::convert::Infallible;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::node::KUBELET_PORT;
use super::pods::Pods;
use super::{Context, unknown_pod};
use crate::error::{Doing as _, Error, Result};

/// Most of a log that one answer carries. What is before it is left out.
const LONGEST: u64 = 16 * 1024 * 1024;
/// How often a followed log is looked at.
const FOLLOW: Duration = Duration::from_millis(100);

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Serves the containers' output on the node's address, for ever. Without it `kubectl logs` fails, nothing else.
pub(super) async fn serve(context: Arc<Context>, pods: Pods) {
    if let Err(error) = listen(&context, &pods).await {
        tracing::warn!(%error, node = context.name(), "containers' logs are not served");
    }
}

async fn listen(context: &Arc<Context>, pods: &Pods) -> Result<()> {
    let doing = "serving containers' logs";
    let acceptor = TlsAcceptor::from(Arc::new(tls(context)?));
    let address = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), KUBELET_PORT);
    let listener = context.settings.network.namespace().listen(address).doing(doing)?;
    loop {
        let (stream, _) = listener.accept().await.doing(doing)?;
        let (acceptor, pods) = (acceptor.clone(), pods.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| {
                let pods = pods.clone();
                async move { Ok::<_, Infallible>(answer(&pods, &request)) }
            });
            // A client that breaks off is the client's affair.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Only clients that the cluster's authority has signed may read logs: the API server is one.
fn tls(context: &Context) -> Result<ServerConfig> {
    let doing = || format!("reading the certificates of node {}", context.name());
    let (certificate, key) = &context.settings.serving;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate.with_file_name("ca.crt")).doing_with(doing)?)
        .doing_with(doing)?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let chain = vec![CertificateDer::from_pem_file(certificate).doing_with(doing)?];
    let key = PrivateKeyDer::from_pem_file(key).doing_with(doing)?;
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing_with(doing)?
        .with_client_cert_verifier(clients.doing_with(doing)?)
        .with_single_cert(chain, key)
        .doing_with(doing)
}

fn answer(pods: &Pods, request: &Request<Incoming>) -> Response<Body> {
    match logs(pods, request.uri().path(), request.uri().query().unwrap_or_default()) {
        Ok(body) => Response::new(body),
        Err(error) => {
            let text =
                Full::new(Bytes::from(error.to_string())).map_err(|never| match never {}).boxed_unsync();
            let mut response = Response::new(text);
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

/// What a request asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    follow: bool,
    previous: bool,
    tail: Option<usize>,
    limit: Option<u64>,
}

impl Wish {
    fn parse(query: &str) -> Self {
        let mut wish = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "follow" => wish.follow = value == "true",
                "previous" => wish.previous = value == "true",
                "tailLines" => wish.tail = value.parse().ok(),
                "limitBytes" => wish.limit = value.parse().ok(),
                // Times are not recorded, so sinceSeconds and timestamps change nothing.
                _ => {}
            }
        }
        wish
    }
}

fn logs(pods: &Pods, path: &str, query: &str) -> Result<Body> {
    let mut parts = path.trim_start_matches('/').split('/');
    let (Some("containerLogs"), Some(namespace), Some(pod), Some(container)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::Usage(format!("this node serves /containerLogs alone, not {path}")));
    };
    let name = format!("{namespace}/{pod}");
    let wish = Wish::parse(query);
    let file = pods.view(&name, container)?.log;
    let (_, state) = pods.find(&name)?;
    let state = state.container(container).ok_or_else(|| unknown_pod("this one", &name))?;
    // All lives of a container write into one file; an earlier one than the present begins at the file's start.
    let (from, to) = if wish.previous { (0, Some(state.log_start)) } else { (state.log_start, None) };
    let doing = || format!("reading {}", file.display());
    let (mut text, mut position) = read(&file, from, to).doing_with(doing)?;
    if let Some(lines) = wish.tail {
        text = tail(&text, lines).to_vec();
    }
    if let Some(limit) = wish.limit {
        text.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let first = stream::once(async move { Ok(Frame::data(Bytes::from(text))) });
    if !wish.follow || wish.previous {
        return Ok(StreamBody::new(first).boxed_unsync());
    }
    if position < from {
        position = from;
    }
    let pods = pods.clone();
    let container = container.to_owned();
    let running = move || {
        let state = pods.find(&name).ok().and_then(|(_, state)| state.container(&container));
        state.is_some_and(|state| state.process.is_some())
    };
    let more = more(file, position, running).map_ok(Frame::data);
    Ok(StreamBody::new(first.chain(more)).boxed_unsync())
}

/// What is written from `position` on, until the container has ended.
fn more(
    file: PathBuf,
    position: u64,
    running: impl Fn() -> bool + Send + Sync + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((file, position, running, false), |(file, position, running, last)| async move {
        if last {
            return None;
        }
        let last = !running();
        if !last {
            tokio::time::sleep(FOLLOW).await;
        }
        match read(&file, position, None) {
            Ok((text, position)) => Some((Ok(Bytes::from(text)), (file, position, running, last))),
            Err(error) => Some((Err(error), (file, position, running, true))),
        }
    })
}

/// A part of a file, and where it ends; at most the last [`LONGEST`] bytes of it.
fn read(path: &Path, from: u64, to: Option<u64>) -> io::Result<(Vec<u8>, u64)> {
    let mut file = std::fs::File::open(path)?;
    let end = to.unwrap_or(file.metadata()?.len());
    let start = from.max(end.saturating_sub(LONGEST));
    file.seek(SeekFrom::Start(start))?;
    let mut text = Vec::new();
    file.take(end.saturating_sub(start)).read_to_end(&mut text)?;
    Ok((text, end.max(start)))
}

fn tail(text: &[u8], lines: usize) -> &[u8] {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let ends = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    if lines == 0 {
        return &[];
    }
    let start = ends.map(|(place, _)| place + 1).nth(lines - 1).unwrap_or(0);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_counted_with_and_without_a_final_newline() {
        for (text, lines, expected) in [
            ("a\nb\nc\n", 2, "b\nc\n"),
            ("a\nb\nc", 2, "b\nc"),
            ("a\nb\n", 5, "a\nb\n"),
            ("a\n", 0, ""),
            ("", 3, ""),
        ] {
            assert_eq!(tail(text.as_bytes(), lines), expected.as_bytes(), "{text:?} {lines}");
        }
    }

    #[test]
    fn the_query_is_kubelets() {
        let wish = Wish::parse("follow=true&tailLines=10&timestamps=true");
        assert_eq!(wish, Wish { follow: true, tail: Some(10), ..Wish::default() });
        assert_eq!(Wish::parse("previous=true"), Wish { previous: true, ..Wish::default() });
        assert_eq!(Wish::parse(""), Wish::default());
    }
}
