//! The neighbours of VPC Lattice on the same port: the few operations of other AWS services that its clients call.
//!
//! Each is told by the protocol it speaks: a header `x-amz-target`, a form with `Action`, or a path of its own.

mod acm;
mod cloudmap;
mod ec2;
mod eks_auth;
mod protocol;
mod ram;
mod sts;
mod tagging;

use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Map, Value};

use crate::account::Caller;
use crate::clock::{Clock, SimTime};
use crate::settings::Settings;
use crate::state::State;
use crate::surroundings::Surroundings;
pub(crate) use protocol::Protocol;

/// What stands for an operation that no neighbour serves in counts and log.
const UNKNOWN: &str = "UnknownOperation";

/// What an operation of a neighbour is called with.
pub(crate) struct Ask<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) input: &'a Map<String, Value>,
    pub(crate) now: SimTime,
    pub(crate) clock: &'a Clock,
    pub(crate) settings: &'a Settings,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) region: &'a str,
}

/// Why a neighbour refuses a call.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) status: u16,
}

impl Error {
    /// An error with the status 400, as most have.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 400 }
    }
}

/// Serves one operation: the answer's members, or why it is refused.
type Serve = fn(&mut State, &Ask<'_>) -> Result<Value, Error>;

/// An operation that a neighbour serves.
struct Served {
    /// Its name on the wire, or its path where it has one of its own.
    name: &'static str,
    /// Its name in counts, log and fault rules, with the neighbour's.
    full: &'static str,
    serve: Serve,
}

const fn served(name: &'static str, full: &'static str, serve: Serve) -> Served {
    Served { name, full, serve }
}

/// A request to a neighbour, taken apart.
pub(crate) struct Asked {
    /// The operation's name in counts and log.
    pub(crate) operation: &'static str,
    pub(crate) input: Map<String, Value>,
    pub(crate) protocol: Protocol,
    /// The name that signatures of the neighbour carry, `None` where the operation needs no signature.
    pub(crate) signing_name: Option<&'static str>,
    serve: Result<Serve, Error>,
}

/// Neighbours that are told by the header `x-amz-target`: what stands before its dot, their signing name, operations.
const BY_TARGET: [(&str, &str, &[Served]); 3] = [
    ("ResourceGroupsTaggingAPI_20170126", "tagging", &tagging::OPERATIONS),
    ("CertificateManager", "acm", &acm::OPERATIONS),
    ("Route53AutoNaming_v20170314", "servicediscovery", &cloudmap::OPERATIONS),
];

/// The operations of all neighbours, by their names in counts, log and fault rules.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    let by_target = BY_TARGET.iter().flat_map(|(_, _, operations)| operations.iter());
    let others = ram::OPERATIONS.iter().chain(&sts::OPERATIONS).chain(&ec2::OPERATIONS);
    by_target.chain(others).map(|operation| operation.full).chain([eks_auth::OPERATION])
}

/// Takes a request apart if it is for a neighbour.
pub(crate) fn read(request: &Request<Bytes>) -> Option<Asked> {
    if let Some(target) = request.headers().get("x-amz-target") {
        return Some(by_target(target.to_str().unwrap_or_default(), request.body()));
    }
    let path = request.uri().path();
    if request.method() != Method::POST {
        return None;
    }
    if path == "/" {
        let form = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
        return form.starts_with("application/x-www-form-urlencoded").then(|| by_action(request.body()));
    }
    if let Some(cluster) = eks_auth::cluster(path) {
        let (mut input, malformed) = json(request.body());
        input.insert("clusterName".to_owned(), Value::String(cluster));
        return Some(Asked {
            operation: eks_auth::OPERATION,
            input,
            protocol: Protocol::Rest,
            signing_name: None,
            serve: malformed.map_or(Ok(eks_auth::assume_role), Err),
        });
    }
    let found = ram::OPERATIONS.iter().find(|operation| operation.name == path)?;
    let (input, malformed) = json(request.body());
    Some(Asked {
        operation: found.full,
        input,
        protocol: Protocol::Rest,
        signing_name: Some("ram"),
        serve: malformed.map_or(Ok(found.serve), Err),
    })
}

fn by_target(target: &str, body: &[u8]) -> Asked {
    let (service, name) = target.split_once('.').unwrap_or((target, ""));
    let neighbour = BY_TARGET.iter().find(|(prefix, ..)| *prefix == service);
    let found = neighbour.and_then(|(_, _, operations)| operations.iter().find(|served| served.name == name));
    let (input, malformed) = json(body);
    Asked {
        operation: found.map_or(UNKNOWN, |found| found.full),
        input,
        protocol: Protocol::Json,
        signing_name: neighbour.map(|(_, signing_name, _)| *signing_name),
        serve: match (found, malformed) {
            (None, _) => Err(unknown(target)),
            (Some(_), Some(error)) => Err(error),
            (Some(found), None) => Ok(found.serve),
        },
    }
}

fn by_action(body: &[u8]) -> Asked {
    let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let action = field("Action").unwrap_or_default();
    let of_sts = sts::OPERATIONS.iter().find(|operation| operation.name == action);
    let of_ec2 = ec2::OPERATIONS.iter().find(|operation| operation.name == action);
    let (found, protocol, signing_name) = match (of_sts, of_ec2) {
        (Some(found), _) => (Some(found), Protocol::Query(found.name), sts::signing_name(found.name)),
        (None, Some(found)) => (Some(found), Protocol::Ec2(found.name), Some("ec2")),
        (None, None) if field("Version") == Some(ec2::VERSION) => (None, Protocol::Ec2(UNKNOWN), Some("ec2")),
        (None, None) => (None, Protocol::Query(UNKNOWN), Some("sts")),
    };
    Asked {
        operation: found.map_or(UNKNOWN, |found| found.full),
        protocol,
        signing_name,
        serve: found.map(|found| found.serve).ok_or_else(|| unknown(action)),
        input: fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect(),
    }
}

fn unknown(name: &str) -> Error {
    if name.is_empty() {
        let message = "The request names no operation, as Action or in the header x-amz-target.";
        return Error::new("UnknownOperationException", message.to_owned());
    }
    Error::new("UnknownOperationException", format!("{name} is not served by this simulator."))
}

/// The members of a JSON body; none at all are an empty body.
fn json(body: &[u8]) -> (Map<String, Value>, Option<Error>) {
    if body.is_empty() {
        return (Map::new(), None);
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => (members, None),
        Ok(_) => (Map::new(), Some(Error::new("SerializationException", "The body is not a JSON object."))),
        Err(error) => (
            Map::new(),
            Some(Error::new("SerializationException", format!("The body is not JSON: {error}."))),
        ),
    }
}

impl Asked {
    /// Serves the request.
    pub(crate) fn serve(&self, state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
        let serve = self.serve.as_ref().map_err(Clone::clone)?;
        serve(state, ask)
    }
}

impl Ask<'_> {
    /// A string of the input, empty where there is none.
    fn text(&self, member: &str) -> &str {
        self.input.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// A string that has to be there.
    fn required(&self, member: &str) -> Result<&str, Error> {
        match self.text(member) {
            "" => Err(Error::new("ValidationException", format!("{member} must be present."))),
            text => Ok(text),
        }
    }

    /// A list of strings.
    fn texts(&self, member: &str) -> Vec<&str> {
        let items = self.input.get(member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).collect()
    }

    /// A time as JSON protocols write it: seconds since 1970.
    fn epoch(&self, time: SimTime) -> Value {
        Value::from(self.clock.epoch_seconds(time))
    }

    /// A page of items: where it begins and how many it has, by the names that the neighbour gives these members.
    ///
    /// Tokens are places in the list, which is enough for lists that are short.
    fn page<T>(
        &self,
        items: Vec<T>,
        token: &str,
        size: &str,
        most: usize,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let start = match self.text(token) {
            "" => 0,
            text => text.parse::<usize>().ok().filter(|start| *start <= items.len()).ok_or_else(|| {
                Error::new("InvalidNextTokenException", format!("{token} is not one of ours."))
            })?,
        };
        let wanted = self.input.get(size).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let size = wanted.filter(|size| *size > 0).unwrap_or(most).min(most);
        let more = items.len() > start + size;
        let page = items.into_iter().skip(start).take(size).collect();
        Ok((page, more.then(|| (start + size).to_string())))
    }
}
