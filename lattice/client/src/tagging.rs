//! Finding resources by their tags: the Resource Groups Tagging API.

use aws_sdk_resourcegroupstagging::types::TagFilter;
use lattice::{Tags, limits::PAGE_ITEMS};

use crate::{Client, Error, Operation, Urgency, answer::required};

impl Client {
    /// Finds this account's resources of some types, such as `vpc-lattice:service`, that have a tag, whatever its value is
    /// or with one value: their ARNs and all their tags.
    ///
    /// What was tagged within the last minute may be missing, and what was deleted may still be there.
    ///
    /// # Errors
    /// See [`Error`]. A listing that takes too long is [`Error::Conflict`].
    pub async fn tagged(
        &self,
        resource_types: &[&str],
        key: &str,
        value: Option<&str>,
        urgency: Urgency,
    ) -> Result<Vec<(String, Tags)>, Error> {
        let operation = Operation::GetResources;
        let filter = TagFilter::builder().key(key).set_values(value.map(|value| vec![value.into()])).build();
        let types: Vec<String> = resource_types.iter().map(|kind| (*kind).to_owned()).collect();
        let ask = |token| {
            let call = self.tagging.get_resources().tag_filters(filter.clone());
            let call = call.set_resource_type_filters(Some(types.clone()));
            call.resources_per_page(PAGE_ITEMS).set_pagination_token(token).send()
        };
        self.follow(operation, urgency, ask, |page| {
            let items = page.resource_tag_mapping_list().iter().map(|item| {
                let tags = item.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
                Ok((required(operation, "an ARN", item.resource_arn())?, tags.collect()))
            });
            Ok((items.collect::<Result<_, Error>>()?, page.pagination_token))
        })
        .await
    }
}
