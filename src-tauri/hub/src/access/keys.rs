//! The keys by which readers' tokens are signed, and how a signature is checked: `HS256`, `RS256`, `ES256` and `EdDSA` (RFC 7518, RFC 8037).

use std::{
    fmt,
    sync::{Arc, Once, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
    signature,
};
use ring::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    },
};

use super::jwks::Jwks;
use crate::limits::TOKEN_LIFE_MAX;

/// The shortest secret: as many bytes as the hash has (RFC 7518, section 3.2).
pub const KEY_BYTES_MIN: usize = 32;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with the curve P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// What tells a secret, or a key, from others. Nothing can be found out from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark([u8; 16]);

impl Mark {
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut mark = [0; 16];
        mark.copy_from_slice(&context.finish().as_ref()[..16]);
        Self(mark)
    }
}

/// A key that readers' tokens are signed with. Never shown.
#[derive(Clone)]
pub struct SigningKey {
    /// What tokens call it; a token that names another is not judged by it.
    id: Option<Arc<str>>,
    algorithm: Algorithm,
    key: DecodingKey,
    /// None of one of a set, which may change at any time.
    mark: Option<Mark>,
}

impl SigningKey {
    /// A secret of at least [`KEY_BYTES_MIN`] bytes, for `HS256`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        install();
        let mark = Some(Mark::of(&[b"secret", bytes]));
        let key = || Self { id: None, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(bytes), mark };
        (bytes.len() >= KEY_BYTES_MIN).then(key)
    }

    /// A public key in PEM.
    ///
    /// # Errors
    /// If it is none, or one of another kind.
    pub fn public(signing: Signing, pem: &[u8]) -> Result<Self, String> {
        install();
        let (algorithm, key, what) = match signing {
            Signing::Rs256 => (Algorithm::RS256, DecodingKey::from_rsa_pem(pem), "RSA"),
            Signing::Es256 => (Algorithm::ES256, DecodingKey::from_ec_pem(pem), "elliptic curve P-256"),
            Signing::EdDsa => (Algorithm::EdDSA, DecodingKey::from_ed_pem(pem), "Ed25519"),
        };
        match key {
            Ok(key) => Ok(Self { id: None, algorithm, key, mark: Some(Mark::of(&[what.as_bytes(), pem])) }),
            Err(_) => Err(format!("no public key of {what} in PEM: expected `-----BEGIN PUBLIC KEY-----`")),
        }
    }

    /// The same key, which tokens call by this name (`kid`).
    #[must_use]
    pub fn called(self, id: &str) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    /// One of a set (RFC 7517), if it is of a kind that is taken here, and is for signatures. Secrets in a set are not taken: who can
    /// read it could sign.
    pub(crate) fn of_set(jwk: &Jwk) -> Option<Self> {
        install();
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
            _ => return None,
        };
        let named = match jwk.common.key_algorithm {
            None => true,
            Some(KeyAlgorithm::RS256) => algorithm == Algorithm::RS256,
            Some(KeyAlgorithm::ES256) => algorithm == Algorithm::ES256,
            Some(KeyAlgorithm::EdDSA) => algorithm == Algorithm::EdDSA,
            Some(_) => false,
        };
        let is_for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let id = jwk.common.key_id.as_deref().map(Arc::from);
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (named && is_for_signatures).then_some(Self { id, algorithm, key, mark: None })
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) const fn mark(&self) -> Option<Mark> {
        self.mark
    }

    pub(crate) const fn key(&self) -> &DecodingKey {
        &self.key
    }

    /// Whether a token may be judged by it that names this key and this algorithm.
    fn is_meant(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let is_named = match (&self.id, id) {
            (Some(own), Some(id)) => **own == *id,
            _ => true,
        };
        is_named && self.algorithm == algorithm
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// All keys: those that are given, and those of a set that is fetched. Clones are the same keys.
#[derive(Clone, Default)]
pub struct Keys {
    given: Arc<[SigningKey]>,
    set: Option<Arc<Jwks>>,
    fetched: Arc<RwLock<Arc<[SigningKey]>>>,
    /// The longest life of a token that is taken, if there is one.
    life: Option<Duration>,
}

impl Keys {
    /// These.
    #[must_use]
    pub fn new(given: impl IntoIterator<Item = SigningKey>) -> Self {
        Self { given: given.into_iter().collect(), ..Self::default() }
    }

    /// Those of the set at this address (RFC 7517) besides. It is fetched while the hub serves, and anew for a key that isn't known.
    #[must_use]
    pub fn with_set(self, url: &str) -> Self {
        Self { set: Some(Arc::new(Jwks::new(url))), ..self }
    }

    /// Tokens that live longer are not taken.
    #[must_use]
    pub fn living_at_most(self, life: Duration) -> Self {
        Self { life: Some(life), ..self }
    }

    /// The longest life of a token that is taken.
    pub(crate) fn life_max(&self) -> Duration {
        self.life.unwrap_or(TOKEN_LIFE_MAX)
    }

    pub(crate) fn are_asked(&self) -> bool {
        !self.given.is_empty() || self.set.is_some()
    }

    /// The mark of those of its set.
    pub(crate) fn mark_of_set(&self) -> Option<Mark> {
        self.set.as_ref().map(|set| Mark::of(&[b"set", set.url().as_bytes()]))
    }

    /// Whether this is one of them.
    pub(crate) fn know(&self, mark: Mark) -> bool {
        self.given.iter().any(|key| key.mark == Some(mark)) || self.mark_of_set() == Some(mark)
    }

    /// With what was fetched by others, if it is of the same set.
    #[must_use]
    pub(crate) fn carried_on(self, before: &Self) -> Self {
        match (&self.set, &before.set) {
            (Some(own), Some(set)) if own.url() == set.url() => {
                Self { set: before.set.clone(), fetched: before.fetched.clone(), ..self }
            }
            _ => self,
        }
    }

    pub(crate) const fn set(&self) -> Option<&Arc<Jwks>> {
        self.set.as_ref()
    }

    /// The keys of the set are these from now on.
    pub(crate) fn take_set(&self, keys: Vec<SigningKey>) {
        *self.fetched.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }

    /// The keys by which a token may be judged.
    pub(crate) fn meant(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<SigningKey> {
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.given.iter().chain(&*fetched).filter(|key| key.is_meant(id, algorithm)).cloned().collect()
    }

    /// The algorithms of the keys that are given, for people; all that are taken if there is a set.
    pub(crate) fn algorithms(&self) -> String {
        let mut names = std::collections::BTreeSet::new();
        names.extend(self.given.iter().map(|key| name(key.algorithm)));
        if self.set.is_some() {
            names.extend(["RS256", "ES256", "EdDSA"]);
        }
        names.into_iter().collect::<Vec<_>>().join(" or ")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.given).finish()
    }
}

const fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "RS256",
        Algorithm::ES256 => "ES256",
        Algorithm::EdDSA => "EdDSA",
        _ => "HS256",
    }
}

/// The library's signatures are checked by `ring`.
fn install() {
    static PROVIDER: CryptoProvider =
        CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };
    static INSTALL: Once = Once::new();
    // A program around this one that has installed another knows these algorithms too.
    INSTALL.call_once(|| {
        let _installed = PROVIDER.install_default();
    });
}

/// Nothing is signed here.
fn signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    match algorithm {
        Algorithm::HS256 | Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA => {
            Ok(Box::new(Verifier { algorithm: *algorithm, key: key.clone() }))
        }
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

struct Verifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl signature::Verifier<Vec<u8>> for Verifier {
    /// Secrets are compared in constant time.
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        let bytes = || self.key.try_get_as_bytes().map_err(|_| signature::Error::new());
        let checked = match self.algorithm {
            Algorithm::HS256 => hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, bytes()?), message, tag),
            Algorithm::ES256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes()?).verify(message, tag),
            Algorithm::EdDSA => UnparsedPublicKey::new(&ED25519, bytes()?).verify(message, tag),
            _ => match self.key.kind() {
                DecodingKeyKind::SecretOrDer(der) => {
                    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(message, tag)
                }
                DecodingKeyKind::RsaModulusExponent { n, e } => {
                    RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, tag)
                }
            },
        };
        checked.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Verifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
