//! Faults: rules that make calls slow, fail, never end, or succeed by half.

use std::time::Duration;

use lattice::limits::TARGETS_PER_CALL;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{self, ErrorKind, Location, Operation};
use crate::neighbours;
use crate::random::Random;
use crate::state::arn::last_part;
use crate::state::life::Failure;

/// Most rules at a time.
const MOST_RULES: usize = 1_000;
/// Longest latency: one hour, beyond any client's time-out.
const MOST_LATENCY_MS: u64 = 3_600_000;

/// Errors that every AWS API may give though its model does not list them, with their status.
const COMMON_ERRORS: [(&str, u16); 8] = [
    ("ExpiredTokenException", 403),
    ("IncompleteSignature", 400),
    ("InvalidClientTokenId", 403),
    ("InvalidSignatureException", 403),
    ("MissingAuthenticationToken", 403),
    ("RequestExpired", 400),
    ("ServiceUnavailable", 503),
    ("UnrecognizedClientException", 403),
];

/// A rule. The first rule that matches a call and names an outcome decides it; the latencies of all that match add up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation's name, with that of its service if it is a neighbour's (`tagging.GetResources`), or `*` for all
    /// that can have the outcome.
    pub operation: String,
    /// Only calls that name this resource, by id or ARN, or register or deregister a target with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The probability that the rule applies to a call, from 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// The number of calls that the rule applies to, after which it is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Milliseconds from the call's effect to its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// The name of the error to answer with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether the call is never answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timeout: bool,
    /// Targets to refuse though the call succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsuccessful: Option<UnsuccessfulTargets>,
    /// What the creation, update or deletion that the call begins ends in, though the call succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<Failure>,
    /// Whether a call that fails or is never answered takes effect all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<bool>,
}

fn always() -> f64 {
    1.0
}

impl Fault {
    /// A rule for `operation` without any effect yet.
    #[must_use]
    pub fn on(operation: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            resource: None,
            probability: 1.0,
            count: None,
            latency_ms: None,
            error: None,
            timeout: false,
            unsuccessful: None,
            fails: None,
            applied: None,
        }
    }
}

/// Targets to refuse in a call that succeeds. Where the rule's `resource` is a target's id, only that target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnsuccessfulTargets {
    /// Their `failureCode`.
    pub code: String,
    /// How many of the call's targets, from the first one on, 1 to 100.
    pub targets: usize,
}

/// Why a list of rules is refused. `rule` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault rule {rule}: {problem}")]
pub struct Error {
    /// Which rule.
    pub rule: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// What the rules make of a call.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) latency: Duration,
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Error { error: Injected, applied: bool },
    Timeout { applied: bool },
    Unsuccessful(Unsuccessful),
    Fails(Failure),
}

/// An error to answer with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Injected {
    Modelled(ErrorKind),
    Common { name: &'static str, status: u16 },
}

impl Injected {
    /// The error as a neighbour gives it.
    pub(crate) fn of_neighbour(self) -> neighbours::Error {
        let (code, status) = match self {
            Self::Modelled(ErrorKind::InternalServer) => ("InternalFailure", 500),
            Self::Modelled(kind) => (kind.shape().name, 400),
            Self::Common { name, status } => (name, status),
        };
        neighbours::Error { code, message: "injected by a fault rule".to_owned(), status }
    }
}

/// Targets to refuse in this call.
#[derive(Debug, Clone)]
pub(crate) struct Unsuccessful {
    pub(crate) code: String,
    pub(crate) targets: usize,
    only: Option<String>,
}

impl Unsuccessful {
    /// Whether it is this target that is meant.
    pub(crate) fn means(&self, target: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == target)
    }
}

/// The rules in force.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    random: Random,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    outcome: Option<Outcome>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), random: Random::new(seed, "faults") }
    }

    /// Replaces all rules, or none if one is wrong.
    pub(crate) fn set(&mut self, faults: Vec<Fault>) -> Result<(), Error> {
        if faults.len() > MOST_RULES {
            return Err(Error {
                rule: MOST_RULES + 1,
                problem: format!("at most {MOST_RULES} rules are kept"),
            });
        }
        let rules = faults.into_iter().enumerate().map(|(n, fault)| {
            let outcome = outcome(&fault).map_err(|problem| Error { rule: n + 1, problem })?;
            Ok(Rule { fault, outcome })
        });
        self.rules = rules.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The rules, with the counts that are left.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.rules.iter().map(|rule| rule.fault.clone()).collect()
    }

    /// What happens to a call. Uses up the counts of the rules that apply.
    pub(crate) fn plan(&mut self, operation: &Operation, input: &Map<String, Value>) -> Plan {
        self.decide(|fault, outcome| matches(fault, outcome, operation, input))
    }

    /// What happens to a call of a neighbour, `tagging.GetResources` say.
    pub(crate) fn plan_neighbour(&mut self, operation: &str) -> Plan {
        self.decide(|fault, outcome| {
            (fault.operation == "*" || fault.operation == operation)
                && fault.resource.is_none()
                && !matches!(outcome, Some(Outcome::Unsuccessful(_) | Outcome::Fails(_)))
        })
    }

    fn decide(&mut self, matches: impl Fn(&Fault, Option<&Outcome>) -> bool) -> Plan {
        let mut plan = Plan::default();
        for rule in &mut self.rules {
            let fault = &mut rule.fault;
            let decided = plan.outcome.is_some() && rule.outcome.is_some();
            if decided || fault.count == Some(0) || !matches(fault, rule.outcome.as_ref()) {
                continue;
            }
            // The draw is made for every rule that matches, so that equal calls draw equal numbers.
            if self.random.fraction() >= fault.probability {
                continue;
            }
            fault.count = fault.count.map(|count| count - 1);
            plan.latency += Duration::from_millis(fault.latency_ms.unwrap_or(0));
            if let Some(outcome) = &rule.outcome {
                plan.outcome = Some(outcome.clone());
            }
        }
        plan
    }
}

fn matches(
    fault: &Fault,
    outcome: Option<&Outcome>,
    operation: &Operation,
    input: &Map<String, Value>,
) -> bool {
    if fault.operation != "*" && fault.operation != operation.name {
        return false;
    }
    let possible = match outcome {
        Some(Outcome::Error { error: Injected::Modelled(kind), .. }) => operation.models(*kind),
        Some(Outcome::Unsuccessful(_)) => carries_targets(operation.name),
        Some(Outcome::Fails(_)) => has_status(operation),
        _ => true,
    };
    possible && fault.resource.as_deref().is_none_or(|resource| names(operation, input, resource))
}

/// Whether the operation begins something that takes time, and so can fail later on. All but one answer with its status.
fn has_status(operation: &Operation) -> bool {
    let answers = operation.output.members().iter().any(|member| member.name == "status");
    !operation.read_only && (answers || operation.name == "DeleteResourceConfiguration")
}

fn carries_targets(operation: &str) -> bool {
    matches!(operation, "RegisterTargets" | "DeregisterTargets")
}

/// Whether the call names the resource in its path, or as one of its targets.
fn names(operation: &Operation, input: &Map<String, Value>, resource: &str) -> bool {
    let in_path =
        operation.input.members().iter().filter(|member| member.location == Location::Path).any(|member| {
            let named = input.get(member.name).and_then(Value::as_str);
            named.is_some_and(|named| last_part(named) == last_part(resource))
        });
    in_path || (carries_targets(operation.name) && targets(input).any(|target| target == resource))
}

fn targets(input: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let targets = input.get("targets").and_then(Value::as_array);
    targets.into_iter().flatten().filter_map(|target| target["id"].as_str())
}

/// The outcome that a rule names, or what is wrong with the rule.
fn outcome(fault: &Fault) -> Result<Option<Outcome>, String> {
    let operation = match fault.operation.as_str() {
        "*" => None,
        name if neighbours::operations().any(|operation| operation == name) => None,
        name => Some(model::operation(name).ok_or_else(|| format!("there is no operation {name}"))?),
    };
    if !(0.0..=1.0).contains(&fault.probability) {
        return Err(format!("probability {} is not from 0 to 1", fault.probability));
    }
    if fault.latency_ms.is_some_and(|latency| latency > MOST_LATENCY_MS) {
        return Err(format!("latency_ms is at most {MOST_LATENCY_MS}"));
    }
    let outcomes =
        [fault.error.is_some(), fault.timeout, fault.unsuccessful.is_some(), fault.fails.is_some()];
    if outcomes.into_iter().filter(|named| *named).count() > 1 {
        return Err("at most one of error, timeout, unsuccessful and fails".to_owned());
    }
    if fault.applied.is_some() && fault.error.is_none() && !fault.timeout {
        return Err("applied goes with error or timeout only".to_owned());
    }
    let applied = fault.applied.unwrap_or(false);
    if let Some(name) = &fault.error {
        let error = if let Some(kind) = ErrorKind::named(name) {
            if let Some(operation) = operation.filter(|operation| !operation.models(kind)) {
                return Err(format!("{} does not model {name}", operation.name));
            }
            Injected::Modelled(kind)
        } else {
            let common = COMMON_ERRORS.iter().find(|(common, _)| common == name);
            let (name, status) = common.ok_or_else(|| format!("there is no error {name}"))?;
            Injected::Common { name, status: *status }
        };
        return Ok(Some(Outcome::Error { error, applied }));
    }
    if fault.timeout {
        return Ok(Some(Outcome::Timeout { applied }));
    }
    if let Some(failure) = &fault.fails {
        if operation.is_some_and(|operation| !has_status(operation)) {
            return Err("fails goes with operations that begin something with a status only".to_owned());
        }
        return Ok(Some(Outcome::Fails(failure.clone())));
    }
    let Some(UnsuccessfulTargets { code, targets }) = &fault.unsuccessful else { return Ok(None) };
    if operation.is_some_and(|operation| !carries_targets(operation.name)) {
        return Err("unsuccessful goes with RegisterTargets and DeregisterTargets only".to_owned());
    }
    if !(1..=TARGETS_PER_CALL).contains(targets) || code.is_empty() {
        return Err(format!("unsuccessful needs a code and 1 to {TARGETS_PER_CALL} targets"));
    }
    // A resource that is a target's id picks the targets, one that is a group's picks the calls.
    let only = fault.resource.clone().filter(|resource| !last_part(resource).starts_with("tg-"));
    Ok(Some(Outcome::Unsuccessful(Unsuccessful { code: code.clone(), targets: *targets, only })))
}

#[cfg(test)]
mod tests;
