//! What a published encoder wrote (npm `sparkplug-payload` 1.0.3), and what is made of it.

use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Mono, Timestamp};

use super::{Nodes, Said, Told};
use crate::protocols::Moment;

const T: i64 = 1_700_000_000_000;

pub(in super::super) const NBIRTH: &str = "0880d095ffbc3112120a0562645365711880d095ffbc312008580712210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b700012160a044c6f616410011880d095ffbc312009650000003f1800";
pub(in super::super) const DBIRTH: &str = "088ad095ffbc3112210a0b54656d7065726174757265100a188ad095ffbc31200a69000000000060544012160a0752756e6e696e67100b188ad095ffbc31200b700112190a064f6666736574100c188ad095ffbc31200250fdffffff0f12180a055374617465100d188ad095ffbc31200c7a046175746f1801";
pub(in super::super) const NDATA: &str = "0894d095ffbc31121010011894d095ffbc312009650000403f1802";
const DDATA: &str =
    "089ed095ffbc311214100a189ed095ffbc31200a6900000000008054401211100c189ed095ffbc31200250fcffffff0f1803";
const DDATA_NULL: &str = "08a8d095ffbc31120d100a18a8d095ffbc31200a38011804";
const DDATA_OLD: &str =
    "08b2d095ffbc311216100a18a0fb91ffbc31200a28016900000000008051401214100a18b2d095ffbc31200a690000000000c054401805";
const DDATA_BAD: &str = "08bcd095ffbc311225100a18bcd095ffbc31200a4a0f0a075175616c6974791204080318006900000000\
                         00388f40121f100b18bcd095ffbc31200b4a100a075175616c6974791205080318c00170001806";
const DDEATH: &str = "08c6d095ffbc311807";
pub(in super::super) const NDEATH: &str = "0880d095ffbc3112120a0562645365711880d095ffbc3120085807";
const NDEATH_OTHER: &str = "0880d095ffbc3112120a0562645365711880d095ffbc3120085806";
/// Number 9.
pub(in super::super) const NDATA_LATER: &str = "08d0d095ffbc311210100118d0d095ffbc312009650000803f1809";
const TYPES: &str = "0880d095ffbc31120c0a02693820015080ffffff0f120d0a03693332200350808080800812120a03693634200458ffffffffffffffefff0112090a027538200550ff01120d0a03753332200758ffffffff0f12120a03753634200858ffffffffffffffffff0112100a036e616e200a69000000000000f87f120c0a03696e66200965000080ff120b0a05656d707479200c7a00120d0a026174200d5880d095ffbc31120c0a0474657874200e7a02c3a9120e0a0475756964200f7a0436663163120f0a0562797465732011820103ff000112300a0373657420108a012608021201611201621803180c22090a0208010a03320178220d0a0608feffffff0f0a0332017912210a0375647420139201170a0131120a0a0372706d200350dc0b220450756d7028001800";
pub(in super::super) const REBIRTH: &str =
    "0880d095ffbc3112210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7001";

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// A second after everything was sent.
fn at(millis: u64) -> Moment {
    Moment { mono: Mono::from_millis(millis), wall: Timestamp::from_millis(T + 1000) }
}

/// What a message comes to, as lines; `!` is what is missing, `?` what can't be read.
fn lines(said: Said) -> Vec<String> {
    let missing = said.missing.map(|why| format!("! {why}"));
    let one = |told: Told| format!("{} {} {}", told.time.as_millis() - T, told.name, told.body);
    let unread = said.unread.map(|why| format!("? {why}"));
    missing.into_iter().chain(said.events.into_iter().map(one)).chain(unread).collect()
}

struct Rig(Nodes);

impl Rig {
    fn new() -> Self {
        Self(Nodes::new(true, 1))
    }

    fn says(&mut self, topic: &str, hex: &str) -> Vec<String> {
        let topic = format!("spBv1.0/Plant/{topic}");
        self.0.take(&topic, &from_hex(hex), false, at(0)).map(lines).expect("a topic of a node")
    }

    /// Node and device are there.
    fn born() -> Self {
        let mut rig = Self::new();
        rig.says("NBIRTH/Line 3", NBIRTH);
        rig.says("DBIRTH/Line 3/Pump", DBIRTH);
        rig
    }
}

/// What a publisher said last, said again as not good.
fn stale(at: i64, device: &str, message: &str, why: &str) -> String {
    let (name, device) = match device {
        "" => ("Plant/Line 3".to_owned(), String::new()),
        device => (format!("Plant/Line 3/{device}"), format!(r#""device":"{device}","#)),
    };
    let body = format!(
        r#"{{"group":"Plant","node":"Line 3",{device}"message":"{message}","quality":"stale","reason":"{why}","metrics":{{}}}}"#
    );
    format!("{at} {name} {}", ordered(&body))
}

/// Keys as this build writes them.
fn ordered(body: &str) -> String {
    serde_json::from_str::<serde_json::Value>(body).expect("JSON").to_string()
}

#[track_caller]
fn is(found: &[String], expected: &[&str]) {
    let ordered = |line: &str| match line.split_once(" {") {
        Some((head, body)) => format!("{head} {}", ordered(&format!("{{{body}"))),
        None => line.to_owned(),
    };
    assert_eq!(found, expected.iter().map(|line| ordered(line)).collect::<Vec<_>>());
}

/// Names and types come from births, values by short names from what follows.
#[test]
fn births_and_data() {
    let mut rig = Rig::new();
    is(
        &rig.says("NBIRTH/Line 3", NBIRTH),
        &[
            r#"0 Plant/Line 3 {"group":"Plant","node":"Line 3","message":"NBIRTH","quality":"good","metrics":{"Node Control/Rebirth":false,"Load":0.5}}"#,
        ],
    );
    is(
        &rig.says("DBIRTH/Line 3/Pump", DBIRTH),
        &[
            r#"10 Plant/Line 3/Pump {"group":"Plant","node":"Line 3","device":"Pump","message":"DBIRTH","quality":"good","metrics":{"Temperature":81.5,"Running":true,"Offset":-3,"State":"auto"}}"#,
        ],
    );
    is(
        &rig.says("NDATA/Line 3", NDATA),
        &[
            r#"20 Plant/Line 3 {"group":"Plant","node":"Line 3","message":"NDATA","quality":"good","metrics":{"Load":0.75}}"#,
        ],
    );
    is(
        &rig.says("DDATA/Line 3/Pump", DDATA),
        &[
            r#"30 Plant/Line 3/Pump {"group":"Plant","node":"Line 3","device":"Pump","message":"DDATA","quality":"good","metrics":{"Temperature":82.0,"Offset":-4}}"#,
        ],
    );
    is(
        &rig.says("DDATA/Line 3/Pump", DDATA_NULL),
        &[
            r#"40 Plant/Line 3/Pump {"group":"Plant","node":"Line 3","device":"Pump","message":"DDATA","quality":"good","metrics":{"Temperature":null}}"#,
        ],
    );
    // What was once is told by another name, so that it is nobody's newest value.
    is(
        &rig.says("DDATA/Line 3/Pump", DDATA_OLD),
        &[
            r##"-60000 #historical/Plant/Line 3/Pump {"group":"Plant","node":"Line 3","device":"Pump","message":"DDATA","historical":true,"metrics":{"Temperature":70.0}}"##,
            r#"50 Plant/Line 3/Pump {"group":"Plant","node":"Line 3","device":"Pump","message":"DDATA","quality":"good","metrics":{"Temperature":83.0}}"#,
        ],
    );
    // H1: a value that its publisher calls bad is none.
    is(
        &rig.says("DDATA/Line 3/Pump", DDATA_BAD),
        &[
            r#"60 Plant/Line 3/Pump {"group":"Plant","node":"Line 3","device":"Pump","message":"DDATA","quality":"good","metrics":{"Temperature":null,"Running":false},"bad":{"Temperature":{"quality":0,"value":999.0}}}"#,
        ],
    );
}

/// H1: who is gone is said to be, with the time of what it said last; a node takes its devices with it.
#[test]
fn deaths() {
    let mut rig = Rig::born();
    assert_eq!(rig.says("NDATA/Line 3", NDATA).len(), 1);
    assert_eq!(rig.says("NDEATH/Line 3", NDEATH_OTHER), [""; 0], "another session's");
    let why = "the node is gone";
    let both = [stale(20, "", "NDEATH", why), stale(10, "Pump", "NDEATH", why)];
    assert_eq!(rig.says("NDEATH/Line 3", NDEATH), both);
    let mut rig = Rig::born();
    for (topic, hex) in
        [("NDATA", NDATA), ("DDATA", DDATA), ("DDATA", DDATA_NULL), ("DDATA", DDATA_OLD), ("DDATA", DDATA_BAD)]
    {
        let device = if topic == "DDATA" { "/Pump" } else { "" };
        rig.says(&format!("{topic}/Line 3{device}"), hex);
    }
    assert_eq!(rig.says("DDEATH/Line 3/Pump", DDEATH), [stale(70, "Pump", "DDEATH", "the device is gone")]);
    // It is gone already: its node alone.
    assert_eq!(rig.says("NDEATH/Line 3", NDEATH), [stale(20, "", "NDEATH", why)]);
    // Of a node that this link hasn't seen yet as well: somebody may remember it.
    let out = Rig::new().says("NDEATH/Line 3", NDEATH);
    assert_eq!(out, [stale(1000, "", "NDEATH", why)]);
    // Born again.
    let out = rig.says("NBIRTH/Line 3", NBIRTH).join("");
    assert!(out.contains(r#""quality":"good""#), "{out}");
}

/// H1: a node that begins anew has no devices before their births.
#[test]
fn a_node_that_begins_anew() {
    let mut rig = Rig::born();
    let out = rig.says("NBIRTH/Line 3", NBIRTH);
    assert_eq!(out[0], stale(10, "Pump", "NBIRTH", "its node began anew"));
    assert_eq!(out.len(), 2);
    let out = rig.says("DBIRTH/Line 3/Pump", DBIRTH).join("");
    assert!(out.contains(r#""quality":"good""#), "{out}");
}

/// H1, H3: a number that doesn't follow is something missing: nothing is good before the next birth, and no short name is known.
#[test]
fn a_number_that_is_missing() {
    let mut rig = Rig::born();
    let out = rig.says("NDATA/Line 3", NDATA_LATER);
    let why = "messages of Plant/Line 3 are missing: number 9 came, not 2";
    let unread = "? Plant/Line 3: what its short names stand for isn't known before its next birth";
    let expected = [format!("! {why}"), stale(0, "", "NDATA", why), stale(10, "Pump", "NDATA", why), unread.to_owned()];
    assert_eq!(out, expected);
    assert_eq!(rig.says("NDATA/Line 3", NDATA), [unread], "told once");
    let out = rig.says("DBIRTH/Line 3/Pump", DBIRTH).join("");
    assert!(out.contains(r#""quality":"stale""#), "without its node's: {out}");
    rig.says("NBIRTH/Line 3", NBIRTH);
    let out = rig.says("DBIRTH/Line 3/Pump", DBIRTH).join("");
    assert!(out.contains(r#""quality":"good""#), "{out}");
}

/// H1: a value by a name that nobody gave is one that somebody's newest value lacks; and a device that wasn't born is not good.
#[test]
fn names_that_nobody_gave() {
    let mut rig = Rig::new();
    rig.says("NBIRTH/Line 3", NBIRTH);
    let lone = &DDATA[..DDATA.len() - 2];
    let out = rig.says("DDATA/Line 3/Pump", &format!("{lone}01"));
    let why = "Plant/Line 3/Pump: what its short names stand for isn't known before its next birth";
    assert_eq!(out, [stale(0, "", "DDATA", why), format!("? {why}")]);
    assert!(rig.says("NDATA/Line 3", NDATA).join("").contains(r#""quality":"stale""#));
    let due = Moment { mono: Mono::from_millis(9000), wall: at(0).wall };
    assert_eq!(rig.0.asks(due).len(), 1);
    // With names of its own it is read, and still isn't good.
    let mut rig = Rig::new();
    rig.says("NBIRTH/Line 3", NBIRTH);
    let out = rig.says("DDATA/Line 3/Pump", DBIRTH).join("");
    assert!(out.contains("81.5") && out.contains(r#""quality":"stale""#), "{out}");
    assert_eq!(rig.0.asks(due).len(), 1);
    rig.says("DBIRTH/Line 3/Pump", &DBIRTH.replace("1801", "1802"));
    assert_eq!(rig.0.asks(Moment { mono: Mono::from_millis(900_000), wall: at(0).wall }).len(), 0);
}

/// Numbers go from 255 to 0.
#[test]
fn numbers_go_round() {
    let mut rig = Rig::born();
    let head = &NDATA[..NDATA.len() - 2];
    for seq in (2..=255).chain(0..=3) {
        let seq = if seq < 128 { format!("{seq:02x}") } else { format!("{seq:02x}01") };
        let out = rig.says("NDATA/Line 3", &format!("{head}{seq}"));
        assert!(out.len() == 1 && out[0].contains("good"), "{seq}: {out:?}");
    }
}

/// H1: before a birth that came while this link listened nothing is good, whatever a broker kept; and what it kept teaches names.
#[test]
fn births_that_were_kept() {
    let mut rig = Rig::new();
    let kept = |rig: &mut Rig, topic: &str, hex: &str| {
        let topic = format!("$sparkplug/certificates/spBv1.0/Plant/{topic}");
        rig.0.take(&topic, &from_hex(hex), true, at(0)).map(lines).expect("a topic of a node").join("")
    };
    let out = kept(&mut rig, "NBIRTH/Line 3", NBIRTH);
    assert!(out.contains(r#""quality":"stale""#) && out.contains(r#""Load":0.5"#), "{out}");
    let out = rig.says("NDATA/Line 3", NDATA).join("");
    assert!(out.contains(r#""quality":"stale""#) && out.contains(r#""Load":0.75"#), "{out}");
    let out = rig.says("NDATA/Line 3", NDATA_LATER).join("");
    assert!(out.starts_with("? "), "a birth may have been missed: {out}");
    let mut rig = Rig::born();
    assert_eq!(kept(&mut rig, "NBIRTH/Line 3", NBIRTH), "", "what came is newer");
    assert!(rig.says("NDATA/Line 3", NDATA).join("").contains("good"));
}

/// Zero, empty, null, and what is no number are different things, and no digit is lost.
#[test]
fn types() {
    let out = Rig::new().says("NBIRTH/Line 3", TYPES).join("");
    for part in [
        r#""i8":-128,"#,
        r#""i32":-2147483648,"#,
        r#""i64":-9007199254740993,"#,
        r#""u8":255,"#,
        r#""u32":4294967295,"#,
        r#""u64":18446744073709551615"#,
        r#""nan":"NaN""#,
        r#""inf":"-inf""#,
        r#""empty":"""#,
        r#""at":1700000000000"#,
        r#""text":"é""#,
        r#""uuid":"6f1c""#,
        r#""bytes":"/wAB""#,
        r#""set":[{"a":1,"b":"x"},{"a":-2,"b":"y"}]"#,
        r#""udt":{"rpm":1500}"#,
    ] {
        assert!(out.contains(part) || out.contains(&format!("{}}}", part.trim_end_matches(','))), "{part}: {out}");
    }
}

/// Only topics of nodes are taken; commands say nothing of them.
#[test]
fn topics() {
    let mut nodes = Nodes::new(false, 1);
    for topic in [
        "plant/a",
        "spBv1.0/STATE/host",
        "spBv1.0/G/NDATA/N/D",
        "spBv1.0/G/DDATA/N",
        "spBv1.0/G/NDATA/N/",
        "spBv1.0//NDATA/N",
    ] {
        assert!(nodes.take(topic, b"", false, at(0)).is_none(), "{topic}");
    }
    let said = nodes.take("spBv1.0/G/NCMD/N", &from_hex(REBIRTH), false, at(0));
    assert_eq!(said.map(lines), Some(Vec::new()));
}

/// A node whose birth was missed is asked for it after a while, and again after a longer one, if the board wants it.
#[test]
fn births_are_asked_for() {
    let wall = Timestamp::from_millis(T);
    let due = |nodes: &mut Nodes, millis: u64| {
        let asks = nodes.asks(Moment { mono: Mono::from_millis(millis), wall });
        asks.into_iter().map(|ask| (ask.topic, ask.payload)).collect::<Vec<_>>()
    };
    let mut rig = Rig::new();
    rig.says("NDATA/Line 3", NDATA);
    assert_eq!(due(&mut rig.0, 1999), []);
    let asked = [("spBv1.0/Plant/NCMD/Line 3".to_owned(), from_hex(REBIRTH))];
    assert_eq!(due(&mut rig.0, 4001), asked);
    assert_eq!(due(&mut rig.0, 63_000), []);
    assert_eq!(due(&mut rig.0, 64_001), asked);
    rig.says("NBIRTH/Line 3", NBIRTH);
    assert_eq!(due(&mut rig.0, 900_000), []);
    let mut quiet = Nodes::new(false, 1);
    quiet.take("spBv1.0/Plant/NDATA/Line 3", &from_hex(NDATA), false, at(0));
    assert_eq!(due(&mut quiet, 900_000), [], "a wall publishes nothing unless it is told to");
}

/// H5: nodes, devices and names are bounded, and what can't be kept isn't called good.
#[test]
fn bounds() {
    let mut nodes = Nodes::new(false, 1);
    for node in 0..2048 {
        assert!(nodes.take(&format!("spBv1.0/G/NBIRTH/{node}"), &from_hex(NBIRTH), false, at(0)).is_some());
    }
    let said = nodes.take("spBv1.0/G/NBIRTH/more", &from_hex(NBIRTH), false, at(0)).map(lines);
    assert_eq!(said, Some(vec!["? more than 2048 nodes".to_owned()]));
    // A table whose names would be repeated without end.
    let mut set = vec![0x12, 0xE8, 7];
    set.extend([b'x'; 1000]);
    for _ in 0..2000 {
        set.extend([0x22, 4, 0x0A, 2, 8, 1]);
    }
    let mut rig = Rig::new();
    let metric = [vec![0x0A, 1, b's', 0x20, 16, 0x8A, 1], length(set.len()), set].concat();
    let bytes = [vec![0x12], length(metric.len()), metric].concat();
    let said = rig.0.take("spBv1.0/Plant/NBIRTH/N", &bytes, false, at(0)).map(lines).expect("a node's").join("");
    assert!(said.contains("a table of over a megabyte"), "{said}");
}

fn length(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7F {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// H5, H8: whatever the bytes, nothing panics, nothing is later than now, and each body is JSON.
#[test]
fn payloads() {
    check!(|bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let seeds = [NBIRTH, DBIRTH, DDATA, DDATA_NULL, DDATA_OLD, DDATA_BAD, TYPES, NDEATH].map(from_hex);
        let mut rig = Rig::born();
        for topic in ["DDATA/Line 3/Pump", "DBIRTH/Line 3/Fan", "NBIRTH/Line 3", "DDATA/Line 3/Pump", "NDEATH/Line 3"] {
            let payload = mutated(&seeds, &mut draws);
            let topic = format!("spBv1.0/Plant/{topic}");
            let said = rig.0.take(&topic, &payload, false, at(0)).expect("a topic of a node");
            for told in said.events {
                assert!(told.time <= at(0).wall);
                assert!(serde_json::from_str::<serde_json::Value>(&told.body).is_ok(), "{}", told.body);
            }
        }
    });
}

/// H1: who died stands in the topic: of a death that can't be read, or is too long to be had, nothing stays good.
#[test]
fn deaths_that_can_not_be_read() {
    let mut rig = Rig::born();
    let why = "? DDEATH of Plant/Line 3/Pump is no Sparkplug payload: ";
    let said = rig.says("DDEATH/Line 3/Pump", "ff");
    is(&said[..1], &[&stale(10, "Pump", "DDEATH", "the device is gone")]);
    assert!(said.len() == 2 && said[1].starts_with(why), "{said:?}");
    // It was one of the row.
    let head = &NDATA[..NDATA.len() - 2];
    let said = rig.says("NDATA/Line 3", &format!("{head}03")).join("");
    assert!(said.contains("good"), "{said}");
    let said = rig.says("NDEATH/Line 3", "ff");
    is(&said[..1], &[&stale(20, "", "NDEATH", "the node is gone")]);
    assert!(!rig.says("NDATA/Line 3", &format!("{head}04")).join("").contains("good"), "it was not born again");
    let mut rig = Rig::born();
    let mut unread = |topic: &str| rig.0.take_unread(topic, "too big", false, at(0)).map(lines);
    assert_eq!(unread("spBv1.0/Plant/NDATA/Line 3"), None);
    assert_eq!(unread("plant/a"), None);
    let said = unread("spBv1.0/Plant/NDEATH/Line 3").expect("a death");
    let (node, device) = (stale(0, "", "NDEATH", "the node is gone"), stale(10, "Pump", "NDEATH", "the node is gone"));
    is(&said, &[&node, &device, "? NDEATH of Plant/Line 3: too big"]);
}
