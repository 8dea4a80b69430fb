//! Ably by a script: a server that says what the service would, as far as its specification and documents tell, and does what a test
//! wants done. It is held to account by Ably's own JavaScript client, which is before the same server at the same time.
//!
//! ```text
//! /                                  the realtime protocol 6, in JSON
//! /channels/{name}/messages          the history, and /presence who is there
//! /keys/{key}/requestToken, /time    as clients of the service ask for them
//! /signed/{key}, /token/{key}        the site's own: a signed request for a token, and a token
//! ```

mod access;
mod channel;
mod deeds;
mod http;
mod official;
mod service;
pub mod stage;

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::{
    access::Rights,
    channel::Said,
    official::Official,
    service::{Heard, Service, Settings},
};

/// The server. It ends when it is dropped.
#[derive(Debug)]
pub struct Script {
    service: http::Shared,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for Script {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Script {
    /// One with a key for each of these.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start(keys: &[&str]) -> Result<Self> {
        let service = Arc::new(std::sync::Mutex::new(Service::new(keys)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let routes = http::routes(Arc::clone(&service));
        let server = tokio::spawn(async move {
            // It is aborted with the script.
            let _ended = axum::serve(listener, routes).await;
        });
        Ok(Self { service, address, server })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has the service do something, or looks at it. Nothing happens in between.
    pub fn with<T>(&self, act: impl FnOnce(&mut Service) -> T) -> T {
        act(&mut http::held(&self.service))
    }
}

/// A message of this name, with a body in JSON.
#[must_use]
pub fn message(name: &str, data: &Value) -> Said {
    encoded(name, &data.to_string(), "json")
}

/// One whose data is encoded.
#[must_use]
pub fn encoded(name: &str, data: &str, encoding: &str) -> Said {
    Said { whole: json!({ "name": name, "data": data, "encoding": encoding }), delta: None }
}

/// Writes a file as a wall wants it of a secret: for its owner alone.
///
/// # Errors
/// If it can't be written.
pub fn keep_secret(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}
