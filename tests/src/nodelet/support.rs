//! What a pod may ask for. Everything that would silently do nothing is refused here, by name.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Probe, SecurityContext, Volume};

use crate::container::capability;

/// The fields of a pod that this node does not honour, as paths; empty if it can run.
pub(super) fn unsupported(pod: &Pod) -> Vec<String> {
    let Some(spec) = &pod.spec else { return vec!["spec".into()] };
    let mut found = Vec::new();
    pod_fields(spec, &mut found);
    for volume in spec.volumes.iter().flatten() {
        if let Some(kind) = unsupported_volume(volume) {
            found.push(format!("spec.volumes[{}].{kind}", volume.name));
        }
    }
    let host_network = spec.host_network == Some(true);
    let containers = spec.containers.iter().map(|container| ("containers", container));
    let init = spec.init_containers.iter().flatten().map(|container| ("initContainers", container));
    for (list, container) in init.chain(containers) {
        let mut fields = Vec::new();
        container_fields(container, host_network, &mut fields);
        found.extend(fields.into_iter().map(|field| format!("spec.{list}[{}].{field}", container.name)));
    }
    found
}

fn pod_fields(spec: &PodSpec, found: &mut Vec<String>) {
    let context = spec.security_context.as_ref();
    for (name, set) in [
        ("ephemeralContainers", spec.ephemeral_containers.as_ref().is_some_and(|list| !list.is_empty())),
        ("hostPID", spec.host_pid == Some(true)),
        ("hostIPC", spec.host_ipc == Some(true)),
        ("hostUsers: false", spec.host_users == Some(false)),
        ("shareProcessNamespace", spec.share_process_namespace == Some(true)),
        ("runtimeClassName", spec.runtime_class_name.is_some()),
        ("activeDeadlineSeconds", spec.active_deadline_seconds.is_some()),
        ("resourceClaims", spec.resource_claims.as_ref().is_some_and(|list| !list.is_empty())),
        ("setHostnameAsFQDN", spec.set_hostname_as_fqdn == Some(true)),
        ("os.name", spec.os.as_ref().is_some_and(|os| os.name != "linux")),
        (
            "securityContext.sysctls",
            context.is_some_and(|context| context.sysctls.as_ref().is_some_and(|list| !list.is_empty())),
        ),
        ("securityContext.windowsOptions", context.is_some_and(|context| context.windows_options.is_some())),
    ] {
        if set {
            found.push(format!("spec.{name}"));
        }
    }
}

/// The kind of a volume that cannot be had here.
fn unsupported_volume(volume: &Volume) -> Option<&'static str> {
    let honoured = volume.empty_dir.is_some()
        || volume.host_path.is_some()
        || volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.downward_api.is_some();
    if honoured {
        return None;
    }
    match &volume.projected {
        None if volume.persistent_volume_claim.is_some() => Some("persistentVolumeClaim"),
        None if volume.csi.is_some() => Some("csi"),
        None if volume.ephemeral.is_some() => Some("ephemeral"),
        None if volume.nfs.is_some() => Some("nfs"),
        None => Some("(this kind)"),
        Some(projected) => projected
            .sources
            .iter()
            .flatten()
            .any(|source| {
                source.config_map.is_none()
                    && source.secret.is_none()
                    && source.downward_api.is_none()
                    && source.service_account_token.is_none()
            })
            .then_some("projected.sources"),
    }
}

fn container_fields(container: &Container, host_network: bool, found: &mut Vec<String>) {
    let lifecycle = container.lifecycle.as_ref();
    let pre_stop = lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref());
    for (name, set) in [
        ("tty", container.tty == Some(true)),
        ("stdin", container.stdin == Some(true)),
        ("volumeDevices", container.volume_devices.as_ref().is_some_and(|list| !list.is_empty())),
        ("lifecycle.postStart", lifecycle.is_some_and(|lifecycle| lifecycle.post_start.is_some())),
        ("lifecycle.stopSignal", lifecycle.is_some_and(|lifecycle| lifecycle.stop_signal.is_some())),
        ("lifecycle.preStop.tcpSocket", pre_stop.is_some_and(|hook| hook.tcp_socket.is_some())),
        ("restartPolicyRules", container.restart_policy_rules.as_ref().is_some_and(|list| !list.is_empty())),
        (
            "ports.hostPort",
            !host_network
                && container.ports.iter().flatten().any(|port| port.host_port.is_some_and(|port| port > 0)),
        ),
    ] {
        if set {
            found.push(name.into());
        }
    }
    for mount in container.volume_mounts.iter().flatten() {
        if mount.mount_propagation.as_deref() == Some("Bidirectional") {
            found.push(format!("volumeMounts[{}].mountPropagation", mount.name));
        }
        if mount.sub_path_expr.is_some() {
            found.push(format!("volumeMounts[{}].subPathExpr", mount.name));
        }
    }
    for (name, probe) in [
        ("readinessProbe", &container.readiness_probe),
        ("livenessProbe", &container.liveness_probe),
        ("startupProbe", &container.startup_probe),
    ] {
        if let Some(kind) = probe.as_ref().and_then(unsupported_probe) {
            found.push(format!("{name}.{kind}"));
        }
    }
    if let Some(context) = &container.security_context {
        security_fields(context, found);
    }
}

fn unsupported_probe(probe: &Probe) -> Option<&'static str> {
    if probe.grpc.is_some() {
        return Some("grpc");
    }
    let https = probe.http_get.as_ref().is_some_and(|get| get.scheme.as_deref() == Some("HTTPS"));
    https.then_some("httpGet.scheme: HTTPS")
}

fn security_fields(context: &SecurityContext, found: &mut Vec<String>) {
    for (name, set) in [
        ("privileged", context.privileged == Some(true)),
        ("procMount", context.proc_mount.as_deref().is_some_and(|kind| kind != "Default")),
        ("windowsOptions", context.windows_options.is_some()),
    ] {
        if set {
            found.push(format!("securityContext.{name}"));
        }
    }
    let lists = context
        .capabilities
        .iter()
        .flat_map(|lists| lists.add.iter().flatten().chain(lists.drop.iter().flatten()));
    for name in lists {
        if name != "ALL" && capability(name).is_none() {
            found.push(format!("securityContext.capabilities: {name}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refused(spec: &Value, container: &Value) -> Vec<String> {
        let mut all = json!({"containers": [{"name": "main", "image": "test-server"}]});
        merge(&mut all["containers"][0], container);
        merge(&mut all, spec);
        unsupported(&serde_json::from_value(json!({ "spec": all })).unwrap())
    }

    fn merge(into: &mut Value, from: &Value) {
        for (name, value) in from.as_object().unwrap() {
            into[name] = value.clone();
        }
    }

    #[test]
    fn what_is_not_honoured_is_named() {
        for (spec, container, field) in [
            (
                json!({}),
                json!({"securityContext": {"privileged": true}}),
                "spec.containers[main].securityContext.privileged",
            ),
            (json!({"hostPID": true}), json!({}), "spec.hostPID"),
            (
                json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "x"}}]}),
                json!({}),
                "spec.volumes[data].persistentVolumeClaim",
            ),
            (
                json!({}),
                json!({"readinessProbe": {"grpc": {"port": 1}}}),
                "spec.containers[main].readinessProbe.grpc",
            ),
            (
                json!({}),
                json!({"ports": [{"containerPort": 80, "hostPort": 80}]}),
                "spec.containers[main].ports.hostPort",
            ),
            (
                json!({}),
                json!({"securityContext": {"capabilities": {"add": ["FLY"]}}}),
                "spec.containers[main].securityContext.capabilities: FLY",
            ),
            (json!({"ephemeralContainers": [{"name": "debug"}]}), json!({}), "spec.ephemeralContainers"),
        ] {
            assert_eq!(refused(&spec, &container), [field]);
        }
    }

    #[test]
    fn what_a_daemon_asks_for_is_honoured() {
        let spec = json!({
            "hostNetwork": true,
            "priorityClassName": "system-node-critical",
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}, "fsGroup": 1000},
            "volumes": [
                {"name": "state", "hostPath": {"path": "/var/lib/lath", "type": "DirectoryOrCreate"}},
                {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
            ],
        });
        let container = json!({
            "ports": [{"containerPort": 9090, "hostPort": 9090}],
            "resources": {"limits": {"memory": "64Mi"}},
            "securityContext": {"readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"], "add": ["BPF", "NET_ADMIN"]}},
            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        });
        assert_eq!(refused(&spec, &container), Vec::<String>::new());
    }
}
