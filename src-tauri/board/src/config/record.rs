//! Small tables inside a widget: bands of a scale, columns of a table, places on a map.

use serde_json::{Value, json};
pub(super) use watchfloor_settings::tables::Tables;

use super::{
    diagnostic::{Problem, Sink},
    keys::record as keys,
    table::{Node, TableReader, TableShape, bad_value},
};
use crate::{
    frame::{BandLook, ColumnLook, PlaceMark},
    path::Path,
};

/// The most bands of one scale.
pub const BANDS_MAX: usize = 16;
/// The most columns of one table.
pub const COLUMNS_MAX: usize = 24;
/// The most named points of one map.
pub const PLACES_MAX: usize = 500;

/// `bands = [{ from = 25, state = "alarm" }]`, in ascending order.
pub(super) struct Bands;

impl Tables for Bands {
    type One = BandLook;
    const MOST: usize = BANDS_MAX;
    const EXAMPLE: &'static str = "{ from = 25, state = \"alarm\" }";

    fn table(&self) -> &'static TableShape {
        &keys::BAND_TABLE
    }

    fn besides(&self, one: &mut Value) {
        one["anyOf"] = json!([{"required": ["from"]}, {"required": ["to"]}]);
    }

    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<BandLook> {
        read_band(reader, sink)
    }

    fn agree(&self, bands: &mut Vec<BandLook>, node: Node<'_>, sink: &mut Sink<'_>) -> bool {
        let low = |band: &BandLook| band.from.unwrap_or(f64::NEG_INFINITY);
        let high = |band: &BandLook| band.to.unwrap_or(f64::INFINITY);
        bands.sort_by(|a, b| low(a).total_cmp(&low(b)));
        let overlap = bands.windows(2).any(|pair| high(&pair[0]) > low(&pair[1]));
        if overlap {
            bad_value(node, "overlapping bands", "every value in at most one band", None, sink);
        }
        !overlap
    }
}

fn read_band(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<BandLook> {
    let from = reader.get(&keys::BAND_FROM, sink);
    let to = reader.get(&keys::BAND_TO, sink);
    let state = reader.get(&keys::BAND_STATE, sink);
    if !reader.has("from") && !reader.has("to") {
        reader.missing("from", "`from`, `to`, or both", None, sink);
        return None;
    }
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        sink.report(Problem {
            span: reader.span.clone(),
            message: "a band without extent".to_owned(),
            found: format!("`from` {from} and `to` {to}"),
            expected: "`from` below `to`".to_owned(),
            help: None,
        });
        return None;
    }
    Some(BandLook { from, to, state: state? })
}

/// `columns` of a table.
pub(super) struct Columns;

impl Tables for Columns {
    type One = (Path, ColumnLook);
    const MOST: usize = COLUMNS_MAX;
    const EXAMPLE: &'static str = "{ path = \"dest\", title = \"To\" }";

    fn table(&self) -> &'static TableShape {
        &keys::COLUMN_TABLE
    }

    fn besides(&self, one: &mut Value) {
        let needs = |formats: &[&str]| {
            // Left out, it is `text`.
            let required: &[&str] = if formats.contains(&"text") { &[] } else { &["format"] };
            json!({"properties": {"format": {"enum": formats}}, "required": required})
        };
        one["dependentSchemas"] =
            OF_FORMATS.iter().map(|(name, formats)| ((*name).to_owned(), needs(formats))).collect();
    }

    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Self::One> {
        read_column(reader, sink)
    }
}

/// Keys of a column that only some formats have a use for.
const OF_FORMATS: [(&str, &[&str]); 5] = [
    ("decimals", &["number", "bar"]),
    ("bands", &["number", "bar"]),
    ("min", &["bar"]),
    ("max", &["bar"]),
    ("icons", &["text", "state"]),
];

fn read_column(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<(Path, ColumnLook)> {
    let path = reader.get(&keys::COLUMN_PATH, sink);
    let title = reader.get(&keys::COLUMN_TITLE, sink);
    let format = reader.get(&keys::COLUMN_FORMAT, sink);
    let decimals = reader.get(&keys::COLUMN_DECIMALS, sink);
    let width = reader.get(&keys::COLUMN_WIDTH, sink);
    let bands = reader.optional(&keys::COLUMN_BANDS, sink);
    let icons = reader.optional(&keys::COLUMN_ICONS, sink);
    let (min, max) = (reader.get(&keys::COLUMN_MIN, sink)?, reader.get(&keys::COLUMN_MAX, sink)?);
    let format = format?;
    if let Some((name, formats)) = OF_FORMATS.iter().find(|(name, of)| reader.has(name) && !of.contains(&format)) {
        let others: Vec<String> = formats.iter().map(|format| format!("`format = \"{format}\"`")).collect();
        sink.report(Problem {
            span: reader.key_span(name),
            message: format!("`{name}` has no use with `format = \"{format}\"`"),
            found: format!("`{name}`"),
            expected: format!("no `{name}`, or {}", others.join(" or ")),
            help: None,
        });
        return None;
    }
    if format == "bar" && min >= max {
        sink.report(Problem {
            span: reader.span.clone(),
            message: "a bar without extent".to_owned(),
            found: format!("`min` {min} and `max` {max}"),
            expected: "`min` below `max`".to_owned(),
            help: None,
        });
        return None;
    }
    let (path, decimals) = (path?, u8::try_from(decimals?).ok()?);
    let title = title.unwrap_or_else(|| path.to_string());
    let look = ColumnLook {
        title,
        format: format.to_owned(),
        decimals,
        width: width?,
        scale: (format == "bar").then_some((min, max)),
        icons: icons?.unwrap_or_default(),
        bands: bands?.unwrap_or_default(),
    };
    Some((path, look))
}

/// `places` of a map.
pub(super) struct Marks;

impl Tables for Marks {
    type One = PlaceMark;
    const MOST: usize = PLACES_MAX;
    const EXAMPLE: &'static str = "{ name = \"JFK\", lat = 40.64, lon = -73.78 }";

    fn table(&self) -> &'static TableShape {
        &keys::MARK_TABLE
    }

    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<PlaceMark> {
        let name = reader.get(&keys::MARK_NAME, sink);
        let lat = reader.get(&keys::MARK_LAT, sink);
        let lon = reader.get(&keys::MARK_LON, sink);
        Some(PlaceMark { name: name?, lat: lat?, lon: lon? })
    }
}
