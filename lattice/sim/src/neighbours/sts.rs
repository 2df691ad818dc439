//! STS: GetCallerIdentity and AssumeRoleWithWebIdentity.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::random::Random;
use crate::state::session::{Session, begin};
use crate::state::{State, Tags};
use crate::surroundings::Role;

use super::{Ask, Error, Served, served};

const WEB_IDENTITY: &str = "AssumeRoleWithWebIdentity";

pub(super) const OPERATIONS: [Served; 2] = [
    served("GetCallerIdentity", "sts.GetCallerIdentity", identity),
    served(WEB_IDENTITY, "sts.AssumeRoleWithWebIdentity", assume_role),
];

/// Seconds that a session lasts by default, and at least and at most. Source: API reference, AssumeRoleWithWebIdentity.
const SESSION_SECONDS: (u64, u64, u64) = (3_600, 900, 43_200);

/// Whoever assumes a role by a web identity has no keys yet to sign with.
pub(super) fn signing_name(operation: &str) -> Option<&'static str> {
    (operation != WEB_IDENTITY).then_some("sts")
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has this form")]
fn identity(_: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    // The user id of an account's root is the account. Source: IAM user guide, unique identifiers.
    let user = ask.caller.arn.rsplit(':').next().unwrap_or_default();
    let user = if user == "root" { &ask.caller.account } else { user };
    Ok(json!({"Arn": ask.caller.arn, "UserId": user, "Account": ask.caller.account}))
}

/// The token's signature is not verified, since its issuer's keys are not known; its subject and its times are.
fn assume_role(state: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let role = ask.required("RoleArn")?;
    let name = ask.required("RoleSessionName")?;
    let claims = claims(ask.required("WebIdentityToken")?)?;
    let now = ask.clock.wall(ask.now).as_second();
    if claims["exp"].as_i64().is_some_and(|end| end <= now) {
        return Err(Error::new("ExpiredTokenException", "The web identity token is expired."));
    }
    let subject = claims["sub"].as_str().unwrap_or_default();
    let denied = || Error {
        code: "AccessDenied",
        message: "Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned(),
        status: 403,
    };
    let found = ask.surroundings.roles.iter().find(|known| known.arn == role).ok_or_else(denied)?;
    if !found.web_identities.iter().any(|known| known == subject) {
        return Err(denied());
    }
    let (default, least, most) = SESSION_SECONDS;
    let seconds = match ask.text("DurationSeconds") {
        "" => default,
        text => text.parse().ok().filter(|seconds| (least..=most).contains(seconds)).ok_or_else(|| {
            Error::new("ValidationError", format!("DurationSeconds must be {least} to {most}."))
        })?,
    };
    let session = session(state, ask, found, name, Tags::new(), Duration::from_secs(seconds));
    let audience = claims["aud"].as_str().or_else(|| claims["aud"][0].as_str()).unwrap_or_default();
    let answer = json!({
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.token,
            "Expiration": ask.clock.iso(session.expires),
        },
        "SubjectFromWebIdentityToken": subject,
        "AssumedRoleUser": {"Arn": session.arn(), "AssumedRoleId": format!("{}:{name}", session.access_key_id)},
        "Provider": claims["iss"],
        "Audience": audience,
    });
    begin(&mut state.sessions, session, ask.now);
    Ok(answer)
}

/// A new session of a role.
pub(super) fn session(
    state: &mut State,
    ask: &Ask<'_>,
    role: &Role,
    name: &str,
    tags: Tags,
    lasts: Duration,
) -> Session {
    let mut random = Random::new(state.draw(), "session");
    Session {
        role: role.arn.clone(),
        name: name.to_owned(),
        access_key_id: format!("ASIA{:016X}", random.next()),
        secret_access_key: crate::account::secret(&mut random),
        token: format!(
            "{:016x}{:016x}{:016x}{:016x}",
            random.next(),
            random.next(),
            random.next(),
            random.next()
        ),
        expires: ask.now + lasts,
        tags,
    }
}

/// The claims of a JSON Web Token.
pub(super) fn claims(token: &str) -> Result<Value, Error> {
    let malformed = || Error::new("InvalidIdentityToken", "The web identity token is no JSON Web Token.");
    let payload = token.split('.').nth(1).ok_or_else(malformed)?;
    let decoded = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(|_not_base64| malformed())?;
    serde_json::from_slice::<Value>(&decoded).ok().filter(Value::is_object).ok_or_else(malformed)
}
