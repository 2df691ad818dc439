//! Desired: which of this node's pods belong into which group. Pure.
//!
//! Whether a pod belongs depends on how it stands towards the binding's Service now and, once it is in, on how long it
//! has been unready. So each binding remembers its members, and everything else is computed anew.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use lath_kubernetes::{
    Pod, Service, TargetGroupBinding,
    binding::{EffectivePolicy, ReadinessPolicy},
    standing::{Standing, standing},
};
use lattice::{Target, TargetGroupArn, arn, target::IpFamily};
use tokio::time::Instant;

/// A pod by what tells it apart and what people call it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodRef {
    /// Tells apart pods that follow each other under one name.
    pub uid: Arc<str>,
    /// `namespace/name`.
    pub name: Arc<str>,
}

impl From<&Pod> for PodRef {
    fn from(pod: &Pod) -> Self {
        Self { uid: pod.uid.as_str().into(), name: pod.display_name().into() }
    }
}

/// What an agent needs of a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Its namespace, which is its Service's too.
    pub namespace: String,
    /// The group that pods go into.
    pub group: TargetGroupArn,
    /// The Service whose pods are meant.
    pub service: String,
    /// Which of its ports.
    pub port: IntOrString,
    /// The family of the addresses.
    pub family: IpFamily,
    /// What unreadiness does.
    pub policy: EffectivePolicy,
    /// After how much of it.
    pub unready_after: Duration,
    /// Less than half of the Service's pods are ready, so none is taken out for unreadiness.
    pub share_low: bool,
    /// The controller has accepted it as it is now. While it has not, nobody is put in, and nobody is taken out but
    /// those that leave by themselves.
    pub accepted: bool,
    /// It is being deleted: its targets go.
    pub leaving: bool,
}

impl Binding {
    /// Lets what was said before hold until what is said now has been accepted, so that a change takes nobody out
    /// before it can put others in.
    pub fn keep_until_accepted(&mut self, known: &Self) {
        if self.accepted || self.leaving || self.group != known.group {
            return;
        }
        self.service.clone_from(&known.service);
        self.port.clone_from(&known.port);
        self.family = known.family;
        self.policy = known.policy;
        self.unready_after = known.unready_after;
    }
}

impl TryFrom<&TargetGroupBinding> for Binding {
    type Error = arn::Error;

    fn try_from(binding: &TargetGroupBinding) -> Result<Self, arn::Error> {
        let spec = &binding.spec;
        let status = binding.status.as_ref();
        Ok(Self {
            namespace: binding.metadata.namespace.clone().unwrap_or_default(),
            group: spec.target_group.arn.parse()?,
            service: spec.service.name.clone(),
            port: spec.service.port.clone(),
            family: spec.ip_family,
            policy: match spec.readiness.policy {
                ReadinessPolicy::HealthCheck => EffectivePolicy::HealthCheck,
                ReadinessPolicy::Pod => EffectivePolicy::Pod,
                // Until the controller has looked at the group, the policy that takes nobody out.
                ReadinessPolicy::Auto => {
                    status.and_then(|status| status.readiness_policy).unwrap_or(EffectivePolicy::HealthCheck)
                }
            },
            unready_after: Duration::from_secs(spec.readiness.unready_seconds.into()),
            share_low: status.is_some_and(|status| status.ready_share_low),
            accepted: binding.accepted(),
            leaving: binding.metadata.deletion_timestamp.is_some(),
        })
    }
}

/// The pods that a binding has in its group.
#[derive(Debug, Clone, Default)]
pub struct Members {
    by_pod: BTreeMap<Arc<str>, Member>,
    /// What others registered, such as the agent before this one, has been taken over.
    seeded: bool,
}

#[derive(Debug, Clone)]
struct Member {
    pod: PodRef,
    target: Target,
    unready_since: Option<Instant>,
}

impl Members {
    /// Lets what others have registered meanwhile be taken over with the next decision.
    pub fn seed(&mut self) {
        self.seeded = false;
    }

    /// Decides anew, for all of the node's pods. `registered` tells whether a pod's target is in the group; it is asked
    /// at the first decision after [`Members::seed`], as at the very first.
    ///
    /// Returns when to decide again although nothing has changed.
    pub fn decide<'a>(
        &mut self,
        binding: &Binding,
        service: Option<&Service>,
        pods: impl Iterator<Item = &'a Pod>,
        registered: impl Fn(&str, &Target) -> bool,
        now: Instant,
    ) -> Option<Instant> {
        let mut again: Option<Instant> = None;
        let mut members = BTreeMap::new();
        if let (false, Some(service)) = (binding.leaving, service)
            && let Some(port) = service.port(&binding.port)
        {
            for pod in pods {
                let (target, ready) = match standing(pod, service, port, binding.family) {
                    Standing::Ready(target) => (target, true),
                    Standing::Unready(target) => (target, false),
                    Standing::Out(_) => continue,
                };
                let known = self.by_pod.get(pod.uid.as_str()).filter(|member| member.target == target);
                let inside = known.is_some() || !self.seeded && registered(&pod.uid, &target);
                let unready_since =
                    (!ready).then(|| known.and_then(|member| member.unready_since).unwrap_or(now));
                let belongs = match unready_since {
                    None => inside || binding.accepted,
                    Some(since) => {
                        let out = since + binding.unready_after;
                        let may_leave = binding.policy == EffectivePolicy::Pod && !binding.share_low;
                        if inside && may_leave && now < out {
                            again = Some(again.map_or(out, |again| again.min(out)));
                        }
                        inside && (!may_leave || now < out)
                    }
                };
                if belongs {
                    let pod = PodRef::from(pod);
                    members.insert(pod.uid.clone(), Member { pod, target, unready_since });
                }
            }
        }
        self.by_pod = members;
        self.seeded = true;
        again
    }

    /// The targets, and which pod each is.
    pub fn targets(&self) -> impl Iterator<Item = (Target, &PodRef)> {
        self.by_pod.values().map(|member| (member.target, &member.pod))
    }
}

#[cfg(test)]
mod tests;
