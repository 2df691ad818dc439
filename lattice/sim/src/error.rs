//! The API's errors as answers.

use serde_json::{Value, json};

use crate::model::ErrorKind;
use crate::model::check::Problem;
use crate::settings::Settings;

/// Why a call is refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// The members besides `message`.
    members: Vec<(&'static str, Value)>,
}

/// What kind of resource an error speaks of, as in `resourceType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceType {
    TargetGroup,
    Target,
    Service,
    Listener,
    Rule,
    ServiceNetwork,
    ServiceNetworkServiceAssociation,
    ServiceNetworkVpcAssociation,
    ServiceNetworkResourceAssociation,
    ResourceConfiguration,
    ResourceGateway,
    ResourceEndpointAssociation,
    DomainVerification,
    AccessLogSubscription,
    AuthPolicy,
    ResourcePolicy,
    /// Something with an ARN that names no kind known here.
    Resource,
}

impl ResourceType {
    /// The upper-case name with underscores.
    pub(crate) fn upper(self) -> &'static str {
        match self {
            Self::TargetGroup => "TARGET_GROUP",
            Self::Target => "TARGET",
            Self::Service => "SERVICE",
            Self::Listener => "LISTENER",
            Self::Rule => "RULE",
            Self::ServiceNetwork => "SERVICE_NETWORK",
            Self::ServiceNetworkServiceAssociation => "SERVICE_NETWORK_SERVICE_ASSOCIATION",
            Self::ServiceNetworkVpcAssociation => "SERVICE_NETWORK_VPC_ASSOCIATION",
            Self::ServiceNetworkResourceAssociation => "SERVICE_NETWORK_RESOURCE_ASSOCIATION",
            Self::ResourceConfiguration => "RESOURCE_CONFIGURATION",
            Self::ResourceGateway => "RESOURCE_GATEWAY",
            Self::ResourceEndpointAssociation => "RESOURCE_ENDPOINT_ASSOCIATION",
            Self::DomainVerification => "DOMAIN_VERIFICATION",
            Self::AccessLogSubscription => "ACCESS_LOG_SUBSCRIPTION",
            Self::AuthPolicy => "AUTH_POLICY",
            Self::ResourcePolicy => "RESOURCE_POLICY",
            Self::Resource => "RESOURCE",
        }
    }

    /// The name as the service's documentation writes it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::TargetGroup => "TargetGroup",
            Self::Target => "Target",
            Self::Service => "Service",
            Self::Listener => "Listener",
            Self::Rule => "Rule",
            Self::ServiceNetwork => "ServiceNetwork",
            Self::ServiceNetworkServiceAssociation => "ServiceNetworkServiceAssociation",
            Self::ServiceNetworkVpcAssociation => "ServiceNetworkVpcAssociation",
            Self::ServiceNetworkResourceAssociation => "ServiceNetworkResourceAssociation",
            Self::ResourceConfiguration => "ResourceConfiguration",
            Self::ResourceGateway => "ResourceGateway",
            Self::ResourceEndpointAssociation => "ResourceEndpointAssociation",
            Self::DomainVerification => "DomainVerification",
            Self::AccessLogSubscription => "AccessLogSubscription",
            Self::AuthPolicy => "AuthPolicy",
            Self::ResourcePolicy => "ResourcePolicy",
            Self::Resource => "Resource",
        }
    }
}

impl Refusal {
    fn new(kind: ErrorKind, message: impl Into<String>, members: Vec<(&'static str, Value)>) -> Self {
        Self { kind, message: message.into(), members }
    }

    /// `ValidationException` for one member.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::fields(&[Problem { name: name.to_owned(), message, unreadable: false }])
    }

    /// `ValidationException` for the members that break a constraint.
    pub(crate) fn fields(problems: &[Problem]) -> Self {
        let reason = if problems.iter().any(|problem| problem.unreadable) {
            "cannotParse"
        } else {
            "fieldValidationFailed"
        };
        let list: Vec<Value> = problems
            .iter()
            .map(|problem| json!({"name": problem.name, "message": problem.message}))
            .collect();
        let message = match problems {
            [only] => format!("Invalid request: {} {}", only.name, only.message),
            [first, rest @ ..] => {
                format!("Invalid request: {} {} (and {} more)", first.name, first.message, rest.len())
            }
            [] => "Invalid request".to_owned(),
        };
        Self::new(ErrorKind::Validation, message, vec![("reason", json!(reason)), ("fieldList", json!(list))])
    }

    /// `ValidationException` that speaks of no single member. `reason` is one of the model's.
    pub(crate) fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Validation, message, vec![("reason", json!(reason))])
    }

    pub(crate) fn not_found(settings: &Settings, kind: ResourceType, id: &str) -> Self {
        let name = settings.resource_type_names.name(kind);
        Self::new(
            ErrorKind::ResourceNotFound,
            format!("{} {id} not found", kind.title()),
            vec![("resourceId", json!(id)), ("resourceType", json!(name))],
        )
    }

    pub(crate) fn conflict(
        settings: &Settings,
        kind: ResourceType,
        id: &str,
        message: impl Into<String>,
    ) -> Self {
        let name = settings.resource_type_names.name(kind);
        Self::new(
            ErrorKind::Conflict,
            message,
            vec![("resourceId", json!(id)), ("resourceType", json!(name))],
        )
    }

    /// The conflict of a change that the resource's status does not allow.
    pub(crate) fn busy(settings: &Settings, kind: ResourceType, id: &str, status: &str) -> Self {
        let message =
            format!("Invalid resource status for this operation, resource id {id}, status: {status}.");
        Self::conflict(settings, kind, id, message)
    }

    pub(crate) fn quota(
        settings: &Settings,
        kind: ResourceType,
        id: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        let mut members = vec![
            ("resourceType", json!(settings.resource_type_names.name(kind))),
            ("serviceCode", json!(settings.service_code.0)),
            ("quotaCode", json!(settings.quota_code.0)),
        ];
        members.extend(id.map(|id| ("resourceId", json!(id))));
        Self::new(ErrorKind::ServiceQuotaExceeded, message, members)
    }

    pub(crate) fn throttled(settings: &Settings, message: impl Into<String>) -> Self {
        Self::new(
            ErrorKind::Throttling,
            message,
            vec![
                ("serviceCode", json!(settings.service_code.0)),
                ("quotaCode", json!(settings.quota_code.0)),
            ],
        )
    }

    /// Whether it says that something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::ResourceNotFound
    }

    /// What belongs to another account may be seen, not changed.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::AccessDenied, message, Vec::new())
    }

    /// An error of this kind with placeholders in the members that the model requires, for a fault.
    pub(crate) fn injected(settings: &Settings, kind: ErrorKind, resource: &str) -> Self {
        let message = "injected by a fault rule";
        match kind {
            ErrorKind::AccessDenied | ErrorKind::InternalServer => Self::new(kind, message, Vec::new()),
            ErrorKind::Conflict => Self::conflict(settings, ResourceType::Resource, resource, message),
            ErrorKind::ResourceNotFound => {
                let mut refusal = Self::not_found(settings, ResourceType::Resource, resource);
                message.clone_into(&mut refusal.message);
                refusal
            }
            ErrorKind::ServiceQuotaExceeded => {
                Self::quota(settings, ResourceType::Resource, Some(resource), message)
            }
            ErrorKind::Throttling => Self::throttled(settings, message),
            ErrorKind::Validation => Self::invalid("other", message),
        }
    }

    /// The JSON body.
    pub(crate) fn body(&self) -> Value {
        let mut body = serde_json::Map::new();
        body.insert("message".to_owned(), json!(self.message));
        body.extend(self.members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Value::Object(body)
    }
}
