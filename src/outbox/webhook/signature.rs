//! Signatures by Standard Webhooks 1.0 (<https://github.com/standard-webhooks/standard-webhooks>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::webhook::SigningSecret;

/// The value of `webhook-signature`: version 1, HMAC-SHA256 of the id, the moment and the body.
pub(super) fn signature(secret: &SigningSecret, id: &str, seconds: i64, body: &[u8]) -> String {
    // What was drawn is Base64.
    let key = STANDARD.decode(secret.base64()).unwrap_or_default();
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_published_example_has_this_signature() {
        let secret = SigningSecret::stored("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let other = SigningSecret::draw();
        let drawn = STANDARD.decode(other.base64()).unwrap();
        assert!((24..=64).contains(&drawn.len()), "as the standard asks for");
        assert_ne!(
            signature(&other, "msg_1", 1, body),
            signature(&other, "msg_2", 1, body)
        );
    }
}
