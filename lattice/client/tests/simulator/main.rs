//! The client against the simulator: the real SDK, encoding, paging and errors, without a socket and on paused time.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail as its tests do")]

mod answers;
mod errors;
mod layer4;
mod networks;
mod services;
mod tagging;
mod targets;

use lattice::{
    Tags, TargetGroupArn,
    declared::GroupForm,
    observed::{Group, Listener, Service},
    rule::{Action, Weighted},
    service::{GroupProtocol, HealthCheck, HttpVersion, ListenerProtocol},
    target::IpFamily,
};
use lattice_client::{Client, Metrics, NewGroup, NewListener, NewService, Options, Transport};
use lattice_sim::{Settings, Simulator};

const VPC: &str = "vpc-0123456789abcdef0";

/// A simulator and a client of it.
async fn connect() -> (Simulator, Client) {
    connect_with(&[]).await
}

/// A simulator with some settings that are not as in the profile `instant`, and a client of it.
async fn connect_with(settings: &[(&str, &str)]) -> (Simulator, Client) {
    let mut chosen = Settings::instant();
    for (name, value) in settings {
        chosen.set(name, value).unwrap();
    }
    let simulator = Simulator::new(chosen, 1);
    let transport = {
        let simulator = simulator.clone();
        Transport::new(move |request| {
            let simulator = simulator.clone();
            async move { simulator.handle(request.map(Into::into)).await.map(|body| body.to_vec()) }
        })
    };
    (simulator, client(transport).await)
}

/// A client whose requests are answered by a function.
async fn client(transport: Transport) -> Client {
    let options =
        Options { region: Some("us-west-2".into()), transport: Some(transport), ..Options::default() };
    Client::connect(options, Metrics::unregistered()).await
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A new service that has nothing but a name.
fn named<'a>(name: &'a str, tags: &'a Tags) -> NewService<'a> {
    NewService { name, custom_domain: None, certificate: None, auth: false, tags }
}

async fn service(client: &Client, name: &str) -> Service {
    client.create_service(&named(name, &Tags::new()), name).await.unwrap()
}

async fn listener(client: &Client, service: &Service) -> Listener {
    let new = NewListener {
        name: "http",
        protocol: ListenerProtocol::Http,
        port: 80,
        default: &Action::Fixed(404),
        tags: &Tags::new(),
    };
    client.create_listener(&service.id, &new, "http").await.unwrap()
}

async fn group(client: &Client, name: &str) -> Group {
    let new = NewGroup {
        name,
        form: GroupForm::Ip { protocol: GroupProtocol::Http(HttpVersion::Http1), family: IpFamily::IPv4 },
        port: 80,
        vpc: VPC,
        health_check: &HealthCheck::default(),
        tags: &Tags::new(),
    };
    client.create_group(&new, name).await.unwrap()
}

/// An action that shares requests by these weights.
fn forward(shares: &[(&TargetGroupArn, u16)]) -> Action<TargetGroupArn> {
    let shares = shares.iter().map(|(group, weight)| Weighted { group: (*group).clone(), weight: *weight });
    let mut shares: Vec<_> = shares.collect();
    shares.sort();
    Action::Forward(shares)
}
