//! Numbers, dates and addresses as conditions compare them.

use std::net::IpAddr;

/// Most digits of a number, so that a double holds it exactly.
const MOST_DIGITS: usize = 15;

/// A decimal number such as `-1.50`.
pub(super) fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || digits.len() > MOST_DIGITS {
        return None;
    }
    text.parse().ok()
}

/// Milliseconds since 1970 of a date in one of the forms of ISO 8601 that the W3C picked (`2026`, `2026-08`,
/// `2026-08-01`, `2026-08-01T10:00Z`, `2026-08-01T10:00:00+02:00`, `2026-08-01T10:00:00.5Z`), or of seconds since 1970.
///
/// Four digits are a year.
pub(super) fn date(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    if text.len() > 4 && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000);
    }
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let mut parts = day.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let month_day = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let whole_day = day.len() == 10;
    if parts.next().is_some() || (time.is_some() && !whole_day) {
        return None;
    }
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&month_day) {
        return None;
    }
    let of_day = time.map_or(Some(0), time_of_day)?;
    Some(days_since_1970(year, month, month_day) * 86_400_000 + of_day)
}

/// Milliseconds since midnight in UTC of `10:00Z`, `10:00:00+02:00` and the like.
fn time_of_day(text: &str) -> Option<i64> {
    let zone = text.find(['Z', '+', '-'])?;
    let (time, zone) = text.split_at(zone);
    let offset = if zone == "Z" {
        0
    } else {
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
        if hours > 23 || minutes > 59 {
            return None;
        }
        (hours * 60 + minutes) * if zone.starts_with('-') { -60_000 } else { 60_000 }
    };
    let mut parts = time.split(':');
    let (hours, minutes) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (seconds, millis) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            if fraction.is_empty() || fraction.len() > 9 {
                return None;
            }
            let kept = format!("{fraction:0<3}");
            digits(fraction, fraction.len())?;
            (digits(seconds, 2)?, digits(kept.get(..3)?, 3)?)
        }
    };
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis - offset)
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, whose years are counted from March so that leap days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// A range of addresses, such as `10.0.0.0/8` or `2001:db8::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    base: IpAddr,
    /// Bits of the address that are not compared.
    free: u32,
}

impl Network {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let base: IpAddr = address.parse().ok()?;
        let width: u32 = if base.is_ipv4() { 32 } else { 128 };
        let length = match prefix {
            None => width,
            Some(prefix) if prefix.bytes().all(|b| b.is_ascii_digit()) => prefix.parse().ok()?,
            Some(_) => return None,
        };
        Some(Self { base, free: width.checked_sub(length)? })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let bits = match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => u128::from(base.to_bits() ^ address.to_bits()),
            (IpAddr::V6(base), IpAddr::V6(address)) => base.to_bits() ^ address.to_bits(),
            _ => return false,
        };
        bits.checked_shr(self.free).unwrap_or(0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_decimals() {
        for (text, expected) in [
            ("80", Some(80.0)),
            ("-1.50", Some(-1.5)),
            ("+2", Some(2.0)),
            ("", None),
            ("1e3", None),
            ("0x10", None),
            ("1.", None),
            (".5", None),
            ("NaN", None),
            ("inf", None),
            (" 1", None),
            ("1234567890123456", None),
        ] {
            assert_eq!(number(text), expected, "{text:?}");
        }
    }

    #[test]
    fn dates_are_read_in_every_form() {
        for (text, expected) in [
            ("1970", Some(0)),
            ("1970-01", Some(0)),
            ("1970-01-02", Some(86_400_000)),
            ("2000-02-29", Some(951_782_400_000)),
            ("2026-08-01T10:00Z", Some(1_785_578_400_000)),
            ("2026-08-01T10:00:00Z", Some(1_785_578_400_000)),
            ("2026-08-01T12:00:00+02:00", Some(1_785_578_400_000)),
            ("2026-08-01T08:30:00.25-01:30", Some(1_785_578_400_250)),
            ("1785578400", Some(1_785_578_400_000)),
            ("0000-01-01", Some(-62_167_219_200_000)),
            ("2026-02-29", None),
            ("2026-13", None),
            ("2026-08-01T10:00", None),
            ("2026-08T10:00Z", None),
            ("2026-08-01T24:00Z", None),
            ("2026-08-01T10:00:00.Z", None),
            ("2026-08-01T10:00:00+0200", None),
            ("tomorrow", None),
            ("²026", None),
            ("", None),
        ] {
            assert_eq!(date(text), expected, "{text:?}");
        }
    }

    #[test]
    fn networks_contain_addresses() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "10.0.0.1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            assert_eq!(
                Network::parse(network).unwrap().contains(address.parse().unwrap()),
                expected,
                "{network}"
            );
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "x", "10.0.0.0/8/8"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
