//! Whether a request is allowed: who signed it, and what the policies say.

use std::net::IpAddr;

use http::request::Parts;
use lattice::policy::{
    self, Action, Auth, Caller, Evidence, Http, Layer, Policies, Policy, Principal, Request, Verdict,
};
use percent_encoding::percent_decode_str;

use crate::account::Caller as Signer;
use crate::clock::SimTime;
use crate::settings::choice::DenyText;
use crate::simulator::World;
use crate::state::network::ServiceNetwork;
use crate::state::policy::{AuthPolicy, Gate};
use crate::state::service::Service;

/// A request on its way to a service.
pub(super) struct Asked<'a> {
    pub(super) service: &'a Service,
    pub(super) network: Option<&'a ServiceNetwork>,
    pub(super) vpc: Option<&'a str>,
    pub(super) vpc_owner: Option<&'a str>,
    pub(super) client: IpAddr,
    pub(super) port: u16,
    pub(super) secure: bool,
    /// Absent where only a connection is asked for.
    pub(super) head: Option<&'a Parts>,
}

/// Why a request is refused.
pub(super) struct Denied {
    pub(super) sentence: String,
    /// Whose policy refuses, as access logs name it.
    pub(super) by: &'static str,
}

/// Whether a request is allowed.
pub(super) fn authorize(
    world: &World,
    asked: &Asked<'_>,
    signer: Option<&Signer>,
    now: SimTime,
) -> Result<(), Denied> {
    let request = request(world, asked, now);
    let caller = signer.map_or(Caller::Anonymous, principal);
    let identity: Option<Vec<Policy>> = signer.and_then(|signer| {
        let documents = signer.policies.as_ref()?.iter();
        // Those that can't be read allow nothing; the surroundings were checked when they came.
        Some(documents.filter_map(|document| Policy::identity(&document.to_string()).ok()).collect())
    });
    let policies = Policies {
        identity: identity.as_deref(),
        network: asked.network.map_or(Auth::None, |network| gate(&network.auth, now)),
        service: gate(&asked.service.auth, now),
    };
    match policy::authorize(&policies, &caller, &request) {
        Verdict::Allowed => Ok(()),
        Verdict::Denied(denial) => {
            let refusal = policy::refusal(&denial, &caller, &request);
            let by = match denial.layer {
                Layer::ServiceNetwork => "Network",
                Layer::Service => "Service",
                Layer::Identity => "Identity",
            };
            let code = "AccessDeniedException";
            let sentence = match (refusal.evidence, world.settings.deny_text) {
                (Evidence::Assumed, DenyText::Code) => code.to_owned(),
                _ => format!("{code}: {}", refusal.sentence),
            };
            Err(Denied { sentence, by })
        }
    }
}

/// Who policies see, as access logs name them; nobody where no policy is asked.
pub(super) fn resolved(asked: &Asked<'_>, signer: Option<&Signer>, now: SimTime) -> Option<String> {
    let asks = |auth: &AuthPolicy| !matches!(gate(auth, now), Auth::None);
    let one_asks = asks(&asked.service.auth) || asked.network.is_some_and(|network| asks(&network.auth));
    one_asks.then(|| signer.map_or_else(|| "Anonymous".to_owned(), |signer| signer.arn.clone()))
}

fn gate(auth: &AuthPolicy, now: SimTime) -> Auth<'_> {
    match auth.published.at(now).map(AsRef::as_ref) {
        None | Some(Gate::Open) => Auth::None,
        Some(Gate::Policy(policy)) => Auth::Iam(policy.as_ref()),
    }
}

fn principal(signer: &Signer) -> Caller {
    let Ok(principal) = Principal::from_arn(&signer.arn) else { return Caller::Anonymous };
    let tagged = signer.tags.iter().fold(principal, |principal, (key, value)| principal.with_tag(key, value));
    Caller::Authenticated(Box::new(tagged))
}

fn request(world: &World, asked: &Asked<'_>, now: SimTime) -> Request {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let action = asked.head.map_or(Action::Connect, |head| {
        let query = head.uri.query().unwrap_or_default();
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Action::Invoke(Http {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: query.collect(),
            headers: headers.collect(),
        })
    });
    Request {
        action,
        service_arn: asked.service.arn.clone(),
        service_network_arn: asked.network.map(|network| network.arn.clone()),
        port: asked.port,
        source_vpc: asked.vpc.map(str::to_owned),
        source_vpc_owner: asked.vpc_owner.map(str::to_owned),
        source_address: Some(asked.client),
        secure: Some(asked.secure),
        service_tags: asked.service.tags.clone(),
        epoch_seconds: world.clock.wall(now).as_second(),
    }
}
