//! JetStream: what a consumer proves.

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use super::{CREATED, INFO, Rig, STORED, STREAM};

const NAME: &str = "stream:T";
const FILTERED: &str = "stream:T/t.a";

impl Rig {
    /// The consumer stands; it begins after `base`.
    fn created(&mut self, number: u64, base: u64, pending: u64) {
        let text = format!(
            r#"{{"type":"io.nats.jetstream.api.v1.consumer_create_response","stream_name":"T","name":"@-{}","created":"2026-11-26T13:02:17.549653138Z","config":{{"ack_policy":"none"}},"delivered":{{"consumer_seq":0,"stream_seq":{base}}},"ack_floor":{{"consumer_seq":0,"stream_seq":{base}}},"num_pending":{pending},"ts":"2026-11-26T13:02:17.549795495Z"}}"#,
            number - 1
        );
        self.answers(number, &text);
    }

    /// How the stream stands.
    fn stands(&mut self, number: u64, created: &str, state: &str) {
        self.stands_in(number, created, state, "file");
    }

    fn stands_in(&mut self, number: u64, created: &str, state: &str, storage: &str) {
        let text = format!(
            r#"{{"type":"io.nats.jetstream.api.v1.stream_info_response","total":0,"offset":0,"limit":0,"config":{{"name":"T","subjects":["t.\u003e"],"storage":"{storage}","num_replicas":1}},"created":"{created}","state":{{"messages":5,"bytes":80,{state},"consumer_count":4}},"cluster":{{"leader":"N"}},"ts":"2026-11-26T13:02:18.507557705Z"}}"#
        );
        self.answers(number, &text);
    }

    /// A message of the stream by the consumer that was made as number 2, to the subscription 5.
    fn delivers(&mut self, sequence: u64, number: u64, pending: u64) {
        self.delivers_at(sequence, number, STORED + sequence * 1_000_000, pending);
    }

    fn delivers_at(&mut self, sequence: u64, number: u64, time: u64, pending: u64) {
        self.brings(&format!("t.a 5 $JS.ACK.T.@-2.1.{sequence}.{number}.{time}.{pending}"), &sequence.to_string());
    }

    fn beats(&mut self, consumer: u64, stream: u64) {
        let block = format!(
            "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: {consumer}\r\nNats-Last-Stream: {stream}\r\n\r\n"
        );
        self.says(&format!("HMSG _INBOX.@.d.@-2 5 {0} {0}\r\n{block}\r\n", block.len()));
    }

    /// Follows a stream from its message 1000 on, live.
    fn following(name: &str) -> Self {
        let mut rig = Self::accepted(name, None);
        rig.created(3, 1000, 0);
        rig.stands(4, CREATED, r#""first_seq":1,"last_seq":1000"#);
        assert_eq!(rig.phase(), Phase::Live, "{:?}", rig.feed.status());
        rig.out.clear();
        rig
    }
}

fn mark(sequence: u64) -> String {
    format!("{STREAM}.{sequence}.{}", STORED + sequence * 1_000_000)
}

fn whole(sequence: u64) -> String {
    format!("{STREAM}:{sequence}@{}", mark(sequence))
}

/// H3: from the first subscription on each message has its own place, which says how to go on after it.
#[test]
fn a_stream() {
    let mut rig = Rig::accepted(NAME, None);
    rig.expect(&[concat!(
        "SUB _INBOX.@.r.* 1 | PUB $JS.API.CONSUMER.CREATE.T.@-2 _INBOX.@.r.3 358 | ",
        r#"{"config":{"ack_policy":"none","deliver_policy":"new","deliver_subject":"_INBOX.@.d.@-2","flow_control":true,"#,
        r#""idle_heartbeat":2000000000,"inactive_threshold":10000000000,"max_deliver":1,"mem_storage":true,"#,
        r#""name":"@-2","num_replicas":1,"replay_policy":"instant"},"stream_name":"T"}"#
    )]);
    rig.created(3, 1000, 0);
    rig.expect(&["PUB $JS.API.STREAM.INFO.T _INBOX.@.r.4 0"]);
    rig.stands(4, CREATED, r#""first_seq":1,"last_seq":1000"#);
    rig.expect(&["gap unknown: the server offers no snapshot", "SUB _INBOX.@.d.@-2 5"]);
    assert_eq!(rig.phase(), Phase::Live);
    rig.delivers(1001, 1, 1);
    rig.delivers(1002, 2, 0);
    rig.expect(&["t.a T:1001 1001", "t.a T:1002 1002"]);
    assert_eq!(rig.place(), whole(1002));
    let status = rig.feed.status();
    assert_eq!((status.phase, status.continuity, status.counts.events), (Phase::Live, Continuity::Unknown, 2));
}

/// H3: the message that was had last comes first, as it was: what follows it is what was missed.
#[test]
fn a_resume_is_proven_by_the_message_that_was_had_last() {
    for (name, place) in [(NAME, whole(1000)), (FILTERED, format!("link-00000000000000aa:7@{}", mark(1000)))] {
        let mut rig = Rig::accepted(name, Some(&place));
        assert!(rig.out[0].contains(r#""deliver_policy":"by_start_sequence""#), "{:?}", rig.out);
        assert!(rig.out[0].contains(r#""opt_start_seq":1000"#), "{:?}", rig.out);
        rig.created(3, 999, 3);
        rig.out.clear();
        rig.stands(4, CREATED, r#""first_seq":900,"last_seq":1002"#);
        rig.expect(&["SUB _INBOX.@.d.@-2 5"]);
        assert_eq!(rig.phase(), Phase::Subscribing);
        rig.delivers(1000, 1, 2);
        rig.expect(&["gap proven: not connected meanwhile"]);
        rig.delivers(1001, 2, 1);
        rig.delivers(1002, 3, 0);
        assert_eq!(rig.out.len(), 2, "{:?}", rig.out);
        let status = rig.feed.status();
        assert_eq!((status.phase, status.continuity), (Phase::Live, Continuity::Proven), "{status:?}");
        assert!(rig.place().ends_with(&mark(1002)));
        assert_eq!(rig.place().contains(":9@"), name == FILTERED, "{}", rig.place());
    }
}

/// H3: where nothing was stored since, or the message itself is the first that is gone, a stream on disk still proves itself; one in
/// memory, which counts anew after a restart, doesn't.
#[test]
fn a_resume_without_that_message() {
    let states = [
        (r#""first_seq":1001,"last_seq":1002"#, 1000, 2),
        (r#""first_seq":1001,"last_seq":1000"#, 1000, 0),
        (r#""first_seq":900,"last_seq":1000"#, 999, 0),
    ];
    for (state, base, pending) in states {
        for storage in ["file", "memory"] {
            let mut rig = Rig::accepted(NAME, Some(&whole(1000)));
            rig.created(3, base, pending);
            rig.out.clear();
            rig.stands_in(4, CREATED, state, storage);
            let is_proven = rig.feed.status().continuity == Continuity::Proven;
            assert_eq!(is_proven, storage == "file", "{storage} {state}: {:?}", rig.out);
            rig.delivers(1001, 1, 0);
            assert_eq!(rig.out.pop().as_deref(), Some("t.a T:1001 1001"), "{:?}", rig.out);
        }
    }
}

/// H3: a stream that was trimmed past the place, or from which something was deleted after it, proves nothing.
#[test]
fn a_resume_that_is_not_proven() {
    let filtered = format!("link-00000000000000aa:7@{}", mark(1000));
    let mut rig = Rig::accepted(NAME, Some(&whole(1000)));
    rig.created(3, 1049, 3);
    rig.out.clear();
    rig.stands(4, CREATED, r#""first_seq":1050,"last_seq":1052"#);
    rig.expect(&[
        "gap unknown: the stream doesn't reach back so far; the server offers no snapshot",
        "SUB _INBOX.@.d.@-2 5",
    ]);
    rig.delivers(1050, 1, 2);
    rig.expect(&["t.a T:1050 1050"]);

    for (deleted, is_proven) in [("[3,999]", true), ("[3,1001]", false), ("null", false)] {
        let mut rig = Rig::accepted(FILTERED, Some(&filtered));
        rig.created(3, 999, 3);
        rig.out.clear();
        rig.stands(4, CREATED, r#""first_seq":1,"last_seq":1002,"num_deleted":2"#);
        rig.expect(&[r#"PUB $JS.API.STREAM.INFO.T _INBOX.@.r.5 24 | {"deleted_details":true}"#]);
        rig.stands(5, CREATED, &format!(r#""first_seq":1,"last_seq":1002,"num_deleted":2,"deleted":{deleted}"#));
        assert_eq!(rig.out == ["SUB _INBOX.@.d.@-2 6"], is_proven, "{deleted}: {:?}", rig.out);
    }

    // A message before it was deleted, which is seen only when it should come.
    let mut rig = Rig::accepted(NAME, Some(&whole(1000)));
    rig.created(3, 1000, 1);
    rig.stands(4, CREATED, r#""first_seq":1,"last_seq":1002,"num_deleted":1"#);
    rig.out.clear();
    rig.delivers(1002, 1, 0);
    rig.expect(&[
        "gap unknown: the message that was received last is gone from the stream; the server offers no snapshot",
        "t.a T:1002 1002",
    ]);
}

/// H3: another stream of the same name, one that ends before the place, and one whose messages were stored anew under the same
/// numbers are no continuation. Only what is new in them is taken, as the rest may be had already.
#[test]
fn another_stream() {
    let begin = |place: &str| {
        let mut rig = Rig::accepted(NAME, Some(place));
        rig.created(3, 999, 3);
        rig.out.clear();
        rig
    };
    let cases = [
        ("2026-11-26T14:00:00.1Z", r#""first_seq":1,"last_seq":1002"#, "the stream was made anew"),
        (CREATED, r#""first_seq":1,"last_seq":7"#, "the stream ends before what was received"),
    ];
    for (created, state, reason) in cases {
        let mut rig = begin(&whole(1000));
        rig.stands(4, created, state);
        assert!(rig.out[0].contains(r#""deliver_policy":"new""#), "{:?}", rig.out);
        rig.created(6, 1002, 0);
        rig.out.clear();
        rig.stands(7, created, state);
        rig.expect(&[&format!("gap unknown: {reason}; the server offers no snapshot"), "SUB _INBOX.@.d.@-5 8"]);
        assert_eq!(rig.phase(), Phase::Live);
    }
    let mut rig = begin(&whole(1000));
    rig.stands_in(4, CREATED, r#""first_seq":1,"last_seq":1002"#, "memory");
    rig.out.clear();
    rig.delivers_at(1000, 1, STORED, 2);
    assert!(rig.out[0].starts_with("UNSUB 5 | PUB $JS.API.CONSUMER.CREATE.T.@-6 _INBOX.@.r.7 "), "{:?}", rig.out);
    rig.created(7, 1002, 0);
    rig.out.clear();
    rig.stands(8, CREATED, r#""first_seq":1,"last_seq":1002"#);
    let reason = "gap unknown: the stream's messages are not those that were received; the server offers no snapshot";
    rig.expect(&[reason, "SUB _INBOX.@.d.@-6 9"]);
}

/// H3: a stream that is cut shorter than its consumer is behind loses messages although the consumer counts on; of a whole stream
/// the next message shows it, of a subject in it how the stream stands.
#[test]
fn a_stream_that_is_cut_under_a_consumer() {
    let mut rig = Rig::following(NAME);
    rig.delivers(1001, 1, 0);
    rig.out.clear();
    rig.delivers(1004, 2, 4);
    rig.expect(&[
        "gap unknown: events lost: messages before 1004 are gone from the stream; the server offers no snapshot",
        "t.a T:1004 1004",
    ]);
    assert_eq!(rig.feed.status().continuity, Continuity::Unknown);

    let mut rig = Rig::following(FILTERED);
    rig.delivers(1007, 1, 4);
    rig.delivers(1020, 2, 3);
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    rig.expect(&[
        "PING",
        "PUB $JS.API.CONSUMER.INFO.T.@-2 _INBOX.@.r.6 0 |  | PUB $JS.API.STREAM.INFO.T _INBOX.@.r.7 0",
    ]);
    rig.says("PONG\r\n");
    rig.stands(7, CREATED, r#""first_seq":1019,"last_seq":1050"#);
    let reason = "events lost: the stream let go of messages before they were sent; the server offers no snapshot";
    rig.expect(&[&format!("gap unknown: {reason}")]);
}

/// H1: what was still to come when the subscription began is waited for, also where some of it is gone meanwhile.
#[test]
fn a_stream_that_is_cut_while_it_catches_up() {
    let mut rig = Rig::accepted(NAME, Some(&whole(1000)));
    rig.created(3, 999, 11);
    rig.stands(4, CREATED, r#""first_seq":900,"last_seq":1010"#);
    rig.delivers(1000, 1, 10);
    rig.delivers(1003, 2, 7);
    for sequence in 1004..=1010 {
        assert_ne!(rig.phase(), Phase::Live, "{sequence} is still to come");
        rig.delivers(sequence, sequence - 1001, 1010 - sequence);
    }
    assert_eq!(rig.phase(), Phase::Live, "{:?}", rig.feed.status());
}

/// H1, H3: where the stream lets go of its last message before that is sent, no other tells of it. The consumer does, which has gone
/// further than what it sent.
#[test]
fn a_message_that_is_gone_and_followed_by_none() {
    for may_ask in [true, false] {
        let mut rig = Rig::following(NAME);
        rig.delivers(1001, 1, 0);
        rig.pass(Duration::from_secs(2));
        if !may_ask {
            let subject = r#"-ERR 'Permissions Violation for Publish to "$JS.API.CONSUMER.INFO.T.@-2"'"#;
            rig.says(&format!("{subject}\r\n"));
        }
        rig.out.clear();
        for number in [6, 7, 8] {
            rig.says("PONG\r\n");
            if may_ask {
                rig.answers(number, r#"{"delivered":{"consumer_seq":1,"stream_seq":1003},"num_pending":0}"#);
            }
            rig.beats(1, 1003);
            assert_eq!(rig.out.iter().any(|line| line.starts_with("gap")), number > 6, "{:?}", rig.out);
            rig.pass(Duration::from_secs(2));
        }
        let gaps: Vec<_> = rig.out.iter().filter(|line| line.starts_with("gap")).collect();
        let reason = "events lost: the stream let go of messages before they were sent; the server offers no snapshot";
        assert_eq!(gaps, [&format!("gap unknown: {reason}")]);
        rig.out.clear();
        rig.delivers(1004, 2, 0);
        rig.expect(&["t.a T:1004 1004"]);
    }
}

/// H1: the consumer's own word says what is still to come, and only all of it together proves the stream.
#[test]
fn the_stream_is_proven() {
    let mut rig = Rig::following(NAME);
    rig.delivers(1001, 1, 0);
    rig.out.clear();
    for round in 0..6 {
        rig.pass(Duration::from_secs(2));
        let number = 6 + round;
        rig.expect(&["PING", &format!("PUB $JS.API.CONSUMER.INFO.T.@-2 _INBOX.@.r.{number} 0")]);
        rig.says("PONG\r\n");
        rig.answers(number, r#"{"delivered":{"consumer_seq":1,"stream_seq":1001},"num_pending":0}"#);
        rig.beats(1, 1001);
        assert_eq!(rig.phase(), Phase::Live);
    }
    // The server has more, and doesn't send it.
    for number in [12, 13, 14, 15] {
        rig.pass(Duration::from_secs(2));
        rig.says("PONG\r\n");
        rig.answers(number, r#"{"delivered":{"consumer_seq":1,"stream_seq":1001},"num_pending":3}"#);
    }
    assert_ne!(rig.phase(), Phase::Live, "{:?}", rig.feed.status());
}

/// H1, H3: a consumer that skips a number, that says it sent more than came, or that is gone, is made anew from our place.
#[test]
fn a_consumer_that_is_lost_is_made_anew() {
    let ends: [fn(&mut Rig); 4] = [
        |rig| rig.delivers(1003, 3, 0),
        |rig| rig.beats(2, 1002),
        |rig| {
            rig.pass(Duration::from_secs(2));
            let error = r#"{"type":"io.nats.jetstream.api.v1.consumer_info_response","error":{"code":404,"err_code":10014,"description":"consumer not found"}}"#;
            rig.answers(6, error);
        },
        |rig| rig.says("HMSG _INBOX.@.d.@-2 5 33 33\r\nNATS/1.0 409 Consumer Deleted\r\n\r\n\r\n"),
    ];
    for end in ends {
        let mut rig = Rig::following(NAME);
        rig.delivers(1001, 1, 0);
        rig.out.clear();
        end(&mut rig);
        let again = rig.out.pop().expect("asked again");
        assert!(again.starts_with("UNSUB 1 | UNSUB 5 | SUB _INBOX.@.r.* "), "{again}");
        assert!(again.contains(r#""opt_start_seq":1001"#), "{again}");
    }
}

/// H5: a server that waits for us is answered, and what it waits with is none of ours.
#[test]
fn flow_control() {
    let mut rig = Rig::following(NAME);
    let block = "NATS/1.0 100 FlowControl Request\r\n\r\n";
    rig.says(&format!("HMSG _INBOX.@.d.@-2 5 $JS.FC.T.@-2.abc {0} {0}\r\n{block}\r\n", block.len()));
    rig.expect(&["PUB $JS.FC.T.@-2.abc 0"]);
    let block = "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 0\r\nNats-Consumer-Stalled: $JS.FC.T.x.y\r\n\r\n";
    rig.says(&format!("HMSG _INBOX.@.d.@-2 5 {0} {0}\r\n{block}\r\n", block.len()));
    rig.expect(&["PUB $JS.FC.T.x.y 0"]);
}

/// H3: somebody else's messages on a consumer's subject are no events.
#[test]
fn foreign_messages() {
    let mut rig = Rig::following(NAME);
    rig.brings("t.a 5", "1");
    rig.brings("t.a 5 $JS.ACK.T.other.1.1001.1.5.0", "1");
    rig.brings("t.a 5 $JS.ACK.U.@-2.1.1001.1.5.0", "1");
    rig.expect(&[]);
    assert_eq!((rig.feed.status().counts.events, rig.feed.status().counts.rejected), (0, 1));
}

/// H1: a wall that may not ask of its consumer is served by the consumer's own beats.
#[test]
fn a_consumer_that_may_not_be_asked() {
    let mut rig = Rig::following(NAME);
    rig.delivers(1001, 1, 0);
    rig.pass(Duration::from_secs(2));
    rig.says("-ERR 'Permissions Violation for Publish to \"$JS.API.CONSUMER.INFO.T.@-2\"'\r\nPONG\r\n");
    rig.beats(1, 1001);
    rig.out.clear();
    for _ in 0..6 {
        rig.pass(Duration::from_secs(2));
        rig.expect(&["PING"]);
        rig.says("PONG\r\n");
        rig.beats(1, 1001);
        assert_eq!(rig.phase(), Phase::Live);
    }
    rig.pass(Duration::from_secs(2));
    rig.says("PONG\r\n");
    rig.pass(Duration::from_secs(2));
    rig.says("PONG\r\n");
    rig.pass(Duration::from_secs(4));
    assert_ne!(rig.phase(), Phase::Live, "the connection answers, the consumer doesn't");
}

/// H3: a first subscription that nothing came by is gone on after as well.
#[test]
fn a_cut_before_the_first_message() {
    let mut rig = Rig::following(NAME);
    rig.ends();
    rig.pass(Duration::from_secs(1));
    rig.opened();
    rig.says(INFO);
    rig.out.clear();
    rig.says("PONG\r\n");
    assert!(rig.out[0].contains(r#""opt_start_seq":1001"#), "{:?}", rig.out);
}

/// H3: places that are counted here begin anew with each subscription, and none of them is taken for an earlier one, however many
/// messages are to come.
#[test]
fn a_second_subscription_on_one_link() {
    let mut rig = Rig::following(FILTERED);
    for number in 1..=3 {
        rig.delivers(1000 + number, number, 0);
    }
    rig.delivers(1005, 5, 0);
    rig.created(8, 1099, 5);
    rig.stands(9, CREATED, r#""first_seq":1100,"last_seq":1104"#);
    rig.out.clear();
    for number in 1..=5 {
        let (sequence, pending) = (1099 + number, 5 - number);
        let ack = format!("t.a 10 $JS.ACK.T.@-7.1.{sequence}.{number}.{}.{pending}", STORED + sequence * 1_000_000);
        rig.brings(&ack, &sequence.to_string());
    }
    let texts: Vec<&str> = rig.out.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(texts, ["1100", "1101", "1102", "1103", "1104"], "{:?}", rig.out);
    assert_eq!(rig.feed.status().counts.gaps_unknown, 2, "before each of the two");
}
