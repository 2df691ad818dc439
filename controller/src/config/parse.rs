//! Values of flags.

use std::{net::SocketAddr, time::Duration};

use crate::quotas::Quota;

/// The longest duration that a flag takes. A day is more than any of them can use.
const LONGEST: Duration = Duration::from_hours(24);

/// Most calls per second that a flag takes: where VPC Lattice's own pace takes over.
const MOST_CALLS: f64 = 200.0;

/// Reads `ADDRESS:PORT`, or `:PORT` for all addresses.
///
/// # Errors
/// What is expected.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let full = match text.strip_prefix(':') {
        Some(port) => format!("[::]:{port}"),
        None => text.into(),
    };
    full.parse().map_err(|_invalid| {
        format!("{text:?} is not an address: give ADDRESS:PORT, such as 0.0.0.0:8080, or :PORT")
    })
}

/// Reads a duration such as `500ms`, `30s` or `5m`.
///
/// # Errors
/// What is expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let refuse =
        || format!("{text:?} is not a duration: give a number with ms, s, m or h, such as 30s, up to 24h");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_invalid| refuse())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).filter(|duration| *duration <= LONGEST).ok_or_else(refuse)
}

/// Reads a rate of calls.
///
/// # Errors
/// What is expected.
pub fn calls_per_second(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate| (0.01..=MOST_CALLS).contains(rate))
        .ok_or_else(|| format!("{text:?} is not a rate: give calls per second, from 0.01 to {MOST_CALLS}"))
}

/// Reads a quota of the account and what it is, such as `services=4000`.
///
/// # Errors
/// What is expected.
pub fn quota(text: &str) -> Result<(Quota, u32), String> {
    let all = || Quota::ALL.into_iter().filter(|quota| !quota.is_of_gateways());
    let read = || {
        let (name, number) = text.split_once('=')?;
        let quota = all().find(|quota| quota.as_str() == name)?;
        Some((quota, number.parse().ok().filter(|number| *number > 0)?))
    };
    read().ok_or_else(|| {
        let names: Vec<&str> = all().map(Quota::as_str).collect();
        format!(
            "{text:?} is not a quota: give QUOTA=NUMBER, such as services=4000, with one of {}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_has_a_name_and_a_number() {
        assert_eq!(quota("services=4000"), Ok((Quota::Services, 4_000)));
        // What Gateways are told is theirs to tell.
        for text in
            ["services", "services=0", "services=-1", "services=many", "routes=1", "rules_per_listener=100"]
        {
            assert!(quota(text).unwrap_err().contains("targets_per_group"), "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("24h", Some(86_400_000)),
            ("25h", None),
            ("30", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn an_address_may_be_a_port_alone() {
        assert_eq!(address(":8080").unwrap().to_string(), "[::]:8080");
        assert_eq!(address("127.0.0.1:1").unwrap().to_string(), "127.0.0.1:1");
        assert!(address("8080").unwrap_err().contains("ADDRESS:PORT"));
    }

    #[test]
    fn a_rate_is_positive_and_bounded() {
        assert_eq!(calls_per_second("0.5"), Ok(0.5));
        for text in ["0", "-1", "NaN", "1e9", "x"] {
            assert!(calls_per_second(text).is_err(), "{text}");
        }
    }
}
