//! The definitions of Gateway API: found in Go's module cache, fetched when they are not there yet, and installed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures::future::try_join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions::is_crd_established};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::error::{Doing as _, Error, Result};

/// The Go module that says which version.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/gatewayapi");
/// The module that holds the definitions.
const SOURCE: &str = "sigs.k8s.io/gateway-api";
/// Its folder of them. The experimental channel has every kind and every field of the standard one as well.
const CHANNEL: &str = "config/crd/experimental";
/// What the files' names begin with. Those of the trial group `gateway.networking.x-k8s.io` are left out.
const PREFIX: &str = "gateway.networking.k8s.io_";
/// How long the API server may take to serve the definitions once it has them. It needs a second on two busy cores.
const SERVED_WITHIN: Duration = Duration::from_mins(1);

/// Reads the definitions. Needs Go, and its proxy where the module is not in its cache.
pub async fn definitions() -> Result<Vec<CustomResourceDefinition>> {
    let folder = module().await?.join(CHANNEL);
    let doing = || format!("reading the definitions in {}", folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .doing_with(doing)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .doing_with(doing)?;
    files.retain(|file| {
        file.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
    });
    let read = files.into_iter().map(|file| async move {
        // They are large, and reading one takes as long as applying it.
        tokio::task::spawn_blocking(move || read(&file)).await.doing("reading a definition")?
    });
    let definitions = try_join_all(read).await?.concat();
    if definitions.is_empty() {
        return Err(Error::failed(doing(), "there are none; has the module's layout changed"));
    }
    Ok(definitions)
}

/// The folder of the module in Go's cache.
async fn module() -> Result<PathBuf> {
    let doing = || format!("fetching {SOURCE}, which {MODULE}/go.mod asks for");
    let output = tokio::process::Command::new("go")
        .args(["mod", "download", "-json", SOURCE])
        .current_dir(MODULE)
        // A user's own Go settings (vendoring, a workspace) are meant for other modules.
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .doing_with(|| format!("{}; is Go installed", doing()))?;
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    match (answer["Dir"].as_str(), answer["Error"].as_str()) {
        (Some(folder), None) => Ok(folder.into()),
        (_, Some(error)) => Err(Error::failed(doing(), error)),
        (None, None) => Err(Error::failed(
            doing(),
            format!("go said: {}", String::from_utf8_lossy(&output.stderr).trim()),
        )),
    }
}

/// The definitions in a file, which may hold several documents, also of other kinds.
fn read(file: &Path) -> Result<Vec<CustomResourceDefinition>> {
    let doing = || format!("reading {}", file.display());
    let text = std::fs::read_to_string(file).doing_with(doing)?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).doing_with(doing)?;
    let definitions = documents.into_iter().filter(|object| object["kind"] == "CustomResourceDefinition");
    definitions.map(serde_json::from_value).collect::<Result<_, _>>().doing_with(doing)
}

/// Installs definitions, and waits until objects of their kinds can be made and found.
pub async fn install(client: &Client, definitions: &[CustomResourceDefinition]) -> Result<()> {
    let installed = definitions.iter().map(|definition| install_one(client, definition));
    timeout(SERVED_WITHIN, try_join_all(installed))
        .await
        .doing("installing custom resource definitions")?
        .map(drop)
}

async fn install_one(client: &Client, definition: &CustomResourceDefinition) -> Result<()> {
    let name = definition.name_any();
    let doing = || format!("installing the definition {name}");
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    definitions
        .patch(&name, &PatchParams::apply("tests").force(), &Patch::Apply(definition))
        .await
        .doing_with(doing)?;
    await_condition(definitions, &name, is_crd_established()).await.doing_with(doing)?;
    // Clients that ask which kinds there are hear of it a moment later.
    let spec = &definition.spec;
    let served = spec.versions.iter().filter(|version| version.served);
    for version in served.map(|version| format!("{}/{}", spec.group, version.name)) {
        loop {
            let listed = client.list_api_group_resources(&version).await;
            if listed.is_ok_and(|list| list.resources.iter().any(|kind| kind.name == spec.names.plural)) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}
