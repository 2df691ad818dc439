//! The objects, and what happened to them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

/// Most happenings that watches can still be told of; older resource versions are gone.
const HISTORY: usize = 20_000;

/// Collections whose objects have a status that only its subresource changes, besides those of Lath's own group.
const WITH_STATUS: [&str; 3] = ["v1/pods", "v1/services", "v1/nodes"];

/// The group of Lath's own kinds, which are custom resources here as in a cluster.
const CUSTOM: &str = "lath.dev/";

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Group, version and plural, such as `v1/pods` or `lath.dev/v1alpha1/nodetargets`.
    pub collection: String,
    /// Its namespace; empty for a cluster-scoped kind.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// Whether the kind is a custom resource.
    pub(super) fn is_custom(&self) -> bool {
        self.collection.starts_with(CUSTOM)
    }

    fn has_status(&self) -> bool {
        self.collection.starts_with("lath.dev/v1alpha1/targetgroupbindings")
            || WITH_STATUS.contains(&self.collection.as_str())
    }
}

/// Why a request fails: an HTTP status, Kubernetes' reason, and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into() }
    }

    fn conflict(key: &ObjectKey, what: &str) -> Self {
        Self::new(409, "Conflict", format!("{} {}: {what}", key.collection, key.name))
    }

    /// As Kubernetes writes it.
    pub(super) fn status(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        })
    }
}

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    pub(super) version: u64,
    pub(super) at: Instant,
    pub(super) key: ObjectKey,
    pub(super) before: Option<Arc<Value>>,
    /// What it is now; for one that is gone, what it was with the version of its end.
    pub(super) now: Arc<Value>,
    pub(super) gone: bool,
}

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// By its main resource: the status stays.
    Main,
    /// By its status subresource: everything else stays.
    Status,
    /// By the test: all of it.
    All,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) version: u64,
    pub(super) objects: BTreeMap<ObjectKey, Arc<Value>>,
    pub(super) history: VecDeque<Happening>,
    pub(super) changed: watch::Sender<u64>,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            // A cluster is never at its very first version.
            version: 1_000,
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            changed: watch::Sender::new(0),
        }
    }

    /// The oldest version from which a watch can go on.
    pub(super) fn oldest(&self) -> u64 {
        self.history.front().map_or(self.version, |happening| happening.version - 1)
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Result<Arc<Value>, Refusal> {
        self.objects.get(key).cloned().ok_or_else(|| {
            Refusal::new(404, "NotFound", format!("{} {:?} not found", key.collection, key.name))
        })
    }

    /// Makes an object.
    pub(super) fn create(
        &mut self,
        key: &ObjectKey,
        object: Value,
        part: Part,
    ) -> Result<Arc<Value>, Refusal> {
        if self.objects.contains_key(key) {
            let message = format!("{} {:?} already exists", key.collection, key.name);
            return Err(Refusal::new(409, "AlreadyExists", message));
        }
        let mut object = object;
        if part == Part::Main && key.has_status() {
            remove(&mut object, "status");
        }
        self.set_identity(key, &mut object);
        Ok(self.write(key, None, object))
    }

    /// Replaces the part of an object that `part` covers.
    pub(super) fn replace(
        &mut self,
        key: &ObjectKey,
        object: Value,
        part: Part,
    ) -> Result<Arc<Value>, Refusal> {
        let before = self.get(key)?;
        for (field, what) in [
            ("uid", "the UID in the precondition is another object's"),
            ("resourceVersion", "the object has been modified, apply your changes to the latest version"),
        ] {
            let wanted = text(&object, field);
            if part != Part::All && !wanted.is_empty() && wanted != text(&before, field) {
                return Err(Refusal::conflict(key, what));
            }
        }
        let mut after = match part {
            Part::Status => {
                let mut after = (*before).clone();
                set(&mut after, "status", object.get("status").cloned());
                after
            }
            Part::Main if key.has_status() => {
                let mut after = object;
                set(&mut after, "status", before.get("status").cloned());
                after
            }
            Part::Main | Part::All => object,
        };
        keep_identity(&before, &mut after);
        if part != Part::All {
            set(
                &mut after["metadata"],
                "deletionTimestamp",
                before["metadata"].get("deletionTimestamp").cloned(),
            );
        }
        if after == *before {
            return Ok(before);
        }
        if key.is_custom() && after.get("spec") != before.get("spec") {
            let generation = before["metadata"]["generation"].as_u64().unwrap_or(0);
            after["metadata"]["generation"] = json!(generation + 1);
        }
        let finalizers = after["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
        if after["metadata"]["deletionTimestamp"].is_string() && !finalizers && key.collection != "v1/pods" {
            return Ok(self.remove(key, Some(after)));
        }
        Ok(self.write(key, Some(before), after))
    }

    /// Deletes an object as a client would: one with finalizers, and a pod that is given time, is only marked.
    pub(super) fn delete(&mut self, key: &ObjectKey, options: &Value) -> Result<Arc<Value>, Refusal> {
        let before = self.get(key)?;
        let wanted = options["preconditions"]["uid"].as_str().unwrap_or_default();
        if !wanted.is_empty() && wanted != text(&before, "uid") {
            return Err(Refusal::conflict(key, "the UID in the precondition is another object's"));
        }
        let finalizers = before["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
        let grace = match (key.collection.as_str(), options["gracePeriodSeconds"].as_i64()) {
            ("v1/pods", grace) => {
                grace.or(before["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or(30)
            }
            _ => 0,
        };
        if !finalizers && grace == 0 {
            return Ok(self.remove(key, None));
        }
        if before["metadata"]["deletionTimestamp"].is_string() {
            return Ok(before);
        }
        let mut after = (*before).clone();
        after["metadata"]["deletionTimestamp"] = json!(now());
        after["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        Ok(self.write(key, Some(before), after))
    }

    /// Takes an object away, whatever its finalizers. `last` is what it was in the end, if not what is stored.
    pub(super) fn remove(&mut self, key: &ObjectKey, last: Option<Value>) -> Arc<Value> {
        let before = self.objects.remove(key);
        let last = last.or_else(|| before.as_deref().cloned()).unwrap_or(Value::Null);
        self.happened(key, before, last, true)
    }

    fn write(&mut self, key: &ObjectKey, before: Option<Arc<Value>>, object: Value) -> Arc<Value> {
        let now = self.happened(key, before, object, false);
        self.objects.insert(key.clone(), now.clone());
        now
    }

    fn happened(
        &mut self,
        key: &ObjectKey,
        before: Option<Arc<Value>>,
        mut now: Value,
        gone: bool,
    ) -> Arc<Value> {
        self.version += 1;
        now["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let now = Arc::new(now);
        self.history.push_back(Happening {
            version: self.version,
            at: Instant::now(),
            key: key.clone(),
            before,
            now: now.clone(),
            gone,
        });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        self.changed.send_replace(self.version);
        now
    }

    /// What every object has from its beginning.
    fn set_identity(&self, key: &ObjectKey, object: &mut Value) {
        let metadata = &mut object["metadata"];
        metadata["name"] = json!(key.name);
        if !key.namespace.is_empty() {
            metadata["namespace"] = json!(key.namespace);
        }
        if !metadata["uid"].is_string() {
            metadata["uid"] = json!(format!("uid-{}-{}", key.name, self.version + 1));
        }
        if !metadata["creationTimestamp"].is_string() {
            metadata["creationTimestamp"] = json!(now());
        }
        if key.is_custom() && !metadata["generation"].is_u64() {
            metadata["generation"] = json!(1);
        }
    }
}

/// What no write changes. The version is taken over too, so that a write which changes nothing is seen to be one.
fn keep_identity(before: &Value, after: &mut Value) {
    for field in ["name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion"] {
        let kept = before["metadata"].get(field).cloned();
        set(&mut after["metadata"], field, kept);
    }
    remove(&mut after["metadata"], "managedFields");
    for field in ["apiVersion", "kind"] {
        set(after, field, before.get(field).cloned());
    }
}

/// A field of an object's metadata; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

pub(super) fn set(object: &mut Value, field: &str, value: Option<Value>) {
    match value {
        Some(value) => object[field] = value,
        None => remove(object, field),
    }
}

fn remove(object: &mut Value, field: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(field);
    }
}

fn now() -> String {
    format!("{:.0}", Timestamp::now())
}
