//! What is done about a service.

use super::*;
use crate::observed::Service;

#[test]
fn what_could_be_neither_made_nor_deleted_is_deleted_and_made_anew() {
    let spec = ServiceSpec {
        name: "web".into(),
        custom_domain: None,
        certificate: None,
        auth_policy: None,
        listeners: BTreeMap::new(),
        networks: std::collections::BTreeSet::new(),
        access_logs: std::collections::BTreeSet::new(),
        tags: Tags::new(),
    };
    let tree = |what| ServiceTree {
        service: Service {
            id: "svc-1".into(),
            arn: String::new(),
            name: "web".into(),
            status: Status::Failed { what, message: String::new() },
            dns_name: None,
            custom_domain: None,
            certificate: None,
            auth: false,
        },
        tags: Tags::new(),
        auth_policy: None,
        listeners: BTreeMap::new(),
        associations: BTreeMap::new(),
        access_logs: BTreeMap::new(),
    };
    let around = Around { group: &|_| KnownGroup::No, network: &|_| KnownNetwork::No, ours: &|_| true };
    for (what, steps) in [
        (Attempt::Create, vec![Step::Delete]),
        (Attempt::Delete, vec![Step::Delete]),
        (Attempt::Update, Vec::new()),
    ] {
        assert_eq!(next(Some(&spec), Some(&tree(what)), &around).steps, steps, "{what:?}");
    }
}
