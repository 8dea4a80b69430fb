//! Values that conditions are made of.

use std::{borrow::Cow, cmp::Ordering, fmt};

use watchfloor_model::{Json, Shape};

/// Why something isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// This input isn't of now: its source proves nothing, and its time stands.
    NotOfNow(u32),
    /// It is of now, but can't be believed: two sources differ on it, or its publisher says that it is no good.
    Doubted(u32),
    /// There is no value: a mean of nothing, a field that is null.
    NoValue,
    /// It is that much or more, as events may be missing, and how much more decides.
    Incomplete,
    /// There is no such field or item.
    Missing,
    /// It is of another kind than is needed there: a text that is added to a number.
    Kind,
    /// A division by zero, or a number beyond all bounds.
    Arithmetic,
    /// A loop over too much.
    TooMuch,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOfNow(_) => "what it is judged by isn't of now",
            Self::Doubted(_) => "what it is judged by can't be believed",
            Self::NoValue => "there is no value",
            Self::Incomplete => "events may be missing",
            Self::Missing => "there is no such field",
            Self::Kind => "values of different kinds can't be compared or reckoned with",
            Self::Arithmetic => "a division by zero, or a number beyond all bounds",
            Self::TooMuch => "there is too much to look through",
        })
    }
}

/// A value.
#[derive(Clone, Debug)]
pub enum Term<'a> {
    /// Nobody knows.
    Unknown(Why),
    /// Known to be nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A number that is no less: of a count, events may be missing (H3).
    AtLeast(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// An instant, milliseconds since the Unix epoch.
    Time(i64),
    /// A span of time, milliseconds.
    Span(i64),
    /// A list that the condition makes itself.
    List(Vec<Self>),
    /// A list or an object of an event's data.
    Json(Json<'a>),
}

impl<'a> Term<'a> {
    /// What data says.
    #[must_use]
    pub fn of(json: Json<'a>) -> Self {
        match json.shape() {
            Shape::Null => Self::Null,
            Shape::Bool(value) => Self::Bool(value),
            Shape::Number(value) => value.as_f64().map_or(Self::Unknown(Why::Arithmetic), Self::number),
            Shape::Text(text) => Self::Text(Cow::Borrowed(text)),
            Shape::List(_) | Shape::Object(_) => Self::Json(json),
        }
    }

    /// A number, if it is one.
    pub(super) fn number(value: f64) -> Self {
        if value.is_finite() { Self::Number(value) } else { Self::Unknown(Why::Arithmetic) }
    }

    /// A number that is no less, if that is one.
    pub(super) fn at_least(value: f64) -> Self {
        if value.is_finite() { Self::AtLeast(value) } else { Self::Unknown(Why::Arithmetic) }
    }

    /// True, false, or why it is neither.
    pub(super) const fn truth(&self) -> Result<bool, Why> {
        match self {
            Self::Bool(value) => Ok(*value),
            Self::Unknown(why) => Err(*why),
            Self::Null => Err(Why::NoValue),
            _ => Err(Why::Kind),
        }
    }

    /// A field of an object.
    pub(super) fn field(&self, name: &str) -> Self {
        match self {
            Self::Unknown(why) => Self::Unknown(*why),
            Self::Null => Self::Unknown(Why::NoValue),
            Self::Json(json) => json.get(name).map_or(Self::Unknown(Why::Missing), Self::of),
            _ => Self::Unknown(Why::Kind),
        }
    }

    /// Whether an object has a field.
    pub(super) fn has(&self, name: &str) -> Self {
        match self {
            Self::Unknown(why) => Self::Unknown(*why),
            Self::Json(json) => Self::Bool(json.get(name).is_some()),
            _ => Self::Bool(false),
        }
    }

    /// An item of a list, or the field of an object whose name isn't a constant.
    pub(super) fn item(&self, index: &Self) -> Self {
        match (self, index) {
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(*why),
            (Self::List(items), Self::Number(index)) => {
                whole(*index).and_then(|index| items.get(index)).cloned().unwrap_or(Self::Unknown(Why::Missing))
            }
            (Self::Json(json), Self::Number(index)) => {
                whole(*index).and_then(|index| json.item(index)).map_or(Self::Unknown(Why::Missing), Self::of)
            }
            (Self::Json(_), Self::Text(name)) => self.field(name),
            (Self::Null, _) => Self::Unknown(Why::NoValue),
            _ => Self::Unknown(Why::Kind),
        }
    }

    /// The items of a list, the names of an object.
    pub(super) fn items(self) -> Result<Vec<Self>, Why> {
        match self {
            Self::List(items) => Ok(items),
            Self::Json(json) => Ok(match json.shape() {
                Shape::Object(_) => json.fields().map(|(name, _)| Self::Text(Cow::Borrowed(name))).collect(),
                _ => json.items().map(Self::of).collect(),
            }),
            Self::Unknown(why) => Err(why),
            Self::Null => Err(Why::NoValue),
            _ => Err(Why::Kind),
        }
    }

    /// Whether both are the same. Values of different kinds never are, and of what isn't known nobody knows.
    pub(super) fn equals(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(*why),
            (Self::AtLeast(least), Self::Number(number)) | (Self::Number(number), Self::AtLeast(least)) => {
                if least > number { Self::Bool(false) } else { Self::Unknown(Why::Incomplete) }
            }
            (Self::AtLeast(_), Self::AtLeast(_)) => Self::Unknown(Why::Incomplete),
            (Self::Null, Self::Null) => Self::Bool(true),
            (Self::Bool(own), Self::Bool(other)) => Self::Bool(own == other),
            #[allow(clippy::float_cmp)] // what equality of numbers means
            (Self::Number(own), Self::Number(other)) => Self::Bool(own == other),
            (Self::Text(own), Self::Text(other)) => Self::Bool(own == other),
            (Self::Time(own), Self::Time(other)) | (Self::Span(own), Self::Span(other)) => Self::Bool(own == other),
            (Self::Json(own), Self::Json(other)) => Self::Bool(own.says_the_same_as(*other)),
            (Self::List(_), Self::List(_) | Self::Json(_)) | (Self::Json(_), Self::List(_)) => self.equals_list(other),
            _ => Self::Bool(false),
        }
    }

    /// False as soon as one item differs, whatever isn't known of the others.
    fn equals_list(&self, other: &Self) -> Self {
        if matches!((self, other), (Self::Json(json), _) | (_, Self::Json(json)) if matches!(json.shape(), Shape::Object(_)))
        {
            return Self::Bool(false);
        }
        let (Ok(own), Ok(other)) = (self.clone().items(), other.clone().items()) else { return Self::Bool(false) };
        if own.len() != other.len() {
            return Self::Bool(false);
        }
        let mut outcome = Self::Bool(true);
        for (own, other) in own.iter().zip(&other) {
            match own.equals(other) {
                Self::Bool(true) => {}
                Self::Bool(false) => return Self::Bool(false),
                unknown => outcome = unknown,
            }
        }
        outcome
    }

    /// Which is greater.
    pub(super) fn order(&self, other: &Self) -> Result<Ordering, Why> {
        match (self, other) {
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Err(*why),
            (Self::Null, _) | (_, Self::Null) => Err(Why::NoValue),
            (Self::AtLeast(_), Self::Number(_) | Self::AtLeast(_)) | (Self::Number(_), Self::AtLeast(_)) => {
                Err(Why::Incomplete)
            }
            (Self::Number(own), Self::Number(other)) => own.partial_cmp(other).ok_or(Why::Arithmetic),
            (Self::Text(own), Self::Text(other)) => Ok(own.cmp(other)),
            (Self::Time(own), Self::Time(other)) | (Self::Span(own), Self::Span(other)) => Ok(own.cmp(other)),
            (Self::Bool(own), Self::Bool(other)) => Ok(own.cmp(other)),
            _ => Err(Why::Kind),
        }
    }
}

/// A number that counts something.
fn whole(value: f64) -> Option<usize> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole, not negative, and small
    (value.fract() == 0.0 && (0.0..1e9).contains(&value)).then_some(value as usize)
}
