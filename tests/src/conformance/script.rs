//! What `make conformance` does, step by step.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::{Value, json};

use super::Options;
use super::declared::Declared;
use super::results::{Outcome, Results, said_of};
use super::{page, programs};
use crate::error::{Doing as _, Error, Result};
use crate::expect::{apply, namespace};
use crate::interrupt::interrupted;
use crate::lath::Install;
use crate::lattice::Lattice;
use crate::world::{World, WorldOptions};

/// The suite's namespace, and the name of all that it needs in there.
const NAME: &str = "conformance";
/// The class of the suite's Gateways.
const CLASS: &str = "lath-conformance";
/// The node that the suite runs on, and the folder there in which its files are.
const NODE: u8 = 0;
const FILES: &str = "/var/lib/conformance";
/// Where a VPC has its resolver, and the cloud the one that knows its names.
const RESOLVER: &str = "169.254.169.253";
/// The quotas that AWS raises on request, here as high as the suite needs them.
const RULES: u32 = 100;
const LISTENERS: u32 = 20;
const GROUPS: u32 = 100;
/// The host names of the suite's HTTPS listeners.
const HTTPS_NAMES: [&str; 5] =
    ["secure.test.com", "example.org", "second-example.org", "*.wildcard.org", "*.example.com"];
/// How many lines of a failed test are shown.
const LINES: usize = 8;

/// Runs the suite. It ends by itself, or with Ctrl-C, and leaves nothing behind unless asked to.
///
/// # Errors
/// When a step fails, or a test that is not declared as impossible.
pub async fn run(options: Options) -> Result<()> {
    let declared = Declared::read()?;
    let built = programs::ensure().await?;
    let folder = tempfile::Builder::new()
        .prefix("lath-conformance-")
        .tempdir()
        .doing("making a folder for the world")?;
    let path = folder.path().to_owned();
    let images = [
        (programs::SUITE, programs::SUITE),
        (programs::ECHO, programs::ECHO),
        // A pod that all tests wait for and that only those of UDP speak to.
        ("coredns", programs::ECHO),
    ];
    let images = images.map(|(image, program)| (image, built.path(program)));
    say("starting a cluster of two nodes and a cloud on this machine");
    let started = async {
        if options.keep {
            World::start_detached(world_options(&path, images)).await?;
            World::attach(&path)
        } else {
            World::start(world_options(&path, images)).await
        }
    };
    let world = tokio::select! {
        world = started => world?,
        () = interrupted() => {
            if options.keep {
                World::stop_detached(&path).await?;
            }
            return Err(was_interrupted());
        }
    };
    let outcome = tokio::select! {
        outcome = play(&world, &declared, &options) => outcome,
        () = interrupted() => Err(was_interrupted()),
    };
    if outcome.is_err() {
        let kept = keep_logs(&path)?;
        say(&format!("all logs are in {}", kept.display()));
    }
    if options.keep {
        let path = folder.keep();
        say(&format!(
            "everything stays up: kubeconfig {}; cargo xtask world stop --dir {} takes it down",
            world.kubeconfig().display(),
            path.display()
        ));
        return outcome;
    }
    say("taking everything down");
    world.stop().await?;
    outcome
}

fn was_interrupted() -> Error {
    Error::failed("running the suite", "interrupted")
}

fn say(line: &str) {
    println!("conformance: {line}");
}

/// A world whose cloud carries traffic, with raised quotas, and without what a cloud takes its time for.
fn world_options(folder: &Path, images: impl IntoIterator<Item = (&'static str, PathBuf)>) -> WorldOptions {
    let mut options = WorldOptions::new(folder);
    for (image, binary) in images {
        options.images.prefer(image, binary);
    }
    options.cloud_arguments.push("--data-plane".into());
    for (setting, value) in [
        ("quota.rules_per_listener", RULES),
        ("quota.listeners_per_service", LISTENERS),
        ("quota.target_groups_per_service", GROUPS),
        ("target.drain_seconds", 1),
        ("target.unused_linger_seconds", 0),
        ("dns.ttl_seconds", 1),
    ] {
        options.cloud_arguments.extend(["--set".into(), format!("{setting}={value}")]);
    }
    options
}

async fn play(world: &World, declared: &Declared, options: &Options) -> Result<()> {
    Lattice::new(world.description())
        .send(Method::PUT, "/_sim/surroundings", &json!({ "certificates": certificates(world) }))
        .await?;
    say("installing Lath with its Helm chart");
    let (network, length) = world.description().plan.network_v4();
    let values = json!({
        "controller": {
            // The suite has Services whose EndpointSlices it writes itself.
            "allowManualEndpoints": true,
            "vpcCidrs": [format!("{network}/{length}")],
            "extraArgs": ["--group-refresh=3s", "--status-numbers-every=1s", "--drain-time=2s", "--teardown-patience=10s"],
        },
    });
    Install { values }.run(world.description()).await?;

    let client = world.client().await?;
    namespace(&client, NAME).await?;
    for object in objects(declared, options)? {
        apply(&client, NAME, object).await?;
    }
    say(&format!("running Gateway API's conformance suite {}", Declared::gateway_api()));
    let pods: Api<Pod> = Api::namespaced(client, NAME);
    let files = world.node(NODE).host_path(FILES);
    let log = world.folder().join(format!("logs/{NAME}_{NAME}/{NAME}.log"));
    let mut results = Results::new(files.join("results"));
    let complete = follow(&pods, &mut results, &log).await?;
    say(&results.summary());
    let report = std::fs::read_to_string(files.join("report.yaml"));
    if let (None, false, Ok(report)) = (&options.only, options.all, &report) {
        let file = page::folder().join(Declared::report_name());
        std::fs::write(&file, report).doing_with(|| format!("writing {}", file.display()))?;
        page::write(declared, &results)?;
        say("the results are in docs/conformance");
    }
    let failed = results.with(Outcome::Failed);
    if !complete {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(30)..].join("\n");
        if failed.is_empty() {
            return Err(Error::failed("running the suite", format!("it ended early:\n{last}")));
        }
    }
    if results.tests.is_empty() {
        return Err(Error::Usage("no test has such a name; docs/conformance lists them".into()));
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::failed("running the suite", format!("these tests failed: {}", failed.join(", "))))
}

/// What ACM has: a certificate for each host name of the suite's HTTPS listeners.
fn certificates(world: &World) -> Vec<Value> {
    let (region, account) = (world.region(), &world.account().id);
    let certificates = HTTPS_NAMES.iter().enumerate().map(|(place, name)| {
        let arn = format!("arn:aws:acm:{region}:{account}:certificate/00000000-0000-0000-0000-{place:012}");
        json!({ "arn": arn, "domains": [name] })
    });
    certificates.collect()
}

/// Tells of each test as it ends, until the suite has; returns whether it says that all is well.
async fn follow(pods: &Api<Pod>, results: &mut Results, log: &Path) -> Result<bool> {
    loop {
        let pod = pods.get(NAME).await.doing("looking at the suite's pod")?;
        let phase = pod.status.and_then(|status| status.phase).unwrap_or_default();
        for test in results.read()? {
            if test.outcome == Outcome::Unsupported {
                continue;
            }
            println!("{:>11}  {} ({:.1} s)", test.outcome.as_str(), test.name, test.seconds);
            if test.outcome == Outcome::Failed {
                for line in said_of(log, &test.name, LINES) {
                    println!("             {line}");
                }
            }
        }
        match phase.as_str() {
            "Succeeded" => return Ok(true),
            "Failed" => return Ok(false),
            _ => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}

/// What the suite needs in the cluster, and the suite.
fn objects(declared: &Declared, options: &Options) -> Result<Vec<Value>> {
    let mut suite = declared.options(CLASS, &format!("{FILES}/report.yaml"), !options.all);
    suite["cleanupBaseResources"] = json!(!options.keep);
    let suite = serde_json::to_string_pretty(&suite).doing("composing the suite's options")?;
    let tests = options.only.as_deref().map_or(String::new(), |only| format!("/{only}"));
    let meta = json!({ "name": NAME, "namespace": NAME });
    Ok(vec![
        json!({
            "apiVersion": "lath.dev/v1alpha1", "kind": "GatewayParameters", "metadata": meta,
            "spec": {
                "services": "PerHostname",
                // A VPC can be associated with one service network, and the suite has dozens of Gateways in one VPC.
                "serviceNetwork": { "create": true, "vpcAssociation": false },
                // The suite edits routes, and expects the new rules' weights whatever the pods' health.
                "warmUp": { "healthyPercent": 0 },
                // What TCPRoutes need, and UDPRoutes.
                "resourceGateway": { "subnetIds": ["subnet-0123456789abcdef0"] },
                "cloudMapNamespace": "conformance.internal", "createNamespace": true, "udp": "Direct",
                "quotas": { "rulesPerListener": RULES, "listenersPerService": LISTENERS, "targetGroupsPerService": GROUPS },
            },
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": { "name": CLASS },
            "spec": {
                "controllerName": "lath.dev/gateway-controller",
                "parametersRef": { "group": "lath.dev", "kind": "GatewayParameters", "name": NAME, "namespace": NAME },
            },
        }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": NAME },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": NAME }],
        }),
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": { "options.yaml": suite } }),
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": meta,
            "spec": {
                "nodeName": format!("node-{NODE}"), "serviceAccountName": NAME, "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 1,
                "dnsPolicy": "None", "dnsConfig": { "nameservers": [RESOLVER] },
                "containers": [{
                    "name": NAME, "image": programs::SUITE,
                    "args": [
                        "-test.v", "-test.timeout=0", format!("-test.run=^TestConformance${tests}"),
                        "-conformance-options-file=/options/options.yaml", format!("-results={FILES}/results"),
                    ],
                    "volumeMounts": [
                        { "name": "options", "mountPath": "/options" }, { "name": "files", "mountPath": FILES },
                    ],
                }],
                "volumes": [
                    { "name": "options", "configMap": { "name": NAME } },
                    { "name": "files", "hostPath": { "path": FILES, "type": "DirectoryOrCreate" } },
                ],
            },
        }),
    ])
}

/// Copies the logs of a world to where they outlive it, in the place of an earlier run's.
fn keep_logs(world: &Path) -> Result<PathBuf> {
    let kept = std::env::temp_dir().join("lath-conformance-logs");
    let doing = || format!("keeping the logs in {}", kept.display());
    if kept.exists() {
        std::fs::remove_dir_all(&kept).doing_with(doing)?;
    }
    copy(&world.join("logs"), &kept).doing_with(doing)?;
    Ok(kept)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
