//! EKS Auth: AssumeRoleForPodIdentity, by which pods get the credentials of their role.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::state::session::begin;
use crate::state::{State, Tags};

use super::sts::{claims, session};
use super::{Ask, Error};

pub(super) const OPERATION: &str = "eks-auth.AssumeRoleForPodIdentity";

/// How long the credentials last. Source: EKS user guide, Pod Identity.
const LASTS: Duration = Duration::from_hours(6);

/// The cluster in the path of a call.
pub(super) fn cluster(path: &str) -> Option<String> {
    let cluster = path.strip_prefix("/clusters/")?.strip_suffix("/assume-role-for-pod-identity")?;
    (!cluster.contains('/')).then(|| percent_decode_str(cluster).decode_utf8_lossy().into_owned())
}

/// The token's signature is not verified, since the cluster's keys are not known; its subject and its times are.
pub(super) fn assume_role(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let cluster = ask.required("clusterName")?;
    let refused = |message: String| Error { code: "AccessDeniedException", message, status: 400 };
    let claims = claims(ask.required("token")?).map_err(|error| Error {
        code: "InvalidTokenException",
        message: error.message,
        status: 400,
    })?;
    let now = ask.clock.wall(ask.now).as_second();
    if claims["exp"].as_i64().is_some_and(|end| end <= now) {
        return Err(Error::new("ExpiredTokenException", "The service account token is expired."));
    }
    let subject = claims["sub"].as_str().unwrap_or_default();
    let Some((namespace, service_account)) =
        subject.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
    else {
        return Err(Error::new("InvalidTokenException", "The token is not a service account's."));
    };
    let associated = |known: &crate::surroundings::PodIdentity| {
        known.cluster == cluster && known.namespace == namespace && known.service_account == service_account
    };
    let mut roles = ask.surroundings.roles.iter();
    let role = roles
        .find(|role| role.pod_identities.iter().any(associated))
        .ok_or_else(|| refused(format!("{subject} has no pod identity association in cluster {cluster}.")))?;
    let kubernetes = &claims["kubernetes.io"];
    let pod = |member: &str| kubernetes["pod"][member].as_str().unwrap_or_default();
    let account = role.arn.split(':').nth(4).unwrap_or_default();
    let cluster_arn = format!("arn:aws:eks:{}:{account}:cluster/{cluster}", ask.region);
    let tags: Tags = [
        ("eks-cluster-arn", cluster_arn.as_str()),
        ("eks-cluster-name", cluster),
        ("kubernetes-namespace", namespace),
        ("kubernetes-service-account", service_account),
        ("kubernetes-pod-name", pod("name")),
        ("kubernetes-pod-uid", pod("uid")),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    let pod_name = Some(pod("name")).filter(|name| !name.is_empty()).unwrap_or(service_account);
    let name = format!("eks-{cluster}-{pod_name}");
    let session = session(state, ask, role, &name, tags, LASTS);
    let association = format!(
        "arn:aws:eks:{}:{account}:podidentityassociation/{cluster}/a-{namespace}-{service_account}",
        ask.region
    );
    let answer = json!({
        "subject": {"namespace": namespace, "serviceAccount": service_account},
        "audience": "pods.eks.amazonaws.com",
        "podIdentityAssociation": {
            "associationArn": association,
            "associationId": format!("a-{namespace}-{service_account}"),
        },
        "assumedRoleUser": {"arn": session.arn(), "assumeRoleId": format!("{}:{name}", session.access_key_id)},
        "credentials": {
            "sessionToken": session.token,
            "secretAccessKey": session.secret_access_key,
            "accessKeyId": session.access_key_id,
            "expiration": ask.epoch(session.expires),
        },
    });
    begin(&mut state.sessions, session, ask.now);
    Ok(answer)
}
