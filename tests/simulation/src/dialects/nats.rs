//! NATS: subjects, of which nothing is kept.
//!
//! ```text
//! INFO; CONNECT, PING → PONG; SUB; MSG; PING → PONG
//! ```

use std::collections::BTreeMap;

use watchfloor_feed::LinkId;

use super::{At, Began, Call, Dialect, Said};

#[derive(Default)]
struct Client {
    rest: String,
    /// By channel: the number of the subscription, and the turn of the next message.
    subscribed: BTreeMap<usize, (u64, usize)>,
}

/// The server.
#[derive(Default)]
pub(super) struct Nats {
    clients: BTreeMap<LinkId, Client>,
}

impl Dialect for Nats {
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, _call: &Call) -> Result<(), String> {
        self.clients.insert(link, Client::default());
        let info =
            r#"{"server_id":"M","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576,"client_id":1}"#;
        at.say(Said::plain(format!("INFO {info}\r\n")));
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        client.rest.push_str(std::str::from_utf8(message).map_err(|error| error.to_string())?);
        while let Some((line, rest)) = client.rest.split_once("\r\n") {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            client.rest = rest;
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["PING"] => at.say(Said::plain("PONG\r\n")),
                ["CONNECT", ..] => {
                    if at.revoked {
                        at.say(Said::plain("-ERR 'Authorization Violation'\r\n"));
                        at.say(Said::Close(None, ""));
                        return Ok(());
                    }
                }
                ["SUB", subject, number] => {
                    let channel = at.server.channel(subject).ok_or("an unknown subject")?;
                    let turn = at.server.next_turn(channel);
                    client.subscribed.insert(channel, (number.parse().map_err(|_| "no number")?, turn));
                    // Nothing is said to it; it begins with what comes next.
                    at.say(Said::beginning("", vec![Began { channel, turn, recovered: false }]));
                }
                ["UNSUB", number] => {
                    let number: u64 = number.parse().map_err(|_| "no number")?;
                    client.subscribed.retain(|_, (own, _)| *own != number);
                }
                _ => return Err(format!("an unknown line {line}")),
            }
        }
        Ok(())
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(&link) else { return Ok(()) };
        for (channel, (number, next)) in &mut client.subscribed {
            while *next < at.server.next_turn(*channel) {
                let (body, name) = (at.body(*channel, *next), at.server.name(*channel).to_owned());
                let text = format!("MSG {name} {number} {}\r\n{body}\r\n", body.len());
                at.say(Said::event(text, *channel, *next));
                *next += 1;
            }
        }
        Ok(())
    }

    fn end(&mut self, _at: &mut At<'_>, link: LinkId) {
        self.clients.remove(&link);
    }
}
