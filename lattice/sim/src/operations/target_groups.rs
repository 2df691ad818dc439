//! Target groups: create, get, list, update, delete.

use serde_json::{Map, Value, json};

use crate::error::{Refusal, ResourceType};
use crate::settings::choice::{HttpsProtocol, NotApplicable};
use crate::state::target::any_draining;
use crate::state::target_group::{Config, GroupType, HealthCheck, Protocol, TargetGroup};
use crate::state::{End, State, arn, page};

use super::tags::new_tags;
use super::{Call, delete as delete_resource, object};

const KIND: ResourceType = ResourceType::TargetGroup;
const IDENTIFIER: &str = "targetGroupIdentifier";

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let tags = new_tags(call)?;
    let kind = GroupType::parse(call.text("type"))
        .ok_or_else(|| Refusal::field("type", "must be a type of target group"))?;
    let empty = Map::new();
    let config = read_config(kind, call.input.get("config").and_then(Value::as_object).unwrap_or(&empty))?;
    if let Some(id) = state.tokens.replay(call, KIND, |id| state.groups.place(id).is_some())?
        && let Some(group) = state.groups.get(&id)
    {
        return Ok(created(call, group));
    }
    call.admit(&state.groups, call.settings.target_groups.0)?;
    if let Some(vpc) = config.vpc.as_deref().filter(|vpc| !call.surroundings.has_vpc(vpc)) {
        return Err(Refusal::field("config.vpcIdentifier", format!("{vpc} does not exist")));
    }
    let named = state.name::<TargetGroup>(call);
    let id = named.0.clone();
    let group = TargetGroup::new(named, call, kind, config, tags);
    let answer = created(call, &group);
    state.groups.insert(id.clone(), group);
    state.tokens.remember(call, &id);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let group: &TargetGroup = state.visible(call, IDENTIFIER)?;
    let failure = group.life.failure(call.now);
    Ok(object([
        ("id", Some(json!(group.id))),
        ("arn", Some(json!(group.arn))),
        ("name", Some(json!(group.name))),
        ("type", Some(json!(group.kind.text()))),
        ("config", Some(config(call, group))),
        ("createdAt", Some(json!(call.iso(group.life.created)))),
        ("lastUpdatedAt", Some(json!(call.iso(group.life.updated)))),
        ("status", Some(json!(group.life.status(call.now)))),
        ("serviceArns", Some(service_arns(state, group))),
        ("failureCode", failure.map(|failure| json!(failure.code))),
        ("failureMessage", failure.map(|failure| json!(failure.message))),
    ]))
}

pub(super) fn list(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let start = page::start(call)?;
    let (vpc, kind) = (call.optional_text("vpcIdentifier"), call.optional_text("targetGroupType"));
    let groups = state.groups.after(start, call.settings.list_order).filter(|(_, group)| {
        group.account == call.account
            && vpc.is_none_or(|vpc| group.config.vpc.as_deref() == Some(vpc))
            && kind.is_none_or(|kind| group.kind.text() == kind)
    });
    Ok(page::page(call, groups, |group| {
        object([
            ("id", Some(json!(group.id))),
            ("arn", Some(json!(group.arn))),
            ("name", Some(json!(group.name))),
            ("type", Some(json!(group.kind.text()))),
            ("createdAt", Some(json!(call.iso(group.life.created)))),
            ("port", group.config.port.map(Value::from)),
            ("protocol", group.config.protocol.map(|protocol| json!(protocol.text()))),
            ("ipAddressType", group.config.ip_address_type.clone().map(Value::from)),
            ("vpcIdentifier", group.config.vpc.clone().map(Value::from)),
            ("lastUpdatedAt", Some(json!(call.iso(group.life.updated)))),
            ("status", Some(json!(group.life.status(call.now)))),
            ("serviceArns", Some(service_arns(state, group))),
            ("lambdaEventStructureVersion", group.config.lambda_version.clone().map(Value::from)),
        ])
    }))
}

pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let group: &TargetGroup = state.own(call, IDENTIFIER)?;
    let id = group.id.clone();
    if group.life.status(call.now) != "ACTIVE" {
        return Err(call.busy(group));
    }
    let empty = Map::new();
    let given = call.input.get("healthCheck").and_then(Value::as_object).unwrap_or(&empty);
    let health = read_health(group.kind, &group.config, given, group.config.health.as_ref())?;
    if let Some(group) = state.groups.get_mut(&id) {
        group.set_health(health, call.now, call.settings);
    }
    state.own(call, IDENTIFIER).map(|group| created(call, group))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, Refusal> {
    let refuse = |_: &State, group: &TargetGroup| {
        let id = &group.id;
        if group.used() {
            let message = format!("Target group {id} is used by a rule or a default action of a listener.");
            return Err(call.conflict(KIND, id, message));
        }
        if any_draining(&group.targets) {
            return Err(call.conflict(KIND, id, format!("Target group {id} has targets that are draining.")));
        }
        Ok(())
    };
    let takes = call.settings.target_group_delete.0;
    let end = |id| End::TargetGroup { id };
    let found = delete_resource::<TargetGroup>(state, call, IDENTIFIER, takes, end, refuse)?;
    let Some(group) = found.and_then(|id| state.groups.get(&id)) else {
        let id = arn::last_part(call.text(IDENTIFIER));
        let arn = arn::arn(call.region, call.account, &format!("targetgroup/{id}"));
        return Ok(json!({"id": id, "arn": arn, "status": "DELETE_IN_PROGRESS"}));
    };
    Ok(json!({"id": group.id, "arn": group.arn, "status": group.life.status(call.now)}))
}

/// The answer to creation and update.
fn created(call: &Call<'_>, group: &TargetGroup) -> Value {
    object([
        ("id", Some(json!(group.id))),
        ("arn", Some(json!(group.arn))),
        ("name", Some(json!(group.name))),
        ("type", Some(json!(group.kind.text()))),
        ("config", Some(config(call, group))),
        ("status", Some(json!(group.life.status(call.now)))),
    ])
}

fn service_arns(state: &State, group: &TargetGroup) -> Value {
    group.services().filter_map(|id| state.services.get(id)).map(|service| json!(service.arn)).collect()
}

fn config(call: &Call<'_>, group: &TargetGroup) -> Value {
    let config = &group.config;
    let health = match (&config.health, call.settings.not_applicable_echo) {
        (Some(health), _) => Some(object([
            ("enabled", Some(json!(health.enabled))),
            ("protocol", Some(json!(echoed_protocol(call, group, health)))),
            ("protocolVersion", Some(json!(health.protocol_version))),
            ("port", health.port.map(Value::from)),
            ("path", Some(json!(health.path))),
            ("healthCheckIntervalSeconds", Some(json!(health.interval))),
            ("healthCheckTimeoutSeconds", Some(json!(health.timeout))),
            ("healthyThresholdCount", Some(json!(health.healthy))),
            ("unhealthyThresholdCount", Some(json!(health.unhealthy))),
            ("matcher", Some(json!({"httpCode": health.matcher}))),
        ])),
        (None, NotApplicable::Disabled) => Some(json!({"enabled": false})),
        (None, NotApplicable::Omitted) => None,
    };
    object([
        ("port", config.port.map(Value::from)),
        ("protocol", config.protocol.map(|protocol| json!(protocol.text()))),
        ("protocolVersion", config.protocol_version.clone().map(Value::from)),
        ("ipAddressType", config.ip_address_type.clone().map(Value::from)),
        ("vpcIdentifier", config.vpc.clone().map(Value::from)),
        ("healthCheck", health),
        ("lambdaEventStructureVersion", config.lambda_version.clone().map(Value::from)),
    ])
}

fn echoed_protocol(call: &Call<'_>, group: &TargetGroup, health: &HealthCheck) -> &'static str {
    let inherited = group.config.protocol == Some(Protocol::Https) && health.protocol == Protocol::Https;
    match call.settings.https_protocol_echo {
        HttpsProtocol::Http if inherited => Protocol::Http.text(),
        _ => health.protocol.text(),
    }
}

fn read_config(kind: GroupType, given: &Map<String, Value>) -> Result<Config, Refusal> {
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let refuse = |name: &str, message: &str| {
        Err(Refusal::field(
            &format!("config.{name}"),
            format!("{message} a target group of type {}", kind.text()),
        ))
    };
    let only_for = |name: &str| refuse(name, "is not allowed for");
    if kind == GroupType::Lambda {
        for name in ["port", "protocol", "protocolVersion", "ipAddressType", "vpcIdentifier", "healthCheck"] {
            if given.contains_key(name) {
                return only_for(name);
            }
        }
        let version = text("lambdaEventStructureVersion").unwrap_or_else(|| "V1".to_owned());
        return Ok(Config { lambda_version: Some(version), ..Config::default() });
    }
    if given.contains_key("lambdaEventStructureVersion") {
        return only_for("lambdaEventStructureVersion");
    }
    if kind != GroupType::Ip && given.contains_key("ipAddressType") {
        return only_for("ipAddressType");
    }
    let Some(protocol) = text("protocol").as_deref().and_then(Protocol::parse) else {
        return refuse("protocol", "must be present for");
    };
    let Some(vpc) = text("vpcIdentifier") else {
        return refuse("vpcIdentifier", "must be present for");
    };
    let port = given.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    let Some(port) = port.or(match protocol {
        Protocol::Http => Some(80),
        Protocol::Https => Some(443),
        Protocol::Tcp => None,
    }) else {
        return Err(Refusal::field("config.port", "must be present for the protocol TCP"));
    };
    let protocol_version = text("protocolVersion");
    if protocol == Protocol::Tcp && protocol_version.is_some() {
        return Err(Refusal::field("config.protocolVersion", "is not allowed for the protocol TCP"));
    }
    let mut config = Config {
        port: Some(port),
        protocol: Some(protocol),
        protocol_version: (protocol != Protocol::Tcp)
            .then(|| protocol_version.unwrap_or_else(|| "HTTP1".to_owned())),
        ip_address_type: (kind == GroupType::Ip)
            .then(|| text("ipAddressType").unwrap_or_else(|| "IPV4".to_owned())),
        vpc: Some(vpc),
        lambda_version: None,
        health: None,
    };
    let empty = Map::new();
    let health = given.get("healthCheck").and_then(Value::as_object);
    config.health = match (kind, health) {
        (GroupType::Alb, Some(_)) => return only_for("healthCheck"),
        (GroupType::Alb, None) => None,
        (_, health) => read_health(kind, &config, health.unwrap_or(&empty), None)?,
    };
    Ok(config)
}

/// A health check of these members over `before`, or over the defaults. A 0 and an empty text reset to the default.
fn read_health(
    kind: GroupType,
    config: &Config,
    given: &Map<String, Value>,
    before: Option<&HealthCheck>,
) -> Result<Option<HealthCheck>, Refusal> {
    if matches!(kind, GroupType::Alb | GroupType::Lambda) {
        let message = format!("is not allowed for a target group of type {}", kind.text());
        return Err(Refusal::field("healthCheck", message));
    }
    let default = default_health(config);
    let base = before.unwrap_or(&default);
    let number = |name: &str, base: u32, default: u32| match given.get(name).and_then(Value::as_u64) {
        None => base,
        Some(0) => default,
        Some(n) => u32::try_from(n).unwrap_or(default),
    };
    let text = |name: &str, base: &str, default: &str| match given.get(name).and_then(Value::as_str) {
        None => base.to_owned(),
        Some("") => default.to_owned(),
        Some(text) => text.to_owned(),
    };
    let matcher = given.get("matcher").and_then(Value::as_object);
    let matcher = match matcher.and_then(|matcher| matcher.get("httpCode")).and_then(Value::as_str) {
        None => base.matcher.clone(),
        Some("") => default.matcher.clone(),
        Some(codes) => codes.to_owned(),
    };
    let health = HealthCheck {
        enabled: given.get("enabled").and_then(Value::as_bool).unwrap_or(base.enabled),
        protocol: given
            .get("protocol")
            .and_then(Value::as_str)
            .and_then(Protocol::parse)
            .unwrap_or(base.protocol),
        protocol_version: text("protocolVersion", &base.protocol_version, &default.protocol_version),
        port: match given.get("port").and_then(Value::as_u64) {
            None => base.port,
            Some(0) => None,
            Some(port) => u16::try_from(port).ok(),
        },
        path: text("path", &base.path, &default.path),
        interval: number("healthCheckIntervalSeconds", base.interval, default.interval),
        timeout: number("healthCheckTimeoutSeconds", base.timeout, default.timeout),
        healthy: number("healthyThresholdCount", base.healthy, default.healthy),
        unhealthy: number("unhealthyThresholdCount", base.unhealthy, default.unhealthy),
        matcher,
    };
    // The model's bounds begin at 0, which means reset; those of the documentation begin higher.
    for (name, value, least) in [
        ("healthCheckIntervalSeconds", health.interval, 5),
        ("healthyThresholdCount", health.healthy, 2),
        ("unhealthyThresholdCount", health.unhealthy, 2),
    ] {
        if value < least {
            return Err(Refusal::field(
                &format!("healthCheck.{name}"),
                format!("must be at least {least}, or 0"),
            ));
        }
    }
    Ok(Some(health))
}

/// The documented defaults: on for HTTP1 only.
fn default_health(config: &Config) -> HealthCheck {
    HealthCheck {
        enabled: config.protocol_version.as_deref() == Some("HTTP1"),
        protocol: if config.protocol == Some(Protocol::Https) { Protocol::Https } else { Protocol::Http },
        protocol_version: "HTTP1".to_owned(),
        port: None,
        path: "/".to_owned(),
        interval: 30,
        timeout: 5,
        healthy: 5,
        unhealthy: 2,
        matcher: "200".to_owned(),
    }
}
