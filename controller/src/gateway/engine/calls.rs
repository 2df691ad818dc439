//! The calls behind steps: each call carries all that it is made of, so that it can be repeated as it was.

use std::{collections::BTreeSet, sync::Arc};

use lattice::{
    Tags,
    declared::GroupForm,
    id::{AccessLogId, NetworkId, RuleId, ServiceId},
    observed::{Group, Listener, Network, Service, ServiceAssociation, Status, VpcAssociation},
    plan::{group, network, rules, service},
    service::{GroupKey, GroupSpec, NetworkSpec, ServiceSpec},
};
use lattice_client::{Client, Error, NewGroup, NewListener, NewService, RuleChange, RuleOutcome};

/// A step on a service.
#[derive(Debug, Clone)]
pub(super) struct ServiceCall {
    pub(super) step: service::Step,
    /// What is wanted; `None` if the service is to go.
    pub(super) spec: Option<Arc<ServiceSpec>>,
    /// The service, unless it is to be made.
    pub(super) service: Option<(ServiceId, String)>,
    /// The network's identifier, if the step names a network: its ARN where it is another account's.
    pub(super) network: Option<String>,
    /// The tags of what is made along with the service.
    pub(super) tags: Arc<Tags>,
    /// Makes sure that a repetition makes nothing anew. Also tells the names of rules apart.
    pub(super) token: String,
}

/// What a step on a service has brought.
#[derive(Debug)]
pub(super) enum ServiceNews {
    Done,
    Service(Service),
    Status(Status),
    Listener(Listener),
    Rule(RuleId),
    Rules(RuleOutcome),
    Association(ServiceAssociation),
    AccessLog(AccessLogId),
}

impl ServiceCall {
    /// Whether it makes something, so that nobody knows what is there after it got no answer.
    pub(super) fn creates(&self) -> bool {
        matches!(
            self.step,
            service::Step::Create
                | service::Step::CreateListener { .. }
                | service::Step::Rule { step: rules::Step::Create { .. }, .. }
                | service::Step::Associate(_)
                | service::Step::CreateAccessLog(_)
        )
    }

    /// Whether it takes something away, so that it is done where nothing is.
    pub(super) fn deletes(&self) -> bool {
        matches!(
            self.step,
            service::Step::Delete
                | service::Step::DeleteListener { .. }
                | service::Step::Rule { step: rules::Step::Delete(_), .. }
                | service::Step::Dissociate(..)
                | service::Step::DeleteAuthPolicy
                | service::Step::DeleteAccessLog(..)
        )
    }

    /// The name of the rule that it makes. Names of rules are unique in a listener.
    pub(super) fn rule_name(&self) -> String {
        format!("k8s-{}", self.token)
    }

    /// Makes the call.
    pub(super) async fn make(&self, client: &Client) -> Result<ServiceNews, Error> {
        let none = (ServiceId::from(""), String::new());
        let (id, arn) = self.service.as_ref().unwrap_or(&none);
        let done = |()| ServiceNews::Done;
        match &self.step {
            service::Step::Create => match &self.spec {
                Some(spec) => {
                    let new = NewService {
                        name: &spec.name,
                        custom_domain: spec.custom_domain.as_deref(),
                        certificate: spec.certificate.as_deref(),
                        // In force from the start: until there is a policy, nobody is let in.
                        auth: spec.auth_policy.is_some(),
                        tags: &spec.tags,
                    };
                    client.create_service(&new, &self.token).await.map(ServiceNews::Service)
                }
                None => Ok(ServiceNews::Done),
            },
            service::Step::Update { certificate, auth } => {
                client.update_service(id, certificate.as_deref(), *auth).await.map(done)
            }
            service::Step::Delete => client.delete_service(id).await.map(ServiceNews::Status),
            service::Step::CreateListener { port, default } => {
                match self.spec.as_ref().and_then(|spec| spec.listeners.get(port)) {
                    Some(spec) => {
                        let new = NewListener {
                            name: &spec.name,
                            protocol: spec.protocol,
                            port: *port,
                            default,
                            tags: &self.tags,
                        };
                        client.create_listener(id, &new, &self.token).await.map(ServiceNews::Listener)
                    }
                    None => Ok(ServiceNews::Done),
                }
            }
            service::Step::UpdateListener { listener, default, .. } => {
                client.update_listener(id, listener, default).await.map(done)
            }
            service::Step::DeleteListener { listener, .. } => {
                client.delete_listener(id, listener).await.map(done)
            }
            service::Step::Rule { listener, step, .. } => match step {
                rules::Step::Create { priority, rule } => client
                    .create_rule(id, listener, &self.rule_name(), *priority, rule, &self.token)
                    .await
                    .map(ServiceNews::Rule),
                rules::Step::Update(changes) => {
                    let changes: Vec<RuleChange> = changes
                        .iter()
                        .map(|change| RuleChange {
                            id: change.id.clone(),
                            priority: change.priority,
                            rule: change.rule.clone(),
                        })
                        .collect();
                    client.update_rules(id, listener, &changes).await.map(ServiceNews::Rules)
                }
                rules::Step::Delete(rule) => client.delete_rule(id, listener, rule).await.map(done),
            },
            service::Step::Associate(network) => {
                let identifier = self.network.as_deref().unwrap_or(network.as_str());
                client
                    .associate_service(id, identifier, &self.tags, &self.token)
                    .await
                    .map(ServiceNews::Association)
            }
            service::Step::Dissociate(_, association) => {
                client.dissociate_service(association).await.map(ServiceNews::Status)
            }
            service::Step::PutAuthPolicy(text) => client.put_auth_policy(arn, text).await.map(done),
            service::Step::DeleteAuthPolicy => client.delete_auth_policy(arn).await.map(done),
            service::Step::CreateAccessLog(destination) => client
                .create_access_log(arn, destination, &self.tags, &self.token)
                .await
                .map(ServiceNews::AccessLog),
            service::Step::DeleteAccessLog(_, subscription) => {
                client.delete_access_log(subscription).await.map(done)
            }
            service::Step::Tag(tags) => client.tag(arn, tags).await.map(done),
            service::Step::Untag(keys) => client.untag(arn, &borrowed(keys)).await.map(done),
        }
    }
}

/// A step on a target group.
#[derive(Debug, Clone)]
pub(super) struct GroupCall {
    pub(super) step: group::Step,
    /// What is wanted, and what for; `None` if the group is to go.
    pub(super) spec: Option<(GroupKey, Arc<GroupSpec>)>,
    /// The group, unless it is to be made.
    pub(super) group: Option<Group>,
    pub(super) token: String,
}

/// What a step on a target group has brought.
#[derive(Debug)]
pub(super) enum GroupNews {
    Done,
    Group(Group),
    Status(Status),
}

impl GroupCall {
    /// Makes the call.
    pub(super) async fn make(&self, client: &Client) -> Result<GroupNews, Error> {
        match (&self.step, &self.group, &self.spec) {
            (group::Step::Create, _, Some((key, spec))) => {
                // Others' groups are theirs to make.
                let Some(form) = key.form() else { return Ok(GroupNews::Done) };
                let new = NewGroup {
                    name: &spec.name,
                    form,
                    port: spec.port,
                    vpc: &spec.vpc,
                    health_check: &spec.health_check,
                    tags: &spec.tags,
                };
                client.create_group(&new, &self.token).await.map(GroupNews::Group)
            }
            (group::Step::Update(check), Some(there), Some((key, _))) => {
                let Some(protocol) = there.protocol.or(key.form().and_then(GroupForm::protocol)) else {
                    return Ok(GroupNews::Done);
                };
                client.update_group(&there.arn, protocol, check).await.map(|()| GroupNews::Done)
            }
            (group::Step::Tag(tags), Some(there), _) => {
                client.tag(there.arn.as_str(), tags).await.map(|()| GroupNews::Done)
            }
            (group::Step::Untag(keys), Some(there), _) => {
                client.untag(there.arn.as_str(), &borrowed(keys)).await.map(|()| GroupNews::Done)
            }
            (group::Step::Delete, Some(there), _) => {
                client.delete_group(&there.arn).await.map(GroupNews::Status)
            }
            _ => Ok(GroupNews::Done),
        }
    }
}

/// Keys of tags as calls take them.
pub(super) fn borrowed(keys: &BTreeSet<String>) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

/// What is done about a service network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NetworkStep {
    /// A step of the plan.
    Plan(network::Step),
    /// Say that its policies are this cluster's, before there are any.
    Claim,
    /// Say so no more.
    Disclaim,
}

/// A step on a service network.
#[derive(Debug, Clone)]
pub(super) struct NetworkCall {
    pub(super) step: NetworkStep,
    /// The name that it is wanted by.
    pub(super) name: String,
    pub(super) spec: Arc<NetworkSpec>,
    /// The network, unless it is to be made: its id, its ARN, and which of the two calls go by.
    pub(super) network: Option<(NetworkId, String, String)>,
    pub(super) vpc: String,
    /// The tags of what is made in it.
    pub(super) tags: Arc<Tags>,
    /// The tags that say whose its policies are.
    pub(super) claim: Arc<Tags>,
    pub(super) token: String,
}

/// What a step on a service network has brought.
#[derive(Debug)]
pub(super) enum NetworkNews {
    Done,
    Network(Network),
    Vpc(VpcAssociation),
    Status(Status),
    AccessLog(AccessLogId),
}

impl NetworkCall {
    /// The tags that the network gets when it is made.
    pub(super) fn new_tags(&self) -> Tags {
        let mut tags = self.spec.tags.clone();
        if self.spec.auth_policy.is_some() || !self.spec.access_logs.is_empty() {
            tags.extend((*self.claim).clone());
        }
        tags
    }

    /// Whether it makes something.
    pub(super) fn creates(&self) -> bool {
        matches!(
            self.step,
            NetworkStep::Plan(
                network::Step::Create | network::Step::AssociateVpc(_) | network::Step::CreateAccessLog(_)
            )
        )
    }

    /// Whether it takes something away.
    pub(super) fn deletes(&self) -> bool {
        matches!(
            self.step,
            NetworkStep::Disclaim
                | NetworkStep::Plan(
                    network::Step::DissociateVpc(_)
                        | network::Step::DeleteAuthPolicy
                        | network::Step::DeleteAccessLog(..)
                )
        )
    }

    /// Makes the call.
    pub(super) async fn make(&self, client: &Client) -> Result<NetworkNews, Error> {
        let none = (NetworkId::from(""), String::new(), String::new());
        let (id, arn, identifier) = self.network.as_ref().unwrap_or(&none);
        let done = |()| NetworkNews::Done;
        let step = match &self.step {
            NetworkStep::Claim => return client.tag(arn, &self.claim).await.map(done),
            NetworkStep::Disclaim => {
                let keys: Vec<&str> = self.claim.keys().map(String::as_str).collect();
                return client.untag(arn, &keys).await.map(done);
            }
            NetworkStep::Plan(step) => step,
        };
        match step {
            network::Step::Create => client
                .create_network(&self.name, self.spec.auth_policy.is_some(), &self.new_tags(), &self.token)
                .await
                .map(NetworkNews::Network),
            network::Step::AssociateVpc(security_groups) => client
                .associate_vpc(identifier, &self.vpc, security_groups, &self.tags, &self.token)
                .await
                .map(NetworkNews::Vpc),
            network::Step::UpdateVpc(association, security_groups) => {
                client.update_vpc_association(association, security_groups).await.map(NetworkNews::Status)
            }
            network::Step::DissociateVpc(association) => {
                client.dissociate_vpc(association).await.map(NetworkNews::Status)
            }
            network::Step::Update { auth } => client.update_network(id, *auth).await.map(done),
            network::Step::PutAuthPolicy(text) => client.put_auth_policy(arn, text).await.map(done),
            network::Step::DeleteAuthPolicy => client.delete_auth_policy(arn).await.map(done),
            network::Step::CreateAccessLog(destination) => client
                .create_access_log(arn, destination, &self.tags, &self.token)
                .await
                .map(NetworkNews::AccessLog),
            network::Step::DeleteAccessLog(_, subscription) => {
                client.delete_access_log(subscription).await.map(done)
            }
        }
    }
}
