//! From a route's matches to those of Lattice.

use lath_kubernetes::{gateway::HeaderMatch as RouteHeader, parameters::PathPrefix};
use lattice::{
    limits::{HEADER_VALUE_LENGTH, HEADERS_PER_RULE, PATH_LENGTH},
    rule::{Comparison, HeaderMatch, Match, PathMatch},
};

use crate::gateway::route::{RouteMatch, RoutePath};

/// A match of a route as Lattice has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lowered {
    /// One match, or several that together hold for the same requests.
    pub(super) matches: Vec<Match>,
    /// How specific it is.
    pub(super) weight: Weight,
}

/// How specific a match is, by the standard's order: what is less goes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight {
    /// 0 for a whole path, 1 for its beginning.
    path_kind: u8,
    /// Longer ones first.
    path_length: std::cmp::Reverse<usize>,
    /// Those with a method first.
    any_method: bool,
    /// More headers first.
    headers: std::cmp::Reverse<usize>,
}

/// The characters that a match of a path may hold besides letters and digits. Source: API model, `PathMatchPrefix`.
const PATH_CHARACTERS: &str = "/@:%_+.~#?&=-";

/// Brings a match into Lattice's form.
///
/// # Errors
/// What Lattice can't express, by the path of the field.
pub(super) fn lower(matching: &RouteMatch, prefixes: PathPrefix) -> Result<Lowered, String> {
    let at = &matching.at;
    let (paths, method, path_length) = match &matching.path {
        RoutePath::Http { kind, value } => {
            let paths = http_path(at, kind, value, prefixes)?;
            (paths, matching.method.clone(), value.len())
        }
        RoutePath::Grpc { kind, service, method } => {
            let path = grpc_path(at, kind, service.as_deref(), method.as_deref())?;
            let length = service.as_ref().map_or(0, String::len) + method.as_ref().map_or(0, String::len);
            (vec![path], Some("POST".into()), length)
        }
    };
    for path in &paths {
        check_path(at, path)?;
    }
    let headers = headers(at, &matching.headers)?;
    let weight = Weight {
        path_kind: u8::from(!matches!(paths.as_slice(), [PathMatch::Exact(_)])),
        path_length: std::cmp::Reverse(path_length),
        any_method: method.is_none(),
        headers: std::cmp::Reverse(headers.len()),
    };
    let matches = paths
        .into_iter()
        .map(|path| Match { method: method.clone(), path: Some(path), headers: headers.clone() })
        .collect();
    Ok(Lowered { matches, weight })
}

fn http_path(at: &str, kind: &str, value: &str, prefixes: PathPrefix) -> Result<Vec<PathMatch>, String> {
    Ok(match kind {
        "Exact" => vec![PathMatch::Exact(value.into())],
        "PathPrefix" => {
            let stem = value.trim_end_matches('/');
            match prefixes {
                _ if stem.is_empty() => vec![PathMatch::Prefix("/".into())],
                PathPrefix::Characters => vec![PathMatch::Prefix(value.into())],
                PathPrefix::Elements => {
                    vec![PathMatch::Exact(stem.into()), PathMatch::Prefix(format!("{stem}/"))]
                }
            }
        }
        "RegularExpression" => match plain_expression(value) {
            Some((Comparison::Exact, text)) => vec![PathMatch::Exact(text)],
            Some((Comparison::Prefix, text)) => vec![PathMatch::Prefix(text)],
            _ => {
                return Err(format!(
                    "{at}.path.value {value:?} is a regular expression that VPC Lattice can't express: it knows whole \
                     paths and their beginnings, so write one such as ^/orders.*, or use Exact or PathPrefix"
                ));
            }
        },
        other => {
            return Err(format!("{at}.path.type {other} is not supported: use Exact or PathPrefix"));
        }
    })
}

fn grpc_path(at: &str, kind: &str, service: Option<&str>, method: Option<&str>) -> Result<PathMatch, String> {
    if kind != "Exact" {
        return Err(format!(
            "{at}.method.type {kind} is not supported, because VPC Lattice matches whole paths and their beginnings \
             only: use Exact"
        ));
    }
    match (service, method) {
        (Some(service), Some(method)) => Ok(PathMatch::Exact(format!("/{service}/{method}"))),
        (Some(service), None) => Ok(PathMatch::Prefix(format!("/{service}/"))),
        (None, None) => Ok(PathMatch::Prefix("/".into())),
        (None, Some(_)) => Err(format!(
            "{at}.method.method without a service is not supported, because VPC Lattice can't match the end of a path: \
             set {at}.method.service too"
        )),
    }
}

fn check_path(at: &str, path: &PathMatch) -> Result<(), String> {
    let text = path.text();
    if text.len() > PATH_LENGTH {
        return Err(format!(
            "{at}.path.value is longer than the {PATH_LENGTH} characters that VPC Lattice matches: match a shorter \
             beginning"
        ));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || PATH_CHARACTERS.contains(c);
    match text.chars().find(|c| !legal(*c)) {
        Some(c) => Err(format!(
            "{at}.path.value {text:?} holds {c:?}, which VPC Lattice does not take in a path: it takes letters, digits \
             and {PATH_CHARACTERS}"
        )),
        None => Ok(()),
    }
}

fn headers(at: &str, wanted: &[RouteHeader]) -> Result<Vec<HeaderMatch>, String> {
    let mut headers: Vec<HeaderMatch> = Vec::with_capacity(wanted.len());
    for (index, header) in wanted.iter().enumerate() {
        let at = format!("{at}.headers[{index}]");
        let name = header.name.to_ascii_lowercase();
        // Of several with one name, the first counts. Source: Gateway API, `HTTPRouteMatch.headers`.
        if headers.iter().any(|other| other.name == name) {
            continue;
        }
        let (comparison, value) = match header.type_.as_deref().unwrap_or("Exact") {
            "Exact" => (Comparison::Exact, header.value.clone()),
            "RegularExpression" => plain_expression(&header.value).ok_or_else(|| {
                format!(
                    "{at}.value {:?} is a regular expression that VPC Lattice can't express: it knows whole values, \
                     their beginnings (^text.*) and what they hold (.*text.*)",
                    header.value
                )
            })?,
            other => return Err(format!("{at}.type {other} is not supported: use Exact")),
        };
        if value.is_empty() || value.len() > HEADER_VALUE_LENGTH {
            return Err(format!(
                "{at}.value has to have 1 to {HEADER_VALUE_LENGTH} characters for VPC Lattice"
            ));
        }
        headers.push(HeaderMatch { name, comparison, value });
    }
    if headers.len() > HEADERS_PER_RULE {
        return Err(format!(
            "{at}.headers has {} headers, and VPC Lattice matches {HEADERS_PER_RULE} at most",
            headers.len()
        ));
    }
    headers.sort();
    Ok(headers)
}

/// Reads a regular expression that plainly is a text, a beginning or something to be held: `text`, `^text.*`, `.*text.*`.
/// The expression has to match the whole, as most implementations of Gateway API have it.
fn plain_expression(expression: &str) -> Option<(Comparison, String)> {
    let (open_start, rest) = match expression.strip_prefix(".*") {
        Some(rest) => (true, rest),
        None => (false, expression.strip_prefix('^').unwrap_or(expression)),
    };
    let (open_end, rest) = match rest.strip_suffix(".*") {
        Some(rest) if !rest.ends_with('\\') => (true, rest),
        _ => (false, rest.strip_suffix('$').filter(|rest| !rest.ends_with('\\')).unwrap_or(rest)),
    };
    let text = literal(rest)?;
    match (open_start, open_end) {
        (false, false) => Some((Comparison::Exact, text)),
        (false, true) => Some((Comparison::Prefix, text)),
        (true, true) => Some((Comparison::Contains, text)),
        // What a value ends with can't be expressed.
        (true, false) => None,
    }
}

/// The text that an expression without any operators stands for.
fn literal(expression: &str) -> Option<String> {
    let mut text = String::with_capacity(expression.len());
    let mut characters = expression.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.push(characters.next().filter(|next| !next.is_alphanumeric())?),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return None,
            plain => text.push(plain),
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_are_plainly_a_text() {
        for (expression, expected) in [
            ("abc", Some((Comparison::Exact, "abc"))),
            ("^abc$", Some((Comparison::Exact, "abc"))),
            ("^abc.*", Some((Comparison::Prefix, "abc"))),
            ("abc.*", Some((Comparison::Prefix, "abc"))),
            (".*abc.*", Some((Comparison::Contains, "abc"))),
            (r"v1\.2.*", Some((Comparison::Prefix, "v1.2"))),
            (r"a\.*", None),
            (".*abc", None),
            ("a.c", None),
            (r"a\d", None),
            ("[ab]", None),
            (".*", None),
            ("", None),
            (r"abc\", None),
        ] {
            let expected = expected.map(|(comparison, text)| (comparison, text.to_owned()));
            assert_eq!(plain_expression(expression), expected, "{expression}");
        }
    }
}
