//! What each kind folds and how it is drawn.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    against::AgainstText,
    decode::sorted_once,
    diagnostic::{Problem, Sink},
    duration,
    keys::kind::{self, KindShape, Operand, SERIES_BUCKETS_MAX},
    spec::{LookSpec, ReducerSpec, StateSpec},
    table::{Key, Shape, TableReader, names},
};
use crate::path::Path;

const DAY_MILLIS: u128 = 86_400_000;

/// A kind's part of a widget.
pub(super) struct Folded {
    pub(super) reducer: ReducerSpec,
    pub(super) look: LookSpec,
    /// Whether the reducer's state depends on the zone.
    pub(super) knows_days: bool,
    /// What a number is held against.
    pub(super) against: Option<AgainstText>,
}

/// Reads the settings of a kind; `None` if something was reported.
pub(super) fn read_kind(reader: &TableReader<'_>, kind: &'static KindShape, sink: &mut Sink<'_>) -> Option<Folded> {
    match kind.name {
        "counter" => counter(reader, sink),
        "gauge" => gauge(reader, sink),
        "rate" => rate(reader, sink),
        "window" => window(reader, sink),
        "table" => table(reader, sink),
        "log" => log(reader, sink),
        "series" => series(reader, sink),
        "status" => status(reader, sink),
        _ => markers(reader, sink),
    }
}

fn counter(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let look = number_look(reader, sink);
    let against = optional(reader, &kind::AGAINST, sink);
    let stat = reader.get(&kind::COUNTER_STAT, sink);
    let operand = operand(reader, stat.is_some(), true, sink);
    let reset_daily_minutes = optional(reader, &kind::RESET, sink);
    let trend = optional(reader, &kind::TREND, sink);
    let (value, matching) = operand?;
    let reset_daily_minutes = reset_daily_minutes?;
    let reducer = ReducerSpec::Counter { stat: stat?, value, matching, reset_daily_minutes, trend: trend? };
    Some(Folded { reducer, look: look?, knows_days: reset_daily_minutes.is_some(), against: against? })
}

fn gauge(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let look = number_look(reader, sink);
    let against = optional(reader, &kind::AGAINST, sink);
    let value = reader.get(&kind::GAUGE_VALUE, sink);
    let trend = optional(reader, &kind::TREND, sink);
    Some(Folded {
        reducer: ReducerSpec::Gauge { value: value?, trend: trend? },
        look: look?,
        knows_days: false,
        against: against?,
    })
}

fn rate(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let look = number_look(reader, sink);
    let against = optional(reader, &kind::AGAINST, sink);
    let last = reader.get(&kind::LAST, sink);
    let per = reader.get(&kind::PER, sink);
    let value = optional(reader, &kind::RATE_VALUE, sink);
    let trend = optional(reader, &kind::TREND, sink);
    let reducer = ReducerSpec::Rate { last: last?, per: per?, value: value?, trend: trend? };
    Some(Folded { reducer, look: look?, knows_days: false, against: against? })
}

fn window(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let look = number_look(reader, sink);
    let against = optional(reader, &kind::AGAINST, sink);
    let last = reader.get(&kind::LAST, sink);
    let stat = reader.get(&kind::WINDOW_STAT, sink);
    let operand = operand(reader, stat.is_some(), true, sink);
    let trend = optional(reader, &kind::TREND, sink);
    let (value, matching) = operand?;
    let reducer = ReducerSpec::Window { last: last?, stat: stat?, value, matching, trend: trend? };
    Some(Folded { reducer, look: look?, knows_days: false, against: against? })
}

fn table(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&kind::TABLE_KEY, sink);
    let columns = reader.get(&kind::TABLE_COLUMNS, sink);
    let sort = optional(reader, &kind::SORT, sink);
    let limit = reader.get(&kind::TABLE_LIMIT, sink);
    let removed = reader.get(&kind::REMOVE_ON, sink);
    let remove_on = sorted_once(reader, "remove-on", removed, sink);
    let expire = optional(reader, &kind::EXPIRE, sink);
    let expire_at = optional(reader, &kind::EXPIRE_AT, sink);
    let state = states(reader, sink);
    let (columns, looks): (Vec<Path>, Vec<_>) = columns?.into_iter().unzip();
    if let Some(at) = looks.iter().position(|look| look.format == "state")
        && !reader.has("state")
    {
        sink.report(Problem {
            span: reader.span_of_item("columns", at),
            message: "`format = \"state\"` in a table without `state`".to_owned(),
            found: "`format = \"state\"`".to_owned(),
            expected: "`state` and `states` in the widget, or another format".to_owned(),
            help: None,
        });
        return None;
    }
    let (sort, descending) = sort?.map_or((None, false), |(path, descending)| (Some(path), descending));
    let reducer = ReducerSpec::Table {
        key: key?,
        columns,
        sort,
        descending,
        limit: limit?,
        remove_on: remove_on?,
        expire: expire?,
        expire_at: expire_at?,
        state: state?,
    };
    Some(Folded { reducer, look: LookSpec { columns: looks, ..LookSpec::default() }, knows_days: false, against: None })
}

fn log(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let text = reader.get(&kind::TEXT, sink);
    let limit = reader.get(&kind::LOG_LIMIT, sink);
    let state = states(reader, sink);
    let reducer = ReducerSpec::Log { text: text?, limit: limit?, state: state? };
    Some(Folded { reducer, look: LookSpec::default(), knows_days: false, against: None })
}

fn series(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let bucket = reader.get(&kind::BUCKET, sink);
    let keep = reader.get(&kind::KEEP, sink);
    let stat = reader.get(&kind::SERIES_STAT, sink);
    let operand = operand(reader, stat.is_some(), false, sink);
    let by = optional(reader, &kind::BY, sink);
    let draw = reader.get(&kind::DRAW, sink);
    let unit = reader.get(&kind::UNIT, sink);
    let decimals = reader.get(&kind::DECIMALS, sink);
    let (bucket, keep) = sound_buckets(reader, bucket, keep, sink)?;
    let (value, _) = operand?;
    let reducer = ReducerSpec::Series { bucket, keep, stat: stat?, value, by: by? };
    let decimals = u8::try_from(decimals?).ok()?;
    let look = LookSpec { draw: draw?, unit, decimals, ..LookSpec::default() };
    Some(Folded { reducer, look, knows_days: false, against: None })
}

/// The longest length below this one that divides a day: whole seconds, or milliseconds for what is shorter.
fn next_shorter(bucket: Duration) -> Option<Duration> {
    let step = Duration::from_millis(if bucket.as_secs() > 0 { 1000 } else { 1 });
    let steps = u32::try_from(bucket.as_millis() / step.as_millis()).ok()?;
    (1..=steps).rev().map(|count| step * count).find(|length| DAY_MILLIS.is_multiple_of(length.as_millis()))
}

/// Whether the buckets divide a day, and how many there are.
fn sound_buckets(
    reader: &TableReader<'_>,
    bucket: Option<Duration>,
    keep: Option<Duration>,
    sink: &mut Sink<'_>,
) -> Option<(Duration, Duration)> {
    let bucket = bucket?;
    if !DAY_MILLIS.is_multiple_of(bucket.as_millis()) {
        let below = next_shorter(bucket).map(duration::format);
        sink.report(Problem {
            span: reader.span_of("bucket"),
            message: "`bucket` does not divide a day".to_owned(),
            found: format!("\"{}\"", duration::format(bucket)),
            expected: "a length of which a day is a whole multiple, such as `1m`, `10m`, `1h`".to_owned(),
            help: below.map(|below| format!("the next shorter one is `{below}`")),
        });
        return None;
    }
    let keep = keep?;
    let count = keep.as_millis() / bucket.as_millis();
    if count == 0 || count > u128::from(SERIES_BUCKETS_MAX) {
        let most = bucket.saturating_mul(u32::try_from(SERIES_BUCKETS_MAX).unwrap_or(u32::MAX));
        sink.report(Problem {
            span: reader.span_of("keep"),
            message: format!("`keep` is {count} times `bucket`"),
            found: format!("\"{}\" with buckets of \"{}\"", duration::format(keep), duration::format(bucket)),
            expected: format!("{} to {}", duration::format(bucket), duration::format(most)),
            help: None,
        });
        return None;
    }
    Some((bucket, keep))
}

fn status(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&kind::TILE_KEY, sink);
    let label = optional(reader, &kind::TILE_LABEL, sink);
    let path = reader.get(&kind::TILE_STATE, sink);
    let states = reader.get(&kind::TILE_STATES, sink);
    let detail = optional(reader, &kind::DETAIL, sink);
    let state = StateSpec { path: path?, states: states? };
    let reducer = ReducerSpec::Status { key: key?, label: label?, state, detail: detail? };
    Some(Folded { reducer, look: LookSpec::default(), knows_days: false, against: None })
}

fn markers(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&kind::MARKER_KEY, sink);
    let lat = reader.get(&kind::LAT, sink);
    let lon = reader.get(&kind::LON, sink);
    let heading = optional(reader, &kind::HEADING, sink);
    let label = optional(reader, &kind::MARKER_LABEL, sink);
    let state = states(reader, sink);
    let removed = reader.get(&kind::REMOVE_ON, sink);
    let remove_on = sorted_once(reader, "remove-on", removed, sink);
    let expire = optional(reader, &kind::EXPIRE, sink);
    let bounds = reader.get(&kind::MAP_BOUNDS, sink);
    let places = optional(reader, &kind::PLACES, sink);
    let glide = reader.get(&kind::GLIDE, sink);
    let reducer = ReducerSpec::Markers {
        key: key?,
        lat: lat?,
        lon: lon?,
        heading: heading?,
        label: label?,
        state: state?,
        remove_on: remove_on?,
        expire: expire?,
    };
    let places = places?.unwrap_or_default();
    let look = LookSpec { bounds: bounds?, places, glide: glide?, ..LookSpec::default() };
    Some(Folded { reducer, look, knows_days: false, against: None })
}

/// An optional setting: `None` if it was faulty, `Some(None)` if it isn't there.
#[allow(clippy::option_option)] // the two absences are two things
pub(super) fn optional<S: Shape>(
    reader: &TableReader<'_>,
    key: &Key<S>,
    sink: &mut Sink<'_>,
) -> Option<Option<S::Value>> {
    let value = reader.get(key, sink);
    if value.is_none() && reader.has(key.name) { None } else { Some(value) }
}

type Operands = (Option<Path>, BTreeMap<Path, Vec<Value>>);

/// `value` and `match` as far as the statistic needs them; reports what is missing and what has no use.
fn operand(reader: &TableReader<'_>, is_stat_sound: bool, has_match: bool, sink: &mut Sink<'_>) -> Option<Operands> {
    let value = optional(reader, &kind::VALUE, sink);
    let matching = if has_match { optional(reader, &kind::MATCH, sink) } else { Some(None) };
    if !is_stat_sound {
        return None;
    }
    let stat = reader.raw_text("stat").unwrap_or("count");
    let needed = Operand::of(stat);
    let mut is_sound = true;
    for (name, operand, expected) in [
        ("value", Operand::Value, "the path of a value"),
        ("match", Operand::Match, "conditions such as `{ status = \"late\" }`"),
    ] {
        if needed == operand && !reader.has(name) {
            let expected = format!("{expected}, for `stat = \"{stat}\"`");
            reader.missing(name, &expected, None, sink);
            is_sound = false;
        } else if needed != operand && reader.has(name) && (operand != Operand::Match || has_match) {
            report_useless(reader, name, stat, operand, sink);
            is_sound = false;
        }
    }
    if !is_sound {
        return None;
    }
    Some((value?, matching?.unwrap_or_default()))
}

fn report_useless(reader: &TableReader<'_>, name: &str, stat: &str, operand: Operand, sink: &mut Sink<'_>) {
    let kind = reader.raw_text("kind").and_then(|word| kind::KINDS.iter().find(|kind| kind.name == word));
    let stats = kind.map(|kind| kind.stats).unwrap_or_default();
    let useful = stats.iter().copied().filter(|stat| Operand::of(stat) == operand);
    sink.report(Problem {
        span: reader.key_span(name),
        message: format!("`{name}` has no use with `stat = \"{stat}\"`"),
        found: format!("`{name}`"),
        expected: format!("no `{name}`, or a `stat` of {}", names(useful)),
        help: None,
    });
}

/// `state` and `states`, which need each other.
#[allow(clippy::option_option)] // faulty and not there are two things
fn states(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Option<StateSpec>> {
    let path = optional(reader, &kind::STATE_PATH, sink);
    let states = optional(reader, &kind::STATES, sink);
    for (name, other, expected) in [
        ("state", "states", "the path of the word that `states` gives a meaning to"),
        ("states", "state", "what each word at `state` means, such as `{ cancelled = \"alarm\" }`"),
    ] {
        if reader.has(other) && !reader.has(name) {
            reader.missing(name, expected, None, sink);
            return None;
        }
    }
    Some(path?.zip(states?).map(|(path, states)| StateSpec { path, states }))
}

/// How a single number is drawn.
fn number_look(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<LookSpec> {
    let unit = optional(reader, &kind::UNIT, sink);
    let decimals = reader.get(&kind::DECIMALS, sink);
    let min = optional(reader, &kind::MIN, sink);
    let max = optional(reader, &kind::MAX, sink);
    let bands = optional(reader, &kind::BANDS, sink);
    let (min, max) = (min?, max?);
    if let (Some(min), Some(max)) = (min, max)
        && min >= max
    {
        sink.report(Problem {
            span: reader.span_of("max"),
            message: "`max` is not above `min`".to_owned(),
            found: format!("`min` {min} and `max` {max}"),
            expected: "`min` below `max`".to_owned(),
            help: None,
        });
        return None;
    }
    let (decimals, bands) = (u8::try_from(decimals?).ok()?, bands?.unwrap_or_default());
    Some(LookSpec { unit: unit?, decimals, min, max, bands, ..LookSpec::default() })
}
