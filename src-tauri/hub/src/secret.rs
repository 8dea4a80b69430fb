//! Secrets as they are kept in files.

use std::{fs::File, io::Read, path::Path};

use anyhow::{Context, anyhow};
use watchfloor_hub::{KEY_BYTES_MIN, SigningKey, Token};

/// A token is one line. What is named may be a device without end.
const SECRET_BYTES_MAX: u64 = 4096;

/// What was read. Never shown.
pub(crate) struct Secret {
    bytes: Vec<u8>,
    /// What it is, for errors.
    whence: String,
}

impl Secret {
    /// Of what was read elsewhere.
    pub(crate) const fn new(bytes: Vec<u8>, whence: String) -> Self {
        Self { bytes, whence }
    }

    pub(crate) fn of_file(path: &Path, what: &str) -> anyhow::Result<Self> {
        let name = path.display();
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(SECRET_BYTES_MAX).read_to_end(&mut bytes))
            .with_context(|| format!("can't read the {what} file {name}: create it, readable for this user"))?;
        Ok(Self { bytes, whence: format!("the {what} file {name}") })
    }

    /// What it is, for errors.
    pub(crate) fn whence(&self) -> &str {
        &self.whence
    }

    /// The whole but a line end after it.
    pub(crate) fn bare(&self) -> &[u8] {
        self.bytes.strip_suffix(b"\n").map_or(&*self.bytes, |rest| rest.strip_suffix(b"\r").unwrap_or(rest))
    }

    pub(crate) fn text(&self) -> anyhow::Result<&str> {
        std::str::from_utf8(self.bare()).map(str::trim).with_context(|| format!("{} holds no text", self.whence))
    }

    pub(crate) fn token(&self) -> anyhow::Result<Token> {
        Token::new(self.text()?).ok_or_else(|| self.is_none())
    }

    /// A token, as it is presented.
    pub(crate) fn presented(&self) -> anyhow::Result<String> {
        let text = self.text()?;
        Token::new(text).map(|_| text.to_owned()).ok_or_else(|| self.is_none())
    }

    fn is_none(&self) -> anyhow::Error {
        anyhow!("{} holds no token: write one line of visible ASCII characters into it", self.whence)
    }

    pub(crate) fn key(&self) -> anyhow::Result<SigningKey> {
        let found = self.bare().len();
        SigningKey::new(self.bare()).ok_or_else(|| {
            anyhow!("{} holds {found} bytes: write at least {KEY_BYTES_MIN} random ones into it", self.whence)
        })
    }
}
