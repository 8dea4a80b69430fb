//! Markers on a map. An older event never replaces a newer one.

mod fences;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use watchfloor_model::{Event, Json};

use self::fences::{Counts, Judged, Sides};
use super::{
    Gaps, Ms, Reduce, Rejection, Text, check_instant,
    expiry::Expiry,
    meaning::Meaning,
    number_json,
    pick::{self, KEY_BYTES_MAX, Picked},
    template::{is_filled_by, render},
    tombstones::Tombstones,
    trail::{POINTS_MAX as TRAIL_POINTS_MAX, Trail},
};
use crate::{
    config::spec::{FenceSpec, IconSpec, Template},
    frame::{Icon, MarkerValue, MarkersValue, State, TrailLook, WidgetValue},
    path::Path,
};

/// Most markers, placed or not; events of further keys are rejected.
pub(crate) const MARKERS_MAX: usize = 10_000;

/// See [`crate::config::spec::ReducerSpec::Markers`]. Null for a coordinate says that there is no position now; an event
/// without coordinates says nothing of it.
pub(crate) struct Markers {
    settings: Settings,
    markers: HashMap<Arc<str>, Marker>,
    expiry: Expiry,
    gone: Tombstones,
    unplaced: usize,
    /// Positions of all trails.
    trailed: usize,
    /// Stretches in which markers may have been elsewhere than their trails say.
    gaps: Gaps,
    /// What each fence has to tell of.
    counts: Vec<Counts>,
    /// When a fence may tell something else of which marker.
    turns: Expiry,
    now: Option<Ms>,
}

/// What decides the markers.
pub(crate) struct Settings {
    pub(crate) key: Path,
    pub(crate) lat: Path,
    pub(crate) lon: Path,
    pub(crate) heading: Option<Path>,
    pub(crate) label: Option<Template>,
    pub(crate) state: Option<Meaning>,
    pub(crate) icon: Option<IconSpec>,
    pub(crate) remove_on: Vec<String>,
    pub(crate) expire: Option<Ms>,
    pub(crate) trail: Option<TrailLook>,
    pub(crate) lost_after: Option<Ms>,
    pub(crate) fences: Vec<FenceSpec>,
    /// Whether an event says all that there is of a marker.
    pub(crate) whole: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Marker {
    /// Degrees north and east; none if it is unplaced.
    place: Option<(f64, f64)>,
    heading: Option<f64>,
    label: Option<String>,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    icon: Option<Icon>,
    #[serde(default, skip_serializing_if = "Trail::is_empty")]
    trail: Trail,
    /// The time of its newest event.
    heard: Ms,
    /// The time of its newest position, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    placed: Option<Ms>,
    /// On which side of each fence it is.
    #[serde(default, skip_serializing_if = "Sides::is_empty")]
    sides: Sides,
    /// What all of that comes to by now.
    #[serde(skip)]
    judged: Judged,
    /// When it is in the queue of what fences may turn about, if it is.
    #[serde(skip)]
    turns: Option<Ms>,
    /// When it is in the expiry's queue, if it is.
    #[serde(skip)]
    queued: Option<Ms>,
    #[serde(skip)]
    version: u64,
}

/// What an event says of a marker.
struct Update {
    at: Ms,
    place: Picked<(f64, f64)>,
    heading: Picked<f64>,
    label: Option<String>,
    state: Option<State>,
    icon: Picked<Icon>,
}

impl Update {
    /// What it doesn't say isn't so.
    fn whole(self) -> Self {
        Self {
            place: self.place.or_null(),
            heading: self.heading.or_null(),
            state: Some(self.state.unwrap_or_default()),
            icon: self.icon.or_null(),
            ..self
        }
    }
}

impl Markers {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            counts: vec![Counts::default(); settings.fences.len()],
            turns: Expiry::default(),
            settings,
            markers: HashMap::new(),
            expiry: Expiry::default(),
            gone: Tombstones::default(),
            unplaced: 0,
            trailed: 0,
            gaps: Gaps::default(),
            now: None,
        }
    }

    /// Reads everything that the event says before anything is changed.
    fn read(&self, event: &Event) -> Result<Update, Rejection> {
        let data = event.data.value();
        let lat = pick::number_within(&self.settings.lat, data, -90.0, 90.0)?;
        let lon = pick::number_within(&self.settings.lon, data, -180.0, 180.0)?;
        let place = match (lat, lon) {
            (Picked::Some(lat), Picked::Some(lon)) => Picked::Some((lat, lon)),
            (Picked::Missing, Picked::Missing) => Picked::Missing,
            _ => Picked::Null,
        };
        let heading = match &self.settings.heading {
            Some(path) => pick::number(path, data)?,
            None => Picked::Missing,
        };
        let state = match &self.settings.state {
            Some(meaning) => meaning.of(data)?.map(|said| said.state),
            None => None,
        };
        let label = self.settings.label.as_ref().filter(|label| is_filled_by(label, data));
        let label = label.map(|label| render(label, data));
        let icon = self.settings.icon.as_ref().map_or(Ok(Picked::Missing), |spec| icon_of(spec, data))?;
        Ok(Update { at: event.time.as_millis(), place, heading, label, state, icon })
    }

    /// What a marker is drawn as of which nothing is said.
    fn usual_icon(&self) -> Option<Icon> {
        self.settings.icon.as_ref().and_then(|spec| spec.otherwise)
    }

    /// Notes in its trail where a marker was; says whether that is news.
    fn leave_trail(&mut self, key: &str, at: Ms, place: Picked<(f64, f64)>, version: u64) -> bool {
        let Some((look, marker)) = self.settings.trail.zip(self.markers.get_mut(key)) else { return false };
        let place = match place {
            Picked::Missing => return false,
            Picked::Null => None,
            Picked::Some(place) => Some(place),
        };
        let is_news = marker.trail.add(look, at, place, version, &mut self.trailed);
        if is_news {
            marker.version = version;
        }
        is_news
    }

    fn insert(&mut self, key: Arc<str>, update: Update, version: u64) {
        let mut marker = Marker {
            place: update.place.some(),
            heading: update.heading.some().map(turn),
            label: update.label,
            state: update.state.unwrap_or_default(),
            icon: update.icon.some().or(self.usual_icon()),
            trail: Trail::new(version),
            heard: update.at,
            placed: None,
            sides: Sides::default(),
            judged: Judged::default(),
            turns: None,
            queued: None,
            version,
        };
        self.settings.note_place(&mut marker, update.place, update.at);
        self.unplaced += usize::from(marker.place.is_none());
        self.markers.insert(Arc::clone(&key), marker);
        self.leave_trail(&key, update.at, update.place, version);
        self.settle(&key, self.now, version);
    }

    /// Updates the marker of `key`, which there is.
    fn update(&mut self, key: &str, update: Update, version: u64) -> bool {
        let update = if self.settings.whole { update.whole() } else { update };
        // A late one says where it was.
        let mut changed = self.leave_trail(key, update.at, update.place, version);
        let usual = self.usual_icon();
        let Some(marker) = self.markers.get_mut(key) else { return false };
        if update.at < marker.heard {
            return changed && marker.place.is_some();
        }
        marker.heard = update.at;
        let before = marker.place;
        self.settings.note_place(marker, update.place, update.at);
        changed |= set(&mut marker.place, update.place);
        changed |= set(&mut marker.heading, update.heading.map(turn));
        if let Some(label) = update.label.filter(|label| marker.label.as_ref() != Some(label)) {
            marker.label = Some(label);
            changed = true;
        }
        if let Some(state) = update.state.filter(|state| *state != marker.state) {
            marker.state = state;
            changed = true;
        }
        let mut icon = marker.icon;
        if set(&mut icon, update.icon) {
            icon = icon.or(usual);
            changed |= icon != marker.icon;
            marker.icon = icon;
        }
        if changed {
            marker.version = version;
        }
        let is_placed = marker.place.is_some();
        // Its end only moves later: a marker that is looked at once is looked at in time.
        let is_settled = marker.queued.is_some() || self.settings.expire.is_none();
        if before.is_some() != is_placed
            && let Some((key, _)) = self.markers.get_key_value(key)
        {
            if is_placed {
                self.unplaced -= 1;
            } else {
                self.unplaced += 1;
                self.gone.add(version, Arc::clone(key));
            }
        }
        if is_settled {
            return changed;
        }
        let key = self.markers.get_key_value(key).map(|(key, _)| Arc::clone(key));
        changed | key.is_some_and(|key| self.settle(&key, self.now, version))
    }

    fn remove(&mut self, key: &str, version: u64) -> bool {
        let Some((key, marker)) = self.markers.remove_entry(key) else { return false };
        if let Some(queued) = marker.queued {
            self.expiry.remove(queued, &key);
        }
        if let Some(turns) = marker.turns {
            self.turns.remove(turns, &key);
        }
        marker.judged.leave(&mut self.counts);
        self.trailed -= marker.trail.len();
        match marker.place {
            Some(_) => self.gone.add(version, key),
            None => self.unplaced -= 1,
        }
        true
    }

    /// Sees what the fences tell of a marker by now; says whether that is something else than before.
    fn judge(&mut self, key: &str, version: u64) -> bool {
        if !self.settings.judges() {
            if let Some(marker) = self.markers.get_mut(key) {
                marker.judged.state = marker.state;
            }
            return false;
        }
        let Some((key, _)) = self.markers.get_key_value(key) else { return false };
        let key = Arc::clone(key);
        let Some(marker) = self.markers.get_mut(&key) else { return false };
        let (judged, turns) = self.settings.judged(marker, self.now);
        let later = turns.filter(|at| marker.turns.is_none_or(|queued| *at < queued));
        // It is looked at no later than it turns: one that turns later than it did is looked at once in vain.
        if let Some(at) = later {
            if let Some(queued) = marker.turns.replace(at) {
                self.turns.remove(queued, &key);
            }
            self.turns.add(at, key);
        }
        if judged == marker.judged {
            return false;
        }
        let before = std::mem::replace(&mut marker.judged, judged);
        before.leave(&mut self.counts);
        marker.judged.join(&mut self.counts);
        if (before.state, before.fence) != (marker.judged.state, marker.judged.fence) {
            marker.version = version;
        }
        true
    }

    fn judge_all(&mut self, version: u64) -> bool {
        let keys: Vec<Arc<str>> = self.markers.keys().cloned().collect();
        keys.iter().fold(false, |changed, key| self.judge(key, version) | changed)
    }

    fn end(&self, marker: &Marker) -> Option<Ms> {
        self.settings.expire.map(|expire| marker.heard.saturating_add(expire))
    }

    /// Lets a marker go whose end has come by then, and sees to it that it is looked at when it comes; says whether it went.
    fn settle(&mut self, key: &Arc<str>, by: Option<Ms>, version: u64) -> bool {
        let Some(end) = self.markers.get(key).and_then(|marker| self.end(marker)) else { return false };
        if by.is_some_and(|by| end <= by) {
            return self.remove(key, version);
        }
        // A marker's end only moves later, and an earlier look is early enough.
        if let Some(marker) = self.markers.get_mut(key).filter(|marker| marker.queued.is_none()) {
            marker.queued = Some(end);
            self.expiry.add(end, Arc::clone(key));
        }
        false
    }

    /// Removes what is over by `at`; says whether anything was.
    fn let_go(&mut self, at: Ms, version: u64) -> bool {
        let by = self.now.max(Some(at));
        let mut changed = false;
        while let Some(key) = self.expiry.pop(at) {
            if let Some(marker) = self.markers.get_mut(&key) {
                marker.queued = None;
            }
            changed |= self.settle(&key, by, version);
        }
        changed
    }

    fn in_order(&self) -> Vec<(&Arc<str>, &Marker)> {
        let mut all: Vec<_> = self.markers.iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }
}

/// Takes over what an event says, if anything; says whether that was news.
fn set<T: PartialEq>(known: &mut Option<T>, said: Picked<T>) -> bool {
    let said = match said {
        Picked::Missing => return false,
        Picked::Null => None,
        Picked::Some(value) => Some(value),
    };
    let is_news = *known != said;
    *known = said;
    is_news
}

/// What the event says a marker is drawn as.
fn icon_of(spec: &IconSpec, data: Json<'_>) -> Result<Picked<Icon>, Rejection> {
    let Some(path) = &spec.path else { return Ok(Picked::Missing) };
    Ok(match pick::word(path, data)? {
        Picked::Missing => Picked::Missing,
        Picked::Null => Picked::Null,
        Picked::Some(word) => {
            let icon = spec.icons.get(word.as_ref()).copied();
            Picked::Some(icon.or(spec.otherwise).unwrap_or(Icon::Other))
        }
    })
}

/// A heading as degrees from 0 to 360, 360 excluded.
fn turn(degrees: f64) -> f64 {
    let turned = degrees.rem_euclid(360.0);
    // A tiny negative angle rounds up to a full turn.
    if turned >= 360.0 { 0.0 } else { turned }
}

impl Reduce for Markers {
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        let data = event.data.value();
        let key = pick::key(&self.settings.key, data)?;
        if self.settings.remove_on.iter().any(|name| **name == *event.name) {
            return Ok(self.remove(&key, version));
        }
        let update = self.read(event)?;
        let end = self.markers.get(key.as_ref()).map(|marker| self.end(marker));
        if end.is_none() && self.markers.len() >= MARKERS_MAX {
            // Some may have gone by the time of this event: what is caught up with comes before time is told to pass.
            self.let_go(update.at, version);
        }
        match end {
            None if self.markers.len() >= MARKERS_MAX => {
                let expected = format!("one of the {MARKERS_MAX} keys that there are already");
                return Err(pick::reject(&self.settings.key, data, expected));
            }
            None => self.insert(key.as_ref().into(), update, version),
            // The marker had gone by the time of this event, whether time was told to pass or not.
            Some(Some(end)) if end <= update.at => {
                self.remove(&key, version);
                self.insert(key.as_ref().into(), update, version);
            }
            Some(_) => {
                let changed = self.update(&key, update, version);
                return Ok(self.judge(&key, version) || changed);
            }
        }
        self.judge(&key, version);
        Ok(true)
    }

    fn advance(&mut self, now: Ms, version: u64) -> bool {
        let is_set_back = self.now.is_some_and(|before| now < before);
        self.now = Some(now);
        let mut changed = is_set_back && self.judge_all(version);
        while let Some(key) = self.turns.pop(now) {
            if let Some(marker) = self.markers.get_mut(&key) {
                marker.turns = None;
            }
            changed |= self.judge(&key, version);
        }
        self.let_go(now, version) | changed
    }

    fn state(&self) -> Text {
        super::to_json(&Stored {
            markers: self.in_order().into_iter().map(|(key, marker)| (key.to_string(), marker.clone())).collect(),
            gaps: self.gaps.clone(),
            now: self.now,
        })
    }

    fn restore(&mut self, state: &RawValue, version: u64) -> Result<(), String> {
        let stored: Stored = super::from_json(state)?;
        stored.check(&self.settings)?;
        self.now = stored.now;
        self.gone.clear(version);
        self.expiry.clear();
        self.unplaced = stored.markers.iter().filter(|(_, marker)| marker.place.is_none()).count();
        self.trailed = stored.markers.iter().map(|(_, marker)| marker.trail.len()).sum();
        self.gaps = stored.gaps;
        let restored = |(key, marker): (String, Marker)| (key.into(), Marker { version, ..marker });
        self.markers = stored.markers.into_iter().map(restored).collect();
        let keys: Vec<Arc<str>> = self.markers.keys().cloned().collect();
        for key in keys {
            self.settle(&key, self.now, version);
        }
        self.counts = vec![Counts::default(); self.settings.fences.len()];
        self.turns.clear();
        self.judge_all(version);
        Ok(())
    }

    fn value(&self, since: u64) -> WidgetValue {
        let whole = !self.gone.reach(since);
        let mut markers: Vec<_> = self
            .markers
            .iter()
            .filter(|(_, marker)| whole || marker.version > since)
            .filter_map(|(key, marker)| marker_value(key, marker, if whole { 0 } else { since }))
            .collect();
        markers.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let is_away = |key: &Arc<str>| self.markers.get(key).is_none_or(|marker| marker.place.is_none());
        let removed = self.gone.since(since, is_away);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (total, unplaced) = (count(self.markers.len() - self.unplaced), count(self.unplaced));
        let fences = self.settings.fences.iter().zip(&self.counts).map(|(fence, counts)| counts.told(fence)).collect();
        let gaps = self.gaps.list().to_vec();
        WidgetValue::Markers(MarkersValue { whole, markers, removed, total, unplaced, gaps, fences })
    }

    fn report(&self) -> Value {
        let report = |(key, marker): (&Arc<str>, &Marker)| {
            let (lat, lon) = marker.place?;
            let heading = marker.heading.map_or(Value::Null, number_json);
            let mut report = json!({"lat": lat, "lon": lon, "heading": heading, "label": marker.label,
                "state": marker.judged.state});
            if let Some(fence) = marker.judged.fence.and_then(|at| self.settings.fences.get(usize::from(at))) {
                report["fence"] = json!(fence.name);
            }
            Some((key.to_string(), report))
        };
        Value::Object(self.in_order().into_iter().filter_map(report).collect())
    }

    fn note_gap(&mut self, from: Ms, to: Ms, _version: u64) -> bool {
        let Some(look) = self.settings.trail else { return false };
        let changed = self.gaps.add(from, to);
        self.gaps.forget(to.saturating_sub(look.keep_ms)) || changed
    }

    fn lets_go(&self) -> bool {
        self.settings.expire.is_some()
    }

    fn next_change(&self) -> Option<Ms> {
        self.expiry.next().into_iter().chain(self.turns.next()).min()
    }

    fn shown_of(&self, event: &Event) -> Option<(String, Ms)> {
        self.held_of(event)
    }

    fn shows(&self, key: &str) -> bool {
        self.markers.contains_key(key)
    }

    fn held_of(&self, event: &Event) -> Option<(String, Ms)> {
        let key = pick::key(&self.settings.key, event.data.value()).ok()?;
        self.markers.get(key.as_ref()).map(|marker| (key.into_owned(), marker.heard))
    }

    fn begins_with(&self, event: &Event) -> bool {
        let key = pick::key(&self.settings.key, event.data.value());
        let marker = key.ok().and_then(|key| self.markers.get(key.as_ref()));
        marker.is_none_or(|marker| self.end(marker).is_some_and(|end| end <= event.time.as_millis()))
    }

    fn keep_only(&mut self, keys: &BTreeSet<String>, version: u64) {
        let others: Vec<_> = self.markers.keys().filter(|key| !keys.contains(&***key)).cloned().collect();
        for key in others {
            self.remove(&key, version);
        }
    }
}

fn marker_value(key: &Arc<str>, marker: &Marker, since: u64) -> Option<MarkerValue> {
    let (lat, lon) = marker.place?;
    let (trail_whole, trail) = marker.trail.since(since);
    Some(MarkerValue {
        key: key.to_string(),
        lat,
        lon,
        heading: marker.heading,
        label: marker.label.clone(),
        state: marker.judged.state,
        icon: marker.icon,
        trail,
        trail_whole,
        fence: marker.judged.fence.map(u32::from),
    })
}

/// The state as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    markers: Vec<(String, Marker)>,
    #[serde(default, skip_serializing_if = "Gaps::is_empty")]
    gaps: Gaps,
    now: Option<Ms>,
}

impl Stored {
    fn check(&self, settings: &Settings) -> Result<(), String> {
        if !self.gaps.is_sound() {
            return Err("impossible gaps".to_owned());
        }
        let trailed: usize = self.markers.iter().map(|(_, marker)| marker.trail.len()).sum();
        if trailed > TRAIL_POINTS_MAX {
            return Err(format!("{trailed} positions of trails, the limit is {TRAIL_POINTS_MAX}"));
        }
        if self.markers.len() > MARKERS_MAX {
            return Err(format!("{} markers, the limit is {MARKERS_MAX}", self.markers.len()));
        }
        check_instant(self.now)?;
        if let Some(pair) = self.markers.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(format!("the key {:?} out of order", pair[1].0));
        }
        for (key, marker) in &self.markers {
            check_instant(Some(marker.heard))?;
            let is_on_earth = |(lat, lon): (f64, f64)| lat.abs() <= 90.0 && lon.abs() <= 180.0;
            let is_sound = settings.trail.map_or(marker.trail.is_empty(), |look| marker.trail.is_sound(look))
                && marker.sides.are_sound(settings.fences.len());
            check_instant(marker.placed)?;
            if key.is_empty() || key.len() > KEY_BYTES_MAX || !marker.place.is_none_or(is_on_earth) || !is_sound {
                return Err(format!("an impossible marker {key:?}"));
            }
        }
        Ok(())
    }
}
