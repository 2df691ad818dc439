//! Where access logs go.

use lattice::{Tags, id::AccessLogId, limits::PAGE_ITEMS};

use crate::{
    Client, Error, Operation, Urgency,
    answer::{required, tag_map},
};

impl Client {
    /// Reads where the access logs of a service or network, by id or ARN, go: ids of subscriptions, and ARNs of what
    /// they send to.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn access_logs(
        &self,
        resource: &str,
        urgency: Urgency,
    ) -> Result<Vec<(AccessLogId, String)>, Error> {
        let operation = Operation::ListAccessLogSubscriptions;
        let ask = |token| {
            let call = self.sdk.list_access_log_subscriptions().resource_identifier(resource);
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(operation, urgency, ask, |page| {
            let items = page.items().iter().map(|item| {
                Ok((
                    required(operation, "an id", Some(item.id()))?,
                    required(operation, "a destination", Some(item.destination_arn()))?,
                ))
            });
            Ok((items.collect::<Result<_, Error>>()?, page.next_token))
        })
        .await
    }

    /// Sends the access logs of a service or network, by id or ARN, to a bucket, log group or delivery stream. The same
    /// `token` with the same input gives the same subscription.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done. A second destination of the same kind
    /// is [`Error::Conflict`].
    pub async fn create_access_log(
        &self,
        resource: &str,
        destination: &str,
        tags: &Tags,
        token: &str,
    ) -> Result<AccessLogId, Error> {
        let operation = Operation::CreateAccessLogSubscription;
        let call = self
            .sdk
            .create_access_log_subscription()
            .resource_identifier(resource)
            .destination_arn(destination)
            .set_tags(tag_map(tags))
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        required(operation, "an id", Some(output.id()))
    }

    /// Stops sending access logs.
    ///
    /// # Errors
    /// See [`Error`]. A subscription that is gone is [`Error::Missing`].
    pub async fn delete_access_log(&self, subscription: &AccessLogId) -> Result<(), Error> {
        let call = self
            .sdk
            .delete_access_log_subscription()
            .access_log_subscription_identifier(subscription.as_str());
        self.call(Operation::DeleteAccessLogSubscription, Urgency::Change, call.send()).await.map(drop)
    }
}
