//! Lambda targets: a request becomes an event, and what the function makes of it an answer.
//!
//! Source of the events, the answer and the limits: VPC Lattice user guide, Lambda functions as targets. Assumed: query
//! parameters are decoded, and a request without a body has an empty one in its event.

use std::collections::BTreeMap;
use std::io;
use std::process::{ExitStatus, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::surroundings::Run;

use super::connections::Sent;
use super::decide::Forward;

/// Most bytes of a request's body and of a function's result: 6 MB.
const MOST_BYTES: usize = 6 << 20;
/// Most functions that run at a time; more wait.
const MOST_RUNS: usize = 64;
/// Most requests whose bodies are held for functions, those that run included; more wait before their bodies are read.
const MOST_HELD: usize = 128;

/// A function as a target.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) run: Run,
    /// Whether its events are of version 2.0.
    pub(super) second: bool,
    /// The time of the request in microseconds since 1970.
    pub(super) epoch: i64,
}

/// Runs functions.
#[derive(Debug)]
pub(super) struct Functions {
    held: Semaphore,
    running: Semaphore,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Why a function gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the request's body has more than {MOST_BYTES} bytes, which is the most that a function gets")]
    RequestTooLong,
    #[error("the request's body broke off")]
    RequestBroken,
    #[error("the function can't be run: {0}")]
    Run(#[from] io::Error),
    #[error("the function ended with {0}")]
    Ended(ExitStatus),
    #[error("calling the function at {url}: {}", causes(source))]
    Call { url: String, source: hyper_util::client::legacy::Error },
    #[error("the function's endpoint answers {0}")]
    Status(StatusCode),
    #[error("the function's result has more than {MOST_BYTES} bytes")]
    ResultTooLong,
    #[error("the function's result broke off")]
    ResultBroken,
    #[error("the function's result is no answer: {0}")]
    Result(String),
}

/// An error with all that caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl Error {
    /// The status, where the settings have nothing to say about it.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::RequestTooLong => Some(413),
            Self::RequestBroken => Some(400),
            _ => None,
        }
    }

    /// What access logs call it.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::RequestTooLong | Self::RequestBroken => "ClientError",
            _ => "FunctionError",
        }
    }
}

impl Default for Functions {
    fn default() -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { held: Semaphore::new(MOST_HELD), running: Semaphore::new(MOST_RUNS), client }
    }
}

impl Functions {
    /// Has a function answer a request. When the future is dropped, a program that runs for it is ended, with all that it
    /// started.
    pub(super) async fn invoke(
        &self,
        function: &Function,
        forward: &Forward,
        head: &Parts,
        body: Sent,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let Ok(_held) = self.held.acquire().await else { return Err(Error::ResultBroken) };
        let body = read(body, Error::RequestTooLong, Error::RequestBroken).await?;
        let event =
            if function.second { second(forward, head, &body, function.epoch) } else { first(head, &body) };
        let event = event.to_string();
        let Ok(_running) = self.running.acquire().await else { return Err(Error::ResultBroken) };
        let result = match &function.run {
            Run::Command(command) => run(command, event.as_bytes()).await?,
            Run::Url(url) => self.post(url, event).await?,
        };
        answer(&result)
    }

    async fn post(&self, url: &str, event: String) -> Result<Bytes, Error> {
        let request = Request::post(url).header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Full::from(event)).map_err(|error| Error::Result(error.to_string()))?;
        let called = self.client.request(request).await;
        let response = called.map_err(|source| Error::Call { url: url.to_owned(), source })?;
        if !response.status().is_success() {
            return Err(Error::Status(response.status()));
        }
        read(response.into_body(), Error::ResultTooLong, Error::ResultBroken).await
    }
}

/// Reads a body as a whole.
async fn read<B>(body: B, too_long: Error, broken: Error) -> Result<Bytes, Error>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, MOST_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_long),
        Err(_) => Err(broken),
    }
}

/// Runs a program with the event on standard input: what it prints.
async fn run(command: &[String], event: &[u8]) -> Result<Bytes, Error> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let write = async {
        if let Some(mut input) = input {
            // A program need not read its event.
            let _unread = input.write_all(event).await;
        }
    };
    let mut printed = Vec::new();
    let read = async {
        match output {
            Some(output) => output.take(MOST_BYTES as u64 + 1).read_to_end(&mut printed).await,
            None => Ok(0),
        }
    };
    // What a program leaves running in the background would keep its output open.
    let ended = async {
        let status = child.wait().await;
        drop(group);
        status
    };
    let ((), read, status) = tokio::join!(write, read, ended);
    if read? > MOST_BYTES {
        return Err(Error::ResultTooLong);
    }
    let status = status?;
    if status.success() { Ok(printed.into()) } else { Err(Error::Ended(status)) }
}

/// A program with all that it started, which ends when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The body as text where its type says that it is, in base64 else.
fn body_of(headers: &HeaderMap, body: &[u8]) -> (String, bool) {
    const TEXTS: [&str; 3] = ["application/json", "application/javascript", "application/xml"];
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = !headers.contains_key(header::CONTENT_ENCODING)
        && (kind.starts_with("text/") || TEXTS.contains(&kind.as_str()));
    match std::str::from_utf8(body) {
        Ok(text) if is_text || body.is_empty() => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

/// All values of each name, in order.
fn by_name(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut by_name = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in pairs {
        by_name.entry(name).or_default().push(value);
    }
    by_name
}

fn headers_of(head: &Parts) -> BTreeMap<String, Vec<String>> {
    by_name(head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    }))
}

fn query_of(head: &Parts) -> BTreeMap<String, Vec<String>> {
    by_name(form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned())
}

/// An event of version 1: values of one header are joined, the last of one query parameter counts.
fn first(head: &Parts, body: &[u8]) -> Value {
    let (body, encoded) = body_of(&head.headers, body);
    let headers = headers_of(head).into_iter().map(|(name, values)| (name, values.join(", ")));
    let query = query_of(head).into_iter().filter_map(|(name, mut values)| Some((name, values.pop()?)));
    json!({
        "raw_path": head.uri.path(),
        "method": head.method.as_str(),
        "headers": headers.collect::<BTreeMap<_, _>>(),
        "query_string_parameters": query.collect::<BTreeMap<_, _>>(),
        "body": body,
        "is_base64_encoded": encoded,
    })
}

/// An event of version 2.
fn second(forward: &Forward, head: &Parts, body: &[u8], epoch: i64) -> Value {
    let (body, encoded) = body_of(&head.headers, body);
    let mut identity = serde_json::Map::new();
    if let Some(vpc) = &forward.vpc_arn {
        identity.insert("sourceVpcArn".to_owned(), json!(vpc));
    }
    if let Some(principal) = &forward.principal {
        identity.insert("type".to_owned(), json!("AWS_IAM"));
        identity.insert("principal".to_owned(), json!(principal));
    }
    json!({
        "version": "2.0",
        "path": head.uri.path(),
        "method": head.method.as_str(),
        "headers": headers_of(head),
        "queryStringParameters": query_of(head),
        "body": body,
        "isBase64Encoded": encoded,
        "requestContext": {
            "serviceNetworkArn": forward.network_arn,
            "serviceArn": forward.service_arn,
            "targetGroupArn": forward.group_arn,
            "identity": identity,
            "region": forward.service_arn.split(':').nth(3),
            "timeEpoch": epoch.to_string(),
        },
    })
}

/// What a function returns.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Returned {
    #[serde(alias = "status_code")]
    status_code: Value,
    headers: Option<BTreeMap<String, Value>>,
    body: Option<String>,
    #[serde(alias = "is_base64_encoded", rename = "isBase64Encoded")]
    encoded: Option<bool>,
}

/// The answer that a function returned.
fn answer(result: &[u8]) -> Result<Response<Full<Bytes>>, Error> {
    let wrong = |problem: String| Error::Result(problem);
    let returned: Returned = serde_json::from_slice(result)
        .map_err(|error| wrong(format!("it must be a JSON object with statusCode: {error}")))?;
    let status = match &returned.status_code {
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let status = status.filter(|status| (200..=599).contains(status));
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status =
        status.ok_or_else(|| wrong(format!("statusCode {} is not from 200 to 599", returned.status_code)))?;
    let body = returned.body.unwrap_or_default();
    let body = if returned.encoded.unwrap_or_default() {
        Bytes::from(STANDARD.decode(body).map_err(|error| wrong(format!("its body is not base64: {error}")))?)
    } else {
        Bytes::from(body)
    };
    // Source: RFC 9110, section 6.4.1.
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = Response::new(Full::new(if bodiless { Bytes::new() } else { body }));
    *response.status_mut() = status;
    for (name, value) in returned.headers.unwrap_or_default() {
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed = parsed.map_err(|_invalid| wrong(format!("{name:?} is no name of a header")))?;
        // The length is that of the body, whatever is said.
        if parsed == header::CONTENT_LENGTH {
            continue;
        }
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let value = HeaderValue::from_str(&text);
            let value =
                value.map_err(|_invalid| wrong(format!("header {name} can't have the value {text:?}")))?;
            response.headers_mut().append(parsed.clone(), value);
        }
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::decide::{Statuses, To};

    fn head(uri: &str, headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn events_of_both_versions_have_their_documented_form() {
        let head =
            head("/a%20b?x=1&x=%202&y", &[("accept", "a"), ("accept", "b"), ("content-type", "text/plain")]);
        let expected = json!({
            "raw_path": "/a%20b", "method": "GET",
            "headers": {"accept": "a, b", "content-type": "text/plain"},
            "query_string_parameters": {"x": " 2", "y": ""},
            "body": "hello", "is_base64_encoded": false,
        });
        assert_eq!(first(&head, b"hello"), expected);
        let forward = Forward {
            service_arn: "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-1".to_owned(),
            network_arn: Some("network".to_owned()),
            group_arn: "group".to_owned(),
            vpc_arn: Some("vpc".to_owned()),
            principal: Some("user".to_owned()),
            to: To::Function(Function { run: Run::Command(Vec::new()), second: true, epoch: 0 }),
            idle: std::time::Duration::ZERO,
            separator: ";",
            statuses: Statuses { connect_failure: 503, function_failure: 502, timeout: 504 },
        };
        let expected = json!({
            "version": "2.0", "path": "/a%20b", "method": "GET",
            "headers": {"accept": ["a", "b"], "content-type": ["text/plain"]},
            "queryStringParameters": {"x": ["1", " 2"], "y": [""]},
            "body": "hello", "isBase64Encoded": false,
            "requestContext": {
                "serviceNetworkArn": "network", "serviceArn": forward.service_arn, "targetGroupArn": "group",
                "identity": {"sourceVpcArn": "vpc", "type": "AWS_IAM", "principal": "user"},
                "region": "us-west-2", "timeEpoch": "1690497599177430",
            },
        });
        assert_eq!(second(&forward, &head, b"hello", 1_690_497_599_177_430), expected);
    }

    #[test]
    fn bodies_are_text_where_their_type_says_so() {
        const PLAIN: (&str, &str) = ("content-type", "text/plain");
        check_body(&[], b"", "", false);
        check_body(&[], b"hi", "aGk=", true);
        check_body(&[("content-type", "text/html; charset=utf-8")], b"hi", "hi", false);
        check_body(&[("content-type", "Application/JSON")], b"{}", "{}", false);
        check_body(&[("content-type", "application/octet-stream")], b"hi", "aGk=", true);
        check_body(&[PLAIN, ("content-encoding", "gzip")], b"hi", "aGk=", true);
        check_body(&[PLAIN], b"\xff", "/w==", true);
    }

    fn check_body(headers: &[(&'static str, &'static str)], body: &[u8], expected: &str, encoded: bool) {
        let got = body_of(&head("/", headers).headers, body);
        assert_eq!(got, (expected.to_owned(), encoded), "{headers:?}");
    }

    #[tokio::test]
    async fn results_become_answers_and_what_is_none_is_refused() {
        let good = json!({
            "statusCode": 201, "headers": {"x-one": "1", "x-many": ["a", "b"], "content-length": "99"},
            "body": "aGk=", "isBase64Encoded": true, "statusDescription": "201 Created",
        });
        let response = answer(good.to_string().as_bytes()).unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers().get_all("x-many").iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(!response.headers().contains_key("content-length"));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hi");
        let spare = br#"{"statusCode": "204", "headers": null, "body": null, "isBase64Encoded": null}"#;
        assert_eq!(answer(spare).unwrap().status(), 204);
        for (result, problem) in [
            ("", "EOF"),
            ("null", "null"),
            (r#"{"errorMessage": "oops"}"#, "statusCode"),
            (r#"{"statusCode": 99}"#, "not from 200 to 599"),
            (r#"{"statusCode": 70000}"#, "not from 200 to 599"),
            (r#"{"statusCode": 200, "body": "?", "isBase64Encoded": true}"#, "not base64"),
            (r#"{"statusCode": 200, "headers": {"a b": "c"}}"#, "no name of a header"),
            (r#"{"statusCode": 200, "headers": {"a": "b\nc"}}"#, "can't have the value"),
        ] {
            let error = answer(result.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(problem), "{result}: {error}");
        }
    }
}
