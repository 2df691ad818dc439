//! Auth policies: who may call a VPC Lattice service, and which policy says no.
//!
//! [`Policy`] is an IAM policy document, read strictly: what is not understood is an error, since passing over it could
//! turn a refusal into an allowance. [`authorize`] puts the policies of one request together as VPC Lattice does, and
//! [`refusal`] words the answer to a refused one. Nothing here reads a clock; the request carries its time.
//!
//! Sources: the IAM user guide (JSON policy elements, condition operators, variables, evaluation logic), the VPC Lattice
//! user guide (auth policies) and the service authorization reference for `vpc-lattice-svcs`.

mod authorize;
mod caller;
mod condition;
mod context;
mod json;
mod parse;
mod pattern;
mod request;
mod value;

pub use authorize::{Auth, Denial, Evidence, Layer, Policies, Reason, Refusal, Verdict, authorize, refusal};
pub use caller::{Caller, Principal, UnknownPrincipal};
pub use parse::Error;
pub use request::{Action, Http, Request};

use caller::Principals;
use condition::Condition;
use context::Context;
use pattern::Template;

/// Longest policy that is read, in bytes. The longest that AWS stores has 10,240 characters, white space not counted.
pub const MOST_BYTES: usize = 32 * 1024;

/// An IAM policy document.
#[derive(Debug, Clone)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone)]
struct Statement {
    sid: Option<String>,
    effect: Effect,
    /// `None` in identity policies, whose principal is the caller that they are attached to.
    principals: Option<Listed<Principals>>,
    actions: Listed<Vec<Template>>,
    resources: Listed<Vec<Template>>,
    conditions: Vec<Condition>,
}

/// What a statement does to what it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

/// An element, or its complement as `NotAction` is to `Action`.
#[derive(Debug, Clone)]
enum Listed<T> {
    These(T),
    AllBut(T),
}

/// A statement of a policy, to be shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementId {
    /// Which of the caller's identity policies, from 0. Always 0 for an auth policy.
    pub policy: usize,
    /// Which statement of the policy, from 0.
    pub index: usize,
    /// Its name, if it has one.
    pub sid: Option<String>,
}

/// What one policy alone says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow(StatementId),
    /// A statement denies it.
    Deny(StatementId),
    /// No statement speaks of it, which refuses it unless another policy of the same layer allows it.
    Silent,
}

impl Policy {
    /// Reads an auth policy of a service or service network, whose statements name principals.
    pub fn resource(text: &str) -> Result<Self, Error> {
        parse::policy(text, parse::Kind::Resource)
    }

    /// Reads a policy attached to a user or role, whose statements name no principals.
    pub fn identity(text: &str) -> Result<Self, Error> {
        parse::policy(text, parse::Kind::Identity)
    }

    /// What this policy alone says to the request. The first statement that denies decides, else the first that allows.
    #[must_use]
    pub fn decide(&self, caller: &Caller, request: &Request) -> Decision {
        self.decide_in(caller, request, &Context::new(caller, request))
    }

    fn decide_in(&self, caller: &Caller, request: &Request, context: &Context) -> Decision {
        let mut allowed = None;
        for (index, statement) in self.statements.iter().enumerate() {
            let known = statement.effect == Effect::Allow && allowed.is_some();
            if known || !statement.applies(caller, request, context) {
                continue;
            }
            let id = StatementId { policy: 0, index, sid: statement.sid.clone() };
            match statement.effect {
                Effect::Deny => return Decision::Deny(id),
                Effect::Allow => allowed = Some(id),
            }
        }
        allowed.map_or(Decision::Silent, Decision::Allow)
    }
}

impl Statement {
    fn applies(&self, caller: &Caller, request: &Request, context: &Context) -> bool {
        self.principals.as_ref().is_none_or(|principals| match principals {
            Listed::These(these) => these.include(caller),
            Listed::AllBut(these) => !these.include(caller),
        }) && speaks_of(&self.actions, &request.action_name().to_ascii_lowercase(), context)
            && speaks_of(&self.resources, &request.resource(), context)
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}

/// Whether the element speaks of `text`. One whose variables have no value speaks of nothing, be it a list or a
/// complement: IAM calls a statement with such a variable invalid.
fn speaks_of(element: &Listed<Vec<Template>>, text: &str, context: &Context) -> bool {
    let matched = |templates: &[Template]| pattern::any_matches(templates, context, |p| p.matches(text));
    match element {
        Listed::These(templates) => matched(templates) == Some(true),
        Listed::AllBut(templates) => matched(templates) == Some(false),
    }
}

#[cfg(test)]
mod tests;
