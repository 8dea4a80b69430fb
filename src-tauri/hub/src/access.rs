//! Who may read what: by a token of all readers, or by a token that says which channels and until when (a JWT, RFC 7519).
//!
//! With neither configured everybody may read everything, as long as nobody else can reach the hub.

use std::{fmt, sync::Once, time::Duration};

use axum::http::{HeaderMap, StatusCode};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    decode, decode_header,
    errors::{Error, ErrorKind},
    signature,
};
use ring::hmac;
use serde::Deserialize;
use watchfloor_model::Mono;

use crate::{
    clock::Now,
    failure::Failure,
    guard::{Token, bearer},
    limits::{CLAIMED_CHANNELS_MAX, TOKEN_GRACE, TOKEN_LIFE_MAX},
};

/// The audience that a token may name, if it names one.
const AUDIENCE: &str = "watchfloor-hub";
/// The shortest key: as many bytes as the hash has (RFC 7518, section 3.2).
pub const KEY_BYTES_MIN: usize = 32;

/// The key that readers' tokens are signed with, by HMAC with SHA-256 (`HS256`). Never shown.
#[derive(Clone)]
pub struct SigningKey(DecodingKey);

impl SigningKey {
    /// A key of at least [`KEY_BYTES_MIN`] bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        static PROVIDER: CryptoProvider = CryptoProvider {
            signer_factory: signer,
            verifier_factory: verifier,
            key_utils: KeyUtils::new_unimplemented(),
        };
        static INSTALL: Once = Once::new();
        // A program around this one that has installed another knows this algorithm too.
        INSTALL.call_once(|| {
            let _installed = PROVIDER.install_default();
        });
        (bytes.len() >= KEY_BYTES_MIN).then(|| Self(DecodingKey::from_secret(bytes)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// Nothing is signed here.
fn signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.try_get_as_bytes()?)))),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

/// Compares in constant time.
struct Hs256(hmac::Key);

impl signature::Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, tag).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

/// What readers must present. Nothing if it holds nothing.
#[derive(Clone, Debug, Default)]
pub struct Readers {
    /// A token of all readers, good for every channel and for ever.
    pub token: Option<Token>,
    /// The key of tokens that say what they are good for.
    pub key: Option<SigningKey>,
}

/// What a reader may read, and until when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    /// Patterns of channels; none for every channel.
    channels: Option<Vec<String>>,
    /// The end that its token names.
    pub(crate) ends: Option<Mono>,
}

impl Rights {
    pub(crate) fn allows(&self, channel: &str) -> bool {
        let Some(patterns) = &self.channels else { return true };
        patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => channel.starts_with(beginning),
            None => pattern == channel,
        })
    }

    /// The first channel that isn't allowed, in words.
    pub(crate) fn forbids<'a>(&self, channels: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let forbidden = channels.into_iter().find(|channel| !self.allows(channel))?;
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

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    channels: Vec<String>,
}

impl Readers {
    /// Whether anything must be presented.
    pub(crate) const fn are_asked(&self) -> bool {
        self.token.is_some() || self.key.is_some()
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
        if !self.are_asked() || self.token.as_ref().is_some_and(|token| token.matches(presented)) {
            return Ok(Rights::default());
        }
        match &self.key {
            Some(key) => key.judge(presented, now),
            None => Err(Untaken::new("unauthorised", "the token is not this hub's token for readers")),
        }
    }
}

impl SigningKey {
    fn judge(&self, presented: &[u8], now: Now) -> Result<Rights, Untaken> {
        let bad = |message: String| Untaken::new("unauthorised", message);
        // What must be understood isn't: RFC 7515, section 4.1.11.
        if decode_header(presented).is_ok_and(|header| header.crit.is_some()) {
            return Err(bad("the token's `crit` names what this hub does not know".to_owned()));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = TOKEN_GRACE.as_secs();
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        let Claims { exp, channels } =
            decode::<Claims>(presented, &self.0, &validation).map_err(|error| untaken(&error))?.claims;
        if channels.len() > CLAIMED_CHANNELS_MAX {
            return Err(bad(format!("`channels` has {}: expected at most {CLAIMED_CHANNELS_MAX}", channels.len())));
        }
        let life = exp - now.wall.as_millis() as f64 / 1000.0;
        let life = Duration::try_from_secs_f64(life.max(0.0)).unwrap_or(TOKEN_LIFE_MAX).min(TOKEN_LIFE_MAX);
        Ok(Rights { channels: Some(channels), ends: Some(now.mono.plus(life)) })
    }
}

/// The library's reasons in the hub's words. Nothing of the token is repeated.
fn untaken(error: &Error) -> Untaken {
    let message = match error.kind() {
        ErrorKind::ExpiredSignature => return Untaken::new("token-expired", "the token has expired: get a new one"),
        ErrorKind::ImmatureSignature => "the token is not valid yet (`nbf`)",
        ErrorKind::InvalidSignature | ErrorKind::Provider(_) => "the token is not signed with this hub's key",
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "the token is signed by another algorithm: expected HS256"
        }
        ErrorKind::InvalidAudience => "the token is for somebody else: expected `aud` watchfloor-hub or none",
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => {
            "the token lacks a usable `exp`: expected seconds since 1970"
        }
        ErrorKind::Json(_) => "the token can't be read: expected `alg` HS256, `exp`, and `channels`, a list of names",
        _ => "the token is none: expected a JWT signed by HS256",
    };
    Untaken::new("unauthorised", message)
}

#[cfg(test)]
mod tests;
