//! Rules: asked when it concerns them and not else, through replays, outages and restarts (H3, H4, H6).

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use watchfloor_model::{Mono, Timestamp};

use super::{Asked, Rule, Watch, WatchCheckpoint};
use crate::alarm::{
    alarms::{Change, Instant, Terms},
    condition::{Condition, Inputs, Names, Term, Why},
    delay::Delays,
    machine::{Base, Evidence, Shown, Sound},
};

const WALL_MS: i64 = 1_800_000_000_000;
/// Inputs of two sources: `a` and `b` of one, `c` and `d` of the other.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn now(seconds: u64) -> Instant {
    let wall = Timestamp::from_millis(WALL_MS).plus(Duration::from_secs(seconds));
    Instant { mono: Mono::from_millis(seconds * 1000), wall }
}

struct Board;

impl Names for Board {
    fn find(&self, parts: &[&str]) -> Result<(usize, u32), (String, String)> {
        let at = NAMES.iter().position(|name| Some(name) == parts.first());
        at.map(|at| (1, u32::try_from(at).unwrap())).ok_or_else(Default::default)
    }
}

/// Values, and which of them are live; how often each was asked for.
#[derive(Default)]
struct Values {
    values: [Option<f64>; 4],
    live: [bool; 4],
    asked: RefCell<BTreeMap<u32, u32>>,
}

/// The same, as of an event or as of now.
struct View<'a>(&'a Values, Asked);

impl Inputs for View<'_> {
    fn input(&self, number: u32) -> Term<'_> {
        *self.0.asked.borrow_mut().entry(number).or_default() += 1;
        let at = number as usize;
        match self.0.values.get(at).copied().flatten() {
            Some(_) if self.1 == Asked::Now && !self.0.live[at] => Term::Unknown(Why::NotOfNow(number)),
            Some(value) => Term::Number(value),
            None => Term::Unknown(Why::NoValue),
        }
    }
}

fn rule(id: &str, when: &str, deadband: f64, on: u64, off: u64) -> Rule {
    let when = Condition::parse(when, &Board).unwrap();
    let names = when.inputs().iter().map(|input| NAMES[*input as usize].to_owned()).collect();
    let delays = Delays { on: Duration::from_secs(on), off: Duration::from_secs(off) };
    Rule { id: id.into(), when, names, deadband, delays, terms: Terms::default(), spans: false }
}

fn rules() -> Vec<Rule> {
    vec![
        rule("high", "a > 10", 2.0, 0, 0),
        rule("long", "a > 10", 0.0, 5, 3),
        rule("either", "a > 10 || c > 10", 0.0, 0, 2),
        rule("both", "b < 5 && c < 5", 1.0, 2, 0),
        rule("other", "d == 3", 0.0, 0, 0),
    ]
}

fn shown(watch: &Watch, id: &str) -> Option<Shown> {
    watch.alarms().standing().iter().find(|(key, _)| *key.rule == *id).map(|(_, own)| own.alarm.shown())
}

#[test]
fn a_rule_is_asked_when_it_is_concerned() {
    let mut watch = Watch::new(rules(), BTreeMap::new());
    let values = Values { values: [Some(1.0); 4], live: [true; 4], ..Values::default() };
    watch.handle_change([3], &View(&values, Asked::Now), Asked::Now, |_| now(1).wall, now(1));
    assert_eq!(watch.evaluated(), 1);
    assert_eq!(*values.asked.borrow(), BTreeMap::from([(3, 1)]));
    // Two inputs of one rule ask it once.
    watch.handle_change([1, 2], &View(&values, Asked::Now), Asked::Now, |_| now(1).wall, now(1));
    assert_eq!(watch.evaluated(), 3);
    // What no rule has is nobody's.
    watch.handle_change([9], &View(&values, Asked::Now), Asked::Now, |_| now(1).wall, now(1));
    assert_eq!(watch.evaluated(), 3);
}

/// H6: what is lost neither raises nor clears, and is told; what is replayed is judged as it would have been.
#[test]
fn through_an_outage() {
    let mut watch = Watch::new(vec![rule("high", "a > 10", 2.0, 0, 0)], BTreeMap::new());
    let mut values = Values { values: [Some(12.0), None, None, None], live: [true; 4], ..Values::default() };
    let ask = |watch: &mut Watch, values: &Values, asked, seconds| {
        watch.handle_change([0], &View(values, asked), asked, |_| now(seconds).wall, now(seconds));
        watch.alarms_mut().take_changes()
    };
    let changes = ask(&mut watch, &values, Asked::Now, 1);
    let [raised] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((raised.sound, raised.now.alarm.evidence), (Sound::Start, Evidence::Live));
    assert_eq!(raised.now.cause, [("a".to_owned(), "12".to_owned())]);
    assert_eq!(watch.unsupervised().count(), 0);

    // Lost.
    values.live = [false; 4];
    let changes = ask(&mut watch, &values, Asked::Now, 10);
    assert_eq!(
        changes.iter().map(|change| (change.sound, change.now.alarm.evidence)).collect::<Vec<_>>(),
        [(Sound::Keep, Evidence::Stale)]
    );
    assert_eq!(
        watch.unsupervised().map(|(rule, since)| (&*rule.id, since)).collect::<Vec<_>>(),
        [("high", Some(now(10).wall))]
    );
    assert_eq!(shown(&watch, "high"), Some(Shown::Base(Base::Unacknowledged)));

    // Replayed: it had gone and come again, within its deadband first.
    for (value, sound) in [(9.0, None), (7.0, Some(Sound::Stop)), (11.0, Some(Sound::Start))] {
        values.values[0] = Some(value);
        let sounds: Vec<Sound> = ask(&mut watch, &values, Asked::Then, 20).iter().map(|change| change.sound).collect();
        assert_eq!(sounds, sound.into_iter().collect::<Vec<_>>(), "{value}");
    }
    // Live again: nothing else to say.
    values.live = [true; 4];
    let changes = ask(&mut watch, &values, Asked::Now, 30);
    assert!(changes.iter().all(|change| change.sound == Sound::Keep), "{changes:?}");
    assert_eq!(watch.unsupervised().count(), 0);
}

/// What isn't known of one side doesn't matter where the other decides.
#[test]
fn half_of_what_it_is_judged_by() {
    let mut watch = Watch::new(vec![rule("either", "a > 10 || c > 10", 0.0, 0, 0)], BTreeMap::new());
    let values =
        Values { values: [Some(1.0), None, Some(11.0), None], live: [false, false, true, true], ..Values::default() };
    watch.handle_change([0], &View(&values, Asked::Now), Asked::Now, |_| now(1).wall, now(1));
    assert_eq!(shown(&watch, "either"), Some(Shown::Base(Base::Unacknowledged)));
    assert_eq!(watch.unsupervised().count(), 0);
}

/// A rule that says the same goes on where it stands, in another file as well; another condition begins anew.
#[test]
fn another_file() {
    let mut watch = Watch::new(vec![rule("long", "a > 10", 0.0, 5, 0)], BTreeMap::new());
    let values = Values { values: [Some(12.0); 4], live: [true; 4], ..Values::default() };
    watch.handle_change([0], &View(&values, Asked::Now), Asked::Now, |_| now(0).wall, now(0));
    assert_eq!(watch.due(|_| true), Some(now(5).wall));
    watch.reload(
        vec![rule("long", "a > 10", 0.0, 5, 0), rule("new", "b > 1", 0.0, 0, 0)],
        Vec::new(),
        BTreeMap::new(),
        now(3),
    );
    assert_eq!(watch.due(|_| true), Some(now(5).wall));
    watch.handle_source_time(|_| false, &View(&values, Asked::Now), now(9).wall, now(9));
    assert_eq!(shown(&watch, "long"), None);
    watch.handle_source_time(|_| true, &View(&values, Asked::Now), now(9).wall, now(9));
    assert_eq!(shown(&watch, "long"), Some(Shown::Base(Base::Unacknowledged)));
    watch.reload(vec![rule("long", "a > 11", 0.0, 5, 0)], Vec::new(), BTreeMap::new(), now(10));
    assert_eq!(watch.due(|_| true), None);
}

#[derive(Clone, Debug)]
enum Happens {
    Value(usize, f64, u64),
    Live(usize, bool),
    Time(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let value = prop::sample::select(vec![0.0, 3.0, 4.0, 5.5, 9.0, 11.0, 12.5]);
    prop_oneof![
        6 => (0..4usize, value, 0..4u64).prop_map(|(input, value, later)| Happens::Value(input, value, later)),
        2 => (0..2usize, any::<bool>()).prop_map(|(source, is_live)| Happens::Live(source, is_live)),
        2 => (0..8u64).prop_map(Happens::Time),
    ]
}

/// Lets something happen to the values and tells it; `all` tells all inputs whenever one has changed.
fn happen(watch: &mut Watch, values: &mut Values, what: &Happens, seconds: u64, all: bool) -> u64 {
    let tell = |watch: &mut Watch, values: &Values, changed: Vec<u32>, seconds: u64| {
        let changed = if all { (0..4).collect() } else { changed };
        // What isn't live is folded all the same, and judged as of then.
        let asked = |input: &u32| if values.live[*input as usize] { Asked::Now } else { Asked::Then };
        let asked = changed.first().map_or(Asked::Now, asked);
        let asked = if all { Asked::Then } else { asked };
        watch.handle_change(changed, &View(values, asked), asked, |_| now(seconds).wall, now(seconds));
    };
    let pass = |watch: &mut Watch, values: &Values, seconds: u64| {
        watch.handle_source_time(|_| true, &View(values, Asked::Then), now(seconds).wall, now(seconds));
    };
    match what {
        Happens::Value(input, value, later) => {
            pass(watch, values, seconds + later);
            values.values[*input] = Some(*value);
            tell(watch, values, vec![u32::try_from(*input).unwrap()], seconds + later);
            seconds + later
        }
        Happens::Live(source, is_live) => {
            values.live[2 * source] = *is_live;
            values.live[2 * source + 1] = *is_live;
            seconds
        }
        Happens::Time(later) => {
            pass(watch, values, seconds + later);
            seconds + later
        }
    }
}

/// Alarm, occurrence, and how often it called again.
type Announced = Vec<(String, u64, u32)>;
/// Alarm, state, occurrence.
type Stands = Vec<(String, Base, u64)>;

/// What was announced, and what stands, whatever is known of it now.
fn told(watch: &Watch, changes: &[Change]) -> (Announced, Stands) {
    let announced = changes.iter().filter(|change| change.sound == Sound::Start);
    let announced =
        announced.map(|change| (change.key.to_string(), change.now.alarm.occurrence, change.now.alarm.realarms));
    let standing = watch.alarms().standing().iter();
    let standing = standing.map(|(key, own)| (key.to_string(), own.alarm.base, own.alarm.occurrence));
    (announced.collect(), standing.collect())
}

proptest! {
    /// To ask only whom it concerns comes to the same as to ask all.
    #[test]
    fn asking_few_is_asking_all(story in prop::collection::vec(happens(), 1..60)) {
        let (mut few, mut all) = (Watch::new(rules(), BTreeMap::new()), Watch::new(rules(), BTreeMap::new()));
        // As of each event, so that both are asked the same.
        let (mut own, mut other) = (Values::default(), Values::default());
        let (mut seconds, mut changes, mut others) = (1, Vec::new(), Vec::new());
        for what in &story {
            if matches!(what, Happens::Live(..)) {
                continue;
            }
            let then = happen(&mut few, &mut own, what, seconds, false);
            happen(&mut all, &mut other, what, seconds, true);
            seconds = then;
            changes.extend(few.alarms_mut().take_changes());
            others.extend(all.alarms_mut().take_changes());
        }
        prop_assert_eq!(told(&few, &changes), told(&all, &others));
        prop_assert!(few.evaluated() <= all.evaluated());
    }

    /// H4, H6: a restart with all on record: rules go on where they were, delays among them, and nothing is announced again.
    #[test]
    fn a_restart(story in prop::collection::vec(happens(), 2..60), kept in any::<prop::sample::Index>(), end in any::<prop::sample::Index>()) {
        let end = 1 + end.index(story.len() - 1);
        let kept = kept.index(end);
        let (mut watch, mut values) = (Watch::new(rules(), BTreeMap::new()), Values::default());
        let (mut seconds, mut all, mut record, mut written) = (1, Vec::new(), Vec::new(), None);
        for (number, what) in story.iter().enumerate() {
            if number == kept {
                let text = serde_json::to_string(&watch.checkpoint()).unwrap();
                written = Some((text, values.values, values.live, seconds));
                record.clear();
            }
            seconds = happen(&mut watch, &mut values, what, seconds, false);
            let changes = watch.alarms_mut().take_changes();
            if number < end {
                record.extend(changes.clone());
            }
            all.extend(changes);
        }
        let (text, then, live, mut again) = written.unwrap();
        let checkpoint: WatchCheckpoint = serde_json::from_str(&text).unwrap();
        let (mut next, mut values) = (Watch::new(rules(), BTreeMap::new()), Values { values: then, live, ..Values::default() });
        let known: Vec<Change> = record.clone();
        next.restore(checkpoint, record, now(again));
        let mut decided = next.alarms_mut().take_changes();
        for (number, what) in story.iter().enumerate().skip(kept) {
            if number == end {
                next.alarms_mut().be_folded();
            }
            again = happen(&mut next, &mut values, what, again, false);
            decided.extend(next.alarms_mut().take_changes());
        }
        let (wanted, standing) = told(&watch, &all);
        let (_, own) = told(&next, &[]);
        prop_assert_eq!(own, standing);
        let names = |changes: &[Change]| told(&next, changes).0;
        let again: Vec<_> = names(&known).into_iter().chain(names(&decided)).collect();
        let unique: std::collections::BTreeSet<_> = again.iter().cloned().collect();
        prop_assert_eq!(unique.len(), again.len(), "{:?}", again);
        prop_assert!(again.iter().all(|name| wanted.contains(name)), "{:?} {:?}", again, wanted);
    }
}
