//! As much of the Kubernetes API as repairs ask for: objects by their paths, versions, and conflicts.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use serde_json::{Value, json};

/// Objects by path, such as `/api/v1/nodes/n1`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Api {
    objects: Arc<Mutex<BTreeMap<String, Value>>>,
    failing: Arc<AtomicBool>,
}

impl Api {
    /// A client of it.
    pub(crate) fn client(&self) -> kube::Client {
        kube::Client::new(self.clone(), "default")
    }

    /// Puts an object in, whatever is there.
    pub(crate) fn put(&self, path: &str, object: Value) {
        self.objects.lock().unwrap().insert(path.into(), object);
    }

    /// Takes an object away.
    pub(crate) fn remove(&self, path: &str) {
        self.objects.lock().unwrap().remove(path);
    }

    /// Lets every request fail, or none.
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// The object at this path.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    /// Puts the pod of this name and address into namespace `shop`, ready.
    pub(crate) fn run(&self, pod: &lath_kubernetes::Pod) {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": pod.name, "namespace": pod.namespace, "uid": pod.uid, "labels": pod.labels },
            "spec": { "nodeName": pod.node, "containers": [] },
            "status": {
                "podIP": pod.addresses[0].to_string(),
                "conditions": [{ "type": "ContainersReady", "status": "True" }],
            },
        });
        self.put(&format!("/api/v1/namespaces/{}/pods/{}", pod.namespace, pod.name), object);
    }

    fn answer(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> (StatusCode, Value) {
        if self.failing.load(Ordering::Relaxed) {
            return failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
        }
        // Subresources are parts of the object here.
        let path = path.trim_end_matches("/status");
        let mut objects = self.objects.lock().unwrap();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let bump = |object: &mut Value| {
            let version = object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
            object["metadata"]["resourceVersion"] = json!((version.unwrap_or(0_u64) + 1).to_string());
        };
        match *method {
            Method::GET if path == "/api/v1/pods" => {
                let address = query.split("status.podIP%3D").nth(1).unwrap_or_default();
                let pods = objects.iter().filter(|(path, _)| path.contains("/pods/"));
                let at =
                    pods.filter(|(_, pod)| pod["status"]["podIP"] == address).map(|(_, pod)| pod.clone());
                (StatusCode::OK, json!({ "metadata": {}, "items": at.collect::<Vec<_>>() }))
            }
            Method::GET => {
                objects.get(path).map_or_else(not_found, |object| (StatusCode::OK, object.clone()))
            }
            Method::POST => {
                let place = format!("{path}/{}", body["metadata"]["name"].as_str().unwrap_or_default());
                if objects.contains_key(&place) {
                    return failure(StatusCode::CONFLICT, "AlreadyExists");
                }
                let mut object = body;
                bump(&mut object);
                objects.insert(place, object.clone());
                (StatusCode::CREATED, object)
            }
            Method::PUT | Method::PATCH => {
                let Some(old) = objects.get(path) else { return not_found() };
                let wanted = &body["metadata"]["resourceVersion"];
                if !wanted.is_null() && *wanted != old["metadata"]["resourceVersion"] {
                    return failure(StatusCode::CONFLICT, "Conflict");
                }
                let mut object = old.clone();
                if *method == Method::PUT {
                    object = body;
                } else {
                    merge(&mut object, &body);
                }
                bump(&mut object);
                objects.insert(path.into(), object.clone());
                (StatusCode::OK, object)
            }
            Method::DELETE => objects.remove(path).map_or_else(not_found, |object| (StatusCode::OK, object)),
            _ => failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }
}

fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut object[key], value);
        }
    }
}

fn not_found() -> (StatusCode, Value) {
    failure(StatusCode::NOT_FOUND, "NotFound")
}

fn failure(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": reason, "message": reason, "code": status.as_u16(),
    });
    (status, body)
}

impl tower_service::Service<Request<Body>> for Api {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let query = parts.uri.query().unwrap_or_default();
            let (status, answer) = api.answer(&parts.method, parts.uri.path(), query, &body);
            let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
            *response.status_mut() = status;
            Ok(response)
        })
    }
}
