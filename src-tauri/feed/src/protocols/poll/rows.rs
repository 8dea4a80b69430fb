//! A document as rows by key, and how one differs from another.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, value::RawValue};
use watchfloor_model::{
    Event, Json, Payload, PayloadError, Position, Shape,
    limits::ID_BYTES_MAX,
    path::{Items, Path},
};

use crate::{
    envelope::{Envelope, Outside},
    fault::cut,
    limits::ROWS_MAX,
};

/// The last document, and the place to which it was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) at: Option<Position>,
    pub(super) rows: Rows,
}

/// Rows by key. A document that is compared as a whole is one row with an empty key.
pub(super) type Rows = Arc<BTreeMap<Arc<str>, Arc<Row>>>;

/// The same, and the keys in the document's order.
#[derive(Debug, Default)]
pub(super) struct Listed {
    order: Vec<Arc<str>>,
    rows: BTreeMap<Arc<str>, Arc<Row>>,
}

/// A row as it came.
#[derive(Debug)]
pub(super) enum Row {
    Read(Payload),
    /// One that is too big for an event.
    TooBig {
        text: Box<str>,
        reason: String,
    },
}

impl Row {
    fn new(text: &str) -> Result<Self, String> {
        match Payload::parse(text) {
            Ok(payload) => Ok(Self::Read(payload)),
            Err(error @ PayloadError::TooBig { .. }) => {
                Ok(Self::TooBig { text: text.into(), reason: error.to_string() })
            }
            Err(error) => Err(no_json(&error)),
        }
    }

    /// Whether it says the same as another, in whatever order and with whatever blanks.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Read(own), Self::Read(other)) => {
                own.text() == other.text() || own.value().says_the_same_as(other.value())
            }
            (Self::TooBig { text: own, .. }, Self::TooBig { text: other, .. }) => own == other,
            (Self::Read(_), Self::TooBig { .. }) | (Self::TooBig { .. }, Self::Read(_)) => false,
        }
    }

    /// What makes it this row: a text or a number.
    fn key(&self, path: &Path) -> Result<Option<Arc<str>>, String> {
        let text = |text: &str| (!text.is_empty() && text.len() <= ID_BYTES_MAX).then(|| text.into());
        match self {
            Self::Read(payload) => Ok(match path.find(payload.value()).map(Json::shape) {
                Some(Shape::Text(found)) => text(found),
                Some(Shape::Number(number)) => Some(number.to_string().into()),
                _ => None,
            }),
            Self::TooBig { text: whole, .. } => {
                let value: Value = serde_json::from_str(whole).map_err(|error| no_json(&error))?;
                Ok(match path.find_in(&value) {
                    Some(Value::String(found)) => text(found),
                    Some(Value::Number(number)) => Some(number.to_string().into()),
                    _ => None,
                })
            }
        }
    }

    /// Makes an event of it.
    pub(super) fn open(&self, envelope: &Envelope, outside: Outside<'_>) -> Result<Event, String> {
        match self {
            Self::Read(payload) => envelope.take(payload.clone(), outside),
            Self::TooBig { reason, .. } => Err(reason.clone()),
        }
    }
}

/// What became of a row.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) kind: &'static str,
    pub(super) key: Arc<str>,
    pub(super) row: Arc<Row>,
}

/// A row that is there, of which nobody knows since when.
const PRESENT: &str = "present";
const NEW: &str = "new";
const CHANGED: &str = "changed";
const REMOVED: &str = "removed";
/// The document, where it has no rows.
const DOCUMENT: &str = "document";

/// The rows of a body in their order: JSON, or one JSON value a line. The error says what is wrong with it, for people.
pub(super) fn read(body: &[u8], at: Option<&Path>, key: Option<&Path>) -> Result<Listed, String> {
    let body = std::str::from_utf8(body)
        .map_err(|error| format!("the document is no JSON: not UTF-8: invalid byte at {}", error.valid_up_to()))?;
    let Some(key) = key else { return whole(&values(body)?, at) };
    let rows = match (Path::find_items(at, body), at) {
        (Ok(Items::List(rows)), _) => rows,
        (Ok(Items::Other), Some(path)) => return Err(format!("`{path}` is no list")),
        (Ok(Items::Missing), Some(path)) => return Err(format!("`{path}` is missing")),
        (Ok(_), None) => values(body)?,
        // Several documents, or none at all.
        (Err(_), _) => match (values(body)?, at) {
            (values, Some(path)) => return Err(format!("`{path}` of {} documents", values.len())),
            (values, None) => values,
        },
    };
    if rows.len() > ROWS_MAX {
        return Err(format!("the document has {} rows, the limit is {ROWS_MAX}", rows.len()));
    }
    let mut listed = Listed::default();
    for (number, text) in rows.into_iter().enumerate() {
        let row = Row::new(text)?;
        let name =
            row.key(key)?.ok_or_else(|| format!("row {} has no `{key}` that is a text or a number", number + 1))?;
        if listed.rows.insert(name.clone(), Arc::new(row)).is_some() {
            return Err(format!("two rows with the same `{key}`: {}", cut(&name)));
        }
        listed.order.push(name);
    }
    Ok(listed)
}

/// The documents of a body.
fn values(body: &str) -> Result<Vec<&str>, String> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(body).into_iter::<&RawValue>() {
        values.push(value.map_err(|error| no_json(&error))?.get());
        if values.len() > ROWS_MAX {
            return Err(format!("the document has more than {ROWS_MAX} lines"));
        }
    }
    Ok(values)
}

fn no_json(error: &impl std::fmt::Display) -> String {
    format!("the document is no JSON: {error}")
}

fn whole(values: &[&str], at: Option<&Path>) -> Result<Listed, String> {
    let [value] = values else { return Err(format!("{} documents where one was expected", values.len())) };
    let text = match at {
        Some(path) => {
            let found = path.find_text(value).map_err(|error| no_json(&error))?;
            found.ok_or_else(|| format!("`{path}` is missing"))?
        }
        None => value,
    };
    let key: Arc<str> = "".into();
    Ok(Listed { order: vec![key.clone()], rows: BTreeMap::from([(key, Arc::new(Row::new(text)?))]) })
}

/// How `next` differs from what was known, and `next` as what is known now.
pub(super) fn compare(known: Option<&Rows>, next: Listed) -> (Vec<Change>, Rows) {
    let Listed { order, rows } = next;
    let mut changes = Vec::new();
    let gone = known.into_iter().flat_map(|known| known.iter()).filter(|(key, _)| !rows.contains_key(*key));
    changes.extend(gone.map(|(key, row)| Change { kind: REMOVED, key: key.clone(), row: row.clone() }));
    for key in order {
        let Some(row) = rows.get(&key) else { continue };
        let kind = match known.map(|known| known.get(&key)) {
            Some(Some(before)) if before.is_same(row) => continue,
            _ if key.is_empty() => DOCUMENT,
            None => PRESENT,
            Some(None) => NEW,
            Some(Some(_)) => CHANGED,
        };
        changes.push(Change { kind, row: row.clone(), key });
    }
    (changes, Arc::new(rows))
}
