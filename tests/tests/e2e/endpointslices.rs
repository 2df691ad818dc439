//! The rule which pods are targets, held to the slices that the real EndpointSlice controller writes.
//!
//! Pods are bare objects on a node that is an object only, and the test writes their status, so that many are quick.

#[path = "endpointslices/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use fastrand::Rng;
use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use lath_kubernetes::names;
use lath_kubernetes::standing::{Standing, standing};
use lattice::target::IpFamily;
use serde_json::{Value, json};
use tests::expect::eventually;

use self::random::{Change, any_change, any_pod, any_service};
use super::setting::{Case, SOON, shared};
use super::space::{condition, not_root};

/// How many rounds a run makes: two cases each.
const ROUNDS: u32 = 16;

/// Pods that are made in a round. They stay for the next one.
const PODS: u32 = 16;

/// Services that are made in a round.
const SERVICES: u32 = 6;

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// The node that the pods claim to be on.
const NODE: &str = "imaginary";

/// The variable that replays a run: the seed which it printed.
const SEED: &str = "LATH_SEED";

#[tokio::test]
async fn the_ready_are_those_of_the_real_endpoint_slices_and_those_that_lack_only_our_gate() {
    if not_root() {
        return;
    }
    let seed: u64 = std::env::var(SEED).ok().map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("{SEED}={seed} replays this run");
    let mut random = Rng::with_seed(seed);
    let lab = Lab::new().await;
    let mut ready = 0;
    for round in 0..ROUNDS {
        lab.beat().await;
        let old = round.saturating_sub(1) * PODS..round * PODS;
        let new = round * PODS..(round + 1) * PODS;
        let changes: Vec<_> = old.clone().map(|number| (number, any_change(&mut random))).collect();
        let services =
            (0..SERVICES).map(|number| any_service(&mut random, &format!("s{round}-{number}"))).collect();
        let pods = new.map(|number| any_pod(&mut random, number)).collect();
        each(services, |service| lab.make_service(service)).await;
        each(pods, |(pod, status)| lab.make_pod(pod, status)).await;
        let case = format!("{SEED}={seed}, round {round}");
        ready += lab.compare(&format!("{case}, after births")).await;
        each(changes, |(number, change)| lab.change(number, change)).await;
        ready += lab.compare(&format!("{case}, after changes")).await;
        each(old.collect(), |number| lab.remove_pod(number)).await;
        each((0..SERVICES).collect(), |number| lab.remove_service(format!("s{round}-{number}"))).await;
    }
    assert!(ready > ROUNDS as usize, "hardly any pod was ready, so that little was compared");
    lab.close().await;
}

async fn each<T, F: Future<Output = ()>>(all: Vec<T>, act: impl Fn(T) -> F) {
    stream::iter(all).map(act).buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// What Lath or the slices say: the targets by Service, port and family.
type Sets = BTreeMap<String, BTreeSet<SocketAddr>>;

/// A namespace with pods that nobody runs.
struct Lab {
    nodes: Api<Node>,
    pods: Api<Pod>,
    services: Api<Service>,
    slices: Api<EndpointSlice>,
}

impl Lab {
    async fn new() -> Self {
        let case = Case::new(shared().await, "slices").await;
        let client = case.space.client.clone();
        let namespace = case.space.name;
        // The label keeps Lath's agent away from the node, and that it takes no pods everything else.
        case.space
            .apply(json!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": { "name": NODE, "labels": { "eks.amazonaws.com/compute-type": "fargate" } },
                "spec": { "unschedulable": true },
            }))
            .await;
        Self {
            nodes: Api::all(client.clone()),
            pods: Api::namespaced(client.clone(), namespace),
            services: Api::namespaced(client.clone(), namespace),
            slices: Api::namespaced(client, namespace),
        }
    }

    /// Keeps the node from being given up, upon which its pods would be marked unready.
    async fn beat(&self) {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let ready = json!({
            "type": "Ready", "status": "True", "reason": "Imagined", "message": "",
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        });
        let status = json!({ "status": { "conditions": [ready] } });
        self.nodes.patch_status(NODE, &PatchParams::default(), &Patch::Strategic(&status)).await.unwrap();
    }

    async fn make_service(&self, service: Value) {
        let service: Service = serde_json::from_value(service).unwrap();
        self.services.create(&PostParams::default(), &service).await.unwrap();
    }

    async fn remove_service(&self, name: String) {
        self.services.delete(&name, &DeleteParams::default()).await.unwrap();
    }

    async fn make_pod(&self, pod: Value, status: Value) {
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let made = self.pods.create(&PostParams::default(), &pod).await.unwrap();
        self.set_status(&made.name_any(), &status).await;
    }

    async fn set_status(&self, pod: &str, status: &Value) {
        let change = json!({ "status": status });
        self.pods.patch_status(pod, &PatchParams::default(), &Patch::Strategic(&change)).await.unwrap();
    }

    async fn change(&self, number: u32, change: Change) {
        let name = format!("p{number}");
        match change {
            Change::Nothing => {}
            Change::Readiness(status) => self.set_status(&name, &status).await,
            // As a node reports it: a pod that ends stops being ready with that. The EndpointSlice controller looks at a
            // pod anew only when its readiness, addresses or deletion change, never for its phase alone.
            Change::End(phase) => {
                let conditions = |status: &str| {
                    let kinds = ["Ready", "ContainersReady"];
                    json!(kinds.map(|kind| json!({ "type": kind, "status": status })))
                };
                self.set_status(&name, &json!({ "conditions": conditions("True") })).await;
                self.set_status(&name, &json!({ "phase": phase, "conditions": conditions("False") })).await;
            }
            Change::Labels(labels) => {
                let change = json!({ "metadata": { "labels": labels } });
                self.pods.patch(&name, &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
            }
            // Nobody runs the pod, so it stays as one that is being deleted.
            Change::Deletion => drop(self.pods.delete(&name, &DeleteParams::default()).await.unwrap()),
        }
    }

    async fn remove_pod(&self, number: u32) {
        match self.pods.delete(&format!("p{number}"), &DeleteParams::default().grace_period(0)).await {
            // The API server lets a pod go at once that had ended when it was deleted.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            other => drop(other.unwrap()),
        }
    }

    /// Waits until Lath's rule and the slices agree on every port of every Service. Returns the number of targets.
    async fn compare(&self, case: &str) -> usize {
        let agreed = eventually(case, SOON, async || {
            let list = ListParams::default();
            let pods = self.pods.list(&list).await.map_err(|error| error.to_string())?.items;
            let services = self.services.list(&list).await.map_err(|error| error.to_string())?.items;
            let slices = self.slices.list(&list).await.map_err(|error| error.to_string())?.items;
            let ours = by_the_rule(&pods, &services);
            let theirs = by_the_slices(&pods, &services, &slices);
            if ours == theirs { Ok(ours) } else { Err(differences(&ours, &theirs)) }
        });
        agreed.await.values().map(BTreeSet::len).sum()
    }

    /// Removes the last pods, which nobody else would see to their end, and the node.
    async fn close(self) {
        each(((ROUNDS - 1) * PODS..ROUNDS * PODS).collect(), |number| self.remove_pod(number)).await;
        self.nodes.delete(NODE, &DeleteParams::default()).await.unwrap();
    }
}

/// The name of a set of targets: Service, port and family.
fn key(service: &str, port: &str, family: IpFamily) -> String {
    format!("{service}:{port}/{family}")
}

fn by_the_rule(pods: &[Pod], services: &[Service]) -> Sets {
    let pods: Vec<lath_kubernetes::Pod> = pods.iter().map(Into::into).collect();
    let mut sets = Sets::new();
    for service in services.iter().map(lath_kubernetes::Service::from) {
        for (port, family) in
            service.ports.iter().flat_map(|port| service.families.iter().map(move |family| (port, *family)))
        {
            let ready = pods.iter().filter_map(|pod| match standing(pod, &service, port, family) {
                Standing::Ready(target) => Some(SocketAddr::new(target.address, target.port)),
                _ => None,
            });
            sets.entry(key(&service.name, &port.name, family)).or_default().extend(ready);
        }
    }
    sets
}

/// What the slices show as ready and not terminating, and in them the pods that lack only a gate of ours.
fn by_the_slices(pods: &[Pod], services: &[Service], slices: &[EndpointSlice]) -> Sets {
    let lacking: BTreeSet<String> =
        pods.iter().filter(|pod| lacks_only_our_gate(pod)).map(Pod::name_any).collect();
    let mut sets = Sets::new();
    for service in services {
        let spec = service.spec.clone().unwrap_or_default();
        for (port, family) in spec
            .ports
            .iter()
            .flatten()
            .flat_map(|port| spec.ip_families.iter().flatten().map(move |family| (port, family)))
        {
            let name = port.name.clone().unwrap_or_default();
            let parsed = if family == "IPv6" { IpFamily::IPv6 } else { IpFamily::IPv4 };
            let set = sets.entry(key(&service.name_any(), &name, parsed)).or_default();
            for slice in slices
                .iter()
                .filter(|slice| of_service(slice, &service.name_any()) && slice.address_type == *family)
            {
                let ports =
                    slice.ports.iter().flatten().filter(|port| port.name.clone().unwrap_or_default() == name);
                for number in ports.filter_map(|port| port.port) {
                    set.extend(
                        taking(slice, &lacking)
                            .map(|address| SocketAddr::new(address, u16::try_from(number).unwrap())),
                    );
                }
            }
        }
    }
    sets
}

fn of_service(slice: &EndpointSlice, service: &str) -> bool {
    slice.labels().get(names::SERVICE_NAME_LABEL).is_some_and(|name| name == service)
}

/// The addresses of a slice that take requests, or would but for a gate of ours.
fn taking<'a>(slice: &'a EndpointSlice, lacking: &'a BTreeSet<String>) -> impl Iterator<Item = IpAddr> + 'a {
    slice.endpoints.iter().filter_map(|endpoint| {
        let conditions = endpoint.conditions.clone().unwrap_or_default();
        let pod = endpoint.target_ref.as_ref().and_then(|target| target.name.as_deref()).unwrap_or_default();
        let takes = conditions.ready == Some(true) || lacking.contains(pod);
        (takes && conditions.terminating != Some(true)).then(|| endpoint.addresses[0].parse().unwrap())
    })
}

/// All containers are ready and every gate but ours is open. Told from the object, not by Lath's own reading of it.
fn lacks_only_our_gate(pod: &Pod) -> bool {
    let gates = pod.spec.iter().flat_map(|spec| spec.readiness_gates.iter().flatten());
    let mut others = gates.filter(|gate| !names::GATES.contains(&gate.condition_type.as_str()));
    condition(pod, "ContainersReady") == "True"
        && others.all(|gate| condition(pod, &gate.condition_type) == "True")
}

fn differences(ours: &Sets, theirs: &Sets) -> String {
    let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differing = keys.into_iter().filter(|key| ours.get(*key) != theirs.get(*key));
    let lines: Vec<String> = differing
        .map(|key| format!("{key}: by Lath's rule {:?}, by the slices {:?}", ours.get(key), theirs.get(key)))
        .collect();
    lines.join("\n")
}
