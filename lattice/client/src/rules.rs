//! Rules of listeners.

use aws_sdk_vpclattice::{
    error::BuildError,
    types::{self, HeaderMatchType, HttpMatch, PathMatchType, RuleMatch, RuleUpdate},
};
use lattice::{
    TargetGroupArn,
    id::{ListenerId, RuleId, ServiceId},
    limits::PAGE_ITEMS,
    observed::{PlacedRule, RuleSummary},
    rule::{Comparison, HeaderMatch, Match, PathMatch, Rule},
};

use crate::{
    Client, Error, Operation, Urgency, action,
    answer::{id_of, lacks, number, required},
    error::unfit,
};

/// What a rule shall be, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// Which rule.
    pub id: RuleId,
    /// Its place.
    pub priority: u16,
    /// What it shall say.
    pub rule: Rule<TargetGroupArn>,
}

/// What became of the changes of a call that was served. Each one that was sent is in exactly one of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleOutcome {
    /// Rules that were changed.
    pub done: Vec<RuleId>,
    /// Rules that were not, although the call was served.
    pub failed: Vec<RuleFailure>,
}

/// Why a rule was not changed by a call that was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFailure {
    /// Which rule.
    pub id: RuleId,
    /// There is no list of these.
    pub code: String,
    /// AWS's words.
    pub message: String,
}

impl Client {
    /// Reads which rules a listener has, its default one included.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn rules(
        &self,
        service: &ServiceId,
        listener: &ListenerId,
        urgency: Urgency,
    ) -> Result<Vec<RuleSummary>, Error> {
        let ask = |token| {
            let call = self.sdk.list_rules().service_identifier(service.as_str());
            let call = call.listener_identifier(listener.as_str());
            call.max_results(PAGE_ITEMS).set_next_token(token).send()
        };
        self.follow(Operation::ListRules, urgency, ask, |page| {
            Ok((page.items().iter().map(summary).collect::<Result<_, _>>()?, page.next_token))
        })
        .await
    }

    /// Reads a rule that is not the default one, which has no place.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn rule(
        &self,
        service: &ServiceId,
        listener: &ListenerId,
        rule: &RuleId,
        urgency: Urgency,
    ) -> Result<PlacedRule, Error> {
        let operation = Operation::GetRule;
        let call = self
            .sdk
            .get_rule()
            .service_identifier(service.as_str())
            .listener_identifier(listener.as_str())
            .rule_identifier(rule.as_str());
        let output = self.call(operation, urgency, call.send()).await?;
        let action = action::from_sdk(output.arn().unwrap_or_default(), output.action());
        let matching = read_match(output.r#match());
        Ok(PlacedRule {
            name: output.name().unwrap_or_default().into(),
            priority: number(output.priority()).ok_or_else(|| lacks(operation, "a priority"))?,
            rule: matching.zip(action).map(|(matching, action)| Rule { matching, action }),
        })
    }

    /// Makes a rule. The same `token` with the same input gives the same rule.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn create_rule(
        &self,
        service: &ServiceId,
        listener: &ListenerId,
        name: &str,
        priority: u16,
        rule: &Rule<TargetGroupArn>,
        token: &str,
    ) -> Result<RuleId, Error> {
        let operation = Operation::CreateRule;
        let call = self
            .sdk
            .create_rule()
            .service_identifier(service.as_str())
            .listener_identifier(listener.as_str())
            .name(name)
            .priority(priority.into())
            .r#match(write_match(&rule.matching).map_err(unfit(operation))?)
            .action(action::to_sdk(&rule.action).map_err(unfit(operation))?)
            .client_token(token);
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        required(operation, "an id", output.id())
    }

    /// Changes rules of a listener, at most [`lattice::limits::RULES_PER_BATCH`] of them. Whether all fail when one does,
    /// and whether rules can swap their places, nobody says.
    ///
    /// # Errors
    /// See [`Error`]; only [`Error::Unanswered`] leaves open whether it was done.
    pub async fn update_rules(
        &self,
        service: &ServiceId,
        listener: &ListenerId,
        changes: &[RuleChange],
    ) -> Result<RuleOutcome, Error> {
        let operation = Operation::BatchUpdateRule;
        let updates = changes.iter().map(update).collect::<Result<_, _>>().map_err(unfit(operation))?;
        let call = self
            .sdk
            .batch_update_rule()
            .service_identifier(service.as_str())
            .listener_identifier(listener.as_str())
            .set_rules(Some(updates));
        let output = self.call(operation, Urgency::Change, call.send()).await?;
        Ok(outcome(changes, output.successful(), output.unsuccessful()))
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// See [`Error`]. One that is gone is [`Error::Missing`].
    pub async fn delete_rule(
        &self,
        service: &ServiceId,
        listener: &ListenerId,
        rule: &RuleId,
    ) -> Result<(), Error> {
        let call = self
            .sdk
            .delete_rule()
            .service_identifier(service.as_str())
            .listener_identifier(listener.as_str())
            .rule_identifier(rule.as_str());
        self.call(Operation::DeleteRule, Urgency::Change, call.send()).await.map(drop)
    }
}

fn summary(item: &types::RuleSummary) -> Result<RuleSummary, Error> {
    Ok(RuleSummary {
        id: required(Operation::ListRules, "an id", item.id())?,
        name: item.name().unwrap_or_default().into(),
        priority: number(item.priority()),
        is_default: item.is_default() == Some(true),
    })
}

fn update(change: &RuleChange) -> Result<RuleUpdate, BuildError> {
    RuleUpdate::builder()
        .rule_identifier(change.id.as_str())
        .priority(change.priority.into())
        .r#match(write_match(&change.rule.matching)?)
        .action(action::to_sdk(&change.rule.action)?)
        .build()
}

/// Matches an answer with what was sent.
fn outcome(
    sent: &[RuleChange],
    successful: &[types::RuleUpdateSuccess],
    unsuccessful: &[types::RuleUpdateFailure],
) -> RuleOutcome {
    let mut outcome = RuleOutcome::default();
    for RuleChange { id, .. } in sent {
        let names = |identifier: Option<&str>| identifier.map(id_of) == Some(id.as_str());
        let failure = unsuccessful.iter().find(|failure| names(failure.rule_identifier()));
        let (code, message) = match failure {
            Some(failure) => (
                failure.failure_code().unwrap_or("Unknown"),
                failure.failure_message().unwrap_or("no message"),
            ),
            None if successful.iter().any(|success| names(success.id())) => {
                outcome.done.push(id.clone());
                continue;
            }
            None => ("Unmentioned", "the answer names this rule neither as successful nor as unsuccessful"),
        };
        outcome.failed.push(RuleFailure { id: id.clone(), code: code.into(), message: message.into() });
    }
    outcome
}

/// A match as the SDK wants it. Everything is compared case-sensitively, which for headers is not the API's default.
fn write_match(matching: &Match) -> Result<RuleMatch, BuildError> {
    let path = matching.path.as_ref().map(|path| {
        let kind = match path {
            PathMatch::Exact(text) => PathMatchType::Exact(text.clone()),
            PathMatch::Prefix(text) => PathMatchType::Prefix(text.clone()),
        };
        types::PathMatch::builder().r#match(kind).case_sensitive(true).build()
    });
    let headers = matching.headers.iter().map(|header| {
        let value = header.value.clone();
        let kind = match header.comparison {
            Comparison::Exact => HeaderMatchType::Exact(value),
            Comparison::Prefix => HeaderMatchType::Prefix(value),
            Comparison::Contains => HeaderMatchType::Contains(value),
        };
        types::HeaderMatch::builder().name(&header.name).r#match(kind).case_sensitive(true).build()
    });
    let headers: Vec<_> = headers.collect::<Result<_, _>>()?;
    let http = HttpMatch::builder()
        .set_method(matching.method.clone())
        .set_path_match(path)
        .set_header_matches((!headers.is_empty()).then_some(headers));
    Ok(RuleMatch::HttpMatch(http.build()))
}

/// A match; `None` if it is none that this version can express. An absent one has no conditions.
fn read_match(given: Option<&RuleMatch>) -> Option<Match> {
    let http = match given {
        Some(RuleMatch::HttpMatch(http)) => http,
        Some(_) => return None,
        None => return Some(Match::default()),
    };
    let path = match http.path_match() {
        // Case counts unless the rule says otherwise. Source: API model, `PathMatch`.
        Some(path) if path.case_sensitive() != Some(false) => Some(match path.r#match()? {
            PathMatchType::Exact(text) => PathMatch::Exact(text.clone()),
            PathMatchType::Prefix(text) => PathMatch::Prefix(text.clone()),
            _ => return None,
        }),
        Some(_) => return None,
        None => None,
    };
    let mut headers = http.header_matches().iter().map(read_header).collect::<Option<Vec<_>>>()?;
    headers.sort();
    Some(Match { method: http.method().map(Into::into), path, headers })
}

fn read_header(given: &types::HeaderMatch) -> Option<HeaderMatch> {
    // Case does not count unless the rule says so. Source: API model, `HeaderMatch`.
    if given.case_sensitive() != Some(true) {
        return None;
    }
    let (comparison, value) = match given.r#match()? {
        HeaderMatchType::Exact(value) => (Comparison::Exact, value),
        HeaderMatchType::Prefix(value) => (Comparison::Prefix, value),
        HeaderMatchType::Contains(value) => (Comparison::Contains, value),
        _ => return None,
    };
    Some(HeaderMatch { name: given.name().to_ascii_lowercase(), comparison, value: value.clone() })
}
