//! Checks JSON against a shape: requests before they are served, and in tests the answers.

use serde_json::{Map, Value};

use super::{Kind, Location, Member, Range, Shape};

/// A member that breaks a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the member, `config.healthCheck.port` or `targets[3].id` say.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
    /// Whether the value could not even be read, being of another JSON type.
    pub unreadable: bool,
}

/// What breaks a constraint in the input of a call.
///
/// Unknown members are passed over and `null` counts as absent, so that newer clients are served.
#[must_use]
pub fn request(shape: &Shape, input: &Map<String, Value>) -> Vec<Problem> {
    let mut check = Check { problems: Vec::new(), answer: false };
    check.structure(shape, input, "");
    check.problems
}

/// What breaks a constraint in an answer's body.
///
/// Stricter than [`request`]: unknown members and `null` are problems as well. Members that travel in headers are
/// not expected.
#[must_use]
pub fn answer(shape: &Shape, body: &Value) -> Vec<Problem> {
    let mut check = Check { problems: Vec::new(), answer: true };
    check.value(shape, body, "");
    check.problems
}

/// Drops the members that the model does not know, and those that are null.
pub fn prune(shape: &Shape, value: &mut Value) {
    match (&shape.kind, value) {
        (Kind::Structure { .. }, Value::Object(object)) => prune_members(shape, object),
        (Kind::List { member, .. }, Value::Array(items)) => {
            for item in items {
                prune(member, item);
            }
        }
        _ => {}
    }
}

/// As [`prune`], for the members of a structure.
pub fn prune_members(shape: &Shape, object: &mut Map<String, Value>) {
    object.retain(|name, value| {
        let member = shape.members().iter().find(|member| member.name == name);
        if let Some(member) = member.filter(|_| !value.is_null()) {
            prune(member.shape, value);
        }
        member.is_some() && !value.is_null()
    });
}

struct Check {
    problems: Vec<Problem>,
    answer: bool,
}

impl Check {
    fn refuse(&mut self, at: &str, message: String) {
        self.problems.push(Problem { name: at.to_owned(), message, unreadable: false });
    }

    fn misread(&mut self, at: &str, expected: &str) {
        let message = format!("must be {expected}");
        self.problems.push(Problem { name: at.to_owned(), message, unreadable: true });
    }

    fn structure(&mut self, shape: &Shape, object: &Map<String, Value>, at: &str) {
        let Kind::Structure { members, union } = &shape.kind else {
            return self.misread(at, "something else than an object");
        };
        let present = |member: &&Member| object.get(member.name).is_some_and(|value| !value.is_null());
        for member in *members {
            let inner = join(at, member.name);
            match object.get(member.name) {
                Some(Value::Null) if self.answer => self.refuse(&inner, "must not be null".to_owned()),
                None | Some(Value::Null) if member.required => {
                    self.refuse(&inner, "must be present".to_owned());
                }
                None | Some(Value::Null) => {}
                Some(_) if self.answer && member.location != Location::Body => {
                    self.refuse(&inner, "does not belong into the body".to_owned());
                }
                Some(value) => self.value(member.shape, value, &inner),
            }
        }
        if *union {
            let set = members.iter().filter(present).count();
            if set != 1 {
                let names: Vec<&str> = members.iter().map(|member| member.name).collect();
                self.refuse(at, format!("must hold exactly one of {}, it holds {set}", names.join(", ")));
            }
        }
        if self.answer {
            for name in
                object.keys().filter(|name| !members.iter().any(|member| member.name == name.as_str()))
            {
                self.refuse(&join(at, name), "is not a member of the model".to_owned());
            }
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value, at: &str) {
        match (&shape.kind, value) {
            (Kind::Text { length, pattern, values }, Value::String(text)) => {
                self.length(at, *length, text.chars().count(), "characters long");
                if !values.is_empty() && !values.contains(&text.as_str()) {
                    self.refuse(at, format!("must be one of {}", values.join(", ")));
                }
                if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
                    self.refuse(at, format!("must match the pattern {}", pattern.source()));
                }
            }
            (Kind::Text { .. }, _) => self.misread(at, "a string"),
            (Kind::Integer { value: bounds }, Value::Number(number)) => match number.as_i64() {
                Some(n) if bounds.holds(n) => {}
                Some(_) => self.refuse(at, format!("must be {bounds}")),
                None => self.misread(at, "an integer"),
            },
            (Kind::Integer { .. }, _) => self.misread(at, "an integer"),
            (Kind::Boolean, Value::Bool(_)) => {}
            (Kind::Boolean, _) => self.misread(at, "true or false"),
            (Kind::Timestamp, Value::String(text)) if text.parse::<jiff::Timestamp>().is_ok() => {}
            (Kind::Timestamp, _) => self.misread(at, "an ISO 8601 time"),
            (Kind::List { length, member }, Value::Array(items)) => {
                // A list that is too long is not looked into, which bounds the work and the answer.
                if self.length(at, *length, items.len(), "items long") {
                    for (n, item) in items.iter().enumerate() {
                        self.value(member, item, &format!("{at}[{n}]"));
                    }
                }
            }
            (Kind::List { .. }, _) => self.misread(at, "a list"),
            (Kind::Map { length, key, value }, Value::Object(entries)) => {
                if self.length(at, *length, entries.len(), "entries long") {
                    for (name, entry) in entries {
                        let inner = join(at, name);
                        self.value(key, &Value::String(name.clone()), &inner);
                        self.value(value, entry, &inner);
                    }
                }
            }
            (Kind::Structure { .. }, Value::Object(object)) => self.structure(shape, object, at),
            (Kind::Map { .. } | Kind::Structure { .. }, _) => self.misread(at, "an object"),
        }
    }

    /// Whether the length is within its bounds.
    fn length(&mut self, at: &str, bounds: Range, length: usize, unit: &str) -> bool {
        let holds = i64::try_from(length).is_ok_and(|length| bounds.holds(length));
        if !holds {
            self.refuse(at, format!("must be {bounds} {unit}, it is {length}"));
        }
        holds
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}
