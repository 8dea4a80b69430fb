//! How a wall shows who it is: a password, a token, or a signature of what the server drew, by an nkey alone or with a JWT.
//! Source: the nkeys page of docs.nats.io, and RFC 4648 for the texts.

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value};

use crate::config::Secret;

/// What a credentials file begins with.
const JWT: &str = "-----BEGIN NATS USER JWT-----";
const SEED: &str = "-----BEGIN USER NKEY SEED-----";
/// First bits of a seed, and of a user's key.
const PREFIX_SEED: u8 = 18 << 3;
const PREFIX_USER: u8 = 20 << 3;
/// A seed: its two prefixes, the bytes themselves, their check.
const SEED_BYTES: usize = 2 + 32 + 2;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Adds to the first message by what the server knows us. The error says what can't be done, without any secret.
pub(super) fn identify(
    connect: &mut Map<String, Value>,
    user: Option<&str>,
    token: Option<&Secret>,
    nonce: &str,
) -> Result<(), &'static str> {
    let mut put = |name: &str, value: String| {
        connect.insert(name.to_owned(), value.into());
    };
    let Some(token) = token.map(|token| token.expose().trim()) else {
        if let Some(user) = user {
            put("user", user.to_owned());
        }
        return Ok(());
    };
    if let Some(user) = user {
        put("user", user.to_owned());
        put("pass", token.to_owned());
        return Ok(());
    }
    // A credentials file, or what matters of it on one line: the JWT, a colon, the seed.
    let pair = if token.starts_with(JWT) {
        Some((block(token, JWT).ok_or("the credentials have no JWT")?, block(token, SEED).unwrap_or_default()))
    } else {
        token.split_once(':').filter(|(jwt, text)| jwt.split('.').count() == 3 && seed(text).is_some())
    };
    if let Some((jwt, text)) = pair {
        let seed = seed(text).ok_or("the credentials have no user's seed")?;
        put("jwt", jwt.to_owned());
        if !nonce.is_empty() {
            put("sig", sign(&seed, nonce)?.0);
        }
        return Ok(());
    }
    if let Some(seed) = seed(token) {
        if nonce.is_empty() {
            return Err("the server asks for no signature, and the token is an nkey's seed");
        }
        let (signature, key) = sign(&seed, nonce)?;
        put("nkey", key);
        put("sig", signature);
        return Ok(());
    }
    put("auth_token", token.to_owned());
    Ok(())
}

/// The first line after a heading.
fn block<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(heading)?;
    rest.lines().map(str::trim).find(|line| !line.is_empty()).filter(|line| !line.starts_with('-'))
}

/// The bytes of a user's seed.
fn seed(text: &str) -> Option<[u8; 32]> {
    let bytes = from_base32(text)?;
    if bytes.len() != SEED_BYTES {
        return None;
    }
    let (body, check) = bytes.split_at(SEED_BYTES - 2);
    let kind = (body[0] << 5) | (body[1] >> 3);
    let is_sound = crc16(body).to_le_bytes() == check && body[0] & 0xF8 == PREFIX_SEED && kind == PREFIX_USER;
    is_sound.then(|| body[2..].try_into().ok()).flatten()
}

/// The signature of what the server drew, and the key that it is to be checked by.
fn sign(seed: &[u8; 32], nonce: &str) -> Result<(String, String), &'static str> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| "the seed is no key")?;
    let mut key = vec![PREFIX_USER];
    key.extend_from_slice(pair.public_key().as_ref());
    key.extend_from_slice(&crc16(&key).to_le_bytes());
    Ok((to_base64_url(pair.sign(nonce.as_bytes()).as_ref()), to_base32(&key)))
}

/// CRC-16 of XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            },
        )
    })
}

fn to_base32(bytes: &[u8]) -> String {
    to_text(bytes, 5, |bits| BASE32[bits & 31])
}

fn to_base64_url(bytes: &[u8]) -> String {
    to_text(bytes, 6, |bits| BASE64_URL[bits & 63])
}

/// Groups of `width` bits as letters, the last one filled with zeros.
fn to_text(bytes: &[u8], width: u32, letter: impl Fn(usize) -> u8) -> String {
    let (mut held, mut bits, mut text) = (0_usize, 0, String::new());
    for byte in bytes {
        held = (held << 8 | usize::from(*byte)) & 0xFFFF;
        bits += 8;
        while bits >= width {
            bits -= width;
            text.push(char::from(letter(held >> bits)));
        }
    }
    if bits > 0 {
        text.push(char::from(letter(held << (width - bits))));
    }
    text
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut held, mut bits, mut bytes) = (0_u32, 0, Vec::new());
    // Longer than any seed.
    if text.len() > 128 {
        return None;
    }
    for letter in text.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        held = (held << 5 | u32::try_from(value).ok()?) & 0xFFFF;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H8: a signature is of the nonce, by the seed, and the seed itself goes nowhere. The pair is one that the server's own tool
    /// would print: its texts carry their check.
    #[test]
    fn keys_and_credentials() {
        let mut body = vec![PREFIX_SEED | (PREFIX_USER >> 5), PREFIX_USER << 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&crc16(&body).to_le_bytes());
        let text = to_base32(&body);
        assert!(text.starts_with("SU") && text.len() == 58, "{text}");
        assert_eq!(seed(&text), Some([7; 32]));
        assert_eq!(seed(&text.replace("SU", "SA")), None, "another kind of key, and its check fails");
        assert_eq!(crc16(b"123456789"), 0x31C3);

        let who = |user: Option<&str>, token: &str, nonce: &str| {
            let mut connect = Map::new();
            let told = identify(&mut connect, user, Some(&Secret::new(token)), nonce);
            told.map(|()| Value::Object(connect))
        };
        let nkey = who(None, &text, "abc").expect("signed");
        assert!(nkey["nkey"].as_str().is_some_and(|key| key.starts_with('U') && key.len() == 56), "{nkey}");
        assert_eq!(nkey["sig"].as_str().map(str::len), Some(86));
        assert!(!nkey.to_string().contains(&text));
        assert!(who(None, &text, "").is_err());
        let file = format!(
            "{JWT}\neyJ0.a.b\n------END NATS USER JWT------\n\n{SEED}\n{text}\n------END USER NKEY SEED------\n"
        );
        let jwt = who(None, &file, "abc").expect("signed");
        assert_eq!((&jwt["jwt"], &jwt["sig"]), (&Value::from("eyJ0.a.b"), &nkey["sig"]));
        assert_eq!(who(None, &format!("eyJ0.a.b:{text}"), "abc").expect("signed"), jwt);
        assert!(who(None, JWT, "abc").is_err());
        assert_eq!(who(Some("w"), "s", "").expect("told")["pass"], "s");
        assert_eq!(who(None, "s3cr3t", "").expect("told")["auth_token"], "s3cr3t");
    }
}
