//! Whatever the bytes: see `docs/proof.md`, "Fuzzing".

use std::{
    fs,
    io::Write as _,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use flate2::{Compression, write::DeflateEncoder};
use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Delivery, Event, Mono, Payload, Position, Timestamp};

use crate::{
    Clock, intake,
    journal::{
        Bounds, Entry, FILE_NAME, Journal,
        table::batch::{Batch, Kind},
    },
    past::body::{
        Glass, Packer, Taken, Unpacker,
        tests::{board, frame},
    },
};

const BODIES: [&str; 4] = [
    r#"{"c":"flights","n":"x","i":"1","p":"k3x9:41","t":1360339200000,"d":{"a":1}}{"c":"flights","n":"x","t":1,"d":[1]}"#,
    r#"{"positions":{"x":"e:9"},"now":1000,"speed":1.0,"label":"Replay","since":5,"aggregates":{"counter-1":{"n":3}}}"#,
    r#"{"channel":"x","from":null,"to":"e:1","proof":"unknown","reason":"lost","began":1,"ended":2,"source_times":[5,7]}"#,
    "{}",
];

/// An entry that somebody changed is a delivery or damage.
#[test]
fn journal_entries() {
    check!(|bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let kind = *draws.pick(&[Kind::Events, Kind::Snapshot, Kind::Gap, Kind::Forget, Kind::Restated]);
        let received = Timestamp::from_millis(draws.number().cast_signed());
        let events = draws.number() as u32;
        let body = String::from_utf8_lossy(&mutated(&BODIES, &mut draws)).into_owned();
        let batch = Batch { source: "s".into(), kind, received, events, body };
        let clock = Clock::start();
        if let Ok(Some(Delivery::Events(events))) = intake::Replay::new(clock).delivery(&batch) {
            assert!(events.len() <= batch.body.len() && events.iter().all(|event| event.received <= clock.now()));
        }
    });
}

/// Two records, packed one after the other.
fn records() -> &'static [Vec<u8>] {
    static RECORDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let (mut board, mut mark, mut packer) = (board(), None, Packer::new());
        let mut pack = |second| {
            let taken = Taken { frame: frame(&mut board, &mut mark, second), glass: Glass::default() };
            packer.pack(&taken, second == 0).expect("a record")
        };
        (0..2).map(&mut pack).collect()
    })
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

/// A record that somebody changed is one or isn't: no panic, and whoever packs nonsense well gets no further.
#[test]
fn record_bodies() {
    check!(iterations = 500, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut unpacker = Unpacker::new();
        if draws.once_in(2) {
            let seed =
                r#"{"frame":{"revision":1,"version":2,"widgets":[]},"glass":{"painted_ago_ms":5,"looked_back":false}}"#;
            let _ = unpacker.unpack(&deflated(&mutated(&[seed], &mut draws)), true);
            return;
        }
        unpacker.unpack(&records()[0], true).expect("a sound key");
        let _ = unpacker.unpack(&mutated(records(), &mut draws), draws.once_in(2));
    });
}

/// H5: a small record that unpacks to more than any wall has is refused before it is unpacked.
#[test]
fn a_record_that_claims_to_be_huge() {
    let body = deflated(&vec![b' '; 200 << 20]);
    assert!(body.len() < 1 << 20, "{} bytes", body.len());
    let error = Unpacker::new().unpack(&body, true).expect_err("too large").to_string();
    assert!(error.contains("too large"), "{error}");
}

fn entry(number: u64) -> Entry {
    let data = Payload::from(serde_json::json!({"number": number, "filling": "x".repeat(300)}));
    let event = Event {
        channel: "x".into(),
        name: "tick".into(),
        id: None,
        position: Some(Position::new("e", number)),
        time: Timestamp::from_millis(0),
        received: Mono::ZERO,
        data,
    };
    intake::entry(&"ops".into(), &Delivery::Events(vec![event]), &Clock::start()).expect("events are journaled")
}

/// The file of a sound journal.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let now = Clock::start().wall();
    let mut journal = Journal::open(folder.path(), Bounds::default(), now).expect("a new journal").journal;
    for number in 1..60 {
        journal.append(&[entry(number)], now).expect("a batch");
    }
    journal.put_checkpoint(journal.last_seq(), now, r#"{"sources":{}}"#).expect("a checkpoint");
    drop(journal);
    fs::read(folder.path().join(FILE_NAME)).expect("the file")
});

/// H4, H8: a file with changed bytes opens, or is set aside, or is refused; whatever it says is read without a panic.
#[test]
fn journal_file() {
    check!(iterations = 20, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut file = FILE.clone();
        for _ in 0..=draws.below(24) {
            // The beginnings of pages and rows decide most, and any place is as good as another for the rest.
            let page = draws.below(file.len() / 8192 + 1) * 8192;
            let within = if draws.once_in(2) { 120 } else { 8192 };
            let at = (page + draws.below(within)).min(file.len() - 1);
            let part = *draws.pick::<&[u8]>(&[
                &[0],
                &[0xFF],
                &[0xFF; 9],
                &[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
                &[1],
            ]);
            let end = (at + part.len()).min(file.len());
            file[at..end].copy_from_slice(&part[..end - at]);
        }
        if draws.once_in(8) {
            file.truncate(draws.below(60_000));
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE_NAME), &file).expect("the file");
        let clock = Clock::start();
        let now = clock.wall();
        let bounds = Bounds { age_max: Duration::from_secs(60), ..Bounds::default() };
        let Ok(opened) = Journal::open(folder.path(), bounds, now) else { return };
        let mut journal = opened.journal;
        let was_set_aside = opened.set_aside.is_some();
        let _ = (
            journal.positions(),
            journal.checkpoints().map(|rows| rows.len()),
            journal.outages(),
            journal.written_until(),
        );
        let mut replay = intake::Replay::new(clock);
        let whole = journal.replay(0, |batch| {
            let _ = replay.delivery(&batch);
            Ok(())
        });
        assert!(!was_set_aside || matches!(whole, Ok(true)), "a new journal is sound");
        let written = journal.append(&[entry(60)], now);
        assert!(!was_set_aside || written.is_ok(), "a new journal is written to");
    });
}
