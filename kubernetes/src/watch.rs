//! A watch that no malformed object can stall and no restart can tear.
//!
//! A relist arrives as one [`Change::Snapshot`], so whoever follows the changes never sees half a list. An object that
//! cannot be read is reported and skipped; a snapshot names such objects, so that their absence is not taken for
//! their deletion.

use std::fmt::Debug;

use futures::{Stream, StreamExt as _};
use kube::{
    Api, Resource,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Config, Event},
    },
};
use serde::de::DeserializeOwned;

/// The name of an object, and its namespace where it has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// The name of an object.
    pub fn of(object: &impl Resource) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// What happened to the objects that are watched.
#[derive(Debug)]
pub enum Change<K> {
    /// All objects there are. What was known and is neither here nor among `invalid` is gone.
    Snapshot {
        /// The objects.
        objects: Vec<K>,
        /// Objects that exist and cannot be read.
        invalid: Vec<ObjectName>,
    },
    /// An object was made or changed.
    Applied(K),
    /// An object is gone.
    Deleted(K),
    /// An object that cannot be read is gone.
    Gone(ObjectName),
    /// An object was made or changed and cannot be read. What is known of it stays true until the next snapshot.
    Invalid {
        /// Which one.
        name: ObjectName,
        /// Why.
        error: String,
    },
    /// The watch broke; it is tried again after a backoff. What is known stays true.
    Interrupted(watcher::Error),
}

impl<K> Change<K> {
    /// Reduces the objects to what is needed of them.
    pub fn map<T>(self, reduce: impl Fn(&K) -> T) -> Change<T> {
        match self {
            Self::Snapshot { objects, invalid } => {
                Change::Snapshot { objects: objects.iter().map(reduce).collect(), invalid }
            }
            Self::Applied(object) => Change::Applied(reduce(&object)),
            Self::Deleted(object) => Change::Deleted(reduce(&object)),
            Self::Gone(name) => Change::Gone(name),
            Self::Invalid { name, error } => Change::Invalid { name, error },
            Self::Interrupted(error) => Change::Interrupted(error),
        }
    }
}

/// Watches the objects of a kind for as long as the stream is polled.
///
/// Errors are retried with kube's default backoff (0.8 s to 30 s, with jitter), so that a returning API server is not
/// stampeded.
pub fn watch<K>(api: Api<DeserializeGuard<K>>, config: Config) -> impl Stream<Item = Change<K>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watch_reduced(api, config, |object| object)
}

/// Like [`watch`], with each object reduced as soon as it is read, so that a long listing never stands in memory whole.
pub fn watch_reduced<K, T>(
    api: Api<DeserializeGuard<K>>,
    config: Config,
    reduce: impl Fn(K) -> T + Send + 'static,
) -> impl Stream<Item = Change<T>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
    T: Send + 'static,
{
    let events = watcher::watcher(api, config).default_backoff();
    let mut listing = Vec::new();
    let mut unreadable = Vec::new();
    events.filter_map(move |event| {
        std::future::ready(match event {
            Err(error) => Some(Change::Interrupted(error)),
            Ok(Event::Init) => {
                listing.clear();
                unreadable.clear();
                None
            }
            Ok(Event::InitApply(object)) => match split(object) {
                Ok(object) => {
                    listing.push(reduce(object));
                    None
                }
                Err((name, error)) => {
                    unreadable.push(name.clone());
                    Some(Change::Invalid { name, error })
                }
            },
            Ok(Event::InitDone) => Some(Change::Snapshot {
                objects: std::mem::take(&mut listing),
                invalid: std::mem::take(&mut unreadable),
            }),
            Ok(Event::Apply(object)) => Some(match split(object) {
                Ok(object) => Change::Applied(reduce(object)),
                Err((name, error)) => Change::Invalid { name, error },
            }),
            Ok(Event::Delete(object)) => Some(match split(object) {
                Ok(object) => Change::Deleted(reduce(object)),
                Err((name, _unreadable)) => Change::Gone(name),
            }),
        })
    })
}

/// Takes an object out of its guard.
fn split<K: Resource>(guarded: DeserializeGuard<K>) -> Result<K, (ObjectName, String)> {
    guarded.0.map_err(|invalid| {
        let name = ObjectName {
            namespace: invalid.metadata.namespace.clone().unwrap_or_default(),
            name: invalid.metadata.name.clone().unwrap_or_default(),
        };
        (name, invalid.error)
    })
}
