//! What a resource configuration stands for, and its ports, checked beyond what the model says.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use crate::error::Refusal;
use crate::state::backend::{ConfigurationType, ResourceGateway, port_range};

const AT: &str = "resourceConfigurationDefinition";

/// Refuses a definition that does not go with the type or with the gateway, or whose address is none.
pub(super) fn check_definition(
    kind: ConfigurationType,
    definition: Option<&Value>,
    gateway: Option<&ResourceGateway>,
) -> Result<(), Refusal> {
    let Some((member, value)) = definition.and_then(Value::as_object).and_then(|union| union.iter().next())
    else {
        return Ok(());
    };
    let fits = match kind {
        ConfigurationType::Arn => member == "arnResource",
        ConfigurationType::Cidr => member == "cidrResource",
        ConfigurationType::Group => false,
        ConfigurationType::Child | ConfigurationType::Single => {
            member == "dnsResource" || member == "ipResource"
        }
    };
    if !fits {
        let message = format!("{member} is not allowed for the type {}", kind.text());
        return Err(Refusal::field(AT, message));
    }
    let wrong =
        |inner: &str, message: String| Err(Refusal::field(&format!("{AT}.{member}.{inner}"), message));
    match member.as_str() {
        "ipResource" => {
            let address = value["ipAddress"].as_str().unwrap_or_default();
            let Ok(parsed) = address.parse::<IpAddr>() else {
                return wrong("ipAddress", format!("{address} is not an IP address"));
            };
            let family = gateway.map_or("DUALSTACK", |gateway| gateway.ip_address_type.as_str());
            let other = if parsed.is_ipv4() { "IPV6" } else { "IPV4" };
            if family == other {
                let message = format!("{address} can't be reached by a resource gateway of type {family}");
                return wrong("ipAddress", message);
            }
        }
        "dnsResource" if value["domainName"].as_str().is_none() => {
            return wrong("domainName", "must be present".to_owned());
        }
        "arnResource" if value["arn"].as_str().is_none() => {
            return wrong("arn", "must be present".to_owned());
        }
        "cidrResource" => {
            let ranges = value["cidrRanges"].as_array();
            if ranges.is_none() {
                return wrong("cidrRanges", "must be present".to_owned());
            }
            for (n, range) in ranges.into_iter().flatten().enumerate() {
                let range = range.as_str().unwrap_or_default();
                if range.parse::<IpNet>().is_err() {
                    return wrong(
                        &format!("cidrRanges[{n}]"),
                        format!("{range} is not a range of addresses"),
                    );
                }
            }
            if gateway.is_some_and(|gateway| gateway.dns_resolution != "IN_VPC") {
                let message = "needs a resource gateway whose DNS resolution is IN_VPC";
                return Err(Refusal::field(&format!("{AT}.cidrResource"), message));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Refuses ranges that are none. Those of `TCP_UDP`, which is there for DNS, have to hold port 53.
pub(super) fn check_ports(ports: &[String], protocol: Option<&str>) -> Result<(), Refusal> {
    let mut dns = false;
    for (n, range) in ports.iter().enumerate() {
        let Some((first, last)) = port_range(range) else {
            let message = format!("{range} is not a range of ports");
            return Err(Refusal::field(&format!("portRanges[{n}]"), message));
        };
        dns |= (first..=last).contains(&53);
    }
    if protocol == Some("TCP_UDP") && !dns {
        return Err(Refusal::field("portRanges", "must hold port 53 for the protocol TCP_UDP"));
    }
    Ok(())
}
