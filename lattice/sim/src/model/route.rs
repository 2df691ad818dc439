//! From method and raw path to the operation and its path variables.

use percent_encoding::percent_decode_str;

use super::{Operation, operations};

/// An operation found, with the values of its path variables in order of the path.
#[derive(Debug)]
pub struct Route {
    /// The operation.
    pub operation: &'static Operation,
    /// Member name and decoded value of each variable segment.
    pub variables: Vec<(&'static str, String)>,
}

/// Finds the operation for a request.
///
/// The raw path is split before it is decoded, since an ARN travels percent-encoded, slashes included, in one
/// segment. A segment that is no UTF-8 after decoding matches nothing.
#[must_use]
pub fn route(method: &str, raw_path: &str) -> Option<Route> {
    let path = raw_path.strip_prefix('/').unwrap_or(raw_path);
    let segments: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    operations().iter().filter(|operation| operation.method == method).find_map(|operation| {
        let mut pattern = operation.path.trim_start_matches('/').split('/');
        let mut variables = Vec::new();
        for segment in &segments {
            let expected = pattern.next()?;
            if let Some(member) = expected.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                let value = percent_decode_str(segment).decode_utf8().ok()?;
                if value.is_empty() {
                    return None;
                }
                variables.push((member, value.into_owned()));
            } else if expected != *segment {
                return None;
            }
        }
        pattern.next().is_none().then_some(Route { operation, variables })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let found = route(method, path);
        let found = found.as_ref().map(|found| {
            let variables: Vec<_> =
                found.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            (found.operation.name, variables)
        });
        assert_eq!(found, expected.map(|(name, variables)| (name, variables.to_vec())), "{method} {path}");
    }

    #[test]
    fn paths_lead_to_their_operation() {
        check("GET", "/targetgroups", Some(("ListTargetGroups", &[])));
        check("POST", "/targetgroups/", Some(("CreateTargetGroup", &[])));
        check("GET", "/targetgroups/tg-1", Some(("GetTargetGroup", &[("targetGroupIdentifier", "tg-1")])));
        check(
            "POST",
            "/targetgroups/tg-1/listtargets",
            Some(("ListTargets", &[("targetGroupIdentifier", "tg-1")])),
        );
        check(
            "PATCH",
            "/services/svc-1/listeners/listener-1/rules",
            Some((
                "BatchUpdateRule",
                &[("serviceIdentifier", "svc-1"), ("listenerIdentifier", "listener-1")],
            )),
        );
    }

    #[test]
    fn an_arn_is_one_segment() {
        check(
            "DELETE",
            "/tags/arn%3Aaws%3Avpc-lattice%3Aus-west-2%3A123456789012%3Aservice%2Fsvc-1",
            Some((
                "UntagResource",
                &[("resourceArn", "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-1")],
            )),
        );
    }

    #[test]
    fn what_is_no_operation_leads_nowhere() {
        check("PUT", "/targetgroups", None);
        check("GET", "/", None);
        check("GET", "/targetgroups//", None);
        check("GET", "/services/%ff", None);
        check("GET", "/services/a/b", None);
    }
}
