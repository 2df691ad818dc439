//! The admin endpoints under `/_sim/`: what [`Simulator`] offers tests, over HTTP in JSON.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::MAX_ADVANCE;
use crate::faults::Fault;
use crate::inspect::SetTarget;
use crate::settings::Settings;
use crate::simulator::{MOST_BODY_BYTES, Simulator};

/// The endpoints, for the answer to a request for none of them.
const ENDPOINTS: &str = "GET /_sim/calls, POST /_sim/calls/reset, GET /_sim/log?after=N, \
                         GET /_sim/access-log?after=N, GET|PUT /_sim/faults, PUT /_sim/targets, \
                         GET|PUT /_sim/settings, GET|PUT /_sim/surroundings, GET|POST /_sim/clock, GET /_sim/state, \
                         POST /_sim/reset, GET /_sim/ready, and with a data plane GET /_sim/ca.pem";

/// Why a request is refused: status and a sentence.
type Refusal = (StatusCode, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: f64,
}

/// Answers a request to an admin endpoint.
pub(crate) fn answer(simulator: &Simulator, request: &Request<Bytes>) -> Response<Bytes> {
    if request.uri().path() == "/_sim/ca.pem"
        && let Some(pem) = simulator.authority()
    {
        let mut response = Response::new(Bytes::from(pem));
        let kind = HeaderValue::from_static("application/x-pem-file");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        return response;
    }
    let served = if request.body().len() > MOST_BODY_BYTES {
        let message =
            format!("the body has more than {MOST_BODY_BYTES} bytes, which is the most that is read");
        Err((StatusCode::PAYLOAD_TOO_LARGE, message))
    } else {
        serve(simulator, request)
    };
    let (status, body) = match served {
        Ok(body) => (StatusCode::OK, body),
        Err((status, message)) => (status, json!({"message": message})),
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn serve(simulator: &Simulator, request: &Request<Bytes>) -> Result<Value, Refusal> {
    let path = request.uri().path().strip_prefix("/_sim/").unwrap_or_default();
    let done = Ok(json!({}));
    match (request.method(), path) {
        (&Method::GET, "calls") => Ok(json!(simulator.calls())),
        (&Method::POST, "calls/reset") => {
            simulator.reset_calls();
            done
        }
        (&Method::GET, "log") => show(&simulator.log(after(request)?)),
        (&Method::GET, "access-log") => show(&simulator.access_log(after(request)?)),
        (&Method::GET, "faults") => show(&simulator.faults()),
        (&Method::PUT, "faults") => {
            simulator.set_faults(read::<Vec<Fault>>(request)?).map_err(|error| bad(error.to_string()))?;
            done
        }
        (&Method::PUT, "targets") => {
            let set: SetTarget = read(request)?;
            simulator.set_target(&set).map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))?;
            done
        }
        (&Method::GET, "settings") => Ok(settings(&simulator.settings())),
        (&Method::PUT, "settings") => {
            let changes: Map<String, Value> = read(request)?;
            let changes: Vec<(String, String)> = changes
                .into_iter()
                .map(|(name, value)| Ok((name, text(value)?)))
                .collect::<Result<_, Refusal>>()?;
            simulator
                .change_settings(changes.iter().map(|(name, value)| (name.as_str(), value.as_str())))
                .map_err(|error| bad(error.to_string()))?;
            done
        }
        (&Method::GET, "surroundings") => show(&*simulator.surroundings()),
        (&Method::PUT, "surroundings") => {
            simulator.put_surroundings(read(request)?).map_err(|error| bad(error.to_string()))?;
            done
        }
        (&Method::POST, "clock") => {
            let Advance { advance_seconds } = read(request)?;
            if !(0.0..=MAX_ADVANCE.as_secs_f64()).contains(&advance_seconds) {
                return Err(bad(format!("advance_seconds is from 0 to {}", MAX_ADVANCE.as_secs())));
            }
            simulator.advance(Duration::from_secs_f64(advance_seconds));
            Ok(json!({"time": simulator.time()}))
        }
        (&Method::GET, "clock") => Ok(json!({"time": simulator.time()})),
        (&Method::POST, "reset") => {
            simulator.reset();
            done
        }
        (&Method::GET, "ready") => {
            let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
            show(&simulator.ready(&format!("http://{}", host.unwrap_or_default())))
        }
        (&Method::GET, "ca.pem") => {
            Err((StatusCode::NOT_FOUND, "only a simulator with --data-plane has an authority".to_owned()))
        }
        (&Method::GET, "state") => show(&simulator.state()),
        (method, _) => Err((
            StatusCode::NOT_FOUND,
            format!("there is no {method} {}; there are {ENDPOINTS}", request.uri().path()),
        )),
    }
}

fn bad(message: String) -> Refusal {
    (StatusCode::BAD_REQUEST, message)
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refusal> {
    serde_json::from_slice(request.body())
        .map_err(|error| bad(format!("the body must be JSON of the documented form: {error}")))
}

fn show<T: Serialize>(value: &T) -> Result<Value, Refusal> {
    serde_json::to_value(value).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// The query parameter `after`, 0 without one.
fn after(request: &Request<Bytes>) -> Result<u64, Refusal> {
    match request.uri().query() {
        None | Some("") => Ok(0),
        Some(query) => query
            .strip_prefix("after=")
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| bad(format!("the query {query} can't be read, it must be after=N"))),
    }
}

/// Settings as a JSON object, numbers as numbers.
fn settings(settings: &Settings) -> Value {
    let value = |text: String| text.parse::<serde_json::Number>().map_or(Value::String(text), Value::Number);
    settings
        .list()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), value(text)))
        .collect::<Map<_, _>>()
        .into()
}

/// A setting's value as text.
fn text(value: Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(on) => Ok(if on { "on" } else { "off" }.to_owned()),
        other => Err(bad(format!("a setting's value is a string, a number or a boolean, not {other}"))),
    }
}
