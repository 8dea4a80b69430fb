//! A server that says whatever it likes, by a WebSocket and by polls.

use std::collections::VecDeque;

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::Transport;

use super::{
    BLOB, JOINED,
    rig::{OPEN, Rig},
};
use crate::{
    Secret, SourceConfig,
    fuzz::talk::{Link, Said, Server, sound, talk},
    port::{Request, Response},
};

const SAID: [&str; 16] = [
    OPEN,
    JOINED,
    r#"40{"sid":"a"}"#,
    "2",
    "41",
    r#"42["tick",{"n":1},"Q8Nx2DY"]"#,
    r#"421["ask",1]"#,
    r#"42/elsewhere,["tick",1]"#,
    BLOB,
    r#"44{"message":"no"}"#,
    r#"463-1[{"_placeholder":true,"num":1}]"#,
    "6\u{1E}1",
    "42[\"tick\",{\"n\":1},\"Q8Nx2DY\"]\u{1E}421[\"ask\",1]",
    "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\u{1E}bAQIDBA==",
    "44/watchfloor-probe,{\"message\":\"Invalid namespace\"}",
    "97:0{\"sid\":\"a\"}",
];

/// A server with the root namespace that gives no session back. Every third event comes with two attachments.
struct SocketIo {
    words: Vec<Vec<u8>>,
    is_polled: bool,
    /// For the next poll.
    waiting: VecDeque<String>,
}

impl SocketIo {
    fn new(is_polled: bool) -> Self {
        Self { words: SAID.map(|text| text.as_bytes().to_vec()).to_vec(), is_polled, waiting: VecDeque::new() }
    }

    fn packet(&self, packet: &str) -> Option<String> {
        match packet {
            "2" => Some("3".to_owned()),
            _ if packet.starts_with("40/watchfloor-probe") => Some(SAID[14].to_owned()),
            _ if packet.starts_with("40") => Some(JOINED.to_owned()),
            _ => None,
        }
    }
}

impl Server for SocketIo {
    fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// An attachment as well, which any bytes can be.
    fn breaks(&mut self, draws: &mut Draws<'_>) -> Said {
        let broken = mutated(&self.words, draws);
        if draws.once_in(3) { Said::Binary(broken) } else { Said::Plain(broken) }
    }

    fn opened(&mut self, _request: &Request) -> Vec<Said> {
        vec![Said::text(OPEN)]
    }

    fn heard(&mut self, message: &[u8]) -> Vec<Said> {
        let packet = std::str::from_utf8(message).expect("a text");
        self.packet(packet).map(Said::text).into_iter().collect()
    }

    fn polled(&mut self, request: &Request) -> Option<Said> {
        if request.query.is_empty() {
            self.waiting.clear();
            return Some(Said::text(OPEN));
        }
        let packets: Vec<String> = self.waiting.drain(..).collect();
        (!packets.is_empty()).then(|| Said::text(packets.join("\u{1E}")))
    }

    fn posted(&mut self, request: &Request) -> Response {
        let body = request.body.as_ref().and_then(|body| body.as_text()).unwrap_or_default();
        let answers: Vec<String> = body.split('\u{1E}').filter_map(|packet| self.packet(packet)).collect();
        self.waiting.extend(answers);
        Response::new(200, "ok")
    }

    fn idles(&mut self) -> Vec<Said> {
        if self.is_polled { Vec::new() } else { vec![Said::text("2")] }
    }

    fn publishes(&mut self, number: u64) -> Vec<Said> {
        let plain = format!(r#"42["tick",{{"n":{number}}}]"#);
        let blob = format!(
            r#"452-["blob",{{"n":{number},"a":{{"_placeholder":true,"num":0}},"b":{{"_placeholder":true,"num":1}}}}]"#
        );
        let has_attachments = number.is_multiple_of(3);
        if self.is_polled {
            let packets = if has_attachments { vec![blob, "bAQIDBA==".into(), "baGk=".into()] } else { vec![plain] };
            self.waiting.extend(packets);
            return Vec::new();
        }
        if has_attachments {
            return vec![Said::text(blob), Said::Binary(vec![1, 2, 3, 4]), Said::Binary(b"hi".to_vec())];
        }
        vec![Said::text(plain)]
    }

    fn proves(&self, link: &Link) -> bool {
        link.has_heard(&["40"])
    }
}

fn source(is_polled: bool) -> SourceConfig {
    Rig::config(|config| {
        config.token = Some(Secret::new(""));
        if is_polled {
            config.ladder = vec![Transport::LongPoll];
        }
    })
}

/// H1, H3, H5, H8: whatever it says, in whatever order.
#[test]
fn anything() {
    check!(iterations = 400, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let is_polled = draws.below(2) == 1;
        talk(source(is_polled), SocketIo::new(is_polled), &mut draws);
    });
}

/// It is followed as long as it says nothing else, or the target above would test nothing.
#[test]
fn nothing_broken() {
    for is_polled in [false, true] {
        sound(source(is_polled), SocketIo::new(is_polled));
    }
}
