//! The demo from outside: what a wall meets behind its address. Real hub, real sockets.

use std::{collections::BTreeMap, time::Duration};

use jiff::civil::date;
use serde_json::Value;
use watchfloor_board::config;
use watchfloor_demo::{
    Demo, DemoError, DemoOptions, Fault, Story, StoryName,
    dataset::{self, Dataset},
    story::ReplayEvent,
    timeline::{CHANNELS, Timeline},
};
use watchfloor_model::Timestamp;

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A reader of everything that the hub has, as a wall on long poll would be.
struct Reader {
    http: reqwest::Client,
    url: String,
    cursor: String,
    /// Ids by channel, in order.
    ids: BTreeMap<String, Vec<String>>,
    clock: Value,
}

impl Reader {
    /// Reads from the very beginning of the hub's present history.
    async fn new(demo: &Demo) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let epoch = epoch(&http, &demo.url()).await?;
        let places: Vec<_> = CHANNELS.iter().map(|channel| format!("{channel}~{epoch}:0")).collect();
        Ok(Self { http, url: demo.url(), cursor: places.join("|"), ids: BTreeMap::new(), clock: Value::Null })
    }

    /// Polls until `enough`; an end of the connection is just another reason to ask again.
    async fn read_until(&mut self, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            if self.poll().await.is_err() {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn poll(&mut self) -> Result<(), reqwest::Error> {
        let query = [("cursor", self.cursor.as_str()), ("wait_ms", "200")];
        let url = reqwest::Url::parse_with_params(&format!("{}/v1/poll", self.url), query).expect("a sound URL");
        let answer: Value = self.http.get(url).send().await?.error_for_status()?.json().await?;
        self.cursor = answer["cursor"].as_str().expect("a cursor").to_owned();
        for message in answer["messages"].as_array().expect("messages") {
            assert_ne!(message["type"], "lost", "the history holds everything");
            if message["type"] == "event" {
                let [channel, id] = ["channel", "id"].map(|field| message[field].as_str().expect(field).to_owned());
                self.ids.entry(channel).or_default().push(id);
            }
        }
        let query = [("channels", "flights")];
        let url = reqwest::Url::parse_with_params(&format!("{}/v1/snapshot", self.url), query).expect("a sound URL");
        let snapshot: Value = self.http.get(url).send().await?.error_for_status()?.json().await?;
        self.clock = snapshot["clock"].clone();
        Ok(())
    }

    fn stands_at(&self, at: Timestamp) -> bool {
        self.clock["now"] == at.as_millis() && self.clock["speed"] == 0
    }

    fn count(&self) -> usize {
        self.ids.values().map(Vec::len).sum()
    }
}

async fn epoch(http: &reqwest::Client, url: &str) -> Result<String, reqwest::Error> {
    let health: Value = http.get(format!("{url}/v1/health")).send().await?.error_for_status()?.json().await?;
    Ok(health["epoch"].as_str().expect("an epoch").to_owned())
}

fn ids(events: &[ReplayEvent]) -> BTreeMap<String, Vec<String>> {
    let mut ids = BTreeMap::<_, Vec<_>>::new();
    for event in events {
        ids.entry(event.channel.to_owned()).or_default().push(event.id.clone());
    }
    ids
}

fn timeline() -> Timeline {
    Timeline::new(&Dataset::load().expect("the files are part of the program")).expect("the days exist")
}

fn new_york(day: i8, hour: i8, minute: i8) -> Timestamp {
    dataset::from_new_york(date(2013, 2, day).at(hour, minute, 0, 0)).expect("a time of the data")
}

async fn start(options: DemoOptions) -> Result<Demo, DemoError> {
    let story = options.story;
    let board = config::parse_beside(story.board(), story.board_name(), &|file| story.beside(file))
        .unwrap_or_else(|errors| unreachable!("{errors}"));
    let demo = Demo::start(options, &board).await?;
    demo.ready().await?;
    Ok(demo)
}

fn paused() -> DemoOptions {
    DemoOptions { paused: true, speed: 3600.0, ..DemoOptions::default() }
}

/// H3, from the publisher's side: the morning at once, then every event once, in order, and the clock exactly where the
/// replay was asked to pause.
#[tokio::test]
async fn publishes_everything_up_to_the_pause() -> Outcome {
    let (timeline, from) = (timeline(), new_york(8, 10, 0));
    let demo = start(paused()).await?;
    let mut reader = Reader::new(&demo).await?;
    let mut expected = timeline.state_at(from);
    tokio::time::timeout(PATIENCE, reader.read_until(|reader| reader.count() >= expected.len())).await?;
    assert!(reader.ids == ids(&expected));
    assert_eq!(reader.clock["label"], "Replay of 8 February 2013");
    assert!(reader.stands_at(from), "{}", reader.clock);

    for minute in [7, 30] {
        let pause = new_york(8, 10, minute);
        expected.extend(timeline.between(expected.last().map_or(from, |event| event.time), pause));
        demo.pause_at(pause.as_millis());
        let done = |reader: &Reader| reader.stands_at(pause) && reader.count() >= expected.len();
        tokio::time::timeout(PATIENCE, reader.read_until(done)).await?;
        assert!(reader.ids == ids(&expected), "up to 10:{minute:02}");
        let status = demo.status();
        assert_eq!((status.replay_ms, status.paused, status.lap), (pause.as_millis(), true, 1));
    }
    demo.stop().await;
    Ok(())
}

/// A hub that is restarted in the middle misses nothing and gets nothing twice.
#[tokio::test]
async fn a_restarted_hub_has_everything_once() -> Outcome {
    let (timeline, from, pause) = (timeline(), new_york(8, 10, 0), new_york(8, 13, 0));
    let demo = start(paused()).await?;
    let mut reader = Reader::new(&demo).await?;
    demo.pause_at(pause.as_millis());
    demo.set_fault(Fault::Restart, true);
    let mut expected = timeline.state_at(from);
    expected.extend(timeline.between(from, pause));
    let done = |reader: &Reader| reader.stands_at(pause) && reader.count() >= expected.len();
    tokio::time::timeout(PATIENCE, reader.read_until(done)).await?;
    assert!(reader.ids == ids(&expected));
    assert!(demo.faults().iter().all(|(_, on)| !on), "a restart mends itself");
    demo.stop().await;
    Ok(())
}

/// The end of the data is a new epoch that begins like the first.
#[tokio::test]
async fn begins_again_as_a_new_epoch() -> Outcome {
    let timeline = timeline();
    let from = date(2013, 2, 10).at(23, 50, 0, 0);
    let demo = start(DemoOptions { from, speed: 600.0, ..DemoOptions::default() }).await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let first = epoch(&http, &demo.url()).await?;
    let next = async {
        loop {
            match epoch(&http, &demo.url()).await {
                Ok(epoch) if epoch != first => return,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await?;
    demo.set_paused(true);
    assert_eq!(demo.status().lap, 2);
    let mut reader = Reader::new(&demo).await?;
    let history = timeline.state_at(new_york(10, 23, 50));
    tokio::time::timeout(PATIENCE, reader.read_until(|reader| reader.count() >= history.len())).await?;
    for (channel, expected) in ids(&history) {
        assert!(reader.ids[&channel].starts_with(&expected), "{channel}");
    }
    demo.stop().await;
    Ok(())
}

/// Losing its history gives a hub a new epoch, at once, and pulls no switch that would stay.
#[tokio::test]
async fn loses_its_history() -> Outcome {
    let demo = start(paused()).await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let first = epoch(&http, &demo.url()).await?;
    let mut mends = demo.mends();
    demo.set_fault(Fault::LoseHistory, true);
    tokio::time::timeout(PATIENCE, mends.next()).await?.ok_or("walls aren't told that it is over")?;
    let mut after = epoch(&http, &demo.url()).await;
    while after.is_err() {
        after = epoch(&http, &demo.url()).await;
    }
    assert_ne!(after?, first);
    assert!(demo.faults().iter().all(|(_, on)| !on));
    demo.set_fault(Fault::Freeze, true);
    let pulled: Vec<_> = demo.faults().into_iter().filter(|(_, on)| *on).map(|(fault, _)| fault.word()).collect();
    assert_eq!(pulled, ["freeze"]);
    demo.stop().await;
    Ok(())
}

/// Even while nothing happens the publisher proves that it lives.
#[tokio::test]
async fn lives_while_paused() -> Outcome {
    let demo = start(paused()).await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut last = u64::MAX;
    // Idle time falls back to zero only when the publisher is heard again.
    let heard_again = async {
        let mut falls = 0;
        while falls < 2 {
            let url = format!("{}/v1/sse?cursor=weather~", demo.url());
            let mut body = http.get(url).send().await?;
            let mut text = String::new();
            while !text.contains("\"idle_ms\":") {
                let Some(chunk) = body.chunk().await? else { break };
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
            let idle = text.split("\"idle_ms\":").nth(1).unwrap_or_default();
            let idle: u64 =
                idle.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().unwrap_or(last);
            falls += u64::from(idle < last && last != u64::MAX);
            last = idle;
        }
        Ok::<_, reqwest::Error>(())
    };
    tokio::time::timeout(PATIENCE, heard_again).await??;
    demo.stop().await;
    Ok(())
}

#[tokio::test]
async fn refuses_what_it_cannot_do() {
    for (options, part) in [
        (
            DemoOptions { from: date(2013, 2, 6).at(23, 59, 0, 0), ..DemoOptions::default() },
            "can't begin at 2013-02-06T23:59:00",
        ),
        (DemoOptions { from: date(2013, 2, 11).at(0, 0, 0, 0), ..DemoOptions::default() }, "can't begin at"),
        (
            DemoOptions { story: StoryName::Orders, ..DemoOptions::default() },
            "expected a local time from 2026-03-10T00:00 to 2026-03-10T23:59",
        ),
        (DemoOptions { speed: 0.0, ..DemoOptions::default() }, "0 is not a speed"),
        (DemoOptions { speed: f64::NAN, ..DemoOptions::default() }, "NaN is not a speed"),
    ] {
        let error = start(options).await.map(|_| ()).expect_err(part);
        assert!(error.is_input() && error.to_string().contains(part), "{error}");
    }
}

/// The line is whole again when no fault is left, and not before; a fault that is pulled next is waited for.
#[tokio::test]
async fn mends_are_told_when_the_line_is_whole() -> Outcome {
    const SOON: Duration = Duration::from_millis(200);
    let demo = start(paused()).await?;
    let mut mends = demo.mends();
    assert!(tokio::time::timeout(SOON, mends.next()).await.is_err(), "nothing was broken");
    for fault in [Fault::Cut, Fault::Freeze] {
        demo.set_fault(fault, true);
    }
    demo.set_fault(Fault::Cut, false);
    assert!(tokio::time::timeout(SOON, mends.next()).await.is_err(), "it is still frozen");
    demo.set_fault(Fault::Freeze, false);
    demo.set_fault(Fault::Restart, true);
    assert_eq!(tokio::time::timeout(PATIENCE, mends.next()).await?, Some(()), "a restart mends itself");
    demo.stop().await;
    assert_eq!(tokio::time::timeout(PATIENCE, mends.next()).await?, None, "the demo has ended");
    Ok(())
}
