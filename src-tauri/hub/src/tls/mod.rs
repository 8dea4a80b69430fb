//! TLS at the doors, by rustls: versions 1.2 and 1.3, with HTTP/1.1 inside.
//!
//! The certificate is in two files, which are looked at every five seconds and when the hub is told to. Connections that begin after they have
//! changed are shown the new one; those that are there go on. What can't be read, or doesn't fit together, changes nothing.

mod expiry;
mod files;

#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use watchfloor_model::Timestamp;

use self::files::Mark;
use crate::{hub::Shared, limits, serve::Plain};

/// A connection by TLS. What is below it has the limits, so what is cut off is cut off below all that is spoken.
pub(crate) type Secure = Box<TlsStream<Plain>>;

/// Where a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The hub's certificate, and those between it and an authority, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM. Others than its owner may not read it.
    pub key: PathBuf,
}

/// A certificate that is shown to who comes. Clones show the same.
#[derive(Clone)]
pub struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    files: TlsFiles,
    config: Arc<ServerConfig>,
    shown: Arc<Shown>,
    /// The files are to be looked at, whether they seem to have changed or not.
    wanted: Notify,
}

/// What is shown at present.
struct Shown(RwLock<Certificate>);

/// A certificate with its key.
#[derive(Clone)]
struct Certificate {
    key: Arc<CertifiedKey>,
    ends: Timestamp,
    /// The files that it was read from, as they were before.
    marks: [Mark; 2],
}

impl Shown {
    fn now(&self) -> Certificate {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, certificate: Certificate) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certificate;
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(***)")
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.inner.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shown {
    /// One certificate for whatever name is asked for: the client judges whether it is the one that it means.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now().key)
    }
}

/// Why somebody was not met by TLS.
#[derive(Debug)]
pub(crate) enum Unmet {
    /// He was too slow.
    TimedOut,
    /// What he said is no greeting, or the two have nothing in common.
    Failed(io::Error),
}

impl Tls {
    /// Reads a certificate.
    ///
    /// # Errors
    /// Which file is wrong, in what way, and what to do.
    pub fn open(files: TlsFiles) -> Result<Self, String> {
        let certificate = files::read(&files)?;
        let shown = Arc::new(Shown(RwLock::new(certificate)));
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| format!("no TLS can be spoken: {error}"))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Who comes back is known by a ticket that he keeps himself: the hub has nothing to remember.
        config.ticketer = ring::Ticketer::new().map_err(|error| format!("no TLS can be spoken: {error}"))?;
        Ok(Self { inner: Arc::new(Inner { files, config: Arc::new(config), shown, wanted: Notify::new() }) })
    }

    /// Has the files looked at now, whether they seem to have changed or not.
    pub fn look_again(&self) {
        self.inner.wanted.notify_one();
    }

    /// When the certificate that is shown ends.
    pub(crate) fn ends(&self) -> Timestamp {
        self.inner.shown.now().ends
    }

    /// Agrees with who has just come upon how to speak.
    ///
    /// # Errors
    /// If that doesn't come about in time.
    pub(crate) async fn meet(&self, stream: Plain) -> Result<Secure, Unmet> {
        let met = TlsAcceptor::from(self.inner.config.clone()).accept(stream);
        match timeout(limits::HANDSHAKE_TIMEOUT, met).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(Unmet::Failed(error)),
            Err(_) => Err(Unmet::TimedOut),
        }
    }

    /// Keeps what is shown as the files have it, for as long as it is waited for.
    pub(crate) async fn follow(&self, hub: &Shared) {
        let mut tick = interval(limits::TLS_LOOK_PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = self.inner.shown.now().marks;
        let mut told = expiry::Told::default();
        loop {
            told.tell(&self.inner.files.certificate, self.ends(), hub.now().wall);
            let is_asked = tokio::select! {
                _ = tick.tick() => false,
                () = self.inner.wanted.notified() => true,
            };
            let inner = self.inner.clone();
            let looked = move || {
                let marks = files::marks(&inner.files);
                (is_asked || marks != seen).then(|| (marks, files::read(&inner.files)))
            };
            // Files may be anywhere, and a folder that hangs is not to hold up the doors.
            let Ok(Some((marks, read))) = tokio::task::spawn_blocking(looked).await else { continue };
            // What is wrong is told once, and looked at again when it has changed.
            seen = marks;
            match read {
                Ok(certificate) => {
                    self.inner.shown.show(certificate);
                    told = expiry::Told::default();
                    let file = self.inner.files.certificate.display();
                    tracing::info!(%file, "the certificate was read anew: who comes from now on is shown it");
                }
                Err(reason) => tracing::error!(reason, "the certificate can't be read anew: the one before is shown"),
            }
        }
    }
}
