//! From when to when a certificate is good: the one field of it that nothing else in the tree reads.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// From when to when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// The version, which is optional.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Reads it from a certificate in DER. Source: RFC 5280, sections 4.1 and 4.1.2.5.
pub(super) fn read(der: &[u8]) -> Option<Validity> {
    let mut certificate = inside(&mut { der }, SEQUENCE)?;
    let mut body = inside(&mut certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        inside(&mut body, VERSION)?;
    }
    // Serial number, algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        inside(&mut body, tag)?;
    }
    let mut validity = inside(&mut body, SEQUENCE)?;
    Some(Validity { from: time(&mut validity)?, until: time(&mut validity)? })
}

/// Takes an element with this tag off, and returns what is inside.
fn inside<'a>(rest: &mut &'a [u8], wanted: u8) -> Option<&'a [u8]> {
    let (&tag, after) = rest.split_first()?;
    if tag != wanted {
        return None;
    }
    let (&first, mut after) = after.split_first()?;
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        // So many bytes of length follow. Four are more than any certificate has.
        let count = usize::from(first & 0x7f);
        if count > 4 {
            return None;
        }
        let (bytes, left) = after.split_at_checked(count)?;
        after = left;
        bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
    };
    let (inside, left) = after.split_at_checked(length)?;
    *rest = left;
    Some(inside)
}

fn time(rest: &mut &[u8]) -> Option<Timestamp> {
    let tag = *rest.first()?;
    let text = std::str::from_utf8(inside(rest, tag)?).ok()?.strip_suffix('Z')?;
    let full = match tag {
        GENERALIZED_TIME => text.to_owned(),
        // Two digits of a year: from 50 on of the last century.
        UTC_TIME => format!("{}{text}", if text.get(..2)? >= "50" { "19" } else { "20" }),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%S", full).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(tag: u8, inside: &[u8]) -> Vec<u8> {
        let length = u8::try_from(inside.len()).unwrap();
        [&[tag, length], inside].concat()
    }

    fn certificate(from: &[u8], until: &[u8]) -> Vec<u8> {
        let validity = element(SEQUENCE, &[from, until].concat());
        let body =
            [element(INTEGER, &[1]), element(SEQUENCE, &[]), element(SEQUENCE, &[]), validity].concat();
        element(SEQUENCE, &element(SEQUENCE, &body))
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let read_both = |from: Vec<u8>, until: Vec<u8>| read(&certificate(&from, &until));
        let validity =
            read_both(element(UTC_TIME, b"991231235959Z"), element(GENERALIZED_TIME, b"20500101000000Z"))
                .unwrap();
        assert_eq!(validity.from.to_string(), "1999-12-31T23:59:59Z");
        assert_eq!(validity.until.to_string(), "2050-01-01T00:00:00Z");
        let good = element(UTC_TIME, b"260301120000Z");
        for bad in [&b"260301120000"[..], b"261301120000Z", b"Z", b"\xff1", b""] {
            assert_eq!(read_both(good.clone(), element(UTC_TIME, bad)), None);
        }
        assert_eq!(read_both(good, element(INTEGER, b"260301120000Z")), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..80) {
            let _ = read(&bytes);
            let mut good = certificate(&element(UTC_TIME, b"260301120000Z"), &element(UTC_TIME, b"260301120000Z"));
            good.truncate(cut);
            let _ = read(&good);
            if let (Some(place), Some(byte)) = (good.get_mut(cut / 2), bytes.first()) {
                *place = *byte;
            }
            let _ = read(&good);
        }
    }
}
