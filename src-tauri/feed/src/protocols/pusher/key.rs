//! Events of `private-encrypted-` channels: NaCl's secretbox, XSalsa20 with Poly1305, by a key that the site gives away with its
//! signature.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use crypto_secretbox::{KeyInit, XSalsa20Poly1305, aead::Aead};
use serde::Deserialize;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// A channel's key.
#[derive(Clone)]
pub(super) struct Key([u8; KEY_BYTES]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Deserialize)]
struct Box {
    nonce: String,
    ciphertext: String,
}

impl Key {
    /// Reads it as the site gives it: in Base64.
    pub(super) fn read(text: &str) -> Option<Self> {
        BASE64.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// What an event says; nothing, if it isn't sealed by this key.
    pub(super) fn open(&self, body: &str) -> Option<String> {
        let sealed: Box = serde_json::from_str(body).ok()?;
        let nonce: [u8; NONCE_BYTES] = BASE64.decode(sealed.nonce).ok()?.try_into().ok()?;
        let text = BASE64.decode(sealed.ciphertext).ok()?;
        let plain = XSalsa20Poly1305::new(&self.0.into()).decrypt(&nonce.into(), text.as_slice()).ok()?;
        String::from_utf8(plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sealed by Pusher's own library and passed on by Soketi.
    #[test]
    fn opens_what_pusher_seals() {
        let key = Key::read("EM7XYKq0lQRIZoPa6buecdqsK2ZzkyPYiEfhhICmhB0=").expect("a key");
        let body = r#"{"nonce":"f295WuRrrki719pXgShjZlgB69oMHinA","ciphertext":"W30eGN+/hn2qngaLAomJv7lj7M5HbtU="}"#;
        assert_eq!(key.open(body).as_deref(), Some(r#"{"n":2}"#));
        assert_eq!(key.open(&body.replace("W30e", "W30f")), None, "changed on its way");
        assert_eq!(key.open("{}"), None);
        assert!(Key::read("c2hvcnQ=").is_none());
        assert_eq!(format!("{key:?}"), "***");
    }
}
