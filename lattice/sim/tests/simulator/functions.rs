//! Lambda targets, as programs and as HTTP endpoints.

use std::convert::Infallible;
use std::time::Duration;

use aws_sdk_vpclattice::types::{LambdaEventStructureVersion, Target, TargetGroupConfig, TargetGroupType};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::backend::{Plane, weighted};

/// A program that answers with its event.
const MIRROR: &str =
    r#"printf '{"statusCode":200,"isBase64Encoded":true,"body":"%s"}' "$(base64 | tr -d '\n')""#;

fn arn(name: &str) -> String {
    format!("arn:aws:lambda:us-west-2:123456789012:function:{name}")
}

/// Says what functions there are, by name.
fn functions(plane: &Plane, functions: &[(&str, Value)]) {
    let functions = functions.iter().map(|(name, run)| {
        let mut function = run.clone();
        function["arn"] = json!(arn(name));
        function
    });
    plane.sim.surround(json!({"functions": functions.collect::<Vec<_>>()}));
}

fn script(text: &str) -> Value {
    json!({"command": ["sh", "-c", text]})
}

/// A service whose requests go to a function: its name.
async fn service(plane: &Plane, function: &str, version: LambdaEventStructureVersion) -> String {
    let config = TargetGroupConfig::builder().lambda_event_structure_version(version).build();
    let call = plane.sim.client.create_target_group().name(format!("{function}-group"));
    let group = call.r#type(TargetGroupType::Lambda).config(config).send().await.unwrap();
    let group = group.id().unwrap().to_owned();
    let call = plane.sim.client.register_targets().target_group_identifier(&group);
    call.targets(Target::builder().id(arn(function)).build().unwrap()).send().await.unwrap();
    plane.service(function, weighted(&[(&group, 1)])).await.2
}

#[tokio::test]
async fn a_program_gets_events_of_either_version_and_answers() {
    let plane = Plane::start(&[]).await;
    functions(&plane, &[("one", script(MIRROR)), ("two", script(MIRROR))]);
    let one = service(&plane, "one", LambdaEventStructureVersion::V1).await;
    let two = service(&plane, "two", LambdaEventStructureVersion::V2).await;
    let (status, headers, text) =
        plane.get(&one, "/a?x=1", &[("x-own", "v"), ("content-type", "text/plain")]).await;
    assert_eq!(status, 200, "{text}");
    assert!(headers.contains_key("x-amzn-requestid"));
    let event: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&event["raw_path"], &event["method"]), (&json!("/a"), &json!("GET")));
    assert_eq!((&event["headers"]["x-own"], &event["headers"]["host"]), (&json!("v"), &json!(one)));
    assert_eq!(event["query_string_parameters"], json!({"x": "1"}));
    let (_, _, text) = plane.get(&two, "/a?x=1&x=2", &[]).await;
    let event: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&event["version"], &event["path"]), (&json!("2.0"), &json!("/a")));
    assert_eq!(event["queryStringParameters"], json!({"x": ["1", "2"]}));
    assert_eq!(event["headers"]["x-forwarded-for-proto"], json!(["http"]));
    let group = event["requestContext"]["targetGroupArn"].as_str().unwrap();
    assert!(group.contains(":targetgroup/tg-"), "{event}");
}

#[tokio::test]
async fn an_endpoint_is_posted_the_event() {
    let plane = Plane::start(&[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/2015-03-31/functions/function/invocations", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let service = service_fn(async |request: Request<Incoming>| {
            let path = request.uri().path().to_owned();
            let event = request.into_body().collect().await.unwrap().to_bytes();
            let event: Value = serde_json::from_slice(&event).unwrap();
            let said = format!("{path} {}", event["body"]);
            let result = json!({"statusCode": 418, "headers": {"x-tea": "yes"}, "body": said});
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(result.to_string()))))
        });
        let (stream, _) = listener.accept().await.unwrap();
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await
            .unwrap();
    });
    functions(&plane, &[("tea", json!({"url": url}))]);
    let host = service(&plane, "tea", LambdaEventStructureVersion::V2).await;
    let (status, headers, text) = plane.get(&host, "/", &[]).await;
    assert_eq!((status, headers["x-tea"].to_str().unwrap()), (418, "yes"));
    assert_eq!(text, "/2015-03-31/functions/function/invocations \"\"");
}

#[tokio::test]
async fn failures_of_functions_are_502_and_say_why() {
    let plane = Plane::start(&[]).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let cases = [
        ("fails", script("exit 3"), 502, "the function ended with exit status: 3."),
        (
            "chatters",
            script("echo hello"),
            502,
            "the function's result is no answer: it must be a JSON object with statusCode",
        ),
        ("absent", json!({"command": ["/nowhere/program"]}), 502, "the function can't be run: No such file"),
        (
            "floods",
            script("head -c 7000000 /dev/zero"),
            502,
            "the function's result has more than 6291456 bytes.",
        ),
        (
            "away",
            json!({"url": format!("http://{nobody}/")}),
            502,
            "calling the function at http://127.0.0.1:",
        ),
    ];
    functions(&plane, &cases.clone().map(|(name, run, ..)| (name, run)));
    for (name, _, expected, sentence) in cases {
        let host = service(&plane, name, LambdaEventStructureVersion::V2).await;
        let (status, _, text) = plane.get(&host, "/", &[]).await;
        assert_eq!(status, expected, "{name}: {text}");
        assert!(text.starts_with(sentence), "{name}: {text}");
    }
    plane.sim.surround(json!({}));
    let host = service(&plane, "unknown", LambdaEventStructureVersion::V2).await;
    let (status, _, text) = plane.get(&host, "/", &[]).await;
    assert_eq!(status, 503);
    assert_eq!(text, format!("The surroundings say nothing of the target {}.\n", arn("unknown")));
}

#[tokio::test]
async fn what_a_program_leaves_running_holds_up_no_answer() {
    let plane = Plane::start(&[]).await;
    functions(&plane, &[("leaves", script(r#"sleep 600 & echo '{"statusCode": 200, "body": "done"}'"#))]);
    let host = service(&plane, "leaves", LambdaEventStructureVersion::V1).await;
    let answer = timeout(Duration::from_secs(10), plane.get(&host, "/", &[])).await.unwrap();
    assert_eq!((answer.0, answer.2.as_str()), (200, "done"));
}

#[tokio::test]
async fn a_body_beyond_6_mb_is_refused_and_one_below_arrives() {
    let plane = Plane::start(&[]).await;
    functions(&plane, &[("count", script(r#"printf '{"statusCode":200,"body":"%s"}' "$(wc -c)""#))]);
    let host = service(&plane, "count", LambdaEventStructureVersion::V1).await;
    for (size, expected) in [(6 << 20, 200), ((6 << 20) + 1, 413)] {
        let stream = TokioIo::new(plane.connect().await);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post("/").header("host", &host).header("content-type", "text/plain");
        let body = Full::new(Bytes::from(vec![b'x'; size]));
        let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
        assert_eq!(response.status(), expected, "{size}");
    }
}

#[tokio::test]
async fn a_program_ends_with_all_that_it_started_when_nobody_waits_for_it_any_more() {
    let plane = Plane::start(&[]).await;
    let file = std::env::temp_dir().join(format!("lath-function-{}", std::process::id()));
    // The shell and what it starts: either would do.
    functions(&plane, &[("sleeps", script(&format!("sleep 600 & echo $! > {}; wait", file.display())))]);
    let host = service(&plane, "sleeps", LambdaEventStructureVersion::V1).await;
    let mut stream = plane.connect().await;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let written = async {
        loop {
            let written = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some(pid) = written.strip_suffix('\n') {
                return pid.to_owned();
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let pid = timeout(Duration::from_secs(10), written).await.unwrap();
    let running = format!("/proc/{pid}/exe");
    assert!(std::fs::read_link(&running).is_ok());
    drop(stream);
    for _ in 0..500 {
        if std::fs::read_link(&running).is_err() {
            std::fs::remove_file(&file).unwrap();
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{pid} still runs");
}
