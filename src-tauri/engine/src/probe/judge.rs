//! What statistics mean: which field is a key, a time, a name, a coordinate, a number worth a chart. Names decide where
//! values alone can't; each judgement says by what it was made.

use watchfloor_model::{Json, Shape, limits::ID_BYTES_MAX, path::Path};

use super::learn::{Field, Learner, Learnt};

/// Names of fields in which an event's own name commonly stands.
const KIND_NAMES: [&str; 7] = ["type", "event", "eventtype", "eventname", "action", "kind", "messagetype"];
/// Names of fields in which the time commonly stands at which it happened, the surest first.
const TIME_NAMES: [&str; 14] = [
    "time",
    "timestamp",
    "at",
    "ts",
    "t",
    "date",
    "datetime",
    "eventtime",
    "occurredat",
    "createdat",
    "sentat",
    "updatedat",
    "created",
    "updated",
];
/// Names of keys that are nothing else.
const ID_NAMES: [&str; 4] = ["id", "key", "uuid", "guid"];
/// Names of fields that commonly tell one thing from another.
const CODE_NAMES: [&str; 20] = [
    "code",
    "sku",
    "symbol",
    "ticker",
    "number",
    "no",
    "nr",
    "serial",
    "mmsi",
    "imei",
    "icao",
    "icao24",
    "callsign",
    "registration",
    "reference",
    "ref",
    "pair",
    "isin",
    "mac",
    "slug",
];
/// The same, of things.
const THING_NAMES: [&str; 22] = [
    "device", "sensor", "station", "machine", "host", "hostname", "order", "flight", "vehicle", "train", "ship",
    "vessel", "user", "account", "gate", "line", "job", "service", "node", "room", "room", "product",
];
/// Ends of such names.
const ID_ENDS: [&str; 6] = ["id", "key", "code", "number", "uuid", "no"];
/// Names of texts that repeat and are no keys.
const WORD_NAMES: [&str; 18] = [
    "status", "state", "type", "kind", "event", "level", "severity", "priority", "reason", "message", "text", "unit",
    "action", "category", "currency", "source", "version", "side",
];
/// Names of angles, whose mean says nothing.
const ANGLE_NAMES: [&str; 8] =
    ["heading", "bearing", "course", "direction", "azimuth", "angle", "winddirection", "track"];
/// Those of them that say where a thing on a map points to, the surest first.
const HEADING_NAMES: [&str; 4] = ["heading", "bearing", "course", "track"];
/// How many words an event's name may have, to be taken for one.
const KINDS_MAX: usize = 16;
/// After so many events a key would have come a second time.
const REPEATS_AFTER: u64 = 8;
/// The longest key that has no name of one.
const KEY_BYTES_MAX: usize = 64;
/// Names of texts by which people call a thing, the surest first.
const LABEL_NAMES: [&str; 4] = ["label", "name", "title", "displayname"];
/// The longest of those that has room beside a marker.
const NAME_BYTES_MAX: usize = 24;
/// A key that is longer isn't read well there.
const LABEL_BYTES_MAX: usize = 12;
/// So many numbers make a line.
const POINTS_MIN: u64 = 3;
/// How deep a list of rows is looked for.
const ROWS_DEPTH_MAX: usize = 2;
/// Rows that are looked at for a key.
const ROWS_LOOKED_MAX: usize = 10_000;

/// Lower case, without what divides words.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a name ends in a word that keys commonly end in: `order_id`, `orderId`, `ORDER-ID`, but not `paid`.
fn ends_like_key(name: &str) -> bool {
    ID_ENDS.iter().any(|end| {
        let Some(at) = name.len().checked_sub(end.len()).filter(|at| *at > 0 && name.is_char_boundary(*at)) else {
            return false;
        };
        let (head, tail) = name.split_at(at);
        let divided = head.ends_with(['_', '-', '.', ' ']);
        let humped =
            tail.starts_with(char::is_uppercase) && head.ends_with(|c: char| c.is_lowercase() || c.is_numeric());
        tail.eq_ignore_ascii_case(end) && (divided || humped)
    })
}

/// A field that may tell rows apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) path: Path,
    /// Why it is taken for one.
    pub(crate) because: String,
    /// Whether that is a guess more than a finding.
    pub(crate) is_unsure: bool,
    score: i64,
}

/// How much a name looks like a key's: 0 for not at all.
fn key_name(name: &str) -> i64 {
    let plain = plain(name);
    let has = |names: &[&str]| names.contains(&plain.as_str());
    if has(&ID_NAMES) {
        100
    } else if ends_like_key(name) {
        80
    } else if has(&CODE_NAMES) {
        70
    } else if has(&THING_NAMES) {
        60
    } else {
        0
    }
}

/// Whether a field is called as what the events are of: `airport` or `airport_id` of `airport.status`.
fn is_of_event(event: &str, field: &str) -> bool {
    let field = plain(field);
    let stem = ID_ENDS.iter().find_map(|end| field.strip_suffix(end).filter(|stem| !stem.is_empty()));
    let mut words = event.split(|c: char| !c.is_alphanumeric()).map(plain).filter(|word| !word.is_empty());
    words.any(|word| word == field || stem.is_some_and(|stem| word == stem))
}

/// Fields of the events of this name that may be their key, the likeliest first.
pub(crate) fn keys(event: &str, learnt: &Learnt) -> Vec<Key> {
    let mut keys: Vec<Key> = learnt.fields.iter().filter_map(|field| key(event, learnt, field)).collect();
    keys.sort_by_key(|key| -key.score);
    keys
}

/// Whether each of these events has something in this field that could tell rows apart.
fn can_tell_apart(learnt: &Learnt, field: &Field) -> bool {
    let is_whole = field.wholes == field.seen;
    let in_all = field.seen == learnt.count && field.nulls == 0;
    in_all
        && field.empty == 0
        && (is_whole || field.texts == field.seen)
        && field.longest <= ID_BYTES_MAX
        && !field.is_any_time()
}

fn key(event: &str, learnt: &Learnt, field: &Field) -> Option<Key> {
    if !can_tell_apart(learnt, field) {
        return None;
    }
    let repeats = !field.has_more_values() && (field.distinct() as u64) < field.seen;
    let is_word = WORD_NAMES.contains(&plain(&field.name).as_str());
    let is_of_event = !is_word && is_of_event(event, &field.name);
    let named = match (key_name(&field.name), is_of_event) {
        (0, false) => 0,
        (0, true) => 60,
        (named, is_of_event) => named + if is_of_event { 45 } else { 0 },
    };
    let depth = field.path.steps() as i64;
    let (distinct, seen) = (field.distinct(), field.seen);
    let called = if is_of_event { "it is called as in the events' name" } else { "it is called like a key" };
    let (score, because, is_unsure) = match (named, repeats) {
        (0, true) => {
            let words = is_word || field.longest > KEY_BYTES_MAX;
            if words || !field.is_text() || distinct < 2 || distinct as u64 > seen / 2 {
                return None;
            }
            (20, format!("{distinct} texts that repeat in {seen} events"), true)
        }
        (0, false) => return None,
        (named, true) => {
            let values = if distinct == 1 {
                "its one value repeats".to_owned()
            } else {
                format!("its {distinct} values repeat")
            };
            (named + 60, format!("{called}, and {values} in {seen} events"), false)
        }
        // One a row of each event: that is an event's own number, and a table of those is a log.
        (_, false) if seen >= REPEATS_AFTER => return None,
        (named, false) => (named, format!("{called}; in {seen} events none came a second time"), true),
    };
    Some(Key { path: field.path.clone(), because, is_unsure, score: score - 5 * depth })
}

/// Whether events whose own keys are `own` belong into the table of `lead`'s events, which is by `key`.
pub(crate) fn shares_table(key: &Key, lead: &Learnt, learnt: &Learnt, own: &[Key]) -> bool {
    let Some((field, other)) = learnt.field(&key.path).zip(lead.field(&key.path)) else { return false };
    let is_own = own.first().is_some_and(|own| own.path == key.path);
    // What is found to be the key of some events is that of others too, though it comes but once in them.
    let is_same = !key.is_unsure && own.first().is_none_or(|own| own.is_unsure) && can_tell_apart(learnt, field);
    // An `id` may be that of anything.
    let is_plain = ID_NAMES.contains(&plain(&field.name).as_str());
    (is_own || is_same) && (!is_plain || field.shares_values(other))
}

/// What is written beside a marker: a name, or the shortest text that tells these things apart as well as `key` does.
pub(crate) fn label(event: &str, learnt: &Learnt, key: &Path) -> Path {
    let Some(own) = learnt.field(key) else { return key.clone() };
    let is_label = |field: &&Field| {
        field.parent == own.parent && field.is_text() && field.seen == own.seen && field.longest <= NAME_BYTES_MAX
    };
    let rank = |field: &&Field| LABEL_NAMES.iter().position(|name| *name == plain(&field.name));
    let named = learnt.fields.iter().filter(is_label).filter(|field| rank(field).is_some()).min_by_key(rank);
    if let Some(field) = named {
        return field.path.clone();
    }
    let others = keys(event, learnt).into_iter().filter_map(|other| learnt.field(&other.path));
    let short =
        others.filter(|other| own.longest > LABEL_BYTES_MAX && other.is_text() && other.longest <= LABEL_BYTES_MAX);
    let near = short.filter(|other| other.distinct() * 10 >= own.distinct() * 9);
    near.min_by_key(|other| other.longest).map_or_else(|| key.clone(), |other| other.path.clone())
}

/// Whether a field says shortly which thing an event is of.
pub(crate) fn says_which(field: &Field) -> bool {
    key_name(&field.name) > 0 && field.longest <= LABEL_BYTES_MAX
}

/// Two fields that may be a place on the map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Coordinates {
    pub(crate) lat: Path,
    pub(crate) lon: Path,
    /// Where what is there points to.
    pub(crate) heading: Option<Path>,
    /// West, south, east, north of what was seen.
    pub(crate) extent: [f64; 4],
}

/// The first pair of fields that are called latitude and longitude and are in range.
pub(crate) fn coordinates(learnt: &Learnt) -> Option<Coordinates> {
    learnt.fields.iter().find_map(|lat| {
        let (south, north) = within(lat, &["lat", "latitude"], 90.0)?;
        let beside = |field: &&Field| field.parent == lat.parent && field.seen == lat.seen;
        let lon = learnt
            .fields
            .iter()
            .filter(beside)
            .find_map(|lon| within(lon, &["lon", "lng", "long", "longitude"], 180.0).map(|range| (lon, range)));
        let (lon, (west, east)) = lon?;
        let rank = |field: &&Field| HEADING_NAMES.iter().position(|name| *name == plain(&field.name));
        let is_heading = |field: &&Field| {
            field.parent == lat.parent
                && field.is_number()
                && field.range.is_some_and(|(low, high)| low >= 0.0 && high <= 360.0)
        };
        let headings = learnt.fields.iter().filter(is_heading).filter(|field| rank(field).is_some());
        let heading = headings.min_by_key(rank).map(|field| field.path.clone());
        let (lat, lon) = (lat.path.clone(), lon.path.clone());
        Some(Coordinates { lat, lon, heading, extent: [west, south, east, north] })
    })
}

fn within(field: &Field, names: &[&str], most: f64) -> Option<(f64, f64)> {
    let (low, high) = field.range.filter(|(low, high)| *low >= -most && *high <= most)?;
    (field.is_number() && names.contains(&plain(&field.name).as_str())).then_some((low, high))
}

/// Whether a number is worth a chart: it varies, and is no key, place, angle or time.
pub(crate) fn is_measure(field: &Field) -> bool {
    let name = plain(&field.name);
    field.is_number()
        && field.numbers >= POINTS_MIN
        && field.varies()
        && key_name(&field.name) == 0
        && !["lat", "latitude", "lon", "lng", "long", "longitude", "seq", "sequence", "index"].contains(&name.as_str())
        && !ANGLE_NAMES.contains(&name.as_str())
        && !field.is_any_time()
        && field.range.is_some_and(|(low, high)| low < high)
}

/// The field in which these events' names stand, if one looks like that: all of its events have it, and it has few words.
pub(crate) fn kind_field(learnt: &Learnt) -> Option<Path> {
    let fits = |field: &&Field| {
        let few = field.distinct() <= KINDS_MAX && (field.distinct() == 1 || field.distinct() as u64 * 2 <= field.seen);
        field.seen == learnt.count
            && field.texts == field.seen
            && field.empty == 0
            && field.longest <= KEY_BYTES_MAX
            && few
            && !field.has_more_values()
            && field.parent.is_none()
    };
    let rank = |field: &&Field| KIND_NAMES.iter().position(|name| *name == plain(&field.name));
    let fields = learnt.fields.iter().filter(fits).filter(|field| rank(field).is_some());
    fields.min_by_key(rank).map(|field| field.path.clone())
}

/// The field in which the time stands at which an event happened, the same for all events.
pub(crate) fn time_field(learner: &Learner) -> Option<Path> {
    let names = learner.names();
    let (_, first) = names.first()?;
    let rank = |field: &Field| TIME_NAMES.iter().position(|name| *name == plain(&field.name));
    let fits = |learnt: &Learnt, path: &Path| {
        learnt.field(path).is_some_and(|field| field.seen == learnt.count && field.near == field.seen)
    };
    let fields = first.fields.iter().filter(|field| rank(field).is_some());
    let mut fields: Vec<&Field> = fields.filter(|field| names.iter().all(|(_, one)| fits(one, &field.path))).collect();
    fields.sort_by_key(|field| (field.path.steps(), rank(field)));
    fields.first().map(|field| field.path.clone())
}

/// Rows within a document: where their list stands, if it isn't the whole, and what tells them apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    pub(crate) at: Option<Path>,
    pub(crate) key: Path,
    pub(crate) count: usize,
}

/// The first list of objects in a document that have a key of their own.
pub(crate) fn rows(document: Json<'_>) -> Option<Rows> {
    rows_below(document, None, 0)
}

fn rows_below(value: Json<'_>, at: Option<&Path>, depth: usize) -> Option<Rows> {
    if let Shape::List(count) = value.shape() {
        return (count <= ROWS_LOOKED_MAX).then(|| row_key(value))?.map(|key| Rows { at: at.cloned(), key, count });
    }
    if depth >= ROWS_DEPTH_MAX {
        return None;
    }
    value.fields().take(100).find_map(|(name, value)| {
        let own = Path::key(name);
        let path = at.map_or_else(|| own.clone(), |at| at.join(&own));
        path.to_string().parse::<Path>().ok().filter(|read| *read == path)?;
        rows_below(value, Some(&path), depth + 1)
    })
}

/// The field by which each row of a list differs from the others, and that is called like a key.
fn row_key(list: Json<'_>) -> Option<Path> {
    let first = list.item(0)?;
    let mut fields: Vec<&str> = first.fields().map(|(name, _)| name).filter(|name| key_name(name) > 0).collect();
    fields.sort_by_key(|name| -key_name(name));
    fields.into_iter().take(8).find_map(|name| {
        let mut seen = std::collections::BTreeSet::new();
        let unique = list.items().all(|row| match row.get(name).map(Json::shape) {
            Some(Shape::Text(text)) if !text.is_empty() && text.len() <= ID_BYTES_MAX => seen.insert(text.to_owned()),
            Some(Shape::Number(number)) => seen.insert(number.to_string()),
            _ => false,
        });
        let path = Path::key(name);
        (unique && path.to_string().parse::<Path>().is_ok_and(|read| read == path)).then_some(path)
    })
}
