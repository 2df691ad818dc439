//! What Signature Version 4A has of its own: a key pair derived from the secret, and sets of regions.
//!
//! Source: AWS's signers and the test suite that comes with them. The derivation is the KDF in counter mode of NIST
//! SP 800-108 with the candidate test of FIPS 186-5, section A.2.2.

use p256::elliptic_curve::ff::PrimeField as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{NonZeroScalar, PublicKey, Scalar};
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use super::read::ECDSA;

/// The public key of an access key, as an uncompressed point.
///
/// One candidate in 2^32 is no private key, so that `None`, after 254 of them, does not happen.
pub(super) fn public_key(access_key_id: &str, secret: &str) -> Option<Vec<u8>> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4A{secret}").as_bytes());
    let private = (1..=254).find_map(|counter| candidate(&key, access_key_id, counter))?;
    Some(PublicKey::from_secret_scalar(&private).to_sec1_point(false).as_bytes().to_vec())
}

/// The private key of one counter: what is derived plus one, where that is below the group's order.
fn candidate(key: &hmac::Key, access_key_id: &str, counter: u8) -> Option<NonZeroScalar> {
    let mut context = hmac::Context::with_key(key);
    context.update(&1_u32.to_be_bytes());
    context.update(ECDSA.as_bytes());
    context.update(&[0]);
    context.update(access_key_id.as_bytes());
    context.update(&[counter]);
    // The length of what is derived, in bits.
    context.update(&256_u32.to_be_bytes());
    let derived = <[u8; 32]>::try_from(context.sign().as_ref()).ok()?;
    let derived = Scalar::from_repr(derived.into()).into_option()?;
    NonZeroScalar::new(derived + Scalar::ONE).into_option()
}

/// Whether a signature, in DER, is that of the text by the key.
pub(super) fn holds(key: &[u8], text: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(text, signature).is_ok()
}

/// Whether one of the patterns of a set, between commas, fits a region.
pub(super) fn covers(set: &str, region: &str) -> bool {
    set.split(',').any(|pattern| fits(pattern.trim(), region))
}

/// Whether a pattern fits a text; `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(after_start) = text.strip_prefix(start) else {
        return false;
    };
    // The earliest place of each piece leaves most for the others.
    let after_middle =
        middle.split('*').try_fold(after_start, |left, piece| left.split_once(piece).map(|(_, left)| left));
    after_middle.is_some_and(|left| left.ends_with(end))
}
