//! Private DNS namespaces, directories in them and what is in those: Cloud Map.
//!
//! A directory is what Cloud Map calls a service: a name whose records are the addresses of its instances, or another name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_servicediscovery::types::{
    DnsConfig, DnsRecord, FilterCondition, HealthStatusFilter, NamespaceFilter, NamespaceFilterName,
    NamespaceType, OperationStatus as Word, RecordType, RoutingPolicy, ServiceFilter, ServiceFilterName, Tag,
};
use lattice::{
    Tags,
    declared::CloudMapName,
    id::DirectoryId,
    limits::PAGE_ITEMS,
    resource::{Alias, Directory, Entry, Instance, Records},
    target::IpFamily,
};

use crate::{Client, Error, Operation, Urgency, answer::required, error};

/// How far something is that takes Cloud Map a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationStatus {
    /// It is under way.
    Pending,
    /// It is done.
    Done,
    /// It failed, for this reason.
    Failed(String),
}

/// A directory to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewDirectory<'a> {
    /// Its name, below the namespace's.
    pub name: &'a str,
    /// The namespace's id.
    pub namespace: &'a str,
    /// The records that its instances become.
    pub records: Records,
    /// Its tags.
    pub tags: &'a Tags,
}

impl Client {
    /// Finds the private DNS namespaces of a name: their ids. There is one for each of several VPCs at most.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn dns_namespaces(&self, name: &str, urgency: Urgency) -> Result<Vec<String>, Error> {
        let operation = Operation::ListNamespaces;
        let filter = |name, value: &str| {
            let filter = NamespaceFilter::builder().name(name).values(value);
            filter.condition(FilterCondition::Eq).build().map_err(error::unfit(operation))
        };
        let filters = vec![
            filter(NamespaceFilterName::Type, NamespaceType::DnsPrivate.as_str())?,
            filter(NamespaceFilterName::Name, name)?,
        ];
        let ask = |token| {
            let call = self.cloudmap.list_namespaces().set_filters(Some(filters.clone()));
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(operation, urgency, ask, |page| {
            let ids = page.namespaces().iter().map(|item| required(operation, "an id", item.id()));
            Ok((ids.collect::<Result<_, Error>>()?, page.next_token))
        })
        .await
    }

    /// Begins to make a private DNS namespace for a VPC: the id of the operation, which takes a while.
    ///
    /// # Errors
    /// See [`Error`]. A name that the VPC has already, and one that is being made, is [`Error::Conflict`].
    pub async fn create_dns_namespace(
        &self,
        name: &str,
        vpc: &str,
        tags: &Tags,
        token: &str,
    ) -> Result<String, Error> {
        let operation = Operation::CreatePrivateDnsNamespace;
        let call = self.cloudmap.create_private_dns_namespace().name(name).vpc(vpc);
        let call = call.set_tags(tag_list(operation, tags)?).creator_request_id(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        required(operation, "an operation", output.operation_id())
    }

    /// Reads how far an operation is.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn operation(&self, id: &str, urgency: Urgency) -> Result<OperationStatus, Error> {
        let call = self.cloudmap.get_operation().operation_id(id);
        let output = self.call(Operation::GetOperation, urgency, call.send()).await?;
        let found = output.operation();
        Ok(match found.and_then(|found| found.status()) {
            Some(Word::Success) => OperationStatus::Done,
            Some(Word::Fail) => {
                let told = found.and_then(|found| found.error_message());
                OperationStatus::Failed(told.unwrap_or("Cloud Map tells no reason").into())
            }
            _ => OperationStatus::Pending,
        })
    }

    /// Reads which directories there are, all or those of a namespace by its id.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn directories(
        &self,
        namespace: Option<&str>,
        urgency: Urgency,
    ) -> Result<Vec<Directory>, Error> {
        let operation = Operation::CloudMapListServices;
        let filter = namespace.map(|id| {
            let filter = ServiceFilter::builder().name(ServiceFilterName::NamespaceId).values(id);
            filter.condition(FilterCondition::Eq).build().map_err(error::unfit(operation))
        });
        let filters = filter.transpose()?.map(|filter| vec![filter]);
        let ask = |token| {
            let call = self.cloudmap.list_services().set_filters(filters.clone());
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(operation, urgency, ask, |page| {
            let items =
                page.services().iter().map(|item| directory(operation, item.id(), item.arn(), item.name()));
            Ok((items.collect::<Result<_, Error>>()?, page.next_token))
        })
        .await
    }

    /// Reads a directory.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn directory(&self, id: &DirectoryId, urgency: Urgency) -> Result<Directory, Error> {
        let operation = Operation::CloudMapGetService;
        let call = self.cloudmap.get_service().id(id.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        let found = output.service();
        directory(
            operation,
            found.and_then(|found| found.id()),
            found.and_then(|found| found.arn()),
            found.and_then(|found| found.name()),
        )
    }

    /// Makes a directory, which answers with up to eight of its instances, or with the other name of one of them.
    ///
    /// # Errors
    /// See [`Error`]. A name that is taken is [`Error::Conflict`].
    pub async fn create_directory(&self, new: &NewDirectory<'_>, token: &str) -> Result<Directory, Error> {
        let operation = Operation::CloudMapCreateService;
        let record = |kind| {
            let record = DnsRecord::builder().r#type(kind).ttl(new.records.ttl().into());
            record.build().map_err(error::unfit(operation))
        };
        let (kinds, policy) = match new.records {
            Records::Addresses { family, ports } => {
                let addresses = match family {
                    IpFamily::IPv4 => RecordType::A,
                    IpFamily::IPv6 => RecordType::Aaaa,
                };
                let kinds = [Some(addresses), ports.then_some(RecordType::Srv)];
                (kinds, RoutingPolicy::Multivalue)
            }
            // A name has one alias, so Cloud Map allows no other policy. Source: Cloud Map API reference, DnsRecord.
            Records::Alias => ([Some(RecordType::Cname), None], RoutingPolicy::Weighted),
        };
        let records = kinds.into_iter().flatten().map(record).collect::<Result<_, Error>>()?;
        let config = DnsConfig::builder().routing_policy(policy).set_dns_records(Some(records));
        let call = self
            .cloudmap
            .create_service()
            .name(new.name)
            .namespace_id(new.namespace)
            .dns_config(config.build().map_err(error::unfit(operation))?)
            .set_tags(tag_list(operation, new.tags)?)
            .creator_request_id(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        let made = output.service();
        directory(
            operation,
            made.and_then(|made| made.id()),
            made.and_then(|made| made.arn()),
            made.and_then(|made| made.name()).or(Some(new.name)),
        )
    }

    /// Deletes a directory.
    ///
    /// # Errors
    /// See [`Error`]. One that has instances is [`Error::Conflict`], one that is gone [`Error::Missing`].
    pub async fn delete_directory(&self, id: &DirectoryId) -> Result<(), Error> {
        let call = self.cloudmap.delete_service().id(id.as_str());
        self.call(Operation::CloudMapDeleteService, Urgency::Change, call.send()).await.map(drop)
    }

    /// Reads the tags of a directory by its ARN.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn directory_tags(&self, arn: &str, urgency: Urgency) -> Result<Tags, Error> {
        let call = self.cloudmap.list_tags_for_resource().resource_arn(arn);
        let output = self.call(Operation::CloudMapListTagsForResource, urgency, call.send()).await?;
        Ok(output.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Sets tags of a directory by its ARN: at least one, and the others stay.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn tag_directory(&self, arn: &str, tags: &Tags) -> Result<(), Error> {
        let operation = Operation::CloudMapTagResource;
        let call = self.cloudmap.tag_resource().resource_arn(arn).set_tags(tag_list(operation, tags)?);
        self.call(operation, Urgency::Change, call.send()).await.map(drop)
    }

    /// Reads what is in a directory, by the instances' ids; `None`: it has neither an address nor another name.
    ///
    /// # Errors
    /// See [`Error`]. A directory that is gone is [`Error::Missing`].
    pub async fn instances(
        &self,
        directory: &DirectoryId,
        urgency: Urgency,
    ) -> Result<BTreeMap<String, Option<Entry>>, Error> {
        let operation = Operation::ListInstances;
        let ask = |token| {
            let call = self.cloudmap.list_instances().service_id(directory.as_str());
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        let listed = self.follow(operation, urgency, ask, |page| {
            let items = page.instances().iter().map(|item| {
                let entry = item.attributes().and_then(entry);
                Ok((required(operation, "an id", item.id())?, entry))
            });
            Ok((items.collect::<Result<Vec<_>, Error>>()?, page.next_token))
        });
        Ok(listed.await?.into_iter().collect())
    }

    /// Finds the addresses of a service's healthy instances, or of all where none is healthy: a thousand at most, which is
    /// what a service has. Instances without an address are not shown.
    ///
    /// # Errors
    /// See [`Error`]. A namespace or service that is not there is [`Error::Missing`].
    pub async fn discover(&self, name: &CloudMapName, urgency: Urgency) -> Result<BTreeSet<Instance>, Error> {
        let call = self
            .cloudmap
            .discover_instances()
            .namespace_name(&name.namespace)
            .service_name(&name.service)
            .health_status(HealthStatusFilter::HealthyOrElseAll)
            .max_results(MOST_DISCOVERED);
        let output = self.call(Operation::DiscoverInstances, urgency, call.send()).await?;
        let mut found = BTreeSet::new();
        for attributes in output.instances().iter().filter_map(|item| item.attributes()) {
            let port = attributes.get(PORT).and_then(|text| text.parse().ok()).filter(|port| *port > 0);
            let addresses = [IPV4, IPV6].into_iter().filter_map(|name| attributes.get(name)?.parse().ok());
            found.extend(addresses.map(|address| Instance { address, port }));
        }
        Ok(found)
    }

    /// Puts an instance into a directory, or changes it. It is in DNS some seconds later.
    ///
    /// # Errors
    /// See [`Error`]; a directory that is gone is [`Error::Missing`].
    pub async fn register_instance(
        &self,
        directory: &DirectoryId,
        id: &str,
        entry: &Entry,
        token: &str,
    ) -> Result<(), Error> {
        let call = self.cloudmap.register_instance().service_id(directory.as_str()).instance_id(id);
        let call = call.set_attributes(Some(attributes(entry))).creator_request_id(token);
        self.call(Operation::RegisterInstance, Urgency::Register, call.send()).await.map(drop)
    }

    /// Takes an instance out of a directory.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn deregister_instance(&self, directory: &DirectoryId, id: &str) -> Result<(), Error> {
        let call = self.cloudmap.deregister_instance().service_id(directory.as_str()).instance_id(id);
        self.call(Operation::DeregisterInstance, Urgency::Deregister, call.send()).await.map(drop)
    }
}

/// Most instances in an answer. Source: Cloud Map API reference, DiscoverInstances, `MaxResults`.
const MOST_DISCOVERED: i32 = 1_000;

/// Attributes that records are made of. Source: Cloud Map API reference, RegisterInstance, `Attributes`.
const IPV4: &str = "AWS_INSTANCE_IPV4";
const IPV6: &str = "AWS_INSTANCE_IPV6";
const PORT: &str = "AWS_INSTANCE_PORT";
const CNAME: &str = "AWS_INSTANCE_CNAME";

/// Lath's own attribute, which DNS does not tell. It is called as in the annotation of routes.
const SERVICE_ARN: &str = "lattice-service-arn";

/// What an instance with these attributes is, if it is anything.
fn entry(attributes: &HashMap<String, String>) -> Option<Entry> {
    if let Some(name) = attributes.get(CNAME) {
        return Some(Entry::Alias(Alias { name: name.clone(), arn: attributes.get(SERVICE_ARN).cloned() }));
    }
    let address = attributes.get(IPV4).or_else(|| attributes.get(IPV6))?.parse().ok()?;
    let port = attributes.get(PORT).and_then(|text| text.parse().ok());
    Some(Entry::Instance(Instance { address, port }))
}

/// The attributes of an instance.
fn attributes(entry: &Entry) -> HashMap<String, String> {
    let (name, value, more) = match entry {
        Entry::Instance(Instance { address, port }) => {
            let name = match IpFamily::of(*address) {
                IpFamily::IPv4 => IPV4,
                IpFamily::IPv6 => IPV6,
            };
            (name, address.to_string(), port.map(|port| (PORT, port.to_string())))
        }
        Entry::Alias(Alias { name, arn }) => {
            (CNAME, name.clone(), arn.as_ref().map(|arn| (SERVICE_ARN, arn.clone())))
        }
    };
    let all = std::iter::once((name, value)).chain(more);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn directory(
    operation: Operation,
    id: Option<&str>,
    arn: Option<&str>,
    name: Option<&str>,
) -> Result<Directory, Error> {
    Ok(Directory {
        id: required(operation, "an id", id)?,
        arn: required(operation, "an ARN", arn)?,
        name: name.unwrap_or_default().into(),
    })
}

fn tag_list(operation: Operation, tags: &Tags) -> Result<Option<Vec<Tag>>, Error> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map(Some).map_err(error::unfit(operation))
}
