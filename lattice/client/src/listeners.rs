//! Listeners of services.

use aws_sdk_vpclattice::types;
use lattice::{
    Tags, TargetGroupArn,
    id::{ListenerId, ServiceId},
    limits::PAGE_ITEMS,
    observed::{Listener, ListenerSummary},
    rule::Action,
    service::ListenerProtocol,
};

use crate::{
    Client, Error, Operation, Urgency, action,
    answer::{lacks, number, required, tag_map},
    error::unfit,
};

/// A listener to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewListener<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it takes.
    pub protocol: ListenerProtocol,
    /// Its port.
    pub port: u16,
    /// What becomes of requests that no rule matches.
    pub default: &'a Action<TargetGroupArn>,
    /// Its tags.
    pub tags: &'a Tags,
}

impl Client {
    /// Reads which listeners a service has.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn listeners(
        &self,
        service: &ServiceId,
        urgency: Urgency,
    ) -> Result<Vec<ListenerSummary>, Error> {
        let ask = |token| {
            let call = self.sdk.list_listeners().service_identifier(service.as_str());
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(Operation::ListListeners, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads a listener.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn listener(
        &self,
        service: &ServiceId,
        listener: &ListenerId,
        urgency: Urgency,
    ) -> Result<Listener, Error> {
        let operation = Operation::GetListener;
        let call = self
            .sdk
            .get_listener()
            .service_identifier(service.as_str())
            .listener_identifier(listener.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        let arn: String = required(operation, "an ARN", output.arn())?;
        Ok(Listener {
            id: required(operation, "an id", output.id())?,
            name: output.name().unwrap_or_default().into(),
            protocol: protocol(output.protocol()),
            port: number(output.port()).ok_or_else(|| lacks(operation, "a port"))?,
            default: action::from_sdk(&arn, output.default_action()),
            arn,
        })
    }

    /// Makes a listener. The same `token` with the same input gives the same listener.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn create_listener(
        &self,
        service: &ServiceId,
        new: &NewListener<'_>,
        token: &str,
    ) -> Result<Listener, Error> {
        let operation = Operation::CreateListener;
        let call = self
            .sdk
            .create_listener()
            .service_identifier(service.as_str())
            .name(new.name)
            .protocol(new.protocol.as_str().into())
            .port(new.port.into())
            .default_action(action::to_sdk(new.default).map_err(unfit(operation))?)
            .set_tags(tag_map(new.tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        let arn: String = required(operation, "an ARN", output.arn())?;
        Ok(Listener {
            id: required(operation, "an id", output.id())?,
            name: output.name().unwrap_or(new.name).into(),
            protocol: protocol(output.protocol()),
            port: number(output.port()).unwrap_or(new.port),
            default: action::from_sdk(&arn, output.default_action()),
            arn,
        })
    }

    /// Changes what becomes of requests that no rule matches.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn update_listener(
        &self,
        service: &ServiceId,
        listener: &ListenerId,
        default: &Action<TargetGroupArn>,
    ) -> Result<(), Error> {
        let operation = Operation::UpdateListener;
        let call = self
            .sdk
            .update_listener()
            .service_identifier(service.as_str())
            .listener_identifier(listener.as_str())
            .default_action(action::to_sdk(default).map_err(unfit(operation))?);
        self.call(operation, Urgency::Change, call.send()).await.map(drop)
    }

    /// Deletes a listener with its rules.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn delete_listener(&self, service: &ServiceId, listener: &ListenerId) -> Result<(), Error> {
        let call = self
            .sdk
            .delete_listener()
            .service_identifier(service.as_str())
            .listener_identifier(listener.as_str());
        self.call(Operation::DeleteListener, Urgency::Change, call.send()).await.map(drop)
    }
}

fn summary(item: &types::ListenerSummary) -> Result<ListenerSummary, Error> {
    let operation = Operation::ListListeners;
    Ok(ListenerSummary {
        id: required(operation, "an id", item.id())?,
        arn: required(operation, "an ARN", item.arn())?,
        name: item.name().unwrap_or_default().into(),
        protocol: protocol(item.protocol()),
        port: number(item.port()).ok_or_else(|| lacks(operation, "a port"))?,
    })
}

fn protocol(protocol: Option<&types::ListenerProtocol>) -> Option<ListenerProtocol> {
    match protocol? {
        types::ListenerProtocol::Http => Some(ListenerProtocol::Http),
        types::ListenerProtocol::Https => Some(ListenerProtocol::Https),
        types::ListenerProtocol::TlsPassthrough => Some(ListenerProtocol::TlsPassthrough),
        _ => None,
    }
}
