//! Fences of a map.

use std::time::Duration;

use serde::Serialize;

use super::millis;
use crate::{
    frame::{FenceWhen, Icon, State},
    geo::Area,
};

/// A fence: what it means that a marker is in an area, or isn't.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FenceSpec {
    /// `name`, or that of the layer's area.
    pub name: String,
    /// What it encloses. Its hash stands for it in the fold's JSON.
    pub(crate) area: Area,
    /// `state`: what it means for a marker to be where it tells of.
    pub state: State,
    /// `when`: where that is.
    pub when: FenceWhen,
    /// `for`: how long a marker must be on the other side until that counts.
    #[serde(serialize_with = "millis")]
    pub hold: Duration,
    /// `of-states`: the states of the markers that it tells of; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of_states: Vec<State>,
    /// `of-icons`: their icons; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of_icons: Vec<Icon>,
}
