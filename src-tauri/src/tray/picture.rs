//! The mark as a picture: the shapes of `docs/design-language.md`, so that no colour needs to be told from another. Pure.

use super::mark::{Badge, Link};

/// Pixels across and down, from a panel of a notebook's to one of twice its scale.
pub(super) const SIZES: [u16; 6] = [16, 22, 24, 32, 48, 64];
/// Points looked at in a pixel, across and down: edges are smooth.
const FINE: u16 = 4;

/// The middle of the badge, both ways.
const CORNER: f64 = 0.48;

type Colour = [u8; 3];
/// Each of them stands three to one against a white panel and against a black one: how light a panel is isn't told.
const GREY: Colour = [0x80, 0x86, 0x8c];
const AMBER: Colour = [0xb8, 0x79, 0x00];
const RED: Colour = [0xe0, 0x3c, 0x40];
/// What is known, as on the wall: never the colours of alarms.
const MAGENTA: Colour = [0xc8, 0x3c, 0xc8];

/// A point of the picture, from -1 to 1 both ways; y grows downwards.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

impl Point {
    fn far(self) -> f64 {
        self.x.hypot(self.y)
    }

    fn ring(self, inner: f64, outer: f64) -> bool {
        (inner..outer).contains(&self.far())
    }

    /// As seen from `(x, y)`, where `size` is one.
    fn from(self, x: f64, y: f64, size: f64) -> Self {
        Self { x: (self.x - x) / size, y: (self.y - y) / size }
    }
}

/// How the link is: a full disc if all is live, an open ring with an arrow while it catches up, a ring with a bar across for stale, a cross
/// for down, a disc with a bar left out for refused, a ring of dashes for unknown.
fn link(link: Link, at: Point) -> Option<Colour> {
    let Point { x, y } = at;
    match link {
        Link::Live => (at.far() < 0.78).then_some(GREY),
        Link::CatchingUp => {
            let is_open = x > 0.0 && y < 0.1 && y > -0.62;
            let arrow = y > -0.15 && y < 0.42 && (x - 0.7).abs() < (0.42 - y) * 0.62;
            ((at.ring(0.56, 0.9) && !is_open) || arrow).then_some(GREY)
        }
        Link::Stale => {
            let bar = y.abs() < 0.16 && x.abs() < 0.97;
            let apart = y.abs() < 0.32;
            (bar || (at.ring(0.58, 0.92) && !apart)).then_some(MAGENTA)
        }
        Link::Down => {
            let inside = x.abs() < 0.86 && y.abs() < 0.86;
            (inside && ((x - y).abs() < 0.34 || (x + y).abs() < 0.34)).then_some(MAGENTA)
        }
        Link::Refused => (at.far() < 0.92 && !(y.abs() < 0.2 && x.abs() < 0.62)).then_some(MAGENTA),
        Link::Unknown => {
            // Eight of them.
            let turn = y.atan2(x) / std::f64::consts::TAU * 8.0;
            (at.ring(0.56, 0.92) && turn.rem_euclid(1.0) < 0.62).then_some(GREY)
        }
    }
}

/// What the numbers say, in the lower right: a full diamond for an alarm, a full triangle for a warning.
fn badge(badge: Badge, at: Point) -> Option<Colour> {
    let Point { x, y } = at.from(CORNER, CORNER, 1.0 - CORNER);
    match badge {
        Badge::None => None,
        Badge::Alarm => (x.abs() + y.abs() < 1.0).then_some(RED),
        Badge::Warning => (y < 0.86 && y > -0.95 && x.abs() < (y + 0.95) * 0.56).then_some(AMBER),
    }
}

/// How the link is where the numbers say something too: smaller, in the upper left, and whole but for the badge's own surroundings.
fn beside(badge: Badge, own: Link, at: Point) -> Option<Colour> {
    if badge == Badge::None {
        return link(own, at);
    }
    let is_around = at.from(CORNER, CORNER, 1.0 - CORNER).far() < 1.12;
    link(own, at.from(-0.22, -0.22, 0.78)).filter(|_| !is_around)
}

/// Pixels row by row, each alpha, red, green and blue.
pub(super) fn of(own: Link, mark: Badge, size: u16) -> Vec<u8> {
    let at = |pixel: u16, part: u16| {
        let points = f64::from(size) * f64::from(FINE);
        (f64::from(pixel * FINE + part) + 0.5) / points * 2.0 - 1.0
    };
    let pixel = |x: u16, y: u16| {
        let mut drawn = 0_u32;
        let mut sum = [0_u32; 3];
        for part in 0..FINE * FINE {
            let point = Point { x: at(x, part % FINE), y: at(y, part / FINE) };
            let colour = badge(mark, point).or_else(|| beside(mark, own, point));
            if let Some(colour) = colour {
                drawn += 1;
                for (sum, part) in sum.iter_mut().zip(colour) {
                    *sum += u32::from(part);
                }
            }
        }
        let [red, green, blue] = sum.map(|sum| u8::try_from(sum / drawn.max(1)).unwrap_or(u8::MAX));
        let alpha = u8::try_from(drawn * 255 / u32::from(FINE * FINE)).unwrap_or(u8::MAX);
        [alpha, red, green, blue]
    };
    (0..size).flat_map(|y| (0..size).flat_map(move |x| pixel(x, y))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever sees no colours sees which it is, in the smallest one as well: the shapes differ.
    #[test]
    fn each_has_a_shape() {
        for size in SIZES {
            let area = usize::from(size) * usize::from(size);
            let all: Vec<(Link, Badge, Vec<bool>)> = Link::ALL
                .into_iter()
                .flat_map(|link| Badge::ALL.map(|badge| (link, badge)))
                .map(|(link, badge)| {
                    (link, badge, of(link, badge, size).chunks_exact(4).map(|own| own[0] > 127).collect())
                })
                .collect();
            for (number, (link, badge, shape)) in all.iter().enumerate() {
                assert_eq!(shape.len(), area);
                let drawn = shape.iter().filter(|drawn| **drawn).count();
                assert!(drawn * 6 > area, "{link:?} {badge:?} is thin at {size}: {drawn} of {area}");
                for (other, with, another) in &all[..number] {
                    let differing = shape.iter().zip(another).filter(|(one, other)| one != other).count();
                    assert!(
                        differing * 28 > area,
                        "{link:?} {badge:?}, {other:?} {with:?} at {size}: {differing} of {area}"
                    );
                }
            }
        }
    }

    /// On a dark panel and on a light one.
    #[test]
    fn they_stand_out_on_any_panel() {
        let light = |colour: Colour| {
            let part = |value: u8| {
                let value = f64::from(value) / 255.0;
                if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(colour[0]) + 0.7152 * part(colour[1]) + 0.0722 * part(colour[2])
        };
        for colour in [GREY, AMBER, RED, MAGENTA] {
            for panel in [[0xff; 3], [0x24, 0x28, 0x2c]] {
                let (one, other) = (light(colour), light(panel));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= 3.0, "{colour:?} on {panel:?}: {contrast}");
            }
        }
    }
}
