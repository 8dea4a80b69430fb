//! A chart's state as JSON.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{AHEAD_MAX, Point, Series, Slot, marks};
use crate::reduce::{Gaps, Ms, TIME_MS_MAX, Text, check_instant, from_json, pick::KEY_BYTES_MAX, to_json};

#[derive(Serialize, Deserialize)]
struct Stored {
    first: Ms,
    len: usize,
    /// By line: the buckets that aren't empty, with their number.
    lines: BTreeMap<String, Vec<(Ms, Point)>>,
    ahead: Vec<(Ms, String, Point)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marks: Option<marks::State>,
    gaps: Gaps,
    now: Option<Ms>,
}

impl Series {
    pub(super) fn stored(&self) -> Text {
        let numbered = |line: &VecDeque<Slot>| {
            let slots = line.iter().zip(self.first..);
            slots.filter(|(slot, _)| !slot.point.is_empty()).map(|(slot, number)| (number, slot.point)).collect()
        };
        to_json(&Stored {
            first: self.first,
            len: self.len,
            lines: self.lines.iter().map(|(key, line)| (key.clone(), numbered(line))).collect(),
            ahead: self.ahead.iter().map(|((number, key), point)| (*number, key.clone(), *point)).collect(),
            marks: self.marks.as_ref().map(|marks| marks.state().clone()),
            gaps: self.gaps.clone(),
            now: self.now,
        })
    }

    pub(super) fn take_stored(&mut self, state: &RawValue, version: u64) -> Result<(), String> {
        let stored: Stored = from_json(state)?;
        self.check(&stored)?;
        self.first = stored.first;
        self.len = stored.len;
        self.lines.clear();
        for (key, points) in stored.lines {
            let mut line = vec![Slot { point: Point::default(), version }; self.len];
            for (number, point) in points {
                if let Some(slot) = usize::try_from(number - self.first).ok().and_then(|index| line.get_mut(index)) {
                    slot.point = point;
                }
            }
            self.lines.insert(key, line.into());
        }
        self.ahead = stored.ahead.into_iter().map(|(number, key, point)| ((number, key), point)).collect();
        if let Some(marks) = &mut self.marks {
            marks.restore(stored.marks.unwrap_or_default(), version);
        }
        self.gaps = stored.gaps;
        self.now = stored.now;
        self.gaps_version = version;
        self.floor = version;
        Ok(())
    }

    fn check(&self, stored: &Stored) -> Result<(), String> {
        check_instant(stored.now)?;
        let len = Ms::try_from(stored.len).unwrap_or(Ms::MAX);
        // Beyond it a bucket's begin is no instant.
        let most = TIME_MS_MAX / self.bucket + 1;
        if len > self.keep || stored.first.checked_abs().is_none_or(|first| first > most) {
            return Err(format!("{len} buckets from number {}, the limit is {}", stored.first, self.keep));
        }
        let is_ours = |number: Ms| (stored.first..stored.first + len).contains(&number);
        let waits = |number: Ms| (-most..=most).contains(&number) && (len == 0 || number >= stored.first + len);
        let points = stored.lines.values().flatten().map(|(number, point)| is_ours(*number) && point.is_sound());
        let ahead = stored.ahead.iter().map(|(number, _, point)| waits(*number) && point.is_sound());
        if !points.chain(ahead).all(|is_sound| is_sound) {
            return Err("points that are impossible or out of place".to_owned());
        }
        let mut keys: Vec<&String> = stored.lines.keys().chain(stored.ahead.iter().map(|(_, key, _)| key)).collect();
        keys.sort_unstable();
        keys.dedup();
        let is_odd = |key: &&String| key.len() > KEY_BYTES_MAX || !self.of.can_have(key);
        if keys.len() > self.most || stored.ahead.len() > AHEAD_MAX || keys.iter().any(is_odd) {
            return Err(format!("{} lines, the limit is {}", keys.len(), self.most));
        }
        match (&self.marks, &stored.marks) {
            (Some(marks), Some(state)) => marks.check(state)?,
            (None, Some(_)) => return Err("marks of a chart that has none".to_owned()),
            (_, None) => {}
        }
        if !stored.gaps.is_sound() {
            return Err("gaps that are out of order".to_owned());
        }
        Ok(())
    }
}
