//! The service model as data: operations, shapes with their constraints, errors, and what is checked with them.

pub mod check;
pub mod route;
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "written by a program from the model")]
mod table;

use std::sync::OnceLock;

use fancy_regex::Regex;

/// Every operation of the API, in order of name.
#[must_use]
pub fn operations() -> &'static [Operation] {
    &table::OPERATIONS
}

/// The operation of this name.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    let at = table::OPERATIONS.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
    table::OPERATIONS.get(at)
}

/// One operation of the API.
#[derive(Debug)]
pub struct Operation {
    /// The name, `RegisterTargets` say.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with each variable segment as `{member}`.
    pub path: &'static str,
    /// The status of a successful answer.
    pub status: u16,
    /// Whether the model declares the operation idempotent.
    pub idempotent: bool,
    /// Whether the model declares the operation read-only.
    pub read_only: bool,
    /// The errors that it may answer with.
    pub errors: &'static [ErrorKind],
    /// The structure of its input: path, query and body together.
    pub input: &'static Shape,
    /// The structure of its output.
    pub output: &'static Shape,
}

impl Operation {
    /// Whether the operation may answer with this error.
    #[must_use]
    pub fn models(&self, error: ErrorKind) -> bool {
        self.errors.contains(&error)
    }
}

/// The errors of the API. Statuses and members are in [`ErrorKind::shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// `AccessDeniedException`
    AccessDenied,
    /// `ConflictException`
    Conflict,
    /// `InternalServerException`
    InternalServer,
    /// `ResourceNotFoundException`
    ResourceNotFound,
    /// `ServiceQuotaExceededException`
    ServiceQuotaExceeded,
    /// `ThrottlingException`
    Throttling,
    /// `ValidationException`
    Validation,
}

impl ErrorKind {
    /// The error's place in the model.
    ///
    /// The table holds one entry per kind, in the order of the kinds.
    #[must_use]
    pub fn shape(self) -> &'static ErrorShape {
        &table::ERRORS[self as usize]
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        table::ERRORS.iter().find(|error| error.name == name).map(|error| error.kind)
    }
}

/// An error of the model: its name, HTTP status and members.
#[derive(Debug)]
pub struct ErrorShape {
    /// Which one.
    pub kind: ErrorKind,
    /// The name, as in the header `x-amzn-errortype`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The structure of the body.
    pub body: &'static Shape,
}

/// A named shape.
#[derive(Debug)]
pub struct Shape {
    /// The model's name for it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

impl Shape {
    /// The members of a structure or union, none for any other shape.
    #[must_use]
    pub fn members(&self) -> &'static [Member] {
        match self.kind {
            Kind::Structure { members, .. } => members,
            _ => &[],
        }
    }
}

/// What a shape is, with its constraints.
#[derive(Debug)]
pub enum Kind {
    /// A string. `values` is empty unless it is an enumeration.
    Text {
        /// Length in characters.
        length: Range,
        /// What the whole value has to match.
        pattern: Option<Pattern>,
        /// The allowed values.
        values: &'static [&'static str],
    },
    /// An integer.
    Integer {
        /// The value.
        value: Range,
    },
    /// A boolean.
    Boolean,
    /// A point in time, in JSON an ISO 8601 string.
    Timestamp,
    /// A list.
    List {
        /// Number of items.
        length: Range,
        /// What its items are.
        member: &'static Shape,
    },
    /// A map.
    Map {
        /// Number of entries.
        length: Range,
        /// What its keys are.
        key: &'static Shape,
        /// What its values are.
        value: &'static Shape,
    },
    /// A structure, or a union, of which exactly one member is set.
    Structure {
        /// In order of name.
        members: &'static [Member],
        /// Whether it is a union.
        union: bool,
    },
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The name in JSON, path or query.
    pub name: &'static str,
    /// What it is.
    pub shape: &'static Shape,
    /// Whether it has to be there.
    pub required: bool,
    /// Where it travels.
    pub location: Location,
    /// Whether it is the idempotency token, which is no parameter of the resource.
    pub token: bool,
}

/// Where a member travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the JSON body.
    Body,
    /// As a segment of the path.
    Path,
    /// As a query parameter.
    Query,
    /// As a header.
    Header,
}

/// Inclusive bounds of a length or a value.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Least, if bounded.
    pub min: Option<i64>,
    /// Most, if bounded.
    pub max: Option<i64>,
}

impl Range {
    const fn new(min: Option<i64>, max: Option<i64>) -> Self {
        Self { min, max }
    }

    /// Whether `n` is within the bounds.
    #[must_use]
    pub fn holds(self, n: i64) -> bool {
        self.min.is_none_or(|min| min <= n) && self.max.is_none_or(|max| n <= max)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) if min == max => write!(f, "{min}"),
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "{min} or more"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("any"),
        }
    }
}

/// A pattern that a whole value has to match, compiled at its first use.
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// The pattern as in the model.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Whether all of `value` matches.
    ///
    /// The model's digits are ASCII, those of the regex crate are Unicode's, hence the replacement. A pattern that
    /// does not compile matches nothing; a test compiles them all.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| {
            let ascii = self.source.replace(r"\d", "[0-9]");
            Regex::new(&format!(r"\A(?:{ascii})\z")).ok()
        });
        compiled.as_ref().is_some_and(|regex| regex.is_match(value).unwrap_or(false))
    }
}

const fn text(
    name: &'static str,
    length: Range,
    pattern: Option<Pattern>,
    values: &'static [&'static str],
) -> Shape {
    Shape { name, kind: Kind::Text { length, pattern, values } }
}

const fn integer(name: &'static str, value: Range) -> Shape {
    Shape { name, kind: Kind::Integer { value } }
}

const fn boolean(name: &'static str) -> Shape {
    Shape { name, kind: Kind::Boolean }
}

const fn timestamp(name: &'static str) -> Shape {
    Shape { name, kind: Kind::Timestamp }
}

const fn list(name: &'static str, length: Range, member: &'static Shape) -> Shape {
    Shape { name, kind: Kind::List { length, member } }
}

const fn map(name: &'static str, length: Range, key: &'static Shape, value: &'static Shape) -> Shape {
    Shape { name, kind: Kind::Map { length, key, value } }
}

const fn structure(name: &'static str, members: &'static [Member]) -> Shape {
    Shape { name, kind: Kind::Structure { members, union: false } }
}

const fn union(name: &'static str, members: &'static [Member]) -> Shape {
    Shape { name, kind: Kind::Structure { members, union: true } }
}

#[cfg(test)]
mod tests;
