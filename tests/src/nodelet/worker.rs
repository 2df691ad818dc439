//! One pod on this node, from the moment it is bound to the moment its object is deleted.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::Context;
use super::containers::{Order, Supervisor, paths};
use super::readiness;
use super::sandbox::Sandbox;
use super::state::{Ended, Phase, PodState, Role, init_role};
use super::status::{patch, transitions};
use super::support::unsupported;
use crate::error::{Error, Result};
use crate::process::Exit;

/// The first pause after a failed attempt; it doubles up to [`LONGEST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_millis(50);
/// The longest pause after a failed attempt.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// What the worker knows of its pod from outside.
#[derive(Debug, Clone)]
pub(super) struct News {
    /// The pod as the API server last showed it.
    pub pod: Arc<Pod>,
    /// Whether its object is gone: what runs has to die.
    pub gone: bool,
}

/// Why a pod stops running here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its object is to be deleted once its containers have ended.
    Deleted,
    /// Its object is gone already.
    Gone,
    /// The machine went down with it.
    PowerLoss,
}

/// Runs a pod until it is gone.
pub(super) async fn run(context: Arc<Context>, state: Arc<PodState>, mut news: watch::Receiver<News>) {
    loop {
        let boot = tokio::select! {
            power = context.powered() => power.boot,
            // The machine never comes back.
            _ = news.wait_for(|news| news.gone) => return,
        };
        let (orders, order) = watch::channel(Order::Run);
        let (ends, mut end) = watch::channel(None);
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        tasks.spawn(conduct(Arc::clone(&context), news.clone(), boot, orders, ends));
        let publisher = publish(Arc::clone(&context), Arc::clone(&state), news.clone());
        tasks.spawn(stop.clone().run_until_cancelled_owned(publisher));
        tasks.close();

        let pod = Arc::clone(&news.borrow().pod);
        Body { context: Arc::clone(&context), pod, state: Arc::clone(&state), order }.run().await;
        // Containers that all ended by themselves leave a pod that stays until somebody deletes it.
        let end = end.wait_for(Option::is_some).await.map(|end| *end);
        stop.cancel();
        match end {
            Ok(Some(End::Deleted)) => {
                let pod = Arc::clone(&news.borrow().pod);
                tokio::select! {
                    () = finish(&context, &state, pod) => {}
                    _ = news.wait_for(|news| news.gone) => {}
                }
                return;
            }
            Ok(Some(End::PowerLoss)) => after_power_loss(&state),
            _ => return,
        }
        tasks.wait().await;
    }
}

/// Turns what happens to the pod and its node into orders for its containers.
async fn conduct(
    context: Arc<Context>,
    mut news: watch::Receiver<News>,
    boot: u64,
    orders: watch::Sender<Order>,
    ends: watch::Sender<Option<End>>,
) {
    let mut power = context.power.subscribe();
    let mut stopping: Option<(i64, Instant)> = None;
    loop {
        let on = {
            let power = power.borrow_and_update();
            power.on && power.boot == boot
        };
        let News { pod, gone } = news.borrow_and_update().clone();
        if !on || gone {
            orders.send_replace(Order::Die);
            ends.send_replace(Some(if on { End::Gone } else { End::PowerLoss }));
            return;
        }
        if pod.metadata.deletion_timestamp.is_some() {
            let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
            // The time runs from when this node learns of it; only another grace period starts it anew.
            let deadline = match stopping {
                Some((known, deadline)) if known == grace => deadline,
                _ => Instant::now() + Duration::from_secs(u64::try_from(grace).unwrap_or_default()),
            };
            stopping = Some((grace, deadline));
            orders.send_replace(Order::Stop(deadline));
            ends.send_replace(Some(End::Deleted));
        }
        tokio::select! {
            changed = power.changed() => if changed.is_err() { return },
            changed = news.changed() => if changed.is_err() { return },
        }
    }
}

/// The sandbox and the containers of a pod, from their start to their end.
struct Body {
    context: Arc<Context>,
    pod: Arc<Pod>,
    state: Arc<PodState>,
    order: watch::Receiver<Order>,
}

/// A sidecar that runs: its orders and its task.
struct Sidecar {
    orders: Arc<watch::Sender<Order>>,
    task: JoinHandle<()>,
}

impl Body {
    async fn run(mut self) {
        let refused = unsupported(&self.pod);
        if !refused.is_empty() {
            let message = format!("this node does not support {}", refused.join(", "));
            self.waiting("Unsupported", &message);
            self.context.event(&self.pod, "Warning", "Unsupported", &message).await;
            self.told().await;
            return;
        }
        let (context, pod) = (Arc::clone(&self.context), Arc::clone(&self.pod));
        let create = || Sandbox::create(Arc::clone(&context), Arc::clone(&pod)).boxed();
        let Some(sandbox) = self.retry("FailedCreatePodSandBox", create).await else { return };
        let sandbox = Arc::new(sandbox);
        self.state.update(|pod| {
            pod.addresses.clone_from(&sandbox.addresses);
            pod.sandbox = true;
        });
        let prepare = || Arc::clone(&sandbox).volumes().boxed();
        if let Some(volumes) = self.retry("FailedMount", prepare).await {
            let paths = Arc::new(paths(&self.pod, &volumes));
            let refresh =
                volumes.refresh(Arc::clone(&self.context), Arc::clone(&self.pod), sandbox.addresses.clone());
            let _refresh = AbortOnDropHandle::new(tokio::spawn(refresh));
            let supervisor = |container: &Container, role| Supervisor {
                context: Arc::clone(&self.context),
                pod: Arc::clone(&self.pod),
                state: Arc::clone(&self.state),
                sandbox: Arc::clone(&sandbox),
                volumes: Arc::clone(&paths),
                container: Arc::new(container.clone()),
                role,
            };
            self.containers(supervisor).await;
        }
        self.state.update(|pod| pod.sandbox = false);
        if let Err(error) = sandbox.destroy().await {
            tracing::warn!(%error, pod = self.pod.name_any(), "a pod's sandbox could not be taken away");
        }
    }

    /// Runs init containers one after the other, then all others at once, sidecars around them.
    async fn containers(&self, supervisor: impl Fn(&Container, Role) -> Supervisor) {
        let Some(spec) = &self.pod.spec else { return };
        let mut sidecars = Vec::new();
        let mut initialized = true;
        for container in spec.init_containers.iter().flatten() {
            let role = init_role(container);
            let supervisor = supervisor(container, role);
            if role == Role::Sidecar {
                let orders = Arc::new(watch::channel(Order::Run).0);
                let task = tokio::spawn(supervisor.run(orders.subscribe()));
                sidecars.push(Sidecar { orders, task });
                initialized = self.sidecar_started(&container.name).await;
            } else {
                supervisor.run(self.order.clone()).await;
                initialized = self.ended_well(&container.name);
            }
            if !initialized {
                break;
            }
        }
        if initialized {
            let mains = TaskTracker::new();
            for container in &spec.containers {
                let supervisor = supervisor(container, Role::Main);
                let over = matches!(
                    self.state.container(&container.name).map(|container| container.phase),
                    Some(Phase::Terminated(ended)) if !supervisor.restarts(&ended)
                );
                if !over {
                    mains.spawn(supervisor.run(self.order.clone()));
                }
            }
            mains.close();
            let mut order = self.order.clone();
            let killed = async {
                if order.wait_for(|order| *order == Order::Die).await.is_ok() {
                    for sidecar in &sidecars {
                        sidecar.orders.send_replace(Order::Die);
                    }
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = mains.wait() => {}
                () = killed => {}
            }
        }
        self.stop_sidecars(sidecars).await;
    }

    /// Stops sidecars in the reverse of their order, in what is left of the pod's time.
    async fn stop_sidecars(&self, sidecars: Vec<Sidecar>) {
        let grace =
            self.pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds).unwrap_or(30);
        let own = Instant::now() + Duration::from_secs(u64::try_from(grace).unwrap_or_default());
        for mut sidecar in sidecars.into_iter().rev() {
            let mut order = self.order.clone();
            loop {
                let forwarded = match *order.borrow_and_update() {
                    Order::Run => Order::Stop(own),
                    order => order,
                };
                sidecar.orders.send_replace(forwarded);
                tokio::select! {
                    _ = &mut sidecar.task => break,
                    Ok(()) = order.changed() => {}
                }
            }
        }
    }

    /// Waits until a sidecar has started; says no if it or the pod ends before.
    async fn sidecar_started(&self, name: &str) -> bool {
        let mut order = self.order.clone();
        loop {
            match self.state.container(name) {
                Some(container) if container.started => return true,
                None => return false,
                _ => {}
            }
            tokio::select! {
                _ = order.wait_for(|order| *order != Order::Run) => return false,
                () = sleep(Duration::from_millis(5)) => {}
            }
        }
    }

    fn ended_well(&self, name: &str) -> bool {
        let phase = self.state.container(name).map(|container| container.phase);
        matches!(phase, Some(Phase::Terminated(Ended { exit: Some(exit), .. })) if exit.success())
    }

    /// Tries until it succeeds; gives up when the pod is to end.
    async fn retry<T>(
        &mut self,
        reason: &'static str,
        attempt: impl Fn() -> BoxFuture<'static, Result<T>>,
    ) -> Option<T> {
        let mut pause = FIRST_RETRY;
        let mut told = None;
        while *self.order.borrow() == Order::Run {
            match attempt().await {
                Ok(value) => return Some(value),
                Err(error) => {
                    let message = error.to_string();
                    // An Event for each new reason, not for each attempt.
                    if told.as_ref() != Some(&message) && pause > FIRST_RETRY {
                        self.waiting("ContainerCreating", &message);
                        self.context.event(&self.pod, "Warning", reason, &message).await;
                        told = Some(message);
                    }
                }
            }
            let mut order = self.order.clone();
            tokio::select! {
                () = sleep(pause) => {}
                _ = order.wait_for(|order| *order != Order::Run) => {}
            }
            pause = (pause * 2).min(LONGEST_RETRY);
        }
        None
    }

    fn waiting(&self, reason: &'static str, message: &str) {
        self.state.update(|pod| {
            for container in &mut pod.containers {
                container.phase = Phase::Waiting { reason, message: message.to_owned() };
            }
        });
    }

    /// Waits until the pod is to end.
    async fn told(&mut self) {
        // An error means that the conductor is gone, and with it the pod.
        let _ = self.order.wait_for(|order| *order != Order::Run).await;
    }
}

/// Writes the pod's status whenever it changes, until dropped or the pod is gone.
async fn publish(context: Arc<Context>, state: Arc<PodState>, mut news: watch::Receiver<News>) {
    let mut known = transitions(&news.borrow().pod);
    let mut last = Value::Null;
    loop {
        let pod = Arc::clone(&news.borrow_and_update().pod);
        let next = {
            let state = state.read();
            patch(&pod, &state, &context.settings.network.addresses().both(), &mut known)
        };
        if next != last {
            if !send(Arc::clone(&context), pod, next.clone()).await {
                return;
            }
            last = next;
        }
        tokio::select! {
            () = state.changed.notified() => {}
            changed = news.changed() => if changed.is_err() { return },
        }
    }
}

/// Sends a patch until it is taken. Says no when the pod is gone.
async fn send(context: Arc<Context>, pod: Arc<Pod>, patch: Value) -> bool {
    let api = context.pods(&pod);
    let name = pod.name_any();
    let mut pause = FIRST_RETRY;
    loop {
        context.powered().await;
        readiness::note(&context.settings.logs, pod.metadata.uid.as_deref().unwrap_or_default(), &patch);
        match api.patch_status(&name, &PatchParams::default(), &Patch::Strategic(&patch)).await {
            Ok(_) => return true,
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => return false,
            Err(error) => {
                tracing::debug!(%error, pod = pod.name_any(), "a pod's status could not be written");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_RETRY);
    }
}

/// Writes the final status and deletes the object, which its grace period had kept.
async fn finish(context: &Arc<Context>, state: &PodState, pod: Arc<Pod>) {
    state.update(|pod| {
        pod.over = true;
        for container in &mut pod.containers {
            // What waited for its next life ends as it last ended.
            if let (Phase::Waiting { .. }, Some(last)) = (&container.phase, &container.last) {
                container.phase = Phase::Terminated(last.clone());
            }
        }
    });
    let last = patch(
        &pod,
        &state.read().clone(),
        &context.settings.network.addresses().both(),
        &mut transitions(&pod),
    );
    if !send(Arc::clone(context), Arc::clone(&pod), last).await {
        return;
    }
    let parameters = DeleteParams {
        grace_period_seconds: Some(0),
        preconditions: Some(Preconditions { uid: pod.metadata.uid.clone(), resource_version: None }),
        ..DeleteParams::default()
    };
    let api = context.pods(&pod);
    let mut pause = FIRST_RETRY;
    loop {
        context.powered().await;
        match api.delete(&pod.name_any(), &parameters).await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => return,
            Err(error) => tracing::debug!(%error, pod = pod.name_any(), "a pod could not be deleted"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_RETRY);
    }
}

/// What a pod's state is when its node boots again: its containers start anew, in place.
fn after_power_loss(state: &PodState) {
    state.update(|pod| {
        pod.sandbox = false;
        for container in &mut pod.containers {
            let Phase::Terminated(ended) = &container.phase else { continue };
            if ended.exit.is_some_and(Exit::success) && container.role == Role::Main {
                continue;
            }
            // Nobody was there to see how it ended.
            container.last = Some(Ended { exit: None, ..ended.clone() });
            container.restarts += 1;
            container.phase = Phase::Waiting { reason: "ContainerCreating", message: String::new() };
        }
    });
}

/// The error of a control that names a container which does not run.
pub(super) fn not_running(pod: &str, container: &str) -> Error {
    Error::Usage(format!("no container {container} of the pod {pod} runs right now"))
}
