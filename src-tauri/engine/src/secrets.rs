//! Secrets where they are kept: in a file, the environment or a keyring.
//!
//! H8: no secret is in any word that is said here. What a place holds is described, never repeated, not even when it can't be
//! read.

mod keyring;

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

use tokio::task::spawn_blocking;
use watchfloor_board::config::spec::SecretSpec;
use watchfloor_feed::{CredentialFault, Secret};

/// The longest token or secret, in bytes.
pub(crate) const SECRET_BYTES_MAX: usize = 16 << 10;

/// What makes it likely that a file is another one than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(Option<(SystemTime, u64, u64, Option<u32>)>);

impl Mark {
    /// Of what is at the path now.
    pub(crate) fn of(path: &Path) -> Self {
        let of = |meta: fs::Metadata| Some((meta.modified().ok()?, meta.len(), number(&meta), shared_mode(&meta)));
        Self(fs::metadata(path).ok().and_then(of))
    }
}

#[cfg(unix)]
fn number(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> u64 {
    0
}

/// Reads a secret where it is kept.
pub(crate) async fn read(place: &SecretSpec) -> Result<Secret, CredentialFault> {
    match place {
        SecretSpec::Variable(name) => {
            let missing = || CredentialFault::new(format!("the environment variable {name} is not set: set it"));
            let held = std::env::var_os(name).ok_or_else(missing)?;
            // What is no text isn't ASCII either, and is refused as that.
            sound(&held.to_string_lossy(), &format!("the environment variable {name} holds"))
        }
        SecretSpec::File(path) => {
            let path = path.clone();
            let read = spawn_blocking(move || read_file(Path::new(&path))).await;
            read.unwrap_or_else(|_| Err(CredentialFault::new("the token's file could not be read")))
        }
        SecretSpec::Keyring { service, account } => keyring::read(service, account).await.map_err(CredentialFault::new),
    }
}

fn read_file(path: &Path) -> Result<Secret, CredentialFault> {
    let name = path.display();
    let whose = Whose::Own { holds: "the token" };
    let bytes = bytes_of(path, whose, SECRET_BYTES_MAX + 1).map_err(CredentialFault::new)?;
    let no_text = |_| CredentialFault::new(format!("the file {name} holds no text: expected the token on one line"));
    sound(std::str::from_utf8(&bytes).map_err(no_text)?, &format!("the file {name} holds"))
}

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// Its owner alone, for what it holds.
    Own { holds: &'static str },
    /// Anybody.
    All { holds: &'static str },
}

/// The first `most` bytes of a file.
///
/// # Errors
/// Where, what was found and what is to be done, if it can't be read, or if others may read what is its owner's.
pub(crate) fn bytes_of(path: &Path, whose: Whose, most: usize) -> Result<Vec<u8>, String> {
    let name = path.display();
    let unreadable = |error: io::Error| {
        let reason = match (error.kind(), whose) {
            (io::ErrorKind::NotFound, Whose::Own { .. }) => {
                "is not there: create it, readable for this user alone".to_owned()
            }
            (io::ErrorKind::NotFound, Whose::All { .. }) => "is not there: create it".to_owned(),
            (io::ErrorKind::PermissionDenied, Whose::Own { .. }) => {
                "can't be read by this user: make it its owner".to_owned()
            }
            (io::ErrorKind::PermissionDenied, Whose::All { .. }) => "can't be read by this user: let it".to_owned(),
            _ => format!("can't be read: {error}"),
        };
        format!("the file {name} {reason}")
    };
    let (Whose::Own { holds } | Whose::All { holds }) = whose;
    // A pipe would wait for somebody who writes.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{name} is no file: expected one that holds {holds}"));
    }
    let file = File::open(path).map_err(unreadable)?;
    // Of the file that was opened, whatever stands at its path by now.
    let meta = file.metadata().map_err(unreadable)?;
    if let (Some(mode), Whose::Own { .. }) = (shared_mode(&meta), whose) {
        return Err(format!("others may read the file {name} (mode {mode:04o}): expected its owner alone: chmod 600"));
    }
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The mode of a file that others than its owner may get at.
#[cfg(unix)]
fn shared_mode(meta: &fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn shared_mode(_: &fs::Metadata) -> Option<u32> {
    None
}

/// What matters of a credentials file of NATS, which has several lines: the JWT and the seed, joined by a colon.
fn joined(text: &str) -> Option<String> {
    let after = |heading: &str| {
        let (_, rest) = text.split_once(heading)?;
        rest.lines().map(str::trim).find(|line| !line.is_empty())
    };
    Some(format!("{}:{}", after("-----BEGIN NATS USER JWT-----")?, after("-----BEGIN USER NKEY SEED-----")?))
}

/// A text that fits into a header: one line of visible ASCII.
pub(crate) fn sound(text: &str, whence: &str) -> Result<Secret, CredentialFault> {
    let joined = joined(text);
    let text = joined.as_deref().unwrap_or(text).trim();
    let found = match text {
        "" => "nothing",
        text if text.len() > SECRET_BYTES_MAX => "too much",
        text if text.lines().count() > 1 => "several lines",
        text if !text.bytes().all(|b| b.is_ascii_graphic()) => "spaces or other characters than ASCII",
        text => return Ok(Secret::new(text)),
    };
    Err(CredentialFault::new(format!(
        "{whence} {found}: expected one line of 1 to {SECRET_BYTES_MAX} visible ASCII characters"
    )))
}
