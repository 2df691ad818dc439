//! Conditions: an operator, a key and the values it is compared with.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::context::Context;
use super::pattern::{Reading, Template, any_matches};
use super::value::{Network, date, number};

/// One key of one operator of a `Condition` element.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// In lower case.
    key: String,
    set: Option<Set>,
    if_exists: bool,
    /// Whether it holds when no value matches, as `StringNotEquals` does.
    negated: bool,
    test: Test,
}

/// How the several values of a key are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    ForAllValues,
    ForAnyValue,
}

/// How one value is compared.
#[derive(Debug, Clone)]
enum Test {
    /// With wildcards or without; equality is a pattern that has none.
    Text(Vec<Template>),
    TextIgnoringCase(Vec<Template>),
    Arn(Vec<Template>),
    Number(Comparison, Vec<f64>),
    Date(Comparison, Vec<i64>),
    Address(Vec<Network>),
    /// Whether the key is to be absent.
    Null(Vec<bool>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// An operator with its prefix and suffix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator {
    set: Option<Set>,
    if_exists: bool,
    negated: bool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Equals,
    EqualsIgnoringCase,
    Like,
    Arn,
    Bool,
    Number(Comparison),
    Date(Comparison),
    Address,
    Null,
}

impl Operator {
    /// The operator of a name such as `ForAnyValue:StringNotLikeIfExists`. Case does not matter (assumed).
    ///
    /// `None` for what is none, or is not supported: `BinaryEquals`, since no key of a request to Lattice is binary.
    pub(super) fn parse(name: &str) -> Option<Self> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        let name = name.to_ascii_lowercase();
        let (set, rest) = match name.split_once(':') {
            None => (None, name.as_str()),
            Some(("forallvalues", rest)) => (Some(Set::ForAllValues), rest),
            Some(("foranyvalue", rest)) => (Some(Set::ForAnyValue), rest),
            Some(_) => return None,
        };
        let (rest, if_exists) = rest.strip_suffix("ifexists").map_or((rest, false), |rest| (rest, true));
        let (negated, kind) = match rest {
            "stringequals" => (false, Kind::Equals),
            "stringnotequals" => (true, Kind::Equals),
            "stringequalsignorecase" => (false, Kind::EqualsIgnoringCase),
            "stringnotequalsignorecase" => (true, Kind::EqualsIgnoringCase),
            "stringlike" => (false, Kind::Like),
            "stringnotlike" => (true, Kind::Like),
            // The two forms do the same. Source: IAM user guide, condition operators.
            "arnequals" | "arnlike" => (false, Kind::Arn),
            "arnnotequals" | "arnnotlike" => (true, Kind::Arn),
            "bool" => (false, Kind::Bool),
            "numericequals" => (false, Kind::Number(Equal)),
            "numericnotequals" => (true, Kind::Number(Equal)),
            "numericlessthan" => (false, Kind::Number(Less)),
            "numericlessthanequals" => (false, Kind::Number(LessOrEqual)),
            "numericgreaterthan" => (false, Kind::Number(Greater)),
            "numericgreaterthanequals" => (false, Kind::Number(GreaterOrEqual)),
            "dateequals" => (false, Kind::Date(Equal)),
            "datenotequals" => (true, Kind::Date(Equal)),
            "datelessthan" => (false, Kind::Date(Less)),
            "datelessthanequals" => (false, Kind::Date(LessOrEqual)),
            "dategreaterthan" => (false, Kind::Date(Greater)),
            "dategreaterthanequals" => (false, Kind::Date(GreaterOrEqual)),
            "ipaddress" => (false, Kind::Address),
            "notipaddress" => (true, Kind::Address),
            "null" if set.is_none() && !if_exists => (false, Kind::Null),
            _ => return None,
        };
        Some(Self { set, if_exists, negated, kind })
    }

    /// The condition on one key. The error says which value is wrong.
    pub(super) fn on(self, key: &str, values: &[String], variables: bool) -> Result<Condition, String> {
        let templates = |wildcards| {
            let reading = Reading { wildcards, variables };
            values.iter().map(|value| Template::parse(value, reading)).collect::<Result<Vec<_>, _>>()
        };
        let test = match self.kind {
            Kind::Equals => Test::Text(templates(false)?),
            Kind::Like => Test::Text(templates(true)?),
            Kind::EqualsIgnoringCase => Test::TextIgnoringCase(templates(false)?),
            Kind::Arn => Test::Arn(templates(true)?),
            Kind::Bool => {
                // A value that is a variable can only be checked when a request is there.
                each(values, "true or false", |text| {
                    (flag(text).is_some() || (variables && text.starts_with("${"))).then_some(())
                })?;
                Test::TextIgnoringCase(templates(false)?)
            }
            Kind::Number(comparison) => {
                Test::Number(comparison, each(values, "a decimal number of at most 15 digits", number)?)
            }
            Kind::Date(comparison) => Test::Date(comparison, each(values, "a date", date)?),
            Kind::Address => Test::Address(each(values, "an IP address or CIDR block", Network::parse)?),
            Kind::Null => Test::Null(each(values, "true or false", flag)?),
        };
        Ok(Condition {
            key: key.to_lowercase(),
            set: self.set,
            if_exists: self.if_exists,
            negated: self.negated,
            test,
        })
    }
}

fn flag(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

/// All values read by `read`.
fn each<T>(values: &[String], what: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let one = |value: &String| read(value).ok_or_else(|| format!("{value:?} is not {what}"));
    values.iter().map(one).collect()
}

impl Condition {
    /// Whether the request meets the condition.
    ///
    /// An absent key fails it, but meets a negated operator, `…IfExists` and `ForAllValues:`. Of several values of a
    /// key without `ForAllValues:` or `ForAnyValue:`, one has to match, or none for a negated operator; AWS leaves that
    /// open (assumed).
    pub(super) fn holds(&self, context: &Context) -> bool {
        let values = context.get(&self.key).unwrap_or_default();
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&values.is_empty());
        }
        if values.is_empty() {
            return self.if_exists
                || match self.set {
                    Some(Set::ForAllValues) => true,
                    Some(Set::ForAnyValue) => false,
                    None => self.negated,
                };
        }
        let mut values = values.iter();
        let all = match self.set {
            Some(Set::ForAllValues) => true,
            Some(Set::ForAnyValue) => false,
            None => self.negated,
        };
        if all {
            values.all(|value| self.accepts(value, context))
        } else {
            values.any(|value| self.accepts(value, context))
        }
    }

    /// Whether one value of the key is right. None is while a variable that matters has no value.
    fn accepts(&self, value: &str, context: &Context) -> bool {
        let matched = match &self.test {
            Test::Text(templates) => any_matches(templates, context, |p| p.matches(value)),
            Test::TextIgnoringCase(templates) => {
                any_matches(templates, context, |p| p.equals_ignoring_case(value))
            }
            Test::Arn(templates) => any_matches(templates, context, |p| p.matches_arn(value)),
            Test::Number(comparison, wanted) => Some(number(value).is_some_and(|value| {
                let mut orderings = wanted.iter().filter_map(|wanted| value.partial_cmp(wanted));
                orderings.any(|ordering| comparison.holds(ordering))
            })),
            Test::Date(comparison, wanted) => Some(
                date(value)
                    .is_some_and(|value| wanted.iter().any(|wanted| comparison.holds(value.cmp(wanted)))),
            ),
            Test::Address(networks) => Some(
                value
                    .parse::<IpAddr>()
                    .is_ok_and(|address| networks.iter().any(|network| network.contains(address))),
            ),
            Test::Null(_) => None,
        };
        matched.is_some_and(|matched| matched != self.negated)
    }
}
