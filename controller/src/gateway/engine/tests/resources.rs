//! Resource gateways, directories and resource configurations: their lives, and what goes wrong in them.

use lattice::{
    resource::{
        ConfigurationSpec, DirectorySpec, DnsTarget, Entry, GatewaySpec, GatewayUse, Holds, Instance, PodsOf,
        ResourceKind, ResourceSpec, ResourceTree,
    },
    service::Owner,
};
use lattice_sim::Fault;

use super::{check::same, faults::mortal, *};

pub(super) fn key(kind: ResourceKind, owner: &str) -> ResourceKey {
    ResourceKey { kind, owner: owner.into() }
}

fn tags_of(owner: &Owner) -> Tags {
    own_tags(tags::OWNER, names::owner_tag(owner))
}

fn gateway(subnet: &str) -> (ResourceKey, ResourceSpec) {
    let key = key(ResourceKind::Gateway, &format!("ResourceGateway/{subnet}"));
    let spec = GatewaySpec {
        name: names::resource_gateway(&key.owner, "demo"),
        vpc: testing::site().vpc,
        subnets: [subnet.to_owned()].into(),
        security_groups: BTreeSet::new(),
        family: IpFamily::IPv4,
        tags: tags_of(&key.owner),
    };
    (key, ResourceSpec::Gateway(spec))
}

fn directory(owner: &str) -> (ResourceKey, DirectorySpec) {
    let key = key(ResourceKind::Directory, owner);
    let spec = DirectorySpec {
        namespace: "shop.internal".into(),
        create_namespace: true,
        vpc: testing::site().vpc,
        name: names::of_layer4("db", "shop", &key.owner, "demo"),
        holds: Holds::Pods {
            of: Some(PodsOf {
                namespace: "shop".into(),
                service: "db".into(),
                port: 5432,
                protocol: "TCP".into(),
            }),
            family: IpFamily::IPv4,
            ports: false,
        },
        tags: tags_of(&key.owner),
    };
    (key, spec)
}

/// A configuration of this port that leads through the gateway to the directory.
fn configuration(
    port: u16,
    gateway: &ResourceKey,
    (of, directory): &(ResourceKey, DirectorySpec),
) -> (ResourceKey, ConfigurationSpec) {
    let key = key(ResourceKind::Configuration, &format!("TCPRoute/shop/db/{port}"));
    let spec = ConfigurationSpec {
        name: names::of_layer4("db", "shop", &key.owner, "demo"),
        gateway: GatewayUse::Own(gateway.clone()),
        port,
        directory: of.clone(),
        target: DnsTarget { name: directory.dns_name(), family: IpFamily::IPv4 },
        network: "net".into(),
        tags: tags_of(&key.owner),
    };
    (key, spec)
}

/// One of each, in a network.
pub(super) fn one_of_each() -> Desired {
    let (gateway, directory) = (gateway("subnet-0123456789abcdef0"), directory("TCPRoute/shop/db"));
    let configuration = configuration(5432, &gateway.0, &directory);
    let mut desired = Desired { networks: [("net".to_owned(), network())].into(), ..Desired::default() };
    desired.resources = BTreeMap::from([
        gateway,
        (directory.0, ResourceSpec::Directory(directory.1)),
        (configuration.0, ResourceSpec::Configuration(configuration.1)),
    ]);
    desired
}

/// What carries TCP to one Service, as the random test picks it: through which of two gateways, to which of its
/// directories, in which of two networks.
#[derive(Debug, Clone)]
pub(super) struct Tcp {
    pub(super) gateway: bool,
    pub(super) directory: u8,
    pub(super) network: bool,
}

/// Adds it to what is wanted.
pub(super) fn add_tcp(desired: &mut Desired, name: &str, tcp: &Tcp) {
    let gateway = gateway(if tcp.gateway { "subnet-0123456789abcdef0" } else { "subnet-0123456789abcdef1" });
    let directory = directory(&format!("TCPRoute/shop/{name}/{}", tcp.directory));
    let (mut key, mut spec) = configuration(5432, &gateway.0, &directory);
    key.owner = format!("TCPRoute/shop/{name}/5432");
    spec.name = names::of_layer4(name, "shop", &key.owner, "demo");
    spec.network = if tcp.network { "first" } else { "second" }.into();
    spec.tags = tags_of(&key.owner);
    desired.resources.extend([
        gateway,
        (directory.0, ResourceSpec::Directory(directory.1)),
        (key, ResourceSpec::Configuration(spec)),
    ]);
}

/// They come, lead elsewhere, are replaced, and go.
fn life() -> Vec<Desired> {
    let first = one_of_each();
    let mut second = first.clone();
    let other = directory("TCPRoute/shop/db/other");
    for spec in second.resources.values_mut() {
        if let ResourceSpec::Configuration(spec) = spec {
            (spec.directory, spec.target.name) = (other.0.clone(), other.1.dns_name());
        }
    }
    second.resources.retain(|key, _| key.kind != ResourceKind::Directory);
    second.resources.insert(other.0.clone(), ResourceSpec::Directory(other.1));
    for spec in second.resources.values_mut() {
        let (ResourceSpec::Gateway(GatewaySpec { tags, .. })
        | ResourceSpec::Directory(DirectorySpec { tags, .. })
        | ResourceSpec::Configuration(ConfigurationSpec { tags, .. })) = spec;
        tags.insert("team".into(), "shop".into());
    }
    let mut third = second.clone();
    let (new, spec) = gateway("subnet-0123456789abcdef1");
    third.resources.retain(|key, _| key.kind != ResourceKind::Gateway);
    for spec in third.resources.values_mut() {
        match spec {
            ResourceSpec::Configuration(spec) => spec.gateway = GatewayUse::Own(new.clone()),
            ResourceSpec::Directory(spec) => drop(spec.tags.insert("team".into(), "mall".into())),
            ResourceSpec::Gateway(_) => {}
        }
    }
    third.resources.insert(new, spec);
    let mut last = Desired { networks: third.networks.clone(), ..Desired::default() };
    last.networks.get_mut("net").unwrap().vpc = None;
    vec![first, second, third, last]
}

/// Whether exactly what is wanted is there.
pub(super) async fn check(
    client: &Client,
    found: &[(String, Tags)],
    desired: &Desired,
    name_of: &dyn Fn(&NetworkId) -> String,
) -> Result<(), String> {
    same("resources", &found.len(), &desired.resources.len())?;
    let mut gateways = BTreeMap::new();
    let mut configurations = Vec::new();
    for (arn, tags) in found {
        let kind = super::super::turn::resource::kind_of(arn).unwrap();
        let key = key(kind, &tags[tags::OWNER]);
        let spec = desired.resources.get(&key).ok_or(format!("{arn} of {key:?} is left over"))?;
        same("tags", tags, spec.tags())?;
        let seed = super::super::resources::ResourceSeed { arn: arn.clone(), tags: None };
        let (site, ours) = (testing::site(), read::Ours::default());
        let read = super::super::resource_calls::read(client, &site, kind, seed, ours, Urgency::Change)
            .await
            .unwrap();
        match (read.unwrap().tree, spec) {
            (ResourceTree::Gateway(is), ResourceSpec::Gateway(spec)) => {
                same("name", &is.name, &spec.name)?;
                gateways.insert(key, is.id);
            }
            (ResourceTree::Directory(is), ResourceSpec::Directory(spec)) => {
                same("name", &is.name, &spec.name)?;
            }
            (ResourceTree::Configuration(is, associations), ResourceSpec::Configuration(spec)) => {
                same("name", &is.name, &spec.name)?;
                same("target", &is.target, &Some(spec.target.clone()))?;
                same("ports", &is.ports, &vec![spec.port.to_string()])?;
                let networks: Vec<String> = associations.keys().map(name_of).collect();
                same("networks", &networks, &vec![spec.network.clone()])?;
                configurations.push((is.gateway, spec.gateway.clone()));
            }
            (is, spec) => return Err(format!("{is:?} is there for {spec:?}")),
        }
    }
    for (is, wanted) in configurations {
        if let GatewayUse::Own(key) = wanted {
            same("gateway", &is, &gateways.get(&key).cloned())?;
        }
    }
    Ok(())
}

/// Lives through it all. Pods come into directories meanwhile, which nobody takes out but the engine.
async fn live(world: &World, what: &str) {
    for (number, desired) in life().into_iter().enumerate() {
        world.want(desired.clone());
        world.idle(Duration::from_secs(1)).await;
        world.done().await;
        let resources = world.progress.read().resources.clone();
        for progress in resources.values() {
            if let Some(directory) = progress.resource.as_ref().and_then(|it| it.directory.as_ref()) {
                let pod = Entry::Instance(Instance { address: "10.0.0.1".parse().unwrap(), port: None });
                let _ = world.cloud.client.register_instance(directory, "pod", &pod, "token").await;
            }
        }
        world.idle(Duration::from_secs(200)).await;
        if let Err(error) = super::check::check(world, &desired).await {
            panic!("{what}, stage {number}: {error}");
        }
    }
}

const CHANGES: [&str; 14] = [
    "CreateResourceConfiguration",
    "CreateResourceGateway",
    "CreateServiceNetworkResourceAssociation",
    "DeleteResourceConfiguration",
    "DeleteResourceGateway",
    "DeleteServiceNetworkResourceAssociation",
    "TagResource",
    "UpdateResourceConfiguration",
    "servicediscovery.CreatePrivateDnsNamespace",
    "servicediscovery.CreateService",
    "servicediscovery.DeleteService",
    "servicediscovery.DeregisterInstance",
    "servicediscovery.RegisterInstance",
    "servicediscovery.TagResource",
];

#[tokio::test(start_paused = true)]
async fn a_life_of_resources_takes_these_operations() {
    let world = World::new(&[]).await;
    live(&world, "no fault").await;
    let networks = ["ServiceNetwork", "ServiceNetworkVpcAssociation"];
    let mut changes: Vec<String> = world.changes().into_keys().collect();
    changes.retain(|name| !networks.iter().any(|network| name.ends_with(network)));
    assert_eq!(changes, CHANGES);
}

#[tokio::test(start_paused = true)]
async fn every_operation_on_resources_may_fail_in_every_way_twice() {
    let reads = [
        "GetServiceNetworkResourceAssociation",
        "servicediscovery.GetOperation",
        "servicediscovery.ListInstances",
        "servicediscovery.ListNamespaces",
        "tagging.GetResources",
    ];
    for operation in CHANGES.into_iter().chain(reads) {
        let cloudmap = operation.starts_with("servicediscovery.");
        if operation == "servicediscovery.RegisterInstance" {
            continue;
        }
        let with = |error: &str, applied| Fault {
            error: Some(error.into()),
            applied: Some(applied),
            count: Some(2),
            ..Fault::on(operation)
        };
        let timeout =
            |applied| Fault { timeout: true, applied: Some(applied), count: Some(2), ..Fault::on(operation) };
        let conflict = if cloudmap { "ResourceInUse" } else { "ConflictException" };
        for (name, fault) in [
            ("throttled", with("ThrottlingException", false)),
            ("failed, done", with("InternalServerException", true)),
            ("failed, not done", with("InternalServerException", false)),
            ("timed out, done", timeout(true)),
            ("timed out, not done", timeout(false)),
            ("conflict", with(conflict, false)),
            ("denied", with("AccessDeniedException", false)),
            ("refused", with("ValidationException", false)),
        ] {
            let world = World::new(&[]).await;
            // Not every operation can fail in every way.
            if world.cloud.simulator.set_faults(vec![fault]).is_ok() {
                live(&world, &format!("{operation} {name}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_a_while_is_waited_for() {
    let world = World::new(&[
        ("delay.resource_gateway_create", "20"),
        ("delay.resource_configuration_create", "20"),
        ("delay.association_create", "20"),
        ("delay.association_delete", "20"),
        ("delay.resource_configuration_delete", "20"),
        ("delay.resource_gateway_delete", "20"),
    ])
    .await;
    live(&world, "slow").await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_dies_at_any_call_leaves_no_resource_twice() {
    for (before, desired) in [(None, one_of_each()), (Some(life().remove(0)), life().remove(1))] {
        for last in 1.. {
            let mut world = World::new(&[]).await;
            if let Some(before) = &before {
                world.want(before.clone());
                world.done().await;
                world.restart().await;
            }
            let immortal = world.cloud.client.clone();
            world.stop().await;
            world.cloud.client = mortal(&world, last, false).await;
            world.start();
            world.want(desired.clone());
            let survived = tokio::time::timeout(Duration::from_secs(600), world.done()).await.is_ok();
            world.stop().await;
            world.cloud.client = immortal;
            world.start();
            world.done().await;
            world.idle(Duration::from_secs(200)).await;
            if let Err(error) = super::check::check(&world, &desired).await {
                panic!("died at call {last}: {error}");
            }
            if survived {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_change_of_resources_is_mended_at_the_audit() {
    let mut world = World::new(&[]).await;
    world.stop().await;
    world.settings.audit_period = Some(Duration::from_secs(600));
    world.start();
    let desired = one_of_each();
    world.want(desired.clone());
    world.done().await;
    world.idle(Duration::from_hours(2)).await;
    assert_eq!(world.metrics.drift(), 0);
    let client = world.cloud.client.clone();
    for number in 0..4 {
        let found = read::catalogue(&client, &testing::site(), true, Urgency::Change).await.unwrap();
        let arn = |kind: &str| {
            found.resources.iter().map(|(arn, _)| arn).find(|arn| arn.contains(kind)).unwrap().as_str()
        };
        let configuration = read::id_of(arn("resourceconfiguration")).into();
        match number {
            0 => {
                let target = DnsTarget { name: "other.example.com".into(), family: IpFamily::IPv4 };
                drop(client.update_configuration(&configuration, &target).await.unwrap());
            }
            1 => {
                let all = client.resource_associations(&configuration, Urgency::Change).await.unwrap();
                drop(client.dissociate_configuration(&all[0].id).await.unwrap());
            }
            2 => client.delete_directory(&read::id_of(arn("servicediscovery")).into()).await.unwrap(),
            _ => client.untag(arn("resourcegateway"), &[tags::OWNER]).await.unwrap(),
        }
        if number < 3 {
            world.idle(Duration::from_secs(1_300)).await;
            super::check::check(&world, &desired).await.unwrap_or_else(|error| panic!("{number}: {error}"));
            assert_eq!(world.metrics.drift(), number + 1, "change {number}");
        }
    }
    // What does not carry the tags any more is not Lath's, even under the same name.
    world.idle(Duration::from_secs(2_000)).await;
    let (gateway, _) = gateway("subnet-0123456789abcdef0");
    let troubles = world.progress.read().resources[&gateway].troubles.clone();
    assert_eq!(troubles.iter().map(|one| one.kind).collect::<Vec<_>>(), ["taken"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_somebody_else_has_is_not_led_to() {
    let world = World::new(&[]).await;
    let client = &world.cloud.client;
    client.create_dns_namespace("shop.internal", &testing::site().vpc, &Tags::new(), "token").await.unwrap();
    let namespace = client.dns_namespaces("shop.internal", Urgency::Change).await.unwrap().remove(0);
    let (key, spec) = directory("TCPRoute/shop/db");
    let new = lattice_client::NewDirectory {
        name: &spec.name,
        namespace: &namespace,
        records: spec.holds.records(),
        tags: &Tags::new(),
    };
    client.create_directory(&new, "token").await.unwrap();
    world.want(one_of_each());
    world.idle(Duration::from_secs(300)).await;
    let troubles = world.progress.read().resources[&key].troubles.clone();
    assert_eq!(troubles.iter().map(|one| one.kind).collect::<Vec<_>>(), ["taken"]);
    assert_eq!(client.configurations(Urgency::Change).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn tags_of_resources_go_that_are_no_longer_asked_for() {
    let world = World::new(&[]).await;
    let mut desired = one_of_each();
    for spec in desired.resources.values_mut() {
        if let ResourceSpec::Configuration(ConfigurationSpec { tags, .. }) = spec {
            tags.insert("team".into(), "shop".into());
            tags.extend(tags::record(["team"].into_iter()));
        }
    }
    for desired in [desired, one_of_each()] {
        world.want(desired.clone());
        world.idle(Duration::from_secs(1)).await;
        world.done().await;
        super::check::check(&world, &desired).await.unwrap();
    }
}
