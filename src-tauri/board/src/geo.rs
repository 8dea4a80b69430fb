//! Shapes on the earth: what GeoJSON says, which areas hold a place, and how much of a shape a screen can show.
//!
//! Places are whole numbers of ten-millionths of a degree, about a centimetre, so that what lies on a border is decided exactly.

mod area;
mod geojson;
mod thin;

pub(crate) use area::Area;
pub(crate) use geojson::{Feature, read};
pub(crate) use thin::{looks, outline};

/// Parts of a degree that places are whole numbers of.
pub(crate) const PARTS: f64 = 1e7;
/// Once around, in the same.
const TURN: i64 = 3_600_000_000;
/// A quarter of that: a pole's latitude.
const POLE: i64 = 900_000_000;

/// A place, or a vertex of a shape: ten-millionths of a degree east and north. East of the antimeridian it may go on counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) lon: i64,
    pub(crate) lat: i64,
}

impl Spot {
    /// Of degrees, which are few enough hundred.
    pub(crate) fn of(lat: f64, lon: f64) -> Self {
        #[allow(clippy::cast_possible_truncation)] // saturates, and is rounded
        let parts = |degrees: f64| (degrees * PARTS).round() as i64;
        Self { lon: parts(lon), lat: parts(lat) }
    }
}

/// The outline of an area: its vertices in turn, the first not repeated.
pub(crate) type Ring = Vec<Spot>;

/// What a geometry comes to: areas, each an outline and its holes, lines and points.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shapes {
    pub(crate) areas: Vec<Vec<Ring>>,
    pub(crate) lines: Vec<Vec<Spot>>,
    pub(crate) points: Vec<Spot>,
}

/// The vertices with longitudes that go on counting where they cross the antimeridian: each edge goes the shorter way round. An edge between
/// 180° west and 180° east is all the way round, for that is how people write the whole world.
fn unwrapped(line: &[Spot]) -> Vec<Spot> {
    let is_edge = |spot: &Spot| spot.lon.abs() == TURN / 2;
    let mut by = 0;
    let mut before: Option<Spot> = None;
    let go_on = |spot: &Spot| {
        if let Some(last) = before.replace(*spot) {
            let step = spot.lon - last.lon;
            if step.abs() > TURN / 2 && !(is_edge(&last) && is_edge(spot)) {
                by -= TURN * step.signum() * ((step.abs() + TURN / 2) / TURN);
            }
        }
        Spot { lon: spot.lon + by, lat: spot.lat }
    };
    line.iter().map(go_on).collect()
}

/// A closed line of a file, its last vertex its first, as an outline. One that goes around the earth holds the pole that it is nearer to.
pub(crate) fn ring(closed: &[Spot]) -> Ring {
    let mut ring = unwrapped(closed);
    let (Some(first), Some(last)) = (ring.first().copied(), ring.last().copied()) else { return ring };
    if last.lon == first.lon {
        ring.pop();
    } else {
        let north: i64 = ring.iter().map(|spot| spot.lat).sum();
        let pole = if north < 0 { -POLE } else { POLE };
        ring.extend([Spot { lon: last.lon, lat: pole }, Spot { lon: first.lon, lat: pole }]);
    }
    ring
}

/// Whether there is an edge of the ring at all is the caller's matter.
fn edges(ring: &[Spot]) -> impl Iterator<Item = (Spot, Spot)> {
    let turned = ring.iter().skip(1).chain(ring.first());
    ring.iter().zip(turned).map(|(a, b)| (*a, *b))
}
