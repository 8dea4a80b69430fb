//! What stands in a payload: Sparkplug 3.0, chapter 6. Whatever isn't known is passed by.

use serde_json::{Map, Number, Value as Json};

use super::{
    super::payload::base64,
    wire::{Fields, Malformed, Value},
};

/// Most metrics of a message.
pub(super) const METRICS_MAX: usize = 20_000;
/// What the names of a table's columns may come to, repeated in each row.
const TABLE_BYTES_MAX: usize = watchfloor_model::limits::DATA_BYTES_MAX;
/// How deep templates may stand in each other.
const DEPTH_MAX: usize = 8;
/// `Quality` of a value that is good.
const GOOD: i64 = 192;

/// A payload.
#[derive(Debug, Default)]
pub(super) struct Payload<'a> {
    /// Milliseconds since 1970.
    pub(super) time: Option<u64>,
    pub(super) seq: Option<u64>,
    pub(super) metrics: Vec<Metric<'a>>,
}

/// A metric in it.
#[derive(Debug, Default)]
pub(super) struct Metric<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) alias: Option<u64>,
    pub(super) time: Option<u64>,
    pub(super) datatype: Option<u64>,
    pub(super) is_historical: bool,
    is_null: bool,
    /// Its property `Quality`, if it isn't good.
    pub(super) quality: Option<i64>,
    /// The number and content of the field that its value stands in.
    value: Option<(u64, Value<'a>)>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Payload<'_>, Malformed> {
    let (mut payload, mut fields) = (Payload::default(), Fields(bytes));
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => payload.time = Some(value.number()?),
            2 if payload.metrics.len() == METRICS_MAX => return Err(Malformed("more than 20,000 metrics")),
            2 => payload.metrics.push(metric(value.bytes()?)?),
            3 => payload.seq = Some(value.number()?),
            _ => {}
        }
    }
    Ok(payload)
}

fn metric(bytes: &[u8]) -> Result<Metric<'_>, Malformed> {
    let (mut metric, mut fields) = (Metric::default(), Fields(bytes));
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => metric.name = Some(value.text()?),
            2 => metric.alias = Some(value.number()?),
            3 => metric.time = Some(value.number()?),
            4 => metric.datatype = Some(value.number()?),
            5 => metric.is_historical = value.number()? != 0,
            7 => metric.is_null = value.number()? != 0,
            9 => metric.quality = quality(value.bytes()?)?.filter(|quality| *quality != GOOD),
            10..=18 => metric.value = Some((number, value)),
            _ => {}
        }
    }
    Ok(metric)
}

/// The property `Quality` of a set of properties: names and values are two lists.
fn quality(bytes: &[u8]) -> Result<Option<i64>, Malformed> {
    let (mut at, mut found, mut count, mut fields) = (None, None, 0, Fields(bytes));
    let (mut names, mut values) = (0_usize, Vec::new());
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => {
                if value.bytes()? == b"Quality" {
                    at = Some(names);
                }
                names += 1;
            }
            2 => {
                count += 1;
                if count > METRICS_MAX {
                    return Err(Malformed("more than 20,000 properties"));
                }
                values.push(value.bytes()?);
            }
            _ => {}
        }
    }
    let Some(value) = at.and_then(|at| values.get(at)) else { return Ok(None) };
    let mut fields = Fields(value);
    while let Some((number, value)) = fields.next()? {
        if matches!(number, 3 | 4) {
            found = Some(value.number()?.cast_signed());
        }
    }
    Ok(found)
}

impl Metric<'_> {
    /// A number that counts.
    pub(super) const fn count(&self) -> Option<u64> {
        match self.value {
            Some((10 | 11, Value::Varint(number))) => Some(number),
            _ => None,
        }
    }

    /// Its value, of this type unless it says another one.
    pub(super) fn json(&self, datatype: Option<u64>) -> Result<Json, Malformed> {
        self.json_within(datatype, DEPTH_MAX)
    }

    fn json_within(&self, datatype: Option<u64>, depth: usize) -> Result<Json, Malformed> {
        let Some((number, value)) = self.value.filter(|_| !self.is_null) else { return Ok(Json::Null) };
        let datatype = self.datatype.or(datatype).unwrap_or_default();
        match number {
            16 => bytes_of(datatype, value.bytes()?),
            17 => data_set(value.bytes()?),
            18 if depth == 0 => Err(Malformed("templates that stand too deep in each other")),
            18 => template(value.bytes()?, depth - 1),
            _ => plain(number - 9, datatype, value),
        }
    }
}

/// A value of the fields that all of a metric, a property and a cell have: `at` is 1 for the first of them.
#[expect(clippy::cast_possible_truncation, reason = "what a type has no bits for is nothing")]
fn plain(at: u64, datatype: u64, value: Value<'_>) -> Result<Json, Malformed> {
    Ok(match at {
        1 | 2 => {
            let number = value.number()?;
            match datatype {
                1 => (number as i8).into(),
                2 => (number as i16).into(),
                3 => (number as i32).into(),
                4 => number.cast_signed().into(),
                _ => number.into(),
            }
        }
        3 => float(value.float()?),
        4 => double(value.double()?),
        5 => (value.number()? != 0).into(),
        6 => value.text()?.into(),
        _ => return Err(Malformed("a value of a type of its own")),
    })
}

/// As short as it is exact in 32 bits.
fn float(value: f32) -> Json {
    double(value.to_string().parse().unwrap_or(f64::NAN))
}

/// What is no number in JSON is its name: it is neither zero nor null.
fn double(value: f64) -> Json {
    Number::from_f64(value).map_or_else(|| value.to_string().into(), Json::Number)
}

/// Bytes: a list for the types that are arrays, else base64.
fn bytes_of(datatype: u64, bytes: &[u8]) -> Result<Json, Malformed> {
    fn all<const N: usize>(bytes: &[u8], one: impl Fn([u8; N]) -> Json) -> Result<Json, Malformed> {
        let (items, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(Malformed("an array that ends within an item"));
        }
        Ok(items.iter().map(|item| one(*item)).collect())
    }
    match datatype {
        22 => all(bytes, |item| i8::from_le_bytes(item).into()),
        23 => all(bytes, |item| i16::from_le_bytes(item).into()),
        24 => all(bytes, |item| i32::from_le_bytes(item).into()),
        25 => all(bytes, |item| i64::from_le_bytes(item).into()),
        26 => all(bytes, |item| u8::from_le_bytes(item).into()),
        27 => all(bytes, |item| u16::from_le_bytes(item).into()),
        28 => all(bytes, |item| u32::from_le_bytes(item).into()),
        29 | 34 => all(bytes, |item| u64::from_le_bytes(item).into()),
        30 => all(bytes, |item| float(f32::from_le_bytes(item))),
        31 => all(bytes, |item| double(f64::from_le_bytes(item))),
        32 => {
            let (count, bits) = bytes.split_first_chunk().ok_or(Malformed("an array without its length"))?;
            let count = u32::from_le_bytes(*count) as usize;
            if count > bits.len() * 8 {
                return Err(Malformed("an array shorter than it says"));
            }
            Ok((0..count).map(|at| Json::from(bits[at / 8] << (at % 8) & 0x80 != 0)).collect())
        }
        33 => {
            let mut texts: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
            texts.pop().filter(|rest| rest.is_empty()).ok_or(Malformed("an array that ends within an item"))?;
            let text = |text: &[u8]| {
                std::str::from_utf8(text).map(Json::from).map_err(|_| Malformed("a text that is no UTF-8"))
            };
            texts.into_iter().map(text).collect()
        }
        _ => Ok(base64(bytes).into()),
    }
}

/// A table: a list of rows, each by the names of the columns.
fn data_set(bytes: &[u8]) -> Result<Json, Malformed> {
    let (mut columns, mut types, mut rows, mut fields) = (Vec::new(), Vec::new(), Vec::new(), Fields(bytes));
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (2, value) => columns.push(value.text()?),
            (3, Value::Bytes(packed)) => {
                let mut packed = Fields(packed);
                while !packed.0.is_empty() {
                    types.push(packed.varint()?);
                }
            }
            (3, value) => types.push(value.number()?),
            (4, value) => rows.push(value.bytes()?),
            _ => {}
        }
    }
    let mut written = 0;
    let row = |bytes| {
        let (mut row, mut fields, mut at) = (Map::new(), Fields(bytes), 0);
        while let Some((number, value)) = fields.next()? {
            if number != 1 {
                continue;
            }
            let Some(column) = columns.get(at) else { return Err(Malformed("a row longer than its table")) };
            written += column.len() + 4;
            if written > TABLE_BYTES_MAX {
                return Err(Malformed("a table of over a megabyte"));
            }
            let datatype = types.get(at).copied().unwrap_or_default();
            let mut cell = Fields(value.bytes()?);
            let value = cell.next()?.map_or(Ok(Json::Null), |(number, value)| plain(number, datatype, value))?;
            row.insert((*column).to_owned(), value);
            at += 1;
        }
        Ok(Json::Object(row))
    };
    rows.into_iter().map(row).collect()
}

/// A thing with metrics of its own.
fn template(bytes: &[u8], depth: usize) -> Result<Json, Malformed> {
    let (mut object, mut fields) = (Map::new(), Fields(bytes));
    while let Some((number, value)) = fields.next()? {
        if number == 2 {
            let metric = metric(value.bytes()?)?;
            let name = metric.name.ok_or(Malformed("a template's metric without a name"))?;
            object.insert(name.to_owned(), metric.json_within(None, depth)?);
        }
    }
    Ok(Json::Object(object))
}

/// The command by which a node is asked for its births.
pub(super) fn rebirth(time: u64) -> Vec<u8> {
    const NAME: &[u8] = b"Node Control/Rebirth";
    let time = varint(time);
    let mut metric = vec![0x0A, NAME.len() as u8];
    metric.extend(NAME);
    metric.push(0x18);
    metric.extend(&time);
    // A boolean: true.
    metric.extend([0x20, 11, 0x70, 1]);
    let mut payload = vec![0x08];
    payload.extend(time);
    payload.extend([0x12, metric.len() as u8]);
    payload.extend(metric);
    payload
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7F {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
