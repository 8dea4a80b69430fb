//! What the server can't or won't do, by its meaning.

use super::{Expect, PROTOCOL, RedisSession};
use crate::{fault::cut, protocols::Signal};

/// Error codes that mean that access is denied; the last is that of a server that lets in none but its own machine.
const DENIED: [&str; 4] = ["NOAUTH", "WRONGPASS", "NOPERM", "DENIED"];
impl RedisSession {
    pub(super) fn refused(&mut self, expect: &Expect, error: &[u8], out: &mut Vec<Signal>) {
        let text = String::from_utf8_lossy(error);
        match expect {
            // An answer in turn, whatever it says.
            Expect::Ping => out.push(Signal::Pong),
            Expect::Auth => out.push(Signal::Declined { reason: cut(&text) }),
            Expect::Hello { again: false } if text.starts_with("NOPROTO") || text.contains("unknown command") => {
                out.push(Signal::Version { found: PROTOCOL - 1, expected: PROTOCOL });
            }
            // What is in a transaction that can't be done is told before it ends.
            Expect::Taken => {
                self.trouble.get_or_insert_with(|| error.to_vec());
            }
            Expect::Places | Expect::Read(_) => {
                let first = self.trouble.take();
                self.fail(first.as_deref().unwrap_or(error), None, out);
            }
            Expect::Role { .. } if text.starts_with("NOPERM") => {
                let message =
                    "the server is a replica, and the user may not ask it with `ROLE` whether it follows its master";
                out.push(Signal::Error { code: "NOPERM".to_owned(), message: message.to_owned(), denied: true });
            }
            // Then nothing proves that it is the history that was read before.
            Expect::Lineage => {}
            Expect::Subscribe(index) => {
                let name = self.names[*index].clone();
                self.fail(error, Some(&name), out);
            }
            Expect::Hello { .. } | Expect::Select | Expect::Bell | Expect::Proof { .. } | Expect::Role { .. } => {
                self.fail(error, None, out);
            }
        }
    }

    /// The server can't do what is needed: nothing more is made of this subscription.
    pub(super) fn fail(&mut self, error: &[u8], about: Option<&str>, out: &mut Vec<Signal>) {
        let text = String::from_utf8_lossy(error);
        let code = text.split(' ').next().unwrap_or_default();
        let denied = DENIED.contains(&code);
        let message = cut(&meaning(code, &text, about));
        out.push(if denied || self.unsubscribed > 0 {
            Signal::Error { code: cut(code), message, denied }
        } else {
            Signal::Resubscribe { reason: message }
        });
        self.end_turn();
    }

    /// The same, by our own finding.
    pub(super) fn leave(&mut self, reason: &str, out: &mut Vec<Signal>) {
        out.push(if self.unsubscribed > 0 {
            Signal::Error { code: "state".to_owned(), message: reason.to_owned(), denied: false }
        } else {
            Signal::Resubscribe { reason: reason.to_owned() }
        });
        self.end_turn();
    }

    pub(super) fn breaks(&mut self, reason: &str, out: &mut Vec<Signal>) {
        self.is_broken = true;
        let reason = cut(&format!("the server does not speak Redis's protocol: {reason}"));
        out.push(Signal::Unreadable { reason });
    }
}

/// An error in words for people.
fn meaning(code: &str, text: &str, about: Option<&str>) -> String {
    let words = match code {
        "NOAUTH" => "access denied: the server asks for a password".to_owned(),
        "WRONGPASS" => "access denied: user or password isn't taken".to_owned(),
        "NOPERM" => format!("access denied: {}", text.trim_start_matches("NOPERM ")),
        "DENIED" => "access denied: the server lets in none but its own machine (protected mode)".to_owned(),
        "LOADING" => "the server is still loading its data".to_owned(),
        "MASTERDOWN" => "the server is a replica that is not connected to its master".to_owned(),
        "READONLY" => "the server is a replica now".to_owned(),
        "BUSY" => "the server is busy with a script".to_owned(),
        "UNBLOCKED" => "the server ended the reading: its role changes".to_owned(),
        "CLUSTERDOWN" => "the cluster is down".to_owned(),
        "MOVED" | "ASK" => {
            let node = text.split(' ').nth(2).unwrap_or_default();
            format!("the stream is on another node of the cluster, {node}: the address must be that")
        }
        "CROSSSLOT" => "the streams are on several nodes of a cluster: each needs a source of its own".to_owned(),
        "WRONGTYPE" => "the key of a stream holds something else".to_owned(),
        _ => text.to_owned(),
    };
    match about {
        Some(name) => format!("`{name}`: {words}"),
        None => words,
    }
}
