//! Lath in a world: installs the chart with the real helm, as a user would.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    controlplane::Binaries,
    error::{Doing as _, Error, Result},
    world::Description,
};

/// The namespace that Lath is installed in.
pub const NAMESPACE: &str = "lath-system";

/// How Lath is installed.
#[derive(Debug, Clone, Default)]
pub struct Install {
    /// Values over the usual ones, as they would stand in a values file.
    pub values: Value,
}

impl Install {
    /// The values of the usual installation in `world`: its names, its cloud, the keys of its account, and periods that
    /// suit a cluster which lives for minutes.
    fn values(&self, world: &Description) -> Value {
        let mut values = json!({
            "clusterName": world.cluster,
            "region": world.region,
            "accountId": world.account.id,
            "vpcId": world.vpc,
            "latticeEndpoint": world.lattice_endpoint,
            "neighboursEndpoint": world.lattice_endpoint,
            "credentials": {
                "accessKeyId": world.account.access_key_id,
                "secretAccessKey": world.account.secret_access_key,
            },
        });
        merge(&mut values, &self.values);
        values
    }

    /// Installs the chart and waits until everything of it is ready.
    ///
    /// # Errors
    /// When helm fails; its words are in the error.
    pub async fn run(&self, world: &Description) -> Result<()> {
        let doing = "installing Lath with helm";
        let values = tempfile::NamedTempFile::new().doing(doing)?;
        serde_json::to_writer(&values, &self.values(world)).doing(doing)?;
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/helm/lath");
        let output = Command::new(Binaries::from_environment()?.path("helm"))
            .args(["upgrade", "--install", "lath", "--namespace", NAMESPACE, "--create-namespace"])
            .args(["--wait", "--timeout", "120s", "--values"])
            .arg(values.path())
            .arg(chart)
            .arg("--kubeconfig")
            .arg(&world.kubeconfig)
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .output()
            .await
            .doing(doing)?;
        if output.status.success() {
            Ok(())
        } else {
            Err(Error::failed(doing, String::from_utf8_lossy(&output.stderr).trim().to_owned()))
        }
    }
}

/// JSON merge patch, without removal.
fn merge(value: &mut Value, change: &Value) {
    match (value, change) {
        (Value::Object(value), Value::Object(change)) => {
            for (key, change) in change {
                merge(value.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        (_, Value::Null) => {}
        (value, change) => *value = change.clone(),
    }
}
