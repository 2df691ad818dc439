//! Whose turn it is.

use std::collections::HashMap;

/// Most rules, and most groups, whose turns are remembered; beyond it all begin anew.
const MOST_TURNS: usize = 100_000;

/// Whose turn it is, among the groups of rules and the targets of groups.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Credit of each group of a rule, by the rule's id.
    rules: HashMap<String, Vec<i64>>,
    /// Requests to a group, and connections to a resource configuration, so far.
    counts: HashMap<String, usize>,
}

impl Turns {
    /// The group whose turn it is, by weight: each gains its weight, the one with most credit pays for all of them.
    /// So counts are exact over a round, and the groups mixed within it.
    pub(super) fn group<'a>(&mut self, rule: &str, groups: &'a [(String, u64)]) -> Option<&'a (String, u64)> {
        let weight = |group: &(String, u64)| i64::try_from(group.1).unwrap_or_default();
        let total: i64 = groups.iter().map(weight).sum();
        if total == 0 {
            return None;
        }
        if self.rules.len() >= MOST_TURNS {
            self.rules.clear();
        }
        let credit = self.rules.entry(rule.to_owned()).or_default();
        credit.resize(groups.len(), 0);
        for (credit, group) in credit.iter_mut().zip(groups) {
            *credit += weight(group);
        }
        let most = credit.iter().zip(groups).enumerate().filter(|(_, (_, group))| group.1 > 0);
        let (place, _) = most.max_by_key(|(place, (credit, _))| (**credit, std::cmp::Reverse(*place)))?;
        if let Some(credit) = credit.get_mut(place) {
            *credit -= total;
        }
        groups.get(place)
    }

    /// Which of so many targets of a group, or addresses of a resource configuration, has its turn; `None` of none.
    pub(super) fn among(&mut self, id: &str, number: usize) -> Option<usize> {
        if self.counts.len() >= MOST_TURNS {
            self.counts.clear();
        }
        let turn = self.counts.entry(id.to_owned()).or_default();
        *turn = turn.wrapping_add(1);
        turn.checked_rem(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_exact_over_a_round_and_mixed_within_it() {
        let groups = [("a".to_owned(), 5), ("b".to_owned(), 0), ("c".to_owned(), 3)];
        let mut turns = Turns::default();
        let drawn: String = (0..16).map(|_| turns.group("rule", &groups).unwrap().0.clone()).collect();
        assert_eq!(drawn, "acaacacaacaacaca");
        assert!(turns.group("other", &[("a".to_owned(), 0)]).is_none());
    }
}
