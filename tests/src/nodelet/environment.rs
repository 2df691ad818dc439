//! A container's environment and arguments: values, references, the downward API.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{
    ConfigMap, Container, EnvVar, EnvVarSource, Pod, ResourceFieldSelector, Secret,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::{Api, ResourceExt as _};

use super::Context;
use crate::error::{Doing as _, Error, Result};

/// The home folder, as container runtimes set it for root and for a user whom no file names.
fn home(pod: &Pod, container: &Container) -> &'static str {
    let own = container.security_context.as_ref().and_then(|context| context.run_as_user);
    let user = own.or_else(|| pod.spec.as_ref()?.security_context.as_ref()?.run_as_user);
    if user.unwrap_or_default() == 0 { "/root" } else { "/" }
}

/// All variables of a container, in the order in which they are defined; the last of a name counts.
pub(super) async fn variables(
    context: &Context,
    pod: &Pod,
    container: &Container,
    addresses: &[IpAddr],
) -> Result<Vec<(String, String)>> {
    let api = context.settings.api_server;
    let mut variables = Variables::default();
    variables.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
    variables.set("HOSTNAME", hostname(context, pod));
    variables.set("HOME", home(pod, container).into());
    variables.set("KUBERNETES_SERVICE_HOST", api.ip().to_string());
    variables.set("KUBERNETES_SERVICE_PORT", api.port().to_string());
    variables.set("KUBERNETES_SERVICE_PORT_HTTPS", api.port().to_string());
    let namespace = pod.namespace().unwrap_or_default();
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        if let Some(reference) = &source.config_map_ref {
            let map = config_map(context, &namespace, &reference.name, reference.optional).await?;
            for (name, value) in map.and_then(|map| map.data).unwrap_or_default() {
                variables.set(&format!("{prefix}{name}"), value);
            }
        }
        if let Some(reference) = &source.secret_ref {
            let secret = secret(context, &namespace, &reference.name, reference.optional).await?;
            for (name, value) in secret.and_then(|secret| secret.data).unwrap_or_default() {
                variables.set(&format!("{prefix}{name}"), String::from_utf8_lossy(&value.0).into_owned());
            }
        }
    }
    for variable in container.env.iter().flatten() {
        if let Some(value) = value(context, pod, container, addresses, variable, &variables).await? {
            variables.set(&variable.name, value);
        }
    }
    Ok(variables.list)
}

/// The host name of a pod.
pub(super) fn hostname(context: &Context, pod: &Pod) -> String {
    let spec = pod.spec.as_ref();
    if spec.is_some_and(|spec| spec.host_network == Some(true)) {
        return context.name().to_owned();
    }
    spec.and_then(|spec| spec.hostname.clone()).unwrap_or_else(|| pod.name_any()).chars().take(63).collect()
}

/// Variables in order, with their names findable.
#[derive(Debug, Default)]
pub(super) struct Variables {
    list: Vec<(String, String)>,
}

impl Variables {
    fn set(&mut self, name: &str, value: String) {
        match self.list.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.list.push((name.to_owned(), value)),
        }
    }
}

/// Replaces `$(NAME)` by the variable of that name; `$$` is a dollar sign, unknown names stay as they are.
pub(super) fn expand(text: &str, variables: &[(String, String)]) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('$') {
        result.push_str(&rest[..place]);
        rest = &rest[place..];
        if let Some(after) = rest.strip_prefix("$$") {
            result.push('$');
            rest = after;
            continue;
        }
        let reference = rest.strip_prefix("$(").and_then(|inner| inner.split_once(')'));
        let known = reference.and_then(|(name, after)| {
            let (_, value) = variables.iter().find(|(known, _)| known == name)?;
            Some((value, after))
        });
        if let Some((value, after)) = known {
            result.push_str(value);
            rest = after;
        } else {
            result.push('$');
            rest = &rest[1..];
        }
    }
    result.push_str(rest);
    result
}

async fn value(
    context: &Context,
    pod: &Pod,
    container: &Container,
    addresses: &[IpAddr],
    variable: &EnvVar,
    before: &Variables,
) -> Result<Option<String>> {
    let Some(source) = &variable.value_from else {
        return Ok(Some(expand(variable.value.as_deref().unwrap_or_default(), &before.list)));
    };
    let namespace = pod.namespace().unwrap_or_default();
    match source {
        EnvVarSource { field_ref: Some(field), .. } => {
            let what = || format!("reading {} for the variable {}", field.field_path, variable.name);
            field_value(context, pod, addresses, &field.field_path)
                .map(Some)
                .ok_or_else(|| Error::failed(what(), "there is no such field"))
        }
        EnvVarSource { resource_field_ref: Some(field), .. } => Ok(Some(resource_value(container, field))),
        EnvVarSource { config_map_key_ref: Some(key), .. } => {
            let map = config_map(context, &namespace, &key.name, key.optional).await?;
            let found = map.and_then(|map| map.data).and_then(|mut data| data.remove(&key.key));
            required(found, key.optional, || format!("key {} of ConfigMap {namespace}/{}", key.key, key.name))
        }
        EnvVarSource { secret_key_ref: Some(key), .. } => {
            let secret = secret(context, &namespace, &key.name, key.optional).await?;
            let found = secret.and_then(|secret| secret.data).and_then(|mut data| data.remove(&key.key));
            let text = found.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned());
            required(text, key.optional, || format!("key {} of Secret {namespace}/{}", key.key, key.name))
        }
        _ => Err(Error::failed(
            format!("reading the variable {}", variable.name),
            "its source is not supported here",
        )),
    }
}

fn required(
    found: Option<String>,
    optional: Option<bool>,
    what: impl FnOnce() -> String,
) -> Result<Option<String>> {
    if found.is_none() && optional != Some(true) {
        return Err(Error::failed(format!("reading {}", what()), "it does not exist"));
    }
    Ok(found)
}

/// A ConfigMap; `None` if it does not exist and need not.
pub(super) async fn config_map(
    context: &Context,
    namespace: &str,
    name: &str,
    optional: Option<bool>,
) -> Result<Option<ConfigMap>> {
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), namespace);
    let found = api.get_opt(name).await.doing_with(|| format!("reading ConfigMap {namespace}/{name}"))?;
    if found.is_none() && optional != Some(true) {
        return Err(Error::failed(format!("reading ConfigMap {namespace}/{name}"), "it does not exist"));
    }
    Ok(found)
}

/// A Secret; `None` if it does not exist and need not.
pub(super) async fn secret(
    context: &Context,
    namespace: &str,
    name: &str,
    optional: Option<bool>,
) -> Result<Option<Secret>> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    let found = api.get_opt(name).await.doing_with(|| format!("reading Secret {namespace}/{name}"))?;
    if found.is_none() && optional != Some(true) {
        return Err(Error::failed(format!("reading Secret {namespace}/{name}"), "it does not exist"));
    }
    Ok(found)
}

/// A field of a pod by the paths that the downward API allows.
pub(super) fn field_value(context: &Context, pod: &Pod, addresses: &[IpAddr], path: &str) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let list = |addresses: &[IpAddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let hosts = context.settings.network.addresses().both();
    match path {
        "metadata.name" => pod.metadata.name.clone(),
        "metadata.namespace" => pod.metadata.namespace.clone(),
        "metadata.uid" => pod.metadata.uid.clone(),
        "metadata.labels" => Some(quoted(pod.labels())),
        "metadata.annotations" => Some(quoted(pod.annotations())),
        "spec.nodeName" => Some(context.name().to_owned()),
        "spec.serviceAccountName" => Some(spec.service_account_name.clone().unwrap_or_default()),
        "status.hostIP" => hosts.first().map(ToString::to_string),
        "status.hostIPs" => Some(list(&hosts)),
        "status.podIP" => addresses.first().map(ToString::to_string),
        "status.podIPs" => Some(list(addresses)),
        _ => {
            let (map, key) = path.strip_suffix("']")?.split_once("['")?;
            match map {
                "metadata.labels" => Some(pod.labels().get(key).cloned().unwrap_or_default()),
                "metadata.annotations" => Some(pod.annotations().get(key).cloned().unwrap_or_default()),
                _ => None,
            }
        }
    }
}

fn quoted(map: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    lines.join("\n")
}

/// A container's request or limit in whole units of the divisor; what is not set is this node's capacity.
fn resource_value(container: &Container, field: &ResourceFieldSelector) -> String {
    let resources = container.resources.as_ref();
    let (kind, name) = field.resource.split_once('.').unwrap_or(("", &field.resource));
    let list = match kind {
        "requests" => resources.and_then(|resources| resources.requests.as_ref()),
        _ => resources.and_then(|resources| resources.limits.as_ref()),
    };
    let amount = list.and_then(|list| list.get(name)).and_then(amount).unwrap_or(match name {
        "cpu" => super::node::CPUS,
        "memory" => super::node::MEMORY,
        _ => 0.0,
    });
    let divisor = field.divisor.as_ref().and_then(self::amount).filter(|divisor| *divisor > 0.0);
    format!("{}", (amount / divisor.unwrap_or(1.0)).ceil())
}

/// A quantity as a number.
fn amount(quantity: &Quantity) -> Option<f64> {
    let text = quantity.0.as_str();
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let factor = match &text[digits..] {
        "" => 1.0,
        "m" => 0.001,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    text[..digits].parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_expand_as_in_kubernetes() {
        let variables = [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "two".to_owned())];
        for (text, expected) in [
            ("$(A)/$(B)", "1/two"),
            ("$(C)", "$(C)"),
            ("$$(A)", "$(A)"),
            ("costs 5$", "costs 5$"),
            ("$(A", "$(A"),
            ("$A", "$A"),
        ] {
            assert_eq!(expand(text, &variables), expected, "{text}");
        }
    }

    #[test]
    fn resources_are_given_in_whole_units_of_the_divisor() {
        let container: Container = serde_json::from_value(json!({
            "name": "a", "resources": {"limits": {"cpu": "250m", "memory": "64Mi"}}
        }))
        .unwrap();
        for (resource, divisor, expected) in [
            ("limits.cpu", None, "1"),
            ("limits.cpu", Some("1m"), "250"),
            ("limits.memory", None, "67108864"),
            ("limits.memory", Some("1Mi"), "64"),
            ("requests.cpu", Some("1m"), "8000"),
        ] {
            let field = ResourceFieldSelector {
                resource: resource.into(),
                divisor: divisor.map(|divisor| Quantity(divisor.into())),
                container_name: None,
            };
            assert_eq!(resource_value(&container, &field), expected, "{resource} {divisor:?}");
        }
    }
}
