//! Random calls over all kinds, after which nothing dangles, doubles or is lost.

use std::collections::{BTreeMap, BTreeSet};

use lattice_sim::model::{Kind as Form, operations};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Raw, Sim, encoded};
use crate::kinds::KINDS;

/// A call: what is done, to which of the things made so far, with which of a few names, and whether anew.
#[derive(Debug, Clone)]
struct Step {
    kind: usize,
    act: Act,
    /// Which of those made so far it is about, and which else it names.
    at: [usize; 3],
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Create,
    Delete,
    Update,
    Tag,
    Pass,
}

/// Kinds beyond those of [`KINDS`], which live within a service.
const LISTENER: usize = KINDS.len();
const RULE: usize = LISTENER + 1;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        8 => Just(Act::Create),
        3 => Just(Act::Delete),
        2 => Just(Act::Update),
        1 => Just(Act::Tag),
        1 => Just(Act::Pass),
    ];
    let step = (0..=RULE, act, any::<[u8; 3]>());
    let step = step.prop_map(|(kind, act, at)| Step { kind, act, at: at.map(usize::from) });
    prop::collection::vec(step, 1..60)
}

/// Paths of what was made, by kind. Some of it is gone already.
#[derive(Default)]
struct Made {
    paths: BTreeMap<usize, Vec<String>>,
}

impl Made {
    /// One of a kind, or something that never was.
    fn pick(&self, kind: usize, at: usize) -> String {
        let never =
            ["tg", "svc", "sn", "snsa", "snva", "snra", "rgw", "rcfg", "dv", "als", "listener", "rule"];
        let absent = format!("{}/{}-0123456789abcdef9", path_of(kind), never[kind]);
        let Some(paths) = self.paths.get(&kind) else { return absent };
        paths.get(at % (paths.len() + 1)).cloned().unwrap_or(absent)
    }

    fn id(&self, kind: usize, at: usize) -> String {
        self.pick(kind, at).rsplit('/').next().unwrap().to_owned()
    }
}

/// Where a kind of which nothing is there would be.
fn path_of(kind: usize) -> String {
    match kind {
        LISTENER => "/services/svc-0123456789abcdef9/listeners".to_owned(),
        RULE => "/services/svc-0123456789abcdef9/listeners/listener-0123456789abcdef9/rules".to_owned(),
        kind => KINDS[kind].path.to_owned(),
    }
}

const GROUP: usize = 0;
const SERVICE: usize = 1;
const NETWORK: usize = 2;
const GATEWAY: usize = 6;
const CONFIGURATION: usize = 7;

/// Path and body of a creation.
fn creation(made: &Made, step: &Step) -> (String, Value) {
    let [a, b, c] = step.at;
    let name = format!("name-{}", c % 4);
    let forward = json!({"forward": {"targetGroups": [{"targetGroupIdentifier": made.id(GROUP, a)}]}});
    match step.kind {
        LISTENER => {
            let body =
                json!({"name": name, "protocol": "HTTP", "port": 80 + c % 3, "defaultAction": forward});
            (format!("{}/listeners", made.pick(SERVICE, b)), body)
        }
        RULE => {
            let matches = json!({"httpMatch": {"pathMatch": {"match": {"prefix": "/"}}}});
            let body = json!({"name": name, "priority": 1 + c % 5, "match": matches, "action": forward});
            (format!("{}/rules", made.pick(LISTENER, b)), body)
        }
        kind => {
            let body = match KINDS[kind].create {
                "CreateTargetGroup" => json!({"name": name, "type": "LAMBDA"}),
                "CreateService" if b % 2 == 0 => {
                    json!({"name": name, "customDomainName": "shop.example.com"})
                }
                "CreateService" | "CreateServiceNetwork" => json!({"name": name}),
                "CreateServiceNetworkServiceAssociation" => {
                    json!({"serviceNetworkIdentifier": made.id(NETWORK, a), "serviceIdentifier": made.id(SERVICE, b)})
                }
                "CreateServiceNetworkVpcAssociation" => {
                    json!({"serviceNetworkIdentifier": made.id(NETWORK, a), "vpcIdentifier": format!("vpc-{:08}", b % 3)})
                }
                "CreateServiceNetworkResourceAssociation" => json!({
                    "serviceNetworkIdentifier": made.id(NETWORK, a),
                    "resourceConfigurationIdentifier": made.id(CONFIGURATION, b),
                }),
                "CreateResourceGateway" => {
                    json!({"name": name, "vpcIdentifier": "vpc-00000001", "subnetIds": ["subnet-1"]})
                }
                "CreateResourceConfiguration" if c % 3 == 0 => {
                    json!({"name": name, "type": "GROUP", "resourceGatewayIdentifier": made.id(GATEWAY, a)})
                }
                "CreateResourceConfiguration" => {
                    let mut body = json!({
                        "name": name, "portRanges": ["80"],
                        "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.9"}},
                    });
                    if c % 3 == 1 {
                        body["type"] = json!("SINGLE");
                        body["resourceGatewayIdentifier"] = json!(made.id(GATEWAY, a));
                    } else {
                        body["type"] = json!("CHILD");
                        body["resourceConfigurationGroupIdentifier"] = json!(made.id(CONFIGURATION, b));
                    }
                    body
                }
                "StartDomainVerification" => json!({"domainName": format!("{name}.example.com")}),
                _ => json!({
                    "resourceIdentifier": made.id(if a % 2 == 0 { SERVICE } else { NETWORK }, b),
                    "destinationArn": "arn:aws:s3:::lattice-logs",
                }),
            };
            (KINDS[kind].path.to_owned(), body)
        }
    }
}

/// What may be changed of a kind.
fn update(made: &Made, step: &Step) -> Option<Value> {
    let [_, b, c] = step.at;
    let forward = json!({"forward": {"targetGroups": [{"targetGroupIdentifier": made.id(GROUP, b)}]}});
    match step.kind {
        SERVICE | NETWORK => Some(json!({"authType": if c % 2 == 0 { "NONE" } else { "AWS_IAM" }})),
        4 => Some(json!({"securityGroupIds": ["sg-00000001"]})),
        GATEWAY => Some(json!({"securityGroupIds": []})),
        CONFIGURATION => Some(json!({"portRanges": ["81"]})),
        LISTENER => Some(json!({"defaultAction": forward})),
        RULE => Some(json!({"action": forward, "priority": 1 + c % 5})),
        _ => None,
    }
}

async fn take(sim: &Sim, made: &mut Made, n: usize, step: &Step) {
    let target = made.pick(step.kind, step.at[0]);
    match step.act {
        Act::Create => {
            let (path, mut body) = creation(made, step);
            body["clientToken"] = json!(format!("token-{n}"));
            let before = sim.simulator.log(0).len();
            let first = sim.send("POST", &path, &body).await;
            assert!(first.status < 500, "{first:?}");
            if first.status >= 300 {
                return;
            }
            let all = everything(sim).await;
            let again = sim.send("POST", &path, &body).await;
            assert_eq!(
                (again.status, &again.body["id"]),
                (first.status, &first.body["id"]),
                "{path} {before}"
            );
            assert_eq!(everything(sim).await, all, "a token that comes again changes nothing: {path} {body}");
            let id = first.body["id"].as_str().unwrap();
            made.paths.entry(step.kind).or_default().push(format!("{path}/{id}"));
        }
        Act::Delete => within(&sim.raw("DELETE", &target, "").await),
        Act::Update => {
            if let Some(body) = update(made, step) {
                within(&sim.send("PATCH", &target, &body).await);
            }
        }
        Act::Tag => {
            let read = sim.raw("GET", &target, "").await;
            if let Some(arn) = read.body["arn"].as_str() {
                let tags = json!({"tags": {"n": n.to_string()}});
                within(&sim.send("POST", &format!("/tags/{}", encoded(arn)), &tags).await);
            }
        }
        Act::Pass => sim.advance(f64::from(u8::try_from(step.at[0] % 20).unwrap())),
    }
}

/// Whatever is asked, the service is not at a loss.
fn within(raw: &Raw) {
    assert!(raw.status < 500, "{raw:?}");
}

/// All items of a list, in pages of two, which double nothing.
async fn listed(sim: &Sim, path: &str, query: &str) -> Vec<Value> {
    let mut items: Vec<Value> = Vec::new();
    let mut next = String::new();
    loop {
        let page = sim.raw("GET", &format!("{path}?maxResults=2&{query}{next}"), "").await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        items.extend(page.body["items"].as_array().unwrap().iter().cloned());
        let Some(token) = page.body["nextToken"].as_str() else { break };
        next = format!("&nextToken={}", encoded(token));
    }
    let whole = sim.raw("GET", &format!("{path}?maxResults=100&{query}"), "").await;
    assert_eq!(whole.body["items"], json!(items), "{path}: small pages hold what a large one does");
    items
}

/// Everything there is, by path of the collection.
async fn everything(sim: &Sim) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| {
        !matches!(kind.create, "CreateServiceNetworkServiceAssociation" | "CreateAccessLogSubscription")
    }) {
        all.insert(kind.path.to_owned(), listed(sim, kind.path, "").await);
    }
    let (mut joined, mut logs) = (Vec::new(), Vec::new());
    for network in &all["/servicenetworks"] {
        let id = network["id"].as_str().unwrap();
        let query = format!("serviceNetworkIdentifier={id}");
        joined.extend(listed(sim, "/servicenetworkserviceassociations", &query).await);
        logs.extend(listed(sim, "/accesslogsubscriptions", &format!("resourceIdentifier={id}")).await);
    }
    let mut inner = BTreeMap::new();
    for service in &all["/services"] {
        let id = service["id"].as_str().unwrap();
        logs.extend(listed(sim, "/accesslogsubscriptions", &format!("resourceIdentifier={id}")).await);
        let path = format!("/services/{id}/listeners");
        let listeners = listed(sim, &path, "").await;
        for listener in &listeners {
            let path = format!("{path}/{}/rules", listener["id"].as_str().unwrap());
            let mut rules = Vec::new();
            for rule in listed(sim, &path, "").await {
                let whole = sim.raw("GET", &format!("{path}/{}", rule["id"].as_str().unwrap()), "").await;
                rules.push(whole.body);
            }
            inner.insert(path, rules);
        }
        inner.insert(path, listeners);
    }
    all.insert("/servicenetworkserviceassociations".to_owned(), joined);
    all.insert("/accesslogsubscriptions".to_owned(), logs);
    all.extend(inner);
    all
}

/// The statuses that the model gives the answers of an operation.
fn statuses(get: &str) -> Option<BTreeSet<&'static str>> {
    let operation = operations().iter().find(|operation| operation.name == get)?;
    let status = operation.output.members().iter().find(|member| member.name == "status")?;
    match &status.shape.kind {
        Form::Text { values, .. } => Some(values.iter().copied().collect()),
        _ => None,
    }
}

fn hold(all: &BTreeMap<String, Vec<Value>>) {
    let mut ids = BTreeSet::new();
    for (path, items) in all {
        for item in items {
            let id = item["id"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{path}: {id} is there twice");
        }
    }
    for kind in &KINDS {
        let known = statuses(&kind.delete.replace("Delete", "Get"));
        for status in all[kind.path].iter().filter_map(|item| item["status"].as_str()) {
            assert!(known.as_ref().is_some_and(|known| known.contains(status)), "{}: {status}", kind.path);
        }
    }
    let refers = |path: &str, members: &[&str]| {
        for item in &all[path] {
            for named in members.iter().filter_map(|member| item[member].as_str()) {
                assert!(ids.contains(named), "{path}: {item} names {named}, which is not there");
            }
        }
    };
    refers("/servicenetworkserviceassociations", &["serviceId", "serviceNetworkId"]);
    refers("/servicenetworkvpcassociations", &["serviceNetworkId"]);
    refers("/servicenetworkresourceassociations", &["serviceNetworkId", "resourceConfigurationId"]);
    refers("/resourceconfigurations", &["resourceGatewayId", "resourceConfigurationGroupId"]);
    refers("/accesslogsubscriptions", &["resourceId"]);
    for (path, rules) in all.iter().filter(|(path, _)| path.ends_with("/rules")) {
        assert_eq!(rules.iter().filter(|rule| rule["isDefault"] == true).count(), 1, "{path}");
        for group in
            rules.iter().filter_map(|rule| rule["action"]["forward"]["targetGroups"].as_array()).flatten()
        {
            let named = group["targetGroupIdentifier"].as_str().unwrap();
            assert!(ids.contains(named), "{path}: a rule names {named}, which is not there");
        }
    }
    // A VPC has one association, and a network one service of a custom domain name.
    let vpcs: Vec<_> =
        all["/servicenetworkvpcassociations"].iter().map(|item| item["vpcId"].to_string()).collect();
    assert_eq!(vpcs.iter().collect::<BTreeSet<_>>().len(), vpcs.len());
    let domains = all["/servicenetworkserviceassociations"]
        .iter()
        .filter(|item| item.get("customDomainName").is_some());
    let domains: Vec<_> = domains
        .map(|item| (item["serviceNetworkId"].to_string(), item["customDomainName"].to_string()))
        .collect();
    assert_eq!(domains.iter().collect::<BTreeSet<_>>().len(), domains.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn nothing_dangles_doubles_or_is_lost(steps in steps(), delay in prop::sample::select(vec!["0", "7"])) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let delays: Vec<(&str, &str)> = KINDS
                .iter()
                .filter_map(|kind| kind.delays)
                .flat_map(|(create, delete)| [(create, delay), (delete, delay)])
                .chain([("quota.listeners_per_service", "4")])
                .collect();
            let sim = Sim::with(&delays);
            let mut made = Made::default();
            for (n, step) in steps.iter().enumerate() {
                take(&sim, &mut made, n, step).await;
                hold(&everything(&sim).await);
            }
        });
    }
}
