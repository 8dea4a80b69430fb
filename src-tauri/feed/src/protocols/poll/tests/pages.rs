//! Pages of a stream by cursor: what proves that one is the last, and when the next one is asked for.

use super::{
    cursor::{AFTER, by_cursor, next},
    *,
};

/// The `Date` of an answer that comes now.
fn date(rig: &Rig) -> Timestamp {
    let second = rig.now.as_micros() / 1_000_000;
    Timestamp::from_millis(1_700_000_000_000 + i64::try_from(second).expect("a second") * 1000)
}

/// A page of so many messages, the newest of them so many milliseconds old, if that is said.
fn page(rig: &mut Rig, number: u32, count: usize, age: Option<i64>) {
    let date = date(rig);
    let message = match age {
        Some(age) => format!(r#"{{"n":1,"t":{}}}"#, date.as_millis() - age),
        None => r#"{"n":1}"#.to_owned(),
    };
    let body = format!(r#"{{"items":[{}],"next":"c{number}"}}"#, vec![message; count].join(","));
    rig.answers(Head { date: Some(date), ..Head::default() }, body);
}

fn nothing(rig: &mut Rig) {
    let date = Some(date(rig));
    rig.answers(Head { date, ..Head::default() }, r#"{"items":[]}"#);
}

/// How often it was asked since the last look.
fn asks(rig: &mut Rig) -> usize {
    std::mem::take(&mut rig.out).iter().filter(|line| line.starts_with("ask")).count()
}

/// H1, H3: pages of any lengths, as of a server that bounds their bytes, are asked for one after the other, and none of them is taken for the
/// last: nothing is live before an empty one.
#[test]
fn pages_that_vary_in_length() {
    for kind in [Kind::Poll, Kind::LongPoll] {
        let mut rig = by_cursor(kind, AFTER, true);
        rig.start();
        asks(&mut rig);
        for (number, count) in [9, 6, 8, 5, 9, 7, 5].into_iter().enumerate() {
            page(&mut rig, u32::try_from(number).expect("a number"), count, None);
            assert_ne!(rig.phase(), Phase::Live, "{kind:?} {number}");
            rig.pass(Duration::ZERO);
            assert_eq!(asks(&mut rig), 1, "{kind:?} {number}: at once");
        }
        nothing(&mut rig);
        assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Live, 49), "{kind:?}");
    }
}

/// H1: a wall that falls behind isn't live for longer than the limit, whatever comes, and says that there is more to come; however long an answer
/// took, that is no proof that it was held. H2: it is live again with the first empty page.
#[test]
fn pages_that_never_end() {
    for kind in [Kind::Poll, Kind::LongPoll] {
        let mut rig = by_cursor(kind, AFTER, true);
        rig.start();
        nothing(&mut rig);
        assert_eq!(rig.phase(), Phase::Live);
        next(&mut rig);
        let began = rig.now;
        for number in 0..40 {
            rig.pass(Duration::from_millis(300));
            page(&mut rig, number, 1 + number as usize % 7, None);
            if rig.now.since(began) >= Duration::from_secs(5) {
                assert_ne!(rig.phase(), Phase::Live, "{kind:?} {number}");
                assert!(rig.cause().contains("there is more to come"), "{}", rig.cause());
            }
        }
        rig.pass(Duration::from_millis(300));
        nothing(&mut rig);
        assert_eq!(rig.phase(), Phase::Live, "{kind:?}");
    }
}

/// H1: an answer that can't be read doesn't make a page that follows prove more.
#[test]
fn a_page_after_one_that_cant_be_read() {
    let mut rig = by_cursor(Kind::LongPoll, AFTER, true);
    rig.start();
    nothing(&mut rig);
    for number in 0..12 {
        rig.pass(Duration::from_millis(400));
        rig.answers(Head::default(), "<html>");
        rig.pass(Duration::from_millis(400));
        page(&mut rig, number, 1, None);
    }
    assert_ne!(rig.phase(), Phase::Live, "{:?}", rig.feed.status().cause);
}

/// H2: where the board says when messages were written, by the server's clock, a stream with news at each request is live. H1: so it isn't by old
/// news, by one of a page, or by a clock that is ahead of the server's.
#[test]
fn pages_are_as_old_as_their_news() {
    let lives = |age: i64, behind: bool| {
        let mut rig = Rig::new(Kind::Poll, &["news"], |config| {
            let (path, rows) = ("next".parse().expect("a path"), "items".parse().expect("a path"));
            config.promises.cursor = Some(Cursor { path, query: Some("site".into()), rows: Some(rows) });
            config.envelope.time = Some("t".parse().expect("a path"));
        });
        rig.start();
        (0..60)
            .map(|number| {
                rig.pass(Duration::from_millis(200));
                let old = i64::from(number) * if behind { 150 } else { 0 };
                page(&mut rig, number, 3, Some(age + old));
                rig.phase() == Phase::Live
            })
            .collect::<Vec<bool>>()
    };
    assert!(lives(300, false)[1..].iter().all(|live| *live));
    assert!(lives(8000, false).iter().all(|live| !live));
    assert!(lives(-3000, false).iter().all(|live| !live), "of a clock that is ahead");
    let falls = lives(300, true);
    assert!(falls[2] && falls[34..].iter().all(|live| !live), "{falls:?}");
}

/// H5: a trickle doesn't become a hammer: in calm there are two requests where there was something, and where there always is, ten a second. What
/// the server asks for holds.
#[test]
fn a_trickle_is_no_hammer() {
    let mut rig = by_cursor(Kind::Poll, AFTER, true);
    rig.start();
    page(&mut rig, 0, 100, None);
    rig.pass(Duration::ZERO);
    nothing(&mut rig);
    asks(&mut rig);
    for number in 1..6 {
        rig.pass(Duration::from_secs(2));
        assert_eq!(asks(&mut rig), 1);
        page(&mut rig, number, 1, None);
        rig.pass(Duration::ZERO);
        assert_eq!(asks(&mut rig), 1, "at once");
        nothing(&mut rig);
        assert_eq!(rig.phase(), Phase::Live);
    }
    next(&mut rig);
    let until = rig.now.plus(Duration::from_secs(3));
    let mut count = 0;
    while rig.now < until {
        page(&mut rig, 100 + count, 1, None);
        while asks(&mut rig) == 0 {
            rig.pass(Duration::from_millis(10));
        }
        count += 1;
    }
    assert!((25..=35).contains(&count), "{count}");
    let head = Head { retry_after: Some(Duration::from_secs(3)), ..Head::default() };
    rig.answers(head, r#"{"items":[{"n":1}],"next":"z"}"#);
    rig.pass(Duration::from_millis(2900));
    assert_eq!(asks(&mut rig), 0);
    rig.pass(Duration::from_millis(200));
    assert_eq!(asks(&mut rig), 1);
}
