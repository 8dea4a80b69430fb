//! The two files that a certificate is in.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use rustls::{
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{Error as PemError, PemObject},
    },
    sign::CertifiedKey,
};

use super::{Certificate, TlsFiles, expiry};
use crate::limits;

/// What tells a file from the one that stood in its place before: when it was written, its length, its number and its mode. Nothing if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(Option<(SystemTime, u64, u64, u32)>);

impl Mark {
    fn of(path: &Path) -> Self {
        let of = |meta: fs::Metadata| Some((meta.modified().ok()?, meta.len(), number(&meta), mode(&meta)));
        Self(fs::metadata(path).ok().and_then(of))
    }
}

/// Of both files.
pub(super) fn marks(files: &TlsFiles) -> [Mark; 2] {
    [Mark::of(&files.certificate), Mark::of(&files.key)]
}

/// Reads both, and has them fit together.
///
/// # Errors
/// Which of them is wrong, in what way, and what to do.
pub(super) fn read(files: &TlsFiles) -> Result<Certificate, String> {
    let marks = marks(files);
    let chain = chain(&files.certificate)?;
    let ends = chain.first().and_then(|own| expiry::of(own)).ok_or_else(|| {
        let name = files.certificate.display();
        format!("`certificate`: the first certificate in {name} can't be read: expected one of X.509 with an end")
    })?;
    let key = key(&files.key)?;
    let key = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| unfit(files, &error))?;
    Ok(Certificate { key: Arc::new(key), ends, marks })
}

fn unfit(TlsFiles { certificate, key }: &TlsFiles, error: &rustls::Error) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    match error {
        rustls::Error::InconsistentKeys(_) => format!(
            "`tls`: the key in {key} is not that of the first certificate in {certificate}: expected the hub's own certificate first, and its key"
        ),
        error => format!("`tls`: the certificate in {certificate} or the key in {key} can't be used: {error}"),
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = bytes_of(path, false).map_err(|words| format!("`certificate`: {words}"))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!(
            "`certificate`: the file {} holds no certificate in PEM: expected `-----BEGIN CERTIFICATE-----`",
            path.display()
        )),
    }
}

/// Nothing of what the file holds is in an error.
fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = bytes_of(path, true).map_err(|words| format!("`key`: {words}"))?;
    let name = path.display();
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let is_locked = bytes.windows(9).any(|word| word == b"ENCRYPTED");
        match error {
            PemError::NoItemsFound | PemError::Base64Decode(_) if is_locked => format!(
                "`key`: the key in {name} is locked by a passphrase: expected one without (openssl pkey -in … -out …)"
            ),
            _ => format!("`key`: the file {name} holds no key in PEM: expected `-----BEGIN PRIVATE KEY-----`"),
        }
    })
}

/// What a file holds. If it is secret, others may not read it.
fn bytes_of(path: &Path, is_secret: bool) -> Result<Vec<u8>, String> {
    let name = path.display();
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("the file {name} is not there: put it there, or name another"),
        io::ErrorKind::PermissionDenied => format!("the file {name} can't be read by this user: let it"),
        _ => format!("the file {name} can't be read: {error}"),
    };
    // A pipe would wait for somebody who writes.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{name} is no file: expected one in PEM"));
    }
    let file = File::open(path).map_err(unreadable)?;
    // Of the file that was opened, whatever stands at its path by now.
    let meta = file.metadata().map_err(unreadable)?;
    if is_secret && is_shared(&meta) {
        let mode = mode(&meta);
        return Err(format!(
            "others may read the file {name} (mode {mode:04o}): expected its owner alone (chmod 600), or root's and a group's (640)"
        ));
    }
    let mut bytes = Vec::new();
    file.take(limits::TLS_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Whether others than its owner may get at a file; a group may read one of root's, for that is how a system hands it to a service.
#[cfg(unix)]
fn is_shared(meta: &fs::Metadata) -> bool {
    let allowed = if std::os::unix::fs::MetadataExt::uid(meta) == 0 { 0o740 } else { 0o700 };
    mode(meta) & !allowed != 0
}

#[cfg(not(unix))]
fn is_shared(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn mode(meta: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}

#[cfg(unix)]
fn number(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> u64 {
    0
}
