//! A hub as a publisher sees it: `docs/hub.md`, section Publish.

use std::time::Duration;

use serde_json::json;
use watchfloor_model::Timestamp;

use crate::story::ReplayEvent;

/// The longest wait for an answer. Longer than a hub takes to restart.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The longest wait for the answer to a sign of life: the next one is due by then.
const ALIVE_ANSWER_MAX: Duration = Duration::from_secs(1);
/// The longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Why the hub took something not.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// It can't be reached, or is in trouble: worth another try.
    #[error("the hub can't be reached: {0}")]
    Unreachable(String),
    /// It says no. The same again would get the same answer.
    #[error("the hub refused: {0}")]
    Refused(String),
}

/// The publishing routes of one hub.
#[derive(Clone, Debug)]
pub(super) struct HubClient {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl HubClient {
    /// A client of the hub at `base`, such as `http://127.0.0.1:8787`.
    pub(super) fn new(base: &str, token: Option<String>) -> Result<Self, reqwest::Error> {
        // Without a provider reqwest can't be built. Whoever installed one first has chosen it for the whole process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_MAX).timeout(ANSWER_MAX).build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token })
    }

    /// Publishes a batch. The same key with the same batch again publishes nothing and is answered alike.
    pub(super) async fn publish(&self, batch: &[ReplayEvent], key: &str) -> Result<(), HubError> {
        self.send(self.post("publish").header("idempotency-key", key).json(batch)).await.map(drop)
    }

    /// The name of the hub's present history. Another one than before: it may be another process, which doesn't know the replay's
    /// clock.
    pub(super) async fn epoch(&self) -> Result<String, HubError> {
        let request = self.http.get(format!("{}/v1/health", self.base)).timeout(ALIVE_ANSWER_MAX);
        let health: Health =
            self.send(request).await?.json().await.map_err(|error| HubError::Unreachable(causes(&error)))?;
        Ok(health.epoch)
    }

    /// Sets the hub's clock. `begins` if nothing happened before what is published next.
    pub(super) async fn set_clock(
        &self,
        now: Timestamp,
        speed: f64,
        label: &str,
        begins: bool,
    ) -> Result<(), HubError> {
        let order = json!({ "now": now, "speed": speed, "label": label, "begins": begins });
        self.send(self.post("clock").json(&order)).await.map(drop)
    }

    /// Says that the publisher of these channels lives.
    pub(super) async fn alive(&self, channels: &[&str]) -> Result<(), HubError> {
        self.send(self.post("alive").timeout(ALIVE_ANSWER_MAX).json(&json!({ "channels": channels }))).await.map(drop)
    }

    fn post(&self, route: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}/v1/{route}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, HubError> {
        let response = request.send().await.map_err(|error| HubError::Unreachable(causes(&error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let said = response.text().await.unwrap_or_else(|error| causes(&error));
        let said = format!("{status}: {}", said.chars().take(300).collect::<String>());
        let passing = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        Err(if passing { HubError::Unreachable(said) } else { HubError::Refused(said) })
    }
}

/// What of `GET /v1/health` is wanted.
#[derive(serde::Deserialize)]
struct Health {
    epoch: String,
}

/// An error with what is behind it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
