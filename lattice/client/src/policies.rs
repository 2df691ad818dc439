//! Auth policies of services and service networks.

use crate::{Client, Error, Operation, Urgency};

impl Client {
    /// Reads the auth policy of a service or network, by id or ARN; `None` if it has none, or is not there itself.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn auth_policy(&self, resource: &str, urgency: Urgency) -> Result<Option<String>, Error> {
        let call = self.sdk.get_auth_policy().resource_identifier(resource);
        match self.call(Operation::GetAuthPolicy, urgency, call.send()).await {
            Ok(output) => Ok(output.policy.filter(|policy| !policy.is_empty())),
            Err(Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes or replaces the auth policy of a service or network, by id or ARN. It is in force only where that is told
    /// so, and takes effect within minutes.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn put_auth_policy(&self, resource: &str, policy: &str) -> Result<(), Error> {
        let call = self.sdk.put_auth_policy().resource_identifier(resource).policy(policy);
        self.call(Operation::PutAuthPolicy, Urgency::Change, call.send()).await.map(drop)
    }

    /// Deletes the auth policy of a service or network, by id or ARN. Where policies are in force it then lets nobody in.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone may be [`Error::Missing`].
    pub async fn delete_auth_policy(&self, resource: &str) -> Result<(), Error> {
        let call = self.sdk.delete_auth_policy().resource_identifier(resource);
        self.call(Operation::DeleteAuthPolicy, Urgency::Change, call.send()).await.map(drop)
    }
}
