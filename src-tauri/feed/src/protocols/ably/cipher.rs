//! Messages that their publisher encrypted: AES in CBC mode with PKCS #7 padding, behind an IV of 16 bytes. Ably itself can't read
//! them, and doesn't have the key.

use std::fmt;

use aes::{Aes128, Aes256};
use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE};
use cbc::{
    Decryptor,
    cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7},
};

use crate::{config::Secret, fault::cut};

const IV_BYTES: usize = 16;

/// A channel's key.
#[derive(Clone)]
pub(super) enum Key {
    Of128([u8; 16]),
    Of256([u8; 32]),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Key {
    /// Reads it as Ably's libraries take it: in Base64, of either alphabet.
    pub(super) fn read(secret: &Secret) -> Option<Self> {
        let text = secret.expose();
        let bytes = BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text)).ok()?;
        match bytes.len() {
            16 => bytes.try_into().ok().map(Self::Of128),
            32 => bytes.try_into().ok().map(Self::Of256),
            _ => None,
        }
    }

    /// Undoes one step of an encoding, such as `cipher+aes-256-cbc`. That it went well doesn't prove that the key is the right
    /// one: nothing in this cipher does, though a wrong one most often shows in the padding.
    pub(super) fn open(&self, step: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let Some((iv, text)) = bytes.split_at_checked(IV_BYTES) else {
            return Err("encrypted, and too short to be".to_owned());
        };
        let plain = match (self, step) {
            (Self::Of128(key), "cipher+aes-128-cbc") => {
                Decryptor::<Aes128>::new_from_slices(key, iv).ok().map(|cbc| cbc.decrypt_padded_vec_mut::<Pkcs7>(text))
            }
            (Self::Of256(key), "cipher+aes-256-cbc") => {
                Decryptor::<Aes256>::new_from_slices(key, iv).ok().map(|cbc| cbc.decrypt_padded_vec_mut::<Pkcs7>(text))
            }
            _ => return Err(format!("encrypted otherwise than by the key of `cipher` ({})", cut(step))),
        };
        plain.and_then(Result::ok).ok_or_else(|| "encrypted by another key than that of `cipher`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::read(&Secret::new(text)).expect("a key")
    }

    /// Encrypted by OpenSSL: the keys are the bytes 0, 1, 2 and so on.
    #[test]
    fn opens_what_openssl_encrypts() {
        let long = key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let short = key("AAECAwQFBgcICQoLDA0ODw==");
        for (key, step, text, plain) in [
            (&long, "cipher+aes-256-cbc", "EBESExQVFhcYGRobHB0eH9Ot8YFDWOIfrpblcerHh8I=", r#"{"n":1}"#),
            (&short, "cipher+aes-128-cbc", "EBESExQVFhcYGRobHB0eHzL21uoeyIct68zqhZbZw8M=", "hello"),
        ] {
            let bytes = BASE64_STANDARD.decode(text).expect("base64");
            assert_eq!(key.open(step, &bytes).as_deref(), Ok(plain.as_bytes()));
            let other = self::key("//////////////////////////////////////////8=");
            assert!(other.open(step, &bytes).is_err(), "another key");
            for end in 0..bytes.len() {
                assert!(key.open(step, &bytes[..end]).is_err(), "cut at {end}");
            }
        }
        assert!(long.open("cipher+aes-128-cbc", &[0; 32]).expect_err("of another size").contains("otherwise"));
        assert!(long.open("cipher+aes-256-gcm", &[0; 32]).is_err());
        for text in ["", "c2hvcnQ=", "%%", "AAECAwQFBgcICQoLDA0ODxA="] {
            assert!(Key::read(&Secret::new(text)).is_none(), "{text}");
        }
        assert_eq!(format!("{long:?}"), "***");
    }
}
