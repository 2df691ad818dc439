//! Everything that carries tags, found by ARN.

use crate::error::ResourceType;

use super::backend::{
    AccessLogSubscription, DomainVerification, EndpointAssociation, ResourceConfiguration, ResourceGateway,
};
use super::network::{ResourceAssociation, ServiceAssociation, ServiceNetwork, VpcAssociation};
use super::resource::Resource;
use super::service::Service;
use super::target_group::TargetGroup;
use super::{State, Tags, arn};

/// A call for each kind of resource that an account has, listeners and rules aside.
macro_rules! each_kind {
    ($kind:ident => $call:block) => {
        each_kind!(@ $kind $call TargetGroup, Service, ServiceNetwork, ServiceAssociation, VpcAssociation,
            ResourceAssociation, ResourceConfiguration, ResourceGateway, EndpointAssociation, DomainVerification,
            AccessLogSubscription)
    };
    (@ $kind:ident $call:block $($name:ident),+) => {
        $({
            type $kind = $name;
            $call
        })+
    };
}

impl State {
    /// The tags of what the account has under this ARN.
    pub(crate) fn tags_mut(&mut self, account: &str, arn: &str) -> Option<&mut Tags> {
        let path = arn.splitn(6, ':').nth(5)?;
        if let ["service", service, "listener", listener, ref rest @ ..] =
            path.split('/').collect::<Vec<_>>()[..]
        {
            let service = self.services.get_mut(service).filter(|service| service.account == account)?;
            let listener = service.listeners.get_mut(listener)?;
            return match *rest {
                [] => (listener.arn == arn).then_some(&mut listener.tags),
                ["rule", rule] => {
                    listener.rules.get_mut(rule).filter(|rule| rule.arn == arn).map(|rule| &mut rule.tags)
                }
                _ => None,
            };
        }
        let id = arn::last_part(arn).to_owned();
        each_kind!(Kind => {
            if path.strip_suffix(id.as_str()).and_then(|path| path.strip_suffix('/')) == Some(Kind::PATH) {
                let row = Kind::table_mut(self).get_mut(&id);
                return row.filter(|row| row.arn == arn && row.account == account).map(Resource::tags_mut);
            }
        });
        None
    }

    /// Calls `with` for the ARN and the tags of everything that the account has.
    pub(crate) fn each_tagged(&self, account: &str, mut with: impl FnMut(&str, &Tags)) {
        each_kind!(Kind => {
            for row in Kind::table(self).rows().filter(|row| row.account == account) {
                with(&row.arn, &row.tags);
            }
        });
        let services = self.services.rows().filter(|service| service.account == account);
        for listener in services.flat_map(|service| service.listeners.rows()) {
            with(&listener.arn, &listener.tags);
            for rule in listener.rules.rows() {
                with(&rule.arn, &rule.tags);
            }
        }
        for row in self.cloudmap.namespaces.rows().filter(|row| row.account == account) {
            with(&row.arn, &row.tags);
        }
        for row in self.cloudmap.services.rows().filter(|row| row.account == account) {
            with(&row.arn, &row.tags);
        }
    }

    /// The owner of the resource with this ARN, listeners and rules aside.
    pub(crate) fn owner_of(&self, arn: &str) -> Option<&str> {
        let id = arn::last_part(arn);
        each_kind!(Kind => {
            if let Some(row) = Kind::table(self).get(id).filter(|row| row.arn == arn) {
                return Some(row.account.as_str());
            }
        });
        None
    }
}

/// The kind of resource that an ARN speaks of, whether or not it is there.
pub(crate) fn kind_of(arn: &str) -> ResourceType {
    let parts: Vec<&str> = arn.splitn(6, ':').nth(5).unwrap_or_default().split('/').collect();
    let kind = parts.len().checked_sub(2).and_then(|at| parts.get(at)).copied().unwrap_or_default();
    match kind {
        "listener" => return ResourceType::Listener,
        "rule" => return ResourceType::Rule,
        _ => {}
    }
    each_kind!(Kind => {
        if kind == Kind::PATH {
            return Kind::KIND;
        }
    });
    ResourceType::Resource
}
