//! The input of a call, put together from path, query and body.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::model::check::{Problem, prune_members, request};
use crate::model::route::Route;
use crate::model::{Kind, Location, Member};

/// Collects the members of the operation's input and checks them against the model.
///
/// Returns what could be collected in any case, for the log.
pub(crate) fn collect(route: &Route, query: &str, body: &[u8]) -> (Map<String, Value>, Result<(), Refusal>) {
    let members = route.operation.input.members();
    let mut problems = Vec::new();
    let mut input = Map::new();
    if members.iter().any(|member| member.location == Location::Body) && !body.is_empty() {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => input = object,
            Ok(_) => return (input, Err(Refusal::invalid("cannotParse", "the body is not a JSON object"))),
            Err(error) => {
                return (
                    input,
                    Err(Refusal::invalid("cannotParse", format!("the body is not JSON: {error}"))),
                );
            }
        }
        // What belongs into path or query does not count when it stands in the body.
        input.retain(|name, _| {
            members.iter().all(|member| member.name != name || member.location == Location::Body)
        });
    }
    for (name, value) in &route.variables {
        input.insert((*name).to_owned(), Value::String(value.clone()));
    }
    read_query(members, query, &mut input, &mut problems);
    problems.extend(request(route.operation.input, &input));
    prune_members(route.operation.input, &mut input);
    let checked = if problems.is_empty() { Ok(()) } else { Err(Refusal::fields(&problems)) };
    (input, checked)
}

/// Reads the query parameters that the model has; others are passed over.
fn read_query(members: &[Member], query: &str, input: &mut Map<String, Value>, problems: &mut Vec<Problem>) {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(member) =
            members.iter().find(|member| member.location == Location::Query && decode(name) == member.name)
        else {
            continue;
        };
        let value = decode(value);
        let read = match &member.shape.kind {
            Kind::List { .. } => {
                let list = input.entry(member.name).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    items.push(Value::String(value));
                }
                continue;
            }
            Kind::Integer { .. } => value.parse::<i64>().ok().map(Value::from),
            Kind::Boolean => value.parse::<bool>().ok().map(Value::from),
            _ => Some(Value::String(value)),
        };
        match read {
            Some(read) => {
                input.insert(member.name.to_owned(), read);
            }
            None => problems.push(Problem {
                name: member.name.to_owned(),
                message: "cannot be read from the query".to_owned(),
                unreadable: true,
            }),
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
