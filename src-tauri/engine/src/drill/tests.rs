//! The course of a lamp test in virtual time, before pages that are honest and pages that aren't.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;
use url::Url;
use watchfloor_board::{
    Board,
    config::spec::BoardFile,
    frame::{Frame, GlassSeen, SourceSeen, WidgetSeen},
    freshness::Freshness,
};
use watchfloor_feed::{Kind, SourceConfig};
use watchfloor_model::{
    Continuity, Delivery, Event, Mono, Phase, Position, SourceClock, SourceStatus, Timestamp, Transport,
};

use super::{
    course::{Course, is_drill_revision},
    report::{StepReport, Verdict},
    step::Step,
    twin::Copied,
};

const TICK: Duration = Duration::from_millis(20);
const BEGAN: Mono = Mono::from_millis(50_000_000);
const FILE: &str = r#"
[board]
title = "Orders"
stale-after = "5s"
[[source]]
id = "shop"
kind = "hub"
url = "http://shop.example"
channels = ["orders"]
QUIET
[[source]]
id = "vans"
kind = "hub"
url = "http://vans.example"
channels = ["places"]
[[widget]]
id = "count"
kind = "counter"
source = "shop"
[[widget]]
id = "last"
kind = "gauge"
source = "shop"
value = "n"
[[widget]]
id = "recent"
kind = "log"
source = "shop"
text = "{n}"
stale-after = "8s"
[[widget]]
id = "van-news"
kind = "counter"
source = "vans"
"#;

fn file(quiet: bool) -> BoardFile {
    let text = FILE.replace("QUIET", if quiet { "quiet = \"45s\"" } else { "" });
    watchfloor_board::config::parse(&text, "orders.toml").unwrap()
}

fn wall(now: Mono) -> Timestamp {
    Timestamp::from_millis(1_764_000_000_000).plus(now.since(BEGAN))
}

fn status(channel: &str, phase: Phase, transport: Transport) -> SourceStatus {
    SourceStatus {
        phase,
        transport: Some(transport),
        continuity: Continuity::Proven,
        link_proof: Some(BEGAN),
        publisher_proof: Some(BEGAN),
        clock: Some(SourceClock { at: wall(BEGAN), read: BEGAN, speed: 1.0, label: None }),
        positions: BTreeMap::from([(Arc::from(channel), Position::new("k3", 7))]),
        ..SourceStatus::default()
    }
}

/// A wall with two sources; the second one is in `vans`.
fn copied(quiet: bool, vans: Phase, transport: Transport) -> Copied {
    let file = file(quiet);
    let mut board = Board::new(file.clone(), BEGAN);
    let statuses =
        [("shop", status("orders", Phase::Live, transport)), ("vans", status("places", vans, Transport::WebSocket))];
    for (id, status) in &statuses {
        board.handle_status(id, status.clone(), BEGAN);
    }
    for (source, channel) in [("shop", "orders"), ("vans", "places")] {
        let event = |offset: u64| Event {
            channel: channel.into(),
            name: "e".into(),
            id: None,
            position: Some(Position::new("k3", offset)),
            time: wall(BEGAN),
            received: BEGAN,
            data: json!({"n": offset}).into(),
        };
        board.handle_delivery(source, &Delivery::Events((1..=7).map(event).collect()), BEGAN);
    }
    let config = |id: &str, channel: &str| SourceConfig {
        ladder: Transport::LADDER.to_vec(),
        reconcile: Some(Duration::from_secs(60)),
        quiet: file.source(id).and_then(|spec| spec.quiet),
        asks_token: true,
        ..SourceConfig::plain(
            id,
            Kind::Hub,
            Url::parse(&format!("http://{id}.example")).unwrap(),
            vec![channel.into()],
            Duration::from_secs(5),
        )
    };
    let [(_, shop), (_, van)] = statuses;
    let sources = vec![(config("shop", "orders"), shop), (config("vans", "places"), van)];
    Copied { file, page: 0, checkpoint: board.checkpoint(BEGAN, wall(BEGAN)), outages: Vec::new(), sources }
}

/// Makes another page of an honest one: in which step, and what it says.
type Lie = fn(u32, &mut GlassSeen);

/// A page that paints what it gets, and says so after a while; `lie` makes another page of it.
struct Page {
    held: Option<Frame>,
    heard: Mono,
    paint: Duration,
    /// Until when it stands still, and in which step it has.
    stands: (Mono, u32),
    silent: bool,
    lie: Lie,
}

impl Page {
    fn new(lie: Lie) -> Self {
        Self { held: None, heard: BEGAN, paint: Duration::from_millis(30), stands: (Mono::ZERO, 0), silent: false, lie }
    }

    fn seen(&self, now: Mono) -> Option<GlassSeen> {
        let frame = self.held.as_ref()?;
        let widgets = frame.widgets.iter().map(|patch| {
            let quality = &patch.quality;
            let aged = now.since(self.heard) > Duration::from_millis(quality.live_for_ms);
            let shown = match quality.freshness {
                Freshness::Refused | Freshness::Unknown => quality.freshness,
                Freshness::Live | Freshness::Polling if aged => Freshness::Stale,
                _ if self.silent => Freshness::Stale,
                other => other,
            };
            WidgetSeen {
                id: patch.id.clone(),
                freshness: shown,
                mark: true,
                word: shown.word().to_uppercase().replace('-', " "),
                hatch: matches!(shown, Freshness::Stale | Freshness::Down),
                edge: !shown.is_current(),
                value: !matches!(shown, Freshness::Refused | Freshness::Unknown),
                lacks: quality.incomplete_until_ms.is_some(),
            }
        });
        let step = frame.drill.as_ref()?.step;
        let mut seen = GlassSeen {
            step,
            version: frame.version,
            band: true,
            silent: self.silent,
            widgets: widgets.collect(),
            sources: frame
                .sources
                .iter()
                .map(|own| SourceSeen { id: own.id.clone(), words: own.words.clone() })
                .collect(),
        };
        (self.lie)(step, &mut seen);
        Some(seen)
    }
}

/// Runs to the end; answers the reports and how long it took.
fn run(mut course: Course, page: Option<&mut Page>) -> (Vec<StepReport>, Duration, Course) {
    let mut now = BEGAN;
    let mut page = page;
    let mut strip = false;
    while !course.is_over() {
        now = now.plus(TICK);
        assert!(now.since(BEGAN) < Duration::from_secs(300), "it does not end");
        course.handle_time(now, wall(now));
        let Some(page) = page.as_deref_mut().filter(|_| !course.is_over()) else { continue };
        let (until, stood) = page.stands;
        let stands = now < until;
        let silent_for = now.since(page.heard);
        strip = stands && silent_for >= Duration::from_millis(2100);
        course.handle_strip(strip, now);
        if stands {
            continue;
        }
        let (after, revision) = page.held.as_ref().map_or((0, 0), |frame| (frame.version, frame.revision));
        let due = course.is_behind(after, revision) || silent_for >= Duration::from_secs(1);
        if due && !course.holds_back() {
            let newer = course.frame(after, revision, now, wall(now));
            assert!(is_drill_revision(newer.revision));
            let drill = newer.drill.clone().expect("of a lamp test");
            let held = page.held.take().filter(|_| !newer.is_whole());
            page.held = Some(held.map_or(newer.clone(), |held| held.merge(newer).expect("a change to what is held")));
            (page.heard, page.silent) = (now, false);
            if drill.stall_ms > 0 && stood != drill.step {
                page.stands = (now.plus(Duration::from_millis(drill.stall_ms.into())), drill.step);
            }
        }
        page.silent |= silent_for >= Duration::from_millis(2000);
        if let Some(seen) = page.seen(now).filter(|_| now.since(page.heard) >= page.paint) {
            course.handle_seen(&seen, now, wall(now));
        }
    }
    let _ = strip;
    (course.progress().steps, now.since(BEGAN), course)
}

fn course(of: Copied, glass: (bool, bool)) -> Course {
    Course::new(of, glass, 7, BEGAN, wall(BEGAN)).expect("something to test")
}

fn verdicts(reports: &[StepReport]) -> Vec<(&'static str, Verdict)> {
    reports.iter().map(|report| (report.name, report.verdict)).collect()
}

/// H1: before an honest page every step is seen within its limit, by each way to travel, and about as soon as was said.
#[test]
fn an_honest_page_passes_every_step() {
    for transport in Transport::LADDER {
        let course = course(copied(true, Phase::Live, transport), (true, true));
        let plan = course.plan();
        assert_eq!((plan.widgets, plan.left_out.len()), (4, 0));
        let (reports, took, course) = run(course, Some(&mut Page::new(|_, _| {})));
        for report in &reports {
            assert_eq!(report.verdict, Verdict::Passed, "{transport:?}: {report:#?}");
            assert!(report.shown_ms.is_some_and(|shown| shown <= report.limit_ms), "{report:#?}");
        }
        assert_eq!(reports.len(), Step::ALL.len());
        let outcome = course.progress().outcome.expect("the end");
        assert_eq!((outcome.passed, outcome.failed, outcome.untested), (8, 0, 0));
        assert!(outcome.is_good());
        let expected = Duration::from_secs(plan.expected_s);
        assert!(took <= expected.mul_f64(1.3) && took >= expected / 3, "{took:?} of {expected:?}");
        let by = |name: &str| reports.iter().find(|report| report.name == name).and_then(|report| report.shown_ms);
        // The widget that may be 8 s old has no longer than the link, which has the strictest limit.
        assert!(by("half-open").is_some_and(|shown| (4000..=6000).contains(&shown)), "{:?}", by("half-open"));
        assert!(by("stale").is_some_and(|shown| (2900..=4000).contains(&shown)), "{:?}", by("stale"));
    }
}

/// Whatever a source speaks, with places or without: what is tested is the feed, the board and the page.
#[test]
fn a_source_of_any_kind_is_tested() {
    for (kind, url, transport) in [
        (Kind::Sse, "https://shop.example/events?x=1", Transport::Sse),
        (Kind::WebSocket, "wss://shop.example/socket", Transport::WebSocket),
        (Kind::Mqtt, "mqtts://shop.example:8883", Transport::Tcp),
        (Kind::Redis, "redis://shop.example:6379", Transport::Tcp),
        (Kind::Poll, "http://shop.example/state.json", Transport::Poll),
        (Kind::LongPoll, "http://shop.example/next", Transport::LongPoll),
        (Kind::Pusher, "wss://shop.example", Transport::WebSocket),
    ] {
        let mut copied = copied(true, Phase::Live, transport);
        for (config, status) in &mut copied.sources {
            (config.kind, config.url, config.ladder) = (kind, Url::parse(url).unwrap(), vec![transport]);
            (config.reorder, config.promises.replays) = (Duration::from_secs(1), true);
            status.positions.clear();
        }
        let (reports, ..) = run(course(copied, (true, true)), Some(&mut Page::new(|_, _| {})));
        for report in &reports {
            assert_eq!(report.verdict, Verdict::Passed, "{kind:?}: {report:#?}");
        }
        assert_eq!(reports.len(), Step::ALL.len());
    }
}

/// A page that doesn't show what it was told fails the step, and the widget is named with what is missing.
#[test]
fn a_page_that_is_not_honest_fails() {
    let cases: [(Lie, &str, &str); 5] = [
        (
            |step, seen| {
                if step == 2 {
                    seen.widgets[0].hatch = false;
                }
            },
            "cut",
            "the hatch",
        ),
        (
            |step, seen| {
                if step == 2 {
                    seen.sources.clear();
                }
            },
            "cut",
            "does not say why",
        ),
        (
            |_, seen| {
                if !seen.widgets[1].freshness.is_current() {
                    seen.widgets[1].word.clear();
                }
            },
            "half-open",
            "the word",
        ),
        (
            |step, seen| {
                if step == 5 {
                    seen.widgets[2].value = true;
                }
            },
            "refusal",
            "its value can be seen",
        ),
        (
            |step, seen| {
                if step == 4 {
                    seen.widgets[0].lacks = false;
                }
            },
            "gap",
            "≥ or since when",
        ),
    ];
    for (lie, name, part) in cases {
        let course = course(copied(true, Phase::Live, Transport::WebSocket), (true, true));
        let (reports, _, course) = run(course, Some(&mut Page::new(lie)));
        let report = reports.iter().find(|report| report.name == name).expect("the step");
        assert_eq!(report.verdict, Verdict::Failed, "{name}: {report:#?}");
        assert_eq!(report.shown_ms, None);
        assert!(report.missed.iter().any(|missed| missed.what.contains(part)), "{part}: {report:#?}");
        let outcome = course.progress().outcome.expect("the end");
        assert!(outcome.failed > 0 && !outcome.is_good());
    }
}

/// A page that stands still without being told to, one that shows live what was live, and one that hides the band fail.
#[test]
fn a_page_that_goes_on_as_if_nothing_was_fails() {
    let lie = |_: u32, seen: &mut GlassSeen| {
        for widget in &mut seen.widgets {
            (widget.freshness, widget.mark, widget.value) = (Freshness::Live, true, true);
        }
    };
    let full = course(copied(true, Phase::Live, Transport::WebSocket), (true, true));
    let (reports, ..) = run(full, Some(&mut Page::new(lie)));
    let failed: Vec<_> = verdicts(&reports).into_iter().filter(|(_, verdict)| *verdict == Verdict::Failed).collect();
    let names: Vec<_> = failed.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["cut", "half-open", "refusal", "stale", "no answer"]);
    let hidden = course(copied(true, Phase::Live, Transport::WebSocket), (true, true));
    let (reports, ..) = run(hidden, Some(&mut Page::new(|_, seen| seen.band = false)));
    assert!(reports.iter().all(|report| report.verdict == Verdict::Failed), "{:?}", verdicts(&reports));
    let mute = course(copied(true, Phase::Live, Transport::WebSocket), (true, true));
    let mut page = Page::new(|_, _| {});
    page.paint = Duration::from_secs(1000);
    let (reports, ..) = run(mute, Some(&mut page));
    assert!(reports.iter().all(|report| report.verdict == Verdict::Failed), "{:?}", verdicts(&reports));
    assert!(reports[0].missed[0].what.contains("it said nothing"), "{:?}", reports[0]);
}

/// Without a glass only what would be told is tested, and that is said; what isn't promised isn't counted.
#[test]
fn what_is_not_there_is_not_tested() {
    let blind = course(copied(false, Phase::Live, Transport::WebSocket), (false, false));
    let (reports, _, course) = run(blind, None);
    let untested: Vec<_> = reports.iter().filter(|report| report.verdict == Verdict::Untested).collect();
    let names: Vec<_> = untested.iter().map(|report| report.name).collect();
    assert_eq!(names, ["stale", "no answer", "page stalls"]);
    assert!(untested[0].note.as_ref().is_some_and(|note| note.contains("quiet")));
    let outcome = course.progress().outcome.expect("the end");
    assert_eq!((outcome.passed, outcome.failed, outcome.untested), (5, 0, 3), "{reports:#?}");
}

/// What isn't live at the start is shown as it was, and nothing is concluded from it. A wall without anything live has no test.
#[test]
fn what_is_not_live_is_left_out() {
    let partly = course(copied(true, Phase::Waiting, Transport::WebSocket), (true, true));
    assert_eq!(partly.plan().left_out, ["van-news"]);
    let lie = |step: u32, seen: &mut GlassSeen| {
        assert!(step > 8 || seen.widgets[3].freshness != Freshness::Live, "down, and drawn as live");
    };
    let (reports, ..) = run(partly, Some(&mut Page::new(lie)));
    assert!(reports.iter().all(|report| report.verdict == Verdict::Passed), "{:?}", verdicts(&reports));
    let mut none = copied(true, Phase::Waiting, Transport::WebSocket);
    none.sources[0].1.phase = Phase::Waiting;
    let refused = Course::new(none, (true, true), 7, BEGAN, wall(BEGAN)).err();
    assert!(refused.is_some_and(|why| why.contains("no source is live")));
}

/// It can be ended at any instant, and says so.
#[test]
fn it_ends_at_once() {
    let mut course = course(copied(true, Phase::Live, Transport::WebSocket), (true, true));
    course.end("a key was pressed");
    let outcome = course.progress().outcome.expect("the end");
    assert!(!outcome.is_good() && outcome.ended.as_deref() == Some("a key was pressed"));
}
