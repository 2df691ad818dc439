//! Volumes: made as folders of this machine, which the pod's containers then see, and kept fresh.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, Pod, ServiceAccount,
    ServiceAccountTokenProjection, Volume,
};
use kube::api::PostParams;
use kube::{Api, ResourceExt as _};
use tokio::time::Instant;

use super::Context;
use super::environment::{config_map, field_value, secret};
use crate::error::{Doing as _, Error, Result};

/// How often the content of volumes is looked at anew, as kubelet does.
const REFRESH: Duration = Duration::from_secs(60);
/// Folders of the machine that every node shares, since they are the kernel's.
const KERNEL: [&str; 4] = ["/sys", "/proc", "/dev", "/lib/modules"];
/// Permission bits of files when a volume does not say.
const DEFAULT_MODE: i32 = 0o644;

/// The files of a volume: path, content, permission bits.
type Files = BTreeMap<PathBuf, (Vec<u8>, u32)>;

/// A pod's volumes, by name.
#[derive(Debug)]
pub(super) struct Volumes {
    paths: BTreeMap<String, PathBuf>,
    /// When the first token has to be asked for anew.
    renew: Option<Instant>,
}

impl Volumes {
    /// Makes all volumes of a pod.
    pub(super) async fn prepare(context: &Context, pod: &Pod, addresses: &[IpAddr]) -> Result<Self> {
        let mut volumes = Self { paths: BTreeMap::new(), renew: None };
        for volume in of_pod(pod) {
            let path = match &volume.host_path {
                Some(host_path) => host_path_folder(context, host_path)?,
                None => volumes.own(context, pod, volume, addresses).await?,
            };
            volumes.paths.insert(volume.name.clone(), path);
        }
        Ok(volumes)
    }

    /// Where a volume lies.
    pub(super) fn path(&self, name: &str) -> Option<&Path> {
        self.paths.get(name).map(PathBuf::as_path)
    }

    /// Keeps tokens, ConfigMaps, Secrets and downward files fresh, until dropped. Failures are tried again later.
    pub(super) async fn refresh(mut self, context: Arc<Context>, pod: Arc<Pod>, addresses: Vec<IpAddr>) {
        loop {
            let soon = Instant::now() + REFRESH;
            tokio::time::sleep_until(self.renew.map_or(soon, |renew| renew.min(soon))).await;
            let tokens_due = self.renew.is_some_and(|renew| renew <= Instant::now());
            for volume in of_pod(&pod) {
                let changes =
                    volume.config_map.is_some() || volume.secret.is_some() || volume.downward_api.is_some();
                let due = changes || (tokens_due && volume.projected.is_some());
                if !due {
                    continue;
                }
                if let Err(error) = self.own(&context, &pod, volume, &addresses).await {
                    tracing::warn!(%error, pod = pod.name_any(), volume = volume.name, "a volume could not be refreshed");
                    self.renew = self.renew.map(|renew| renew.max(Instant::now() + Duration::from_secs(1)));
                }
            }
        }
    }

    /// A folder of the pod's own.
    async fn own(
        &mut self,
        context: &Context,
        pod: &Pod,
        volume: &Volume,
        addresses: &[IpAddr],
    ) -> Result<PathBuf> {
        let doing = || format!("preparing the volume {}", volume.name);
        let path = context.pod_folder(pod).join("volumes").join(&volume.name);
        fs::create_dir_all(&path).doing_with(doing)?;
        if volume.empty_dir.is_some() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).doing_with(doing)?;
        } else {
            let files = self.files(context, pod, volume, addresses).await?;
            write_atomically(&path, &files).doing_with(doing)?;
        }
        if let Some(group) = pod.spec.iter().find_map(|spec| spec.security_context.as_ref()?.fs_group) {
            give_to_group(&path, u32::try_from(group).unwrap_or_default()).doing_with(doing)?;
        }
        Ok(path)
    }

    async fn files(
        &mut self,
        context: &Context,
        pod: &Pod,
        volume: &Volume,
        addresses: &[IpAddr],
    ) -> Result<Files> {
        let namespace = pod.namespace().unwrap_or_default();
        let mut files = Files::new();
        if let Some(source) = &volume.config_map {
            let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
            let content = config_map_content(context, &namespace, &source.name, source.optional).await?;
            select(&mut files, content, source.items.as_deref(), mode);
        }
        if let Some(source) = &volume.secret {
            let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
            let name = source.secret_name.as_deref().unwrap_or_default();
            let content = secret_content(context, &namespace, name, source.optional).await?;
            select(&mut files, content, source.items.as_deref(), mode);
        }
        if let Some(source) = &volume.downward_api {
            let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
            downward(&mut files, context, pod, addresses, source.items.as_deref(), mode)?;
        }
        if let Some(projected) = &volume.projected {
            let mode = projected.default_mode.unwrap_or(DEFAULT_MODE);
            for source in projected.sources.iter().flatten() {
                if let Some(source) = &source.config_map {
                    let content =
                        config_map_content(context, &namespace, &source.name, source.optional).await?;
                    select(&mut files, content, source.items.as_deref(), mode);
                }
                if let Some(source) = &source.secret {
                    let content = secret_content(context, &namespace, &source.name, source.optional).await?;
                    select(&mut files, content, source.items.as_deref(), mode);
                }
                if let Some(source) = &source.downward_api {
                    downward(&mut files, context, pod, addresses, source.items.as_deref(), mode)?;
                }
                if let Some(source) = &source.service_account_token {
                    let token = self.token(context, pod, source).await?;
                    files.insert(source.path.clone().into(), (token.into_bytes(), bits(mode)));
                }
            }
        }
        Ok(files)
    }

    /// Asks for a token that is bound to the pod, and notes when to ask again: at four fifths of its life.
    async fn token(
        &mut self,
        context: &Context,
        pod: &Pod,
        source: &ServiceAccountTokenProjection,
    ) -> Result<String> {
        let namespace = pod.namespace().unwrap_or_default();
        let account =
            pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref()).unwrap_or("default");
        let doing = || format!("asking for a token of the service account {namespace}/{account}");
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: source.audience.iter().cloned().collect(),
                expiration_seconds: source.expiration_seconds,
                bound_object_ref: Some(BoundObjectReference {
                    api_version: Some("v1".into()),
                    kind: Some("Pod".into()),
                    name: pod.metadata.name.clone(),
                    uid: pod.metadata.uid.clone(),
                }),
            },
            ..TokenRequest::default()
        };
        let accounts: Api<ServiceAccount> = Api::namespaced(context.client.clone(), &namespace);
        let status = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await
            .doing_with(doing)?
            .status
            .ok_or_else(|| Error::failed(doing(), "the answer has none"))?;
        let life = status.expiration_timestamp.0.duration_since(jiff::Timestamp::now());
        let life = Duration::try_from(life).unwrap_or_default();
        let renew = Instant::now() + life * 4 / 5;
        self.renew = Some(self.renew.filter(|at| *at > Instant::now()).map_or(renew, |at| at.min(renew)));
        Ok(status.token)
    }
}

/// A folder of the node's own file system, or one of the kernel's.
fn host_path_folder(context: &Context, volume: &HostPathVolumeSource) -> Result<PathBuf> {
    let doing = || format!("preparing the hostPath {}", volume.path);
    if volume.path.split('/').any(|part| part == "..") {
        return Err(Error::failed(doing(), "it contains `..`"));
    }
    // A node of its own machine would see its own pods' cgroups only.
    if let Ok(below) = Path::new(&volume.path).strip_prefix("/sys/fs/cgroup") {
        return Ok(context.settings.cgroup.join(below));
    }
    if KERNEL.iter().any(|kernel| Path::new(&volume.path).starts_with(kernel)) {
        return Ok(PathBuf::from(&volume.path));
    }
    let path = context.host_root().join(volume.path.trim_start_matches('/'));
    let exists = path.exists();
    match volume.type_.as_deref().unwrap_or_default() {
        "" | "DirectoryOrCreate" if !exists => fs::create_dir_all(&path).doing_with(doing)?,
        "FileOrCreate" if !exists => {
            fs::write(&path, "").doing_with(doing)?;
        }
        kind @ ("Directory" | "File" | "Socket") if !exists => {
            return Err(Error::failed(doing(), format!("the node has no {kind} there")));
        }
        _ => {}
    }
    Ok(path)
}

/// The volumes that a pod defines.
pub(super) fn of_pod(pod: &Pod) -> &[Volume] {
    pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default()
}

async fn config_map_content(
    context: &Context,
    namespace: &str,
    name: &str,
    optional: Option<bool>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let map = config_map(context, namespace, name, optional).await?.unwrap_or_default();
    let text = map.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.into_bytes()));
    let binary = map.binary_data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0));
    Ok(text.chain(binary).collect())
}

async fn secret_content(
    context: &Context,
    namespace: &str,
    name: &str,
    optional: Option<bool>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let secret = secret(context, namespace, name, optional).await?.unwrap_or_default();
    Ok(secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect())
}

/// Takes the keys that a volume lists, under the paths that it lists, or all.
fn select(files: &mut Files, content: BTreeMap<String, Vec<u8>>, items: Option<&[KeyToPath]>, mode: i32) {
    match items {
        None => files.extend(content.into_iter().map(|(key, value)| (key.into(), (value, bits(mode))))),
        Some(items) => {
            for item in items {
                if let Some(value) = content.get(&item.key) {
                    let mode = bits(item.mode.unwrap_or(mode));
                    files.insert(item.path.clone().into(), (value.clone(), mode));
                }
            }
        }
    }
}

fn downward(
    files: &mut Files,
    context: &Context,
    pod: &Pod,
    addresses: &[IpAddr],
    items: Option<&[DownwardAPIVolumeFile]>,
    mode: i32,
) -> Result<()> {
    for item in items.unwrap_or_default() {
        let field = item.field_ref.as_ref().map(|field| field.field_path.as_str()).unwrap_or_default();
        let value = field_value(context, pod, addresses, field).ok_or_else(|| {
            Error::failed(format!("reading {field:?} for the file {}", item.path), "there is no such field")
        })?;
        files.insert(item.path.clone().into(), (value.into_bytes(), bits(item.mode.unwrap_or(mode))));
    }
    Ok(())
}

fn bits(mode: i32) -> u32 {
    u32::try_from(mode & 0o777).unwrap_or_default()
}

/// Replaces the content of a folder at once: a reader sees all the old files or all the new ones.
///
/// As in kubelet, `..data` leads to the folder of the present content and each name leads through it.
fn write_atomically(folder: &Path, files: &Files) -> io::Result<()> {
    let data = folder.join("..data");
    let old = fs::read_link(&data).ok();
    let stamp = jiff::Timestamp::now().as_nanosecond();
    let name = PathBuf::from(format!("..{stamp}"));
    let fresh = folder.join(&name);
    fs::create_dir(&fresh)?;
    for (path, (content, mode)) in files {
        let file = fresh.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, content)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(*mode))?;
    }
    let next = folder.join("..data_tmp");
    symlink(&name, &next)?;
    fs::rename(&next, &data)?;
    for top in files.keys().filter_map(|path| path.components().next()) {
        let link = folder.join(top);
        if fs::symlink_metadata(&link).is_err() {
            symlink(Path::new("..data").join(top), &link)?;
        }
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let known = files.keys().any(|path| path.starts_with(&name));
        if !known && !name.to_string_lossy().starts_with("..") {
            fs::remove_file(entry.path())?;
        }
    }
    match old {
        Some(old) => fs::remove_dir_all(folder.join(old)),
        None => Ok(()),
    }
}

fn give_to_group(path: &Path, group: u32) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    std::os::unix::fs::lchown(path, None, Some(group))?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let extra = if metadata.is_dir() { 0o2770 } else { 0o060 };
    fs::set_permissions(path, fs::Permissions::from_mode(metadata.permissions().mode() | extra))?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            give_to_group(&entry?.path(), group)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| (PathBuf::from(path), (text.as_bytes().to_vec(), 0o640))).collect()
    }

    #[test]
    fn content_is_replaced_as_a_whole_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        write_atomically(path, &files(&[("token", "one"), ("deep/er", "x")])).unwrap();
        assert_eq!(fs::read_to_string(path.join("token")).unwrap(), "one");
        assert_eq!(fs::metadata(path.join("deep/er")).unwrap().permissions().mode() & 0o777, 0o640);
        let open = fs::File::open(path.join("token")).unwrap();

        write_atomically(path, &files(&[("token", "two"), ("new", "y")])).unwrap();
        assert_eq!(fs::read_to_string(path.join("token")).unwrap(), "two");
        assert_eq!(io::read_to_string(open).unwrap(), "one", "who has it open reads on");
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(names[1..], ["..data", "new", "token"]);
    }

    #[test]
    fn a_volume_shows_the_keys_it_lists_where_it_lists_them() {
        let content = || BTreeMap::from([("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())]);
        let mut all = Files::new();
        select(&mut all, content(), None, 0o644);
        assert_eq!(all.len(), 2);
        let mut some = Files::new();
        let item = KeyToPath { key: "a".into(), path: "x/y".into(), mode: Some(0o600) };
        select(&mut some, content(), Some(&[item]), 0o644);
        assert_eq!(some, Files::from([("x/y".into(), (b"1".to_vec(), 0o600))]));
    }
}
