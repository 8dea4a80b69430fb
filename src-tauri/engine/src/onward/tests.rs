//! Alarms handed on to a real server that fails in many ways, by a wall that is killed in between: at least once, in order, none lost.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use axum::{
    Router,
    extract::State as Shared,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::IntoResponse,
    routing::post,
};
use proptest::prelude::*;
use serde_json::Value;
use watchfloor_board::alarm::{
    Act, AlarmKey, Alarms, By, Instant as At, Priority, Terms,
    delay::Turn,
    machine::{Evidence, Manner},
};
use watchfloor_model::{Mono, Timestamp};

use super::*;
use crate::journal::{
    Bounds, Journal,
    alarms::{Batch, alarm_lane},
    table::alarm::{Entry, Ready},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Taken,
    /// It takes it and says nothing in time.
    TakenAndSilent,
    Status(u16),
    /// It sends elsewhere.
    Moved(u16, String),
}

/// The server's book.
#[derive(Default)]
struct Book {
    /// How the next messages are answered; the rest is taken.
    answers: VecDeque<Answer>,
    /// What was taken, a message each.
    taken: Vec<Value>,
    authorizations: Vec<Option<String>>,
}

type Shelf = Arc<Mutex<Book>>;

async fn answer(Shared(book): Shared<Shelf>, headers: HeaderMap, body: String) -> axum::response::Response {
    let answer = {
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = book.answers.pop_front().unwrap_or(Answer::Taken);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        book.authorizations.push(headers.get("authorization").map(text));
        if matches!(answer, Answer::Taken | Answer::TakenAndSilent) {
            book.taken.push(serde_json::from_str(&body).unwrap());
        }
        answer
    };
    match answer {
        Answer::Taken => StatusCode::OK.into_response(),
        Answer::TakenAndSilent => {
            sleep(PATIENCE).await;
            StatusCode::OK.into_response()
        }
        Answer::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("location", "/elsewhere"), ("retry-after", "0")]).into_response()
        }
        Answer::Moved(status, there) => {
            (StatusCode::from_u16(status).unwrap(), [("location", there), ("retry-after", "0".to_owned())])
                .into_response()
        }
    }
}

async fn serve() -> (Url, Shelf) {
    let book = Shelf::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/hook?key=s3cret", listener.local_addr().unwrap())).unwrap();
    let elsewhere = post(|| async { StatusCode::OK }).get(|| async { StatusCode::OK });
    let router =
        Router::new().route("/hook", post(answer)).route("/elsewhere", elsewhere).with_state(Arc::clone(&book));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, book)
}

fn settings(url: &Url) -> Settings {
    let millis = Duration::from_millis;
    Settings {
        receiver: "pager".into(),
        url: url.clone(),
        bearer: None,
        tls: TlsSpec::default(),
        proxy: None,
        board: "Ops".into(),
        labels: BTreeMap::from([("site".into(), "north".into())]),
        external_url: "http://wall.example.net/".into(),
        rules: BTreeMap::from([("a".into(), Told { title: "Queue too long".into(), advice: Some("Call Ann".into()) })]),
        is_observed: false,
        pace: Pace { answer: millis(150), retry_min: millis(2), retry_max: millis(20), tell_after: millis(40) },
    }
}

/// A wall: its alarms, its journal, and what hands on.
struct Wall {
    alarms: Alarms,
    journal: Arc<Mutex<Journal>>,
    onward: Onward,
    keeping: tokio::task::JoinHandle<()>,
    control: Receiver<Event>,
    _control: Sender<Event>,
}

impl Wall {
    /// A start. `alarms` go on where they were.
    async fn start(folder: &Path, settings: Settings, alarms: Alarms) -> Self {
        let clock = Clock::start();
        let journal = Journal::open(folder, Bounds::default(), clock.wall()).unwrap().journal;
        let journal = Arc::new(Mutex::new(journal));
        let (lane, mut works) = alarm_lane();
        let (to_control, control) = channel(64);
        let writer = Arc::clone(&journal);
        let keeping = tokio::spawn(async move {
            while let Some(over) = works.recv().await {
                if let AlarmWork::Onward { receiver, number } = over.work {
                    let batch = Batch { onward: &[(receiver, number)], ..Batch::default() };
                    writer.lock().unwrap().put_alarms(&batch, Timestamp::from_millis(0)).unwrap();
                }
            }
        });
        let doors = Doors::new(clock);
        let folder = Some(folder.to_owned());
        let onward = Onward::start(settings, &doors, folder, lane.beside(), to_control.downgrade(), clock).await;
        // The way to the writer has an order: up to where it is at the start is committed before any alarm.
        until("a place", || {
            alarm::onward(journal.lock().unwrap().connection(), &onward.settings.receiver).unwrap().is_some()
        })
        .await;
        Self { alarms, journal, onward, keeping, control, _control: to_control }
    }

    /// What happened is committed, and then told.
    fn record(&mut self) -> Vec<Change> {
        let changes = self.alarms.take_changes();
        let ready: Vec<Ready> =
            changes.iter().map(|change| Ready::of(Entry { change: change.clone(), received: None }).unwrap()).collect();
        let batch = Batch { entries: &ready, ..Batch::default() };
        self.journal.lock().unwrap().put_alarms(&batch, Timestamp::from_millis(0)).unwrap();
        self.onward.handle_recorded(&changes);
        changes
    }

    /// A kill: what hands on is gone where it stood.
    fn kill(self) -> Alarms {
        self.keeping.abort();
        self.alarms
    }
}

fn alarms() -> Alarms {
    let latched = Manner { latches: true, ends_unacknowledged: false };
    let high = Terms { priority: Priority::High, ..Terms::default() };
    let rules = [("a", high), ("b", Terms::default()), ("latched", Terms { manner: latched, ..Terms::default() })];
    Alarms::new(rules.into_iter().map(|(rule, terms)| (rule.into(), terms)).collect())
}

/// Something happens to one of nine alarms; instants are of now, so that nothing is too old.
fn happen(alarms: &mut Alarms, which: u8, what: u8, number: u64) {
    let key = AlarmKey {
        rule: ["a", "b", "latched"][usize::from(which % 3)].into(),
        of: format!("x{}", which / 3 % 3).into(),
    };
    let wall = Clock::start().wall().plus(Duration::from_millis(number));
    let now = At { mono: Mono::from_millis(number), wall };
    let turn = |holds| Turn { holds, at: wall, since: wall };
    match what % 5 {
        0 | 1 => alarms.handle_turn(&key, turn(true), Evidence::Live, || vec![("n".into(), "7".into())], now),
        2 => alarms.handle_turn(&key, turn(false), Evidence::Live, Vec::new, now),
        kind => {
            let occurrence = alarms.standing().get(&key).map_or(0, |own| own.alarm.occurrence);
            let act = if kind == 3 { Act::Acknowledge { occurrence } } else { Act::Reset };
            let _refused = alarms.handle_act(&key, &act, By { name: Some("Ann".into()), station: "wall".into() }, now);
        }
    }
}

/// What the server has taken of each alarm, in its order, without repetitions: change and occurrence.
fn taken(book: &Shelf) -> BTreeMap<String, Vec<(String, String)>> {
    let mut all: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for message in &book.lock().unwrap().taken {
        for alert in message["alerts"].as_array().unwrap() {
            let word = |of: &str, name: &str| alert[of][name].as_str().unwrap_or_default().to_owned();
            let own = all.entry(format!("{}/{}", word("labels", "alertname"), word("labels", "of"))).or_default();
            let told = (word("annotations", "change"), word("annotations", "occurrence"));
            if !own.contains(&told) {
                own.push(told);
            }
        }
    }
    all
}

/// What is to arrive of these changes.
fn expected(changes: &[Change], settings: &Settings) -> BTreeMap<String, Vec<(String, String)>> {
    let mut all: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for change in changes.iter().filter(|change| message::item(change, settings).is_some()) {
        let told = (
            watchfloor_board::alarm::AlarmWhat::of(change.what).word().to_owned(),
            change.now.alarm.occurrence.to_string(),
        );
        all.entry(change.key.to_string()).or_default().push(told);
    }
    all
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let begun = std::time::Instant::now();
            if is_so() {
                break;
            }
            // Who looks holds up what is looked for: it has four times as long without.
            sleep(Duration::from_millis(2) + 4 * begun.elapsed()).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what} did not come"));
}

fn answers() -> impl Strategy<Value = Answer> {
    let status = prop::sample::select(vec![302, 307, 401, 404, 429, 500, 503]);
    prop_oneof![2 => Just(Answer::Taken), 1 => Just(Answer::TakenAndSilent), 4 => status.prop_map(Answer::Status)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// H6: whatever the server does and whenever the wall is killed, each alarm's changes arrive, in order.
    #[test]
    fn in_order_and_none_lost(
        happenings in prop::collection::vec((0..9u8, 0..5u8, prop::bool::weighted(0.08)), 1..80),
        answers in prop::collection::vec(answers(), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let (url, book) = serve().await;
            book.lock().unwrap().answers = answers.into();
            let settings = settings(&url);
            let mut wall = Wall::start(folder.path(), settings.clone(), alarms()).await;
            let mut all = Vec::new();
            for (number, (which, what, is_killed)) in (1..).zip(happenings) {
                happen(&mut wall.alarms, which, what, number);
                all.extend(wall.record());
                if is_killed {
                    let left = wall.kill();
                    wall = Wall::start(folder.path(), settings.clone(), left).await;
                }
            }
            let expected = expected(&all, &settings);
            until("everything", || taken(&book) == expected).await;
        });
    }
}

/// H8: the token is shown to the server and to nobody else, and what is said is what Alertmanager says.
#[tokio::test]
async fn the_message_is_alertmanagers() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (url, book) = serve().await;
    let bearer = Some(SecretSpec::File(token.to_str().unwrap().to_owned()));
    let settings = Settings { bearer, ..settings(&url) };
    let mut wall = Wall::start(folder.path(), settings.clone(), alarms()).await;
    for (number, what) in [(1, 0), (2, 3), (3, 2)] {
        happen(&mut wall.alarms, 0, what, number);
        wall.record();
    }
    until("three messages", || book.lock().unwrap().taken.len() == 3).await;
    let book = book.lock().unwrap();
    assert!(book.authorizations.iter().all(|own| own.as_deref() == Some("Bearer t0ken")), "{:?}", book.authorizations);
    let [raised, known, over] = book.taken.as_slice() else { panic!("three") };
    assert_eq!(
        (&raised["version"], &raised["receiver"], &raised["status"]),
        (&"4".into(), &"pager".into(), &"firing".into())
    );
    assert_eq!(raised["groupKey"], "{}:{alertname=\"a\", board=\"Ops\"}");
    assert_eq!(raised["externalURL"], "http://wall.example.net/");
    let alert = |message: &Value| message["alerts"][0].clone();
    let labels =
        serde_json::json!({ "alertname": "a", "board": "Ops", "of": "x0", "severity": "high", "site": "north" });
    assert_eq!((&alert(raised)["labels"], &raised["commonLabels"]), (&labels, &labels));
    assert_eq!(alert(raised)["annotations"]["summary"], "Queue too long");
    assert_eq!((&alert(raised)["endsAt"], &alert(raised)["generatorURL"]), (&NEVER_ENDS.into(), &"".into()));
    assert_eq!(
        (&alert(known)["status"], &alert(known)["annotations"]["acknowledged_by"]),
        (&"firing".into(), &"Ann".into())
    );
    assert_eq!((&over["status"], &alert(over)["status"]), (&"resolved".into(), &"resolved".into()));
    assert_ne!(alert(over)["endsAt"], NEVER_ENDS);
    assert!([known, over].iter().all(|message| alert(message)["fingerprint"] == alert(raised)["fingerprint"]));
    assert!(!format!("{settings:?}").contains("t0ken"), "a place, not a token");
}

const NEVER_ENDS: &str = "0001-01-01T00:00:00Z";

/// Several walls that show one board call an alarm alike; another occurrence is another one.
#[test]
fn walls_agree_on_fingerprints() {
    let settings = settings(&Url::parse("http://x/").unwrap());
    let of = |mut alarms: Alarms, before: bool| {
        if before {
            happen(&mut alarms, 1, 0, 1);
        }
        let turn = |second: i64| {
            let at = Timestamp::from_millis(1_795_514_400_000 + second * 1000);
            Turn { holds: second != 5, at, since: at }
        };
        let now = At { mono: Mono::from_millis(9), wall: Timestamp::from_millis(1_795_514_999_000) };
        for second in [1, 5, 9] {
            alarms.handle_turn(&AlarmKey::of_rule("a"), turn(second), Evidence::Live, Vec::new, now);
        }
        let items = alarms.take_changes();
        let items = items
            .iter()
            .filter(|change| &*change.key.rule == "a")
            .filter_map(|change| message::item(change, &settings));
        items
            .map(|item| {
                let (text, _) = message::message(&VecDeque::from([item]), &settings).unwrap();
                let value: Value = serde_json::from_str(&text).unwrap();
                value["alerts"][0]["fingerprint"].as_str().unwrap().to_owned()
            })
            .collect::<Vec<_>>()
    };
    let (one, other) = (of(alarms(), false), of(alarms(), true));
    assert_eq!(one, other);
    assert!(one[0] == one[1] && one[0] != one[2], "{one:?}");
}

/// H5: while the server is away nothing grows but the record; when it is back, all arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_room_waits_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let (url, book) = serve().await;
    book.lock().unwrap().answers = std::iter::repeat_n(Answer::Status(503), 30).collect();
    let settings = settings(&url);
    let mut wall = Wall::start(folder.path(), settings.clone(), alarms()).await;
    let mut all = Vec::new();
    for number in 0..3000 {
        happen(&mut wall.alarms, 0, if number % 2 == 0 { 0 } else { 2 }, number);
        all.extend(wall.record());
    }
    assert!(all.len() >= 3000);
    let expected = expected(&all, &settings);
    until("everything", || taken(&book) == expected).await;
    let told = wall.control.recv().await.unwrap();
    let Event::Notice(notice) = told else { panic!("a server that is away is told: {told:?}") };
    assert!(notice.text.contains("pager") && !format!("{notice:?}").contains("s3cret"), "{notice:?}");
    assert!(matches!(wall.control.recv().await, Some(Event::NoticeOver { id: NOTICE })));
}

/// A message that is none to the server keeps nothing else from arriving, and is told.
#[tokio::test]
async fn a_refused_message_is_told_and_left() {
    let folder = tempfile::tempdir().unwrap();
    let (url, book) = serve().await;
    book.lock().unwrap().answers = VecDeque::from([Answer::Status(400)]);
    let mut wall = Wall::start(folder.path(), settings(&url), alarms()).await;
    happen(&mut wall.alarms, 0, 0, 1);
    wall.record();
    let told = tokio::time::timeout(PATIENCE, wall.control.recv()).await.unwrap();
    assert!(matches!(told, Some(Event::Notice(_))), "{told:?}");
    happen(&mut wall.alarms, 1, 0, 2);
    wall.record();
    until("the other one", || taken(&book).contains_key("b/x0")).await;
    assert!(!taken(&book).contains_key("a/x0"));
}

/// H8: where the receiver sends elsewhere nothing goes there, neither what is told nor the token; people hear where it has gone, without its path.
/// H6: it is kept, and tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_elsewhere_is_told_of_and_not_followed() {
    let (other, other_book) = serve().await;
    let origin = other.origin().ascii_serialization();
    let to_other = format!("sent elsewhere (HTTP 307), to {origin}: set the new address");
    let to_path = "sent elsewhere (HTTP 308), to another path there: set the new address".to_owned();
    for (status, there, told_of) in [
        (307, other.to_string(), to_other),
        (308, "/hook?key=other".to_owned(), to_path),
        (303, "http://".to_owned(), "sent elsewhere (HTTP 303), to what is no address".to_owned()),
        (
            307,
            format!("http://ann:pass@{}", &other.as_str()["http://".len()..]),
            format!("sent elsewhere (HTTP 307), to {origin}: set the new address"),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "t0ken").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let (url, book) = serve().await;
        book.lock().unwrap().answers = std::iter::repeat_n(Answer::Moved(status, there), 30).collect();
        let bearer = Some(SecretSpec::File(token.to_str().unwrap().to_owned()));
        let mut wall = Wall::start(folder.path(), Settings { bearer, ..settings(&url) }, alarms()).await;
        happen(&mut wall.alarms, 0, 0, 1);
        wall.record();
        let told = tokio::time::timeout(PATIENCE, wall.control.recv()).await.unwrap();
        let Some(Event::Notice(notice)) = told else { panic!("{told:?}") };
        assert!(notice.detail.contains(&told_of), "{told_of}: {notice:?}");
        assert!(!["s3cret", "t0ken", "key=", "pass"].iter().any(|secret| format!("{notice:?}").contains(secret)));
        until("the message, in the end", || taken(&book).contains_key("a/x0")).await;
        assert_eq!(book.lock().unwrap().taken.len(), 1);
    }
    assert!(other_book.lock().unwrap().authorizations.is_empty(), "nobody asked there");
}

/// A receiver that is new gets what comes, not what was; one that was away for more than a day gets what is no older.
#[tokio::test]
async fn a_day_is_kept_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (url, book) = serve().await;
    let mut before = alarms();
    happen(&mut before, 0, 0, 1);
    let mut wall = Wall::start(folder.path(), settings(&url), before).await;
    {
        let changes = wall.alarms.take_changes();
        let ready = changes.into_iter().map(|change| {
            let decided = change.decided.minus(Duration::from_secs(25 * 3600));
            Ready::of(Entry { change: Change { decided, ..change }, received: None }).unwrap()
        });
        let ready: Vec<Ready> = ready.collect();
        let batch = Batch { entries: &ready, ..Batch::default() };
        wall.journal.lock().unwrap().put_alarms(&batch, Timestamp::from_millis(0)).unwrap();
    }
    let left = wall.kill();
    let mut wall = Wall::start(folder.path(), settings(&url), left).await;
    happen(&mut wall.alarms, 1, 0, 2);
    wall.record();
    until("what is new", || taken(&book).contains_key("b/x0")).await;
    assert!(!taken(&book).contains_key("a/x0"), "it was a day old");
    let other = Settings { receiver: "other".into(), ..settings(&url) };
    book.lock().unwrap().taken.clear();
    let left = wall.kill();
    let mut wall = Wall::start(folder.path(), other, left).await;
    happen(&mut wall.alarms, 2, 0, 3);
    wall.record();
    until("what comes", || taken(&book).contains_key("latched/x0")).await;
    assert_eq!(taken(&book).len(), 1, "nothing of before");
}
