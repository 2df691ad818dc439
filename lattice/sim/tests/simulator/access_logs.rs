//! Access logs: what is told of requests, to whom, and in which files.

use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use lattice_sim::{AccessLogEntry, AccessLogFiles};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::backend::{Backend, Plane, pass, weighted};
use crate::harness::{Folder, fixed};

const BUCKET: &str = "arn:aws:s3:::shop-logs";
const GROUP: &str = "arn:aws:logs:us-west-2:123456789012:log-group:/shop/web:*";
const STREAM: &str = "arn:aws:firehose:us-west-2:123456789012:deliverystream/shop";

/// The fields of a service's access log. Source: VPC Lattice user guide.
const FIELDS: [&str; 36] = [
    "authDeniedReason",
    "bytesReceived",
    "bytesSent",
    "callerPrincipal",
    "callerPrincipalOrgID",
    "callerX509IssuerOU",
    "callerX509SANDNS",
    "callerX509SANNameCN",
    "callerX509SANURI",
    "callerX509SubjectCN",
    "destinationVpcId",
    "duration",
    "failureReason",
    "hostHeader",
    "listenerId",
    "listenerType",
    "protocol",
    "requestId",
    "requestMethod",
    "requestPath",
    "requestToTargetDuration",
    "resolvedUser",
    "responseCode",
    "responseFromTargetDuration",
    "serverNameIndication",
    "serviceArn",
    "serviceNetworkArn",
    "sourceIpPort",
    "sourceVpcArn",
    "sourceVpcId",
    "sslCipher",
    "startTime",
    "targetGroupArn",
    "targetIpPort",
    "tlsVersion",
    "userAgent",
];

/// Subscribes to the access log of a resource: the subscription's id.
async fn subscribe(plane: &Plane, resource: &str, destination: &str) -> String {
    let call = plane.sim.client.create_access_log_subscription();
    let call = call.resource_identifier(resource).destination_arn(destination);
    call.send().await.unwrap().id().to_owned()
}

/// The lines so far, once there are so many.
async fn lines(plane: &Plane, number: usize) -> Vec<AccessLogEntry> {
    for _ in 0..200 {
        let lines = plane.sim.simulator.access_log(0);
        if lines.len() >= number {
            assert_eq!(lines.len(), number, "{lines:?}");
            return lines;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("not {number} lines: {:?}", plane.sim.simulator.access_log(0));
}

#[tokio::test]
async fn a_line_tells_of_a_request_and_its_answer() {
    let start = ("clock.start", "2026-01-01T00:00:00Z");
    let plane = Plane::start(&[("clock.frozen", "on"), start]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (service, listener, host) = plane.service("web", weighted(&[(&group, 1)])).await;
    plane.get(&host, "/", &[]).await;
    let subscription = subscribe(&plane, &service, BUCKET).await;
    let body = "x".repeat(1_000);
    let stream = TokioIo::new(plane.connect().await);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/echo?q=1").header("host", &host).header("user-agent", "test/1");
    let response =
        sender.send_request(request.body(Full::<bytes::Bytes>::from(body)).unwrap()).await.unwrap();
    let id = response.headers()["x-amzn-requestid"].to_str().unwrap().to_owned();
    let answer = response.into_body().collect().await.unwrap().to_bytes();
    let line = lines(&plane, 1).await.remove(0);
    assert_eq!((line.n, &line.subscription, line.destination.as_str()), (1, &subscription, BUCKET));
    let entry = line.entry.as_object().unwrap();
    assert_eq!(entry.keys().map(String::as_str).collect::<Vec<_>>(), FIELDS);
    let arn = |kind: &str, id: &str| format!("arn:aws:vpc-lattice:us-west-2:123456789012:{kind}/{id}");
    for (field, expected) in [
        ("serviceArn", json!(arn("service", &service))),
        ("targetGroupArn", json!(arn("targetgroup", &group))),
        ("listenerId", json!(listener)),
        ("listenerType", json!("HTTP")),
        ("targetIpPort", json!(a.address.to_string())),
        ("destinationVpcId", json!("vpc-12345678")),
        ("requestId", json!(id)),
        ("requestMethod", json!("POST")),
        ("requestPath", json!("/echo")),
        ("protocol", json!("HTTP/1.1")),
        ("hostHeader", json!(host)),
        ("userAgent", json!("test/1")),
        ("responseCode", json!(200)),
        ("startTime", json!("2026-01-01T00:00:00Z")),
        ("serviceNetworkArn", json!("-")),
        ("resolvedUser", json!("-")),
        ("failureReason", json!("-")),
        ("authDeniedReason", json!("-")),
        ("tlsVersion", json!("-")),
        ("callerPrincipal", json!("-")),
    ] {
        assert_eq!(entry[field], expected, "{field}");
    }
    let within = |field: &str, least: usize| {
        let bytes = entry[field].as_u64().unwrap();
        assert!(
            (least as u64..least as u64 + 300).contains(&bytes),
            "{field}: {bytes}, and {least} at least"
        );
    };
    within("bytesReceived", 1_000 + "POST /echo?q=1 HTTP/1.1\r\n".len());
    within("bytesSent", answer.len() + "HTTP/1.1 200 OK\r\n".len());
    let duration = entry["duration"].as_u64().unwrap();
    assert!(entry["requestToTargetDuration"].as_u64().unwrap() <= duration, "{entry:?}");
    assert!(entry["responseFromTargetDuration"].as_u64().unwrap() <= duration, "{entry:?}");
    assert!(entry["sourceIpPort"].as_str().unwrap().starts_with("127.0.0.1:"), "{entry:?}");
}

#[tokio::test]
async fn lines_go_to_who_subscribed_to_the_service_or_its_network() {
    let plane = Plane::start(&[]).await;
    let (service, _, host) = plane.service("web", fixed(404)).await;
    let (other, ..) = plane.service("other", fixed(404)).await;
    let vpc = json!({"vpcs": [{"id": "vpc-12345678", "cidrs": ["127.0.0.0/8"], "account": "123456789012"}]});
    plane.sim.simulator.set_surroundings(serde_json::from_value(vpc).unwrap()).unwrap();
    let client = &plane.sim.client;
    let network = plane.sim.network("net").await;
    plane.sim.join(&network, &service).await;
    plane.sim.open(&network, "vpc-12345678").await;
    let mut expected = vec![
        (subscribe(&plane, &service, BUCKET).await, BUCKET.to_owned()),
        (subscribe(&plane, &service, GROUP).await, GROUP.to_owned()),
        (subscribe(&plane, &network, STREAM).await, STREAM.to_owned()),
    ];
    subscribe(&plane, &other, BUCKET).await;
    let call = client.create_access_log_subscription().resource_identifier(&network).destination_arn(BUCKET);
    let resources = aws_sdk_vpclattice::types::ServiceNetworkLogType::Resource;
    call.service_network_log_type(resources).send().await.unwrap();
    plane.get(&host, "/", &[]).await;
    let lines = lines(&plane, 3).await;
    let mut got: Vec<_> =
        lines.iter().map(|line| (line.subscription.clone(), line.destination.clone())).collect();
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
    for line in &lines {
        let vpc = "arn:aws:ec2:us-west-2:123456789012:vpc/vpc-12345678";
        assert_eq!(line.entry["sourceVpcArn"], vpc);
        assert_eq!(line.entry["sourceVpcId"], "vpc-12345678");
        assert!(line.entry["serviceNetworkArn"].as_str().unwrap().ends_with(&network), "{line:?}");
    }
}

#[tokio::test]
async fn refusals_and_failures_say_why() {
    let plane = Plane::start(&[]).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    // Answers with the beginning of a body, and goes away.
    let breaks = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broken = breaks.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = breaks.accept().await {
            let mut head = [0; 1_024];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
        }
    });
    let empty = plane.group("empty", &[nobody]).await;
    plane.deregister(&empty, &[nobody]).await;
    let away = plane.group("away", &[nobody]).await;
    let breaking = plane.group("breaking", &[broken]).await;
    for (n, (name, group, status, reason)) in [
        ("empty", &empty, 503, "NoTarget"),
        ("away", &away, 503, "TargetConnectionError"),
        ("breaking", &breaking, 200, "TargetReset"),
    ]
    .into_iter()
    .enumerate()
    {
        let (service, _, host) = plane.service(name, weighted(&[(group, 1)])).await;
        subscribe(&plane, &service, BUCKET).await;
        plane.raw(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await;
        let entry = lines(&plane, n + 1).await.pop().unwrap().entry;
        assert_eq!(
            (&entry["responseCode"], &entry["failureReason"]),
            (&json!(status), &json!(reason)),
            "{name}"
        );
        assert!(entry["targetGroupArn"].as_str().unwrap().ends_with(group.as_str()), "{entry}");
    }
    let (service, _, host) = plane.service("closed", fixed(404)).await;
    let iam = aws_sdk_vpclattice::types::AuthType::AwsIam;
    plane.sim.client.update_service().service_identifier(&service).auth_type(iam).send().await.unwrap();
    subscribe(&plane, &service, BUCKET).await;
    assert_eq!(plane.get(&host, "/", &[]).await.0, 403);
    let entry = lines(&plane, 4).await.pop().unwrap().entry;
    let fields = ["responseCode", "failureReason", "authDeniedReason", "resolvedUser", "targetGroupArn"];
    let got: Vec<&Value> = fields.iter().map(|field| &entry[field]).collect();
    assert_eq!(json!(got), json!([403, "ClientAccessDenied", "Service", "Anonymous", "-"]));
}

#[tokio::test]
async fn a_client_that_leaves_early_is_told_of_without_a_status() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (service, _, host) = plane.service("web", weighted(&[(&group, 1)])).await;
    subscribe(&plane, &service, BUCKET).await;
    let mut stream = plane.connect().await;
    let request = format!("GET /slow HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(stream);
    let entry = lines(&plane, 1).await.remove(0).entry;
    assert_eq!((&entry["requestPath"], &entry["responseCode"]), (&json!("/slow"), &json!("-")));
}

#[tokio::test]
async fn files_hold_each_line_once_even_if_writing_failed_meanwhile() {
    let plane = Plane::start(&[]).await;
    let (service, _, host) = plane.service("web", fixed(404)).await;
    let in_bucket = subscribe(&plane, &service, BUCKET).await;
    let in_group = subscribe(&plane, &service, GROUP).await;
    let folder = Folder::new("access-logs");
    let files = AccessLogFiles::new(&folder.0).unwrap();
    let simulator = &plane.sim.simulator;
    for path in ["/1", "/2"] {
        plane.get(&host, path, &[]).await;
    }
    lines(&plane, 4).await;
    files.append(simulator).unwrap();
    files.append(simulator).unwrap();
    // A folder where the file should be.
    let file = folder.0.join("s3/shop-logs").join(format!("{in_bucket}.jsonl"));
    let aside = file.with_extension("aside");
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir(&file).unwrap();
    plane.get(&host, "/3", &[]).await;
    lines(&plane, 6).await;
    let error = files.append(simulator).unwrap_err().to_string();
    assert!(error.contains(&in_bucket), "{error}");
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    files.append(simulator).unwrap();
    for file in [file, folder.0.join("logs/%2Fshop%2Fweb").join(format!("{in_group}.jsonl"))] {
        let text = std::fs::read_to_string(&file).unwrap();
        let entry = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let paths: Vec<Value> = text.lines().map(|line| entry(line)["requestPath"].clone()).collect();
        assert_eq!(paths, ["/1", "/2", "/3"], "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_that_is_large_enough_makes_room_for_another() {
    let plane = Plane::start(&[]).await;
    let (service, _, host) = plane.service("web", fixed(404)).await;
    let subscription = subscribe(&plane, &service, BUCKET).await;
    let folder = Folder::new("large-access-log");
    let files = AccessLogFiles::new(&folder.0).unwrap();
    let file = folder.0.join("s3/shop-logs").join(format!("{subscription}.jsonl"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let full = std::fs::File::create(&file).unwrap();
    full.set_len(64 << 20).unwrap();
    plane.get(&host, "/", &[]).await;
    lines(&plane, 1).await;
    files.append(&plane.sim.simulator).unwrap();
    assert_eq!(std::fs::metadata(file.with_extension("jsonl.old")).unwrap().len(), 64 << 20);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn a_request_that_reached_no_target_took_no_time_to_it_and_a_broken_upload_is_the_clients() {
    let plane = Plane::start(&[]).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let a = Backend::start("a").await;
    let away = plane.group("away", &[nobody]).await;
    let there = plane.group("there", &[a.address]).await;
    let (first, _, host) = plane.service("away", weighted(&[(&away, 1)])).await;
    let (second, _, other) = plane.service("there", weighted(&[(&there, 1)])).await;
    subscribe(&plane, &first, BUCKET).await;
    subscribe(&plane, &second, BUCKET).await;
    assert_eq!(plane.get(&host, "/", &[]).await.0, 503);
    assert_eq!(lines(&plane, 1).await[0].entry["requestToTargetDuration"], "-");
    let mut stream = plane.connect().await;
    let head = format!("POST /echo HTTP/1.1\r\nHost: {other}\r\nContent-Length: 100\r\n\r\nhalf");
    stream.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    drop(stream);
    let entry = lines(&plane, 2).await.remove(1).entry;
    assert_eq!(
        (&entry["failureReason"], &entry["requestToTargetDuration"]),
        (&json!("ClientError"), &json!("-"))
    );
}

#[tokio::test]
async fn passed_through_tls_is_told_of_with_its_bytes() {
    let plane = Plane::start(&[]).await;
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = backend.local_addr().unwrap();
    tokio::spawn(async move {
        // Bytes are passed on as they are, so it need not be TLS that comes back.
        let (mut stream, _) = backend.accept().await.unwrap();
        let mut hello = [0; 16 << 10];
        let read = stream.read(&mut hello).await.unwrap();
        stream.write_all(&hello[..read]).await.unwrap();
    });
    let service = pass_through(&plane, target, 60).await;
    subscribe(&plane, &service, BUCKET).await;
    let hello = client_hello("secure.example.com");
    let mut stream = plane.connect().await;
    stream.write_all(&hello).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, hello);
    let entry = lines(&plane, 1).await.remove(0).entry;
    let bytes = json!(hello.len());
    for (field, expected) in [
        ("listenerType", json!("TLS_PASSTHROUGH")),
        ("serverNameIndication", json!("secure.example.com")),
        ("targetIpPort", json!(target.to_string())),
        ("bytesReceived", bytes.clone()),
        ("bytesSent", bytes),
        ("responseCode", json!("-")),
        ("requestMethod", json!("-")),
        ("tlsVersion", json!("-")),
        ("failureReason", json!("-")),
    ] {
        assert_eq!(entry[field], expected, "{field}");
    }
    // Within TLS that is ended here, a listener that passes it through has nothing to answer; in clear neither.
    assert_eq!(plane.get("secure.example.com", "/", &[]).await.0, 404);
}

/// A service `secure.example.com` that passes TLS through to a target, and may be idle for so many seconds: its id.
async fn pass_through(plane: &Plane, target: SocketAddr, idle: u64) -> String {
    let post = async |path: &str, body: Value| {
        let made = plane.sim.send("POST", path, &body).await;
        assert!(made.status < 300, "{path}: {made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    };
    let config = json!({"protocol": "TCP", "port": 443, "vpcIdentifier": "vpc-12345678"});
    let group = post("/targetgroups", json!({"name": "tls", "type": "IP", "config": config})).await;
    plane.register(&group, &[target]).await;
    let service = json!({
        "name": "secure", "customDomainName": "secure.example.com", "idleTimeoutSeconds": idle,
    });
    let service = post("/services", service).await;
    let action = json!({"forward": {"targetGroups": [{"targetGroupIdentifier": group}]}});
    let listener =
        json!({"name": "tls", "protocol": "TLS_PASSTHROUGH", "port": plane.port, "defaultAction": action});
    post(&format!("/services/{service}/listeners"), listener).await;
    plane.wait_until_open(plane.port).await;
    service
}

#[tokio::test]
async fn passed_through_tls_may_be_idle_for_as_long_as_its_service_says() {
    let plane = Plane::start(&[]).await;
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    pass_through(&plane, backend.local_addr().unwrap(), 120).await;
    let mut stream = plane.connect().await;
    stream.write_all(&client_hello("secure.example.com")).await.unwrap();
    let (mut target, _) = backend.accept().await.unwrap();
    assert!(target.read(&mut [0; 16 << 10]).await.unwrap() > 0);
    pass(100).await;
    sleep(Duration::from_millis(200)).await;
    target.write_all(b"still there").await.unwrap();
    let mut read = [0; 64];
    assert_eq!(stream.read(&mut read).await.unwrap(), 11);
    pass(125).await;
    let ended = timeout(Duration::from_secs(10), stream.read(&mut read)).await.unwrap();
    assert!(!matches!(ended, Ok(1..)), "{ended:?}");
}

/// The first message of a TLS client that asks for a name.
fn client_hello(name: &str) -> Vec<u8> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = name.to_owned().try_into().unwrap();
    let mut connection = rustls::ClientConnection::new(config.into(), name).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    hello
}
