//! The data plane on loopback addresses, with real sockets on both sides.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_vpclattice::types::{
    HealthCheckConfig, TargetGroupProtocol, TargetGroupProtocolVersion, TargetStatus,
};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::backend::{Backend, Plane, connects, pass, reached_by, weighted};
use crate::harness::{fixed, prefix};

#[tokio::test]
async fn weights_are_exact_and_targets_take_turns() {
    let plane = Plane::start(&[]).await;
    let [a, b, c] = [Backend::start("a").await, Backend::start("b").await, Backend::start("c").await];
    let many = plane.group("many", &[a.address, b.address]).await;
    let few = plane.group("few", &[c.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&many, 3), (&few, 1)])).await;
    let expected = [("a", 150), ("b", 150), ("c", 100)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(plane.count(&host, 400).await, BTreeMap::from(expected));
}

#[tokio::test]
async fn rules_go_by_priority_and_the_default_comes_last() {
    let plane = Plane::start(&[]).await;
    let [a, b] = [Backend::start("a").await, Backend::start("b").await];
    let (first, second) =
        (plane.group("first", &[a.address]).await, plane.group("second", &[b.address]).await);
    let (service, listener, host) = plane.service("web", fixed(404)).await;
    for (name, priority, path, action) in [
        ("late", 20, "/x", weighted(&[(&first, 1)])),
        ("early", 10, "/x/y", weighted(&[(&second, 1)])),
        ("never", 30, "/x/y/z", fixed(500)),
    ] {
        let call = plane.sim.client.create_rule().service_identifier(&service).listener_identifier(&listener);
        let call = call.name(name).priority(priority).r#match(prefix(path)).action(action);
        call.send().await.unwrap();
    }
    for (path, status, body) in [("/x", 200, "a"), ("/x/y/z", 200, "b"), ("/", 404, "")] {
        let (got, _, text) = plane.get(&host, path, &[]).await;
        assert_eq!((got, text.as_str()), (status, body), "{path}");
    }
    let (status, _, text) = plane.get("nobody.example.com", "/", &[]).await;
    assert_eq!((status, text.as_str()), (404, "No service has the name nobody.example.com.\n"));
}

#[tokio::test]
async fn targets_are_told_the_way_and_nobody_can_forge_it() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (service, _, host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let forged =
        [("x-amzn-lattice-identity", "Principal=me"), ("x-forwarded-for", "1.2.3.4"), ("x-own", "kept")];
    let (_, answer, seen) = plane.get(&host, "/headers", &forged).await;
    assert!(!seen.contains("Principal=me"), "{seen}");
    for part in
        ["\"x-own\": \"kept\"", "x-forwarded-for-port\": \"8080", "1.2.3.4, 127.", "proto\": \"http\""]
    {
        assert!(seen.contains(part), "{part} in {seen}");
    }
    assert!(seen.contains(&format!("service/{service};TargetGroupArn=arn:aws:vpc-lattice")), "{seen}");
    let id = answer["x-amzn-requestid"].to_str().unwrap();
    assert!(seen.contains(id), "{id} in {seen}");
}

#[tokio::test]
async fn registrations_and_deregistrations_act_after_their_time() {
    let settings = [
        ("propagation.register_seconds", "2"),
        ("propagation.deregister_seconds", "10"),
        ("clock.frozen", "on"),
    ];
    let plane = Plane::start(&settings).await;
    let [a, b] = [Backend::start("a").await, Backend::start("b").await];
    let group = plane.group("group", &[a.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let expect = async |expected: &[(&str, usize)]| {
        let expected = expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!(plane.count(&host, 4).await, expected);
    };
    expect(&[("503", 4)]).await;
    plane.sim.advance(2.0);
    expect(&[("a", 4)]).await;
    plane.register(&group, &[b.address]).await;
    plane.sim.advance(1.9);
    expect(&[("a", 4)]).await;
    plane.sim.advance(0.1);
    expect(&[("a", 2), ("b", 2)]).await;
    plane.deregister(&group, &[a.address]).await;
    plane.sim.advance(9.9);
    expect(&[("a", 2), ("b", 2)]).await;
    plane.sim.advance(0.1);
    expect(&[("b", 4)]).await;
}

#[tokio::test]
async fn draining_targets_get_traffic_if_so_set_and_finish_what_they_have() {
    let plane = Plane::start(&[("traffic.draining", "all"), ("clock.frozen", "on")]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    plane.deregister(&group, &[a.address]).await;
    plane.sim.advance(59.0);
    assert_eq!(plane.get(&host, "/", &[]).await.0, 200);
    let slow = plane.get(&host, "/slow", &[]);
    let gone = async {
        sleep(Duration::from_millis(300)).await;
        plane.sim.advance(1.0);
        assert_eq!(plane.get(&host, "/", &[]).await.0, 503);
    };
    let ((status, ..), ()) = tokio::join!(slow, gone);
    assert_eq!(status, 200);
}

#[tokio::test]
async fn checks_decide_who_gets_traffic() {
    let plane = Plane::start(&[("clock.frozen", "on")]).await;
    let [a, b] = [Backend::start("a").await, Backend::start("b").await];
    b.status.store(500, Ordering::Relaxed);
    let health = HealthCheckConfig::builder()
        .enabled(true)
        .health_check_interval_seconds(10)
        .healthy_threshold_count(2)
        .unhealthy_threshold_count(2);
    let group = plane.checked_group("group", &[a.address, b.address], health.build()).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let states = async |expected: [TargetStatus; 2]| {
        for attempt in 0.. {
            let states: Vec<_> = plane.sim.states(&group).await.into_iter().map(|(_, state)| state).collect();
            if states == expected {
                return;
            }
            assert!(attempt < 100, "{states:?}");
            sleep(Duration::from_millis(20)).await;
        }
    };
    // One passing check is enough for a new target; the other one has no verdict yet, and no traffic.
    states([TargetStatus::Healthy, TargetStatus::Initial]).await;
    assert_eq!(plane.count(&host, 4).await.keys().collect::<Vec<_>>(), ["a"]);
    plane.sim.advance(10.0);
    states([TargetStatus::Healthy, TargetStatus::Unhealthy]).await;
    a.status.store(500, Ordering::Relaxed);
    plane.sim.advance(10.0);
    sleep(Duration::from_millis(200)).await;
    states([TargetStatus::Healthy, TargetStatus::Unhealthy]).await;
    plane.sim.advance(10.0);
    states([TargetStatus::Unhealthy, TargetStatus::Unhealthy]).await;
    // When none is healthy, all get traffic.
    a.status.store(200, Ordering::Relaxed);
    b.status.store(200, Ordering::Relaxed);
    assert_eq!(plane.count(&host, 4).await.values().collect::<Vec<_>>(), [&2, &2]);
    plane.sim.advance(10.0);
    sleep(Duration::from_millis(200)).await;
    states([TargetStatus::Unhealthy, TargetStatus::Unhealthy]).await;
    plane.sim.advance(10.0);
    states([TargetStatus::Healthy, TargetStatus::Healthy]).await;
}

#[tokio::test]
async fn a_target_that_is_away_is_503_and_leaves_the_rest_alone() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let group = plane.group("group", &[nobody, a.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let expected = [("503", 2), ("a", 2)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(plane.count(&host, 4).await, BTreeMap::from(expected));
}

#[tokio::test]
async fn auth_policies_refuse_who_is_not_allowed() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (service, _, host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let iam = aws_sdk_vpclattice::types::AuthType::AwsIam;
    plane.sim.client.update_service().service_identifier(&service).auth_type(iam).send().await.unwrap();
    let (status, _, text) = plane.get(&host, "/x", &[]).await;
    let arn = format!("arn:aws:vpc-lattice:us-west-2:123456789012:service/{service}");
    let sentence = format!(
        "AccessDeniedException: User: anonymous is not authorized to perform: vpc-lattice-svcs:Invoke on resource: \
         {arn}/x because no service-based policy allows the vpc-lattice-svcs:Invoke action\n"
    );
    assert_eq!((status, text), (403, sentence));
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "vpc-lattice-svcs:Invoke", "Resource": "*",
        "Condition": {"StringEquals": {"vpc-lattice-svcs:RequestMethod": "GET"}},
    }]});
    let put = plane.sim.client.put_auth_policy().resource_identifier(&service).policy(policy.to_string());
    put.send().await.unwrap();
    assert_eq!(plane.get(&host, "/x", &[]).await.0, 200);
}

#[tokio::test]
async fn http2_goes_end_to_end_with_trailers() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let version = Some(TargetGroupProtocolVersion::Grpc);
    let group = plane.group_of("grpc", TargetGroupProtocol::Http, version, &[a.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let stream = TokioIo::new(plane.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "5".parse().unwrap())]);
    let body = Full::new(Bytes::from("hello")).with_trailers(std::future::ready(Some(Ok(trailers))));
    let request = Request::post(format!("http://{host}/echo")).header("te", "trailers").body(body).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(text, "b\"hello\" Some(\"5\")");
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_hurts_nobody() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n");
    let long = format!("{head}X-Long: {}\r\n\r\n", "a".repeat(1 << 20));
    let upgrade = format!("{head}Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n");
    for (bytes, status) in [
        ("\u{0}\u{1}\u{2} no HTTP\r\n\r\n", "HTTP/1.1 400"),
        (long.as_str(), "HTTP/1.1 431"),
        (upgrade.as_str(), "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let answer = plane.raw(bytes.as_bytes()).await;
        assert!(answer.starts_with(status), "{bytes:.60}: {answer:.200}");
    }
    // A body that says its length in two ways is one request to the target, never two.
    let smuggled = format!(
        "POST /echo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 44\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n"
    );
    let answer = plane.raw(smuggled.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert_eq!(plane.get(&host, "/", &[]).await.0, 200);
}

/// Signs a request for the data plane as the SDKs do, and returns its headers.
fn signed(account: &lattice_sim::Account, host: &str, path: &str, service: &str) -> Vec<(String, String)> {
    use aws_sigv4::http_request::{
        PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign,
    };
    let keys = aws_credential_types::Credentials::new(
        account.access_key_id.clone(),
        account.secret_access_key.clone(),
        None,
        None,
        "test",
    );
    let identity = keys.into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = aws_sigv4::sign::v4::SigningParams::builder()
        .identity(&identity)
        .region(lattice_sim::REGION)
        .name(service)
        .time(std::time::SystemTime::now())
        .settings(settings)
        .build()
        .unwrap();
    let uri = format!("http://{host}{path}");
    let request =
        SignableRequest::new("GET", uri, [("host", host)].into_iter(), SignableBody::UnsignedPayload)
            .unwrap();
    let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
    let (headers, _) = instructions.into_parts();
    headers.into_iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect()
}

#[tokio::test]
async fn a_signed_request_is_its_signers_and_a_wrong_signature_nobodys() {
    let plane = Plane::start(&[]).await;
    let a = Backend::start("a").await;
    let group = plane.group("group", &[a.address]).await;
    let (service, _, host) = plane.service("web", weighted(&[(&group, 1)])).await;
    let account = plane.sim.simulator.accounts().remove(0);
    let iam = aws_sdk_vpclattice::types::AuthType::AwsIam;
    plane.sim.client.update_service().service_identifier(&service).auth_type(iam).send().await.unwrap();
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "vpc-lattice-svcs:Invoke", "Resource": "*",
    }]});
    let put = plane.sim.client.put_auth_policy().resource_identifier(&service).policy(policy.to_string());
    put.send().await.unwrap();
    let get = async |headers: &[(String, String)], path: &str| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        plane.get(&host, path, &headers).await
    };
    let good = signed(&account, &host, "/headers", "vpc-lattice-svcs");
    let (status, _, seen) = get(&good, "/headers").await;
    assert_eq!(status, 200, "{seen}");
    assert!(seen.contains(&format!("Principal=arn:aws:iam::{}:root", account.id)), "{seen}");
    assert_eq!(get(&good, "/other").await.0, 403);
    let (status, _, text) = get(&signed(&account, &host, "/headers", "execute-api"), "/headers").await;
    assert_eq!((status, text.contains("vpc-lattice-svcs")), (403, true), "{text}");
    assert_eq!(plane.get(&host, "/headers", &[]).await.0, 403);
}

#[tokio::test]
async fn the_form_of_refusals_is_as_set() {
    let plane = Plane::start(&[]).await;
    let (service, _, host) = plane.service("web", fixed(404)).await;
    let iam = aws_sdk_vpclattice::types::AuthType::AwsIam;
    plane.sim.client.update_service().service_identifier(&service).auth_type(iam).send().await.unwrap();
    let wrong = [("authorization", "AWS4-HMAC-SHA256 nonsense")];
    let (status, headers, text) = plane.get(&host, "/", &wrong).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (403, "text/plain"));
    assert!(headers.contains_key("x-amzn-requestid") && text.contains(": "), "{text}");
    let settings = [("auth.deny_text", "code"), ("headers.own_error_headers", "bare")];
    plane.sim.simulator.change_settings(settings).unwrap();
    let (status, headers, text) = plane.get(&host, "/", &wrong).await;
    assert_eq!((status, text.contains(": ")), (403, false), "{text}");
    assert!(!headers.contains_key("content-type") && !headers.contains_key("x-amzn-requestid"));
    // A sentence that AWS has published stays.
    assert!(plane.get(&host, "/", &[]).await.2.starts_with("AccessDeniedException: User: anonymous"));
}

#[tokio::test]
async fn the_policy_of_the_callers_network_counts_or_that_of_the_first() {
    let plane = Plane::start(&[]).await;
    let (service, _, host) = plane.service("web", fixed(404)).await;
    let client = &plane.sim.client;
    for (name, closed) in [("first", true), ("second", false)] {
        let auth = if closed { "AWS_IAM" } else { "NONE" };
        let call = client.create_service_network().name(name).auth_type(auth.into());
        let network = call.send().await.unwrap().id().unwrap().to_owned();
        plane.sim.join(&network, &service).await;
        if !closed {
            plane.sim.open(&network, "vpc-12345678").await;
        }
    }
    plane.sim.surround(serde_json::json!({"vpcs": [{"id": "vpc-12345678", "cidrs": ["127.0.0.0/8"]}]}));
    assert_eq!(plane.get(&host, "/", &[]).await.0, 404);
    let settings = [("auth.service_in_many_networks", "oldest")];
    plane.sim.simulator.change_settings(settings).unwrap();
    assert_eq!(plane.get(&host, "/", &[]).await.0, 403);
}

/// Asks the resolver for the addresses of a name: the response code, the number of records and the last four bytes of the
/// answer, which are the address where there is one.
pub(crate) async fn resolve(plane: &Plane, name: &str) -> (u8, usize, [u8; 4]) {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    let [first, second, third, _] = plane.address.octets();
    let resolver = SocketAddr::from(([first, second, third, 253], 5353));
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for _ in 0..50 {
        socket.send_to(&query, resolver).await.unwrap();
        let mut answer = [0; 512];
        if let Ok(received) = timeout(Duration::from_millis(200), socket.recv(&mut answer)).await {
            let length = received.unwrap();
            let last = answer[length - 4..length].try_into().unwrap();
            return (answer[3] & 15, usize::from(answer[7]), last);
        }
    }
    panic!("no answer for {name}");
}

#[tokio::test]
async fn names_of_services_are_resolved_for_those_who_reach_them() {
    let plane = Plane::start(&[]).await;
    let (service, _, host) = plane.service("web", fixed(500)).await;
    assert_eq!(resolve(&plane, &host).await, (0, 1, plane.address.octets()));
    assert_eq!(resolve(&plane, &host.to_uppercase()).await, (0, 1, plane.address.octets()));
    assert_eq!(resolve(&plane, "example.com").await.0, 3);
    let vpc = serde_json::json!({"vpcs": [{"id": "vpc-12345678", "cidrs": ["127.0.0.0/8"]}]});
    plane.sim.simulator.set_surroundings(serde_json::from_value(vpc).unwrap()).unwrap();
    assert_eq!(resolve(&plane, &host).await.0, 3);
    let network = plane.sim.network("net").await;
    plane.sim.join(&network, &service).await;
    plane.sim.open(&network, "vpc-12345678").await;
    assert_eq!(resolve(&plane, &host).await, (0, 1, plane.address.octets()));
    assert_eq!(plane.get(&host, "/", &[]).await.0, 500);
}

#[tokio::test]
async fn who_is_not_associated_or_not_let_in_is_never_answered() {
    let plane = Plane::start(&[]).await;
    let (service, ..) = plane.service("web", fixed(404)).await;
    let [inside, member, outside] = ["127.1.0.1", "127.1.9.9", "127.2.0.1"];
    assert!(connects(outside, SocketAddr::new(plane.address.into(), plane.port)).await);
    let around = serde_json::json!({
        "vpcs": [
            {"id": "vpc-12345678", "cidrs": ["127.1.0.0/16"]},
            {"id": "vpc-87654321", "cidrs": ["127.2.0.0/16"]},
        ],
        "security_groups": [
            {"id": "sg-12345678", "vpc": "vpc-12345678", "inbound": [
                {"ports": [8080, 8080], "security_groups": ["sg-87654321"]},
                {"ports": [443, 443], "cidrs": ["0.0.0.0/0"]},
            ]},
            {"id": "sg-87654321", "vpc": "vpc-12345678", "members": ["127.1.9.0/24"]},
        ],
    });
    plane.sim.simulator.set_surroundings(serde_json::from_value(around).unwrap()).unwrap();
    let client = &plane.sim.client;
    let network = plane.sim.network("net").await;
    plane.sim.join(&network, &service).await;
    let to = SocketAddr::new(plane.address.into(), plane.port);
    // Nobody's VPC is associated.
    reached_by(to, [(inside, false), (outside, false)]).await;
    let association = plane.sim.open(&network, "vpc-12345678").await;
    reached_by(to, [(inside, true), (outside, false)]).await;
    let call = client.update_service_network_vpc_association();
    let call =
        call.service_network_vpc_association_identifier(&association).security_group_ids("sg-12345678");
    call.send().await.unwrap();
    reached_by(to, [(inside, false), (member, true)]).await;
}

#[tokio::test]
async fn a_connection_that_is_kept_waits_for_the_next_request() {
    let plane = Plane::start(&[]).await;
    let (.., host) = plane.service("web", fixed(404)).await;
    let mut stream = plane.connect().await;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for wait in [0, 59] {
        pass(wait).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 512];
        let read = timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 404"), "after {wait} s: {read} bytes");
    }
}
