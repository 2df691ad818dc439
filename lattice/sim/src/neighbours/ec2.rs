//! EC2: DescribeVpcs, DescribeInstances and DescribeManagedPrefixLists over the surroundings.

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::state::{State, Tags};

use super::{Ask, Error, Served, served};

pub(super) const VERSION: &str = "2016-11-15";

pub(super) const OPERATIONS: [Served; 3] = [
    served("DescribeVpcs", "ec2.DescribeVpcs", vpcs),
    served("DescribeInstances", "ec2.DescribeInstances", instances),
    served("DescribeManagedPrefixLists", "ec2.DescribeManagedPrefixLists", prefix_lists),
];

/// A filter of a call: a name and the values of which one has to fit.
struct Filter<'a> {
    name: &'a str,
    values: Vec<&'a str>,
}

fn vpcs(_: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let ids = numbered(ask, "VpcId");
    let filters = filters(ask, &["vpc-id", "cidr", "owner-id"])?;
    let known = &ask.surroundings.vpcs;
    if let Some(id) = ids.iter().find(|id| !known.iter().any(|vpc| vpc.id == **id)) {
        return Err(Error::new("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist")));
    }
    let mut shown = Vec::new();
    for vpc in known {
        let owner = vpc.account.as_deref().unwrap_or(&ask.caller.account);
        let of = |v4: bool| {
            vpc.cidrs.iter().filter(move |range| matches!(range, IpNet::V4(_)) == v4).map(ToString::to_string)
        };
        let first = of(true).next().unwrap_or_default();
        let fits = owner == ask.caller.account
            && (ids.is_empty() || ids.contains(&vpc.id.as_str()))
            && filters.iter().all(|filter| match filter.name {
                "vpc-id" => filter.values.contains(&vpc.id.as_str()),
                "cidr" => filter.values.contains(&first.as_str()),
                "owner-id" => filter.values.contains(&owner),
                _ => filter.fits_tags(&vpc.tags),
            });
        if !fits {
            continue;
        }
        let associated = |(n, range): (usize, String)| {
            json!({
                "associationId": format!("vpc-cidr-assoc-{n:017x}"),
                "cidrBlock": range,
                "cidrBlockState": {"state": "associated"},
            })
        };
        let associated_v6 = |(n, range): (usize, String)| {
            json!({
                "associationId": format!("vpc-cidr-assoc-{:017x}", n + 1_000),
                "ipv6CidrBlock": range,
                "ipv6CidrBlockState": {"state": "associated"},
            })
        };
        shown.push(json!({
            "vpcId": vpc.id,
            "ownerId": owner,
            "state": "available",
            "cidrBlock": first,
            "cidrBlockAssociationSet": of(true).enumerate().map(associated).collect::<Vec<_>>(),
            "ipv6CidrBlockAssociationSet": of(false).enumerate().map(associated_v6).collect::<Vec<_>>(),
            "isDefault": false,
            "instanceTenancy": "default",
            "tagSet": tags(&vpc.tags),
        }));
    }
    Ok(json!({"vpcSet": shown}))
}

fn instances(_: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let ids = numbered(ask, "InstanceId");
    let filters = filters(ask, &["instance-id", "vpc-id", "private-ip-address", "private-dns-name"])?;
    let known = &ask.surroundings.instances;
    if let Some(id) = ids.iter().find(|id| !known.iter().any(|instance| instance.id == **id)) {
        let message = format!("The instance ID '{id}' does not exist");
        return Err(Error::new("InvalidInstanceID.NotFound", message));
    }
    let mut reservations = Vec::new();
    for (n, instance) in known.iter().enumerate() {
        let owner = ask.surroundings.owner(&instance.vpc);
        let v4 = instance.addresses.iter().find(|address| address.is_ipv4()).map(ToString::to_string);
        let dns = instance.private_dns_name.clone().unwrap_or_default();
        let fits = owner == ask.caller.account
            && (ids.is_empty() || ids.contains(&instance.id.as_str()))
            && filters.iter().all(|filter| match filter.name {
                "instance-id" => filter.values.contains(&instance.id.as_str()),
                "vpc-id" => filter.values.contains(&instance.vpc.as_str()),
                "private-ip-address" => v4.as_deref().is_some_and(|address| filter.values.contains(&address)),
                "private-dns-name" => filter.values.contains(&dns.as_str()),
                _ => filter.fits_tags(&instance.tags),
            });
        if fits {
            let v6 = instance.addresses.iter().filter(|address| address.is_ipv6());
            let v6: Vec<Value> = v6.map(|address| json!({"ipv6Address": address.to_string()})).collect();
            reservations.push(json!({
                "reservationId": format!("r-{n:017x}"),
                "ownerId": owner,
                "instancesSet": [{
                    "instanceId": instance.id,
                    "vpcId": instance.vpc,
                    "privateIpAddress": v4,
                    "privateDnsName": dns,
                    "instanceState": {"code": 16, "name": "running"},
                    "networkInterfaceSet": [{"ipv6AddressesSet": v6, "vpcId": instance.vpc, "privateIpAddress": v4}],
                    "tagSet": tags(&instance.tags),
                }],
            }));
        }
    }
    let (page, next) = ask.page(reservations, "NextToken", "MaxResults", 1_000)?;
    Ok(with_token(json!({"reservationSet": page}), next))
}

fn prefix_lists(_: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let ids = numbered(ask, "PrefixListId");
    let filters = filters(ask, &["prefix-list-id", "prefix-list-name", "owner-id"])?;
    let mut lists = vec![
        (
            "pl-0721453c7ac4ec009".to_owned(),
            format!("com.amazonaws.{}.vpc-lattice", ask.region),
            "IPv4",
            "AWS",
        ),
        (
            "pl-0bbd6a4ec37a3c0f0".to_owned(),
            format!("com.amazonaws.{}.ipv6.vpc-lattice", ask.region),
            "IPv6",
            "AWS",
        ),
    ];
    for list in &ask.surroundings.prefix_lists {
        let v6 = list.cidrs.first().is_some_and(|range| matches!(range, IpNet::V6(_)));
        let family = if v6 { "IPv6" } else { "IPv4" };
        lists.push((list.id.clone(), list.name.clone(), family, ask.caller.account.as_str()));
    }
    let fits = |(id, name, _, owner): &(String, String, &str, &str)| {
        (ids.is_empty() || ids.contains(&id.as_str()))
            && filters.iter().all(|filter| match filter.name {
                "prefix-list-id" => filter.values.contains(&id.as_str()),
                "prefix-list-name" => filter.values.contains(&name.as_str()),
                _ => filter.values.contains(owner),
            })
    };
    let shown: Vec<Value> = lists
        .into_iter()
        .filter(fits)
        .map(|(id, name, family, owner)| {
            let arn = format!("arn:aws:ec2:{}:{}:prefix-list/{id}", ask.region, owner.to_lowercase());
            json!({
                "prefixListId": id,
                "prefixListName": name,
                "prefixListArn": arn,
                "addressFamily": family,
                "ownerId": owner,
                "state": "create-complete",
                "version": 1,
            })
        })
        .collect();
    let (page, next) = ask.page(shown, "NextToken", "MaxResults", 100)?;
    Ok(with_token(json!({"prefixListSet": page}), next))
}

/// The values of `NAME.1`, `NAME.2` and so on.
fn numbered<'a>(ask: &'a Ask<'_>, name: &str) -> Vec<&'a str> {
    (1..=1_000).map_while(|n| ask.input.get(&format!("{name}.{n}")).and_then(Value::as_str)).collect()
}

/// The call's filters. A filter that is not among those allowed, nor for a tag, is refused, since it would find too much.
fn filters<'a>(ask: &'a Ask<'_>, allowed: &[&str]) -> Result<Vec<Filter<'a>>, Error> {
    let mut filters = Vec::new();
    for n in 1..=200 {
        let Some(name) = ask.input.get(&format!("Filter.{n}.Name")).and_then(Value::as_str) else { break };
        if !allowed.contains(&name) && name != "tag-key" && !name.starts_with("tag:") {
            let message = format!("The filter '{name}' is not served by this simulator.");
            return Err(Error::new("InvalidParameterValue", message));
        }
        filters.push(Filter { name, values: numbered(ask, &format!("Filter.{n}.Value")) });
    }
    Ok(filters)
}

impl Filter<'_> {
    fn fits_tags(&self, tags: &Tags) -> bool {
        match self.name.strip_prefix("tag:") {
            Some(key) => tags.get(key).is_some_and(|value| self.values.contains(&value.as_str())),
            None => tags.keys().any(|key| self.values.contains(&key.as_str())),
        }
    }
}

fn tags(tags: &Tags) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    answer
}
