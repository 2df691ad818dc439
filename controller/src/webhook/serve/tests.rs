//! The server at real sockets: what it answers, how it is bounded, and how it lives through a new certificate and ends.

use std::net::SocketAddr;

use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::webhook::{certificate::Issued, mutate::Rules};

const NAME: &str = "lath-webhook.lath-system.svc";

fn issue() -> (Issued, Arc<CertifiedKey>) {
    let issued = certificate::issue(NAME, Timestamp::now(), Duration::from_hours(1)).unwrap();
    let key = certificate::load(&issued.pair).unwrap().key;
    (issued, key)
}

struct Served {
    address: SocketAddr,
    shown: watch::Sender<Option<Arc<CertifiedKey>>>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve(key: Option<Arc<CertifiedKey>>, pace: Pace) -> Served {
    let metrics = Metrics::default();
    let answerer = Answerer {
        rules: Rules { namespace: "lath-system".into(), sleep_seconds: 30 },
        known: Arc::default(),
        metrics: metrics.clone(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shown, certificate) = watch::channel(key);
    let shutdown = CancellationToken::new();
    let server = Server { answerer: Arc::new(answerer), metrics };
    let task = tokio::spawn(server.run(listener, certificate, pace, shutdown.clone()));
    Served { address, shown, shutdown, task }
}

async fn handshake(address: SocketAddr, issued: &Issued) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&issued.authority).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(certificate::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(NAME).unwrap(), stream).await
}

/// A connection that requests can be sent on, one after another.
struct Client(hyper::client::conn::http1::SendRequest<Full<Bytes>>);

impl Client {
    async fn connect(address: SocketAddr, issued: &Issued) -> Self {
        let stream = handshake(address, issued).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(&mut self, method: &str, path: &str, body: Vec<u8>) -> hyper::Result<(u16, Vec<u8>)> {
        self.0.ready().await?;
        let request = Request::builder().method(method).uri(path).header("host", NAME);
        let response = self.0.send_request(request.body(Full::from(body)).unwrap()).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes().to_vec()))
    }

    async fn review(&mut self) -> hyper::Result<Value> {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "u-1", "operation": "CREATE", "namespace": "shop",
                "resource": { "group": "", "version": "v1", "resource": "pods" },
                "object": { "spec": { "containers": [{ "name": "a" }] } },
            },
        });
        let (status, body) = self.send("POST", PATH, review.to_string().into_bytes()).await?;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body).unwrap())
    }
}

#[tokio::test]
async fn a_review_is_answered_and_nothing_else_is() {
    let (issued, key) = issue();
    let served = serve(Some(key), Pace::default()).await;
    let mut client = Client::connect(served.address, &issued).await;
    let answer = client.review().await.unwrap();
    assert_eq!(answer["response"]["patchType"], "JSONPatch");
    for (method, path, body, status, words) in [
        ("GET", PATH, Vec::new(), 405, "reviews are posted to /mutate-pods"),
        ("POST", "/", Vec::new(), 404, "reviews are posted to /mutate-pods"),
        ("POST", PATH, b"{}".to_vec(), 400, "only API servers should call here"),
    ] {
        let (found, said) = client.send(method, path, body).await.unwrap();
        assert_eq!(found, status);
        assert!(String::from_utf8_lossy(&said).contains(words));
    }
    // The connection may be closed before all is sent.
    let (status, _) = client.send("POST", PATH, vec![b' '; BODY + 1]).await.unwrap_or((413, Vec::new()));
    assert_eq!(status, 413);
    // The largest that is taken in is read, and is then no review.
    let mut client = Client::connect(served.address, &issued).await;
    let (status, _) = client.send("POST", PATH, vec![b' '; BODY]).await.unwrap();
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_new_certificate_is_shown_while_open_connections_stay() {
    let (old, old_key) = issue();
    let (new, new_key) = issue();
    let served = serve(None, Pace::default()).await;
    assert!(handshake(served.address, &old).await.is_err(), "there is no certificate yet");
    served.shown.send_replace(Some(old_key));
    let mut open = Client::connect(served.address, &old).await;
    open.review().await.unwrap();
    served.shown.send_replace(Some(new_key));
    open.review().await.unwrap();
    assert!(handshake(served.address, &old).await.is_err(), "the old one is not shown any more");
    let mut fresh = Client::connect(served.address, &new).await;
    fresh.review().await.unwrap();
    open.review().await.unwrap();
}

#[tokio::test]
async fn at_the_end_it_lingers_answers_what_is_under_way_and_closes_what_is_idle() {
    let (issued, key) = issue();
    let pace = Pace { linger: Duration::from_millis(300), finish: Duration::from_secs(10) };
    let served = serve(Some(key), pace).await;
    let mut idle = Client::connect(served.address, &issued).await;
    served.shutdown.cancel();
    // API servers that do not know yet still get in.
    Client::connect(served.address, &issued).await.review().await.unwrap();
    idle.review().await.unwrap();
    served.task.await.unwrap();
    assert!(idle.review().await.is_err());
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn who_speaks_no_tls_holds_nobody_up() {
    let (issued, key) = issue();
    let served = serve(Some(key), Pace::default()).await;
    let mut plain = TcpStream::connect(served.address).await.unwrap();
    plain.write_all(b"POST / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(served.address).await.unwrap());
    }
    Client::connect(served.address, &issued).await.review().await.unwrap();
}
