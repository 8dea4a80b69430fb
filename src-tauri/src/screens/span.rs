//! One picture over several monitors: which part each shows, and why there is none if there can't be. Pure.

use std::fmt;

use watchfloor_board::frame::SpanView;

use super::{Monitor, Screen};
use crate::sight;

/// How much more pixels a millimetre one monitor may have than another: what they say of their size is in whole millimetres.
const ALIKE: f64 = 1.05;

/// A picture, and the part of each monitor, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) parts: Vec<SpanView>,
    /// Whether bezels are left out that nobody can tell in pixels: nothing is.
    pub(crate) is_unmeasured: bool,
}

/// Why monitors show no common picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unspanned {
    /// These aren't there, counted from 0.
    Gone(Vec<usize>),
    /// They have not as many pixels: each size that there is.
    Sizes(Vec<(i32, i32)>),
    /// They have as many, but not as large ones: the fewest and the most a millimetre.
    Densities(f64, f64),
}

/// The picture of a screen on its monitors, row by row; none if it has one monitor.
pub(crate) fn span(
    screen: &Screen,
    monitors: &[Option<&Monitor>],
    stated: sight::Screen,
) -> Option<Result<Span, Unspanned>> {
    let (rows, columns) = (screen.monitors.len(), screen.monitors.first()?.len());
    Some(parts(screen, monitors, stated, rows, columns))
}

fn parts(
    screen: &Screen,
    monitors: &[Option<&Monitor>],
    stated: sight::Screen,
    rows: usize,
    columns: usize,
) -> Result<Span, Unspanned> {
    let there: Vec<&Monitor> = monitors.iter().copied().flatten().collect();
    if there.len() < rows * columns {
        let gone = (0..rows * columns).filter(|at| monitors.get(*at).copied().flatten().is_none());
        return Err(Unspanned::Gone(gone.collect()));
    }
    let mut sizes: Vec<(i32, i32)> = there.iter().map(|monitor| (monitor.place.width, monitor.place.height)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let &[(width, height)] = sizes.as_slice() else { return Err(Unspanned::Sizes(sizes)) };
    let pixels = (f64::from(width), f64::from(height));
    let density = |monitor: &&Monitor| {
        let (across, down) = monitor.size_mm;
        stated.density(pixels, (f64::from(across), f64::from(down)))
    };
    let densities: Vec<f64> = there.iter().filter_map(density).collect();
    let (least, most) =
        densities.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), own| (least.min(*own), most.max(*own)));
    if most > least * ALIKE {
        return Err(Unspanned::Densities(least, most));
    }
    // All of them are as good as the first, and one that says nothing is like the others.
    let px_per_mm = densities.first().copied();
    let hidden = |mm: f64| whole(px_per_mm.map_or(0.0, |px| mm * px));
    let hidden_px = match (screen.bezel_px, screen.bezel_mm) {
        (Some(px), _) => [whole(px.across), whole(px.down)],
        (None, Some(mm)) => [hidden(mm.across), hidden(mm.down)],
        (None, None) => [0, 0],
    };
    let is_unmeasured = px_per_mm.is_none()
        && screen.bezel_px.is_none()
        && screen.bezel_mm.is_some_and(|mm| mm.across > 0.0 || mm.down > 0.0);
    let number = |number: usize| u32::try_from(number).unwrap_or_default();
    let part = |at: usize| SpanView {
        columns: number(columns),
        rows: number(rows),
        column: number(at % columns),
        row: number(at / columns),
        monitor_px: [whole(pixels.0), whole(pixels.1)],
        hidden_px,
    };
    Ok(Span { parts: (0..rows * columns).map(part).collect(), is_unmeasured })
}

/// Pixels are whole and not less than none; a strip is at most as wide as the settings let it be.
fn whole(pixels: f64) -> u32 {
    pixels.round().clamp(0.0, f64::from(u16::MAX)) as u32
}

impl fmt::Display for Unspanned {
    /// Of [`Unspanned::Gone`] the caller knows more: since when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(numbers) => {
                let words: Vec<String> = numbers.iter().map(|at| (at + 1).to_string()).collect();
                match words.split_last() {
                    Some((last, before)) if !before.is_empty() => {
                        write!(f, "monitors {} and {last}", before.join(", "))
                    }
                    _ => write!(f, "monitor {}", words.concat()),
                }
            }
            Self::Sizes(sizes) => {
                let words: Vec<String> = sizes.iter().map(|(width, height)| format!("{width}×{height}")).collect();
                write!(f, "its monitors have not one size in pixels ({})", words.join(", "))
            }
            Self::Densities(least, most) => {
                write!(f, "its monitors have not as many pixels a millimetre ({least:.2} to {most:.2})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::{Gap, Rect, Wanted};

    fn monitor(width: i32, height: i32, size_mm: (u32, u32)) -> Monitor {
        Monitor { name: "HDMI-1".into(), identity: None, place: Rect { x: 0, y: 0, width, height }, size_mm }
    }

    fn wall(rows: usize, columns: usize, across: f64, down: f64) -> Screen {
        Screen {
            id: "wall".into(),
            monitors: vec![vec![Wanted::default(); columns]; rows],
            bezel_mm: Some(Gap { across, down }),
            ..Screen::default()
        }
    }

    fn told(screen: &Screen, monitors: &[Monitor], stated: sight::Screen) -> Result<Span, String> {
        let all: Vec<Option<&Monitor>> = monitors.iter().map(Some).collect();
        span(screen, &all, stated).expect("a span").map_err(|why| why.to_string())
    }

    /// The parts stand side by side with the hidden strips between them: they cover the whole once and leave out nothing else.
    #[test]
    fn parts_are_the_whole_picture() {
        for (rows, columns) in [(1, 2), (1, 3), (2, 1), (2, 2), (3, 2), (4, 4)] {
            for (width, height, mm) in [(1920, 1080, (1209, 680)), (3840, 2160, (941, 529)), (1080, 1920, (336, 597))] {
                for (across, down) in [(0.0, 0.0), (1.8, 3.5), (24.0, 24.0), (200.0, 0.0)] {
                    let monitors = vec![monitor(width, height, mm); rows * columns];
                    let span =
                        told(&wall(rows, columns, across, down), &monitors, sight::Screen::default()).expect("parts");
                    let mut covered = std::collections::BTreeSet::new();
                    for part in &span.parts {
                        assert_eq!((part.rows as usize, part.columns as usize), (rows, columns));
                        assert!(part.row < part.rows && part.column < part.columns);
                        assert!(covered.insert((part.row, part.column)), "no part is two monitors'");
                    }
                    assert_eq!(covered.len(), rows * columns);
                    let first = span.parts[0];
                    assert!(span.parts.iter().all(|part| part.hidden_px == first.hidden_px));
                    let px_per_mm = f64::from(width) / f64::from(mm.0);
                    let close = |px: u32, mm: f64| (f64::from(px) - mm * px_per_mm).abs() < 1.0 + mm * 0.01;
                    assert!(
                        close(first.hidden_px[0], across) && close(first.hidden_px[1], down),
                        "{first:?} {px_per_mm}"
                    );
                    assert!(!span.is_unmeasured);
                }
            }
        }
    }

    /// A bezel in millimetres needs a size that was stated or can be believed; in pixels it needs none.
    #[test]
    fn bezels_are_measured_or_stated() {
        let monitors = [monitor(1920, 1080, (0, 0)), monitor(1920, 1080, (508, 286))];
        let none = sight::Screen::default();
        let unknown = told(&wall(1, 2, 10.0, 0.0), &monitors, none).expect("parts");
        assert_eq!((unknown.parts[0].hidden_px, unknown.is_unmeasured), ([0, 0], true));
        let stated = sight::Screen { diagonal_mm: Some(1101), ..none };
        let known = told(&wall(1, 2, 10.0, 0.0), &monitors, stated).expect("parts");
        assert_eq!((known.parts[1].hidden_px, known.is_unmeasured), ([20, 0], false));
        let pixels = Screen { bezel_px: Some(Gap { across: 33.0, down: 7.0 }), bezel_mm: None, ..wall(1, 2, 0.0, 0.0) };
        let pixels = told(&pixels, &monitors, none).expect("parts");
        assert_eq!((pixels.parts[0].hidden_px, pixels.is_unmeasured), ([33, 7], false));
    }

    /// Where no common picture is possible it is said why.
    #[test]
    fn what_is_not_alike_is_no_picture() {
        let none = sight::Screen::default();
        let (large, small) = (monitor(1920, 1080, (1209, 680)), monitor(1280, 720, (1209, 680)));
        let why = told(&wall(1, 2, 0.0, 0.0), &[large.clone(), small], none).expect_err("no picture");
        assert_eq!(why, "its monitors have not one size in pixels (1280×720, 1920×1080)");
        let near = monitor(1920, 1080, (600, 340));
        let why = told(&wall(1, 2, 0.0, 0.0), &[large.clone(), near.clone()], none).expect_err("no picture");
        assert_eq!(why, "its monitors have not as many pixels a millimetre (1.59 to 3.19)");
        let stated = sight::Screen { diagonal_mm: Some(1387), ..none };
        assert!(told(&wall(1, 2, 0.0, 0.0), &[large.clone(), near], stated).is_ok(), "what was stated counts");
        let gone = span(&wall(1, 3, 0.0, 0.0), &[Some(&large), None, None], none).expect("a span");
        assert_eq!(gone.as_ref().map_err(ToString::to_string), Err("monitors 2 and 3".to_owned()));
        assert_eq!(gone, Err(Unspanned::Gone(vec![1, 2])));
        assert_eq!(span(&Screen::default(), &[Some(&large)], none), None);
    }
}
