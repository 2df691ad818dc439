//! The order of a route's rules as its annotations have it, instead of the standard's.

use lath_kubernetes::names;
use lattice::limits::LAST_PRIORITY;

use crate::gateway::route::Route;

/// The number of each rule, of which the lowest is tried first: that of its annotation, else its place in the route from 1,
/// which is how the AWS controller counts. All are 0 where no rule has an annotation: then the standard's order is in force.
///
/// # Errors
/// What is wrong with an annotation.
pub(super) fn numbers(route: &Route, merged: bool) -> Result<Vec<u16>, String> {
    let annotations = route.meta.annotations.iter().flatten();
    let mut given: Vec<(usize, u16)> = Vec::new();
    for (key, value) in annotations {
        let Some(index) =
            key.strip_prefix(names::AWS_RULE_PREFIX).and_then(|rest| rest.strip_suffix("-priority"))
        else {
            continue;
        };
        let place = index.parse().ok().filter(|place| *place < route.rules.len());
        let number = value.parse().ok().filter(|number| (1..=LAST_PRIORITY).contains(number));
        match (place, number) {
            (Some(place), Some(number)) => given.push((place, number)),
            (None, _) => {
                return Err(format!(
                    "The annotation {key} is for a rule that the route does not have: rules are counted from 0, and the \
                     route has {}",
                    route.rules.len()
                ));
            }
            (_, None) => {
                return Err(format!(
                    "The annotation {key} is {value:?}, which is no priority: a number from 1 to {LAST_PRIORITY}, of which \
                     the lowest is tried first"
                ));
            }
        }
    }
    if given.is_empty() {
        return Ok(vec![0; route.rules.len()]);
    }
    if merged {
        return Err(format!(
            "The annotations {}…-priority order the rules of one route, and the Gateway has the rules of all routes of a \
             hostname in one service: remove them, since the standard's order is in force there",
            names::AWS_RULE_PREFIX
        ));
    }
    let usual = |place: usize| u16::try_from(place + 1).unwrap_or(u16::MAX);
    let mut numbers: Vec<u16> = (0..route.rules.len()).map(usual).collect();
    for (place, number) in given {
        if let Some(there) = numbers.get_mut(place) {
            *there = number;
        }
    }
    Ok(numbers)
}
