//! What time it is, in one zone or several.

use super::FurnitureShape;
use crate::{
    config::{
        diagnostic::Sink,
        record::Tables,
        shape::{Flag, Text},
        shape_site::Zone,
        table::{Key, Need, TableReader, TableShape},
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

impl Tables for Zones {
    type One = ClockZone;
    const MOST: usize = ZONES_MAX;
    const EXAMPLE: &'static str = "{ zone = \"Asia/Tokyo\", name = \"Tokyo\" }";

    fn table(&self) -> &'static TableShape {
        &ZONE_TABLE
    }

    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<ClockZone> {
        let zone = reader.get(&ZONE, sink);
        let name = reader.optional(&NAME, sink);
        let zone = zone?;
        Some(ClockZone { name: name?.unwrap_or_else(|| place_of(&zone)), zone })
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
