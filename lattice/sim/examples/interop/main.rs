//! The scenario of `cargo xtask interop` through the AWS SDK for Rust: prints what came of each step as JSON.
//!
//! It is called with the scenario's file and reads the simulator's first line from standard input.

#![expect(clippy::expect_used, clippy::panic, reason = "a broken scenario ends the program")]

mod calls;
mod shapes;

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_sdk_vpclattice::Client;
use aws_sdk_vpclattice::config::retry::RetryConfig;
use aws_sdk_vpclattice::config::{BehaviorVersion, Region};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client as Http;
use hyper_util::rt::TokioExecutor;
use lattice_sim::{Account, Ready};
use serde_json::Value;

fn client(ready: &Ready, account: &Account) -> Client {
    let config = aws_sdk_vpclattice::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(ready.region.clone()))
        .endpoint_url(&ready.endpoint)
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new(
            account.access_key_id.clone(),
            account.secret_access_key.clone(),
            None,
            None,
            "simulator",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// The value with what was saved in the place of `${name}`.
fn filled(value: &Value, saved: &BTreeMap<String, String>) -> Value {
    let text = |text: &str| {
        saved.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
    };
    match value {
        Value::String(value) => Value::String(text(value)),
        Value::Array(items) => items.iter().map(|item| filled(item, saved)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (text(name), filled(value, saved))).collect()
        }
        other => other.clone(),
    }
}

/// Tells the simulator something over its admin endpoints.
async fn put(endpoint: &str, path: &str, body: &Value) {
    let request = http::Request::put(format!("{endpoint}{path}"));
    let request = request.body(Full::new(Bytes::from(body.to_string()))).expect("the path is one");
    let http = Http::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let answer = http.request(request).await.expect("the simulator answers");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let file = std::env::args().nth(1).expect("the scenario's file is the argument");
    let scenario = std::fs::read(&file).expect("the scenario can be read");
    let scenario: Vec<Value> = serde_json::from_slice(&scenario).expect("the scenario is a list of steps");
    let ready = std::io::read_to_string(std::io::stdin()).expect("standard input can be read");
    let ready: Ready = serde_json::from_str(&ready).expect("standard input is the simulator's first line");
    let clients: Vec<Client> = ready.accounts.iter().map(|account| client(&ready, account)).collect();
    let mut saved = BTreeMap::new();
    let mut results = Vec::new();
    for step in &scenario {
        if let Some(path) = step["put"].as_str() {
            put(&ready.endpoint, path, &filled(&step["body"], &saved)).await;
            results.push(Value::Null);
            continue;
        }
        let account = step["account"].as_u64().unwrap_or_default();
        let client = usize::try_from(account).ok().and_then(|account| clients.get(account));
        let client = client.expect("the simulator has the step's account");
        let operation = step["operation"].as_str().expect("a step has an operation");
        let result = calls::call(client, operation, &filled(&step["input"], &saved)).await;
        for (name, path) in step["save"].as_object().into_iter().flatten() {
            let pointer = format!("/{}", path.as_str().unwrap_or_default().replace('.', "/"));
            let value = result.pointer(&pointer).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("{operation}: nothing to save at {path}: {result}"));
            saved.insert(name.clone(), value.to_owned());
        }
        results.push(result);
    }
    println!("{}", Value::from(results));
}
