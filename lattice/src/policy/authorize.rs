//! All policies of a request together, and the answer to a refused one.

use super::context::Context;
use super::{Caller, Decision, Policy, Request, StatementId};

/// The policies that a request has to pass.
#[derive(Debug, Clone, Copy)]
pub struct Policies<'a> {
    /// Those of the caller, which matter when it is authenticated. `None`: they are not known, and are taken to allow
    /// everything, so that an explanation does not blame what was not read.
    pub identity: Option<&'a [Policy]>,
    /// What the service network asks for. A resource configuration is not subject to it, so callers do not ask for one.
    pub network: Auth<'a>,
    /// What the service asks for.
    pub service: Auth<'a>,
}

/// What a service or service network asks of a request.
#[derive(Debug, Clone, Copy)]
pub enum Auth<'a> {
    /// Its auth type is NONE: nothing; a policy that it may have is inactive.
    None,
    /// Its auth type is AWS_IAM: to be allowed by its auth policy. Without one everything is refused.
    Iam(Option<&'a Policy>),
}

/// Which kind of policy refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The service network's auth policy.
    ServiceNetwork,
    /// The service's auth policy.
    Service,
    /// The caller's identity policies.
    Identity,
}

/// Whether a request passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every layer allows it.
    Allowed,
    /// A layer refuses it.
    Denied(Denial),
}

/// Who refuses a request, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Which layer.
    pub layer: Layer,
    /// How.
    pub reason: Reason,
}

/// How a layer refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// This statement denies it.
    Explicit(StatementId),
    /// No statement of its policies allows it.
    NoAllow,
    /// Its auth type is AWS_IAM, and it has no policy.
    NoPolicy,
}

/// Decides a request. It passes if every layer allows it.
///
/// A denying statement anywhere is named before what merely lacks an allowance. Within each, the service network is
/// named before the service and the service before the caller's own policies; that the service comes before the caller
/// was seen on VPC Lattice, that the network comes first is assumed. An anonymous caller has no identity policies. An
/// authenticated one has to be allowed by its own even where both auth types are NONE (assumed).
#[must_use]
pub fn authorize(policies: &Policies<'_>, caller: &Caller, request: &Request) -> Verdict {
    let context = Context::new(caller, request);
    let auth = |auth: &Auth<'_>| match auth {
        Auth::None => None,
        Auth::Iam(None) => Some(Reason::NoPolicy),
        Auth::Iam(Some(policy)) => reason(policy.decide_in(caller, request, &context)),
    };
    let identity = match (caller, policies.identity) {
        (Caller::Anonymous, _) | (_, None) => None,
        (Caller::Authenticated(_), Some(own)) => reason(together(own, caller, request, &context)),
    };
    let layers = [
        (Layer::ServiceNetwork, auth(&policies.network)),
        (Layer::Service, auth(&policies.service)),
        (Layer::Identity, identity),
    ];
    let refusals = || {
        let denial = |(layer, reason): &(Layer, Option<Reason>)| {
            reason.clone().map(|reason| Denial { layer: *layer, reason })
        };
        layers.iter().filter_map(denial)
    };
    let explicit = refusals().find(|denial| matches!(denial.reason, Reason::Explicit(_)));
    explicit.or_else(|| refusals().next()).map_or(Verdict::Allowed, Verdict::Denied)
}

/// What the policies of one caller say together: one that denies decides, else one that allows.
fn together(policies: &[Policy], caller: &Caller, request: &Request, context: &Context) -> Decision {
    let mut said = Decision::Silent;
    for (policy, document) in policies.iter().enumerate() {
        match (document.decide_in(caller, request, context), &said) {
            (Decision::Deny(id), _) => return Decision::Deny(StatementId { policy, ..id }),
            (Decision::Allow(id), Decision::Silent) => {
                said = Decision::Allow(StatementId { policy, ..id });
            }
            _ => {}
        }
    }
    said
}

fn reason(decision: Decision) -> Option<Reason> {
    match decision {
        Decision::Allow(_) => None,
        Decision::Deny(id) => Some(Reason::Explicit(id)),
        Decision::Silent => Some(Reason::NoAllow),
    }
}

/// Where the wording of an answer is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Answers of VPC Lattice that were published have this form.
    Published,
    /// No such answer was found; the wording follows IAM's other ones.
    Assumed,
}

/// The sentence in the body of a 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The sentence. VPC Lattice puts `AccessDeniedException: ` before it.
    pub sentence: String,
    /// Where its wording is from.
    pub evidence: Evidence,
}

/// Words the answer to a refused request.
///
/// Published: an Invoke that no network-, service- or identity-based policy allows (AWS's EKS workshops and users'
/// reports show one of each). Assumed: an explicit deny, where IAM's documentation has the form but not the words for
/// these layers, and every Connect, where a client sees no sentence but a closed connection.
#[must_use]
pub fn refusal(denial: &Denial, caller: &Caller, request: &Request) -> Refusal {
    let action = request.action_name();
    let kind = match denial.layer {
        Layer::ServiceNetwork => "network-based",
        Layer::Service => "service-based",
        Layer::Identity => "identity-based",
    };
    let (why, published) = match denial.reason {
        Reason::Explicit(_) => {
            let article = if denial.layer == Layer::Identity { "an" } else { "a" };
            (format!("with an explicit deny in {article} {kind} policy"), false)
        }
        Reason::NoAllow | Reason::NoPolicy => {
            (format!("because no {kind} policy allows the {action} action"), true)
        }
    };
    let published = published && matches!(request.action, super::Action::Invoke(_));
    Refusal {
        sentence: format!(
            "User: {} is not authorized to perform: {action} on resource: {} {why}",
            caller.name(),
            request.resource()
        ),
        evidence: if published { Evidence::Published } else { Evidence::Assumed },
    }
}
