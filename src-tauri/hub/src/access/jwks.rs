//! Keys that a site publishes and changes as it likes: a JSON Web Key Set (RFC 7517), fetched when the hub begins to serve, every ten
//! minutes, and when a token names a key that isn't known. While it can't be fetched, the keys that were fetched last are good.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{Keys, SigningKey};
use crate::{limits, site};

/// Where a set is, and when it was looked at.
#[derive(Debug)]
pub(crate) struct Jwks {
    url: String,
    wanted: Notify,
    /// How often it was fetched or tried to be.
    tried: watch::Sender<u64>,
    looked: Mutex<Looked>,
}

/// When a set was looked at.
#[derive(Clone, Copy, Debug)]
enum Looked {
    Never,
    /// It is being fetched.
    Now,
    At(Instant),
}

/// A set as it is fetched: a key that can't be read is no reason to take none.
#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl Jwks {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            wanted: Notify::new(),
            tried: watch::Sender::new(0),
            looked: Mutex::new(Looked::Never),
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Somebody names a key that isn't known: the set is looked at anew, unless it just was. Answers when it was, or will not be.
    pub(crate) async fn look_again(&self) {
        let mut tried = self.tried.subscribe();
        match *self.looked() {
            Looked::At(last) if last.elapsed() < limits::JWKS_AGAIN => return,
            Looked::Now => {}
            Looked::Never | Looked::At(_) => self.wanted.notify_one(),
        }
        // Nobody may be there who fetches it: then the token isn't known either.
        let _ = tokio::time::timeout(limits::JWKS_TIMEOUT, tried.changed()).await;
    }

    fn looked(&self) -> MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the keys as the set has them, for as long as it is waited for.
    pub(crate) async fn follow(&self, keys: &Keys) {
        let client = match site::client(limits::JWKS_TIMEOUT) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(reason = %error, "the set of keys can't be fetched");
                return;
            }
        };
        let mut pause = Duration::ZERO;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.wanted.notified() => {}
            }
            *self.looked() = Looked::Now;
            pause = match self.fetch(&client).await {
                Ok(found) => {
                    tracing::debug!(keys = found.len(), "the set of keys was fetched");
                    keys.take_set(found);
                    limits::JWKS_PERIOD
                }
                Err(reason) => {
                    tracing::warn!(reason, "the set of keys can't be fetched: those known before are good meanwhile");
                    limits::JWKS_AGAIN
                }
            };
            *self.looked() = Looked::At(Instant::now());
            self.tried.send_modify(|tried| *tried += 1);
        }
    }

    async fn fetch(&self, client: &reqwest::Client) -> Result<Vec<SigningKey>, String> {
        let answer = client.get(&self.url).send().await.map_err(site::reason)?;
        let body = site::body(answer, limits::JWKS_BYTES_MAX).await?;
        keys_of(&body)
    }
}

/// The keys of a set that are of use here.
///
/// # Errors
/// If it is no set.
fn keys_of(body: &[u8]) -> Result<Vec<SigningKey>, String> {
    let set: Set = serde_json::from_slice(body).map_err(|error| format!("it is no set of keys: {error}"))?;
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    Ok(keys.filter_map(|key| SigningKey::of_set(&key)).take(limits::JWKS_KEYS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of other kinds and uses are passed over, and so is what is no key. A secret in a set is nobody's.
    #[test]
    fn sets() {
        let ed = r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for (set, count) in [
            (format!(r#"{{"keys":[{ed}]}}"#), 1),
            (format!(r#"{{"keys":[{ed},{{"kty":"oct","k":"AAAA"}},{{"kty":"what"}},7,{ed}],"x":1}}"#), 2),
            (format!(r#"{{"keys":[{}]}}"#, ed.replace(r#""kid""#, r#""use":"enc","kid""#)), 0),
            (format!(r#"{{"keys":[{}]}}"#, ed.replace(r#""kid""#, r#""alg":"RS256","kid""#)), 0),
            (r#"{"keys":[]}"#.to_owned(), 0),
        ] {
            assert_eq!(keys_of(set.as_bytes()).expect("a set").len(), count, "{set}");
        }
        for set in ["", "[]", r#"{"keys":7}"#] {
            assert!(keys_of(set.as_bytes()).is_err(), "{set}");
        }
    }
}
