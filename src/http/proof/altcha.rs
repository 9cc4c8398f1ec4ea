//! ALTCHA's challenges, version 1 (<https://altcha.org/docs/v2/proof-of-work/>), with SHA-256.
//!
//! The server draws a salt and a secret number, and sends their hash. A client that tries every
//! number finds the secret one. The server keeps nothing: the signature shows that the challenge is its own,
//! and the salt says until when it holds, and for which event.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

use crate::context::Hidden;
use crate::domain::clock::Timestamp;
use crate::domain::position::Epoch;
use crate::wire::digits::hex;

/// The name of the hash.
const ALGORITHM: &str = "SHA-256";
/// The greatest secret number. Half of them are tried on average: a fraction of a second on a laptop,
/// and about two seconds on an old phone.
pub(super) const NUMBER_MAX: u32 = 100_000;
/// How long a challenge holds: a form is sent a moment after it was solved, also over a bad line.
const VALID_FOR: Duration = Duration::from_mins(10);
/// The random part of a salt: no two challenges are the same.
const SALT_BYTES: usize = 12;
/// The longest solution in Base64; ours take 400 characters.
const PAYLOAD_MAX: usize = 2_048;
/// Either padding is accepted: some encoders leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A challenge, as ALTCHA's clients read it.
#[derive(Debug, Serialize)]
pub(super) struct Challenge {
    algorithm: &'static str,
    #[serde(rename = "challenge")]
    hash: String,
    maxnumber: u32,
    salt: String,
    signature: String,
}

/// A solution, as ALTCHA's clients write it. They add members that do not matter here.
#[derive(Debug, Deserialize)]
struct Payload {
    algorithm: String,
    challenge: String,
    number: u32,
    salt: String,
    signature: String,
}

/// A solution that is right. It may have been used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Solved {
    /// The challenge's hash, which names it.
    pub(super) challenge: String,
    /// Until when it holds.
    pub(super) expires_at: Timestamp,
}

/// Why a solution is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsolved {
    /// It is not a solution, or of another challenge.
    Wrong,
    /// It was right, but comes too late.
    Expired,
}

impl Challenge {
    /// A new challenge for the event with this epoch.
    pub(super) fn draw(key: &Hidden, epoch: &Epoch, now: Timestamp) -> Self {
        let random = hex(&rand::random::<[u8; SALT_BYTES]>());
        let expires = now.plus(VALID_FOR).as_millis() / 1_000;
        let number = rand::random_range(0..=NUMBER_MAX);
        Self::new(key, &random, epoch.as_str(), expires, number)
    }

    fn new(key: &Hidden, random: &str, epoch: &str, expires: i64, number: u32) -> Self {
        // The last `&` separates the number: nobody can move its digits into `expires`.
        let salt = format!("{random}?event={epoch}&expires={expires}&");
        let hash = hash(&salt, number);
        Self {
            algorithm: ALGORITHM,
            signature: hex(&sign(key, &hash).finalize().into_bytes()),
            hash,
            maxnumber: NUMBER_MAX,
            salt,
        }
    }
}

/// Checks a solution in Base64 for the event with this epoch.
pub(super) fn solved(
    key: &Hidden,
    epoch: &Epoch,
    payload: &str,
    now: Timestamp,
) -> Result<Solved, Unsolved> {
    let payload = read(payload).ok_or(Unsolved::Wrong)?;
    let is_ours = sign(key, &payload.challenge)
        .finalize()
        .into_bytes()
        .as_slice()
        .ct_eq(&unhex(&payload.signature).unwrap_or_default());
    // The salt is ours, because nobody finds another one with the same hash.
    let is_solved = hash(&payload.salt, payload.number) == payload.challenge;
    if payload.algorithm != ALGORITHM || !bool::from(is_ours) || !is_solved {
        return Err(Unsolved::Wrong);
    }
    let (event, expires) = parameters(&payload.salt).ok_or(Unsolved::Wrong)?;
    if event != epoch.as_str() {
        return Err(Unsolved::Wrong);
    }
    let expires_at = Timestamp::from_millis(expires.saturating_mul(1_000));
    if expires_at <= now {
        return Err(Unsolved::Expired);
    }
    Ok(Solved {
        challenge: payload.challenge,
        expires_at,
    })
}

fn read(payload: &str) -> Option<Payload> {
    let text = payload.trim();
    if text.len() > PAYLOAD_MAX {
        return None;
    }
    let url_safe = || general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let bytes = BASE64.decode(text).or_else(|_| url_safe()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The event and the end of a salt.
fn parameters(salt: &str) -> Option<(&str, i64)> {
    let (_, query) = salt.split_once('?')?;
    let (event, rest) = query.strip_prefix("event=")?.split_once('&')?;
    let expires = rest.strip_prefix("expires=")?.strip_suffix('&')?;
    Some((event, expires.parse().ok()?))
}

fn hash(salt: &str, number: u32) -> String {
    hex(&Sha256::digest(format!("{salt}{number}")))
}

fn sign(key: &Hidden, challenge: &str) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    let mac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes());
    let mut mac = mac.expect("a key of any length");
    mac.update(challenge.as_bytes());
    mac
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        let [high, low] = *pair else { return None };
        u8::try_from(digit(high)? * 16 + digit(low)?).ok()
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Made and solved by ALTCHA's own library.
    fn cases() -> Value {
        serde_json::from_str(include_str!("../../../tests/cases/altcha.json")).unwrap()
    }

    fn key() -> Hidden {
        Hidden::new(cases()["key"].as_str().unwrap())
    }

    fn epoch() -> Epoch {
        "c7d96bf1".parse().unwrap()
    }

    fn noon() -> Timestamp {
        Timestamp::from_millis(1_795_251_600_000)
    }

    fn check(payload: &str) -> Result<Solved, Unsolved> {
        solved(&key(), &epoch(), payload, noon())
    }

    fn encoded(payload: &Value) -> String {
        general_purpose::STANDARD.encode(payload.to_string())
    }

    #[test]
    fn challenges_are_those_of_altchas_library() {
        for case in cases()["challenges"].as_array().unwrap() {
            let salt = case["salt"].as_str().unwrap();
            let (random, _) = salt.split_once('?').unwrap();
            let (event, expires) = parameters(salt).unwrap();
            let number = case["number"].as_u64().unwrap();
            let ours = Challenge::new(&key(), random, event, expires, number.try_into().unwrap());
            let mut theirs = case.clone();
            theirs.as_object_mut().unwrap().remove("number");
            theirs.as_object_mut().unwrap().remove("payload");
            assert_eq!(json!(ours), theirs);
        }
    }

    #[test]
    fn its_solutions_are_taken_once_they_are_ours_and_in_time() {
        let cases = cases();
        let payload = |n: usize| cases["challenges"][n]["payload"].as_str().unwrap();
        for n in [0, 1] {
            let solved = check(payload(n)).unwrap();
            assert_eq!(solved.challenge, cases["challenges"][n]["challenge"]);
            assert_eq!(solved.expires_at, noon().plus(VALID_FOR));
        }
        let plain = payload(0).trim_end_matches('=');
        assert!(check(plain).is_ok(), "without padding");
        assert!(check(&plain.replace('+', "-").replace('/', "_")).is_ok());
        assert_eq!(check(payload(2)), Err(Unsolved::Wrong), "another event's");
        assert_eq!(check(payload(3)), Err(Unsolved::Expired));
        let other = Hidden::new("another key");
        let forged = solved(&other, &epoch(), payload(0), noon());
        assert_eq!(forged, Err(Unsolved::Wrong));
    }

    #[test]
    fn what_was_changed_is_refused() {
        let case = cases()["challenges"][1].clone();
        let good = json!({
            "algorithm": "SHA-256", "challenge": case["challenge"], "number": case["number"],
            "salt": case["salt"], "signature": case["signature"],
        });
        assert!(check(&encoded(&good)).is_ok());
        let salt = case["salt"].as_str().unwrap();
        let later = salt.replace("1795252200", "1795259999");
        // The number's digits as part of the time (CVE-2025-68113).
        let spliced = format!("{}9&", salt.trim_end_matches('&'));
        let moved = format!("{salt}9");
        for (member, value) in [
            ("number", json!(99_998)),
            ("number", json!(-1)),
            ("number", json!("99999")),
            ("salt", json!(later)),
            ("salt", json!(spliced)),
            ("salt", json!(moved)),
            ("challenge", json!("00")),
            ("challenge", cases()["challenges"][0]["challenge"].clone()),
            ("signature", json!("")),
            ("signature", json!("zz")),
            ("signature", cases()["challenges"][0]["signature"].clone()),
            ("algorithm", json!("SHA-1")),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            assert_eq!(check(&encoded(&bad)), Err(Unsolved::Wrong), "{bad}");
        }
        // The last digit moved from the number into the salt has the same hash.
        let mut split = good.clone();
        split["salt"] = json!(format!("{salt}9"));
        split["number"] = json!(9_999);
        assert_eq!(check(&encoded(&split)), Err(Unsolved::Wrong));
        for bad in ["", "e30=", "not base64!", &"A".repeat(PAYLOAD_MAX + 1)] {
            assert_eq!(check(bad), Err(Unsolved::Wrong), "{bad:?}");
        }
    }

    #[test]
    fn a_drawn_challenge_can_be_solved() {
        let drawn = Challenge::draw(&key(), &epoch(), noon());
        let again = Challenge::draw(&key(), &epoch(), noon());
        assert_ne!(drawn.hash, again.hash);
        let found = (0..=NUMBER_MAX).find(|n| hash(&drawn.salt, *n) == drawn.hash);
        let payload = json!({
            "algorithm": drawn.algorithm, "challenge": drawn.hash, "number": found.unwrap(),
            "salt": drawn.salt, "signature": drawn.signature, "took": 1,
        });
        assert!(check(&encoded(&payload)).is_ok());
    }
}
