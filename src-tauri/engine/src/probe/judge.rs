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
/// How many words an event's name may have, to be taken for one.
const KINDS_MAX: usize = 16;
/// After so many events a key would have come a second time.
const REPEATS_AFTER: u64 = 8;
/// The longest key that has no name of one.
const KEY_BYTES_MAX: usize = 64;
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

/// Fields of these events that may be their key, the likeliest first.
pub(crate) fn keys(learnt: &Learnt) -> Vec<Key> {
    let mut keys: Vec<Key> = learnt.fields.iter().filter_map(|field| key(learnt, field)).collect();
    keys.sort_by_key(|key| -key.score);
    keys
}

fn key(learnt: &Learnt, field: &Field) -> Option<Key> {
    let is_whole = field.wholes == field.seen;
    let in_all = field.seen == learnt.count && field.nulls == 0;
    if !in_all || field.empty > 0 || !(is_whole || field.texts == field.seen) || field.longest > ID_BYTES_MAX {
        return None;
    }
    if field.is_any_time() {
        return None;
    }
    let repeats = !field.has_more_values() && (field.distinct() as u64) < field.seen;
    let named = key_name(&field.name);
    let depth = field.path.steps() as i64;
    let (distinct, seen) = (field.distinct(), field.seen);
    let (score, because, is_unsure) = match (named, repeats) {
        (0, true) => {
            let words = WORD_NAMES.contains(&plain(&field.name).as_str()) || field.longest > KEY_BYTES_MAX;
            if words || !field.is_text() || distinct < 2 || distinct as u64 > seen / 2 {
                return None;
            }
            (20, format!("{distinct} texts that repeat in {seen} events"), true)
        }
        (0, false) => return None,
        (named, true) => {
            (named + 60, format!("it is called like a key, and its {distinct} values repeat in {seen} events"), false)
        }
        // One a row of each event: that is an event's own number, and a table of those is a log.
        (_, false) if seen >= REPEATS_AFTER => return None,
        (named, false) => (named, format!("it is called like a key; in {seen} events none came a second time"), true),
    };
    Some(Key { path: field.path.clone(), because, is_unsure, score: score - 5 * depth })
}

/// Two fields that may be a place on the map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Coordinates {
    pub(crate) lat: Path,
    pub(crate) lon: Path,
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
        Some(Coordinates { lat: lat.path.clone(), lon: lon.path.clone(), extent: [west, south, east, north] })
    })
}

fn within(field: &Field, names: &[&str], most: f64) -> Option<(f64, f64)> {
    let (low, high) = field.range.filter(|(low, high)| *low >= -most && *high <= most)?;
    (field.is_number() && names.contains(&plain(&field.name).as_str())).then_some((low, high))
}

/// Whether a number is worth a chart: it varies, and is no key, place or time.
pub(crate) fn is_measure(field: &Field) -> bool {
    let name = plain(&field.name);
    field.is_number()
        && field.numbers >= POINTS_MIN
        && field.varies()
        && key_name(&field.name) == 0
        && !["lat", "latitude", "lon", "lng", "long", "longitude", "seq", "sequence", "index"].contains(&name.as_str())
        && !(field.is_any_time())
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
