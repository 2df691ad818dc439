//! Kubeconfig files that carry their certificates, so that one file is all a client needs.

use std::path::{Path, PathBuf};

use k8s_openapi::ByteString;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

use super::certificates::{Authority, Certificate, Subject};
use crate::error::{Doing as _, Result};

/// Writes the kubeconfig of the cluster's administrator.
pub fn admin(authority: &Authority, server: &str, file: &Path) -> Result<PathBuf> {
    let subject = Subject { name: "admin", group: Some("system:masters"), ..Subject::default() };
    write(authority, server, &authority.sign("admin", &subject)?, file)
}

/// Writes the kubeconfig of a component that the API server knows by its user name.
pub(super) fn component(authority: &Authority, server: &str, name: &str, file: &Path) -> Result<PathBuf> {
    let user = format!("system:{name}");
    write(authority, server, &authority.sign(name, &Subject { name: &user, ..Subject::default() })?, file)
}

/// Writes the kubeconfig of a node, with which the node authorizer grants what concerns its own pods.
pub fn node(authority: &Authority, server: &str, node: &str, file: &Path) -> Result<PathBuf> {
    let user = format!("system:node:{node}");
    let subject = Subject { name: &user, group: Some("system:nodes"), ..Subject::default() };
    write(authority, server, &authority.sign(&format!("node-{node}"), &subject)?, file)
}

/// Reads a kubeconfig file as the configuration of a client. No environment variable is looked at.
pub async fn client_config(file: &Path) -> Result<kube::Config> {
    let doing = || format!("reading the kubeconfig {}", file.display());
    let kubeconfig = Kubeconfig::read_from(file).doing_with(doing)?;
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.doing_with(doing)
}

fn write(authority: &Authority, server: &str, identity: &Certificate, file: &Path) -> Result<PathBuf> {
    let bytes = |pem: &str| ByteString(pem.as_bytes().to_vec());
    // JSON is YAML, and needs no library to write.
    let content = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lath", "cluster": {
            "server": server,
            "certificate-authority-data": bytes(authority.pem()),
        }}],
        "users": [{"name": "lath", "user": {
            "client-certificate-data": bytes(&identity.certificate),
            "client-key-data": bytes(&identity.key),
        }}],
        "contexts": [{"name": "lath", "context": {"cluster": "lath", "user": "lath"}}],
        "current-context": "lath",
    });
    let doing = || format!("writing the kubeconfig {}", file.display());
    let text = serde_json::to_string_pretty(&content).doing_with(doing)?;
    std::fs::write(file, text + "\n").doing_with(doing)?;
    Ok(file.to_owned())
}
