//! What events look like: counted, and nothing kept of them but statistics of bounded size (H5).

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use watchfloor_model::{Event, Json, Shape, Timestamp, path::Path};

/// Event names that are told apart.
const NAMES_MAX: usize = 64;
/// Fields of one event name that are told apart.
const FIELDS_MAX: usize = 100;
/// How deep fields are looked for.
const DEPTH_MAX: usize = 4;
/// Different values of one field that are told apart.
const DISTINCT_MAX: usize = 512;
/// Digits after the point that are looked for.
const DECIMALS_MAX: u32 = 3;
/// Seconds since 1970 of the years 2000 and 2100: what lies between may be a time.
const SECONDS: (f64, f64) = (946_684_800.0, 4_102_444_800.0);
/// A field whose times all lie so near to the events' own, in milliseconds, may be when they happened.
const NEAR: i64 = 600_000;

/// What was learnt so far.
#[derive(Debug, Default)]
pub(crate) struct Learner {
    names: BTreeMap<Arc<str>, Learnt>,
    events: u64,
    unlisted: u64,
}

/// What was learnt of the events of one name.
#[derive(Debug)]
pub(crate) struct Learnt {
    pub(crate) count: u64,
    /// Fields in their order of appearance.
    pub(crate) fields: Vec<Field>,
    places: BTreeMap<Path, usize>,
    /// Bodies that are no objects: no path points into them.
    pub(crate) bare: u64,
    /// It has more fields than are told apart.
    pub(crate) has_more: bool,
}

/// One field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) path: Path,
    /// The last key of the path.
    pub(crate) name: String,
    /// The path of the object that it stands in; none at the top.
    pub(crate) parent: Option<Path>,
    pub(crate) seen: u64,
    pub(crate) nulls: u64,
    pub(crate) flags: u64,
    pub(crate) texts: u64,
    pub(crate) numbers: u64,
    pub(crate) wholes: u64,
    pub(crate) lists: u64,
    pub(crate) objects: u64,
    /// The least and the greatest number.
    pub(crate) range: Option<(f64, f64)>,
    /// Digits after the point, as far as they are looked for.
    pub(crate) decimals: u32,
    /// The longest text, in bytes.
    pub(crate) longest: usize,
    pub(crate) empty: u64,
    /// Times that a wall can show: RFC 3339 or milliseconds.
    pub(crate) times: u64,
    /// The same in seconds, which only `event.time` takes.
    pub(crate) seconds: u64,
    /// Times that lie near to when the event came.
    pub(crate) near: u64,
    values: BTreeSet<u64>,
    overflow: bool,
}

impl Learner {
    /// Takes one event, by a name that may differ from its own.
    pub(crate) fn take(&mut self, name: &Arc<str>, event: &Event) {
        self.events += 1;
        if !self.names.contains_key(name) && self.names.len() >= NAMES_MAX {
            self.unlisted += 1;
            return;
        }
        let learnt = self.names.entry(name.clone()).or_insert_with(|| Learnt {
            count: 0,
            fields: Vec::new(),
            places: BTreeMap::new(),
            bare: 0,
            has_more: false,
        });
        learnt.count += 1;
        match event.data.value().shape() {
            Shape::Object(_) => learnt.object(None, event.data.value(), event.time, 1),
            _ => learnt.bare += 1,
        }
    }

    /// Every event name with what was learnt of it, the most frequent first.
    pub(crate) fn names(&self) -> Vec<(&Arc<str>, &Learnt)> {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
        names
    }

    /// Events taken.
    pub(crate) const fn events(&self) -> u64 {
        self.events
    }

    /// Events of names beyond those that are told apart.
    pub(crate) const fn unlisted(&self) -> u64 {
        self.unlisted
    }
}

impl Learnt {
    fn object(&mut self, parent: Option<&Path>, object: Json<'_>, time: Timestamp, depth: usize) {
        for (name, value) in object.fields().take(FIELDS_MAX) {
            let own = Path::key(name);
            let path = parent.map_or_else(|| own.clone(), |parent| parent.join(&own));
            let Some(at) = self.place(path, name, parent) else { continue };
            self.fields[at].take(value, time);
            if depth < DEPTH_MAX && matches!(value.shape(), Shape::Object(_)) {
                let path = self.fields[at].path.clone();
                self.object(Some(&path), value, time, depth + 1);
            }
        }
    }

    /// Where the field of this path is counted; none if that isn't or can't be written in a board file.
    fn place(&mut self, path: Path, name: &str, parent: Option<&Path>) -> Option<usize> {
        if let Some(at) = self.places.get(&path) {
            return Some(*at);
        }
        if self.fields.len() >= FIELDS_MAX {
            self.has_more = true;
            return None;
        }
        path.to_string().parse::<Path>().ok().filter(|read| *read == path)?;
        let at = self.fields.len();
        self.fields.push(Field::new(path.clone(), name.to_owned(), parent.cloned()));
        self.places.insert(path, at);
        Some(at)
    }

    /// The field of this path.
    pub(crate) fn field(&self, path: &Path) -> Option<&Field> {
        self.places.get(path).and_then(|at| self.fields.get(*at))
    }

    /// Events a second, over the time that was listened; none if that is none.
    pub(crate) fn rate(&self, listened: f64) -> Option<f64> {
        (listened > 0.0).then(|| self.count as f64 / listened)
    }
}

impl Field {
    const fn new(path: Path, name: String, parent: Option<Path>) -> Self {
        Self {
            path,
            name,
            parent,
            seen: 0,
            nulls: 0,
            flags: 0,
            texts: 0,
            numbers: 0,
            wholes: 0,
            lists: 0,
            objects: 0,
            range: None,
            decimals: 0,
            longest: 0,
            empty: 0,
            times: 0,
            seconds: 0,
            near: 0,
            values: BTreeSet::new(),
            overflow: false,
        }
    }

    fn take(&mut self, value: Json<'_>, time: Timestamp) {
        self.seen += 1;
        match value.shape() {
            Shape::Null => self.nulls += 1,
            Shape::Bool(flag) => {
                self.flags += 1;
                self.note(&flag);
            }
            Shape::Number(number) => {
                let text = number.to_string();
                self.note(&text);
                self.numbers += 1;
                self.wholes += u64::from(number.is_i64() || number.is_u64());
                let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
                self.decimals = self.decimals.max(u32::try_from(digits).unwrap_or(DECIMALS_MAX).min(DECIMALS_MAX));
                if let Some(number) = number.as_f64() {
                    let (low, high) = self.range.unwrap_or((number, number));
                    self.range = Some((low.min(number), high.max(number)));
                    self.note_number_as_time(number, time);
                }
            }
            Shape::Text(text) => {
                self.texts += 1;
                self.note(&text);
                self.longest = self.longest.max(text.len());
                self.empty += u64::from(text.is_empty());
                if let Some(at) = text.parse::<jiff::Timestamp>().ok().filter(|_| text.len() <= 40) {
                    self.times += 1;
                    self.near += u64::from(is_near(at.as_millisecond(), time));
                }
            }
            Shape::List(_) => self.lists += 1,
            Shape::Object(_) => self.objects += 1,
        }
    }

    fn note_number_as_time(&mut self, number: f64, time: Timestamp) {
        let within = |number: f64| number >= SECONDS.0 && number < SECONDS.1;
        #[expect(clippy::cast_possible_truncation, reason = "within the years 2000 to 2100")]
        if within(number) {
            self.seconds += 1;
            self.near += u64::from(is_near((number * 1000.0) as i64, time));
        } else if within(number / 1000.0) {
            self.times += 1;
            self.near += u64::from(is_near(number as i64, time));
        }
    }

    fn note(&mut self, value: &impl Hash) {
        // Without a seed: the same events always give the same board.
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let hash = hasher.finish();
        if self.values.len() < DISTINCT_MAX {
            self.values.insert(hash);
        } else if !self.values.contains(&hash) {
            self.overflow = true;
        }
    }

    /// How many different values it had, as far as they are told apart.
    pub(crate) fn distinct(&self) -> usize {
        self.values.len()
    }

    /// Whether some value was one of the other's too.
    pub(crate) fn shares_values(&self, other: &Self) -> bool {
        !self.values.is_disjoint(&other.values)
    }

    /// Whether it had more different values than are told apart.
    pub(crate) const fn has_more_values(&self) -> bool {
        self.overflow
    }

    /// Whether it was a single value each time, never a list or an object.
    pub(crate) const fn is_scalar(&self) -> bool {
        self.lists == 0 && self.objects == 0 && self.seen > self.nulls
    }

    /// Whether it was a number each time that it wasn't null.
    pub(crate) const fn is_number(&self) -> bool {
        self.numbers > 0 && self.numbers + self.nulls == self.seen
    }

    /// Whether it was a text each time that it wasn't null.
    pub(crate) const fn is_text(&self) -> bool {
        self.texts > 0 && self.texts + self.nulls == self.seen
    }

    /// Whether every value can be shown as a time.
    pub(crate) const fn is_time(&self) -> bool {
        self.times > 0 && self.times + self.nulls == self.seen
    }

    /// Whether every value is some kind of time.
    pub(crate) const fn is_any_time(&self) -> bool {
        self.times + self.seconds > 0 && self.times + self.seconds + self.nulls == self.seen
    }

    /// Whether it was each time the same.
    pub(crate) fn varies(&self) -> bool {
        self.values.len() > 1
    }
}

fn is_near(millis: i64, time: Timestamp) -> bool {
    millis.abs_diff(time.as_millis()) <= NEAR.unsigned_abs()
}
