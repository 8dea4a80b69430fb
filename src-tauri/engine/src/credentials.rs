//! Where a source's token is had: kept in a file or the environment, or given at an address for a secret that is kept so.
//!
//! H8: neither a token nor a secret is in any word that is said here. What a file or an answer holds is described, never
//! repeated, not even when it can't be read.

use std::{path::Path, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::{sync::Notify, task::spawn_blocking, time::sleep};
use url::Url;
use watchfloor_board::config::spec::{SecretSpec, TokenSpec};
use watchfloor_feed::{Credential, CredentialFault, Expiry, FetchId, Input, LinkFault, LinkFaultKind};
use watchfloor_model::{Mono, Timestamp};

use crate::{
    clock::Clock,
    secrets::{Mark, read, sound},
    transport::{Doors, Inputs, Task},
};

/// The longest answer of an address that gives tokens, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The longest life of a token that is believed.
const LIFE_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);
/// How often a file is looked at for a change.
const WATCH_PERIOD: Duration = Duration::from_secs(2);

/// How one source comes by its tokens.
#[derive(Debug)]
pub(crate) struct Credentials {
    source: String,
    place: TokenSpec,
    doors: Arc<Doors>,
    clock: Clock,
}

impl Credentials {
    pub(crate) fn new(source: String, place: TokenSpec, doors: Arc<Doors>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { source, place, doors, clock })
    }

    /// Gets a token and reports it to `inputs`.
    pub(crate) fn ask(self: &Arc<Self>, fetch: FetchId, timeout: Duration, inputs: Inputs) -> Task {
        let own = Arc::clone(self);
        Task::start(async move {
            // A file may lie on a disk that doesn't answer.
            let outcome = match tokio::time::timeout(timeout, own.get(timeout)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(of_link(&LinkFault::new(LinkFaultKind::Timeout, ""))),
            };
            match &outcome {
                Ok(_) => tracing::debug!(source = own.source, "token in hand"),
                Err(fault) => tracing::warn!(source = own.source, reason = %fault, "no token"),
            }
            let _nobody_listens_any_more = inputs.send(Input::Credential { fetch, outcome }).await;
        })
    }

    /// Tells `changed` each time that the file in which the token or the secret is kept has changed; none if it is in no file.
    pub(crate) fn watch(&self, changed: Arc<Notify>) -> Option<Task> {
        let place = match &self.place {
            TokenSpec::Held(place) | TokenSpec::Fetched { secret: place, .. } => place,
        };
        let SecretSpec::File(path) = place else { return None };
        let (path, source) = (path.clone(), self.source.clone());
        Some(Task::start(async move {
            let mut known = None;
            loop {
                let path = path.clone();
                let Ok(seen) = spawn_blocking(move || Mark::of(Path::new(&path))).await else { return };
                if known.replace(seen).is_some_and(|known| known != seen) {
                    tracing::info!(source, "the file of its token has changed");
                    changed.notify_one();
                }
                sleep(WATCH_PERIOD).await;
            }
        }))
    }

    async fn get(&self, timeout: Duration) -> Result<Credential, CredentialFault> {
        match &self.place {
            TokenSpec::Held(place) => {
                let token = read(place).await?;
                let expiry = self.guess(token.expose(), self.clock.now(), self.clock.wall());
                Ok(Credential { token, expiry })
            }
            TokenSpec::Fetched { url, secret } => {
                let url = Url::parse(url).map_err(|error| CredentialFault::new(format!("`from`: {error}")))?;
                let secret = read(secret).await?;
                let asked = self.clock.now();
                let answer = self.doors.post(url, &secret, ANSWER_BYTES_MAX, timeout).await;
                let answer = answer.map_err(|fault| of_link(&fault))?;
                self.take(answer.status, &answer.body, answer.retry_after, (asked, answer.date))
            }
        }
    }

    /// Reads what the address answered to a question that went out at `asked`, by the other side's clock at `date`.
    fn take(
        &self,
        status: u16,
        body: &[u8],
        retry_after: Option<Duration>,
        (asked, date): (Mono, Option<Timestamp>),
    ) -> Result<Credential, CredentialFault> {
        match status {
            200 | 201 => {}
            401 | 403 => {
                let text = format!("the secret is refused (HTTP {status}): expected one that the address knows");
                return Err(CredentialFault { denied: true, ..CredentialFault::new(text) });
            }
            _ => return Err(CredentialFault { retry_after, ..CredentialFault::new(format!("HTTP {status}")) }),
        }
        // The parser's own words would repeat what it found.
        let unreadable = || {
            let found = if body.trim_ascii_start().first() == Some(&b'<') { "a web page" } else { "something else" };
            CredentialFault::new(format!(
                "answered with {found}: expected {{\"token\": \"…\", \"expires_in\": seconds}}"
            ))
        };
        let answer: Answer = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let token = sound(&answer.token, "the address gave")?;
        let expiry = match answer.expires_in {
            Some(seconds) => {
                // However long or negative it is, it is told in a few digits.
                let seconds = seconds.clamp(-LIFE_MAX.as_secs_f64(), LIFE_MAX.as_secs_f64());
                let life = Duration::try_from_secs_f64(seconds).ok().filter(|life| !life.is_zero());
                let life = life.ok_or_else(|| {
                    CredentialFault::new(format!("`expires_in` is {seconds}: expected seconds, more than none"))
                })?;
                Expiry::At(asked.plus(life))
            }
            None => self.guess(token.expose(), asked, date.unwrap_or_else(|| self.clock.wall())),
        };
        Ok(Credential { token, expiry })
    }

    /// The end that a JWT names, by a clock that showed `wall` at `now`. Nothing is proven by it.
    fn guess(&self, token: &str, now: Mono, wall: Timestamp) -> Expiry {
        let Some(exp) = exp_of(token) else { return Expiry::Unknown };
        let left = exp - wall.as_millis() as f64 / 1000.0;
        let life = Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(LIFE_MAX).min(LIFE_MAX);
        Expiry::About(now.plus(life))
    }
}

#[derive(Deserialize)]
struct Answer {
    token: String,
    expires_in: Option<f64>,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

fn exp_of(token: &str) -> Option<f64> {
    let mut parts = token.split('.');
    let (_header, claims, _tag) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok().filter(|_| parts.next().is_none())?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.exp)
}

fn of_link(fault: &LinkFault) -> CredentialFault {
    CredentialFault::new(fault.to_string())
}

#[cfg(test)]
mod tests;
