//! Markers on a map. An older event never replaces a newer one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use watchfloor_model::{Event, Json};

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
    config::spec::{IconSpec, Template},
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
        let marker = Marker {
            place: update.place.some(),
            heading: update.heading.some().map(turn),
            label: update.label,
            state: update.state.unwrap_or_default(),
            icon: update.icon.some().or(self.usual_icon()),
            trail: Trail::new(version),
            heard: update.at,
            queued: None,
            version,
        };
        self.unplaced += usize::from(marker.place.is_none());
        self.markers.insert(Arc::clone(&key), marker);
        self.leave_trail(&key, update.at, update.place, version);
        self.settle(&key, version);
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
        changed | key.is_some_and(|key| self.settle(&key, version))
    }

    fn remove(&mut self, key: &str, version: u64) -> bool {
        let Some((key, marker)) = self.markers.remove_entry(key) else { return false };
        if let Some(queued) = marker.queued {
            self.expiry.remove(queued, &key);
        }
        self.trailed -= marker.trail.len();
        match marker.place {
            Some(_) => self.gone.add(version, key),
            None => self.unplaced -= 1,
        }
        true
    }

    fn end(&self, marker: &Marker) -> Option<Ms> {
        self.settings.expire.map(|expire| marker.heard.saturating_add(expire))
    }

    /// Lets a marker go whose end has come, and sees to it that it is looked at when it comes; says whether it went.
    fn settle(&mut self, key: &Arc<str>, version: u64) -> bool {
        let Some(end) = self.markers.get(key).and_then(|marker| self.end(marker)) else { return false };
        if self.now.is_some_and(|now| end <= now) {
            return self.remove(key, version);
        }
        // A marker's end only moves later, and an earlier look is early enough.
        if let Some(marker) = self.markers.get_mut(key).filter(|marker| marker.queued.is_none()) {
            marker.queued = Some(end);
            self.expiry.add(end, Arc::clone(key));
        }
        false
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
            Some(_) => return Ok(self.update(&key, update, version)),
        }
        Ok(true)
    }

    fn advance(&mut self, now: Ms, version: u64) -> bool {
        self.now = Some(now);
        let mut changed = false;
        while let Some(key) = self.expiry.pop(now) {
            if let Some(marker) = self.markers.get_mut(&key) {
                marker.queued = None;
            }
            changed |= self.settle(&key, version);
        }
        changed
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
        stored.check(self.settings.trail)?;
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
            self.settle(&key, version);
        }
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
        WidgetValue::Markers(MarkersValue { whole, markers, removed, total, unplaced, gaps: self.gaps.list().to_vec() })
    }

    fn report(&self) -> Value {
        let report = |(key, marker): (&Arc<str>, &Marker)| {
            let (lat, lon) = marker.place?;
            let heading = marker.heading.map_or(Value::Null, number_json);
            let marker = json!({"lat": lat, "lon": lon, "heading": heading, "label": marker.label,
                "state": marker.state});
            Some((key.to_string(), marker))
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
        self.expiry.next()
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
        state: marker.state,
        icon: marker.icon,
        trail,
        trail_whole,
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
    fn check(&self, trail: Option<TrailLook>) -> Result<(), String> {
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
            let is_sound = trail.map_or(marker.trail.is_empty(), |look| marker.trail.is_sound(look));
            if key.is_empty() || key.len() > KEY_BYTES_MAX || !marker.place.is_none_or(is_on_earth) || !is_sound {
                return Err(format!("an impossible marker {key:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use watchfloor_model::Timestamp;

    use super::*;
    use crate::{
        Aggregate,
        testing::{advance, aggregate, event, fold_named as fold},
    };

    fn markers() -> Aggregate {
        aggregate(json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "heading": "h",
            "label": "{k} {alt}", "state": "s", "remove_on": ["gone"], "expire": 1000}))
    }

    fn counts(own: &Aggregate) -> (u32, u32) {
        match own.value(0) {
            WidgetValue::Markers(value) => (value.total, value.unplaced),
            other => panic!("{other:?} are no markers"),
        }
    }

    #[test]
    fn markers_move_and_go() {
        let mut own = markers();
        fold(&mut own, 0, "e", json!({"k": "a", "lat": 40.5, "lon": -73, "h": -90, "alt": 3, "s": "late"}));
        fold(&mut own, 100, "e", json!({"k": "b", "lat": 1, "lon": 2}));
        // An older position doesn't take it back, an event without one leaves it where it is.
        fold(&mut own, 50, "e", json!({"k": "b", "lat": 9, "lon": 9}));
        fold(&mut own, 200, "e", json!({"k": "b", "s": "ok"}));
        let expected = json!({
            "a": {"lat": 40.5, "lon": -73.0, "heading": 270, "label": "a 3", "state": "warning"},
            "b": {"lat": 1.0, "lon": 2.0, "heading": null, "label": "b ----", "state": "normal"},
        });
        assert_eq!(own.report(), expected);
        advance(&mut own, 999);
        assert_eq!((counts(&own), own.next_change()), ((2, 0), Some(Timestamp::from_millis(1000))));
        advance(&mut own, 1000);
        assert_eq!(counts(&own), (1, 0));
        fold(&mut own, 1100, "gone", json!({"k": "b"}));
        assert_eq!(counts(&own), (0, 0));
    }

    /// A word is drawn as the file says, another as a question mark, and what says nothing as before.
    #[test]
    fn icons_follow_their_word() {
        let mut own =
            aggregate(json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "icon": "t", "trail": 40_000}));
        let icon = |own: &Aggregate| match own.value(0) {
            WidgetValue::Markers(value) => value.markers.first().and_then(|marker| marker.icon),
            other => panic!("{other:?} are no markers"),
        };
        for (at, word, expected) in [
            (0, json!("a"), Some(Icon::Ship)),
            (1, json!("b"), Some(Icon::Car)),
            (2, json!("odd"), Some(Icon::Other)),
            (3, Value::Null, None),
        ] {
            fold(&mut own, at, "e", json!({"k": 1, "lat": 1, "lon": 2, "t": word}));
            assert_eq!(icon(&own), expected, "{word}");
        }
        fold(&mut own, 4, "e", json!({"k": 1, "lat": 1, "lon": 2, "t": "a"}));
        fold(&mut own, 5, "e", json!({"k": 1, "lat": 1, "lon": 2}));
        assert_eq!(icon(&own), Some(Icon::Ship), "it says nothing of it");
        let error = own.fold(&event("c", "e", 6, json!({"k": 1, "lat": 1, "lon": 2, "t": [1]}))).expect_err("a list");
        assert_eq!(error.to_string(), "`t`: found a list of 1, expected a text, a number, true, false or null");
    }

    /// A position that comes late moves nothing and finds its place in the trail; a gap is told; what goes takes its trail with it, and a
    /// marker that comes again begins anew for who has seen the old one (H3).
    #[test]
    fn trails_hold_late_positions_and_go_with_their_marker() {
        let mut own = aggregate(
            json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "trail": 40_000, "remove_on": ["gone"]}),
        );
        let value = |own: &Aggregate, since| match own.value(since) {
            WidgetValue::Markers(value) => value,
            other => panic!("{other:?} are no markers"),
        };
        fold(&mut own, 1000, "e", json!({"k": "a", "lat": 1, "lon": 1}));
        fold(&mut own, 3000, "e", json!({"k": "a", "lat": 3, "lon": 3}));
        let painted = own.version();
        fold(&mut own, 2000, "e", json!({"k": "a", "lat": 2, "lon": 2}));
        let late = value(&own, painted);
        assert_eq!((late.markers[0].lat, &late.markers[0].trail), (3.0, &vec![(2000, Some((2.0, 2.0)))]));
        assert!(!late.markers[0].trail_whole);
        own.note_gap(Timestamp::from_millis(3000), Timestamp::from_millis(5000));
        assert_eq!(value(&own, 0).gaps, [(3000, 5000)]);

        let mut other = own.like();
        other.restore(&own.state_text()).expect("its state");
        assert_eq!(other.value(0), own.value(0));

        let painted = own.version();
        fold(&mut own, 6000, "gone", json!({"k": "a"}));
        fold(&mut own, 7000, "e", json!({"k": "a", "lat": 9, "lon": 9}));
        let again = value(&own, painted);
        assert_eq!((again.markers[0].trail_whole, &again.markers[0].trail), (true, &vec![(7000, Some((9.0, 9.0)))]));
    }

    /// What has no position exists all the same, and nothing of it is drawn.
    #[test]
    fn things_without_a_position_are_counted() {
        let mut own = markers();
        fold(&mut own, 0, "e", json!({"k": "a", "lat": null, "lon": null}));
        fold(&mut own, 0, "e", json!({"k": "b"}));
        fold(&mut own, 0, "e", json!({"k": "c", "lat": 1, "lon": 2}));
        assert_eq!(counts(&own), (1, 2));
        let painted = own.version();
        fold(&mut own, 1, "e", json!({"k": "a", "lat": 1, "lon": 2}));
        fold(&mut own, 1, "e", json!({"k": "c", "lat": 1, "lon": null}));
        assert_eq!(counts(&own), (1, 2));
        let WidgetValue::Markers(value) = own.value(painted) else { panic!("no markers") };
        assert_eq!((value.whole, value.markers.len(), value.removed), (false, 1, vec!["c".to_owned()]));
        advance(&mut own, 5000);
        assert_eq!(counts(&own), (0, 0));
    }

    #[test]
    fn places_are_on_earth() {
        let mut own = markers();
        fold(&mut own, 0, "e", json!({"k": "a", "lat": 90, "lon": -180}));
        for (data, reason) in [
            (json!({"k": "a", "lat": 90.1, "lon": 0}), "`lat`: found 90.1, expected a number from -90 to 90"),
            (json!({"k": "a", "lat": 0, "lon": 181}), "`lon`: found 181, expected a number from -180 to 180"),
            (json!({"k": "a", "lat": "40", "lon": 0}), "`lat`: found \"40\", expected a number"),
        ] {
            let error = own.fold(&event("c", "e", 1, data)).expect_err(reason).to_string();
            assert_eq!(error, reason);
        }
        assert_eq!(own.report()["a"]["lat"], 90.0);
    }

    /// H5: markers are bounded, and a key that comes and goes leaves nothing behind.
    #[test]
    fn markers_are_bounded() {
        let mut own = markers();
        for key in 0..MARKERS_MAX {
            fold(&mut own, 0, "e", json!({"k": key, "lat": 1, "lon": 2}));
        }
        let more = event("c", "e", 0, json!({"k": "more", "lat": 1, "lon": 2}));
        assert!(own.fold(&more).expect_err("one too many").to_string().contains("expected one of the 10000 keys"));
        advance(&mut own, 1000);
        fold(&mut own, 1000, "e", json!({"k": "more", "lat": 1, "lon": 2}));
        assert_eq!(counts(&own), (1, 0));
    }
}
