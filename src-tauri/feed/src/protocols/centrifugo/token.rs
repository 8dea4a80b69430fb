//! Subscription tokens: the site's own word that this user may have a channel.
//!
//! ```text
//! subscribe ─ a channel that begins with `$`, or one that is refused without ─→ ask `auth` ─→ subscribe with its token
//!                                                       at three quarters of its life ─→ ask again ─→ sub_refresh
//! ```

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::session::{CentrifugoSession, Command};
use crate::{
    config::Secret,
    fault::{LinkFault, LinkFaultKind},
    limits::POST_BYTES_MAX,
    port::{Header, Message, Request, Response},
    protocols::{Moment, Signal},
};

/// Tokens that are asked for at a time.
const QUESTIONS_MAX: usize = 4;
/// Tokens in a row that the server may find fault with.
const TRIES_MAX: u8 = 2;
/// How long after a token wasn't had another one is asked for, while the old one is good.
const AGAIN: Duration = Duration::from_secs(10);
/// The longest token that is taken, in bytes.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// Why there is no token.
enum Missing {
    /// This wall may not have that channel.
    Denied(String),
    /// It may pass, or another connection token is wanted.
    Fault(LinkFault),
    /// The answer is none.
    Other(&'static str),
}

/// How the site answers, as Centrifugo's own client expects it.
#[derive(Deserialize)]
struct Given {
    token: String,
}

impl CentrifugoSession {
    /// Whether a channel is subscribed to by a token that isn't in hand yet.
    pub(super) fn lacks_token(&self, index: usize) -> bool {
        let channel = &self.channels[index];
        let wants = channel.wants_token || self.names[index].starts_with('$');
        self.auth.is_some() && wants && channel.token.is_none()
    }

    /// The server refused a channel. Says whether a token, or another one, may help.
    pub(super) fn try_token(&mut self, index: usize, expired: bool) -> bool {
        let channel = &mut self.channels[index];
        let had_one = channel.token.take().is_some();
        if self.auth.is_none() || (had_one && !expired) || channel.tries >= TRIES_MAX {
            return false;
        }
        channel.tries += 1;
        channel.wants_token = true;
        self.unasked.push_back(index);
        true
    }

    /// Asks for the tokens whose turn it is.
    pub(super) fn ask_tokens(&mut self, out: &mut Vec<Signal>) {
        while self.questions.len() < QUESTIONS_MAX
            && let Some(index) = self.unasked.pop_front()
        {
            let Some(url) = self.auth.clone() else { return };
            let mut headers = vec![Header::plain("content-type", "application/json")];
            headers.extend(self.token.as_ref().map(Header::bearer));
            let body = json!({ "channel": *self.names[index] }).to_string();
            let request = Request { body: Some(Message::text(body)), ..Request::get(url).with(headers) };
            self.next_question += 1;
            self.questions.insert(self.next_question, index);
            out.push(Signal::Post { number: self.next_question, request, body_bytes_max: POST_BYTES_MAX });
        }
    }

    /// The site has answered.
    pub(super) fn token_given(&mut self, index: usize, outcome: Result<Response, LinkFault>, out: &mut Vec<Signal>) {
        let is_renewal = self.channels[index].at.is_some();
        match read(outcome) {
            Ok(token) => {
                self.channels[index].token = Some(token.clone());
                let text = if is_renewal {
                    let body = json!({ "channel": *self.names[index], "token": token.expose() });
                    self.command(Command::Renew(index), "sub_refresh", body)
                } else {
                    self.subscription(index)
                };
                out.push(Signal::Reply { message: Message::text(text).secret() });
            }
            Err(Missing::Denied(text)) => {
                let message = format!("`{}`: the site gives no token for it: {text}", self.names[index]);
                out.push(Signal::Error { code: "403".to_owned(), message, denied: true });
            }
            // The old one is still good: the server says when it isn't.
            Err(_) if is_renewal => self.renewal_refused(index),
            Err(Missing::Fault(fault)) => out.push(Signal::Unsigned { fault }),
            Err(Missing::Other(text)) => {
                let message = format!("`{}`: {text}", self.names[index]);
                out.push(Signal::Error { code: "token".to_owned(), message, denied: false });
            }
        }
        self.ask_tokens(out);
    }

    /// A token is good for so long. Another one is asked for ahead of its end, spread.
    pub(super) fn token_taken(&mut self, index: usize, life: Option<Duration>, now: Moment) {
        let spread = u32::try_from(self.seed % 16).unwrap_or_default();
        let channel = &mut self.channels[index];
        channel.tries = 0;
        let life = life.filter(|_| self.auth.is_some() && channel.token.is_some());
        channel.renew_at = life.map(|life| now.mono.plus(life * 2 / 3 + life * spread / 160));
        self.look_again();
    }

    /// There is no new token for a channel that flows, or it is no good.
    pub(super) fn renewal_refused(&mut self, index: usize) {
        self.channels[index].renew_at = Some(self.heard.plus(AGAIN));
        self.look_again();
    }
}

fn read(outcome: Result<Response, LinkFault>) -> Result<Secret, Missing> {
    let answer = outcome.map_err(Missing::Fault)?;
    if answer.status != 200 {
        let kind = LinkFaultKind::Http { status: answer.status, retry_after: answer.retry_after, content_type: None };
        let fault = LinkFault::new(kind, "");
        return Err(if answer.status == 403 { Missing::Denied(fault.to_string()) } else { Missing::Fault(fault) });
    }
    let given: Given = serde_json::from_slice(&answer.body)
        .map_err(|_| Missing::Other("the site's answer is no token: a login page, or the wrong address?"))?;
    match given.token.len() {
        // So its own client is told that access is denied.
        0 => Err(Missing::Denied("an empty one".to_owned())),
        1..=TOKEN_BYTES_MAX => Ok(Secret::new(given.token)),
        _ => Err(Missing::Other("the site's token is too long")),
    }
}
