//! The simulator on a socket, with the SDK's own HTTP client.

use std::net::SocketAddr;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_vpclattice::Client;
use aws_sdk_vpclattice::config::{BehaviorVersion, Region};
use aws_sdk_vpclattice::types::{Target, TargetGroupConfig, TargetGroupProtocol, TargetGroupType};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use lattice_sim::{Fault, MOST_BODY_BYTES, Settings, Simulator};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Served {
    simulator: Simulator,
    client: Client,
    address: SocketAddr,
    /// Ends the server when it is used or dropped.
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// A simulator on a free port, and a client of it.
async fn served() -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulator = Simulator::new(Settings::instant(), 1);
    let account = simulator.accounts().remove(0);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn({
        let simulator = simulator.clone();
        async move { simulator.serve(listener, async { drop(stopped.await) }).await }
    });
    let config = aws_sdk_vpclattice::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(Credentials::new(
            account.access_key_id,
            account.secret_access_key,
            None,
            None,
            "simulator",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Served { simulator, client: Client::from_conf(config), address, stop, server }
}

#[tokio::test]
async fn sdk_registers_and_lists_targets_over_a_socket() {
    let Served { simulator, client, stop, server, .. } = served().await;
    let config = TargetGroupConfig::builder()
        .protocol(TargetGroupProtocol::Http)
        .port(8080)
        .vpc_identifier("vpc-12345678")
        .build();
    let group = client
        .create_target_group()
        .name("web")
        .r#type(TargetGroupType::Ip)
        .config(config)
        .send()
        .await
        .unwrap();
    // The ARN travels percent-encoded in one segment of the path.
    let registered = client
        .register_targets()
        .target_group_identifier(group.arn().unwrap())
        .targets(Target::builder().id("10.0.0.1").build().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(registered.successful()[0].port(), Some(8080));
    let listed = client.list_targets().target_group_identifier(group.id().unwrap()).send().await.unwrap();
    assert_eq!(listed.items()[0].id(), Some("10.0.0.1"));
    assert_eq!(simulator.calls()["RegisterTargets"], 1);
    stop.send(()).unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    let Served { simulator, address, stop, server, .. } = served().await;
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = |path: &str, body: Vec<u8>| {
        http::Request::post(format!("http://simulator{path}")).body(Full::new(Bytes::from(body))).unwrap()
    };
    let created = sender.send_request(request("/services", br#"{"name": "web"}"#.to_vec())).await.unwrap();
    assert_eq!((created.status().as_u16(), created.version()), (201, http::Version::HTTP_2));
    let long = sender.send_request(request("/services", vec![b' '; MOST_BODY_BYTES + 1])).await.unwrap();
    assert_eq!(long.status().as_u16(), 413);
    assert_eq!(simulator.calls()["CreateService"], 2);
    stop.send(()).unwrap();
    server.await.unwrap();
    connection.abort();
}

#[tokio::test]
async fn shutdown_does_not_wait_for_calls_that_are_never_answered() {
    let Served { simulator, client, stop, server, .. } = served().await;
    simulator.set_faults(vec![Fault { timeout: true, ..Fault::on("ListServices") }]).unwrap();
    let hanging = tokio::spawn(client.list_services().send());
    while simulator.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), server).await.unwrap().unwrap();
    hanging.abort();
}
