//! Resource Groups Tagging: GetResources, TagResources, UntagResources over what VPC Lattice holds.

use serde_json::{Value, json};

use crate::state::{State, Tags};

use super::{Ask, Error, Served, served};

pub(super) const OPERATIONS: [Served; 3] = [
    served("GetResources", "tagging.GetResources", get),
    served("TagResources", "tagging.TagResources", tag),
    served("UntagResources", "tagging.UntagResources", untag),
];

/// Most resources on a page. Source: API reference, GetResources.
const PAGE: usize = 100;
/// Most resources in a call that tags. Source: API reference, TagResources.
const MOST_RESOURCES: usize = 20;

fn get(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let filters = filters(ask)?;
    let types = ask.texts("ResourceTypeFilters");
    let arns = ask.texts("ResourceARNList");
    let mut found: Vec<Value> = Vec::new();
    state.each_tagged(&ask.caller.account, |arn, tags| {
        let wanted = (types.is_empty() || types.iter().any(|kind| is_of_type(arn, kind)))
            && (arns.is_empty() || arns.contains(&arn))
            && filters.iter().all(|(key, values)| {
                tags.get(*key).is_some_and(|value| values.is_empty() || values.contains(&value.as_str()))
            });
        // A resource that never had tags is not known to this service.
        if wanted && !tags.is_empty() {
            found.push(json!({"ResourceARN": arn, "Tags": shown(tags)}));
        }
    });
    let (page, next) = ask.page(found, "PaginationToken", "ResourcesPerPage", PAGE)?;
    Ok(json!({"ResourceTagMappingList": page, "PaginationToken": next.unwrap_or_default()}))
}

/// The filters: a key, and the values of which it has to have one.
fn filters<'a>(ask: &'a Ask<'_>) -> Result<Vec<(&'a str, Vec<&'a str>)>, Error> {
    let given = ask.input.get("TagFilters").and_then(Value::as_array).into_iter().flatten();
    given
        .map(|filter| {
            let key = filter["Key"].as_str().unwrap_or_default();
            if key.is_empty() {
                return Err(Error::new("InvalidParameterException", "A tag filter must have a key."));
            }
            let values =
                filter["Values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            Ok((key, values))
        })
        .collect()
}

/// Whether an ARN is of the type `vpc-lattice`, `vpc-lattice:targetgroup` or `servicediscovery:service`.
fn is_of_type(arn: &str, kind: &str) -> bool {
    let (service, resource) = kind.split_once(':').unwrap_or((kind, ""));
    let path = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    // Listeners and rules stand below a service: `service/ID/listener/ID/rule/ID`.
    let of = parts.len().checked_sub(2).and_then(|at| parts.get(at)).copied().unwrap_or_default();
    arn.split(':').nth(2) == Some(service) && (resource.is_empty() || resource.eq_ignore_ascii_case(of))
}

fn shown(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

fn tag(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let given = ask.input.get("Tags").and_then(Value::as_object);
    let new: Tags = given
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    change(state, ask, |tags| tags.extend(new.clone()))
}

fn untag(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let keys = ask.texts("TagKeys");
    change(state, ask, |tags| tags.retain(|key, _| !keys.contains(&key.as_str())))
}

/// Changes the tags of the resources that the call names, and answers with those that are not there.
fn change(state: &mut State, ask: &Ask<'_>, change: impl Fn(&mut Tags)) -> Result<Value, Error> {
    let arns = ask.texts("ResourceARNList");
    if arns.is_empty() || arns.len() > MOST_RESOURCES {
        let message = format!("ResourceARNList must name 1 to {MOST_RESOURCES} resources.");
        return Err(Error::new("InvalidParameterException", message));
    }
    let mut failed = serde_json::Map::new();
    for arn in arns {
        match state.tags_mut(&ask.caller.account, arn) {
            Some(tags) => change(tags),
            None => {
                failed.insert(
                    arn.to_owned(),
                    json!({
                        "StatusCode": 404,
                        "ErrorCode": "InvalidParameterException",
                        "ErrorMessage": format!("{arn} does not exist."),
                    }),
                );
            }
        }
    }
    Ok(json!({"FailedResourcesMap": failed}))
}
