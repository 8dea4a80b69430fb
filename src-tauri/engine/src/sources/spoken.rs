//! Boards of `examples` before what their servers' documentation has them say: nothing but the board tells the feed how to speak.

use std::time::Duration;

use watchfloor_feed::{Credential, Expiry, Feed, Input, LinkId, Output, Secret};
use watchfloor_model::{Delivery, Mono, Phase, Timestamp};

use super::Settings;

/// What the board's token is.
const TOKEN: &str = "t\"1";

/// A feed of a board's first source, and what it sends and delivers.
struct Talk {
    feed: Feed,
    link: LinkId,
    opened: String,
    sent: Vec<Vec<u8>>,
    events: Vec<String>,
}

impl Talk {
    fn new(board: &str) -> Self {
        let file = watchfloor_board::config::parse(board, "board.toml").unwrap();
        let config = Settings::default().config(&file.sources[0], Duration::from_secs(5)).unwrap();
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_795_697_600_000), NOW);
        feed.start(NOW);
        let mut talk = Self { feed, link: LinkId(0), opened: String::new(), sent: Vec::new(), events: Vec::new() };
        talk.drain();
        talk.take(Input::Opened { link: talk.link });
        talk.probe();
        talk
    }

    fn take(&mut self, input: Input) {
        self.feed.handle_input(input, NOW);
        self.drain();
    }

    /// What is due now, such as a ping.
    fn probe(&mut self) {
        while self.feed.poll_timeout().is_some_and(|(due, _)| due <= NOW) {
            self.feed.handle_timeout(NOW);
            self.drain();
        }
    }

    fn says(&mut self, text: &str) {
        self.take(Input::Text { link: self.link, text: text.as_bytes().to_vec().into() });
    }

    fn says_bytes(&mut self, bytes: &[u8]) {
        self.take(Input::Binary { link: self.link, bytes: bytes.to_vec().into() });
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Open { link, request, .. } => {
                    self.link = link;
                    self.opened = request.address().to_string();
                }
                Output::Send { message, .. } => self.sent.push(message.into_bytes()),
                Output::Deliver(Delivery::Events(events)) => self.events.extend(
                    events.iter().map(|event| format!("{} {} {}", event.channel, event.name, event.data.text())),
                ),
                Output::Credential { fetch, .. } => {
                    let token = Credential { token: Secret::new(TOKEN), expiry: Expiry::Unknown };
                    self.feed.handle_input(Input::Credential { fetch, outcome: Ok(token) }, NOW);
                }
                _ => {}
            }
        }
    }

    fn sent_texts(&self) -> Vec<String> {
        self.sent.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

const NOW: Mono = Mono::from_millis(1000);

/// Objects, with their channel's name in each.
#[test]
fn an_exchange() {
    let mut talk = Talk::new(include_str!("../../../../examples/websocket.toml"));
    assert_eq!(talk.opened, "wss://ws.bitstamp.net/");
    let subscribe = |channel: &str| format!(r#"{{"event":"bts:subscribe","data":{{"channel":"{channel}"}}}}"#);
    let heartbeat = r#"{"event":"bts:heartbeat"}"#.to_owned();
    assert_eq!(talk.sent_texts(), [subscribe("live_trades_btcusd"), subscribe("live_trades_ethusd"), heartbeat]);
    for channel in ["live_trades_btcusd", "live_trades_ethusd"] {
        talk.says(&format!(r#"{{"event":"bts:subscription_succeeded","channel":"{channel}","data":{{}}}}"#));
    }
    talk.says(r#"{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}"#);
    assert_eq!(talk.feed.status().phase, Phase::Live);
    talk.says(r#"{"data":{"id":7,"amount":0.5,"price":37000},"channel":"live_trades_btcusd","event":"trade"}"#);
    assert_eq!(talk.events, [r#"live_trades_btcusd trade {"id":7,"amount":0.5,"price":37000}"#]);
}

/// Lists, of which one item is the channel.
#[test]
fn channels_of_lists() {
    let mut talk = Talk::new(include_str!("../../../../examples/websocket-phoenix.toml"));
    assert_eq!(talk.opened, "wss://app.example.net/socket/websocket?vsn=2.0.0");
    let join = |topic: &str| format!(r#"["1","1","{topic}","phx_join",{{"token":"t\"1"}}]"#);
    let beat = r#"[null,"beat","phoenix","heartbeat",{}]"#.to_owned();
    assert_eq!(talk.sent_texts(), [join("dock:1"), join("dock:2"), beat]);
    for topic in ["dock:1", "dock:2"] {
        talk.says(&format!(r#"["1","1","{topic}","phx_reply",{{"status":"ok","response":{{}}}}]"#));
    }
    talk.says(r#"[null,"beat","phoenix","phx_reply",{"status":"ok","response":{}}]"#);
    assert_eq!(talk.feed.status().phase, Phase::Live);
    talk.says(r#"[null,null,"dock:2","pallet.loaded",{"order":"A7","gate":4,"at":"2026-11-26T12:00:00Z"}]"#);
    assert_eq!(talk.events, [r#"dock:2 pallet.loaded {"order":"A7","gate":4,"at":"2026-11-26T12:00:00Z"}"#]);
}

/// MessagePack both ways, and several messages in one.
#[test]
fn lists_in_message_pack() {
    let mut talk = Talk::new(include_str!("../../../../examples/websocket-alpaca.toml"));
    assert_eq!(talk.opened, "wss://stream.data.alpaca.markets/v1beta1/indicative");
    let sent = talk.sent_texts();
    let [login, call, put] = &sent[..] else { unreachable!("{sent:?}") };
    assert!(login.contains("THE-KEY-ID") && login.contains(TOKEN) && !login.contains('{'), "{login}");
    assert!(call.contains("AAPL261218C00250000") && put.contains("AAPL261218P00250000"));
    // [{"T":"subscription"}] for each of the two.
    let subscription = [&[0x91, 0x81, 0xA1, b'T', 0xAC][..], b"subscription"].concat();
    talk.says_bytes(&subscription);
    talk.says_bytes(&subscription);
    talk.take(Input::Pong { link: talk.link });
    assert_eq!(talk.feed.status().phase, Phase::Live);
    // {"T":"t","S":…,"p":2.5,"t":timestamp 1_700_000_000}
    let trade = |symbol: &str| {
        let price = 2.5_f64.to_be_bytes();
        let head = [0x84, 0xA1, b'T', 0xA1, b't', 0xA1, b'S', 0xB3];
        let time = [0xA1, b't', 0xD6, 0xFF, 0x65, 0x53, 0xF1, 0x00];
        [&head[..], symbol.as_bytes(), &[0xA1, b'p', 0xCB], &price, &time].concat()
    };
    talk.says_bytes(&[vec![0x92], trade("AAPL261218C00250000"), trade("AAPL261218P00250000")].concat());
    let event = |symbol: &str| format!(r#"{symbol} t {{"T":"t","S":"{symbol}","p":2.5,"t":"2023-11-14T22:13:20Z"}}"#);
    assert_eq!(talk.events, [event("AAPL261218C00250000"), event("AAPL261218P00250000")]);
}
