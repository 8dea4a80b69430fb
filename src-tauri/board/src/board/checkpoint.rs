//! A board's state as it is written down, and read by the next run (H4).

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use watchfloor_model::{Continuity, Mono, Position, Timestamp};

use super::{
    Board, Place,
    against::Second,
    heard,
    lane::{Channel, Lane},
    tracked::{Heard, Overtaken, Tracked, Unusable},
};
use crate::{alarm::watch::WatchCheckpoint, config::spec::SourceSpec};

/// Everything that a board has folded. The next run restores it and is as old as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// By source id.
    pub sources: BTreeMap<String, SourceCheckpoint>,
    /// Of rules and alarms. What went on record after it is [`Board::restore_alarms`]'s other half.
    #[serde(default, skip_serializing_if = "WatchCheckpoint::is_empty")]
    pub alarms: WatchCheckpoint,
}

/// What was folded of one source.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceCheckpoint {
    /// Where it is.
    pub url: String,
    /// [`SourceSpec::story`]; none if a program wrote it that knew the address alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<String>,
    /// The source's time.
    pub time: Option<Timestamp>,
    /// What kind of time that is, if it isn't the present.
    #[serde(default)]
    pub replay: Option<ReplayCheckpoint>,
    /// When it was last known to be current, by the wall clock.
    pub current: Option<Timestamp>,
    /// By channel.
    pub channels: BTreeMap<String, ChannelCheckpoint>,
    /// By fingerprint.
    pub aggregates: BTreeMap<String, AggregateCheckpoint>,
}

impl SourceCheckpoint {
    /// Whether it is of the story that `spec` tells: a state of another one is not taken (H1).
    ///
    /// Where that wasn't written down, the address, the channels and that nothing else decides the story now must do.
    #[must_use]
    pub fn is_of(&self, spec: &SourceSpec) -> bool {
        match &self.story {
            Some(story) => *story == spec.story(),
            None => {
                self.url == spec.url && spec.is_plain() && self.channels.keys().all(|name| spec.channels.contains(name))
            }
        }
    }
}

/// A time that isn't the present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayCheckpoint {
    /// What people call it.
    pub label: Option<String>,
}

/// What was delivered of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelCheckpoint {
    /// The source's time of its newest event.
    pub newest: Option<Timestamp>,
    /// Up to where it was delivered.
    pub position: Option<Position>,
}

/// One aggregate.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AggregateCheckpoint {
    /// [`crate::Aggregate::state_text`]
    pub state: Box<RawValue>,
    /// What is known about its completeness.
    pub basis: Continuity,
    /// Events until this instant of the source's time may be missing.
    pub incomplete_until: Option<Timestamp>,
    /// Whether it has anything to show.
    pub is_known: bool,
    /// When its newest event reached the program, by the wall clock.
    pub received: Option<Timestamp>,
    /// Whether what a gauge shows was told by events that its site says nothing of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_elsewise: bool,
    /// Whose events are in it, where publishers say whether they are good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voices: Vec<String>,
    /// By these names, what of it they told; who isn't here is in whatever it shows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shares: BTreeMap<String, ShareCheckpoint>,
    /// By key, what came that is dated before what is shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overtaken: BTreeMap<String, OvertakenCheckpoint>,
    /// By key, what came last and can't be used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unusable: BTreeMap<String, UnusableCheckpoint>,
}

/// What a publisher told of what is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCheckpoint {
    /// The source's time of the newest of it.
    pub newest: Timestamp,
    /// The rows of which it spoke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// What came of a key and is dated before what is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OvertakenCheckpoint {
    /// When the last of it reached the program, by the wall clock.
    pub last: Timestamp,
    /// How long after the first that was, in milliseconds.
    pub lasts_ms: u64,
}

/// What came of a key after what is shown, and can't be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusableCheckpoint {
    /// When the first of it reached the program, by the wall clock.
    pub first: Timestamp,
    /// How long ago that was as this was written down, in milliseconds: a clock that is set back makes it no younger.
    pub age_ms: u64,
    /// The source's time of the newest of it.
    pub time: Timestamp,
}

/// What a widget shows of a source, or compares with it, and the next run doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRestored {
    /// The source: what leads to its place doesn't hold the widget's past.
    pub source: String,
    /// The widget.
    pub widget: String,
    /// Why.
    pub reason: String,
}

impl Board {
    /// The whole state. `now` and `wall` are the same instant on both clocks.
    #[must_use]
    pub fn checkpoint(&self, now: Mono, wall: Timestamp) -> Checkpoint {
        let sources = self.lanes.iter().map(|lane| (lane.spec.id.clone(), of_lane(lane, now, wall))).collect();
        Checkpoint { sources, alarms: self.alarm_checkpoint() }
    }

    /// Takes the state of a former run for every source and fold that are still the same. What is shown is as old as it
    /// is, by the wall clock, and never live until its source has caught up. `now` and `wall` are the same instant on
    /// both clocks.
    ///
    /// Answers what was not restored, each with the reason.
    pub fn restore(&mut self, checkpoint: &Checkpoint, now: Mono, wall: Timestamp) -> Vec<NotRestored> {
        let mut failed = Vec::new();
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let stored = checkpoint.sources.get(&lane.spec.id).filter(|stored| stored.is_of(&lane.spec));
            if let Some(stored) = stored {
                restore_lane(lane, stored, now, wall);
            }
            for (tracked, own) in lane.tracked.iter_mut().enumerate() {
                let state = stored.and_then(|stored| stored.aggregates.get(own.aggregate.fingerprint()));
                let result = match state {
                    Some(state) => restore_tracked(own, state, now, wall),
                    None => Err("nothing of it was written down".to_owned()),
                };
                if let Err(reason) = result {
                    let is_it = |place: &Place| place.lane == number && place.tracked == tracked;
                    let second = |second: &Option<Second>| second.as_ref().is_some_and(|second| is_it(&second.place));
                    let widgets = self.file.widgets.iter().zip(&self.places).zip(&self.seconds);
                    let shows = widgets.filter(|((_, place), own)| is_it(place) || second(own));
                    failed.extend(shows.map(|((widget, _), _)| NotRestored {
                        source: lane.spec.id.clone(),
                        widget: widget.id.clone(),
                        reason: reason.clone(),
                    }));
                }
            }
        }
        self.note(true, now);
        failed
    }
}

fn of_lane(lane: &Lane, now: Mono, wall: Timestamp) -> SourceCheckpoint {
    let wall_of = |heard: Heard| wall.minus(heard.age(now));
    let channel = |(name, channel): (&std::sync::Arc<str>, &Channel)| {
        let Channel { newest, position } = channel.clone();
        (name.to_string(), ChannelCheckpoint { newest, position })
    };
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let overtaken = |(key, own): (&String, &Overtaken)| {
        (key.clone(), OvertakenCheckpoint { last: wall_of(own.last), lasts_ms: millis(own.lasts) })
    };
    let unusable = |(key, own): (&String, &Unusable)| {
        let Unusable { first, time } = *own;
        (key.clone(), UnusableCheckpoint { first: wall_of(first), age_ms: millis(first.age(now)), time })
    };
    let aggregate = |tracked: &Tracked| {
        let stored = AggregateCheckpoint {
            state: tracked.aggregate.state_text(),
            basis: tracked.basis,
            incomplete_until: tracked.incomplete_until,
            is_known: tracked.is_known,
            received: tracked.received.map(wall_of),
            told_elsewise: tracked.is_told_elsewise,
            voices: tracked.tellers().map(ToString::to_string).collect(),
            shares: tracked.shares(),
            overtaken: tracked.overtaken.iter().map(overtaken).collect(),
            unusable: tracked.unusable.iter().map(unusable).collect(),
        };
        (tracked.aggregate.fingerprint().to_owned(), stored)
    };
    SourceCheckpoint {
        url: lane.spec.url.clone(),
        story: Some(lane.spec.story()),
        time: lane.now,
        replay: lane.replay().map(|label| ReplayCheckpoint { label: label.map(str::to_owned) }),
        current: lane.current.map(wall_of),
        channels: lane.channels.iter().map(channel).collect(),
        aggregates: lane.tracked.iter().map(aggregate).collect(),
    }
}

/// Something of a former run. A wall clock that was set back since makes it as young as now, not younger.
fn heard(at: Option<Timestamp>, now: Mono, wall: Timestamp) -> Option<Heard> {
    at.map(|at| Heard::before(now, wall.since(at)))
}

fn restore_lane(lane: &mut Lane, stored: &SourceCheckpoint, now: Mono, wall: Timestamp) {
    lane.now = stored.time;
    lane.stood = stored.replay.clone().filter(|_| stored.time.is_some());
    lane.current = heard(stored.current, now, wall);
    let channel = |(name, channel): (&String, &ChannelCheckpoint)| {
        (name.as_str().into(), Channel { newest: channel.newest, position: channel.position.clone() })
    };
    lane.channels = stored.channels.iter().map(channel).collect();
}

fn restore_tracked(
    tracked: &mut Tracked,
    stored: &AggregateCheckpoint,
    now: Mono,
    wall: Timestamp,
) -> Result<(), String> {
    tracked.aggregate.restore(&stored.state).map_err(|error| error.to_string())?;
    tracked.basis = stored.basis;
    tracked.incomplete_until = stored.incomplete_until;
    tracked.is_known = stored.is_known;
    tracked.received = heard(stored.received, now, wall);
    tracked.is_told_elsewise = stored.told_elsewise;
    tracked.heard = heard::Heard::restored(&stored.voices, &stored.shares, &tracked.aggregate);
    let overtaken = |(key, own): (&String, &OvertakenCheckpoint)| {
        (
            key.clone(),
            Overtaken { last: Heard::before(now, wall.since(own.last)), lasts: Duration::from_millis(own.lasts_ms) },
        )
    };
    tracked.overtaken = stored.overtaken.iter().map(overtaken).collect();
    let unusable = |(key, own): (&String, &UnusableCheckpoint)| {
        let age = wall.since(own.first).max(Duration::from_millis(own.age_ms));
        (key.clone(), Unusable { first: Heard::before(now, age), time: own.time })
    };
    tracked.unusable = stored.unusable.iter().map(unusable).collect();
    Ok(())
}
