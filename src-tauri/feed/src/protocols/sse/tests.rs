//! Streams of a real server and of scripted ones, and what a feed makes of them. Nchan's were recorded from nginx 1.22
//! with Nchan 1.3.6.

mod hostile;
mod token;

use std::{collections::BTreeMap, time::Duration};

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Continuity, Delivery, Event, Mono, Phase, Position, Timestamp, Transport};

use crate::{
    Envelope, Feed, FetchId, Head, Input, Kind, LinkFault, LinkFaultKind, LinkId, Output, Secret, SourceConfig,
    limits::SSE_EVENT_BYTES_MAX,
};

/// A feed and what comes out of it, as lines.
pub(in crate::protocols) struct Rig {
    pub(in crate::protocols) feed: Feed,
    pub(in crate::protocols) now: Mono,
    link: u64,
    /// The question for a token that is out.
    pub(in crate::protocols) token: Option<FetchId>,
    pub(in crate::protocols) out: Vec<String>,
    /// How often all of a channel was said anew.
    pub(in crate::protocols) wholes: usize,
}

impl Rig {
    /// A feed that follows `channels` of a source of this kind.
    pub(in crate::protocols) fn new(kind: Kind, channels: &[&str], change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = SourceConfig {
            envelope: Envelope { name: Some("kind".parse().expect("a path")), ..Envelope::default() },
            ..SourceConfig::plain(
                "ops",
                kind,
                "https://push.example/stream?site=1".parse().expect("an address"),
                channels.iter().map(|name| (*name).into()).collect(),
                Duration::from_secs(5),
            )
        };
        change(&mut config);
        let mut feed = Feed::new(config, 1);
        feed.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
        Self { feed, now: Mono::from_millis(1000), link: 0, token: None, out: Vec::new(), wholes: 0 }
    }

    /// Goes on after places of an earlier life.
    pub(in crate::protocols) fn restored(mut self, places: &[(&str, &str)]) -> Self {
        let place = |text: &str| text.parse::<Position>().expect("a place");
        self.feed.restore(places.iter().map(|(name, text)| ((*name).into(), place(text))).collect::<BTreeMap<_, _>>());
        self
    }

    pub(in crate::protocols) fn start(&mut self) {
        self.feed.start(self.now);
        self.drain();
    }

    /// The answer begins.
    pub(in crate::protocols) fn opened(&mut self, last_event_id: Option<&str>) {
        let link = LinkId(self.link);
        self.input(Input::Opened { link });
        let head = Head { last_event_id: last_event_id.map(ToOwned::to_owned), ..Head::default() };
        self.input(Input::Head { link, head });
    }

    pub(in crate::protocols) fn says(&mut self, text: &str) {
        self.input(Input::Chunk { link: LinkId(self.link), bytes: text.to_owned().into() });
    }

    /// The answer to the request that is out.
    pub(in crate::protocols) fn answers(&mut self, head: Head, body: impl Into<Vec<u8>>) {
        self.input(Input::Answered { link: LinkId(self.link), head, body: body.into().into() });
    }

    pub(in crate::protocols) fn ends(&mut self) {
        self.input(Input::Closed { link: LinkId(self.link), code: None, reason: String::new() });
    }

    pub(in crate::protocols) fn fails(&mut self, status: u16, retry_after: Option<Duration>) {
        let kind = LinkFaultKind::Http { status, retry_after, content_type: None };
        self.input(Input::Failed { link: LinkId(self.link), fault: LinkFault::new(kind, "") });
    }

    pub(in crate::protocols) fn input(&mut self, input: Input) {
        self.feed.handle_input(input, self.now);
        self.drain();
    }

    pub(in crate::protocols) fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some((due, _)) = self.feed.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            self.feed.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Until the next link is asked for.
    pub(in crate::protocols) fn comes_back(&mut self) {
        let link = self.link;
        for _ in 0..600 {
            self.pass(Duration::from_millis(100));
            if self.link != link {
                return;
            }
        }
        unreachable!("it doesn't come back");
    }

    fn drain(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            self.out.push(match output {
                Output::Open { link, request, .. } => {
                    self.link = link.0;
                    let headers = request.headers.iter().map(|header| format!(" [{header:?}]"));
                    format!("open {}{}", request.url, headers.collect::<String>())
                }
                Output::Ask { link, request, .. } => {
                    self.link = link.0;
                    let headers = request.headers.iter().map(|header| format!(" [{header:?}]"));
                    format!("ask {}{}", request.url, headers.collect::<String>())
                }
                Output::Close { .. } => "close".to_owned(),
                Output::Deliver(Delivery::Events(events)) => {
                    let one = |event: &Event| {
                        let place = event.position.as_ref().map_or_else(|| "nowhere".to_owned(), short);
                        let id = event.id.as_deref().unwrap_or("-");
                        format!("{} {place} {id} {}", event.name, event.data.text())
                    };
                    events.iter().map(one).collect::<Vec<_>>().join("; ")
                }
                Output::Deliver(Delivery::Gap(gap)) => format!("gap {}: {}", gap.proof.word(), gap.reason),
                Output::Credential { fetch, .. } => {
                    self.token = Some(fetch);
                    "token?".to_owned()
                }
                Output::Status => continue,
                // Said where it is what a test is about.
                Output::Deliver(Delivery::Restated(restated)) => {
                    self.wholes += usize::from(restated.name.is_none());
                    continue;
                }
                other => unreachable!("{other:?}"),
            });
        }
    }

    #[track_caller]
    pub(in crate::protocols) fn expect(&mut self, expected: &[&str]) {
        let out = std::mem::take(&mut self.out);
        assert_eq!(out, expected);
    }

    pub(in crate::protocols) fn phase(&self) -> Phase {
        self.feed.status().phase
    }

    pub(in crate::protocols) fn cause(&self) -> String {
        self.feed.status().cause.map(|cause| cause.text).unwrap_or_default()
    }
}

/// A place without its epoch, which differs from link to link.
fn short(place: &Position) -> String {
    let mark = place.mark.as_ref().map(|mark| format!("@{mark}")).unwrap_or_default();
    format!("{}{mark}", place.offset)
}

fn sse(change: impl FnOnce(&mut SourceConfig)) -> Rig {
    Rig::new(Kind::Sse, &["ops"], change)
}

fn promised(config: &mut SourceConfig) {
    config.promises.replays = true;
    config.promises.heartbeat = Some(Duration::from_secs(1));
}

/// Nchan's stream, whole.
const NCHAN: &str = ": hi\n\nid: 1795697481:0\ndata: {\"kind\":\"tick\",\"n\":1}\n\n\
id: 1795697481:1\ndata: {\"kind\":\"tick\",\"n\":2}\n\n\
event: flight\nid: 1795697481:2\ndata: {\"n\":3}\n\nevent: ping\n\nevent: ping\n\n:410: 410 Gone\n";

/// H3: what was before isn't known; then events by name, with their ids as places; pings are none.
#[test]
fn a_stream_of_nchan() {
    let mut rig = sse(|_| {});
    rig.start();
    rig.expect(&["open https://push.example/stream?site=1"]);
    rig.opened(None);
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
    rig.says(NCHAN);
    rig.expect(&[concat!(
        "tick 1@1795697481:0 1795697481:0 {\"kind\":\"tick\",\"n\":1}; ",
        "tick 2@1795697481:1 1795697481:1 {\"kind\":\"tick\",\"n\":2}; ",
        "flight 3@1795697481:2 1795697481:2 {\"n\":3}"
    )]);
    assert_eq!((rig.phase(), rig.feed.status().counts.rejected), (Phase::Live, 0));
}

/// H3: after a cut the last id is asked for, and what was missed stays unknown, whatever comes, unless it is promised
/// to be all.
#[test]
fn what_was_missed_is_unknown_unless_a_replay_is_promised() {
    for (is_promised, gap) in [(false, "unknown"), (true, "proven")] {
        let mut rig = sse(|config| {
            if is_promised {
                promised(config);
            }
        });
        rig.start();
        rig.opened(None);
        rig.says(": hi\n\nid: 5:0\ndata: 1\n\n");
        rig.ends();
        rig.out.clear();
        rig.comes_back();
        rig.expect(&["open https://push.example/stream?site=1 [last-event-id: 5:0]"]);
        rig.opened(None);
        let out = rig.out.join("\n");
        assert!(is_promised || out.starts_with(&format!("gap {gap}")), "{out}");
        rig.out.clear();
        rig.says(": hi\n\nid: 5:1\ndata: 2\n\nevent: ping\n\n");
        let place = if is_promised { 2 } else { 1 };
        assert_eq!(rig.out.pop().expect("an event"), format!("message {place}@5:1 5:1 2"));
        let counts = rig.feed.status().counts;
        let (unknown, proven) = if is_promised { (1, 1) } else { (2, 0) };
        assert_eq!((rig.phase(), counts.gaps_unknown, counts.gaps_proven), (Phase::Live, unknown, proven));
    }
}

/// H4: the id survives a restart with the place; without one nothing is asked for, and nothing is proven.
#[test]
fn places_of_an_earlier_life() {
    let mut rig = sse(promised).restored(&[("ops", "link-00000000000000aa:7@5:0")]);
    rig.start();
    rig.expect(&["open https://push.example/stream?site=1 [last-event-id: 5:0]"]);
    rig.opened(None);
    rig.says(":\nid: 5:1\ndata: 2\n\n:\n");
    rig.expect(&["message 8@5:1 5:1 2"]);
    assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Proven));
    for place in ["link-00000000000000aa:7", "e:7@5:0", "link-00000000000000aa:7@a\u{1}b"] {
        let mut rig = sse(promised).restored(&[("ops", place)]);
        rig.start();
        rig.expect(&["open https://push.example/stream?site=1"]);
        rig.opened(None);
        assert_eq!(rig.feed.status().continuity, Continuity::Unknown, "{place}");
    }
}

/// HTML rules: an event without an id has the last one's, also on the next link; an empty one resets it; a block that
/// isn't ended has none.
#[test]
fn ids_are_inherited_and_reset() {
    let mut rig = sse(promised);
    rig.start();
    rig.opened(None);
    rig.out.clear();
    rig.says("id: 7\ndata: 1\n\ndata: 2\n\nid: 9\ndata: 3\n");
    rig.expect(&["message 1@7 7 1; message 2@7 - 2"]);
    rig.ends();
    rig.comes_back();
    assert!(rig.out.pop().expect("a link").ends_with("[last-event-id: 7]"));
    rig.opened(None);
    rig.says("data: 4\n\n");
    rig.ends();
    rig.comes_back();
    assert!(rig.out.pop().expect("a link").ends_with("[last-event-id: 7]"), "kept across an event without an id");
    rig.opened(None);
    rig.says("id\ndata: 5\n\n");
    rig.ends();
    rig.comes_back();
    assert_eq!(rig.out.pop().expect("a link"), "open https://push.example/stream?site=1", "reset");
}

/// H1: what was missed is being replayed until the server says something of its own accord, or pauses.
#[test]
fn a_replay_is_not_live() {
    let resumed = || {
        let mut rig = sse(promised).restored(&[("ops", "link-00000000000000aa:7@5:0")]);
        rig.start();
        rig.opened(None);
        rig.says(": hi\n\n");
        for n in 1..50 {
            rig.pass(Duration::from_millis(20));
            rig.says(&format!("id: 5:{n}\ndata: {n}\n\n"));
            assert_eq!(rig.phase(), Phase::CatchingUp);
        }
        rig
    };
    let mut rig = resumed();
    rig.says(":\n");
    assert_eq!(rig.phase(), Phase::Live, "a word of its own");
    let mut rig = resumed();
    rig.pass(Duration::from_millis(250));
    rig.says("id: 6:0\ndata: 0\n\n");
    assert_eq!(rig.phase(), Phase::Live, "a pause");
    let mut rig = resumed();
    for n in 1..240 {
        rig.pass(Duration::from_millis(20));
        rig.says(&format!("id: 6:{n}\ndata: {n}\n\n"));
    }
    assert_eq!(rig.phase(), Phase::Live, "H2: a busy stream without comments is live in the end");
}

/// H1, H2: comments and pings keep a stream live; half of one doesn't; without them it isn't called live for longer
/// than the limit, and is given up when two of them are missing.
#[test]
fn a_stream_lives_by_what_it_says() {
    let mut rig = sse(|config| config.promises.heartbeat = Some(Duration::from_secs(2)));
    rig.start();
    rig.opened(None);
    for word in [":\n\n", "event: ping\n\n", "event: ping\ndata: {\"t\":1}\n\n", ": keep-alive\n"].repeat(5) {
        rig.pass(Duration::from_secs(2));
        assert_eq!(rig.phase(), Phase::Live);
        rig.says(word);
    }
    assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Live, 0));
    for _ in 0..7 {
        rig.pass(Duration::from_secs(1));
        rig.says("x");
    }
    assert_ne!(rig.phase(), Phase::Live, "a line without end says nothing");
    assert!(rig.out.contains(&"close".to_owned()), "{:?}", rig.out);

    let mut rig = sse(|_| {});
    rig.start();
    rig.opened(None);
    rig.pass(Duration::from_millis(5001));
    assert_eq!(rig.phase(), Phase::CatchingUp);
    rig.says("data: 1\n\n");
    assert_eq!(rig.phase(), Phase::Live, "heard again");
    rig.pass(Duration::from_secs(119));
    assert!(!rig.out.contains(&"close".to_owned()), "no word was promised earlier");
    rig.pass(Duration::from_secs(2));
    assert!(rig.out.contains(&"close".to_owned()));
}

/// H1, H2: what comes first on a link that was slow to stand may be as old as that; later it isn't.
#[test]
fn a_link_that_was_slow_to_stand() {
    let mut rig = sse(|config| config.promises.heartbeat = Some(Duration::from_secs(2)));
    rig.start();
    rig.pass(Duration::from_secs(6));
    rig.opened(None);
    assert_eq!(rig.phase(), Phase::CatchingUp);
    for _ in 0..4 {
        rig.pass(Duration::from_secs(2));
        rig.says(":\n");
        assert_eq!(rig.phase(), Phase::Live);
    }
}

/// H3, H5: what can't be read is a gap of that place, and the stream goes on. A text is a text; what was to be JSON and
/// is damaged isn't.
#[test]
fn unreadable_events() {
    let mut rig = sse(|_| {});
    rig.start();
    rig.opened(None);
    rig.says("id: 1\ndata: {\"n\":\n\nid: 2\ndata: hello\n\nid: 3\ndata\n\n");
    let out = rig.out.split_off(2);
    assert_eq!(rig.out[1], "gap unknown: the server offers no snapshot");
    assert!(out[0].starts_with("gap unknown: events lost: data is not acceptable JSON"), "{out:?}");
    assert_eq!(out[1], "message 2@2 2 \"hello\"; message 3@3 3 \"\"");
    assert_eq!((rig.phase(), rig.feed.status().counts.rejected), (Phase::Live, 1));
    rig.out.clear();
    rig.input(Input::Chunk { link: LinkId(1), bytes: b"data: \xff\n\ndata: 4\n\n"[..].into() });
    let big = vec![b'x'; SSE_EVENT_BYTES_MAX / 4];
    for _ in 0..5 {
        rig.input(Input::Chunk { link: LinkId(1), bytes: [b"data: ", &big[..], b"\n"].concat().into() });
    }
    rig.says(&format!("\nevent: {0}\ndata: 4\n\nid: {0}\ndata: 5\n\nid: 3\ndata: 5\n\n", "n".repeat(201)));
    let gaps = rig.out.iter().filter(|line| line.starts_with("gap unknown")).count();
    assert_eq!((gaps, rig.feed.status().counts.rejected, rig.phase()), (3, 4, Phase::Live));
    let last = rig.out.last().expect("events");
    assert!(last.ends_with(" - 5; message 9@3 3 5"), "too long for an event's id, not for a place: {last}");
}

/// Server hints and ends, each by its meaning.
#[test]
fn ends_by_their_meaning() {
    for (status, retry_after, phase, least, most) in [
        (401, None, Phase::Refused, 40, 80),
        (403, None, Phase::Refused, 40, 80),
        (204, None, Phase::Waiting, 3600, 4500),
        (410, None, Phase::Waiting, 40, 80),
        (503, Some(7), Phase::Waiting, 7, 9),
        (500, None, Phase::Waiting, 0, 1),
        (200, None, Phase::Waiting, 0, 1),
    ] {
        let mut rig = sse(|_| {});
        rig.start();
        rig.fails(status, retry_after.map(Duration::from_secs));
        let now = rig.feed.status();
        assert_eq!(now.phase, phase, "{status}");
        let wait = now.retry_at.expect("a next try").since(rig.now).as_secs();
        assert!((least..=most).contains(&wait), "{status}: {wait} s");
    }
    let mut rig = sse(|_| {});
    rig.start();
    rig.opened(None);
    rig.says("retry: 20000\n");
    rig.ends();
    assert!(rig.feed.status().retry_at.expect("a next try").since(rig.now) >= Duration::from_secs(20));
}

/// H2, H3: an id that the server doesn't take is given up with a gap; one request may have been damaged on its way.
#[test]
fn ids_that_are_not_taken() {
    for (status, times) in [(400, 2), (410, 1)] {
        let mut rig = sse(|config| config.promises.replays = true);
        rig.start();
        rig.opened(None);
        rig.says("id: ~7\ndata: 1\n\n");
        rig.ends();
        rig.comes_back();
        for _ in 0..times {
            assert!(rig.out.pop().expect("an address").contains("last-event-id: ~7"));
            rig.fails(status, None);
            rig.comes_back();
        }
        assert!(!rig.out.pop().expect("an address").contains("last-event-id"), "{status}");
        rig.opened(None);
        assert_eq!((rig.phase(), rig.feed.status().continuity), (Phase::Live, Continuity::Unknown));
    }
}

/// H8: the token goes in a header that nobody sees; an address or a ladder that can't work is told.
#[test]
fn tokens_and_addresses() {
    let mut rig = sse(|config| config.token = Some(Secret::new("t1")));
    rig.start();
    rig.expect(&["open https://push.example/stream?site=1 [authorization: Bearer ***]"]);
    for change in [
        (|config| config.url = "ws://push.example".parse().expect("an address")) as fn(&mut SourceConfig),
        |config| config.ladder = vec![Transport::WebSocket],
        |config| config.channels.push("other".into()),
    ] {
        let mut rig = sse(change);
        rig.start();
        assert_eq!((rig.out.len(), rig.feed.status().retry_at), (0, None));
    }
}

/// H5, H8: whatever comes, however it is cut: nothing breaks, and the cut changes nothing.
#[test]
fn any_bytes_in_any_cuts() {
    const STREAMS: [&str; 3] = [
        NCHAN,
        "\u{FEFF}id: 7\r\ndata: {\"kind\":\"a\"}\r\n\r\nretry: 5\rdata\r\rid\ndata: [1\n\n",
        ":\nevent: heartbeat\ndata: 1\n\ndata: é\nid: x\u{1}y\n\nid: 5:0\ndata: \"a\"\n\n",
    ];
    check!(iterations = 400, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let sizes = [draws.below(16).max(1), draws.below(300).max(1)];
        let told = [None, Some("5:0"), Some("6:0")][draws.below(3)];
        let stream = mutated(&STREAMS, &mut draws);
        let run = |sizes: [usize; 2]| {
            let mut rig = sse(promised).restored(&[("ops", "link-00000000000000aa:7@5:0")]);
            rig.start();
            rig.opened(told);
            let (mut rest, mut turn) = (&stream[..], 0);
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(sizes[turn % 2].min(rest.len()));
                rig.input(Input::Chunk { link: LinkId(1), bytes: chunk.to_vec().into() });
                (rest, turn) = (after, turn + 1);
            }
            let status = rig.feed.status();
            (rig.out.join("; "), status.counts, status.phase, status.positions)
        };
        let whole = run([usize::MAX; 2]);
        assert_eq!(whole, run([1; 2]));
        assert_eq!(whole, run(sizes));
    });
}
