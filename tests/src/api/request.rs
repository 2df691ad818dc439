//! A request: what it is for, and its answer.

use std::sync::Arc;

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    patch,
    store::{ObjectKey, Part, Refusal, Store, text},
};

/// What a request is for.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) collection: String,
    /// `v1` or `group/version`.
    api_version: String,
    pub(super) plural: String,
    /// Empty: of all namespaces, or of a kind without.
    namespace: String,
    name: Option<String>,
    part: Part,
}

/// Which objects of a collection are meant.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) collection: String,
    namespace: String,
    labels: Vec<(String, String)>,
    /// Labels that may not have these values.
    unlike: Vec<(String, String)>,
    fields: Vec<(String, String)>,
}

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Resource {
    /// Reads a path such as `/apis/lath.dev/v1alpha1/namespaces/shop/targetgroupbindings/web/status`.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (api_version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        };
        let (plural, name, part) = match rest {
            [plural] => (plural, None, Part::Main),
            [plural, name] => (plural, Some(*name), Part::Main),
            [plural, name, "status"] => (plural, Some(*name), Part::Status),
            _ => return None,
        };
        Some(Self {
            collection: format!("{api_version}/{plural}"),
            api_version,
            plural: (*plural).to_owned(),
            namespace: namespace.to_owned(),
            name: name.map(Into::into),
            part,
        })
    }

    /// The verb, as Kubernetes' rules name it.
    pub(super) fn verb(&self, method: &Method, query: &Query) -> &'static str {
        match (method.as_str(), self.name.is_some()) {
            ("GET", true) => "get",
            ("GET", false) if query.get("watch").is_some_and(|watch| watch != "false") => "watch",
            ("GET", false) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", _) => "delete",
            _ => "unknown",
        }
    }

    pub(super) fn selection(&self, query: &Query) -> Selection {
        let terms = |name| {
            let terms = query.get(name).unwrap_or_default().split(',').filter(|term| !term.is_empty());
            terms.map(|term| {
                let unlike = term.split_once("!=").map(|pair| (true, pair));
                let like =
                    || term.split_once("==").or_else(|| term.split_once('=')).map(|pair| (false, pair));
                let (unlike, (key, value)) = unlike.or_else(like).unwrap_or((false, (term, "")));
                (unlike, (key.trim().to_owned(), value.trim().to_owned()))
            })
        };
        let all = |name, wanted| {
            terms(name).filter(move |(unlike, _)| *unlike == wanted).map(|(_, pair)| pair).collect()
        };
        Selection {
            collection: self.collection.clone(),
            namespace: self.namespace.clone(),
            labels: all("labelSelector", false),
            unlike: all("labelSelector", true),
            fields: all("fieldSelector", false),
        }
    }

    fn key(&self, name: &str) -> ObjectKey {
        ObjectKey {
            collection: self.collection.clone(),
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        }
    }

    /// Answers a request that is no watch.
    pub(super) fn answer(
        &self,
        store: &mut Store,
        verb: &str,
        query: &Query,
        content_type: &str,
        body: &[u8],
    ) -> Result<(u16, Value), Refusal> {
        let input = || -> Result<Value, Refusal> {
            if body.is_empty() {
                return Ok(Value::Null);
            }
            serde_json::from_slice(body).map_err(|error| Refusal::new(400, "BadRequest", error.to_string()))
        };
        let answer = |object: Arc<Value>| (200, (*object).clone());
        match (verb, &self.name) {
            ("list", _) => Ok((200, self.list(store, &self.selection(query)))),
            ("get", Some(name)) => store.get(&self.key(name)).map(answer),
            ("create", None) => {
                let object = input()?;
                let name = text(&object, "name").to_owned();
                store.create(&self.key(&name), object, self.part).map(|object| (201, (*object).clone()))
            }
            ("update", Some(name)) => store.replace(&self.key(name), input()?, self.part).map(answer),
            ("delete", Some(name)) => store.delete(&self.key(name), &input()?).map(answer),
            ("patch", Some(name)) => self.patch(store, &self.key(name), content_type, &input()?).map(answer),
            _ => Err(Refusal::new(405, "MethodNotAllowed", format!("{verb} of {}", self.collection))),
        }
    }

    /// The list of what is selected.
    pub(super) fn list(&self, store: &Store, selection: &Selection) -> Value {
        let items: Vec<&Value> = store
            .objects
            .iter()
            .filter(|(key, object)| selection.has(key, object))
            .map(|(_, object)| &**object)
            .collect();
        self.list_of(store, &items)
    }

    /// A list of these items.
    pub(super) fn list_of(&self, store: &Store, items: &[&Value]) -> Value {
        json!({
            "apiVersion": self.api_version, "kind": "List",
            "metadata": { "resourceVersion": store.version.to_string() }, "items": items,
        })
    }

    /// An object of this kind that has nothing but a version.
    pub(super) fn bookmark(&self, version: u64) -> Value {
        json!({ "apiVersion": self.api_version, "kind": self.plural,
                "metadata": { "resourceVersion": version.to_string(), "creationTimestamp": null } })
    }

    fn patch(
        &self,
        store: &mut Store,
        key: &ObjectKey,
        content_type: &str,
        patch: &Value,
    ) -> Result<Arc<Value>, Refusal> {
        let change = match content_type {
            "application/merge-patch+json" => patch::merge,
            "application/strategic-merge-patch+json" if !key.is_custom() => patch::strategic,
            "application/apply-patch+yaml" => patch::apply,
            _ => {
                let message = format!("{content_type} is not served for {}", key.collection);
                return Err(Refusal::new(415, "UnsupportedMediaType", message));
            }
        };
        let Ok(before) = store.get(key) else {
            return if content_type == "application/apply-patch+yaml" && self.part == Part::Main {
                store.create(key, patch.clone(), self.part)
            } else {
                store.get(key)
            };
        };
        let mut after = (*before).clone();
        // A patch that names no version goes by what is there.
        change(&mut after, patch);
        store.replace(key, after, self.part)
    }
}

impl Selection {
    /// Whether an object is selected.
    pub(super) fn has(&self, key: &ObjectKey, object: &Value) -> bool {
        key.collection == self.collection
            && (self.namespace.is_empty() || key.namespace == self.namespace)
            && self.labels.iter().all(|(label, value)| object["metadata"]["labels"][label] == **value)
            && self.unlike.iter().all(|(label, value)| object["metadata"]["labels"][label] != **value)
            && self.fields.iter().all(|(path, value)| {
                let field = path.split('.').fold(object, |object, name| &object[name]);
                field.as_str().unwrap_or_default() == value
            })
    }
}
