//! What the fences of the map must say of a marker: from all that it ever said, anew at each question.

use crate::server::Published;

const MINUTE: i64 = 60_000;
/// `lost-after`
const LOST_AFTER: i64 = 10 * MINUTE;
/// `for` of the field.
const FIELD_FOR: i64 = MINUTE;
/// Degrees east and north.
const FIELD: [(f64, f64); 4] = [(0.0, 0.0), (120.0, 10.0), (60.0, 80.0), (10.0, 60.0)];
const REACH: (f64, f64) = (90.0, 45.0);
const REACH_KM: f64 = 2_000.0;
/// IUGG 1980.
const EARTH_KM: f64 = 6_371.008_8;

/// The state of a marker, and the fence that made it so.
pub(super) fn of(events: &[Published], key: u64, time: i64) -> (&'static str, Option<&'static str>) {
    // Each position that replaced an older one, since it was last removed.
    let mut story: Vec<(i64, (f64, f64))> = Vec::new();
    for event in events.iter().filter(|event| event.said.key == key) {
        match event.said.name {
            "drop" => story.clear(),
            "set" if story.last().is_none_or(|(before, _)| event.time >= *before) => {
                story.push((event.time, ((event.said.value % 180) as f64, (event.said.value % 90) as f64)));
            }
            _ => {}
        }
    }
    let Some((heard, _)) = story.last() else { return ("normal", None) };
    let now = time.max(*heard);
    if now - heard >= LOST_AFTER {
        return ("unknown", None);
    }
    if counts(&story, now, 0, in_reach) {
        return ("alarm", Some("reach"));
    }
    if counts(&story, now, FIELD_FOR, in_field) { ("warning", Some("field")) } else { ("normal", None) }
}

/// Whether a marker counts as inside: it is on the side on which it was for long enough without a break, at last.
fn counts(story: &[(i64, (f64, f64))], now: i64, hold: i64, holds: fn((f64, f64)) -> bool) -> bool {
    let mut side = false;
    let mut stretch: Option<(bool, i64)> = None;
    let mut before: Option<i64> = None;
    let mut look = |stretch: Option<(bool, i64)>, at: i64| {
        if let Some((is_in, since)) = stretch
            && at - since >= hold
        {
            side = is_in;
        }
        side
    };
    for (at, place) in story {
        let is_in = holds(*place);
        let is_first = before.is_none_or(|before| at - before >= LOST_AFTER);
        look(stretch, *at);
        if is_first {
            // It counts at once.
            look(Some((is_in, at - hold)), *at);
            stretch = Some((is_in, *at));
        } else if stretch.is_none_or(|(side, _)| side != is_in) {
            stretch = Some((is_in, *at));
        }
        before = Some(*at);
    }
    look(stretch, now)
}

/// By the winding number: how often the corners go around the place. On the border it counts as inside.
fn in_field((lon, lat): (f64, f64)) -> bool {
    let mut turned = 0.0;
    for (number, (a_lon, a_lat)) in FIELD.iter().enumerate() {
        let (b_lon, b_lat) = FIELD[(number + 1) % FIELD.len()];
        let (a, b) = ((a_lon - lon, a_lat - lat), (b_lon - lon, b_lat - lat));
        let (across, along) = (a.0 * b.1 - a.1 * b.0, a.0 * b.0 + a.1 * b.1);
        // Of whole degrees the products are exact.
        if across == 0.0 && along <= 0.0 {
            return true;
        }
        turned += across.atan2(along);
    }
    turned.abs() > std::f64::consts::PI
}

/// By the angle between two directions from the earth's middle.
fn in_reach(place: (f64, f64)) -> bool {
    let direction = |(lon, lat): (f64, f64)| {
        let (lon, lat) = (lon.to_radians(), lat.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    let cosine: f64 = direction(place).iter().zip(direction(REACH)).map(|(a, b)| a * b).sum();
    cosine.clamp(-1.0, 1.0).acos() * EARTH_KM <= REACH_KM
}
