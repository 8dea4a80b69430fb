//! How often values are how large.

use super::{Folded, KindShape, counter, number, rate, series};
use crate::{
    config::{
        diagnostic::{Problem, Sink},
        keys::path,
        shape::{ANY_NUMBER, Choice, List, Number},
        shape_event::{PathText, Span},
        spec::{HistogramStat, ReducerSpec},
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{HistogramLook, Look},
};

/// The most bins: more are narrower than what is seen from afar.
const BINS_MAX: u16 = 100;
/// As many bins as are wanted if the board doesn't say how wide they are.
const BINS_WANTED: f64 = 20.0;
/// Parts of a bin by which the last one may miss the scale's end: what a division rounds away.
const EVEN: f64 = 1e-6;

pub(super) static KIND: KindShape = KindShape {
    name: "histogram",
    about: "How often values are how large, over a sliding window or since a reset.",
    table: TableShape {
        name: "kind `histogram`",
        keys: &[
            &VALUE,
            &LAST,
            &counter::RESET,
            &MIN,
            &MAX,
            &BIN,
            &STATS,
            &number::UNIT,
            &number::DECIMALS,
            &number::BANDS,
            &series::TARGET,
        ],
    },
    stats: &[],
    read,
};

static VALUE: Key<PathText> = path("value", Need::Required, "The number whose sizes are counted.");

static LAST: Key<Span> = Key {
    need: Need::Optional,
    about: "The length of the sliding window: the time up to now, by the source's clock. In its place `reset`, to count since that.",
    name: "last",
    shape: Span { min: rate::LAST.shape.min, max: rate::LAST.shape.max },
};

static MIN: Key<Number> = Key {
    name: "min",
    need: Need::Required,
    about: "Lower end of the scale. Values below it are counted together at its end.",
    shape: ANY_NUMBER,
};

static MAX: Key<Number> = Key {
    name: "max",
    need: Need::Required,
    about: "Upper end of the scale. Values from there on are counted together at its end.",
    shape: ANY_NUMBER,
};

static BIN: Key<Number> = Key {
    name: "bin",
    need: Need::Optional,
    about: "How wide a bin is: the scale has a whole number of them, at most 100. About 20 of a round width if left out.",
    shape: Number { what: "a number", min: 1e-9, max: 1e15 },
};

static STATS: Key<List<Choice<HistogramStat>>> = Key {
    name: "stats",
    need: Need::Optional,
    about: "Statistics of the same values that have a line in the chart: `mean`, `p50`, `p90`, `p95`, `p99` (percentiles within 1 %).",
    shape: List {
        item: Choice {
            options: &[
                ("mean", HistogramStat::Mean, "the mean"),
                ("p50", HistogramStat::P50, "the median"),
                ("p90", HistogramStat::P90, "the 90th percentile"),
                ("p95", HistogramStat::P95, "the 95th percentile"),
                ("p99", HistogramStat::P99, "the 99th percentile"),
            ],
        },
        min: 1,
        max: 5,
        or_one: true,
        what: "statistics",
    },
};

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let value = reader.get(&VALUE, sink);
    let last = reader.optional(&LAST, sink);
    let reset = reader.optional(&counter::RESET, sink);
    let min = reader.get(&MIN, sink);
    let max = reader.get(&MAX, sink);
    let bin = reader.optional(&BIN, sink);
    let stats = reader.optional(&STATS, sink);
    let axis = super::chart::read_axis(reader, sink);
    let is_timed = has_one_time(reader, sink);
    let mut stats = stats?.unwrap_or_default();
    let mut seen = Vec::new();
    stats.retain(|stat| {
        !seen.contains(stat) && {
            seen.push(*stat);
            true
        }
    });
    let (width, bins) = sound_bins(reader, (min?, max?), bin?, sink)?;
    let (last, reset_daily_minutes, axis, min) = (last?, reset?, axis?, min?);
    if !is_timed {
        return None;
    }
    let look = HistogramLook {
        unit: axis.unit,
        decimals: axis.decimals,
        min,
        width,
        bins,
        bands: axis.bands,
        target: axis.target,
        stats: stats.iter().map(|stat| stat.word().to_owned()).collect(),
    };
    Some(Folded {
        reducer: ReducerSpec::Histogram { value: value?, min, width, bins, stats, last, reset_daily_minutes },
        look: Look::Histogram(look),
        knows_days: reset_daily_minutes.is_some(),
        against: None,
    })
}

/// Whether it says over which time it counts, and says that once.
fn has_one_time(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> bool {
    match (reader.has("last"), reader.has("reset")) {
        (false, false) => {
            reader.missing("last", "`last`, or `reset` in its place", None, sink);
            false
        }
        (true, true) => {
            sink.report(Problem {
                span: reader.key_span("reset"),
                message: "`reset` and `last` say the same in two ways".to_owned(),
                found: "both".to_owned(),
                expected: "one of them".to_owned(),
                help: None,
            });
            false
        }
        _ => true,
    }
}

/// How wide the bins are, and how many there are.
fn sound_bins(
    reader: &TableReader<'_>,
    (min, max): (f64, f64),
    bin: Option<f64>,
    sink: &mut Sink<'_>,
) -> Option<(f64, u16)> {
    if let Some(problem) = number::upside_down(reader, (Some(min), Some(max))) {
        sink.report(problem);
        return None;
    }
    let Some(width) = bin else { return Some(round_bins(max - min)) };
    let count = ((max - min) / width).round();
    let is_even = ((max - min) / width - count).abs() <= EVEN * count.max(1.0);
    if !is_even || !(1.0..=f64::from(BINS_MAX)).contains(&count) {
        let (nearest, count_of) = round_bins(max - min);
        sink.report(Problem {
            span: reader.span_of("bin"),
            message: format!("the scale is {} times `bin`", short((max - min) / width)),
            found: format!("{width}, from {min} to {max}"),
            expected: format!("a width of which there are a whole number from 1 to {BINS_MAX}"),
            help: Some(format!("{} gives {count_of}", short(nearest))),
        });
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole, and at most `BINS_MAX`
    let bins = count as u16;
    Some(((max - min) / count, bins))
}

/// A width of 1, 2, 2.5 or 5 times a power of ten of which there are a whole number, about as many as are wanted; the scale's part if none is.
fn round_bins(length: f64) -> (f64, u16) {
    let power = 10_f64.powf((length / BINS_WANTED).log10().floor());
    let widths = [0.5, 1.0, 2.0, 2.5, 5.0, 10.0, 20.0].map(|lead| lead * power);
    let even = widths.into_iter().filter_map(|width| {
        let count = (length / width).round();
        let is_even = (length / width - count).abs() <= EVEN * count.max(1.0) && (8.0..=50.0).contains(&count);
        is_even.then_some((width, count))
    });
    let far = |count: f64| (count / BINS_WANTED).ln().abs();
    let (width, count) =
        even.min_by(|a, b| far(a.1).total_cmp(&far(b.1))).unwrap_or((length / BINS_WANTED, BINS_WANTED));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole, and at most 50
    (width, count as u16)
}

/// A number without the digits that a division leaves.
fn short(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded == 0.0 { value.to_string() } else { rounded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_widths() {
        for (length, width, count) in
            [(100.0, 5.0, 20), (60.0, 2.5, 24), (1.0, 0.05, 20), (120.0, 5.0, 24), (24.0, 1.0, 24), (7e9, 2.5e8, 28)]
        {
            let (found, bins) = round_bins(length);
            assert!((found - width).abs() < 1e-9 * width && bins == count, "{length}: {found} × {bins}");
        }
        // Of a length that none divides.
        assert_eq!(round_bins(0.777_777).1, 20);
    }
}
