//! The issuer of tokens, and the server's looks at them.

use std::time::Duration;

use watchfloor_feed::{Credential, CredentialFault, Expiry, FetchId, Input, LinkFault, LinkFaultKind, LinkId, Secret};
use watchfloor_model::{Mono, Phase, Transport};

use super::{Action, GRACE, Link, World, checks::at, line_of, network::is_polled};
use crate::{
    fault::{Fault, NoToken, Window},
    keys::{Keys, Tokens, Told},
};

/// How long it may take until it is said that there is no token: until a question for one was given up, and asked again.
const TOKEN_PATIENCE: Duration = Duration::from_secs(16);

/// An answer to a question for a token.
type Outcome = Result<Credential, CredentialFault>;

impl World {
    /// The program asks for a token.
    pub(super) fn ask_token(&mut self, fetch: FetchId, timeout: Duration) -> Result<(), String> {
        let Some(tokens) = &self.plan.tokens else { return Err("H5: a token is asked for that nobody needs".into()) };
        let delay = tokens.delay;
        self.questions.push(self.now);
        let wait = self.draw.millis(1, delay.div_ceil(2));
        let (asked, until) = (self.now, self.now.plus(timeout));
        self.after(wait, Action::Issue(fetch, asked, until));
        Ok(())
    }

    /// The question is with the issuer.
    pub(super) fn issue(&mut self, fetch: FetchId, asked: Mono, until: Mono) {
        let Some(tokens) = self.plan.tokens.clone() else { return };
        let failure = self.active().find_map(|fault| match fault {
            Fault::Issuer(failure) => Some(failure),
            _ => None,
        });
        let extra = if let Some(NoToken::Slow(millis)) = failure { millis } else { 0 };
        let wait = self.draw.millis(1, tokens.delay.div_ceil(2)) + Duration::from_millis(extra);
        let flaky = tokens.flaky > 0 && self.draw.chance(tokens.flaky);
        let outcome = match failure {
            Some(NoToken::Silence) => return,
            Some(NoToken::Timeout) => return self.answer_question(fetch, until, Err(late())),
            Some(NoToken::Status(status)) => Err(CredentialFault {
                denied: matches!(status, 401 | 403),
                retry_after: (status == 429).then_some(Duration::from_secs(3)),
                ..CredentialFault::new(format!("HTTP {status}"))
            }),
            None if flaky => Err(CredentialFault::new("HTTP 500")),
            Some(NoToken::Same) if self.keys.last() > 0 => Ok(self.credential(&tokens, self.keys.last(), asked)),
            Some(NoToken::Short(millis)) => Ok(self.give(&tokens, Some(millis), asked)),
            _ => Ok(self.give(&tokens, tokens.life, asked)),
        };
        if outcome.is_err() {
            self.met.count("tokens not given");
        }
        let at = self.now.plus(wait);
        if at > until {
            self.answer_question(fetch, until, Err(late()));
        } else {
            self.answer_question(fetch, at, outcome);
        }
    }

    fn answer_question(&mut self, fetch: FetchId, at: Mono, outcome: Outcome) {
        self.at(at, Action::Input(Input::Credential { fetch, outcome }));
    }

    fn give(&mut self, tokens: &Tokens, life: Option<u64>, asked: Mono) -> Credential {
        self.met.count("tokens given");
        let ends = life.map_or(Mono::NEVER, |life| self.now.plus(Duration::from_millis(life)));
        let number = self.keys.give(ends);
        let closes = self.keys.closes(number);
        // What must be shown then is looked at then.
        let (strict, patient) = (Duration::from_millis(self.plan.limit), TOKEN_PATIENCE);
        if closes < self.end() {
            for instant in [ends.plus(GRACE), closes.plus(strict + GRACE), closes.plus(strict.max(patient))] {
                self.at(instant.plus(Duration::from_micros(1)), Action::Check);
            }
        }
        self.credential(tokens, number, asked)
    }

    /// What the program makes of a token that it asked for at `asked`.
    fn credential(&self, tokens: &Tokens, number: usize, asked: Mono) -> Credential {
        let ends = self.keys.ends(number);
        let left = ends.since(self.now);
        let expiry = match tokens.told {
            _ if ends == Mono::NEVER => Expiry::Unknown,
            Told::Nowhere => Expiry::Unknown,
            Told::Span => Expiry::At(asked.plus(left)),
            Told::Claim => {
                let off = Duration::from_millis(self.wall.clock_off.unsigned_abs());
                let left = if self.wall.clock_off > 0 { left.saturating_sub(off) } else { left + off };
                Expiry::About(self.now.plus(left))
            }
        };
        Credential { token: Secret::new(Keys::text(number)), expiry }
    }

    /// The token that is shown, if the server takes it; zero where none is asked for.
    pub(super) fn admit(&mut self, shown: Option<&str>) -> Option<usize> {
        if self.plan.tokens.is_none() {
            return Some(0);
        }
        let taken = shown.and_then(|text| self.keys.take(text, self.now));
        if taken.is_none() {
            self.met.count("tokens refused");
            self.unheralded = self.now;
        }
        taken
    }

    /// What the server says of the token of a link: `"expires_ms":…`.
    pub(super) fn access(&self, number: usize) -> Option<String> {
        self.plan.tokens.as_ref().filter(|tokens| tokens.presents)?;
        let ends = self.keys.ends(number);
        let left = (ends < Mono::NEVER).then(|| ends.since(self.now).as_millis().to_string());
        Some(format!(r#""expires_ms":{}"#, left.as_deref().unwrap_or("null")))
    }

    /// The link comes by this token from now on.
    pub(super) fn pass(&mut self, id: LinkId, number: usize) {
        let Some(link) = self.links.get_mut(&id).filter(|_| number > 0) else { return };
        link.token = number;
        let closes = self.keys.closes(number);
        if closes < self.end() {
            self.at(closes, Action::Expire(id));
        }
    }

    /// A new token is presented on a link that stands.
    pub(super) fn authorise(&mut self, id: LinkId, shown: &str) -> Result<(), String> {
        if self.plan.tokens.as_ref().is_none_or(|tokens| !tokens.presents) {
            return Err("H5: a token is presented to a server that doesn't know how".into());
        }
        let line = match self.admit(Some(shown)) {
            Some(number) => {
                self.met.count("tokens presented");
                self.pass(id, number);
                format!(r#"{{"type":"authorised",{}}}"#, self.access(number).unwrap_or_default())
            }
            None => r#"{"type":"error","code":"bad-token","message":"the token is no good"}"#.to_owned(),
        };
        if !self.is_active_on(line_of(id), |fault| matches!(fault, Fault::Stall | Fault::Mute)) {
            self.frame(id, vec![line]);
        }
        Ok(())
    }

    /// The token of a link has ended, if no newer one was presented.
    pub(super) fn expire(&mut self, id: LinkId) {
        if self.links.get(&id).is_some_and(|link| self.keys.closes(link.token) <= self.now) {
            self.met.count("links expired");
            if self.dialect.is_some() {
                return self.expire_talk(id);
            }
            self.turn_out(id, (4001, "token expired"), "token-expired");
        }
    }

    /// No token that was given so far is good any more.
    pub(super) fn withdraw(&mut self) {
        if self.plan.tokens.is_none() {
            return;
        }
        self.keys.withdraw(self.now);
        self.plan_check(self.now);
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            if self.dialect.is_some() {
                self.expire_talk(id);
                continue;
            }
            let end = if self.draw.chance(60) { (4001, "token expired") } else { (1008, "token withdrawn") };
            self.turn_out(id, end, "unauthorised");
        }
    }

    /// Ends a link in order: what was sent before comes before.
    fn turn_out(&mut self, id: LinkId, (code, reason): (u16, &str), word: &str) {
        self.unheralded = self.now;
        let Some(link) = self.links.get(&id) else { return };
        self.turned_out.insert(id);
        let transport = link.transport;
        if is_polled(link) {
            if link.waiting.is_none() {
                return;
            }
            let kind = LinkFaultKind::Http { status: 401, retry_after: None, content_type: None };
            self.down(id, Input::Failed { link: id, fault: LinkFault::new(kind, "") });
        } else if transport == Transport::Sse {
            self.frame(
                id,
                vec![format!(r#"{{"type":"error","code":"{word}","message":"the token is no good any more: come again with a new one"}}"#)],
            );
            self.down(id, Input::Closed { link: id, code: None, reason: String::new() });
        } else {
            self.down(id, Input::Closed { link: id, code: Some(code), reason: reason.to_owned() });
        }
        self.links.remove(&id);
    }

    /// H1: nothing is live by a token past its end; and that there is none is said.
    pub(super) fn check_tokens(&mut self) -> Result<(), String> {
        let Some(tokens) = &self.plan.tokens else { return Ok(()) };
        // Where what tells the end was cut off, nobody knows it.
        let cut_off = || self.plan.windows.iter().any(|window| window.fault == Fault::Truncate);
        let is_told = |link: &Link| tokens.told == Told::Span || tokens.presents && !is_polled(link) && !cut_off();
        let is_past = |link: &Link| self.keys.ends(link.token).plus(GRACE) < self.now && is_told(link);
        let status = &self.wall.status;
        let held = || self.held.keys().filter_map(|id| self.links.get(id));
        // Of what the server has ended, the word may be on its way.
        let is_ending = || self.held.keys().any(|id| self.turned_out.contains(id));
        let past = held().next().is_some() && held().all(is_past) && !is_ending();
        // The board, too, however late it hears of it.
        let is_over = |number| self.keys.ends(number).plus(GRACE) < self.now;
        let all_over = tokens.told == Told::Span && self.keys.last() > 0 && (1..=self.keys.last()).rev().all(is_over);
        if all_over && self.is_current("count") {
            return Err("H1: `count` is live, and every token has ended".into());
        }
        if past && status.phase == Phase::Live && self.wall.backlog() == 0 {
            let ends = held().map(|link| self.keys.ends(link.token)).max().unwrap_or(Mono::ZERO);
            return Err(format!("H1: live by a token that ended {:?} ago", self.now.since(ends)));
        }
        let Some(since) = self.keys.none_since(self.now) else { return Ok(()) };
        let patience = TOKEN_PATIENCE.max(Duration::from_millis(self.plan.limit));
        if self.now.since(since) < patience || self.is_disturbed_since(since) {
            return Ok(());
        }
        let cause = status.cause.as_ref().map(|cause| cause.text.clone()).unwrap_or_default();
        if !cause.contains("token") {
            let age = self.now.since(since);
            return Err(format!("H1: no token is good for {age:?}, and what is said is {cause:?}"));
        }
        self.met.count("said that no token is good");
        Ok(())
    }

    /// Whether anything but tokens was wrong since then, or not long before.
    fn is_disturbed_since(&self, since: Mono) -> bool {
        let from = |window: &Window| at(window.from);
        let until = |window: &Window| at(window.to + 60_000);
        let others = self.plan.windows.iter().filter(|window| !window.fault.is_of_tokens());
        others.into_iter().any(|window| from(window) <= self.now && until(window) >= since)
    }

    /// Whether a token has just been found to be no good, of which nobody had told the end.
    pub(super) fn is_unheralded(&self) -> bool {
        let Some(tokens) = &self.plan.tokens else { return false };
        tokens.told != Told::Span && self.now.since(self.unheralded) < Duration::from_secs(20)
    }
}

fn late() -> CredentialFault {
    CredentialFault::new("no answer in time")
}
