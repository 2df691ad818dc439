//! Host names of routes and listeners.

/// A service's own host name; `None`: only the name that Lattice gives it.
pub(super) type Hostname = Option<String>;

/// The host names that a route has at a listener: what both serve. Empty if they have none in common.
pub(super) fn intersect(route: &[String], listener: Option<&str>) -> Vec<Hostname> {
    match (route, listener) {
        ([], listener) => vec![listener.map(str::to_owned)],
        (route, None) => route.iter().cloned().map(Some).collect(),
        (route, Some(listener)) => {
            let mut common: Vec<Hostname> = Vec::new();
            for own in route.iter().filter_map(|own| narrower(own, listener)) {
                let own = Some(own.to_owned());
                if !common.contains(&own) {
                    common.push(own);
                }
            }
            common
        }
    }
}

/// Whether a certificate for `pattern` is good for `name`: a wildcard stands for one label.
pub(super) fn certified(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(name),
        Some(domain) => name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
    }
}

/// The one of two host names that the other covers; `None` if neither does.
fn narrower<'a>(one: &'a str, two: &'a str) -> Option<&'a str> {
    if covers(two, one) {
        Some(one)
    } else if covers(one, two) {
        Some(two)
    } else {
        None
    }
}

/// Whether every name that `narrow` stands for is one of those of `wide`. A wildcard stands for one label or more.
fn covers(wide: &str, narrow: &str) -> bool {
    match wide.strip_prefix('*') {
        None => wide == narrow,
        Some(suffix) => wide == narrow || (narrow.len() > suffix.len() && narrow.ends_with(suffix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_route_and_listener_have_in_common() {
        for (route, listener, common) in [
            (&[][..], None, &[None][..]),
            (&[], Some("a.x"), &[Some("a.x")]),
            (&["a.x", "b.x"], None, &[Some("a.x"), Some("b.x")]),
            (&["a.x", "b.y"], Some("*.x"), &[Some("a.x")]),
            (&["*.x"], Some("a.x"), &[Some("a.x")]),
            (&["*.b.x"], Some("*.x"), &[Some("*.b.x")]),
            (&["*.x"], Some("*.b.x"), &[Some("*.b.x")]),
            (&["x"], Some("*.x"), &[]),
            (&["a.b.x"], Some("*.x"), &[Some("a.b.x")]),
            (&["ax"], Some("*.x"), &[]),
            (&["*.x", "a.x"], Some("a.x"), &[Some("a.x")]),
        ] {
            let route: Vec<String> = route.iter().map(|&name| name.into()).collect();
            let common: Vec<Hostname> = common.iter().map(|name| name.map(str::to_owned)).collect();
            assert_eq!(intersect(&route, listener), common, "{route:?} {listener:?}");
        }
    }

    #[test]
    fn a_certificates_wildcard_is_one_label() {
        assert!(certified("*.x.org", "a.x.org") && certified("a.x.org", "A.x.org"));
        assert!(!certified("*.x.org", "a.b.x.org") && !certified("*.x.org", "x.org"));
        assert!(certified("*.x.org", "*.x.org"));
    }
}
