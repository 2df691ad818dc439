//! Tags of one resource.

use lattice::Tags;

use crate::{Client, Error, Operation, Urgency, answer::tag_map};

impl Client {
    /// Reads the tags of a resource by its ARN.
    ///
    /// # Errors
    /// See [`Error`]. Those of an association that another account has made are [`Error::Denied`].
    pub async fn tags(&self, resource: &str, urgency: Urgency) -> Result<Tags, Error> {
        let call = self.sdk.list_tags_for_resource().resource_arn(resource);
        let output = self.call(Operation::ListTagsForResource, urgency, call.send()).await?;
        Ok(output.tags.unwrap_or_default().into_iter().collect())
    }

    /// Sets tags of a resource by its ARN: at least one, and the others stay.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn tag(&self, resource: &str, tags: &Tags) -> Result<(), Error> {
        let call = self.sdk.tag_resource().resource_arn(resource).set_tags(tag_map(tags));
        self.call(Operation::TagResource, Urgency::Change, call.send()).await.map(drop)
    }

    /// Takes tags from a resource by its ARN: at least one. A key that it does not have is no error.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn untag(&self, resource: &str, keys: &[&str]) -> Result<(), Error> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let call = self.sdk.untag_resource().resource_arn(resource).set_tag_keys(Some(keys));
        self.call(Operation::UntagResource, Urgency::Change, call.send()).await.map(drop)
    }
}
