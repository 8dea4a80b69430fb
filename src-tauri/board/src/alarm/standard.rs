//! The standard once more, stated by facts and not by names, and every state with every input held against [`super::machine`] (H6).
//!
//! ISA-18.2-2016 clause 5.4 and IEC 62682 clause 5.4 draw the states; OPC 10000-9 says that a suppressed alarm runs on beneath.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use super::machine::{Alarm, Base, Evidence, Input, Manner, Record, Refusal, Shown, Sound};

/// How many inputs one after the other are gone through.
const DEPTH: usize = 9;

/// Independent facts. No name of a state is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    holds: bool,
    known: bool,
    held: bool,
    aside: [bool; 3],
    good: bool,
    gone: bool,
    occurrence: u64,
    calls_again: u32,
}

/// What is heard and written, in the reference's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcome {
    facts: Facts,
    heard: &'static str,
    written: &'static str,
    refused: Option<Refusal>,
}

impl Facts {
    fn of(alarm: Alarm) -> Self {
        let (holds, known, held) = match alarm.base {
            Base::Normal => (false, true, false),
            Base::Unacknowledged => (true, false, false),
            Base::Acknowledged => (true, true, false),
            Base::Returned => (false, false, false),
            Base::LatchedUnacknowledged => (false, false, true),
            Base::LatchedAcknowledged => (false, true, true),
        };
        let Alarm { suppression, evidence, is_removed, occurrence, realarms, .. } = alarm;
        Self {
            holds,
            known,
            held,
            aside: [suppression.is_shelved, suppression.is_by_design, suppression.is_out_of_service],
            good: evidence == Evidence::Live,
            gone: is_removed,
            occurrence,
            calls_again: realarms,
        }
    }

    fn is_aside(self) -> bool {
        self.aside.contains(&true)
    }

    /// Somebody has something to do about it now.
    fn stands(self) -> bool {
        self.holds || self.held
    }

    /// Stated rule by rule, each by the facts that it needs.
    fn step(self, input: Input, manner: Manner) -> Outcome {
        let same = Outcome { facts: self, heard: "on", written: "no", refused: None };
        if self.gone {
            return same;
        }
        let mut next = self;
        let mut heard = "on";
        match input {
            Input::Raise { stamp } => {
                if !self.good {
                    return same;
                }
                if self.holds {
                    return Outcome { written: "counted", ..same };
                }
                (next.holds, next.known, next.held) = (true, false, false);
                next.occurrence = if stamp > self.occurrence { stamp } else { self.occurrence + 1 };
                next.calls_again = 0;
                heard = "begins";
            }
            Input::Clear => {
                if !self.good || !self.holds {
                    return same;
                }
                (next.holds, next.held) = (false, manner.latches);
                if !manner.latches {
                    next.known |= manner.ends_unacknowledged;
                    heard = if self.known { "on" } else { "ends" };
                }
            }
            Input::Acknowledge { occurrence } => {
                if self.known {
                    return same;
                }
                if occurrence != self.occurrence {
                    return Outcome { written: "yes", refused: Some(Refusal::Changed), ..same };
                }
                next.known = true;
                heard = if self.stands() { "ends" } else { "on" };
            }
            Input::Expire => {
                if self.known || self.stands() {
                    return same;
                }
                next.known = true;
            }
            Input::Reset => match (self.holds, self.held, self.known) {
                (true, _, _) => return Outcome { written: "yes", refused: Some(Refusal::StillActive), ..same },
                (_, true, false) => return Outcome { written: "yes", refused: Some(Refusal::NotAcknowledged), ..same },
                (_, true, true) => next.held = false,
                _ => return same,
            },
            Input::Silence | Input::Ease => {
                if self.known || !self.stands() {
                    return same;
                }
                heard = if input == Input::Silence { "ends here" } else { "otherwise" };
            }
            Input::Worsen | Input::Realarm => {
                let louder = input == Input::Worsen && !self.known && self.stands();
                if !(louder || self.known && self.holds) {
                    return same;
                }
                next.known = false;
                next.calls_again += 1;
                heard = "begins";
            }
            Input::Shelve(on) => return self.put_aside(0, on),
            Input::Suppress(on) => return self.put_aside(1, on),
            Input::TakeOutOfService(on) => return self.put_aside(2, on),
            Input::Judge(evidence) => {
                next.good = evidence == Evidence::Live;
                return Outcome { facts: next, written: "if changed", ..same };
            }
            Input::Remove => {
                next.gone = true;
                return Outcome { facts: next, heard: "ends", written: "yes", refused: None };
            }
            // Nobody can say what became of it, so nothing does; but that is written down.
            Input::Unseen => return Outcome { facts: next, heard: "on", written: "yes", refused: None },
        }
        if self.is_aside() {
            heard = "on";
        }
        Outcome { facts: next, heard, written: "yes", refused: None }
    }

    fn put_aside(self, by: usize, on: bool) -> Outcome {
        let mut next = self;
        let was = std::mem::replace(&mut next.aside[by], on);
        let mut heard = "on";
        if was == on {
            return Outcome { facts: self, heard, written: "no", refused: None };
        }
        match (self.is_aside(), next.is_aside()) {
            (false, true) => heard = "ends",
            (true, false) if self.stands() => {
                next.known = false;
                next.calls_again += 1;
                heard = "begins";
            }
            (true, false) => next.known = true,
            _ => {}
        }
        Outcome { facts: next, heard, written: "yes", refused: None }
    }
}

const fn heard(sound: Sound) -> &'static str {
    match sound {
        Sound::Keep => "on",
        Sound::Start => "begins",
        Sound::Retune => "otherwise",
        Sound::Stop => "ends",
        Sound::StopHere => "ends here",
    }
}

const fn written(record: Record) -> &'static str {
    match record {
        Record::None => "no",
        Record::Counted => "counted",
        Record::Entry => "yes",
    }
}

/// Each input, those of a hand with the occurrence that stands and with the one before.
fn inputs(alarm: Alarm) -> Vec<Input> {
    let mut inputs = vec![
        // Of now, and of a clock that was set back.
        Input::Raise { stamp: alarm.occurrence + 2 },
        Input::Raise { stamp: 0 },
        Input::Clear,
        Input::Acknowledge { occurrence: alarm.occurrence },
        Input::Acknowledge { occurrence: alarm.occurrence.wrapping_sub(1) },
        Input::Reset,
        Input::Silence,
        Input::Worsen,
        Input::Ease,
        Input::Realarm,
        Input::Expire,
        Input::Remove,
        Input::Unseen,
    ];
    for on in [true, false] {
        inputs.extend([Input::Shelve(on), Input::Suppress(on), Input::TakeOutOfService(on)]);
    }
    inputs.extend([Evidence::Unknown, Evidence::Stale, Evidence::Bad, Evidence::Live].map(Input::Judge));
    inputs
}

const MANNERS: [Manner; 4] = [
    Manner { latches: false, ends_unacknowledged: false },
    Manner { latches: false, ends_unacknowledged: true },
    Manner { latches: true, ends_unacknowledged: false },
    Manner { latches: true, ends_unacknowledged: true },
];

/// Every alarm that comes of [`DEPTH`] inputs, told apart by all but how often it was raised and called again, with the inputs that led
/// there first.
fn reached(manner: Manner) -> BTreeMap<Alarm, Vec<Input>> {
    let mut reached = BTreeMap::from([(Alarm::new(), Vec::new())]);
    let mut queue = VecDeque::from([Alarm::new()]);
    while let Some(alarm) = queue.pop_front() {
        let way = reached.get(&alarm).cloned().unwrap_or_default();
        if way.len() == DEPTH {
            continue;
        }
        for input in inputs(alarm) {
            let next = alarm.step(input, manner).alarm;
            if let Entry::Vacant(place) = reached.entry(next) {
                place.insert(way.iter().copied().chain([input]).collect());
                queue.push_back(next);
            }
        }
    }
    reached
}

/// H6: for each state that nine inputs can lead to, each input does what the standard says: the state, what is heard, what goes on
/// record, and what is refused.
#[test]
fn every_state_and_input() {
    let mut checked = 0;
    for manner in MANNERS {
        for (alarm, way) in reached(manner) {
            for input in inputs(alarm) {
                let step = alarm.step(input, manner);
                let wanted = Facts::of(alarm).step(input, manner);
                let at = format!("{manner:?}: {way:?}, then {input:?}");
                assert_eq!(Facts::of(step.alarm), wanted.facts, "{at}");
                assert_eq!(heard(step.sound), wanted.heard, "{at}");
                let is_changed = if step.alarm == alarm { "no" } else { "yes" };
                let wanted_record = if wanted.written == "if changed" { is_changed } else { wanted.written };
                assert_eq!(written(step.record), wanted_record, "{at}");
                assert_eq!(step.refusal, wanted.refused, "{at}");
                checked += 1;
            }
        }
    }
    assert!(checked > 100_000, "{checked}");
}

/// Every combination that has a name is reached, so that the test above leaves none out.
#[test]
fn every_state_is_reached() {
    let all: BTreeSet<Alarm> =
        MANNERS.into_iter().flat_map(reached).map(|(alarm, _)| Alarm { occurrence: 0, realarms: 0, ..alarm }).collect();
    // Six places, three ways to be put aside, four kinds of evidence, removed or not.
    assert_eq!(all.len(), 6 * 8 * 4 * 2);
}

/// H6: what is announced is told apart by occurrence and repetition, so nothing is announced twice under one name, and nothing is announced
/// that isn't to be heard.
#[test]
fn an_announcement_has_a_name_of_its_own() {
    for manner in MANNERS {
        for alarm in reached(manner).into_keys() {
            for input in inputs(alarm) {
                let step = alarm.step(input, manner);
                let name = |alarm: Alarm| (alarm.occurrence, alarm.realarms);
                if step.sound == Sound::Start {
                    assert!(name(step.alarm) > name(alarm) && step.alarm.calls(), "{alarm:?} {input:?}");
                } else {
                    assert_eq!(name(step.alarm), name(alarm).max(name(step.alarm)), "{alarm:?} {input:?}");
                    // Nothing begins to call unheard.
                    assert!(alarm.calls() || !step.alarm.calls(), "{alarm:?} {input:?}");
                }
            }
        }
    }
}

/// H6: data that isn't good neither raises nor clears, and a normal alarm that nobody watches over isn't called normal (H1).
#[test]
fn what_is_not_good_decides_nothing() {
    for manner in MANNERS {
        for alarm in reached(manner).into_keys().filter(|alarm| alarm.evidence != Evidence::Live) {
            for input in [Input::Raise { stamp: 7 }, Input::Clear] {
                assert_eq!(alarm.step(input, manner).alarm, alarm);
            }
            assert_ne!(alarm.shown(), Shown::Base(Base::Normal));
        }
    }
}
