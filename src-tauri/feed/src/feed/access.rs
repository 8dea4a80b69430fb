//! The token: asked for before a link is opened, renewed ahead of its end, and presented on the link that stands.
//!
//! ```text
//! no token ─ asked ─→ in hand ─ at about three quarters of its life ─→ asked again, the old one still good
//!                                 │ new                                   │ fails: again by backoff, until it ends
//!                                 ↓                                       ↓
//!          WebSocket: a message; polls: the next request;               the link is given up: token expired
//!          else another link beside this one, which takes over (`replace`)
//! ```
//!
//! A server that finds fault with a token is come back to at once with a new one, once in a while. A new token that is the
//! same as the old one is no cure: then it is a refusal, and asked again slowly.

use std::time::Duration;

use watchfloor_model::{Mono, Phase, Transport};

use super::{Feed, link::Link};
use crate::{
    backoff::Backoff,
    fault::{CredentialFault, Fault, FaultKind, LinkFaultKind, Verdict, words},
    limits::{AUTHORISE_TIMEOUT, CREDENTIAL_GRACE, CREDENTIAL_TIMEOUT, RENEW_AT_ONCE_SPACING, RENEW_BEFORE},
    port::{Credential, Expiry, FetchId, Output},
    protocols::Grant,
    timers::{TimerReason, Timers},
};

/// The shortest time between two questions for a token that nothing is wrong with.
const RENEW_SPACING: Duration = Duration::from_secs(1);

/// What is known of the token in hand.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// The question that is out.
    pub(super) ask: Option<FetchId>,
    pub(super) timers: Timers,
    pub(super) backoff: Backoff,
    /// Counts tokens: a link knows by which it came.
    pub(super) number: u64,
    expiry: Expiry,
    /// The server finds fault with it.
    spoilt: bool,
    /// Why there is no newer one.
    fault: Option<CredentialFault>,
    /// The refusal that another token may cure.
    cure: Option<Fault>,
    /// When it was last come back at once.
    at_once: Option<Mono>,
    /// The token by which a link beside was begun that the server took, and that joined nothing.
    pub(super) unjoined: Option<u64>,
}

/// By which token a link came, and up to when that is good.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pass {
    /// The token that was accepted.
    pub(super) token: u64,
    /// The token that was presented last.
    tried: u64,
    /// When that was.
    presented: Mono,
    /// What became of that.
    answer: Answer,
    /// Its end, by the server's word if it gave one.
    pub(super) ends: Option<Mono>,
    /// It has one by its own word, which may be wrong.
    is_dated: bool,
}

/// What a server says to a token that is presented on a link that stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answer {
    /// It was given, or none is asked for.
    #[default]
    Given,
    /// It is outstanding.
    Awaited,
    /// It has been for so long that the server may not know such a message, or the connection is slow.
    Overdue,
    /// The server doesn't know such a message.
    NotUnderstood,
}

impl Pass {
    /// The server took the token that was presented, whose end is `known` if the issuer told it; or it told more of the one that it
    /// has. What it says was sent after `proven`.
    pub(super) fn authorised(&mut self, grant: Grant, known: Option<Mono>, proven: Mono, now: Mono) {
        let is_answer = self.is_pending();
        let known = if is_answer { known } else { self.ends };
        if is_answer {
            self.token = self.tried;
            self.answer = Answer::Given;
        }
        // What it says counts from when it said so, at the earliest, and not from when that was heard (H1).
        let said = self.presented.max(proven);
        self.ends = match grant {
            Grant::Lasts(life) => {
                let (earliest, latest) = (said.plus(life), now.plus(life));
                Some(known.map_or(earliest, |known| known.clamp(earliest, latest)))
            }
            Grant::Endless => None,
            Grant::Untold => known,
        };
    }

    /// Whether the server's answer to a new token is outstanding. An error that it sends meanwhile is that answer.
    pub(super) const fn is_pending(&self) -> bool {
        matches!(self.answer, Answer::Awaited | Answer::Overdue)
    }

    /// Whether it has an end that somebody told or that can be guessed.
    pub(super) const fn has_end(&self) -> bool {
        self.ends.is_some() || self.is_dated
    }

    /// The server knows no new tokens on a link that stands.
    pub(super) const fn misunderstood(&mut self) {
        self.answer = Answer::NotUnderstood;
    }

    /// Whether the server knows no new tokens, as far as is known: it may have broken off because of one.
    pub(super) const fn is_deaf(&self) -> bool {
        matches!(self.answer, Answer::Overdue | Answer::NotUnderstood)
    }
}

impl Feed {
    /// What a link that begins now comes by.
    pub(super) fn new_pass(&self, now: Mono) -> Pass {
        let Access { number, expiry, .. } = self.access;
        let is_dated = expiry.instant().is_some();
        Pass { token: number, tried: number, presented: now, answer: Answer::Given, ends: expiry.exact(), is_dated }
    }

    /// The end of the token that was presented by `pass` last, as far as is known without the server's word.
    pub(super) fn known_end(&self, pass: Pass) -> Option<Mono> {
        self.access.expiry.exact().filter(|_| pass.tried == self.access.number)
    }

    /// Whether a token must be had before a link can be opened.
    pub(super) fn lacks_token(&self, now: Mono) -> bool {
        let has_none = self.config.token.is_none() || self.access.spoilt || has_ended(self.access.expiry, now);
        self.config.asks_token && has_none
    }

    /// Why there is no newer token, while the one in hand is still good.
    pub(super) fn renewal(&self) -> Option<String> {
        let stands = self.link.as_ref().is_some_and(|link| link.liveness.is_some());
        self.access.fault.as_ref().filter(|_| stands).map(ToString::to_string)
    }

    /// Waits for a token; then a link is opened.
    pub(super) fn await_token(&mut self, now: Mono) {
        self.stage = Phase::Authorising;
        self.status.retry_at = None;
        if self.status.cause.is_none() {
            self.set_cause("waiting for a token".to_owned());
        }
        self.changed = true;
        self.ask_token(now);
    }

    /// Asks for the token anew, since it may have changed. Does nothing for a source that has none, or that is stopped.
    pub fn renew(&mut self, now: Mono) {
        if self.stage != Phase::Idle {
            self.ask_token(now);
            self.settle(now);
        }
    }

    fn ask_token(&mut self, now: Mono) {
        if self.access.ask.is_some() || !self.config.asks_token {
            return;
        }
        self.fetches += 1;
        let fetch = FetchId(self.fetches);
        self.access.ask = Some(fetch);
        self.access.timers.clear(TimerReason::Renew);
        self.access.timers.set(TimerReason::Token, now.plus(CREDENTIAL_TIMEOUT).plus(CREDENTIAL_GRACE));
        self.outputs.push_back(Output::Credential { fetch, timeout: CREDENTIAL_TIMEOUT });
    }

    /// The question for a token was answered.
    pub(super) fn handle_credential(
        &mut self,
        fetch: FetchId,
        outcome: Result<Credential, CredentialFault>,
        now: Mono,
    ) {
        if self.access.ask != Some(fetch) {
            return;
        }
        self.access.ask = None;
        self.access.timers.clear(TimerReason::Token);
        match outcome {
            Ok(credential) => self.take_token(credential, now),
            Err(fault) => self.miss_token(fault, now),
        }
    }

    fn take_token(&mut self, Credential { token, expiry }: Credential, now: Mono) {
        let is_same = self.config.token.as_ref() == Some(&token);
        let cure = self.access.cure.take();
        if is_same {
            if let Some(refusal) = cure.filter(|_| self.stage == Phase::Authorising) {
                return self.give_up(&refusal, Some(Verdict::Refused), false, now);
            }
            // The server's word on this token is stronger than a guess.
            let known = self.access.expiry;
            let expiry = if expiry.exact().is_none() && known.exact().is_some() { known } else { expiry };
            let stands = self.link.as_ref().is_some_and(|link| link.liveness.is_some());
            if self.access.spoilt && stands {
                return self.miss_token(CredentialFault::new("still the one that the server doesn't take"), now);
            }
            if has_ended(expiry, now) {
                return self.miss_token(CredentialFault::new("still the one that expired"), now);
            }
            self.access.expiry = expiry;
        } else if has_ended(expiry, now) {
            return self.miss_token(CredentialFault::new("it has expired already"), now);
        } else {
            self.config.token = Some(token);
            self.access.number += 1;
            self.access.expiry = expiry;
            self.access.backoff.reset();
        }
        // Whoever refused may have done so by the old one, whatever words it had for it.
        let lacked = std::mem::take(&mut self.access.spoilt) || self.refusal.is_some();
        self.access.fault = None;
        self.plan_renewal(now);
        // Who waits for no other reason than the old token's goes on at once with another one.
        if self.stage == Phase::Authorising || (self.stage == Phase::Waiting && lacked && !is_same) {
            // Or the try that it waited for would come while this link stands.
            self.timers.clear(TimerReason::Retry);
            self.open(now);
        }
    }

    /// There is no token, or no newer one.
    fn miss_token(&mut self, fault: CredentialFault, now: Mono) {
        let verdict = fault.verdict();
        self.access.cure = None;
        self.access.fault = Some(fault.clone());
        if self.stage == Phase::Authorising {
            let expired = self.config.token.is_some();
            let kind =
                if expired { FaultKind::TokenExpired { renewal: Some(fault) } } else { FaultKind::NoToken(fault) };
            return self.give_up(&Fault::local(kind), Some(verdict), false, now);
        }
        let again = self.access.backoff.next(verdict, &mut self.random).map(|wait| now.plus(wait));
        self.access.timers.put(TimerReason::Renew, again);
    }

    /// Sets when the token is renewed: at about three quarters of what is left of its life, spread, and in good time before
    /// its end. Where it needs another link, that may take as long as the present one did, and twice that on a slow day.
    fn plan_renewal(&mut self, now: Mono) {
        let Some(end) = self.access.expiry.instant().filter(|end| *end > now) else {
            return self.access.timers.clear(TimerReason::Renew);
        };
        let life = end.since(now);
        let early = life - life / 5 - self.random.up_to(life / 10);
        self.access.timers.set(TimerReason::Renew, now.plus(early.max(RENEW_SPACING)));
        self.hasten_renewal(now);
    }

    /// A link is live: another one may take as long.
    pub(super) fn hasten_renewal(&mut self, now: Mono) {
        let Some(end) = self.access.expiry.instant().filter(|end| *end > now) else { return };
        let life = end.since(now);
        let takes = self.link.as_ref().map_or(Duration::ZERO, Link::took) * 2;
        let at = now.plus(life - (RENEW_BEFORE + takes).min(life / 2));
        if life > RENEW_BEFORE * 2 {
            self.access.timers.hasten(TimerReason::Renew, at);
        }
    }

    pub(super) fn handle_access_timers(&mut self, now: Mono) {
        if self.access.timers.take_due(TimerReason::Expire, now) {
            self.handle_expired(now);
        }
        if self.access.timers.take_due(TimerReason::Token, now) {
            self.access.ask = None;
            let text = format!("no answer within {}", words(CREDENTIAL_TIMEOUT));
            self.miss_token(CredentialFault::new(text), now);
        }
        if self.access.timers.take_due(TimerReason::Authorise, now)
            && let Some(link) = self.link.as_mut().filter(|link| link.pass.is_pending())
        {
            link.pass.answer = Answer::Overdue;
        }
        if self.access.timers.take_due(TimerReason::Renew, now) {
            self.ask_token(now);
        }
        self.access.timers.clear_due(TimerReason::Trial, now);
    }

    /// The token by which the link came has come to its end, and no newer one was presented.
    fn handle_expired(&mut self, now: Mono) {
        if self.link.as_ref().is_none_or(|link| link.pass.ends.is_none_or(|end| end > now)) {
            return;
        }
        let renewal = self.access.fault.clone();
        self.lose(&Fault::server(FaultKind::TokenExpired { renewal }), true, now);
    }

    /// The server says that the token of this link is good, and for how long. What that means for the next one is seen to when the
    /// turn is settled.
    pub(super) fn handle_authorised(&mut self, grant: Grant, now: Mono) {
        let Some(pass) = self.link.as_ref().map(|link| link.pass) else { return };
        let known = self.known_end(pass);
        if let Some(link) = &mut self.link {
            link.authorised(grant, known, now);
        }
        self.access.timers.clear(TimerReason::Authorise);
    }

    /// The server takes another token for bad while the link's own is good: another one is asked for.
    pub(super) fn decline_token(&mut self, reason: &str, now: Mono) {
        if let Some(link) = &mut self.link {
            link.pass.answer = Answer::Given;
        }
        self.access.timers.clear(TimerReason::Authorise);
        self.access.spoilt = true;
        if self.access.ask.is_none() {
            self.miss_token(CredentialFault::new(format!("the server doesn't take it: {reason}")), now);
        }
    }

    /// Whether what a link was lost for is the fault of its token, and if so, what to do: come back at once with a new one
    /// (none), or by this verdict.
    pub(super) fn blame_token(&mut self, fault: &Fault, pass: Pass, now: Mono) -> Option<Option<Verdict>> {
        let refused = is_unauthorised(fault);
        let expired = match &fault.kind {
            FaultKind::TokenExpired { .. } => true,
            FaultKind::Closed { code: Some(code), .. } => self.dialect.is_expiry(*code),
            _ => false,
        };
        if !self.config.asks_token || !(refused || expired) {
            return None;
        }
        // A newer one is in hand: the old one's end says nothing of it.
        if pass.token == self.access.number {
            self.access.spoilt = true;
        } else if !self.access.spoilt {
            return Some(None);
        }
        if self.access.at_once.is_some_and(|last| now.since(last) < RENEW_AT_ONCE_SPACING) {
            return Some(Some(if refused { Verdict::Refused } else { Verdict::Backoff }));
        }
        self.access.at_once = Some(now);
        self.access.cure = refused.then(|| fault.clone());
        Some(None)
    }

    /// Ends a turn: presents a new token where the link came by an older one.
    pub(super) fn settle_access(&mut self, now: Mono) {
        if !self.config.asks_token {
            return;
        }
        self.drop_ended_trial(now);
        let stands = self.link.as_ref().filter(|link| link.liveness.is_some());
        let pass = stands.map(|link| link.pass);
        self.access.timers.put(TimerReason::Expire, pass.and_then(|pass| pass.ends));
        if let Some(end) = pass.filter(|pass| pass.token == self.access.number).and_then(|pass| pass.ends) {
            self.adopt_end(end, now);
        }
        if self.access.spoilt || self.lacks_token(now) {
            return;
        }
        let (number, token) = (self.access.number, self.config.token.clone());
        let Some(link) = self.link.as_mut().filter(|link| link.liveness.is_some()) else { return };
        if link.pass.token == number || link.pass.answer == Answer::Awaited || is_asked(link) {
            return;
        }
        let says = token.filter(|_| !link.pass.is_deaf() && link.pass.tried != number);
        if let Some(message) = says.and_then(|token| link.session.authorise(&token)) {
            link.pass = Pass { tried: number, presented: now, answer: Answer::Awaited, ..link.pass };
            self.outputs.push_back(link.send(&*self.dialect, &self.config, message.secret()));
            self.access.timers.set(TimerReason::Authorise, now.plus(AUTHORISE_TIMEOUT));
        } else if self.stage == Phase::Live && !self.access.timers.is_set(TimerReason::Trial) {
            self.begin_replacement(now);
        }
    }

    /// What a link was told of the newest token counts once it stands.
    fn adopt_end(&mut self, end: Mono, now: Mono) {
        if self.access.expiry.exact() == Some(end) {
            return;
        }
        self.access.expiry = Expiry::At(end);
        if self.access.ask.is_none() && self.access.fault.is_none() {
            self.plan_renewal(now);
        }
    }

    /// A link on trial whose token has ended is no better than the one that stands.
    fn drop_ended_trial(&mut self, now: Mono) {
        let Some(pass) = self.trial.as_ref().map(|trial| trial.link.pass) else { return };
        let Some(end) = pass.ends.filter(|end| *end <= now) else { return };
        self.drop_trial();
        self.plan_trial(now);
        if pass.token == self.access.number {
            self.access.expiry = Expiry::At(end);
            if self.access.ask.is_none() {
                self.miss_token(CredentialFault::new("it has expired already"), now);
            }
        }
    }

    /// A request that goes out now carries the newest token.
    pub(super) fn carry_token(&mut self, on_trial: bool, now: Mono) {
        let pass = self.new_pass(now);
        let link = if on_trial { self.trial.as_mut().map(|trial| &mut trial.link) } else { self.link.as_mut() };
        if let Some(link) = link {
            link.pass = pass;
        }
    }

    /// Forgets what was asked for; the token in hand stays.
    pub(super) fn stop_access(&mut self) {
        self.access.ask = None;
        self.access.timers.clear_all();
    }

    /// Begins to look after the token again, after a stop.
    pub(super) fn start_access(&mut self, now: Mono) {
        if self.config.asks_token && !self.lacks_token(now) {
            self.plan_renewal(now);
        }
    }
}

fn has_ended(expiry: Expiry, now: Mono) -> bool {
    expiry.exact().is_some_and(|end| end <= now)
}

/// Whether the link is a row of requests, each of which carries the token in hand.
const fn is_asked(link: &Link) -> bool {
    matches!(link.transport, Transport::LongPoll | Transport::Poll)
}

pub(super) fn is_unauthorised(fault: &Fault) -> bool {
    match &fault.kind {
        FaultKind::Link(fault) => matches!(fault.kind, LinkFaultKind::Http { status: 401, .. }),
        // What is said on a link that stands.
        FaultKind::Server { denied, .. } => *denied,
        _ => false,
    }
}
