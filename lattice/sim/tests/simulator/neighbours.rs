//! The neighbours on the simulator's port: one call that succeeds and one that is refused, of each operation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{Raw, Sim, arn};

const CERTIFICATE: &str = "arn:aws:acm:us-west-2:123456789012:certificate/one";
const ROLE: &str = "arn:aws:iam::123456789012:role/shop";

/// A call of a neighbour that is told by the header `x-amz-target`.
async fn by_target(sim: &Sim, target: &str, body: &Value) -> Raw {
    sim.ask(
        0,
        "/",
        &[("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")],
        body.to_string(),
    )
    .await
}

/// A call of a neighbour that takes forms.
async fn by_form(sim: &Sim, fields: &str) -> Raw {
    sim.ask(0, "/", &[("content-type", "application/x-www-form-urlencoded")], fields.to_owned()).await
}

fn refused(raw: &Raw, status: u16, code: &str) {
    assert_eq!((raw.status, raw.error.as_deref()), (status, Some(code)), "{raw:?}");
    let text = raw.body.to_string();
    assert!(text.contains("essage"), "{text}");
}

/// A token with this subject and an end, signed by nobody.
fn token(subject: &str, more: &Value) -> String {
    let mut claims = json!({"sub": subject, "iss": "https://issuer", "aud": ["sts.amazonaws.com"]});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn surroundings() -> Value {
    json!({
        "vpcs": [{"id": "vpc-12345678", "cidrs": ["10.0.0.0/16", "fd00::/64"], "tags": {"Name": "one"}}],
        "instances": [{"id": "i-00000001", "vpc": "vpc-12345678", "addresses": ["10.0.0.1"], "private_dns_name": "ip-10-0-0-1"}],
        "certificates": [{"arn": CERTIFICATE, "domains": ["example.com", "*.example.com"]}],
        "roles": [{
            "arn": ROLE,
            "web_identities": ["system:serviceaccount:shop:web"],
            "pod_identities": [{"cluster": "one", "namespace": "shop", "service_account": "web"}],
        }],
    })
}

#[tokio::test(start_paused = true)]
async fn tagging_finds_and_changes_what_carries_tags() {
    let sim = Sim::instant();
    let call = |operation: &str| format!("ResourceGroupsTaggingAPI_20170126.{operation}");
    let service = arn(&format!("service/{}", sim.service("shop").await));
    let group = arn(&format!("targetgroup/{}", sim.group("web").await));
    let absent = arn("service/svc-0123456789abcdef9");
    let body = json!({"ResourceARNList": [service, group, absent], "Tags": {"stage": "one"}});
    let tagged = by_target(&sim, &call("TagResources"), &body).await;
    assert_eq!(tagged.body["FailedResourcesMap"][&absent]["StatusCode"], 404, "{tagged:?}");
    for (filter, expected) in [
        (json!({}), vec![&group, &service]),
        (json!({"ResourceTypeFilters": ["vpc-lattice:targetgroup"]}), vec![&group]),
        (json!({"TagFilters": [{"Key": "stage", "Values": ["one", "two"]}]}), vec![&group, &service]),
        (json!({"TagFilters": [{"Key": "stage", "Values": ["two"]}]}), vec![]),
    ] {
        let found = by_target(&sim, &call("GetResources"), &filter).await.body;
        let mut arns: Vec<String> = found["ResourceTagMappingList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| found["ResourceARN"].as_str().unwrap().to_owned())
            .collect();
        arns.sort_by_key(|arn| arn.contains(":service/"));
        assert_eq!(arns.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    let first = by_target(&sim, &call("GetResources"), &json!({"ResourcesPerPage": 1})).await.body;
    let next = json!({"ResourcesPerPage": 1, "PaginationToken": first["PaginationToken"]});
    let second = by_target(&sim, &call("GetResources"), &next).await.body;
    assert_ne!(first["ResourceTagMappingList"], second["ResourceTagMappingList"]);
    assert_eq!(second["PaginationToken"], "");
    let body = json!({"ResourceARNList": [service], "TagKeys": ["stage"]});
    assert_eq!(by_target(&sim, &call("UntagResources"), &body).await.status, 200);
    let tags = sim.client.list_tags_for_resource().resource_arn(&service).send().await.unwrap();
    assert!(tags.tags().unwrap().is_empty());
    let many: Vec<&str> = std::iter::repeat_n(service.as_str(), 21).collect();
    for body in [json!({"ResourceARNList": [], "Tags": {}}), json!({"ResourceARNList": many, "Tags": {}})] {
        refused(&by_target(&sim, &call("TagResources"), &body).await, 400, "InvalidParameterException");
    }
    let forged = by_target(&sim, &call("GetResources"), &json!({"PaginationToken": "forged"})).await;
    refused(&forged, 400, "InvalidNextTokenException");
}

#[tokio::test(start_paused = true)]
async fn acm_lists_and_describes_certificates() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let listed = by_target(&sim, "CertificateManager.ListCertificates", &json!({})).await.body;
    assert_eq!(listed["CertificateSummaryList"][0]["CertificateArn"], CERTIFICATE);
    let pending = json!({"CertificateStatuses": ["PENDING_VALIDATION"]});
    let pending = by_target(&sim, "CertificateManager.ListCertificates", &pending).await.body;
    assert_eq!(pending["CertificateSummaryList"], json!([]));
    let describe = async |arn: &str| {
        by_target(&sim, "CertificateManager.DescribeCertificate", &json!({"CertificateArn": arn})).await
    };
    let described = describe(CERTIFICATE).await.body;
    assert_eq!(described["Certificate"]["SubjectAlternativeNames"], json!(["example.com", "*.example.com"]));
    assert_eq!(described["Certificate"]["Status"], "ISSUED");
    refused(&describe(&CERTIFICATE.replace("one", "two")).await, 400, "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn cloud_map_keeps_namespaces_services_and_instances() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let call = async |operation: &str, body: Value| {
        by_target(&sim, &format!("Route53AutoNaming_v20170314.{operation}"), &body).await
    };
    let created =
        call("CreatePrivateDnsNamespace", json!({"Name": "shop.local", "Vpc": "vpc-12345678"})).await;
    let operation = call("GetOperation", json!({"OperationId": created.body["OperationId"]})).await.body;
    assert_eq!(operation["Operation"]["Status"], "SUCCESS");
    let namespace = operation["Operation"]["Targets"]["NAMESPACE"].as_str().unwrap();
    let read = call("GetNamespace", json!({"Id": namespace})).await.body;
    assert_eq!(
        (&read["Namespace"]["Name"], &read["Namespace"]["Type"]),
        (&json!("shop.local"), &json!("DNS_PRIVATE"))
    );
    let http =
        call("CreateHttpNamespace", json!({"Name": "plain", "Tags": [{"Key": "a", "Value": "b"}]})).await;
    assert_eq!(http.status, 200);
    let listed =
        call("ListNamespaces", json!({"Filters": [{"Name": "TYPE", "Values": ["HTTP"]}]})).await.body;
    let plain = &listed["Namespaces"][0];
    assert_eq!(plain["Name"], "plain");
    let tags = call("ListTagsForResource", json!({"ResourceARN": plain["Arn"]})).await.body;
    assert_eq!(tags, json!({"Tags": [{"Key": "a", "Value": "b"}]}));

    let config = json!({"DnsRecords": [{"Type": "A", "TTL": 10}]});
    let body = json!({"Name": "web", "NamespaceId": namespace, "DnsConfig": config});
    let service = call("CreateService", body.clone()).await.body;
    let service = service["Service"]["Id"].as_str().unwrap();
    let instance = json!({"ServiceId": service, "InstanceId": "one", "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.1", "zone": "a"}});
    assert_eq!(call("RegisterInstance", instance).await.status, 200);
    let named = |more: Value| {
        let mut body = json!({"NamespaceName": "shop.local", "ServiceName": "web"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let found = call("DiscoverInstances", named(json!({"QueryParameters": {"zone": "a"}}))).await.body;
    assert_eq!(found["Instances"][0]["Attributes"]["AWS_INSTANCE_IPV4"], "10.0.0.1");
    let none = call("DiscoverInstances", named(json!({"QueryParameters": {"zone": "b"}}))).await.body;
    assert_eq!(none["Instances"], json!([]));
    let near = call("DiscoverInstances", named(json!({"OptionalParameters": {"zone": "b"}}))).await.body;
    assert_eq!(near["Instances"].as_array().unwrap().len(), 1);
    let revision = call("DiscoverInstancesRevision", named(json!({}))).await.body;
    assert_eq!(revision["InstancesRevision"], found["InstancesRevision"]);
    assert_eq!(call("ListInstances", json!({"ServiceId": service})).await.body["Instances"][0]["Id"], "one");
    assert_eq!(call("GetService", json!({"Id": service})).await.body["Service"]["InstanceCount"], 1);
    let of_namespace = json!({"Filters": [{"Name": "NAMESPACE_ID", "Values": [namespace]}]});
    assert_eq!(call("ListServices", of_namespace).await.body["Services"][0]["Name"], "web");

    for (operation, body, code) in [
        ("CreatePrivateDnsNamespace", json!({"Name": "odd", "Vpc": "vpc-9"}), "InvalidInput"),
        (
            "CreatePrivateDnsNamespace",
            json!({"Name": "shop.local", "Vpc": "vpc-12345678"}),
            "NamespaceAlreadyExists",
        ),
        ("GetNamespace", json!({"Id": "ns-9"}), "NamespaceNotFound"),
        ("GetOperation", json!({"OperationId": "op-9"}), "OperationNotFound"),
        ("CreateService", body, "ServiceAlreadyExists"),
        ("CreateService", json!({"Name": "odd", "NamespaceId": "ns-9"}), "NamespaceNotFound"),
        ("GetService", json!({"Id": "srv-9"}), "ServiceNotFound"),
        (
            "RegisterInstance",
            json!({"ServiceId": service, "InstanceId": "two", "Attributes": {}}),
            "InvalidInput",
        ),
        ("DeregisterInstance", json!({"ServiceId": service, "InstanceId": "two"}), "InstanceNotFound"),
        ("DiscoverInstances", json!({"NamespaceName": "none", "ServiceName": "web"}), "NamespaceNotFound"),
        (
            "DiscoverInstances",
            json!({"NamespaceName": "shop.local", "ServiceName": "none"}),
            "ServiceNotFound",
        ),
        ("ListNamespaces", json!({"Filters": [{"Name": "COLOUR", "Values": []}]}), "InvalidInput"),
        ("DeleteNamespace", json!({"Id": namespace}), "ResourceInUse"),
        ("DeleteService", json!({"Id": service}), "ResourceInUse"),
        (
            "ListTagsForResource",
            json!({"ResourceARN": "arn:aws:servicediscovery:us-west-2:123456789012:service/srv-9"}),
            "ResourceNotFoundException",
        ),
        ("CreateEverything", json!({}), "UnknownOperationException"),
    ] {
        refused(&call(operation, body).await, 400, code);
    }
    assert_eq!(
        call("DeregisterInstance", json!({"ServiceId": service, "InstanceId": "one"})).await.status,
        200
    );
    assert_eq!(call("DeleteService", json!({"Id": service})).await.status, 200);
    assert_eq!(call("DeleteNamespace", json!({"Id": namespace})).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn cloud_map_keeps_an_alias_by_itself() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let call = async |operation: &str, body: Value| {
        by_target(&sim, &format!("Route53AutoNaming_v20170314.{operation}"), &body).await
    };
    call("CreatePrivateDnsNamespace", json!({"Name": "shop.local", "Vpc": "vpc-12345678"})).await;
    let namespace = call("ListNamespaces", json!({})).await.body["Namespaces"][0]["Id"].clone();
    let create = async |kinds: &[&str], more: Value| {
        let records: Vec<Value> = kinds.iter().map(|kind| json!({"Type": kind, "TTL": 60})).collect();
        let mut body = json!({"Name": "web", "NamespaceId": namespace, "DnsConfig": {"DnsRecords": records}});
        if let Some(policy) = more.get("RoutingPolicy") {
            body["DnsConfig"]["RoutingPolicy"] = policy.clone();
        }
        if let Some(check) = more.get("HealthCheckConfig") {
            body["HealthCheckConfig"] = check.clone();
        }
        call("CreateService", body).await
    };
    let weighted = json!({"RoutingPolicy": "WEIGHTED"});
    for (kinds, more) in [
        (&["CNAME"][..], json!({})),
        (&["CNAME"], json!({"RoutingPolicy": "MULTIVALUE"})),
        (&["CNAME"], json!({"RoutingPolicy": "WEIGHTED", "HealthCheckConfig": {"Type": "HTTP"}})),
        (&["CNAME", "A"], weighted.clone()),
        (&["A", "CNAME"], weighted.clone()),
        (&["A", "A"], weighted.clone()),
        (&["A"], json!({"RoutingPolicy": "LATENCY"})),
    ] {
        refused(&create(kinds, more).await, 400, "InvalidInput");
    }
    let made = create(&["CNAME"], weighted).await.body;
    let records = json!({"DnsRecords": [{"Type": "CNAME", "TTL": 60}], "RoutingPolicy": "WEIGHTED"});
    assert_eq!(made["Service"]["DnsConfig"], records);
    let register = async |attributes: Value| {
        let service = &made["Service"]["Id"];
        let body = json!({"ServiceId": service, "InstanceId": "one", "Attributes": attributes});
        call("RegisterInstance", body).await
    };
    refused(&register(json!({"AWS_INSTANCE_IPV4": "10.0.0.1"})).await, 400, "InvalidInput");
    let long = json!({"AWS_INSTANCE_CNAME": "web.example.com", "note": "n".repeat(5_000)});
    refused(&register(long).await, 400, "InvalidInput");
    let attributes = json!({"AWS_INSTANCE_CNAME": "web.example.com", "note": "n"});
    assert_eq!(register(attributes.clone()).await.status, 200);
    let named = json!({"NamespaceName": "shop.local", "ServiceName": "web"});
    let found = call("DiscoverInstances", named).await.body;
    assert_eq!(found["Instances"][0]["Attributes"], attributes);
}

#[tokio::test(start_paused = true)]
async fn sts_says_who_calls_and_lends_roles_to_web_identities() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let who = by_form(&sim, "Action=GetCallerIdentity&Version=2011-06-15").await;
    let text = who.body.as_str().unwrap();
    assert!(text.contains("<Account>123456789012</Account>"), "{text}");
    assert!(text.contains("<Arn>arn:aws:iam::123456789012:root</Arn>"), "{text}");
    let assume = async |token: &str, more: &str| {
        let fields = format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=one&WebIdentityToken={token}{more}"
        );
        by_form(&sim, &fields).await
    };
    let subject = "system:serviceaccount:shop:web";
    let lent = assume(&token(subject, &json!({})), "").await;
    let text = lent.body.as_str().unwrap();
    assert!(text.contains("<AccessKeyId>ASIA") && text.contains("assumed-role/shop/one"), "{text}");
    let stranger = assume(&token("system:serviceaccount:shop:other", &json!({})), "").await;
    refused(&stranger, 403, "AccessDenied");
    refused(&assume(&token(subject, &json!({"exp": 1})), "").await, 400, "ExpiredTokenException");
    refused(&assume("nonsense", "").await, 400, "InvalidIdentityToken");
    refused(&assume(&token(subject, &json!({})), "&DurationSeconds=1").await, 400, "ValidationError");
    refused(
        &by_form(&sim, "Action=GetSessionToken&Version=2011-06-15").await,
        400,
        "UnknownOperationException",
    );

    // Who holds the session is its role, in the role's account.
    let key = text.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap();
    let request = http::Request::builder().method("POST").uri("/");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header(
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={key}/20260101/us-west-2/sts/aws4_request"),
    );
    let request = request.body(bytes::Bytes::from("Action=GetCallerIdentity&Version=2011-06-15")).unwrap();
    let answer = sim.simulator.handle(request).await;
    let text = String::from_utf8(answer.into_body().to_vec()).unwrap();
    assert!(text.contains("arn:aws:sts::123456789012:assumed-role/shop/one"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn eks_auth_lends_roles_to_pods() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let assume = async |cluster: &str, token: &str| {
        let path = format!("/clusters/{cluster}/assume-role-for-pod-identity");
        sim.ask(0, &path, &[], json!({"token": token}).to_string()).await
    };
    let subject = "system:serviceaccount:shop:web";
    let pod = json!({"kubernetes.io": {"pod": {"name": "web-1", "uid": "u-1"}}});
    let lent = assume("one", &token(subject, &pod)).await;
    assert_eq!(lent.status, 200, "{lent:?}");
    assert!(lent.body["credentials"]["accessKeyId"].as_str().unwrap().starts_with("ASIA"));
    assert!(
        lent.body["assumedRoleUser"]["arn"].as_str().unwrap().ends_with("assumed-role/shop/eks-one-web-1")
    );
    assert_eq!(lent.body["subject"], json!({"namespace": "shop", "serviceAccount": "web"}));
    refused(&assume("two", &token(subject, &pod)).await, 400, "AccessDeniedException");
    refused(&assume("one", &token("someone", &pod)).await, 400, "InvalidTokenException");
    refused(&assume("one", &token(subject, &json!({"exp": 1}))).await, 400, "ExpiredTokenException");
    refused(&assume("one", "nonsense").await, 400, "InvalidTokenException");
}

#[tokio::test(start_paused = true)]
async fn ec2_describes_the_surroundings() {
    let sim = Sim::instant();
    sim.surround(surroundings());
    let ask = async |fields: &str| by_form(&sim, &format!("Version=2016-11-15&{fields}")).await;
    for (fields, there, absent) in [
        ("Action=DescribeVpcs", "<vpcId>vpc-12345678</vpcId>", "nothing"),
        (
            "Action=DescribeVpcs&Filter.1.Name=tag:Name&Filter.1.Value.1=two",
            "<vpcSet></vpcSet>",
            "vpc-12345678",
        ),
        (
            "Action=DescribeInstances&InstanceId.1=i-00000001",
            "<privateIpAddress>10.0.0.1</privateIpAddress>",
            "nothing",
        ),
        (
            "Action=DescribeInstances&Filter.1.Name=private-dns-name&Filter.1.Value.1=ip-10-0-0-1",
            "<instanceId>i-00000001</instanceId>",
            "nothing",
        ),
        (
            "Action=DescribeManagedPrefixLists&Filter.1.Name=prefix-list-name&Filter.1.Value.1=com.amazonaws.us-west-2.vpc-lattice",
            "<prefixListName>com.amazonaws.us-west-2.vpc-lattice</prefixListName>",
            "ipv6",
        ),
    ] {
        let answer = ask(fields).await;
        let text = answer.body.as_str().unwrap();
        assert!(answer.status == 200 && text.contains(there) && !text.contains(absent), "{fields}: {text}");
    }
    for (fields, code) in [
        ("Action=DescribeVpcs&VpcId.1=vpc-9", "InvalidVpcID.NotFound"),
        ("Action=DescribeInstances&InstanceId.1=i-9", "InvalidInstanceID.NotFound"),
        ("Action=DescribeManagedPrefixLists&Filter.1.Name=colour", "InvalidParameterValue"),
        ("Action=DescribeEverything", "UnknownOperationException"),
    ] {
        refused(&ask(fields).await, 400, code);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_no_json_are_refused() {
    let sim = Sim::instant();
    for body in ["{", "[]"] {
        let headers = [("x-amz-target", "CertificateManager.ListCertificates")];
        refused(&sim.ask(0, "/", &headers, body).await, 400, "SerializationException");
        refused(&sim.ask(0, "/getresourceshares", &[], body).await, 400, "SerializationException");
    }
    assert_eq!(sim.simulator.calls()["acm.ListCertificates"], 2);
}
