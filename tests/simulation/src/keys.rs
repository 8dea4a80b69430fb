//! Tokens: what the issuer gave, and what the server takes, as `docs/hub.md` says it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use watchfloor_model::Mono;

/// How much longer than its token a link may stand, and how far clocks may differ.
pub const TOKEN_GRACE: Duration = Duration::from_secs(5);

/// How a source comes by its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// How long one is good, in milliseconds; for ever, if none.
    pub life: Option<u64>,
    /// How long the issuer takes at most, in milliseconds.
    pub delay: u64,
    /// How often in a hundred times the issuer fails, although nothing is wrong with it.
    pub flaky: u64,
    /// How the program comes to know the end of a token from its issuer.
    pub told: Told,
    /// Whether the server says how long a token is still good, and takes new ones on a link that stands.
    pub presents: bool,
}

/// How the end of a token is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// As a span, beside the token.
    Span,
    /// As a time in the token itself: read by the machine's wall clock, which may be wrong.
    Claim,
    /// Not at all.
    Nowhere,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    ends: Mono,
    withdrawn: Option<Mono>,
}

impl Token {
    /// Until when the server takes it.
    fn closes(self) -> Mono {
        let closes = self.ends.plus(TOKEN_GRACE);
        self.withdrawn.map_or(closes, |at| at.min(closes))
    }
}

/// Every token that was given. They are numbered from one on.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    given: Vec<Token>,
    /// Until when the server takes one of them.
    good_until: Mono,
}

impl Keys {
    /// A new token.
    pub fn give(&mut self, ends: Mono) -> usize {
        let token = Token { ends, withdrawn: None };
        self.given.push(token);
        self.good_until = self.good_until.max(token.closes());
        self.given.len()
    }

    /// The one that was given last.
    #[must_use]
    pub const fn last(&self) -> usize {
        self.given.len()
    }

    /// What a token says.
    #[must_use]
    pub fn text(number: usize) -> String {
        format!("token-{number}")
    }

    /// The token that says so, if the server takes it now.
    #[must_use]
    pub fn take(&self, text: &str, now: Mono) -> Option<usize> {
        let number = text.strip_prefix("token-")?.parse().ok()?;
        (self.closes(number) > now).then_some(number)
    }

    fn get(&self, number: usize) -> Option<Token> {
        self.given.get(number.checked_sub(1)?).copied()
    }

    /// Its end.
    #[must_use]
    pub fn ends(&self, number: usize) -> Mono {
        self.get(number).map_or(Mono::ZERO, |token| token.ends)
    }

    /// Until when the server takes it.
    #[must_use]
    pub fn closes(&self, number: usize) -> Mono {
        self.get(number).map_or(Mono::ZERO, Token::closes)
    }

    /// None of those given so far is good any more.
    pub fn withdraw(&mut self, now: Mono) {
        self.given.iter_mut().for_each(|token| token.withdrawn = Some(token.withdrawn.unwrap_or(now)));
        self.good_until = self.good_until.min(now);
    }

    /// Since when the server takes none that was given, if it takes none.
    #[must_use]
    pub fn none_since(&self, now: Mono) -> Option<Mono> {
        (self.good_until <= now).then_some(self.good_until)
    }
}
