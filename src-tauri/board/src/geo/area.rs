//! Whether a place lies in an area.

use serde::{Serialize, Serializer};

use super::{Ring, Spot, TURN, edges};
use crate::reduce::hash;

/// The mean radius of the earth, metres: IUGG 1980.
const EARTH_M: f64 = 6_371_008.8;

/// An area on the earth. Its border is part of it, that of a hole as well.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Area {
    /// Any of these, each an outline and its holes.
    Polygons(Vec<Polygon>),
    /// No farther than `radius_m` metres from a place, on a sphere.
    Circle { lat: f64, lon: f64, radius_m: f64 },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Polygon {
    rings: Vec<Ring>,
    /// West, south, east, north of its outline.
    bounds: [i64; 4],
}

impl Area {
    pub(crate) fn of_polygons(polygons: &[Vec<Ring>]) -> Self {
        let polygon = |rings: &Vec<Ring>| Some(Polygon { rings: rings.clone(), bounds: bounds(rings.first()?)? });
        Self::Polygons(polygons.iter().filter_map(polygon).collect())
    }

    /// Its outlines and holes; a circle as a ring of many corners.
    pub(crate) fn rings(&self) -> Vec<Vec<Ring>> {
        match self {
            Self::Polygons(polygons) => polygons.iter().map(|polygon| polygon.rings.clone()).collect(),
            Self::Circle { lat, lon, radius_m } => vec![vec![circle(*lat, *lon, *radius_m)]],
        }
    }

    /// How many corners it has.
    pub(crate) fn corners(&self) -> usize {
        match self {
            Self::Polygons(polygons) => polygons.iter().flat_map(|polygon| &polygon.rings).map(Vec::len).sum(),
            Self::Circle { .. } => 0,
        }
    }

    /// Whether a place on the earth, degrees north and east, lies in it or on its border.
    pub(crate) fn holds(&self, (lat, lon): (f64, f64)) -> bool {
        match self {
            Self::Circle { lat: mid_lat, lon: mid_lon, radius_m } => {
                metres((lat, lon), (*mid_lat, *mid_lon)) <= *radius_m
            }
            Self::Polygons(polygons) => {
                let spot = Spot::of(lat, lon);
                // An outline may count on beyond the antimeridian, on either side.
                let turns = [-TURN, 0, TURN].map(|by| Spot { lon: spot.lon + by, lat: spot.lat });
                polygons.iter().any(|polygon| turns.iter().any(|spot| polygon.holds(*spot)))
            }
        }
    }
}

impl Polygon {
    fn holds(&self, spot: Spot) -> bool {
        let [west, south, east, north] = self.bounds;
        if spot.lon < west || spot.lon > east || spot.lat < south || spot.lat > north {
            return false;
        }
        let mut rings = self.rings.iter().map(|ring| side(ring, spot));
        match rings.next() {
            None | Some(Side::Out) => false,
            Some(Side::Border) => true,
            // In a hole, and not on its border.
            Some(Side::In) => rings.all(|side| side != Side::In),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    In,
    Border,
    Out,
}

/// Where a spot is: by how often a line from it to the east crosses the ring. In whole numbers, so nothing is rounded.
fn side(ring: &[Spot], spot: Spot) -> Side {
    let mut is_in = false;
    for (a, b) in edges(ring) {
        if spot.lat < a.lat.min(b.lat) || spot.lat > a.lat.max(b.lat) {
            continue;
        }
        let of = |from: i64, to: i64| i128::from(to) - i128::from(from);
        // Above 0 if the spot lies at the left of the way from a to b.
        let left = of(a.lon, b.lon) * of(a.lat, spot.lat) - of(a.lon, spot.lon) * of(a.lat, b.lat);
        if left == 0 && spot.lon >= a.lon.min(b.lon) && spot.lon <= a.lon.max(b.lon) {
            return Side::Border;
        }
        if (a.lat > spot.lat) != (b.lat > spot.lat) && (left > 0) == (b.lat > a.lat) {
            is_in = !is_in;
        }
    }
    if is_in { Side::In } else { Side::Out }
}

fn bounds(ring: &[Spot]) -> Option<[i64; 4]> {
    let lons = || ring.iter().map(|spot| spot.lon);
    let lats = || ring.iter().map(|spot| spot.lat);
    Some([lons().min()?, lats().min()?, lons().max()?, lats().max()?])
}

/// The way between two places on a sphere, by the haversine.
fn metres(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let north = ((b.0 - a.0).to_radians() / 2.0).sin();
    let east = ((b.1 - a.1).to_radians() / 2.0).sin();
    let chord = north * north + lat_a.cos() * lat_b.cos() * east * east;
    2.0 * EARTH_M * chord.sqrt().min(1.0).asin()
}

/// How many corners a circle is drawn with.
const CIRCLE_CORNERS: u32 = 72;

fn circle(lat: f64, lon: f64, radius_m: f64) -> Ring {
    let (mid, reach) = (lat.to_radians(), radius_m / EARTH_M);
    let corner = |number: u32| {
        let way = f64::from(number) / f64::from(CIRCLE_CORNERS) * std::f64::consts::TAU;
        let north = mid.sin() * reach.cos() + mid.cos() * reach.sin() * way.cos();
        let across = (way.sin() * reach.sin() * mid.cos()).atan2(reach.cos() - mid.sin() * north);
        Spot::of(north.clamp(-1.0, 1.0).asin().to_degrees(), lon + across.to_degrees())
    };
    let mut closed: Vec<Spot> = (0..CIRCLE_CORNERS).map(corner).collect();
    closed.extend(closed.first().copied());
    super::ring(&closed)
}

/// A hash of it: it is part of what a fold is, and a file may have many corners.
impl Serialize for Area {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        match self {
            Self::Circle { lat, lon, radius_m } => {
                for number in [lat, lon, radius_m] {
                    bytes.extend(number.to_bits().to_le_bytes());
                }
            }
            Self::Polygons(polygons) => {
                for polygon in polygons {
                    bytes.push(1);
                    for ring in &polygon.rings {
                        bytes.push(2);
                        bytes.extend(ring.iter().flat_map(|spot| [spot.lon, spot.lat]).flat_map(i64::to_le_bytes));
                    }
                }
            }
        }
        serializer.serialize_str(&format!("{:016x}", hash(&bytes)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Corners of a grid of a degree, closed.
    fn area(rings: &[&[(i64, i64)]]) -> Area {
        let spot = |(lon, lat): &(i64, i64)| Spot { lon: lon * 10_000_000, lat: lat * 10_000_000 };
        let closed = |ring: &&[(i64, i64)]| ring.iter().chain(ring.first()).map(spot).collect::<Vec<_>>();
        Area::of_polygons(&[rings.iter().map(|ring| super::super::ring(&closed(ring))).collect()])
    }

    #[test]
    fn borders_belong_to_an_area_and_holes_do_not() {
        let box_ = area(&[&[(0, 0), (10, 0), (10, 10), (0, 10)], &[(3, 3), (3, 6), (6, 6), (6, 3)]]);
        for (lat, lon, is_in) in [
            (1.0, 1.0, true),
            (4.0, 4.0, false),
            (3.0, 4.0, true),
            (6.0, 6.0, true),
            (0.0, 0.0, true),
            (0.0, 5.0, true),
            (10.0, 10.0, true),
            (10.000_000_1, 5.0, false),
            (5.0, 10.000_000_1, false),
            (5.0, -0.000_000_1, false),
            (3.0, 11.0, false),
        ] {
            assert_eq!(box_.holds((lat, lon)), is_in, "{lat} {lon}");
        }
    }

    /// A ring that crosses the antimeridian holds what lies on either side of it, whether it counts on or jumps; and one around a pole the pole.
    #[test]
    fn the_antimeridian_and_the_poles() {
        for ring in [[(170, -10), (-170, -10), (-170, 10), (170, 10)], [(170, -10), (190, -10), (190, 10), (170, 10)]] {
            let fiji = area(&[&ring]);
            for (lon, is_in) in [
                (175.0, true),
                (-175.0, true),
                (180.0, true),
                (-180.0, true),
                (169.0, false),
                (0.0, false),
                (-169.0, false),
            ] {
                assert_eq!(fiji.holds((0.0, lon)), is_in, "{lon}");
            }
        }
        let arctic = area(&[&[(-120, 70), (0, 70), (120, 70)]]);
        assert!(arctic.holds((80.0, 10.0)) && arctic.holds((90.0, 0.0)) && arctic.holds((71.0, 179.0)));
        assert!(!arctic.holds((69.0, 10.0)) && !arctic.holds((-80.0, 10.0)));
        let world = area(&[&[(-180, -90), (180, -90), (180, 90), (-180, 90)]]);
        assert!(world.holds((0.0, 0.0)) && world.holds((-89.0, 180.0)) && world.holds((45.0, -180.0)));
    }

    #[test]
    fn circles_are_of_metres() {
        let circle = Area::Circle { lat: 52.0, lon: 13.0, radius_m: 500.0 };
        // A thousandth of a degree of latitude is 111.2 m.
        assert!(circle.holds((52.004_4, 13.0)) && !circle.holds((52.004_6, 13.0)));
        assert!(circle.holds((52.0, 13.007_2)) && !circle.holds((52.0, 13.007_4)));
        let ring = &circle.rings()[0][0];
        assert_eq!(ring.len(), 72);
        #[allow(clippy::cast_precision_loss)]
        let far = ring.iter().map(|spot| metres((52.0, 13.0), (spot.lat as f64 / 1e7, spot.lon as f64 / 1e7)));
        assert!(far.into_iter().all(|metres| (metres - 500.0).abs() < 0.1));
    }

    /// By the winding number, corner by corner in floating point: another way to the same answer. Off the border only: there it rounds.
    fn winds(ring: &[Spot], spot: Spot) -> bool {
        #[allow(clippy::cast_precision_loss)]
        let angle = |at: Spot| ((at.lat - spot.lat) as f64).atan2((at.lon - spot.lon) as f64);
        let turned: f64 = edges(ring)
            .map(|(a, b)| {
                let by = angle(b) - angle(a);
                by - std::f64::consts::TAU * (by / std::f64::consts::TAU).round()
            })
            .sum();
        // Even-odd: a ring that crosses itself holds what it goes around an odd number of times.
        #[allow(clippy::cast_possible_truncation)]
        let times = (turned / std::f64::consts::TAU).round() as i64;
        times.rem_euclid(2) == 1
    }

    proptest! {
        /// Against a naive model: any ring, crossing itself or not, wound either way.
        #[test]
        fn agrees_with_the_winding_number(
            corners in prop::collection::vec((-40..40_i64, -40..40_i64), 3..9),
            lon in -45..45_i64, lat in -45..45_i64,
        ) {
            let ring: Ring = corners.iter().map(|(lon, lat)| Spot { lon: *lon, lat: *lat }).collect();
            let found = side(&ring, Spot { lon, lat });
            if found != Side::Border {
                prop_assert_eq!(found == Side::In, winds(&ring, Spot { lon, lat }));
            }
            let back: Ring = ring.iter().rev().copied().collect();
            prop_assert_eq!(side(&back, Spot { lon, lat }), found);
        }
    }
}
