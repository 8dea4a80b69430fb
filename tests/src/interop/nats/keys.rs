//! Keys of NATS and what they sign, as `nsc` makes them: an operator, who vouches for accounts; an account, which vouches for users.

use std::time::Duration;

use anyhow::{Result, anyhow};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::super::{jwt::now, peer::Offer};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// First bits of a seed, and of each kind of key: the first letter of its text.
const SEED: u8 = 18 << 3;
const OPERATOR: u8 = 14 << 3;
const ACCOUNT: u8 = 0;
const USER: u8 = 20 << 3;

/// A key.
pub(super) struct Key {
    kind: u8,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl Key {
    /// A new one of a user's.
    pub(super) fn of_user() -> Result<Self> {
        Self::draw(USER)
    }

    fn draw(kind: u8) -> Result<Self> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| anyhow!("nothing is random here"))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| anyhow!("a key: {error}"))?;
        Ok(Self { kind, seed, pair })
    }

    /// By what others know it.
    pub(super) fn name(&self) -> String {
        text(&[&[self.kind], self.pair.public_key().as_ref()].concat())
    }

    /// What it is made from, which is secret.
    pub(super) fn seed(&self) -> String {
        text(&[&[SEED | (self.kind >> 5), self.kind << 3], self.seed.as_slice()].concat())
    }

    /// Its signature of a text.
    pub(super) fn sign(&self, text: &str) -> String {
        BASE64.encode(self.pair.sign(text.as_bytes()))
    }

    /// What it says of another key, as a JWT.
    fn vouch(&self, subject: &Self, more: Value, life: Option<Duration>) -> Offer<String> {
        let issued = now()?.as_secs();
        let mut claims = json!({
            "jti": format!("interop-{issued}"), "iat": issued, "iss": self.name(), "sub": subject.name(), "name": "interop",
            "nats": more,
        });
        if let Some(life) = life {
            claims["exp"] = (issued + life.as_secs()).into();
        }
        let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
        let text = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        Ok(format!("{text}.{}", self.sign(&text)))
    }
}

/// Who vouches for whom.
pub(super) struct Operator {
    operator: Key,
    /// What is said of the operator: a server that reads its settings again takes no other word of it.
    own: String,
    /// The account of the server's own.
    system: Key,
    account: Key,
    wall: Key,
    publisher: Key,
}

impl Operator {
    pub(super) fn new() -> Result<Self> {
        let operator = Key::draw(OPERATOR)?;
        let own = operator.vouch(&operator, json!({ "type": "operator", "version": 2 }), None);
        Ok(Self {
            operator,
            own: own.map_err(anyhow::Error::msg)?,
            system: Key::draw(ACCOUNT)?,
            account: Key::draw(ACCOUNT)?,
            wall: Key::of_user()?,
            publisher: Key::of_user()?,
        })
    }

    /// What the server is told. Without `knows_wall` all that the wall was given before is revoked.
    pub(super) fn settings(&self, knows_wall: bool) -> Offer<String> {
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        });
        let mut account = json!({ "limits": limits, "type": "account", "version": 2 });
        let system = self.operator.vouch(&self.system, account.clone(), None)?;
        for name in ["mem_storage", "disk_storage", "streams", "consumer"] {
            account["limits"][name] = (-1).into();
        }
        if !knows_wall {
            account["revocations"] = json!({ (self.wall.name()): now()?.as_secs() });
        }
        let account = self.operator.vouch(&self.account, account, None)?;
        let operator = &self.own;
        let [system_name, account_name] = [&self.system, &self.account].map(Key::name);
        Ok(format!(
            "operator: {operator}\nsystem_account: {system_name}\nresolver: MEMORY\n\
             resolver_preload: {{ {system_name}: {system}, {account_name}: {account} }}\n"
        ))
    }

    /// By what the wall shows who it is, for this long or for ever: it may follow the stream `name`, and no other.
    pub(super) fn credentials(&self, name: &str, life: Option<Duration>) -> Offer<String> {
        let publish = [
            format!("$JS.API.STREAM.INFO.{name}"),
            format!("$JS.API.CONSUMER.CREATE.{name}.>"),
            format!("$JS.API.CONSUMER.INFO.{name}.>"),
            format!("$JS.FC.{name}.>"),
        ];
        let rights = json!({
            "pub": { "allow": publish }, "sub": { "allow": ["_INBOX.>"] }, "subs": -1, "data": -1, "payload": -1,
            "type": "user", "version": 2,
        });
        let jwt = self.account.vouch(&self.wall, rights, life)?;
        Ok(format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            self.wall.seed()
        ))
    }

    /// What the publisher says of itself to a server that drew this.
    pub(super) fn introduce(&self, nonce: &str) -> Offer<Value> {
        let rights = json!({
            "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2,
        });
        let jwt = self.account.vouch(&self.publisher, rights, None)?;
        Ok(json!({ "jwt": jwt, "sig": self.publisher.sign(nonce) }))
    }
}

/// Bytes with their check, in base32.
fn text(body: &[u8]) -> String {
    let bytes = [body, &check(body).to_le_bytes()].concat();
    let (mut held, mut bits, mut text) = (0_usize, 0, String::new());
    for byte in bytes {
        held = (held << 8 | usize::from(byte)) & 0xFFFF;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(held >> bits) & 31]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE32[(held << (5 - bits)) & 31]));
    }
    text
}

/// CRC-16 of XMODEM.
fn check(bytes: &[u8]) -> u16 {
    let shift = |crc: u16| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| shift(crc)))
}
