//! From a pod's and a container's security contexts to the rights of a process.

use k8s_openapi::api::core::v1::{Container, Pod, PodSecurityContext, SecurityContext};

use crate::container::{DEFAULT_CAPABILITIES, Privileges, capability};
use crate::error::{Error, Result};

/// What the two security contexts come to.
pub(super) fn privileges(pod: &Pod, container: &Container) -> Result<Privileges> {
    let of_pod = pod.spec.as_ref().and_then(|spec| spec.security_context.clone()).unwrap_or_default();
    let own = container.security_context.clone().unwrap_or_default();
    merge_privileges(&of_pod, &own)
        .map_err(|why| Error::failed(format!("starting the container {}", container.name), why))
}

fn merge_privileges(pod: &PodSecurityContext, own: &SecurityContext) -> Result<Privileges, String> {
    let id = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let user = id(own.run_as_user.or(pod.run_as_user)).unwrap_or(0);
    let group = id(own.run_as_group.or(pod.run_as_group)).unwrap_or(0);
    if user == 0 && own.run_as_non_root.or(pod.run_as_non_root) == Some(true) {
        return Err("it is to run as a user other than root (runAsNonRoot), and its image's user is root; set runAsUser".into());
    }
    let lists = own.capabilities.clone().unwrap_or_default();
    let bits = |name: &str| if name == "ALL" { (1 << 41) - 1 } else { capability(name).unwrap_or(0) };
    let mut capabilities = DEFAULT_CAPABILITIES.iter().fold(0, |set, name| set | bits(name));
    for name in lists.drop.iter().flatten() {
        capabilities &= !bits(name);
    }
    for name in lists.add.iter().flatten() {
        capabilities |= bits(name);
    }
    let groups = pod.supplemental_groups.iter().flatten().copied().chain(pod.fs_group);
    Ok(Privileges {
        user,
        group,
        groups: groups.filter_map(|group| u32::try_from(group).ok()).collect(),
        capabilities,
        may_gain: own.allow_privilege_escalation != Some(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_daemon_has_exactly_the_capabilities_it_asks_for() {
        let own = serde_json::from_value(json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"], "add": ["BPF", "NET_ADMIN"]},
        }))
        .unwrap();
        let merged = merge_privileges(&PodSecurityContext::default(), &own).unwrap();
        assert_eq!(merged.capabilities, (1 << 39) | (1 << 12));
        assert!(!merged.may_gain);
        assert_eq!((merged.user, merged.group), (0, 0));
    }

    #[test]
    fn root_is_refused_where_the_pod_forbids_it() {
        let pod = |value| serde_json::from_value::<PodSecurityContext>(value).unwrap();
        let own = SecurityContext::default();
        assert!(merge_privileges(&pod(json!({"runAsNonRoot": true})), &own).is_err());
        let merged =
            merge_privileges(&pod(json!({"runAsNonRoot": true, "runAsUser": 65532, "fsGroup": 5})), &own)
                .unwrap();
        assert_eq!((merged.user, merged.groups), (65532, vec![5]));
    }
}
