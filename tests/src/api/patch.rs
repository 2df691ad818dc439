//! Patches: what a request to change a part of an object makes of it.

use serde_json::{Map, Value};

/// Merges as RFC 7396 says: objects field by field, `null` takes a field away, everything else replaces.
pub(super) fn merge(object: &mut Value, patch: &Value) {
    merge_with(object, patch, false);
}

/// Merges as Kubernetes does for its own kinds, as far as Lath uses it: conditions by their type.
pub(super) fn strategic(object: &mut Value, patch: &Value) {
    merge_with(object, patch, true);
}

/// Applies as the one owner of its fields: metadata and status are merged, every other top-level field is replaced.
pub(super) fn apply(object: &mut Value, patch: &Value) {
    for (field, value) in patch.as_object().into_iter().flatten() {
        match field.as_str() {
            "metadata" | "status" => merge(&mut object[field], value),
            _ => object[field] = value.clone(),
        }
    }
}

fn merge_with(object: &mut Value, patch: &Value, by_type: bool) {
    let Some(fields) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Some(object) = object.as_object_mut() else { return };
    for (field, value) in fields {
        match value {
            Value::Null => {
                object.remove(field);
            }
            Value::Array(patches) if by_type && field == "conditions" => {
                merge_conditions(object.entry(field.clone()).or_insert(Value::Array(Vec::new())), patches);
            }
            _ => merge_with(object.entry(field.clone()).or_insert(Value::Null), value, by_type),
        }
    }
}

fn merge_conditions(conditions: &mut Value, patches: &[Value]) {
    let Some(conditions) = conditions.as_array_mut() else { return };
    for patch in patches {
        match conditions.iter_mut().find(|condition| condition["type"] == patch["type"]) {
            Some(condition) => merge(condition, patch),
            None => conditions.push(patch.clone()),
        }
    }
}
