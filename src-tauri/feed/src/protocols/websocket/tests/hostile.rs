//! A server that says whatever it likes.

use watchfloor_fuzz::{Draws, check};

use super::*;
use crate::fuzz::talk::{Link, Said, Server, sound, talk};

/// What such a server says.
pub(super) const SAID: [&str; 8] = [
    r#"{"ch":"news","seq":41,"type":"a"}"#,
    r#"{"ch":"news","seq":"42","type":7}"#,
    r#"{"ch":"news","seq":99}"#,
    r#"{"pong":true}"#,
    r#"{"ok":1,"ch":"news"}"#,
    r#"{"error":"x"}"#,
    r#"{"ch":"other","seq":1}"#,
    "{\"ch\":\"news\",\"seq\":43}\n{\"ch\":\"news\",\"seq\":44}",
];

/// A server whose messages are numbered from 0, and that goes on after any number that it is asked for.
struct Templates {
    words: Vec<Vec<u8>>,
    published: Vec<u64>,
}

impl Templates {
    fn new() -> Self {
        Self { words: SAID.map(|text| text.as_bytes().to_vec()).to_vec(), published: Vec::new() }
    }

    fn message(&self, at: usize) -> Said {
        Said::text(format!(r#"{{"ch":"news","seq":{at},"n":{}}}"#, self.published[at]))
    }
}

impl Server for Templates {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    fn heard(&mut self, message: &[u8]) -> Vec<Said> {
        let asked: serde_json::Value = serde_json::from_slice(message).expect("JSON");
        match asked["op"].as_str() {
            Some("ping") => vec![Said::text(SAID[3])],
            Some("sub") => {
                let after = asked["after"].as_u64().and_then(|after| usize::try_from(after).ok());
                let from = after.map_or(self.published.len(), |after| after.saturating_add(1));
                let missed = (from..self.published.len()).map(|at| self.message(at));
                std::iter::once(Said::text(SAID[4])).chain(missed).collect()
            }
            _ => Vec::new(),
        }
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        self.published.push(number);
        vec![self.message(self.published.len() - 1)]
    }

    fn proves(&self, link: &Link) -> bool {
        link.has_heard(&["pong", "ok"]) || link.pongs > 0
    }
}

fn source() -> SourceConfig {
    Rig::config(|config| {
        config.token = Some(Secret::new(""));
        config.speak = Speak {
            login: Some(r#"{"op":"login","key":"{token}"}"#.into()),
            ping: Some(r#"{"op":"ping"}"#.into()),
            pong: Some(SAID[3].into()),
            confirm: Some(r#"{"ok":1}"#.into()),
            refused: Some(SAID[5].into()),
            ..numbered()
        };
    })
}

/// H1, H3, H5, H8: whatever it says, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| talk(source(), Templates::new(), &mut Draws::new(bytes)));
}

/// It is followed as long as it says nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    sound(source(), Templates::new());
}
