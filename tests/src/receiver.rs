//! Somebody who is told of alarms by HTTP, and keeps what he was told.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

use anyhow::Result;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::post,
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// One message.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who says that he sends it.
    pub authorization: Option<String>,
    /// What it says.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Kept {
    told: Mutex<Vec<Told>>,
    answer: AtomicU16,
}

/// The receiver; it ends when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    kept: Arc<Kept>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn hear(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: String) -> StatusCode {
    let answer = StatusCode::from_u16(kept.answer.load(Ordering::SeqCst)).unwrap_or(StatusCode::OK);
    if answer.is_success() {
        let authorization = headers.get(AUTHORIZATION).and_then(|own| own.to_str().ok()).map(str::to_owned);
        let body = serde_json::from_str(&body).unwrap_or(Value::Null);
        kept.told.lock().unwrap_or_else(PoisonError::into_inner).push(Told { authorization, body });
    }
    answer
}

impl Receiver {
    /// Starts one that takes whatever it is told.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start() -> Result<Self> {
        let kept = Arc::new(Kept { answer: AtomicU16::new(200), ..Kept::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/alerts", post(hear)).with_state(Arc::clone(&kept));
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, kept, serving })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/alerts", self.address)
    }

    /// What it answers from now on. What it doesn't take it doesn't keep.
    pub fn answer(&self, status: u16) {
        self.kept.answer.store(status, Ordering::SeqCst);
    }

    /// What it was told and took, in order.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.kept.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Each alert of it, in order.
    #[must_use]
    pub fn alerts(&self) -> Vec<Value> {
        self.told().iter().flat_map(|told| told.body["alerts"].as_array().cloned().unwrap_or_default()).collect()
    }
}
