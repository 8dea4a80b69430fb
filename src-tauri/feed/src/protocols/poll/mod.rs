//! Documents that are asked for: at an interval (`poll`), or answered when there is something (`long-poll`).
//!
//! Both are asked for under the condition of what was had last, by `If-None-Match` and `If-Modified-Since` (RFC 9110
//! section 13.1), with the validators exactly as they came. "Not modified" is a proof: what is shown is what the server
//! has.
//!
//! A polled document restates the state. What is told is how it differs from the one before, over as many links as it
//! takes; what came and went between two of them nobody sees, so over a lost link nothing is proven. A long poll brings
//! one message an answer.
//!
//! Where the board says where in an answer a cursor stands, both bring messages instead, any number an answer, and go on
//! after it: by a name in the query, or at the next address.

mod batch;
mod cache;
mod document;
mod long;
mod messages;
mod rows;
#[cfg(test)]
mod tests;
mod validators;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use url::Url;
use watchfloor_model::Transport;

use self::{
    document::DocumentSession, long::LongSession, messages::MessagesSession, rows::Known, validators::Validators,
};
use super::{Dialect, Place, Session, gone::Gone};
use crate::{
    config::SourceConfig,
    fault::{Fault, FaultKind, LinkFault, Verdict, cut},
    port::{Header, Request},
};

/// Headers of a request besides the board's: what is wanted, a token, and both conditions.
const HEADERS_MAX: usize = 4;

/// A document at an interval.
#[derive(Debug, Default)]
pub(crate) struct Poll {
    /// The last one, for the link that comes after this one.
    known: Arc<Mutex<Known>>,
    gone: Gone,
}

/// Messages, each of them an answer.
#[derive(Debug, Default)]
pub(crate) struct LongPoll {
    gone: Gone,
}

impl Dialect for Poll {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        check("a poll", Transport::Poll, config)
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, places: &[Place]) -> Request {
        // Whole: what it says may be all that is known.
        begin(config, places, &self.gone).unwrap_or_else(|| request(config, Validators::default()))
    }

    fn ask(&self, config: &SourceConfig, cursor: &str, _wait: Duration) -> Request {
        go_on(config, cursor, &self.gone).unwrap_or_else(|| request(config, Validators::written(cursor)))
    }

    fn verdict_of_fault(&self, fault: &LinkFault) -> Option<Verdict> {
        self.gone.verdict(fault)
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        None
    }

    fn session(
        &self,
        config: &SourceConfig,
        _transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        match &config.promises.cursor {
            Some(rule) => Box::new(MessagesSession::new(config, rule, channels, seed, self.gone.clone())),
            None => Box::new(DocumentSession::new(config, channels, seed, self.known.clone())),
        }
    }
}

impl Dialect for LongPoll {
    fn check(&self, config: &SourceConfig) -> Result<(), Fault> {
        check("a long poll", Transport::LongPoll, config)
    }

    fn open(&self, config: &SourceConfig, _transport: Transport, places: &[Place]) -> Request {
        let by_validators = || request(config, self.gone.begin(Validators::of(places)).unwrap_or_default());
        begin(config, places, &self.gone).unwrap_or_else(by_validators)
    }

    fn ask(&self, config: &SourceConfig, cursor: &str, _wait: Duration) -> Request {
        go_on(config, cursor, &self.gone).unwrap_or_else(|| {
            self.gone.ask(Validators::are_in(cursor));
            request(config, Validators::written(cursor))
        })
    }

    fn verdict_of_fault(&self, fault: &LinkFault) -> Option<Verdict> {
        self.gone.verdict(fault)
    }

    fn is_expiry(&self, _code: u16) -> bool {
        false
    }

    fn verdict(&self, _code: u16) -> Option<Verdict> {
        None
    }

    fn session(
        &self,
        config: &SourceConfig,
        _transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session> {
        match &config.promises.cursor {
            Some(rule) => Box::new(MessagesSession::new(config, rule, channels, seed, self.gone.clone())),
            None => Box::new(LongSession::new(config, channels, seed, self.gone.clone())),
        }
    }
}

fn check(what: &str, way: Transport, config: &SourceConfig) -> Result<(), Fault> {
    let fault = |text: String| Err(Fault::local(FaultKind::Config(text)));
    if !matches!(config.url.scheme(), "http" | "https") || config.url.cannot_be_a_base() {
        return fault(format!("{what} has an address with http or https, not {}", cut(config.url.scheme())));
    }
    if config.ladder != [way] {
        return fault(format!("{what} travels by polls of its own kind alone"));
    }
    if config.channels.len() != 1 {
        return fault(format!("{what} is one channel, not {}", config.channels.len()));
    }
    Ok(())
}

/// The first request of a link by a cursor, if the board says where one stands.
fn begin(config: &SourceConfig, places: &[Place], gone: &Gone) -> Option<Request> {
    let rule = config.promises.cursor.as_ref()?;
    let cursor = gone.begin(messages::cursor(places));
    Some(get(messages::address(&config.url, rule, cursor.as_deref()), config, Validators::default()))
}

/// Any other.
fn go_on(config: &SourceConfig, cursor: &str, gone: &Gone) -> Option<Request> {
    let rule = config.promises.cursor.as_ref()?;
    gone.ask(!cursor.is_empty());
    Some(get(messages::address(&config.url, rule, Some(cursor)), config, Validators::default()))
}

fn request(config: &SourceConfig, validators: Validators<'_>) -> Request {
    let mut url = config.url.clone();
    url.set_fragment(None);
    get(url, config, validators)
}

fn get(url: Url, config: &SourceConfig, validators: Validators<'_>) -> Request {
    let mut headers = Vec::with_capacity(HEADERS_MAX + config.headers.len());
    headers.push(Header::plain("accept", "application/json, application/x-ndjson"));
    headers.extend(config.token_line());
    headers.extend(config.headers.iter().cloned());
    headers.extend(validators.etag.map(|etag| Header::plain("if-none-match", etag.to_owned())));
    headers.extend(validators.modified.map(|date| Header::plain("if-modified-since", date.to_owned())));
    Request::get(url).with(headers)
}
