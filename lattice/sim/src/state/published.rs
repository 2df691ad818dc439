//! What the data plane knows of a service: its listeners with their rules, ready to be matched, some time behind the
//! control plane.

use std::sync::Arc;

use serde_json::Value;

use super::service::{Action, ListenerProtocol, Rule, Service};

/// A listener as the data plane has it.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The listener's id.
    pub(crate) id: String,
    pub(crate) port: u16,
    pub(crate) protocol: ListenerProtocol,
    /// In order of priority, the default rule last.
    rules: Vec<(Condition, Arc<Taken>)>,
}

/// What a rule does with the requests that it matches.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The rule's id.
    pub(crate) rule: String,
    pub(crate) action: Doing,
}

/// The action of a rule.
#[derive(Debug)]
pub(crate) enum Doing {
    /// Ids of target groups with their weights.
    Forward(Vec<(String, u64)>),
    /// A status.
    Fixed(u16),
}

/// What a rule matches. Without any part it matches everything.
#[derive(Debug, Default)]
struct Condition {
    method: Option<String>,
    path: Option<Text>,
    /// Names in lower case.
    headers: Vec<(String, Text)>,
}

/// A text to compare with.
#[derive(Debug)]
struct Text {
    kind: Comparison,
    wanted: String,
    case_sensitive: bool,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Exact,
    Prefix,
    Contains,
}

impl Listening {
    /// The listeners of a service.
    pub(crate) fn of(service: &Service) -> Arc<[Self]> {
        let listeners = service.listeners.rows().map(|listener| {
            let mut rules: Vec<&Rule> = listener.rules.rows().collect();
            rules.sort_by_key(|rule| rule.priority.unwrap_or(u16::MAX));
            let rules = rules.into_iter().map(|rule| {
                let taken = Taken { rule: rule.id.clone(), action: Doing::of(&rule.action) };
                (rule.matches.as_ref().map(Condition::of).unwrap_or_default(), Arc::new(taken))
            });
            let (id, port, protocol) = (listener.id.clone(), listener.port, listener.protocol);
            Self { id, port, protocol, rules: rules.collect() }
        });
        listeners.collect()
    }

    /// What the first rule that matches does. The default rule matches everything.
    pub(crate) fn take(&self, method: &str, path: &str, headers: &http::HeaderMap) -> Option<&Arc<Taken>> {
        let found = self.rules.iter().find(|(condition, _)| condition.matches(method, path, headers));
        found.map(|(_, taken)| taken)
    }

    /// The default rule's doing, for traffic that is not looked into.
    pub(crate) fn default(&self) -> Option<&Arc<Taken>> {
        self.rules.last().map(|(_, taken)| taken)
    }
}

impl Doing {
    fn of(action: &Action) -> Self {
        if let Some(status) = action.0["fixedResponse"]["statusCode"].as_u64() {
            return Self::Fixed(u16::try_from(status).unwrap_or(500));
        }
        let groups = action.0["forward"]["targetGroups"].as_array().into_iter().flatten();
        let groups = groups.filter_map(|group| {
            let id = group["targetGroupIdentifier"].as_str()?.to_owned();
            Some((id, group["weight"].as_u64().unwrap_or_default()))
        });
        Self::Forward(groups.collect())
    }
}

impl Condition {
    fn of(matches: &Value) -> Self {
        let http = &matches["httpMatch"];
        let headers = http["headerMatches"].as_array().into_iter().flatten();
        Self {
            method: http["method"].as_str().filter(|method| !method.is_empty()).map(str::to_owned),
            path: Text::of(&http["pathMatch"]),
            headers: headers
                .filter_map(|header| Some((header["name"].as_str()?.to_lowercase(), Text::of(header)?)))
                .collect(),
        }
    }

    fn matches(&self, method: &str, path: &str, headers: &http::HeaderMap) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.path.as_ref().is_none_or(|text| text.matches(path))
            && self.headers.iter().all(|(name, text)| {
                let mut values = headers.get_all(name.as_str()).iter();
                values.any(|value| value.to_str().is_ok_and(|value| text.matches(value)))
            })
    }
}

impl Text {
    fn of(given: &Value) -> Option<Self> {
        let (kind, text) = given["match"].as_object()?.iter().next()?;
        let kind = match kind.as_str() {
            "exact" => Comparison::Exact,
            "prefix" => Comparison::Prefix,
            _ => Comparison::Contains,
        };
        let case_sensitive = given["caseSensitive"].as_bool().unwrap_or_default();
        let text = text.as_str()?;
        let text = if case_sensitive { text.to_owned() } else { text.to_lowercase() };
        Some(Self { kind, wanted: text, case_sensitive })
    }

    fn matches(&self, value: &str) -> bool {
        let compare = |value: &str| match self.kind {
            Comparison::Exact => value == self.wanted,
            Comparison::Prefix => value.starts_with(&self.wanted),
            Comparison::Contains => value.contains(&self.wanted),
        };
        if self.case_sensitive { compare(value) } else { compare(&value.to_lowercase()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(matches: &Value, method: &str, path: &str, headers: &[(&'static str, &str)], expected: bool) {
        let headers: http::HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let matched = Condition::of(matches).matches(method, path, &headers);
        assert_eq!(matched, expected, "{matches} {method} {path} {headers:?}");
    }

    #[test]
    fn rules_match_method_path_and_headers() {
        let exact = json!({"httpMatch": {"pathMatch": {"match": {"exact": "/a"}, "caseSensitive": true}}});
        check(&exact, "GET", "/a", &[], true);
        check(&exact, "GET", "/A", &[], false);
        check(&exact, "GET", "/a/", &[], false);
        let prefix = json!({"httpMatch": {"pathMatch": {"match": {"prefix": "/A"}, "caseSensitive": false}}});
        check(&prefix, "GET", "/abc", &[], true);
        check(&prefix, "GET", "/b", &[], false);
        let method = json!({"httpMatch": {"method": "POST"}});
        check(&method, "POST", "/", &[], true);
        check(&method, "post", "/", &[], false);
        let headers = json!({"httpMatch": {"headerMatches": [
            {"name": "X-One", "match": {"contains": "lue"}, "caseSensitive": false},
            {"name": "x-two", "match": {"exact": "B"}, "caseSensitive": true},
        ]}});
        check(&headers, "GET", "/", &[("x-one", "VALUES"), ("x-two", "B")], true);
        check(&headers, "GET", "/", &[("x-one", "VALUES"), ("x-two", "b")], false);
        check(&headers, "GET", "/", &[("x-two", "B")], false);
        check(&headers, "GET", "/", &[("x-one", "a"), ("x-one", "value"), ("x-two", "B")], true);
        check(&json!({"httpMatch": {}}), "GET", "/", &[], true);
    }
}
