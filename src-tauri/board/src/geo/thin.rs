//! As much of a shape as a map can show: what lies on it or near, and no finer than a screen.

use super::{Area, Ring, Shapes, Spot, TURN, edges};
use crate::frame::{LayerDraw, LayerLook, ShapeLook, State};

/// Positions that the layers of one map have at most: what crosses to the page, once.
const POSITIONS_MAX: usize = 20_000;
/// The finest screen is so many pixels wide.
const PIXELS: i64 = 8_192;
/// How often the grain may be doubled until all has room.
const COARSER_MAX: u32 = 8;

/// A piece of a layer as a file has it: its name, its state and its shapes.
pub(crate) type Piece = (Option<String>, State, Shapes);

/// What a map of these bounds (west, south, east, north) shows of each layer, all of them together within bounds. What has no room is counted.
pub(crate) fn looks(layers: &[(LayerDraw, Vec<Piece>)], bounds: [f64; 4]) -> Vec<LayerLook> {
    let window = Window::of(bounds);
    let mut grain = window.grain;
    let thinned = |grain: i64| -> Vec<LayerLook> {
        layers.iter().map(|(draw, pieces)| layer(*draw, pieces, &window, grain)).collect()
    };
    let mut looks = thinned(grain);
    for _ in 0..COARSER_MAX {
        if looks.iter().map(positions).sum::<usize>() <= POSITIONS_MAX {
            return looks;
        }
        grain *= 2;
        looks = thinned(grain);
    }
    let mut left = POSITIONS_MAX;
    for look in &mut looks {
        let shapes = std::mem::take(&mut look.shapes);
        for shape in shapes {
            let own = shape_positions(&shape);
            if own <= left {
                left -= own;
                look.shapes.push(shape);
            } else {
                look.left_out += 1;
            }
        }
    }
    looks
}

/// The outline of an area as such a map shows it.
pub(crate) fn outline(area: &Area, bounds: [f64; 4]) -> Vec<Vec<Vec<i64>>> {
    let window = Window::of(bounds);
    areas(&area.rings(), &window, window.grain)
}

/// What is looked at, in ten-millionths of a degree.
struct Window {
    west: i64,
    south: i64,
    east: i64,
    north: i64,
    /// What is smaller can't be seen.
    grain: i64,
}

impl Window {
    /// A panel of another shape than the bounds shows what lies around them as well: as much again thrice on each side.
    fn of([west, south, east, north]: [f64; 4]) -> Self {
        let (low, high) = (Spot::of(south, west), Spot::of(north, east));
        let reach = 3 * (high.lon - low.lon).max(high.lat - low.lat);
        let middle = low.lon.midpoint(high.lon);
        Self {
            west: (low.lon - reach).max(middle - TURN / 2),
            east: (high.lon + reach).min(middle + TURN / 2),
            south: (low.lat - reach).max(-super::POLE),
            north: (high.lat + reach).min(super::POLE),
            grain: ((high.lon - low.lon).max(high.lat - low.lat) / PIXELS / 2).max(1),
        }
    }

    fn meets(&self, line: &[Spot], by: i64) -> bool {
        let any = |is: &dyn Fn(&Spot) -> bool| line.iter().any(is);
        any(&|spot| spot.lon + by >= self.west)
            && any(&|spot| spot.lon + by <= self.east)
            && any(&|spot| spot.lat >= self.south)
            && any(&|spot| spot.lat <= self.north)
    }

    fn holds(&self, spot: Spot) -> bool {
        (self.west..=self.east).contains(&spot.lon) && (self.south..=self.north).contains(&spot.lat)
    }
}

fn positions(look: &LayerLook) -> usize {
    look.shapes.iter().map(shape_positions).sum()
}

fn shape_positions(shape: &ShapeLook) -> usize {
    let rings = shape.areas.iter().flatten().map(Vec::len);
    (rings.sum::<usize>() + shape.lines.iter().map(Vec::len).sum::<usize>() + shape.points.len()) / 2
}

fn layer(draw: LayerDraw, pieces: &[Piece], window: &Window, grain: i64) -> LayerLook {
    let shape = |(name, state, shapes): &Piece| {
        let look = ShapeLook {
            name: name.clone(),
            state: *state,
            areas: areas(&shapes.areas, window, grain),
            lines: shapes.lines.iter().flat_map(|line| lines(line, window, grain)).map(|line| steps(&line)).collect(),
            points: steps(&shapes.points.iter().flat_map(|spot| seen(*spot, window)).collect::<Vec<_>>()),
        };
        let is_seen = !(look.areas.is_empty() && look.lines.is_empty() && look.points.is_empty());
        is_seen.then_some(look)
    };
    let is_placeless = |(_, _, shapes): &&Piece| *shapes == Shapes::default();
    let left_out = u32::try_from(pieces.iter().filter(is_placeless).count()).unwrap_or(u32::MAX);
    LayerLook { draw, shapes: pieces.iter().filter_map(shape).collect(), left_out }
}

/// Where a spot is seen: once, wherever the map's own edges lie.
fn seen(spot: Spot, window: &Window) -> Option<Spot> {
    [0, -TURN, TURN].map(|by| Spot { lon: spot.lon + by, lat: spot.lat }).into_iter().find(|spot| window.holds(*spot))
}

fn areas(polygons: &[Vec<Ring>], window: &Window, grain: i64) -> Vec<Vec<Vec<i64>>> {
    let polygon = |rings: &Vec<Ring>, by: i64| -> Option<Vec<Vec<i64>>> {
        let ring = |ring: &Ring| {
            let moved: Ring = ring.iter().map(|spot| Spot { lon: spot.lon + by, lat: spot.lat }).collect();
            let cut = thinned_ring(&clipped(moved, window), grain);
            (cut.len() >= 3).then(|| steps(&cut))
        };
        let (outer, holes) = rings.split_first().filter(|(outer, _)| window.meets(outer, by))?;
        Some(std::iter::once(ring(outer)?).chain(holes.iter().filter_map(ring)).collect())
    };
    polygons.iter().flat_map(|rings| [0, -TURN, TURN].into_iter().filter_map(move |by| polygon(rings, by))).collect()
}

/// A ring without what lies beyond the window: by Sutherland and Hodgman, edge by edge. Only where it lies beyond.
fn clipped(ring: Ring, window: &Window) -> Ring {
    if ring.iter().all(|spot| window.holds(*spot)) {
        return ring;
    }
    // Above 0 within each of the four edges.
    let sides: [&dyn Fn(Spot) -> i64; 4] =
        [&|spot| spot.lon - window.west, &|spot| window.east - spot.lon, &|spot| spot.lat - window.south, &|spot| {
            window.north - spot.lat
        }];
    sides.into_iter().fold(ring, |ring, side| {
        let mut kept = Ring::new();
        for (a, b) in edges(&ring) {
            let (from, to) = (side(a), side(b));
            if from >= 0 {
                kept.push(a);
            }
            if (from < 0) != (to < 0) {
                let part = |a: i64, b: i64| {
                    let way = i128::from(b - a) * i128::from(from) / i128::from(from - to);
                    a + i64::try_from(way).unwrap_or_default()
                };
                kept.push(Spot { lon: part(a.lon, b.lon), lat: part(a.lat, b.lat) });
            }
        }
        kept
    })
}

/// The stretches of a line that lie in the window or go out of it.
fn lines(line: &[Spot], window: &Window, grain: i64) -> Vec<Vec<Spot>> {
    let mut all = Vec::new();
    for by in [0, -TURN, TURN] {
        let moved: Vec<Spot> = line.iter().map(|spot| Spot { lon: spot.lon + by, lat: spot.lat }).collect();
        let mut stretch: Vec<Spot> = Vec::new();
        for pair in moved.windows(2) {
            if window.meets(pair, 0) {
                if stretch.is_empty() {
                    stretch.push(pair[0]);
                }
                stretch.push(pair[1]);
            } else if !stretch.is_empty() {
                all.push(thinned(&std::mem::take(&mut stretch), grain));
            }
        }
        if !stretch.is_empty() {
            all.push(thinned(&stretch, grain));
        }
    }
    all
}

/// A ring thinned from its first corner to the one that is farthest from it and back.
fn thinned_ring(ring: &[Spot], grain: i64) -> Ring {
    let Some(first) = ring.first() else { return Ring::new() };
    let off = |spot: &Spot| (spot.lon - first.lon).abs().max((spot.lat - first.lat).abs());
    let far = (0..ring.len()).max_by_key(|at| off(&ring[*at])).unwrap_or_default();
    if ring.len() <= 3 || far == 0 {
        return ring.to_vec();
    }
    let mut back: Vec<Spot> = ring[far..].to_vec();
    back.push(*first);
    let mut thin = thinned(&ring[..=far], grain);
    thin.pop();
    let mut way = thinned(&back, grain);
    way.pop();
    thin.extend(way);
    // What is as small as a pixel stays something.
    if thin.len() < 3 { vec![ring[0], ring[far.min(ring.len() - 2)], ring[ring.len() - 1]] } else { thin }
}

/// A line without the corners that lie no farther than `grain` off it: by Ramer, Douglas and Peucker.
fn thinned(line: &[Spot], grain: i64) -> Vec<Spot> {
    if line.len() < 3 {
        return line.to_vec();
    }
    let mut keep = vec![false; line.len()];
    keep[0] = true;
    keep[line.len() - 1] = true;
    let mut open = vec![(0, line.len() - 1)];
    while let Some((from, to)) = open.pop() {
        let farthest = (from + 1..to).map(|at| (distance(line[at], line[from], line[to]), at));
        let Some((off, at)) = farthest.max_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        #[allow(clippy::cast_precision_loss)] // a grain is small
        if off > grain as f64 {
            keep[at] = true;
            open.extend([(from, at), (at, to)]);
        }
    }
    line.iter().zip(keep).filter(|(_, keep)| *keep).map(|(spot, _)| *spot).collect()
}

/// How far a spot lies off the stretch from a to b, as on paper.
#[allow(clippy::cast_precision_loss)] // within 2^53
fn distance(spot: Spot, a: Spot, b: Spot) -> f64 {
    let of = |from: Spot, to: Spot| ((to.lon - from.lon) as f64, (to.lat - from.lat) as f64);
    let ((x, y), (px, py)) = (of(a, b), of(a, spot));
    let length = x * x + y * y;
    let part = if length == 0.0 { 0.0 } else { ((px * x + py * y) / length).clamp(0.0, 1.0) };
    (px - part * x).hypot(py - part * y)
}

/// Each position as how far it is from the one before, east and north in turn; the first from 0. Steps are small, so most are short texts.
fn steps(line: &[Spot]) -> Vec<i64> {
    let mut before = Spot { lon: 0, lat: 0 };
    let step = |spot: &Spot| {
        let last = std::mem::replace(&mut before, *spot);
        [spot.lon - last.lon, spot.lat - last.lat]
    };
    line.iter().flat_map(step).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::read;

    fn looked(text: &str, bounds: [f64; 4]) -> LayerLook {
        let pieces = read(text, Some("n"), None).expect("sound").into_iter();
        let pieces = pieces.map(|one| (one.name, State::Normal, one.shapes)).collect();
        looks(&[(LayerDraw::Area, pieces)], bounds).remove(0)
    }

    fn spots(steps: &[i64]) -> Vec<Spot> {
        let mut at = Spot { lon: 0, lat: 0 };
        let go = |step: &[i64]| {
            at = Spot { lon: at.lon + step[0], lat: at.lat + step[1] };
            at
        };
        steps.chunks(2).map(go).collect()
    }

    #[test]
    fn what_is_elsewhere_is_not_sent() {
        let text = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"n":"here"},"geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,2],[1,1]]]}},
            {"type":"Feature","properties":{"n":"far"},"geometry":{"type":"Polygon","coordinates":[[[91,1],[92,1],[92,2],[91,1]]]}},
            {"type":"Feature","properties":{"n":"nowhere"},"geometry":null},
            {"type":"Feature","properties":{"n":"way"},"geometry":{"type":"LineString","coordinates":[[-80,1],[1,1],[2,2],[80,2],[90,2]]}}]}"#;
        let look = looked(text, [0.0, 0.0, 3.0, 3.0]);
        let names: Vec<_> = look.shapes.iter().filter_map(|shape| shape.name.clone()).collect();
        assert_eq!((names, look.left_out), (vec!["here".to_owned(), "way".to_owned()], 1));
        assert_eq!(
            spots(&look.shapes[0].areas[0][0]),
            [(1, 1), (2, 1), (2, 2), (1, 2)].map(|(lon, lat)| Spot::of(lat.into(), lon.into()))
        );
        assert_eq!(look.shapes[1].lines[0].len(), 8);
    }

    /// What crosses the antimeridian stands on both edges of a map of the world, and once on any other.
    #[test]
    fn the_antimeridian_is_seen_from_both_sides() {
        let text = r#"{"type":"Polygon","coordinates":[[[170,-10],[-170,-10],[-170,10],[170,10],[170,-10]]]}"#;
        let look = looked(text, [-180.0, -60.0, 180.0, 80.0]);
        let lons: Vec<Vec<i64>> = look.shapes[0]
            .areas
            .iter()
            .map(|rings| spots(&rings[0]).iter().map(|spot| spot.lon / 10_000_000).collect())
            .collect();
        assert_eq!(lons, [vec![170, 180, 180, 170], vec![-180, -170, -170, -180]]);
        let pacific = looked(text, [100.0, -60.0, 179.0, 20.0]);
        assert_eq!(pacific.shapes[0].areas.len(), 1);
    }

    /// H5: a coast of any length is as many positions as a map may have.
    #[test]
    fn a_coast_is_thinned_to_what_a_screen_shows() {
        let corner = |at: u32| {
            let way = f64::from(at) / 50_000.0 * std::f64::consts::TAU;
            let off = 1.0 + 0.01 * (way * 5_000.0).sin() + 0.1 * (way * 40.0).sin();
            format!("[{},{}]", off * way.cos(), off * way.sin())
        };
        let ring: Vec<String> = (0..50_000).chain([0]).map(corner).collect();
        let text = format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(","));
        let look = looked(&text, [-1.2, -1.2, 1.2, 1.2]);
        let count = positions(&look);
        assert!((1_000..=POSITIONS_MAX).contains(&count), "{count} positions");
        assert_eq!(look.left_out, 0);
    }

    proptest! {
        /// No corner that is left out lies farther off than the grain.
        #[test]
        fn thinning_keeps_within_the_grain(corners in prop::collection::vec((-1000..1000_i64, -1000..1000_i64), 2..60), grain in 1..200_i64) {
            let line: Vec<Spot> = corners.iter().map(|(lon, lat)| Spot { lon: *lon, lat: *lat }).collect();
            let thin = thinned(&line, grain);
            for spot in &line {
                let off = thin.windows(2).map(|pair| distance(*spot, pair[0], pair[1])).fold(f64::INFINITY, f64::min);
                prop_assert!(off <= grain as f64, "{spot:?} is {off} off");
            }
        }
    }
}
