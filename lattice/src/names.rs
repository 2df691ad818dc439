//! Names and tags of what Lath makes at VPC Lattice.
//!
//! Names follow the AWS Gateway API Controller's pattern, since people's policies, dashboards and DNS records go by them.
//! They say little: a name is cut where it would be too long, and two may become the same. What a resource is for
//! stands in its tags, by which it is found again.

use ring::digest::{SHA256, digest};

use crate::{
    declared::DeclaredKey,
    service::{GroupKey, ListenerProtocol, Owner, ServiceGroupKey},
};

/// Longest name of a service. Source: API model, `ServiceName`.
pub const SERVICE_LENGTH: usize = 40;

/// Longest value of a tag. Source: API model, `TagValue`.
const TAG_LENGTH: usize = 256;

/// The name of a route's service, `<route>-<namespace>`, each cut to a share of the length.
#[must_use]
pub fn service(route: &str, namespace: &str) -> String {
    let name = legal(&format!("{}-{}", cut(route, 20), cut(namespace, 18)));
    cut(&name, SERVICE_LENGTH).into()
}

/// A name that differs from [`service`] where that is taken: its beginning, and a digest of what the service is for.
#[must_use]
pub fn service_of_its_own(route: &str, namespace: &str, owner: &Owner) -> String {
    let name = service(route, namespace);
    format!("{}-{}", cut(&name, SERVICE_LENGTH - 9), &hash(owner)[..8])
}

/// The name of a listener, `<route>-<namespace>-<port>-<protocol>`.
#[must_use]
pub fn listener(route: &str, namespace: &str, port: u16, protocol: ListenerProtocol) -> String {
    let protocol = match protocol {
        ListenerProtocol::Http => "http",
        ListenerProtocol::Https => "https",
        ListenerProtocol::TlsPassthrough => "tls",
    };
    legal(&format!("{}-{}-{port}-{protocol}", cut(route, 20), cut(namespace, 18)))
}

/// The name of a target group, `k8s-<namespace>-<service>-<digest>`. The digest is of the group's key and of `turn`, which
/// is another for each group that is made for a key.
#[must_use]
pub fn group(key: &ServiceGroupKey, turn: &str) -> String {
    let digest = hash(&format!("{}\n{turn}", key_text(key)));
    legal(&format!("k8s-{}-{}-{}", cut(&key.namespace, 55), cut(&key.service, 55), &digest[..10]))
}

/// The name of a group of declared targets, as [`group`] has it.
#[must_use]
pub fn declared(key: &DeclaredKey, turn: &str) -> String {
    let digest = hash(&format!("{}\n{turn}", declared_text(key)));
    legal(&format!("k8s-{}-{}-{}", cut(&key.namespace, 55), cut(&key.name, 55), &digest[..10]))
}

/// The value of [`crate::tags::GROUP`] for a group that Lath makes.
#[must_use]
pub fn tag_of(key: &GroupKey) -> Option<String> {
    match key {
        GroupKey::Service(key) => Some(group_tag(key)),
        GroupKey::Declared(key) => Some(hash(&declared_text(key))[..40].into()),
        GroupKey::External(_) | GroupKey::Imported(_) => None,
    }
}

fn declared_text(key: &DeclaredKey) -> String {
    let DeclaredKey { owner, namespace, name, form, vpc, single } = key;
    let (vpc, single) = (vpc.as_deref().unwrap_or_default(), single.as_deref().unwrap_or_default());
    format!("{owner}\nTargetGroup {namespace}/{name}\n{} {vpc} {single}", form.describe())
}

/// The name of a route's resource configuration, and of the directory that it leads to. Names of either are unique, in the
/// account or in the namespace, so it ends with a digest of what it is for, of `cluster` as well.
#[must_use]
pub fn of_layer4(route: &str, namespace: &str, owner: &Owner, cluster: &str) -> String {
    let digest = hash(&format!("{owner}\n{cluster}"));
    let name = legal(&format!("{}-{}-{}", cut(route, 15), cut(namespace, 12), &digest[..10]));
    // Nor may a resource configuration.
    if name.starts_with("rcfg-") { cut(&format!("k-{name}"), SERVICE_LENGTH).into() } else { name }
}

/// The name of a resource gateway.
#[must_use]
pub fn resource_gateway(owner: &Owner, cluster: &str) -> String {
    let digest = hash(&format!("{owner}\n{cluster}"));
    legal(&format!("k8s-{}-{}", cut(cluster, 24), &digest[..10]))
}

/// The value of [`crate::tags::OWNER`] for an owner: itself where that is a legal value, else a digest.
#[must_use]
pub fn owner_tag(owner: &Owner) -> String {
    tag_value(owner)
}

/// The value of [`crate::tags::GROUP`] for a key: a digest, since a key is longer than a value may be.
#[must_use]
pub fn group_tag(key: &ServiceGroupKey) -> String {
    hash(&key_text(key))[..40].into()
}

/// A text as the value of a tag: itself if it may be one, else a digest.
#[must_use]
pub fn tag_value(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    if text.chars().all(plain) && text.chars().count() <= TAG_LENGTH { text.into() } else { hash(text) }
}

/// A key in words, for messages.
#[must_use]
pub fn describe(key: &GroupKey) -> String {
    match key {
        GroupKey::Service(key) => format!("{}/{} port {}", key.namespace, key.service, key.port),
        GroupKey::External(arn) => arn.id().into(),
        GroupKey::Declared(key) => format!("TargetGroup {}/{}", key.namespace, key.name),
        GroupKey::Imported(key) => format!("the export {}/{}", key.namespace, key.name),
    }
}

fn key_text(key: &ServiceGroupKey) -> String {
    let ServiceGroupKey { owner, namespace, service, port, protocol, family } = key;
    let version = protocol.version().map_or("", crate::service::HttpVersion::as_str);
    format!("{owner}\n{namespace}/{service}:{port}\n{} {version} {family}", protocol.as_str())
}

/// The first characters of a name, without hyphens at either end.
fn cut(text: &str, length: usize) -> &str {
    let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
    text[..end].trim_matches('-')
}

/// The text with only what a name may hold: lower-case letters, digits, and single hyphens within.
fn legal(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
        if c != '-' || !(name.is_empty() || name.ends_with('-')) {
            name.push(c);
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    // A service may not be called after the prefix of ids.
    if name.starts_with("svc-") { format!("k8s-{name}") } else { name }
}

/// SHA-256 of a text in hexadecimal. Nobody can find two texts with the same one, so no tenant can name an object such
/// that it is taken for another's.
#[must_use]
pub fn hash(text: &str) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    let bytes = digest(&SHA256, text.as_bytes());
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_the_aws_controller() {
        for (route, namespace, name) in [
            ("checkout", "shop", "checkout-shop"),
            (
                "a-route-with-a-rather-long-name",
                "a-namespace-with-a-long-name",
                "a-route-with-a-rathe-a-namespace-with-a",
            ),
            // Hyphens at the cut are trimmed.
            ("nineteen-characters-x", "n", "nineteen-characters-n"),
            // What AWS would refuse is made legal.
            ("a.b--c", "n", "a-b-c-n"),
            ("svc-1", "n", "k8s-svc-1-n"),
        ] {
            assert_eq!(service(route, namespace), name);
        }
        assert_eq!(listener("checkout", "shop", 80, ListenerProtocol::Http), "checkout-shop-80-http");
    }

    proptest! {
        #[test]
        fn names_are_legal(
            route in "[a-z0-9]([-a-z0-9.]{0,80}[a-z0-9])?",
            namespace in "[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?",
        ) {
            let owner = format!("HTTPRoute/{namespace}/{route}");
            for name in [service(&route, &namespace), service_of_its_own(&route, &namespace, &owner)] {
                prop_assert!(name.len() <= SERVICE_LENGTH, "{}", name);
                prop_assert!(!name.starts_with("svc-") && !name.contains("--"), "{}", name);
                prop_assert!(!name.starts_with('-') && !name.ends_with('-'), "{}", name);
            }
            for name in [of_layer4(&route, &namespace, &owner, "demo"), resource_gateway(&owner, &namespace)] {
                prop_assert!((3..=SERVICE_LENGTH).contains(&name.len()), "{}", name);
                prop_assert!(!name.starts_with("rcfg-") && !name.starts_with("rgw-"), "{}", name);
                prop_assert!(!name.contains("--") && !name.contains('.'), "{}", name);
                prop_assert!(!name.starts_with('-') && !name.ends_with('-'), "{}", name);
            }
            let listener = listener(&route, &namespace, 65535, ListenerProtocol::TlsPassthrough);
            prop_assert!(listener.len() <= 63);
            prop_assert!(tag_value(&owner).len() <= TAG_LENGTH);
        }
    }
}
