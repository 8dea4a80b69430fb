//! Trying what may be spoken, one at a time, until something is.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;
use watchfloor_board::config::spec::{SecretSpec, TlsSpec};
use watchfloor_feed::{FetchId, Input, LinkFaultKind, Request};
use watchfloor_model::Phase;

use super::{
    ProbeError, Prober,
    candidates::Candidate,
    listen::{Heard, Listener},
    subject::{Access, Subject},
    text::{shown, shown_to},
};
use crate::transport::inputs;

/// How long one thing is tried.
const TRY_MAX: Duration = Duration::from_secs(6);
/// The longest answer about a hub's health.
const HEALTH_BYTES_MAX: usize = 64 << 10;
/// The longest reason told, in characters.
const REASON_CHARACTERS_MAX: usize = 300;

/// How a try ended.
enum Tried {
    /// It speaks.
    Speaks(Box<Listener>),
    /// It doesn't, or not so.
    Not(Not),
}

/// Why it isn't that.
struct Not {
    /// In words for people.
    reason: String,
    then: Then,
}

/// What follows for the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// They may be it.
    Next,
    /// The server said that access is denied.
    Denied,
    /// No other would come through either.
    Shut,
}

impl Not {
    fn next(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), then: Then::Next }
    }
}

impl Prober<'_> {
    /// The first that speaks.
    pub(super) async fn find(
        &mut self,
        place: &str,
        candidates: Vec<Candidate>,
    ) -> Result<(Listener, Candidate), ProbeError> {
        let silent = |reason: String| Err(ProbeError::Silent(format!("{place}: {reason}")));
        let access = &self.question.access;
        let lacks_channels = self.question.channels.is_empty();
        let mut tried = Vec::new();
        let mut is_denied = false;
        let only =
            if candidates.len() == 1 { candidates.first().map(|candidate| candidate.subject.kind) } else { None };
        for candidate in candidates {
            let kind = candidate.subject.kind;
            let Not { reason, then } = match self.attempt(&candidate).await {
                Tried::Speaks(listener) if candidate.lacks_channel => {
                    drop(listener);
                    return silent(format!(
                        "{kind} is spoken there, and it doesn't tell which channels it has: name them by `--channel NAME`"
                    ));
                }
                Tried::Speaks(listener) => return Ok((*listener, candidate)),
                Tried::Not(not) => not,
            };
            let reason = shown_to(&self.veil.veiled(&reason), REASON_CHARACTERS_MAX);
            self.tell(&format!("{kind}: no: {reason}"));
            // A hub said before that it is one.
            let is_sure = candidate.is_named || kind == "hub";
            match then {
                Then::Denied if is_sure => {
                    let help = denied(access, lacks_channels);
                    return silent(format!("{kind} is spoken there, and it denies access: {reason}: {help}"));
                }
                Then::Denied => is_denied = true,
                Then::Shut => return silent(format!("{reason}{}", remedy(&reason, access))),
                Then::Next => {}
            }
            tried.push(format!("{kind} ({reason})"));
        }
        let tried = tried.join(", ");
        let remedy = remedy(&tried, access);
        match only {
            _ if is_denied => silent(format!(
                "access is denied there, so what it speaks can't be told: {}; tried: {tried}",
                denied(access, lacks_channels)
            )),
            Some(kind) => silent(format!("no {kind} can be had there: tried: {tried}{remedy}")),
            None => silent(format!("nothing that is known speaks there; tried: {tried}{remedy}")),
        }
    }

    /// Runs the feed that a wall would run, until it is known whether it speaks.
    async fn attempt(&mut self, candidate: &Candidate) -> Tried {
        let subject = &candidate.subject;
        if subject.kind == "hub"
            && let Err(not) = self.health(subject).await
        {
            return Tried::Not(not);
        }
        let setup = match subject.setup() {
            Ok(setup) => setup,
            Err(reason) => return Tried::Not(Not::next(reason)),
        };
        let mut listener = Listener::start(setup, self.doors(), self.clock);
        let end = Instant::now() + TRY_MAX;
        loop {
            let phase = listener.status.phase;
            if phase == Phase::Live || !listener.events.is_empty() {
                self.tell(&format!("{}: yes, {}", subject.kind, how(&listener)));
                return Tried::Speaks(Box::new(listener));
            }
            let cause = listener.status.cause.as_ref().map(|cause| cause.text.clone());
            match phase {
                Phase::Refused => {
                    let reason = cause.unwrap_or_else(|| "refused".to_owned());
                    return Tried::Not(Not { reason, then: Then::Denied });
                }
                // A hub that answered about its health may have one way closed and another open.
                Phase::Waiting if subject.kind != "hub" => {
                    return Tried::Not(Not::next(cause.unwrap_or_else(|| "no connection".to_owned())));
                }
                _ => {}
            }
            let heard = tokio::time::timeout_at(end, listener.next()).await;
            match heard {
                Ok(Heard::Something) => {}
                Ok(Heard::Gone) => return Tried::Not(Not::next("a defect in this program stopped the try")),
                Err(_) => break,
            }
        }
        // Its answer is one of its kind, and it only has nothing to say yet.
        if listener.status.phase == Phase::CatchingUp && matches!(subject.kind, "sse" | "mercure") {
            self.tell(&format!("{}: yes, an event stream that has said nothing yet", subject.kind));
            return Tried::Speaks(Box::new(listener));
        }
        let cause = listener.status.cause.as_ref().map(|cause| format!(" ({})", cause.text)).unwrap_or_default();
        Tried::Not(Not::next(format!("{} after {} s{cause}", listener.status.phase.word(), TRY_MAX.as_secs())))
    }

    /// Whether a hub answers about its health.
    async fn health(&mut self, subject: &Subject) -> Result<(), Not> {
        let mut url = Url::parse(&subject.url).map_err(|error| Not::next(error.to_string()))?;
        let path = format!("{}/v1/health", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let doors = self.doors().by(&subject.setup().map_err(Not::next)?.route);
        let (inputs, mut heard) = inputs();
        let _task = doors.fetch(FetchId(0), Request::get(url), HEALTH_BYTES_MAX, TRY_MAX, inputs);
        match heard.recv().await {
            Some(Input::Fetched { outcome: Ok(answer), .. }) => {
                let health = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
                let is_hub = health.is_some_and(|health| health["status"] == "ok" && health["epoch"].is_string());
                if is_hub {
                    Ok(())
                } else {
                    Err(Not::next(format!("/v1/health is answered with HTTP {}, not as a hub does", answer.status)))
                }
            }
            Some(Input::Fetched { outcome: Err(fault), .. }) => {
                // The certificate is the same for whatever is asked, and so is a proxy that lets nobody in.
                let is_shut = matches!(fault.kind, LinkFaultKind::Tls | LinkFaultKind::Proxy { refuses: false });
                let then = if is_shut { Then::Shut } else { Then::Next };
                Err(Not { reason: fault.to_string(), then })
            }
            _ => Err(Not::next("no answer")),
        }
    }
}

/// What is to be done where access is denied.
fn denied(access: &Access, lacks_channels: bool) -> String {
    let channels = if lacks_channels { ", and the channels that it is good for by `--channel NAME`" } else { "" };
    match &access.token {
        None => {
            format!("if it wants a token, say by `--token-file FILE` or `--token-env NAME` where it is kept{channels}")
        }
        Some(place) => {
            let place = match place {
                SecretSpec::File(path) => format!("in the file {}", shown(path)),
                SecretSpec::Variable(name) => format!("in the variable {}", shown(name)),
                SecretSpec::Keyring { service, account } => {
                    format!("{}/{} of the keyring", shown(service), shown(account))
                }
            };
            let limits = if lacks_channels { "" } else { ", and that it is good for these channels" };
            format!("the token {place} was shown: see that it is the right one and hasn't expired{limits}{channels}")
        }
    }
}

/// What is to be done where a certificate or a proxy stands in the way, by this program's own words of it.
fn remedy(reason: &str, access: &Access) -> String {
    let has = |words: &str| reason.contains(words);
    let mut all = Vec::new();
    if has("an issuer that this machine does not trust") {
        all.push(match &access.tls {
            TlsSpec { ca: None, .. } => "name the certificate of the authority that vouches for it by `--ca-file FILE`",
            TlsSpec { ca: Some(_), .. } => {
                "the file of `--ca-file` holds other authorities than the one that vouches for it"
            }
        });
    }
    if has("a client certificate") && access.tls.identity.is_none() {
        all.push("name it by `--certificate-file FILE` and `--key-file FILE`");
    }
    if has("asks who comes") {
        all.push("name who comes by `--proxy-user NAME` and `--proxy-password-file FILE`");
    }
    all.iter().map(|words| format!("; {words}")).collect()
}

/// How it speaks.
fn how(listener: &Listener) -> String {
    let transport = listener.status.transport.map(|transport| format!(" by {}", transport.word())).unwrap_or_default();
    // An event may come ahead of the news that it is live.
    let word = if listener.status.phase == Phase::Live { "live" } else { "an event came" };
    format!("{word}{transport}")
}
