//! What time it is, in one zone or several.

use serde_json::Value;

use super::FurnitureShape;
use crate::{
    config::{
        diagnostic::Sink,
        record::{array_schema, read_tables},
        shape::{Flag, Text},
        shape_site::Zone,
        table::{Key, Need, Node, Shape, TableReader, TableShape},
    },
    frame::{ClockZone, FurnitureLook},
};

/// The most zones of one clock.
const ZONES_MAX: usize = 8;
/// The longest name of a zone, in characters.
const NAME_CHARACTERS_MAX: usize = 40;

pub(super) static KIND: FurnitureShape = FurnitureShape {
    name: "clock",
    about: "What time it is, in one zone or several.",
    table: TableShape { name: "kind `clock`", keys: &[&ZONES, &SECONDS, &DATE] },
    is_headed: true,
    wish: (3, 2),
    read,
};

static ZONES: Key<Zones> = Key {
    name: "zones",
    need: Need::Optional,
    about: "The zones, in their order; the board's if left out.",
    shape: Zones,
};

static SECONDS: Key<Flag> =
    Key { name: "seconds", need: Need::Default("false"), about: "Whether seconds are shown.", shape: Flag };

static DATE: Key<Flag> = Key {
    name: "date",
    need: Need::Default("false"),
    about: "Whether each zone's day is shown. One that isn't the day in the board's zone is shown always.",
    shape: Flag,
};

pub(in crate::config) static ZONE_TABLE: TableShape = TableShape { name: "`zones`", keys: &[&ZONE, &NAME] };

static ZONE: Key<Zone> = Key { name: "zone", need: Need::Required, about: "The zone.", shape: Zone };

static NAME: Key<Text> = Key {
    name: "name",
    need: Need::Optional,
    about: "What people call it; the last part of the zone's name if left out.",
    shape: Text { characters_max: NAME_CHARACTERS_MAX },
};

/// `zones = [{ zone = "Asia/Tokyo", name = "Tokyo" }]`
struct Zones;

const EXPECTED: &str = "an array of 1 to 8 tables such as `{ zone = \"Asia/Tokyo\", name = \"Tokyo\" }`";

impl Shape for Zones {
    type Value = Vec<ClockZone>;

    fn expected(&self) -> String {
        EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("array of 1 to {ZONES_MAX} tables, below")
    }

    fn schema(&self) -> Value {
        array_schema(&ZONE_TABLE, ZONES_MAX)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Vec<ClockZone>> {
        read_tables(node, (&ZONE_TABLE, ZONES_MAX, EXPECTED), sink, |reader, sink| {
            let zone = reader.get(&ZONE, sink);
            let name = reader.optional(&NAME, sink);
            let zone = zone?;
            Some(ClockZone { name: name?.unwrap_or_else(|| place_of(&zone)), zone })
        })
    }
}

/// `New York` of `America/New_York`.
fn place_of(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

fn read(reader: &TableReader<'_>, timezone: Option<&str>, sink: &mut Sink<'_>) -> Option<FurnitureLook> {
    let zones = reader.optional(&ZONES, sink);
    let seconds = reader.get(&SECONDS, sink);
    let date = reader.get(&DATE, sink);
    let zones = match zones? {
        Some(zones) => zones,
        None => vec![ClockZone { zone: timezone?.to_owned(), name: place_of(timezone?) }],
    };
    Some(FurnitureLook::Clock { zones, seconds: seconds?, date: date? })
}
