//! Flags and variables, and what is said of wrong ones.

use std::collections::HashMap;

use super::*;

const WELL: [(&str, &str); 4] = [
    ("REGION", "us-west-2"),
    ("AWS_ACCOUNT_ID", "123456789012"),
    ("CLUSTER_VPC_ID", "vpc-0123456789abcdef0"),
    ("CLUSTER_NAME", "demo"),
];

fn resolve(flags: &[&str], variables: &[(&str, &str)]) -> Result<Config, Error> {
    let arguments = Arguments::try_parse_from(["lath-controller"].iter().chain(flags)).unwrap();
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    arguments.resolve(|name| variables.get(name).cloned())
}

#[test]
fn the_other_controllers_variables_suffice() {
    let config = resolve(&[], &[&WELL[..], &[("LATTICE_ENDPOINT", "http://127.0.0.1:1")]].concat()).unwrap();
    assert_eq!(config.site.region, "us-west-2");
    assert_eq!(config.site.cluster, "demo");
    assert_eq!(config.endpoint.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(config.metrics.port(), 8080);
    assert_eq!(config.probes.port(), 8081);
    assert!(!config.leader_elect);
}

#[test]
fn flags_go_before_variables() {
    let config = resolve(&["--region=eu-west-1", "--leader-elect"], &WELL).unwrap();
    assert_eq!(config.site.region, "eu-west-1");
    assert!(config.leader_elect);
    assert!(!resolve(&["--leader-elect=false"], &WELL).unwrap().leader_elect);
}

#[test]
fn what_is_wrong_is_named_with_the_flag_that_mends_it() {
    let with = |name: &'static str, value: &'static str| {
        WELL.iter().map(|(other, old)| (*other, if *other == name { value } else { old })).collect::<Vec<_>>()
    };
    for (flags, variables, words) in [
        (&[][..], with("REGION", ""), "give --region or set REGION"),
        (&[], with("AWS_ACCOUNT_ID", "12345"), "--aws-account-id \"12345\" is not an account id"),
        (&[], with("CLUSTER_VPC_ID", "subnet-1"), "begins with vpc-"),
        (&["--lattice-endpoint=lattice:80"], WELL.to_vec(), "begins with https:// or http://"),
        (&["--allow-manual-endpoints"], WELL.to_vec(), "give --vpc-cidr"),
    ] {
        let error = resolve(flags, &variables).unwrap_err().to_string();
        assert!(error.contains(words), "{error:?} lacks {words:?}");
    }
}

#[test]
fn cidrs_may_be_repeated() {
    let flags = ["--allow-manual-endpoints", "--vpc-cidr=10.0.0.0/16", "--vpc-cidr=fd00::/56"];
    assert_eq!(resolve(&flags, &WELL).unwrap().endpoints.cidrs.len(), 2);
}

#[test]
fn the_webhook_is_served_only_where_it_is_asked_for() {
    assert_eq!(resolve(&["--webhook-prestop-seconds=5"], &WELL).unwrap().webhook, None);
    let webhook = resolve(&["--webhook"], &WELL).unwrap().webhook.unwrap();
    assert_eq!((webhook.address.port(), webhook.sleep_seconds), (9443, 30));
    assert!(!webhook.external_certificate);
    let flags = ["--webhook", "--webhook-bind-address=127.0.0.1:1", "--webhook-external-certificate"];
    let webhook = resolve(&flags, &WELL).unwrap().webhook.unwrap();
    assert!(webhook.external_certificate && webhook.address.port() == 1);
    let flags = ["lath-controller", "--webhook-prestop-seconds=3601"];
    assert!(Arguments::try_parse_from(flags).is_err());
}

#[test]
fn a_take_over_is_from_this_clusters_aws_controller_unless_it_is_said_from_whom() {
    let whose = |flags: &[&str]| resolve(flags, &WELL).map(|config| config.takeover.map(|it| it.manager));
    assert_eq!(whose(&[]), Ok(None));
    assert_eq!(whose(&["--take-over=false"]), Ok(None));
    let own = Some("123456789012/demo/vpc-0123456789abcdef0".to_owned());
    assert_eq!(whose(&["--take-over"]), Ok(own));
    assert_eq!(whose(&["--take-over=1/old/vpc-2"]), Ok(Some("1/old/vpc-2".into())));
    assert!(whose(&["--take-over=demo"]).unwrap_err().to_string().contains("ACCOUNT/CLUSTER/VPC"));
    let pods = |flags: &[&str]| resolve(flags, &WELL).unwrap().takeover.unwrap().pods.len();
    assert_eq!(pods(&["--take-over"]), 2);
    assert_eq!(pods(&["--take-over", "--take-over-pods=app in (a,b)"]), 1);
}
