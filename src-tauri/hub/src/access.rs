//! Who may read what: by a token of all readers, or by a token that says which channels and until when (a JWT, RFC 7519).
//!
//! With neither configured everybody may read everything, as long as nobody else can reach the hub.

mod jwks;
mod keys;

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, StatusCode};
use jsonwebtoken::{
    Validation, decode, decode_header,
    errors::{Error, ErrorKind},
};
use serde::{Deserialize, Serialize};
use watchfloor_model::{Mono, Timestamp};

pub(crate) use keys::Mark;
pub use keys::{KEY_BYTES_MIN, Keys, Signing, SigningKey};

use crate::{
    clock::Now,
    cursor,
    failure::Failure,
    guard::{Token, bearer},
    limits::{CLAIM_BYTES_MAX, CLAIMED_CHANNELS_MAX, PERSON_BYTES_MAX, TOKEN_GRACE, TOKEN_LIFE_MAX},
    rules,
};

/// The audience that a token may name, if it names one.
const AUDIENCE: &str = "watchfloor-hub";

/// What readers must present. Nothing if it holds nothing.
#[derive(Clone, Debug, Default)]
pub struct Readers {
    /// A token of all readers, good for every channel and for ever.
    pub token: Option<Token>,
    /// The keys of tokens that say what they are good for.
    pub keys: Keys,
}

/// What a reader may read, until when, and who it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    /// Whose token it is (`sub`).
    pub(crate) user: Option<Arc<str>>,
    /// What the token is called (`jti`).
    pub(crate) token: Option<Arc<str>>,
    /// When it was issued (`iat`).
    pub(crate) issued: Option<Timestamp>,
    /// What others are told of who it is (`info`), one line of JSON.
    pub(crate) info: Option<Arc<str>>,
    /// All that it says, as JSON.
    pub(crate) claims: Option<Arc<str>>,
    /// Patterns of channels; none for every channel.
    channels: Option<Vec<String>>,
    /// By what it is judged.
    pub(crate) by: Option<Mark>,
    /// Patterns of those that it may publish to, where they let readers.
    publishes: Vec<String>,
    /// The end that its token names.
    pub(crate) ends: Option<Mono>,
}

impl Rights {
    pub(crate) fn allows(&self, channel: &str) -> bool {
        let Some(patterns) = &self.channels else { return true };
        patterns.iter().any(|pattern| rules::is_meant(pattern, channel))
    }

    /// Whether it allows every channel that a pattern means.
    fn allows_all_of(&self, pattern: &str) -> bool {
        let Some(own) = &self.channels else { return true };
        let beginning = pattern.strip_suffix('*').unwrap_or(pattern);
        own.iter().filter_map(|own| own.strip_suffix('*')).any(|own| beginning.starts_with(own))
    }

    /// Whether it names a channel for publishing.
    pub(crate) fn publishes(&self, channel: &str) -> bool {
        self.publishes.iter().any(|pattern| rules::is_meant(pattern, channel))
    }

    /// The first channel, or pattern of channels, that isn't allowed, in words.
    pub(crate) fn forbids<'a>(&self, asked: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let is_allowed = |asked: &&str| match cursor::is_pattern(asked) {
            true => self.allows_all_of(asked),
            false => self.allows(asked),
        };
        let forbidden = asked.into_iter().find(|asked| !is_allowed(asked))?;
        Some(format!("channel {forbidden} is not among those that the token names"))
    }

    /// When a connection that came by this is closed.
    pub(crate) fn closes(&self) -> Mono {
        self.ends.map_or(Mono::NEVER, |end| end.plus(TOKEN_GRACE))
    }
}

/// Why a token is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Untaken {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Untaken {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<Untaken> for Failure {
    fn from(untaken: Untaken) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, untaken.code, untaken.message)
    }
}

#[derive(Deserialize, Serialize)]
struct Claims {
    exp: f64,
    channels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<f64>,
    /// What only a site that is asked looks at.
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

/// Who or what somebody is: a text, or a number.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Named {
    Text(String),
    Number(i64),
}

impl Named {
    pub(crate) fn read(self, claim: &str) -> Result<Arc<str>, String> {
        let text = match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        };
        if (1..=CLAIM_BYTES_MAX).contains(&text.len()) {
            return Ok(text.into());
        }
        Err(format!("`{claim}` has {} bytes: expected 1 to {CLAIM_BYTES_MAX}", text.len()))
    }
}

/// A claim that is a list of channels or their beginnings; empty if it isn't there.
fn patterns(claims: &serde_json::Map<String, serde_json::Value>, claim: &str) -> Result<Vec<String>, String> {
    let Some(found) = claims.get(claim).filter(|found| !found.is_null()) else { return Ok(Vec::new()) };
    let list = found.as_array().and_then(|list| list.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    let list: Vec<String> = list.ok_or_else(|| format!("`{claim}` is no list of names of channels"))?;
    if list.len() > CLAIMED_CHANNELS_MAX {
        return Err(format!("`{claim}` has {}: expected at most {CLAIMED_CHANNELS_MAX}", list.len()));
    }
    Ok(list)
}

impl Readers {
    /// Whether anything must be presented.
    pub(crate) fn are_asked(&self) -> bool {
        self.token.is_some() || self.keys.are_asked()
    }

    /// Whether what was judged by this would still be.
    pub(crate) fn know(&self, mark: Option<Mark>) -> bool {
        if !self.are_asked() {
            return true;
        }
        let Some(mark) = mark else { return false };
        self.token.as_ref().is_some_and(|token| Mark::of(&[token.for_a_site().as_bytes()]) == mark)
            || self.keys.know(mark)
    }

    /// Keeps the keys as the site has them, for as long as it is waited for. Ends at once if there is no such site.
    pub(crate) async fn follow_keys(&self) {
        if let Some(set) = self.keys.set() {
            set.follow(&self.keys).await;
        }
    }

    /// Looks for the key that the head of a request names, if it isn't known and may be elsewhere.
    pub(crate) async fn prepare(&self, headers: &HeaderMap) {
        let Some(set) = self.keys.set() else { return };
        let Ok(presented) = bearer(headers, "") else { return };
        let Ok(header) = decode_header(presented) else { return };
        if self.keys.meant(header.kid.as_deref(), header.alg).is_empty() {
            set.look_again().await;
        }
    }

    /// What the head of a request entitles to.
    pub(crate) fn admit(&self, headers: &HeaderMap, now: Now) -> Result<Rights, Failure> {
        if !self.are_asked() {
            return Ok(Rights::default());
        }
        Ok(self.judge(bearer(headers, "a reader's token")?, now)?)
    }

    /// What a token entitles to.
    pub(crate) fn judge(&self, presented: &[u8], now: Now) -> Result<Rights, Untaken> {
        if !self.are_asked() {
            return Ok(Rights::default());
        }
        if let Some(token) = self.token.as_ref().filter(|token| token.matches(presented)) {
            return Ok(Rights { by: Some(Mark::of(&[token.for_a_site().as_bytes()])), ..Rights::default() });
        }
        if !self.keys.are_asked() {
            return Err(Untaken::new("unauthorised", "the token is not this hub's token for readers"));
        }
        self.judge_signed(presented, now)
    }

    fn judge_signed(&self, presented: &[u8], now: Now) -> Result<Rights, Untaken> {
        let bad = |message: String| Untaken::new("unauthorised", message);
        let header = decode_header(presented).map_err(|error| self.untaken(&error))?;
        // What must be understood isn't: RFC 7515, section 4.1.11.
        if header.crit.is_some() {
            return Err(bad("the token's `crit` names what this hub does not know".to_owned()));
        }
        let keys = self.keys.meant(header.kid.as_deref(), header.alg);
        let mut reason = match self.keys.meant(None, header.alg).is_empty() {
            true => self.untaken(&ErrorKind::InvalidAlgorithm.into()),
            false => bad("the token names a key that is not this hub's (`kid`)".to_owned()),
        };
        for key in keys {
            match self.judge_by(&key, presented, now) {
                Ok(rights) => return Ok(rights),
                Err(untaken) => reason = untaken,
            }
        }
        Err(reason)
    }

    fn judge_by(&self, key: &SigningKey, presented: &[u8], now: Now) -> Result<Rights, Untaken> {
        let bad = |message: String| Untaken::new("unauthorised", message);
        let mut validation = Validation::new(key.algorithm());
        validation.leeway = TOKEN_GRACE.as_secs();
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        let claims = decode::<Claims>(presented, key.key(), &validation).map_err(|error| self.untaken(&error))?.claims;
        let all = serde_json::to_string(&claims).ok().map(Into::into);
        let Claims { exp, channels, sub, jti, iat, others } = claims;
        let info = others.get("info").filter(|info| !info.is_null()).map(ToString::to_string);
        if let Some(info) = info.as_ref().filter(|info| info.len() > PERSON_BYTES_MAX) {
            return Err(bad(format!("`info` has {} bytes: expected at most {PERSON_BYTES_MAX}", info.len())));
        }
        // One that can't be named could not be revoked.
        let user = sub.map(|sub| sub.read("sub")).transpose().map_err(bad)?;
        let token = jti.map(|jti| jti.read("jti")).transpose().map_err(bad)?;
        let issued = iat.map(|seconds| Timestamp::from_millis((seconds * 1000.0) as i64));
        if channels.len() > CLAIMED_CHANNELS_MAX {
            return Err(bad(format!("`channels` has {}: expected at most {CLAIMED_CHANNELS_MAX}", channels.len())));
        }
        let publishes = patterns(&others, "publish").map_err(bad)?;
        let life = exp - now.wall.as_millis() as f64 / 1000.0;
        let life = Duration::try_from_secs_f64(life.max(0.0)).unwrap_or(TOKEN_LIFE_MAX).min(TOKEN_LIFE_MAX);
        if life > self.keys.life_max().saturating_add(TOKEN_GRACE) {
            let (found, max) = (life.as_secs(), self.keys.life_max().as_secs());
            return Err(bad(format!("the token lives {found} s: expected at most {max} s")));
        }
        let by = key.mark().or_else(|| self.keys.mark_of_set());
        let ends = Some(now.mono.plus(life));
        Ok(Rights {
            user,
            token,
            issued,
            by,
            info: info.map(Into::into),
            claims: all,
            channels: Some(channels),
            publishes,
            ends,
        })
    }

    /// The library's reasons in the hub's words. Nothing of the token is repeated.
    fn untaken(&self, error: &Error) -> Untaken {
        let expected = self.keys.algorithms();
        let message = match error.kind() {
            ErrorKind::ExpiredSignature => {
                return Untaken::new("token-expired", "the token has expired: get a new one");
            }
            ErrorKind::ImmatureSignature => "the token is not valid yet (`nbf`)".to_owned(),
            ErrorKind::InvalidSignature | ErrorKind::Provider(_) => {
                "the token is not signed with this hub's key".to_owned()
            }
            ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm | ErrorKind::InvalidAlgorithmName => {
                format!("the token is signed by another algorithm: expected {expected}")
            }
            ErrorKind::InvalidAudience => {
                "the token is for somebody else: expected `aud` watchfloor-hub or none".to_owned()
            }
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => {
                "the token lacks a usable `exp`: expected seconds since 1970".to_owned()
            }
            ErrorKind::Json(_) => {
                format!("the token can't be read: expected `alg` {expected}, `exp`, and `channels`, a list of names")
            }
            _ => format!("the token is none: expected a JWT signed by {expected}"),
        };
        Untaken::new("unauthorised", message)
    }
}

#[cfg(test)]
mod tests;
