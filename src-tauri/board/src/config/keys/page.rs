//! `[[page]]`

use std::time::Duration;

use super::{id, span, title};
use crate::config::{
    shape::{Choice, Name, Text},
    shape_event::Span,
    table::{Key, Need, TableShape},
};

/// Less isn't enough to read a page.
const DWELL_MIN: Duration = Duration::from_secs(15);
const DWELL_MAX: Duration = Duration::from_secs(3600);

/// What it is called in the file.
pub(in crate::config) const TABLE_NAME: &str = "page";

pub(in crate::config) static TABLE: TableShape =
    TableShape { name: "`[[page]]`", keys: &[&ID, &TITLE, &DWELL, &PRIORITY] };

pub(in crate::config) static ID: Key<Name> =
    id("Its name, by which widgets say that they stand on it; unique among pages.");

pub(in crate::config) static TITLE: Key<Text> = title("Its name in the head line; the id if left out.");

pub(in crate::config) static DWELL: Key<Span> =
    span("dwell", Need::Default("\"30s\""), DWELL_MIN, DWELL_MAX, "For how long it is shown before the next one is.");

pub(in crate::config) static PRIORITY: Key<Choice<bool>> = Key {
    name: "priority",
    need: Need::Default("\"none\""),
    about: "What brings it to the glass out of its turn.",
    shape: Choice {
        options: &[
            ("none", false, "nothing does"),
            ("alarm", true, "a number or tile on it that comes to be in alarm; it stays while that lasts"),
        ],
    },
};
