//! The server as a test holds it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::Resource;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Access, ObjectKey,
    store::{Part, Store, text},
};

/// A Kubernetes API server in memory. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct ApiServer {
    store: Arc<Mutex<Store>>,
}

impl Default for ApiServer {
    fn default() -> Self {
        Self { store: Arc::new(Mutex::new(Store::new())) }
    }
}

/// The state, also when a test has panicked while it held the lock.
pub(super) fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ApiServer {
    /// A way to the server for one client, with faults of its own.
    #[must_use]
    pub fn access(&self) -> Access {
        Access::new(self.store.clone())
    }

    /// Makes or replaces an object with all its parts, as if everyone who writes to it had.
    pub fn put<K: Resource<DynamicType = ()> + Serialize>(&self, object: &K) -> serde_json::Result<()> {
        let value = serde_json::to_value(object)?;
        self.put_value(&collection::<K>(), value);
        Ok(())
    }

    /// Like [`ApiServer::put`], of anything, well formed or not. `collection` is as in [`ObjectKey`].
    pub fn put_value(&self, collection: &str, value: Value) {
        let key = ObjectKey {
            collection: collection.into(),
            namespace: text(&value, "namespace").into(),
            name: text(&value, "name").into(),
        };
        let mut store = lock(&self.store);
        if store.objects.contains_key(&key) {
            // Another UID is another object, which cannot come before the first is gone.
            let uid = text(&value, "uid");
            let same = store.get(&key).is_ok_and(|known| uid.is_empty() || text(&known, "uid") == uid);
            if same {
                drop(store.replace(&key, value, Part::All));
                return;
            }
            store.remove(&key, None);
        }
        drop(store.create(&key, value, Part::All));
    }

    /// An object, if it is there and well formed.
    #[must_use]
    pub fn get<K: Resource<DynamicType = ()> + DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<K> {
        let object = lock(&self.store).get(&key::<K>(namespace, name)).ok()?;
        serde_json::from_value((*object).clone()).ok()
    }

    /// All well-formed objects of a kind, in order of namespace and name.
    #[must_use]
    pub fn all<K: Resource<DynamicType = ()> + DeserializeOwned>(&self) -> Vec<K> {
        let collection = collection::<K>();
        let store = lock(&self.store);
        let objects = store.objects.iter().filter(|(key, _)| key.collection == collection);
        objects.filter_map(|(_, object)| serde_json::from_value((**object).clone()).ok()).collect()
    }

    /// Changes an object that is there, all of it. Returns whether it was.
    pub fn edit<K: Resource<DynamicType = ()> + Serialize + DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut K),
    ) -> serde_json::Result<bool> {
        let Some(mut object) = self.get::<K>(namespace, name) else { return Ok(false) };
        change(&mut object);
        self.put(&object)?;
        Ok(true)
    }

    /// Deletes an object as a client would, if it is there.
    pub fn delete<K: Resource<DynamicType = ()>>(&self, namespace: &str, name: &str) {
        drop(lock(&self.store).delete(&key::<K>(namespace, name), &Value::Null));
    }

    /// Takes an object away, if it is there, whatever its finalizers and its time to end.
    pub fn remove<K: Resource<DynamicType = ()>>(&self, namespace: &str, name: &str) {
        let key = key::<K>(namespace, name);
        let mut store = lock(&self.store);
        if store.objects.contains_key(&key) {
            store.remove(&key, None);
        }
    }
}

fn collection<K: Resource<DynamicType = ()>>() -> String {
    format!("{}/{}", K::api_version(&()), K::plural(&()))
}

fn key<K: Resource<DynamicType = ()>>(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey { collection: collection::<K>(), namespace: namespace.into(), name: name.into() }
}
