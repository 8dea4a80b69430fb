//! Whom secure connections trust, and what they show to a server that asks who comes.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{Error as PemError, PemObject},
    },
};
use rustls_platform_verifier::Verifier;
use watchfloor_board::config::spec::{IdentitySpec, TlsSpec};

use crate::secrets::{Mark, Whose, bytes_of};

/// The longest file of certificates or keys, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;

/// The files that `spec` names, as they are now.
pub(super) fn marks(spec: &TlsSpec) -> Vec<Mark> {
    let identity = spec.identity.iter().flat_map(|identity| [&identity.certificate, &identity.key]);
    spec.ca.iter().chain(identity).map(|path| Mark::of(Path::new(path))).collect()
}

/// The system's trusted certificates, and what the board says besides.
///
/// If the system has none, nobody is trusted, which is told where it matters: plain HTTP goes on.
///
/// # Errors
/// Which file is wrong, in what way, and what to do.
pub(super) fn read(spec: &TlsSpec) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let extra = spec.ca.as_deref().map(|path| certificates("`ca`", path)).transpose()?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(|error| error.to_string())?;
    let builder = match Verifier::new_with_extra_roots(extra.unwrap_or_default(), Arc::clone(&provider)) {
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        Err(error) => match &spec.ca {
            Some(path) => return Err(format!("`ca`: the file {path} holds a certificate that can't be used: {error}")),
            None => {
                tracing::warn!(reason = %error, "this system trusts no certificates: https and wss will fail");
                builder.with_root_certificates(RootCertStore::empty())
            }
        },
    };
    match &spec.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(identity) => {
            let chain = certificates("`certificate`", &identity.certificate)?;
            let key = key(&identity.key)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| unfit(identity, &error))
        }
    }
}

fn unfit(identity: &IdentitySpec, error: &rustls::Error) -> String {
    let IdentitySpec { certificate, key } = identity;
    match error {
        rustls::Error::InconsistentKeys(_) => {
            format!(
                "the key in {key} is not that of the first certificate in {certificate}: the wall's own comes first"
            )
        }
        error => format!("the certificate in {certificate} or the key in {key} can't be used: {error}"),
    }
}

fn certificates(name: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let whose = Whose::All { holds: "certificates in PEM" };
    let bytes = bytes_of(Path::new(path), whose, FILE_BYTES_MAX).map_err(|words| format!("{name}: {words}"))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!(
            "{name}: the file {path} holds no certificate in PEM: expected `-----BEGIN CERTIFICATE-----` \
             (from DER: openssl x509 -inform DER -in … -out …)"
        )),
    }
}

/// Nothing of what the file holds is in an error.
fn key(path: &str) -> Result<PrivateKeyDer<'static>, String> {
    let whose = Whose::Own { holds: "a key in PEM" };
    let bytes = bytes_of(Path::new(path), whose, FILE_BYTES_MAX).map_err(|words| format!("`key`: {words}"))?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let is_locked = bytes.windows(9).any(|word| word == b"ENCRYPTED");
        match error {
            PemError::NoItemsFound | PemError::Base64Decode(_) if is_locked => format!(
                "`key`: the key in {path} is locked by a passphrase: expected one without (openssl pkey -in … -out …)"
            ),
            _ => format!("`key`: the file {path} holds no key in PEM: expected `-----BEGIN PRIVATE KEY-----`"),
        }
    })
}
