//! Who may do what: keys, tokens that are signed for by a key, and the errors by which the service says no.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use ring::hmac;
use serde_json::{Value, json};

/// How far a request for a token may be off, in milliseconds.
const CLOCKS_APART_MAX: i64 = 120_000;
/// How long a token lives if nobody says otherwise, in milliseconds.
const LIFE: i64 = 3_600_000;

/// An error as the service words it.
pub(super) fn error(code: u64, status: u64, message: &str) -> Value {
    json!({ "code": code, "statusCode": status, "message": message, "href": format!("https://help.ably.io/error/{code}") })
}

/// Now, as the service counts it: milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// By channel what may be done there. A `*` is any channel, or anything.
pub type Rights = BTreeMap<String, Vec<String>>;

/// What may be done is any of these on any channel.
pub(super) fn all(operations: &[&str]) -> Rights {
    BTreeMap::from([("*".to_owned(), operations.iter().map(|&operation| operation.to_owned()).collect())])
}

/// Who is connected.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    /// The key by which, or by whose token.
    pub(super) who: String,
    pub(super) client: Option<String>,
    pub(super) rights: Rights,
    pub(super) token: Option<String>,
}

impl Pass {
    pub(super) fn may(&self, operation: &str, channel: &str) -> bool {
        let here = |(name, operations): (&String, &Vec<String>)| {
            (name == "*" || name == channel) && operations.iter().any(|one| one == "*" || one == operation)
        };
        self.rights.iter().any(here)
    }
}

#[derive(Debug)]
struct Key {
    secret: String,
    rights: Rights,
}

#[derive(Debug)]
struct Token {
    pass: Pass,
    ended: bool,
}

/// The keys and tokens of an app.
#[derive(Debug, Default)]
pub(super) struct Access {
    keys: BTreeMap<String, Key>,
    tokens: BTreeMap<String, Token>,
    nonces: BTreeSet<String>,
}

impl Access {
    pub(super) fn add(&mut self, name: &str, secret: &str, rights: Rights) {
        self.keys.insert(name.to_owned(), Key { secret: secret.to_owned(), rights });
    }

    /// What tokens may do that are given from now on.
    pub(super) fn grant(&mut self, name: &str, rights: Rights) {
        if let Some(key) = self.keys.get_mut(name) {
            key.rights = rights;
        }
    }

    /// The tokens of this key have come to their end.
    pub(super) fn end(&mut self, name: &str) {
        for token in self.tokens.values_mut().filter(|token| token.pass.who == name) {
            token.ended = true;
        }
    }

    pub(super) fn has_ended(&self, token: &str) -> bool {
        self.tokens.get(token).is_none_or(|token| token.ended)
    }

    /// A token of this key.
    pub(super) fn token(&mut self, name: &str, client: Option<&str>) -> Option<String> {
        let rights = self.keys.get(name)?.rights.clone();
        let text = format!("app.{name}-{}", self.tokens.len());
        let pass = Pass { who: name.to_owned(), client: client.map(str::to_owned), rights, token: Some(text.clone()) };
        self.tokens.insert(text.clone(), Token { pass, ended: false });
        Some(text)
    }

    /// A request for a token, signed as a site's own server signs it.
    pub(super) fn signed(&self, name: &str, client: &str) -> Option<Value> {
        let (timestamp, nonce) = (now(), format!("nonce-of-{}-tokens-{}", self.tokens.len(), self.nonces.len()));
        let mut request =
            json!({ "keyName": name, "ttl": LIFE, "clientId": client, "timestamp": timestamp, "nonce": nonce });
        request["mac"] = mac(&self.keys.get(name)?.secret, &request).into();
        Some(request)
    }

    /// `POST /keys/{name}/requestToken`.
    pub(super) fn requested(&mut self, name: &str, request: &Value) -> Result<Value, Value> {
        let Some(key) = self.keys.get(name) else { return Err(error(40101, 401, "no such key")) };
        if request["keyName"] != name || request["mac"] != mac(&key.secret, request) {
            return Err(error(40101, 401, "the mac doesn't match"));
        }
        let timestamp = request["timestamp"].as_i64().unwrap_or_default();
        if (timestamp - now()).abs() > CLOCKS_APART_MAX {
            return Err(error(40104, 401, "the timestamp is not current"));
        }
        let nonce = request["nonce"].as_str().unwrap_or_default();
        if nonce.len() < 16 || !self.nonces.insert(nonce.to_owned()) {
            return Err(error(40105, 401, "the nonce was used before"));
        }
        let (client, issued) = (request["clientId"].as_str(), now());
        let life = request["ttl"].as_i64().unwrap_or(LIFE);
        let token = self.token(name, client).ok_or_else(|| error(40101, 401, "no such key"))?;
        let rights = json!(self.tokens[&token].pass.rights).to_string();
        Ok(json!({ "token": token, "keyName": name, "issued": issued, "expires": issued + life,
            "capability": rights, "clientId": client }))
    }

    /// Who comes by this token.
    pub(super) fn pass(&self, token: &str) -> Result<Pass, Value> {
        match self.tokens.get(token) {
            None => Err(error(40101, 401, "no such token")),
            Some(token) if token.ended => Err(error(40142, 401, "Token expired")),
            Some(token) => Ok(token.pass.clone()),
        }
    }

    /// Who comes with this query. A key is taken by TLS alone, which isn't spoken here.
    pub(super) fn admit(&self, query: &BTreeMap<String, String>) -> Result<Pass, Value> {
        if query.contains_key("key") {
            return Err(error(40103, 401, "a key is taken by TLS alone"));
        }
        let token = query.get("access_token").or_else(|| query.get("accessToken"));
        self.pass(token.ok_or_else(|| error(40101, 401, "no credentials"))?)
    }

    /// The same of a request's `Authorization`.
    pub(super) fn admit_header(&self, line: &str) -> Result<Pass, Value> {
        let Some(text) = line.strip_prefix("Bearer ") else {
            return Err(error(40103, 401, "a key is taken by TLS alone"));
        };
        let token = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        self.pass(&token.ok_or_else(|| error(40101, 401, "no token"))?)
    }
}

/// Each part ends in a line feed, those that aren't there as well.
fn mac(secret: &str, request: &Value) -> String {
    let part = |name: &str| match &request[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let names = ["keyName", "ttl", "capability", "clientId", "timestamp", "nonce"];
    let text: String = names.iter().map(|name| part(name) + "\n").collect();
    BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that was computed from the specification's text.
    #[test]
    fn macs() {
        let request = json!({ "keyName": "appId.keyId", "ttl": 3_600_000, "capability": r#"{"*":["subscribe"]}"#,
            "timestamp": 1_700_000_000_000_i64, "nonce": "0123456789abcdef" });
        assert_eq!(mac("keySecret", &request), "89yW4YTJi9VprCUAa1jU8tSnhOvWWYYIF3rJpGS6tA4=");
    }

    #[test]
    fn a_request_is_taken_once_and_only_as_it_was_signed() {
        let mut access = Access::default();
        access.add("page", "secret", all(&["subscribe"]));
        let request = access.signed("page", "ann").expect("a key");
        let mut forged = request.clone();
        forged["clientId"] = "bob".into();
        assert_eq!(access.requested("page", &forged).expect_err("forged")["code"], 40101);
        let details = access.requested("page", &request).expect("a token");
        assert_eq!(access.requested("page", &request).expect_err("again")["code"], 40105);
        let token = details["token"].as_str().expect("a token");
        let pass = access.pass(token).expect("taken");
        assert!(pass.may("subscribe", "ops") && !pass.may("history", "ops"));
        access.end("page");
        assert_eq!(access.pass(token).expect_err("ended")["code"], 40142);
    }
}
