//! Tags, and what the neighbours know.

use std::sync::{Arc, Mutex};

use lattice::Tags;
use lattice_client::{Client, Metrics, Operation, Options, Transport, Urgency};
use lattice_sim::{Fault, Surroundings};

use crate::{connect, group, named, service, tags};

const LOOK: Urgency = Urgency::Observe;

#[tokio::test(start_paused = true)]
async fn tags_are_set_and_taken_away() {
    let (_, client) = connect().await;
    let service = service(&client, "web").await;
    client.tag(&service.arn, &tags(&[("a", "1"), ("b", "2")])).await.unwrap();
    client.tag(&service.arn, &tags(&[("b", "3")])).await.unwrap();
    client.untag(&service.arn, &["a", "never"]).await.unwrap();
    assert_eq!(client.tags(&service.arn, LOOK).await.unwrap(), tags(&[("b", "3")]));
}

#[tokio::test(start_paused = true)]
async fn resources_are_found_by_type_and_tag_on_all_pages() {
    let (_, client) = connect().await;
    let mut made = Vec::new();
    for number in 0..101 {
        let (name, marks) = (format!("web{number}"), tags(&[("cluster", "demo")]));
        made.push((client.create_service(&named(&name, &marks), &name).await.unwrap().arn, marks));
    }
    let group = group(&client, "web").await.arn.to_string();
    client.tag(&group, &tags(&[("cluster", "other")])).await.unwrap();
    let both = ["vpc-lattice:service", "vpc-lattice:targetgroup"];
    for (types, key, value, wanted) in [
        (&both[..1], "cluster", None, made.clone()),
        (&both, "cluster", Some("demo"), made.clone()),
        (&both, "cluster", Some("other"), vec![(group, tags(&[("cluster", "other")]))]),
        (&both[1..], "cluster", Some("demo"), vec![]),
        (&both, "none", None, vec![]),
    ] {
        let mut found = client.tagged(types, key, value, LOOK).await.unwrap();
        let mut wanted: Vec<(String, Tags)> = wanted;
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{types:?} {key} {value:?}");
    }
    assert_eq!(client.metrics().count(Operation::GetResources, "ok"), 7);
}

#[tokio::test(start_paused = true)]
async fn certificates_come_with_all_their_names() {
    let (simulator, client) = connect().await;
    let account = simulator.accounts()[0].id.clone();
    let arn = format!("arn:aws:acm:us-west-2:{account}:certificate/0123");
    let surroundings: Surroundings = serde_json::from_value(serde_json::json!({
        "certificates": [{ "arn": arn, "domains": ["example.com", "*.example.com"] }]
    }))
    .unwrap();
    simulator.set_surroundings(surroundings).unwrap();
    let [found] = &client.certificates(LOOK).await.unwrap()[..] else { panic!("there is one certificate") };
    assert_eq!((&found.arn, &found.domains[..]), (&arn, &["example.com".into(), "*.example.com".into()][..]));
    assert!(found.created.is_some());
}

#[tokio::test(start_paused = true)]
async fn neighbours_have_an_endpoint_of_their_own() {
    for (neighbours, hosts) in [
        (Some("http://beside.test"), ["lattice.test", "beside.test", "beside.test", "beside.test"]),
        (
            None,
            [
                "lattice.test",
                "tagging.us-west-2.amazonaws.com",
                "acm.us-west-2.amazonaws.com",
                "servicediscovery.us-west-2.amazonaws.com",
            ],
        ),
    ] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let transport = {
            let asked = asked.clone();
            Transport::new(move |request| {
                asked.lock().unwrap().push(request.uri().host().unwrap().to_owned());
                async { http::Response::new(b"{}".to_vec()) }
            })
        };
        let options = Options {
            region: Some("us-west-2".into()),
            endpoint: Some("http://lattice.test".into()),
            neighbours: neighbours.map(Into::into),
            transport: Some(transport),
            ..Options::default()
        };
        let client = Client::connect(options, Metrics::unregistered()).await;
        client.services(LOOK).await.unwrap();
        client.tagged(&["vpc-lattice:service"], "key", None, LOOK).await.unwrap();
        client.certificates(LOOK).await.unwrap();
        client.directories(None, LOOK).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), hosts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_refuses_is_called_by_its_own_name_and_slows_nobody_else() {
    for (error, label) in [
        ("AccessDeniedException", "denied"),
        ("ThrottlingException", "throttled"),
        ("InternalServerException", "unanswered"),
        ("ExpiredTokenException", "credentials"),
    ] {
        let (simulator, client) = connect().await;
        let fault = |name| Fault { error: Some(error.into()), ..Fault::on(name) };
        simulator.set_faults(vec![fault("tagging.GetResources"), fault("acm.ListCertificates")]).unwrap();
        let tagged = client.tagged(&["vpc-lattice:service"], "key", None, LOOK).await.unwrap_err();
        let certificates = client.certificates(LOOK).await.unwrap_err();
        assert_eq!((tagged.label(), certificates.label()), (label, label));
        if label == "denied" {
            assert!(tagged.to_string().contains("tag:GetResources"), "{tagged}");
            assert!(certificates.to_string().contains("acm:ListCertificates"), "{certificates}");
        }
        let before = tokio::time::Instant::now();
        for _ in 0..10 {
            client.networks(LOOK).await.unwrap();
        }
        assert!(before.elapsed().is_zero(), "{error}");
    }
}
