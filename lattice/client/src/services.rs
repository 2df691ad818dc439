//! Services.

use aws_sdk_vpclattice::types::{self, AuthType};
use lattice::{
    Tags,
    id::ServiceId,
    limits::PAGE_ITEMS,
    observed::{Service, ServiceSummary, Status},
};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{required, status, tag_map},
};

/// A service to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewService<'a> {
    /// Its name.
    pub name: &'a str,
    /// The other name by which clients may reach it, for ever.
    pub custom_domain: Option<&'a str>,
    /// The ARN of the certificate for that name.
    pub certificate: Option<&'a str>,
    /// Whether its auth policy is in force. With none it then lets nobody in.
    pub auth: bool,
    /// Its tags.
    pub tags: &'a Tags,
}

impl Client {
    /// Reads which services there are, with those of other accounts that are shared with this one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn services(&self, urgency: Urgency) -> Result<Vec<ServiceSummary>, Error> {
        let ask = |token| self.sdk.list_services().max_results(PAGE_ITEMS).set_next_token(token).send();
        self.follow(Operation::ListServices, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads a service.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn service(&self, service: &ServiceId, urgency: Urgency) -> Result<Service, Error> {
        let operation = Operation::GetService;
        let call = self.sdk.get_service().service_identifier(service.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        Ok(Service {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            name: output.name().unwrap_or_default().into(),
            status: status(
                output.status().map(types::ServiceStatus::as_str),
                output.failure_code(),
                output.failure_message(),
            ),
            dns_name: dns_name(output.dns_entry()),
            custom_domain: given(output.custom_domain_name()),
            certificate: given(output.certificate_arn()),
            auth: output.auth_type() == Some(&AuthType::AwsIam),
        })
    }

    /// Makes a service. The same `token` with the same input gives the same service.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn create_service(&self, new: &NewService<'_>, token: &str) -> Result<Service, Error> {
        let operation = Operation::CreateService;
        let call = self
            .sdk
            .create_service()
            .name(new.name)
            .set_custom_domain_name(new.custom_domain.map(Into::into))
            .set_certificate_arn(new.certificate.map(Into::into))
            .auth_type(auth_type(new.auth))
            .set_tags(tag_map(new.tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(Service {
            id: required(operation, "an id", output.id())?,
            arn: required(operation, "an ARN", output.arn())?,
            name: output.name().unwrap_or(new.name).into(),
            status: status(output.status().map(types::ServiceStatus::as_str), None, None),
            dns_name: dns_name(output.dns_entry()),
            custom_domain: given(output.custom_domain_name()),
            certificate: given(output.certificate_arn()),
            auth: output.auth_type() == Some(&AuthType::AwsIam),
        })
    }

    /// Changes what can be changed of a service; `None` leaves it as it is.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn update_service(
        &self,
        service: &ServiceId,
        certificate: Option<&str>,
        auth: Option<bool>,
    ) -> Result<(), Error> {
        let call = self
            .sdk
            .update_service()
            .service_identifier(service.as_str())
            .set_certificate_arn(certificate.map(Into::into))
            .set_auth_type(auth.map(auth_type));
        self.call(Operation::UpdateService, Urgency::Change, call.send()).await.map(drop)
    }

    /// Deletes a service with its listeners, rules, auth policy and access log subscriptions, and tells how far that is.
    ///
    /// # Errors
    /// See [`Error`]. One that is in a network is [`Error::Conflict`], one that is gone [`Error::Missing`].
    pub async fn delete_service(&self, service: &ServiceId) -> Result<Status, Error> {
        let call = self.sdk.delete_service().service_identifier(service.as_str());
        let output = self.call(Operation::DeleteService, Urgency::Change, call.send()).await?;
        Ok(status(output.status().map(types::ServiceStatus::as_str), None, None))
    }
}

/// How the API says whether an auth policy is in force.
pub(crate) fn auth_type(auth: bool) -> AuthType {
    if auth { AuthType::AwsIam } else { AuthType::None }
}

fn summary(item: &types::ServiceSummary) -> Result<ServiceSummary, Error> {
    let operation = Operation::ListServices;
    Ok(ServiceSummary {
        id: required(operation, "an id", item.id())?,
        arn: required(operation, "an ARN", item.arn())?,
        name: item.name().unwrap_or_default().into(),
        status: status(item.status().map(types::ServiceStatus::as_str), None, None),
        dns_name: dns_name(item.dns_entry()),
        custom_domain: given(item.custom_domain_name()),
    })
}

fn dns_name(entry: Option<&types::DnsEntry>) -> Option<String> {
    given(entry.and_then(types::DnsEntry::domain_name))
}

/// A text that may be missing or empty, which is the same.
fn given(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(Into::into)
}
