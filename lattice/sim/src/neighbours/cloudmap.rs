//! Cloud Map: namespaces, services, instances, and their discovery.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::state::cloudmap::{MOST_OPERATIONS, NamedService, Namespace, Operation};
use crate::state::{State, Tags};

use super::{Ask, Error, Served, served};

pub(super) const OPERATIONS: [Served; 17] = [
    served("CreatePrivateDnsNamespace", "servicediscovery.CreatePrivateDnsNamespace", create_dns_namespace),
    served("CreateHttpNamespace", "servicediscovery.CreateHttpNamespace", create_http_namespace),
    served("GetNamespace", "servicediscovery.GetNamespace", get_namespace),
    served("ListNamespaces", "servicediscovery.ListNamespaces", list_namespaces),
    served("DeleteNamespace", "servicediscovery.DeleteNamespace", delete_namespace),
    served("GetOperation", "servicediscovery.GetOperation", get_operation),
    served("CreateService", "servicediscovery.CreateService", create_service),
    served("GetService", "servicediscovery.GetService", get_service),
    served("ListServices", "servicediscovery.ListServices", list_services),
    served("DeleteService", "servicediscovery.DeleteService", delete_service),
    served("RegisterInstance", "servicediscovery.RegisterInstance", register),
    served("DeregisterInstance", "servicediscovery.DeregisterInstance", deregister),
    served("ListInstances", "servicediscovery.ListInstances", list_instances),
    served("DiscoverInstances", "servicediscovery.DiscoverInstances", discover),
    served("DiscoverInstancesRevision", "servicediscovery.DiscoverInstancesRevision", revision),
    served("ListTagsForResource", "servicediscovery.ListTagsForResource", list_tags),
    served("TagResource", "servicediscovery.TagResource", tag),
];

/// Most items on a page. Source: API reference, ListInstances.
const PAGE: usize = 100;
/// Most instances of a service. Source: Cloud Map quotas.
const MOST_INSTANCES: usize = 1_000;
/// Most characters in the names and values of an instance's attributes. Source: API reference, RegisterInstance.
const MOST_OF_ATTRIBUTES: usize = 5_000;
/// Most namespaces of an account. Source: Cloud Map quotas.
const MOST_NAMESPACES: usize = 50;
/// Most services; the quotas name none.
const MOST_SERVICES: usize = 50_000;

fn create_dns_namespace(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let vpc = ask.required("Vpc")?;
    if !ask.surroundings.has_vpc(vpc) {
        return Err(Error::new("InvalidInput", format!("{vpc} does not exist.")));
    }
    create_namespace(state, ask, Some(vpc.to_owned()))
}

fn create_http_namespace(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    create_namespace(state, ask, None)
}

fn create_namespace(state: &mut State, ask: &Ask<'_>, vpc: Option<String>) -> Result<Value, Error> {
    let name = ask.required("Name")?;
    let own = || state.cloudmap.namespaces.rows().filter(|row| row.account == ask.caller.account);
    if let Some(other) = own().find(|row| row.name == name && row.vpc == vpc) {
        let message = format!("There is a namespace with the name {name} already: {}.", other.id);
        return Err(Error::new("NamespaceAlreadyExists", message));
    }
    if own().count() >= MOST_NAMESPACES {
        let message = format!("The limit of {MOST_NAMESPACES} namespaces is reached.");
        return Err(Error::new("ResourceLimitExceeded", message));
    }
    let id = state.new_id("ns-");
    let arn = format!("arn:aws:servicediscovery:{}:{}:namespace/{id}", ask.region, ask.caller.account);
    let namespace = Namespace {
        id: id.clone(),
        arn,
        account: ask.caller.account.clone(),
        name: name.to_owned(),
        vpc,
        description: ask.input.get("Description").and_then(Value::as_str).map(str::to_owned),
        tags: new_tags(ask),
        created: ask.now,
    };
    state.cloudmap.namespaces.insert(id.clone(), namespace);
    Ok(done(state, ask, "CREATE_NAMESPACE", &[("NAMESPACE", &id)]))
}

fn new_tags(ask: &Ask<'_>) -> Tags {
    let tags = ask.input.get("Tags").and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(|tag| {
        Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str().unwrap_or_default().to_owned()))
    })
    .collect()
}

/// Remembers that something is done, for GetOperation.
fn done(state: &mut State, ask: &Ask<'_>, kind: &str, targets: &[(&str, &str)]) -> Value {
    let id = state.new_id("op");
    let operation = Operation {
        account: ask.caller.account.clone(),
        kind: kind.to_owned(),
        targets: targets.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned())).collect(),
        at: ask.now,
    };
    let operations = &mut state.cloudmap.operations;
    operations.insert(id.clone(), operation);
    if operations.len() > MOST_OPERATIONS {
        operations.remove_first();
    }
    json!({"OperationId": id})
}

fn get_operation(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let id = ask.required("OperationId")?;
    let found = state.cloudmap.operations.get(id).filter(|row| row.account == ask.caller.account);
    let Some(operation) = found else {
        return Err(Error::new("OperationNotFound", format!("There is no operation {id}.")));
    };
    Ok(json!({"Operation": {
        "Id": id,
        "OwnerAccount": operation.account,
        "Type": operation.kind,
        "Status": "SUCCESS",
        "CreateDate": ask.epoch(operation.at),
        "UpdateDate": ask.epoch(operation.at),
        "Targets": operation.targets,
    }}))
}

/// The namespace of an id or ARN, if it is the account's.
fn namespace<'a>(state: &'a State, ask: &Ask<'_>, identifier: &str) -> Result<&'a Namespace, Error> {
    let id = identifier.rsplit('/').next().unwrap_or_default();
    let found = state.cloudmap.namespaces.get(id).filter(|row| row.account == ask.caller.account);
    found.ok_or_else(|| Error::new("NamespaceNotFound", format!("There is no namespace {identifier}.")))
}

/// The service of an id or ARN, if it is the account's.
fn service<'a>(state: &'a State, ask: &Ask<'_>, identifier: &str) -> Result<&'a NamedService, Error> {
    let id = identifier.rsplit('/').next().unwrap_or_default();
    let found = state.cloudmap.services.get(id).filter(|row| row.account == ask.caller.account);
    found.ok_or_else(|| Error::new("ServiceNotFound", format!("There is no service {identifier}.")))
}

fn service_mut<'a>(
    state: &'a mut State,
    ask: &Ask<'_>,
    identifier: &str,
) -> Result<&'a mut NamedService, Error> {
    let id = service(state, ask, identifier)?.id.clone();
    let missing = || Error::new("ServiceNotFound", format!("There is no service {identifier}."));
    state.cloudmap.services.get_mut(&id).ok_or_else(missing)
}

fn get_namespace(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let row = namespace(state, ask, ask.required("Id")?)?;
    Ok(json!({"Namespace": namespace_shown(state, ask, row)}))
}

fn list_namespaces(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let filters = filters(ask, &["TYPE", "NAME", "HTTP_NAME"])?;
    let rows = state.cloudmap.namespaces.rows().filter(|row| row.account == ask.caller.account);
    let rows = rows.filter(|row| {
        filters.iter().all(|filter| match filter.name {
            "TYPE" => filter.fits(kind(row)),
            _ => filter.fits(&row.name),
        })
    });
    let shown: Vec<Value> = rows.map(|row| namespace_shown(state, ask, row)).collect();
    let (page, next) = ask.page(shown, "NextToken", "MaxResults", PAGE)?;
    Ok(with_token(json!({"Namespaces": page}), next))
}

fn delete_namespace(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let id = namespace(state, ask, ask.required("Id")?)?.id.clone();
    if state.cloudmap.services.rows().any(|row| row.namespace == id) {
        return Err(Error::new("ResourceInUse", format!("Namespace {id} has services.")));
    }
    state.cloudmap.namespaces.remove(&id);
    Ok(done(state, ask, "DELETE_NAMESPACE", &[("NAMESPACE", &id)]))
}

fn kind(row: &Namespace) -> &'static str {
    if row.vpc.is_some() { "DNS_PRIVATE" } else { "HTTP" }
}

fn namespace_shown(state: &State, ask: &Ask<'_>, row: &Namespace) -> Value {
    let services = state.cloudmap.services.rows().filter(|service| service.namespace == row.id).count();
    let zone = &ask.settings.hosted_zone_id.0;
    let mut properties = json!({"HttpProperties": {"HttpName": row.name}});
    if row.vpc.is_some() {
        properties["DnsProperties"] = json!({"HostedZoneId": zone, "SOA": {"TTL": 15}});
    }
    json!({
        "Id": row.id,
        "Arn": row.arn,
        "Name": row.name,
        "Type": kind(row),
        "Description": row.description,
        "ServiceCount": services,
        "Properties": properties,
        "CreateDate": ask.epoch(row.created),
    })
}

fn create_service(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let name = ask.required("Name")?;
    let config = &ask.input.get("DnsConfig").cloned().unwrap_or_default();
    let within = match ask.text("NamespaceId") {
        "" => config["NamespaceId"].as_str().unwrap_or_default(),
        id => id,
    };
    let within = namespace(state, ask, within)?;
    let records = records(config)?;
    let routing = config["RoutingPolicy"].as_str().unwrap_or("MULTIVALUE");
    check_routing(&records, routing, ask.input.get("HealthCheckConfig").is_some())?;
    if within.vpc.is_none() && !records.is_empty() {
        return Err(Error::new("InvalidInput", "A service of an HTTP namespace has no DNS records."));
    }
    let namespace = within.id.clone();
    let same = |row: &&NamedService| row.namespace == namespace && row.name == name;
    if let Some(other) = state.cloudmap.services.rows().find(same) {
        let message = format!("There is a service with the name {name} already: {}.", other.id);
        return Err(Error::new("ServiceAlreadyExists", message));
    }
    if state.cloudmap.services.len() >= MOST_SERVICES {
        return Err(Error::new("ResourceLimitExceeded", "The limit of services is reached."));
    }
    let id = state.new_id("srv-");
    let row = NamedService {
        arn: format!("arn:aws:servicediscovery:{}:{}:service/{id}", ask.region, ask.caller.account),
        id: id.clone(),
        account: ask.caller.account.clone(),
        name: name.to_owned(),
        namespace,
        description: ask.input.get("Description").and_then(Value::as_str).map(str::to_owned),
        routing: (!records.is_empty()).then(|| routing.to_owned()),
        records,
        instances: BTreeMap::new(),
        revision: 1,
        tags: new_tags(ask),
        created: ask.now,
    };
    let answer = json!({"Service": service_shown(ask, &row)});
    state.cloudmap.services.insert(id, row);
    Ok(answer)
}

/// The types of a service's DNS records, with the seconds that they are good for.
fn records(config: &Value) -> Result<Vec<(String, u64)>, Error> {
    let given = config["DnsRecords"].as_array().into_iter().flatten();
    let records: Vec<(String, u64)> = given
        .map(|record| {
            (record["Type"].as_str().unwrap_or_default().to_owned(), record["TTL"].as_u64().unwrap_or(60))
        })
        .collect();
    for (place, (kind, _)) in records.iter().enumerate() {
        if !["A", "AAAA", "SRV", "CNAME"].contains(&kind.as_str()) {
            return Err(Error::new("InvalidInput", format!("{kind} is not a type of DNS record.")));
        }
        if records.iter().take(place).any(|(other, _)| other == kind) {
            return Err(Error::new(
                "InvalidInput",
                format!("The type {kind} of DNS records is given twice."),
            ));
        }
    }
    Ok(records)
}

/// A name has one alias and nothing beside it. Source: API reference, `DnsRecord`, CNAME.
fn check_routing(records: &[(String, u64)], routing: &str, checked: bool) -> Result<(), Error> {
    let wrong = if !["MULTIVALUE", "WEIGHTED"].contains(&routing) {
        format!("{routing} is not a routing policy.")
    } else if !records.iter().any(|(kind, _)| kind == "CNAME") {
        return Ok(());
    } else if records.len() > 1 {
        "CNAME can't be combined with other types of DNS records.".into()
    } else if routing != "WEIGHTED" {
        "CNAME needs the routing policy WEIGHTED.".into()
    } else if checked {
        "CNAME can't be combined with health checks.".into()
    } else {
        return Ok(());
    };
    Err(Error::new("InvalidInput", wrong))
}

fn service_shown(ask: &Ask<'_>, row: &NamedService) -> Value {
    let mut shown = json!({
        "Id": row.id,
        "Arn": row.arn,
        "Name": row.name,
        "NamespaceId": row.namespace,
        "InstanceCount": row.instances.len(),
        "Type": if row.records.is_empty() { "HTTP" } else { "DNS_HTTP" },
        "CreateDate": ask.epoch(row.created),
    });
    if let Some(description) = &row.description {
        shown["Description"] = json!(description);
    }
    if !row.records.is_empty() {
        let records: Vec<Value> =
            row.records.iter().map(|(kind, ttl)| json!({"Type": kind, "TTL": ttl})).collect();
        shown["DnsConfig"] = json!({"DnsRecords": records, "RoutingPolicy": row.routing});
    }
    shown
}

fn get_service(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let row = service(state, ask, ask.required("Id")?)?;
    Ok(json!({"Service": service_shown(ask, row)}))
}

fn list_services(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let filters = filters(ask, &["NAMESPACE_ID"])?;
    let rows = state.cloudmap.services.rows().filter(|row| {
        row.account == ask.caller.account && filters.iter().all(|filter| filter.fits(&row.namespace))
    });
    let shown: Vec<Value> = rows.map(|row| service_shown(ask, row)).collect();
    let (page, next) = ask.page(shown, "NextToken", "MaxResults", PAGE)?;
    Ok(with_token(json!({"Services": page}), next))
}

fn delete_service(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let row = service(state, ask, ask.required("Id")?)?;
    if !row.instances.is_empty() {
        return Err(Error::new("ResourceInUse", format!("Service {} has instances.", row.id)));
    }
    let id = row.id.clone();
    state.cloudmap.services.remove(&id);
    Ok(json!({}))
}

fn register(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let instance = ask.required("InstanceId")?.to_owned();
    let attributes = ask.input.get("Attributes").and_then(Value::as_object);
    let attributes: BTreeMap<String, String> = attributes
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let size: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MOST_OF_ATTRIBUTES {
        let message = format!("The attributes have {size} characters, and {MOST_OF_ATTRIBUTES} are allowed.");
        return Err(Error::new("InvalidInput", message));
    }
    let row = service_mut(state, ask, ask.required("ServiceId")?)?;
    for (kind, _) in &row.records {
        let needed: &[&str] = match kind.as_str() {
            "A" => &["AWS_INSTANCE_IPV4"],
            "AAAA" => &["AWS_INSTANCE_IPV6"],
            "SRV" => &["AWS_INSTANCE_PORT"],
            _ => &["AWS_INSTANCE_CNAME"],
        };
        if let Some(missing) = needed.iter().find(|name| !attributes.contains_key(**name)) {
            let message = format!("A service with {kind} records needs the attribute {missing}.");
            return Err(Error::new("InvalidInput", message));
        }
    }
    if row.instances.len() >= MOST_INSTANCES && !row.instances.contains_key(&instance) {
        let message = format!("The limit of {MOST_INSTANCES} instances of a service is reached.");
        return Err(Error::new("ResourceLimitExceeded", message));
    }
    row.instances.insert(instance.clone(), attributes);
    row.revision += 1;
    let id = row.id.clone();
    Ok(done(state, ask, "REGISTER_INSTANCE", &[("INSTANCE", &instance), ("SERVICE", &id)]))
}

fn deregister(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let instance = ask.required("InstanceId")?.to_owned();
    let row = service_mut(state, ask, ask.required("ServiceId")?)?;
    if row.instances.remove(&instance).is_none() {
        return Err(Error::new("InstanceNotFound", format!("There is no instance {instance}.")));
    }
    row.revision += 1;
    let id = row.id.clone();
    Ok(done(state, ask, "DEREGISTER_INSTANCE", &[("INSTANCE", &instance), ("SERVICE", &id)]))
}

fn list_instances(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let row = service(state, ask, ask.required("ServiceId")?)?;
    let shown = row.instances.iter().map(|(id, attributes)| json!({"Id": id, "Attributes": attributes}));
    let (page, next) = ask.page(shown.collect(), "NextToken", "MaxResults", PAGE)?;
    Ok(with_token(json!({"Instances": page, "ResourceOwner": row.account}), next))
}

/// The service that a discovery names, by the names of namespace and service.
fn named<'a>(state: &'a State, ask: &Ask<'_>) -> Result<(&'a Namespace, &'a NamedService), Error> {
    let (within, name) = (ask.required("NamespaceName")?, ask.required("ServiceName")?);
    let mut namespaces = state.cloudmap.namespaces.rows();
    let own = |row: &&Namespace| row.account == ask.caller.account && row.name == within;
    let Some(namespace) = namespaces.find(own) else {
        return Err(Error::new("NamespaceNotFound", format!("There is no namespace {within}.")));
    };
    let mut services = state.cloudmap.services.rows();
    let Some(service) = services.find(|row| row.namespace == namespace.id && row.name == name) else {
        return Err(Error::new("ServiceNotFound", format!("There is no service {name} in {within}.")));
    };
    Ok((namespace, service))
}

fn discover(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let (namespace, service) = named(state, ask)?;
    let wanted = |member: &str| -> Vec<(String, String)> {
        let given = ask.input.get(member).and_then(Value::as_object).into_iter().flatten();
        given.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
    };
    let required = wanted("QueryParameters");
    let optional = wanted("OptionalParameters");
    let most = ask
        .input
        .get("MaxResults")
        .and_then(Value::as_u64)
        .map_or(PAGE, |most| usize::try_from(most).unwrap_or(PAGE).clamp(1, MOST_INSTANCES));
    let has = |attributes: &BTreeMap<String, String>, wanted: &[(String, String)]| {
        wanted.iter().all(|(name, value)| attributes.get(name) == Some(value))
    };
    let matching: Vec<_> =
        service.instances.iter().filter(|(_, attributes)| has(attributes, &required)).collect();
    // Optional parameters narrow the answer only where that leaves anything.
    let narrowed: Vec<_> =
        matching.iter().copied().filter(|(_, attributes)| has(attributes, &optional)).collect();
    let chosen = if narrowed.is_empty() { matching } else { narrowed };
    let instances: Vec<Value> = chosen
        .into_iter()
        .take(most)
        .map(|(id, attributes)| {
            json!({
                "InstanceId": id,
                "NamespaceName": namespace.name,
                "ServiceName": service.name,
                "HealthStatus": "UNKNOWN",
                "Attributes": attributes,
            })
        })
        .collect();
    Ok(json!({"Instances": instances, "InstancesRevision": service.revision}))
}

fn revision(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let (_, service) = named(state, ask)?;
    Ok(json!({"InstancesRevision": service.revision}))
}

fn list_tags(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let arn = ask.required("ResourceARN")?;
    let tags = if arn.contains(":namespace/") {
        &namespace(state, ask, arn).map_err(not_there)?.tags
    } else {
        &service(state, ask, arn).map_err(not_there)?.tags
    };
    let shown: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": shown}))
}

fn tag(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let arn = ask.required("ResourceARN")?;
    let new = new_tags(ask);
    if arn.contains(":namespace/") {
        let id = namespace(state, ask, arn).map_err(not_there)?.id.clone();
        if let Some(row) = state.cloudmap.namespaces.get_mut(&id) {
            row.tags.extend(new);
        }
    } else {
        service_mut(state, ask, arn).map_err(not_there)?.tags.extend(new);
    }
    Ok(json!({}))
}

fn not_there(error: Error) -> Error {
    Error { code: "ResourceNotFoundException", ..error }
}

/// A filter of a list.
struct Filter<'a> {
    name: &'a str,
    values: Vec<&'a str>,
    begins: bool,
}

impl Filter<'_> {
    fn fits(&self, text: &str) -> bool {
        self.values.iter().any(|value| if self.begins { text.starts_with(value) } else { text == *value })
    }
}

/// The call's filters. One that is not allowed is refused, since it would find too much.
fn filters<'a>(ask: &'a Ask<'_>, allowed: &[&str]) -> Result<Vec<Filter<'a>>, Error> {
    let given = ask.input.get("Filters").and_then(Value::as_array).into_iter().flatten();
    given
        .map(|filter| {
            let name = filter["Name"].as_str().unwrap_or_default();
            if !allowed.contains(&name) {
                let message = format!("The filter {name} is not served by this simulator.");
                return Err(Error::new("InvalidInput", message));
            }
            let values =
                filter["Values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            Ok(Filter { name, values, begins: filter["Condition"] == "BEGINS_WITH" })
        })
        .collect()
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    answer
}
