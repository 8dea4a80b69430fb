//! Tokens that a server's secret signs: JWT, HS256.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use serde_json::{Value, json};

use super::peer::Offer;

/// A token with these claims.
pub(super) fn jwt(claims: &Value, secret: &str) -> String {
    signed(&json!({ "alg": "HS256", "typ": "JWT" }), claims, secret)
}

/// The same for a server with more than one key: its head names this one.
pub(super) fn jwt_of_key(key: &str, claims: &Value, secret: &str) -> String {
    signed(&json!({ "alg": "HS256", "typ": "JWT", "kid": key }), claims, secret)
}

fn signed(head: &Value, claims: &Value, secret: &str) -> String {
    let text = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes());
    format!("{text}.{}", BASE64.encode(tag))
}

/// What a token claims, if this secret signed it. Whether it has ended isn't looked at.
pub(super) fn claims(token: &str, secret: &str) -> Option<Value> {
    let (text, tag) = token.rsplit_once('.')?;
    let (_head, claims) = text.split_once('.')?;
    let tag = BASE64.decode(tag).ok()?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes(), &tag).ok()?;
    serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
}

/// Now, as claims count it: since 1970.
pub(super) fn now() -> Offer<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "this machine's clock is before 1970")
}
