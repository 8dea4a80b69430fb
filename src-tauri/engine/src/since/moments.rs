//! Moments that somebody may mean who asks what changed since.

use std::path::Path;

use jiff::tz::TimeZone;
use watchfloor_board::{
    alarm::AlarmEntry,
    frame::{SinceMoment, SinceMomentKind, SinceMoments, UnrecordedWhy},
};
use watchfloor_model::Timestamp;

use crate::{
    journal::table::alarm::Asked,
    past,
    record::{self, RecordError},
};

/// So many of the newest entries of the record of alarms are looked through.
const ENTRIES_MAX: u32 = 5000;

/// The moments by `now` that the journal knows of; `name` is who asks, `zone` that of the board.
///
/// # Errors
/// If there is no journal, or it can't be read.
pub fn moments(data_dir: &Path, name: Option<&str>, zone: &str, now: Timestamp) -> Result<SinceMoments, RecordError> {
    let reader = record::Reader::open(data_dir)?;
    let mut list = acts(&reader, name)?;
    let lost = reader.outages()?;
    let lost = lost.iter().rev().filter(|outage| outage.began <= now).max_by_key(|outage| outage.began);
    list.extend(lost.map(|outage| SinceMoment {
        kind: SinceMomentKind::Loss,
        at_ms: outage.began.as_millis(),
        of: Some(outage.source.to_string()),
    }));
    let mut begin = reader.begin()?;
    // Without a record of the glass nothing is known of widgets, and what is known of alarms is known all the same.
    if let Ok(glass) = past::Reader::open(data_dir)
        && let Ok(range) = glass.range()
    {
        begin = begin.map(|begin| begin.max(range.first));
        let holes = glass.holes().unwrap_or_default();
        let stop = holes.iter().rev().find(|hole| hole.reason == UnrecordedWhy::NotRunning);
        list.extend(stop.map(|hole| SinceMoment {
            kind: SinceMomentKind::Stop,
            at_ms: hole.from.as_millis(),
            of: None,
        }));
    }
    list.extend(midnight(zone, now));
    list.retain(|moment| moment.at_ms < now.as_millis());
    list.sort_by(|a, b| b.at_ms.cmp(&a.at_ms).then_with(|| a.kind.cmp(&b.kind)));
    Ok(SinceMoments { now_ms: now.as_millis(), begin_ms: begin.map(Timestamp::as_millis), list })
}

/// The last that somebody did about an alarm, and the last that the one did who asks.
fn acts(reader: &record::Reader, name: Option<&str>) -> Result<Vec<SinceMoment>, RecordError> {
    let (mut own, mut any, mut count) = (None, None, 0);
    reader.each(&Asked { is_newest_first: true, ..Asked::default() }, |entry: &AlarmEntry| {
        count += 1;
        if entry.station.is_some() && entry.refused.is_none() {
            let moment = |kind| SinceMoment { kind, at_ms: entry.decided_ms, of: entry.by.clone() };
            any.get_or_insert_with(|| moment(SinceMomentKind::Act));
            if name.is_some() && entry.by.as_deref() == name {
                own.get_or_insert_with(|| moment(SinceMomentKind::OwnAct));
            }
        }
        count < ENTRIES_MAX && (any.is_none() || own.is_none() && name.is_some())
    })?;
    Ok(own.into_iter().chain(any).collect())
}

/// When the day began.
fn midnight(zone: &str, now: Timestamp) -> Option<SinceMoment> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let today = zone.to_datetime(jiff::Timestamp::from_millisecond(now.as_millis()).ok()?).date();
    let at = zone.to_ambiguous_timestamp(today.at(0, 0, 0, 0)).compatible().ok()?;
    Some(SinceMoment { kind: SinceMomentKind::Midnight, at_ms: at.as_millisecond(), of: None })
}
