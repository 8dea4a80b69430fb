//! Small tables inside a widget: bands of a scale, columns of a table, places on a map.

use serde_json::{Value, json};

use super::{
    diagnostic::{Problem, Sink},
    keys::record as keys,
    schema::object,
    table::{Node, Shape, TableReader, TableShape, bad_value, wrong_type},
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

/// Reads an array of tables, each by `read_one`.
pub(super) fn read_tables<'a, T>(
    node: Node<'a>,
    (table, count_max, expected): (&'static TableShape, usize, &str),
    sink: &mut Sink<'_>,
    read_one: impl Fn(&TableReader<'a>, &mut Sink<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(items) = node.value.get_ref().as_array() else {
        let help = node.value.get_ref().is_table().then(|| "write square brackets around it".to_owned());
        wrong_type(node, expected, help, sink);
        return None;
    };
    if !(1..=count_max).contains(&items.len()) {
        bad_value(node, &format!("{} entries", items.len()), expected, None, sink);
        return None;
    }
    let mut values = Vec::new();
    for value in items {
        let reader = TableReader::open(Node { name: node.name, value }, table, sink);
        let value = reader.and_then(|reader| {
            reader.finish(sink);
            read_one(&reader, sink)
        });
        values.push(value);
    }
    values.into_iter().collect()
}

pub(super) fn array_schema(table: &'static TableShape, count_max: usize) -> Value {
    json!({"type": "array", "items": object(table), "minItems": 1, "maxItems": count_max})
}

/// `bands = [{ from = 25, state = "alarm" }]`, in ascending order.
pub(super) struct Bands;

const BANDS_EXPECTED: &str = "an array of 1 to 16 tables such as `{ from = 25, state = \"alarm\" }`";

impl Shape for Bands {
    type Value = Vec<BandLook>;

    fn expected(&self) -> String {
        BANDS_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("array of 1 to {BANDS_MAX} tables, below")
    }

    fn schema(&self) -> Value {
        let mut schema = array_schema(&keys::BAND_TABLE, BANDS_MAX);
        schema["items"]["anyOf"] = json!([{"required": ["from"]}, {"required": ["to"]}]);
        schema
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Vec<BandLook>> {
        let mut bands = read_tables(node, (&keys::BAND_TABLE, BANDS_MAX, BANDS_EXPECTED), sink, read_band)?;
        let low = |band: &BandLook| band.from.unwrap_or(f64::NEG_INFINITY);
        let high = |band: &BandLook| band.to.unwrap_or(f64::INFINITY);
        bands.sort_by(|a, b| low(a).total_cmp(&low(b)));
        if bands.windows(2).any(|pair| high(&pair[0]) > low(&pair[1])) {
            bad_value(node, "overlapping bands", "every value in at most one band", None, sink);
            return None;
        }
        Some(bands)
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

const COLUMNS_EXPECTED: &str = "an array of 1 to 24 tables such as `{ path = \"dest\", title = \"To\" }`";

impl Shape for Columns {
    type Value = Vec<(Path, ColumnLook)>;

    fn expected(&self) -> String {
        COLUMNS_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("array of 1 to {COLUMNS_MAX} tables, below")
    }

    fn schema(&self) -> Value {
        let mut schema = array_schema(&keys::COLUMN_TABLE, COLUMNS_MAX);
        let needs = |formats: &[&str]| {
            // Left out, it is `text`.
            let required: &[&str] = if formats.contains(&"text") { &[] } else { &["format"] };
            json!({"properties": {"format": {"enum": formats}}, "required": required})
        };
        schema["items"]["dependentSchemas"] =
            OF_FORMATS.iter().map(|(name, formats)| ((*name).to_owned(), needs(formats))).collect();
        schema
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        read_tables(node, (&keys::COLUMN_TABLE, COLUMNS_MAX, COLUMNS_EXPECTED), sink, read_column)
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

const MARKS_EXPECTED: &str = "an array of 1 to 500 tables such as `{ name = \"JFK\", lat = 40.64, lon = -73.78 }`";

impl Shape for Marks {
    type Value = Vec<PlaceMark>;

    fn expected(&self) -> String {
        MARKS_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("array of 1 to {PLACES_MAX} tables, below")
    }

    fn schema(&self) -> Value {
        array_schema(&keys::MARK_TABLE, PLACES_MAX)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Vec<PlaceMark>> {
        read_tables(node, (&keys::MARK_TABLE, PLACES_MAX, MARKS_EXPECTED), sink, |reader, sink| {
            let name = reader.get(&keys::MARK_NAME, sink);
            let lat = reader.get(&keys::MARK_LAT, sink);
            let lon = reader.get(&keys::MARK_LON, sink);
            Some(PlaceMark { name: name?, lat: lat?, lon: lon? })
        })
    }
}
