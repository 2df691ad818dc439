//! VPC Lattice in the test's own process, reached through the real SDK.

use lattice::{Target, TargetGroupArn};
use lattice_client::{Client, Metrics, Options, Transport};
use lattice_sim::{SetTarget, Settings, Simulator, TargetStatus};
use serde_json::{Value, json};

/// A simulator and a client of it.
pub(crate) struct Cloud {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
}

impl Cloud {
    /// A cloud with these settings changed.
    pub(crate) async fn new(settings: &[(&str, &str)]) -> Self {
        let mut all = Settings::instant();
        for (name, value) in settings {
            all.set(name, value).unwrap();
        }
        let simulator = Simulator::new(all, 1);
        let transport = {
            let simulator = simulator.clone();
            Transport::new(move |request| {
                let simulator = simulator.clone();
                async move { simulator.handle(request.map(Into::into)).await.map(|body| body.to_vec()) }
            })
        };
        let options =
            Options { region: Some("us-west-2".into()), transport: Some(transport), ..Options::default() };
        let client = Client::connect(options, Metrics::unregistered()).await;
        Self { simulator, client }
    }

    /// Makes a resource.
    pub(crate) async fn create(&self, path: &str, body: Value) -> Value {
        let request = http::Request::post(path).body(body.to_string().into()).unwrap();
        let response = self.simulator.handle(request).await;
        assert!(response.status().is_success(), "{response:?}");
        serde_json::from_slice(response.body()).unwrap()
    }

    /// Makes a group that is granted to namespace `shop` of cluster `demo`, in use unless `unused`.
    pub(crate) async fn group(&self, name: &str, checked: bool, unused: bool) -> TargetGroupArn {
        let body = json!({
            "name": name, "type": "IP",
            "tags": { "lath.dev/cluster": "demo", "lath.dev/namespace": "shop" },
            "config": {
                "port": 80, "protocol": "HTTP", "vpcIdentifier": "vpc-0123456789abcdef0",
                "healthCheck": { "enabled": checked, "healthCheckIntervalSeconds": 10 }
            }
        });
        let group = self.create("/targetgroups", body).await;
        if !unused {
            let service = self.create("/services", json!({ "name": format!("{name}-service") })).await;
            let path = format!("/services/{}/listeners", service["id"].as_str().unwrap());
            let listener = json!({
                "name": "http", "protocol": "HTTP", "port": 80,
                "defaultAction": { "forward": { "targetGroups": [{ "targetGroupIdentifier": group["id"] }] } }
            });
            self.create(&path, listener).await;
        }
        group["arn"].as_str().unwrap().parse().unwrap()
    }

    /// Registers targets, as an agent would.
    pub(crate) async fn register(&self, group: &TargetGroupArn, targets: &[Target]) {
        let outcome = self.client.register(group, targets).await.unwrap();
        assert_eq!(outcome.failed, []);
    }

    /// Sets the state of a target.
    pub(crate) fn set(&self, group: &TargetGroupArn, target: Target, status: TargetStatus) {
        self.simulator
            .set_target(&SetTarget {
                group: group.id().into(),
                id: target.address.to_string(),
                port: Some(target.port),
                status,
            })
            .unwrap();
    }

    /// The targets that a group holds, those that drain left out.
    pub(crate) fn held(&self, group: &TargetGroupArn) -> Vec<String> {
        let targets = self.simulator.targets(group.id()).unwrap();
        let mut held: Vec<String> = targets
            .into_iter()
            .filter(|target| target.status != TargetStatus::Draining)
            .map(|target| format!("{}:{}", target.id, target.port.unwrap_or_default()))
            .collect();
        held.sort();
        held
    }
}
