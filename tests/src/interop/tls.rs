//! The certificates of a server and a wall that show each other theirs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::stand::keep_secret;
use crate::authority::{Authority, YEAR_GOOD};

/// As the board calls the server.
pub(super) const NAME: &str = "localhost";
/// Another server.
pub(super) const OTHER: &str = "other.example";

/// In a folder: `ca.pem`, whom both trust; `server.pem` and `server.key`; `wall.pem` and `wall.key`.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    folder: PathBuf,
}

impl Tls {
    /// Makes them, in the folder of a stand.
    pub(super) fn prepare(stand: &Path) -> Result<(Self, Authority)> {
        let own = Self { folder: stand.join("tls") };
        fs::create_dir(&own.folder)?;
        let authority = Authority::new("Interop")?;
        fs::write(own.file("ca.pem"), authority.certificate())?;
        own.keep(&authority, "wall", "wall")?;
        own.keep(&authority, "server", NAME)?;
        Ok((own, authority))
    }

    /// Those of a stand, if its server is to be secure.
    pub(super) fn of(stand: &Path) -> Option<Self> {
        let folder = stand.join("tls");
        folder.is_dir().then_some(Self { folder })
    }

    /// Gives `whose` a certificate for `name`.
    pub(super) fn keep(&self, authority: &Authority, whose: &str, name: &str) -> Result<()> {
        let identity = authority.vouch(name, YEAR_GOOD)?;
        fs::write(self.file(&format!("{whose}.pem")), identity.certificate)?;
        keep_secret(&self.file(&format!("{whose}.key")), &identity.key)
    }

    /// A file's path.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What a server is told: its certificate, its key, and whom it trusts.
    pub(super) fn of_server(&self) -> [String; 3] {
        ["server.pem", "server.key", "ca.pem"].map(|name| self.file(name).display().to_string())
    }

    /// What the board says of them.
    pub(super) fn board(&self) -> String {
        let path = |name: &str| self.file(name).display().to_string();
        format!(
            "tls = {{ ca = \"{}\", certificate = \"{}\", key = \"{}\" }}\n",
            path("ca.pem"),
            path("wall.pem"),
            path("wall.key")
        )
    }
}
