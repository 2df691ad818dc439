//! One description of each kind of resource, for what holds for all of them.

use serde_json::{Value, json};

use crate::harness::{Raw, Sim, encoded};

/// How many of a kind [`Needs`] are enough for.
pub(crate) const MANY: usize = 5;

/// What resources of other kinds are made from.
pub(crate) struct Needs {
    network: String,
    services: Vec<String>,
    gateway: String,
    configurations: Vec<String>,
}

impl Needs {
    pub(crate) async fn of(sim: &Sim) -> Self {
        let mut needs = Self {
            network: sim.network("needed").await,
            services: Vec::new(),
            gateway: sim.gateway("needed").await,
            configurations: Vec::new(),
        };
        for n in 0..MANY {
            needs.services.push(sim.service(&format!("needed-{n}")).await);
            needs.configurations.push(sim.configuration(&format!("needed-{n}"), &needs.gateway).await);
        }
        needs
    }
}

/// A kind of resource that an account has.
pub(crate) struct Kind {
    /// The operations that create and delete.
    pub(crate) create: &'static str,
    pub(crate) delete: &'static str,
    /// The path of the collection.
    pub(crate) path: &'static str,
    /// `resourceType` in errors.
    pub(crate) upper: &'static str,
    /// The parameters without which it is not listed.
    query: fn(&Needs) -> String,
    /// What creates the n-th.
    body: fn(&Needs, usize) -> Value,
    /// The settings for the time that creation and deletion take, where they take any.
    pub(crate) delays: Option<(&'static str, &'static str)>,
    /// The members of an answer to Get that tell a failure.
    pub(crate) failure: &'static [&'static str],
}

fn no_query(_: &Needs) -> String {
    String::new()
}

const CODE_AND_MESSAGE: &[&str] = &["failureCode", "failureMessage"];

pub(crate) const KINDS: [Kind; 10] = [
    Kind {
        create: "CreateTargetGroup",
        delete: "DeleteTargetGroup",
        path: "/targetgroups",
        upper: "TARGET_GROUP",
        query: no_query,
        body: |_, n| json!({"name": format!("made-{n}"), "type": "LAMBDA"}),
        delays: Some(("delay.target_group_create", "delay.target_group_delete")),
        failure: CODE_AND_MESSAGE,
    },
    Kind {
        create: "CreateService",
        delete: "DeleteService",
        path: "/services",
        upper: "SERVICE",
        query: no_query,
        body: |_, n| json!({"name": format!("made-{n}")}),
        delays: Some(("delay.service_create", "delay.service_delete")),
        failure: CODE_AND_MESSAGE,
    },
    Kind {
        create: "CreateServiceNetwork",
        delete: "DeleteServiceNetwork",
        path: "/servicenetworks",
        upper: "SERVICE_NETWORK",
        query: no_query,
        body: |_, n| json!({"name": format!("made-{n}")}),
        delays: None,
        failure: &[],
    },
    Kind {
        create: "CreateServiceNetworkServiceAssociation",
        delete: "DeleteServiceNetworkServiceAssociation",
        path: "/servicenetworkserviceassociations",
        upper: "SERVICE_NETWORK_SERVICE_ASSOCIATION",
        query: |needs| format!("serviceNetworkIdentifier={}", needs.network),
        body: |needs, n| json!({"serviceNetworkIdentifier": needs.network, "serviceIdentifier": needs.services[n]}),
        delays: Some(("delay.association_create", "delay.association_delete")),
        failure: CODE_AND_MESSAGE,
    },
    Kind {
        create: "CreateServiceNetworkVpcAssociation",
        delete: "DeleteServiceNetworkVpcAssociation",
        path: "/servicenetworkvpcassociations",
        upper: "SERVICE_NETWORK_VPC_ASSOCIATION",
        query: no_query,
        body: |needs, n| json!({"serviceNetworkIdentifier": needs.network, "vpcIdentifier": format!("vpc-{n:08}")}),
        delays: Some(("delay.vpc_association_create", "delay.vpc_association_delete")),
        failure: CODE_AND_MESSAGE,
    },
    Kind {
        create: "CreateServiceNetworkResourceAssociation",
        delete: "DeleteServiceNetworkResourceAssociation",
        path: "/servicenetworkresourceassociations",
        upper: "SERVICE_NETWORK_RESOURCE_ASSOCIATION",
        query: no_query,
        body: |needs, n| {
            let configuration = &needs.configurations[n];
            json!({
                "serviceNetworkIdentifier": needs.network, "resourceConfigurationIdentifier": configuration,
            })
        },
        delays: Some(("delay.association_create", "delay.association_delete")),
        failure: &["failureCode", "failureReason"],
    },
    Kind {
        create: "CreateResourceGateway",
        delete: "DeleteResourceGateway",
        path: "/resourcegateways",
        upper: "RESOURCE_GATEWAY",
        query: no_query,
        body: |_, n| {
            json!({
                "name": format!("made-{n}"), "vpcIdentifier": "vpc-12345678", "subnetIds": ["subnet-12345678"],
            })
        },
        delays: Some(("delay.resource_gateway_create", "delay.resource_gateway_delete")),
        failure: &[],
    },
    Kind {
        create: "CreateResourceConfiguration",
        delete: "DeleteResourceConfiguration",
        path: "/resourceconfigurations",
        upper: "RESOURCE_CONFIGURATION",
        query: no_query,
        body: |needs, n| {
            json!({
                "name": format!("made-{n}"), "type": "SINGLE", "portRanges": ["5432"],
                "resourceGatewayIdentifier": needs.gateway,
                "resourceConfigurationDefinition": {"ipResource": {"ipAddress": "10.0.0.9"}},
            })
        },
        delays: Some(("delay.resource_configuration_create", "delay.resource_configuration_delete")),
        failure: &["failureReason"],
    },
    Kind {
        create: "StartDomainVerification",
        delete: "DeleteDomainVerification",
        path: "/domainverifications",
        upper: "DOMAIN_VERIFICATION",
        query: no_query,
        body: |_, n| json!({"domainName": format!("made-{n}.example.com")}),
        delays: None,
        failure: &[],
    },
    Kind {
        create: "CreateAccessLogSubscription",
        delete: "DeleteAccessLogSubscription",
        path: "/accesslogsubscriptions",
        upper: "ACCESS_LOG_SUBSCRIPTION",
        query: |needs| format!("resourceIdentifier={}", needs.network),
        body: |needs, n| {
            // One of each kind of destination for each kind of traffic.
            let destination = [
                "arn:aws:s3:::lattice-logs",
                "arn:aws:logs:us-west-2:123456789012:log-group:logs:*",
                "arn:aws:firehose:us-west-2:123456789012:deliverystream/logs",
            ][n % 3];
            let traffic = ["SERVICE", "RESOURCE"][n / 3];
            json!({
                "resourceIdentifier": needs.network, "destinationArn": destination,
                "serviceNetworkLogType": traffic,
            })
        },
        delays: None,
        failure: &[],
    },
];

impl Kind {
    /// What creates the n-th, with these members besides.
    pub(crate) fn body(&self, needs: &Needs, n: usize, more: &Value) -> Value {
        let mut body = (self.body)(needs, n);
        let members = body.as_object_mut().unwrap();
        for (name, value) in more.as_object().unwrap() {
            members.insert(name.clone(), value.clone());
        }
        body
    }

    pub(crate) async fn try_create(&self, sim: &Sim, needs: &Needs, n: usize, more: &Value) -> Raw {
        sim.send("POST", self.path, &self.body(needs, n, more)).await
    }

    /// Creates the n-th and returns the answer's body.
    pub(crate) async fn create(&self, sim: &Sim, needs: &Needs, n: usize) -> Value {
        let created = self.try_create(sim, needs, n, &json!({})).await;
        assert!(created.status < 300, "{}: {created:?}", self.create);
        created.body
    }

    fn one(&self, identifier: &str) -> String {
        format!("{}/{}", self.path, encoded(identifier))
    }

    pub(crate) async fn get(&self, sim: &Sim, identifier: &str) -> Raw {
        sim.raw("GET", &self.one(identifier), "").await
    }

    pub(crate) async fn delete(&self, sim: &Sim, identifier: &str) -> Raw {
        sim.raw("DELETE", &self.one(identifier), "").await
    }

    /// All items in pages of this size.
    pub(crate) async fn list(&self, sim: &Sim, needs: &Needs, size: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let path = format!("{}?{}&maxResults={size}{next}", self.path, (self.query)(needs));
            let page = sim.raw("GET", &path, "").await;
            assert_eq!(page.status, 200, "{path}: {page:?}");
            let shown = page.body["items"].as_array().unwrap();
            assert!(shown.len() <= size, "{path}: {page:?}");
            items.extend(shown.iter().cloned());
            let Some(token) = page.body["nextToken"].as_str() else { return items };
            assert_eq!(shown.len(), size, "{path}: a page with a successor is full");
            next = format!("&nextToken={}", encoded(token));
        }
    }
}
