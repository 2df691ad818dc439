//! Admission reviews: what the API server asks, and what it is answered.

use std::sync::Arc;

use k8s_openapi::ByteString;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tokio::time::Instant;

use super::{
    bound::Bound,
    metrics::Metrics,
    mutate::{self, Change, Left, Pod, Rules},
};
use crate::shared::Shared;

/// The version of reviews that is spoken, as the webhook's configuration says.
const VERSION: &str = "admission.k8s.io/v1";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review<T> {
    api_version: String,
    request: Request<T>,
}

#[derive(Debug, Deserialize)]
struct Request<T> {
    uid: String,
    #[serde(default)]
    resource: Resource,
    #[serde(default, rename = "subResource")]
    subresource: Option<String>,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    namespace: String,
    object: Option<T>,
}

#[derive(Debug, Default, Deserialize)]
struct Resource {
    #[serde(default)]
    group: String,
    #[serde(default)]
    resource: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    api_version: &'static str,
    kind: &'static str,
    response: Response,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<ByteString>,
}

/// What was sent is no review that could be answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It can't be read.
    #[error("this is no AdmissionReview of {VERSION}; only API servers should call here")]
    Unreadable(#[source] serde_json::Error),
    /// It is of a version that is not spoken.
    #[error(
        "reviews of version {0:?} are not spoken, {VERSION} is: does the webhook's configuration list it?"
    )]
    Version(String),
    /// The answer can't be written.
    #[error("writing the answer failed")]
    Unwritable(#[source] serde_json::Error),
}

/// Answers reviews.
#[derive(Debug)]
pub struct Answerer {
    /// What the mutation goes by.
    pub rules: Rules,
    /// Which pods are bound.
    pub known: Arc<Shared<Bound>>,
    /// Counts answers.
    pub metrics: Metrics,
}

impl Answerer {
    /// The answer to a review, both as JSON. Every review that can be read is allowed.
    ///
    /// # Errors
    /// When there is nothing that could be answered.
    pub fn answer(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let began = Instant::now();
        let review = read(body)?;
        if review.api_version != VERSION {
            return Err(Error::Version(review.api_version));
        }
        let request = review.request;
        let outcome = self.judge(&request);
        let patch = match &outcome {
            Ok(change) => Some(ByteString(serde_json::to_vec(&change.patch).map_err(Error::Unwritable)?)),
            Err(_) => None,
        };
        let patch_type = patch.as_ref().map(|_| "JSONPatch");
        let response = Response { uid: request.uid, allowed: true, patch_type, patch };
        let answer = Answer { api_version: VERSION, kind: "AdmissionReview", response };
        let answer = serde_json::to_vec(&answer).map_err(Error::Unwritable)?;
        self.metrics.answered(&outcome, began.elapsed());
        Ok(answer)
    }

    fn judge(&self, request: &Request<Pod>) -> Result<Change, Left> {
        let resource = (request.resource.group.as_str(), request.resource.resource.as_str());
        let whole = request.subresource.as_deref().unwrap_or_default().is_empty();
        if resource != ("", "pods") || !whole || request.operation != "CREATE" {
            return Err(Left::NotNewPod);
        }
        let pod = request.object.as_ref().ok_or(Left::Unreadable)?;
        mutate::change(pod, &request.namespace, &self.rules, |labels| {
            self.known.read().binds(&request.namespace, labels)
        })
    }
}

/// Reads a review, of its pod only what decides: what else is in a body takes no memory. A pod that can't be read is left
/// out, so that its review still gets an answer.
fn read(body: &[u8]) -> Result<Review<Pod>, Error> {
    if let Ok(review) = serde_json::from_slice(body) {
        return Ok(review);
    }
    let review: Review<IgnoredAny> = serde_json::from_slice(body).map_err(Error::Unreadable)?;
    let Request { uid, resource, subresource, operation, namespace, object: _ } = review.request;
    let request = Request { uid, resource, subresource, operation, namespace, object: None };
    Ok(Review { api_version: review.api_version, request })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answerer() -> Answerer {
        Answerer {
            rules: Rules { namespace: "lath-system".into(), sleep_seconds: 30 },
            known: Arc::default(),
            metrics: Metrics::default(),
        }
    }

    fn review(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "u-1", "operation": "CREATE", "namespace": "shop",
                "kind": { "group": "", "version": "v1", "kind": "Pod" },
                "resource": { "group": "", "version": "v1", "resource": "pods" },
                "object": { "metadata": { "generateName": "web-" }, "spec": { "containers": [{ "name": "a" }] } },
            },
        });
        change(&mut review);
        review.to_string().into_bytes()
    }

    fn response(body: &[u8]) -> Value {
        let answer: Value = serde_json::from_slice(&answerer().answer(body).unwrap()).unwrap();
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(answer["kind"], "AdmissionReview");
        assert_eq!(answer["response"]["uid"], "u-1");
        assert_eq!(answer["response"]["allowed"], true);
        answer["response"].clone()
    }

    #[test]
    fn a_patch_is_sent_as_base64() {
        let response = response(&review(|_| {}));
        assert_eq!(response["patchType"], "JSONPatch");
        let patch: ByteString = serde_json::from_value(response["patch"].clone()).unwrap();
        let patch: Value = serde_json::from_slice(&patch.0).unwrap();
        assert_eq!(patch[0]["path"], "/spec/containers/0/lifecycle");
    }

    #[test]
    fn whatever_is_in_doubt_is_allowed_as_it_is() {
        let set = |path: &'static str, value: Value| {
            review(move |review| *review["request"].pointer_mut(path).unwrap() = value)
        };
        let subresource = review(|review| review["request"]["subResource"] = json!("ephemeralcontainers"));
        let without_object = review(|review| {
            review["request"].as_object_mut().unwrap().remove("object");
        });
        for body in [
            set("/operation", json!("UPDATE")),
            set("/resource/resource", json!("deployments")),
            set("/resource/group", json!("apps")),
            set("/namespace", json!("lath-system")),
            set("/object", json!(null)),
            set("/object", json!("text")),
            set("/object/spec", json!(null)),
            set("/object/spec", json!({ "containers": 5 })),
            set("/object/metadata", json!({ "labels": [] })),
            subresource,
            without_object,
        ] {
            let response = response(&body);
            assert!(response.get("patch").is_none(), "{}", String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn what_is_no_review_is_refused_with_the_likely_cause() {
        let other = review(|review| review["apiVersion"] = json!("admission.k8s.io/v1beta1"));
        for (body, words) in [
            (&b"{}"[..], "this is no AdmissionReview"),
            (b"", "only API servers should call here"),
            (b"[1, 2", "this is no AdmissionReview"),
            (&other, "\"admission.k8s.io/v1beta1\" are not spoken"),
        ] {
            let said = answerer().answer(body).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}
