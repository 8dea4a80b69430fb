//! How large the glass is, and from how far it is read: what the page needs to make text as large as it must be.

use serde::{Deserialize, Serialize};

/// Who isn't far away sits before the screen, as at a desk (ISO 9241-303).
const DESK_MM: u32 = 700;
/// What a display claims that doesn't know its size: pixels an inch.
const CLAIMED_DPI: f64 = 96.0;
/// Screens are between a hand and a house front wide, in millimetres.
const DIAGONAL_MM: std::ops::RangeInclusive<f64> = 120.0..=5000.0;
const MM_AN_INCH: f64 = 25.4;

/// What was said of this machine's screen, by its settings or the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Screen {
    /// From corner to corner, millimetres.
    pub(crate) diagonal_mm: Option<u32>,
    /// From how far it is read, whatever the board says, millimetres.
    pub(crate) viewing_distance_mm: Option<u32>,
}

/// What the page is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Sight {
    /// The page's pixels a millimetre of the glass; none if the screen's size is neither stated nor to be believed.
    px_per_mm: Option<f64>,
    /// From how far it is read, millimetres; none if the board says that.
    distance_mm: Option<u32>,
}

/// A monitor, and what of it the page has.
#[cfg(any(target_os = "linux", test))]
#[derive(Clone, Copy, Debug)]
struct Glass {
    /// The monitor's size in pixels of the window system.
    monitor: (f64, f64),
    /// What it says of its size, millimetres.
    said_mm: (f64, f64),
    /// The page's pixels to one of the window system's: larger texts make them larger.
    page_scale: f64,
}

impl Screen {
    /// What is said here, and for the rest what is said there.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            diagonal_mm: self.diagonal_mm.or(other.diagonal_mm),
            viewing_distance_mm: self.viewing_distance_mm.or(other.viewing_distance_mm),
        }
    }

    /// The board's own distance is that of its wall; who has a window of it sits before a screen.
    fn distance(self, is_kiosk: bool) -> Option<u32> {
        self.viewing_distance_mm.or((!is_kiosk).then_some(DESK_MM))
    }

    /// Pixels of a monitor a millimetre, from corner to corner, if its size was stated or what it says of it may be so.
    pub(crate) fn density(self, monitor: (f64, f64), said_mm: (f64, f64)) -> Option<f64> {
        let diagonal = |(width, height): (f64, f64)| width.hypot(height);
        let stated = self.diagonal_mm.map(f64::from);
        let mm = stated.or_else(|| is_believed(monitor, said_mm).then(|| diagonal(said_mm)))?;
        let found = diagonal(monitor) / mm;
        (found.is_finite() && found > 0.0).then_some(found)
    }

    #[cfg(any(target_os = "linux", test))]
    fn sight(self, is_kiosk: bool, glass: Option<Glass>) -> Sight {
        let px_per_mm = glass.and_then(|glass| {
            let found = self.density(glass.monitor, glass.said_mm)? * glass.page_scale;
            (found.is_finite() && found > 0.0).then_some(found)
        });
        Sight { px_per_mm, distance_mm: self.distance(is_kiosk) }
    }
}

/// Whether what a monitor says of its size may be so: projectors say nothing, virtual ones what gives 96 dots an inch.
fn is_believed(monitor: (f64, f64), (width, height): (f64, f64)) -> bool {
    let claims = |pixels: f64, mm: f64| (pixels / mm * MM_AN_INCH - CLAIMED_DPI).abs() < 1.0;
    DIAGONAL_MM.contains(&width.hypot(height)) && !(claims(monitor.0, width) && claims(monitor.1, height))
}

/// What the page in this window is told, which is `page_width` of its own pixels wide. To be called on the main thread.
#[cfg(target_os = "linux")]
pub(crate) fn of(window: &tauri::Window, page_width: f64, screen: Screen, is_kiosk: bool) -> Sight {
    use gtk::{gdk::prelude::MonitorExt, prelude::WidgetExt};

    let glass = || {
        let window = window.gtk_window().ok()?;
        let surface = window.window()?;
        let monitor = surface.display().monitor_at_window(&surface)?;
        let (place, width) = (monitor.geometry(), f64::from(window.allocated_width()));
        Some(Glass {
            monitor: (place.width().into(), place.height().into()),
            said_mm: (monitor.width_mm().into(), monitor.height_mm().into()),
            page_scale: if width > 1.0 { page_width / width } else { 1.0 },
        })
    };
    screen.sight(is_kiosk, glass())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_: &tauri::Window, _: f64, screen: Screen, is_kiosk: bool) -> Sight {
    Sight { px_per_mm: None, distance_mm: screen.distance(is_kiosk) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL_HD: Glass = Glass { monitor: (1920.0, 1080.0), said_mm: (1439.0, 809.0), page_scale: 1.0 };

    fn px_per_mm(screen: Screen, glass: Glass) -> Option<f64> {
        screen.sight(true, Some(glass)).px_per_mm.map(|found| (found * 1000.0).round() / 1000.0)
    }

    /// A size is the one that was stated, else the monitor's own word where that may be true.
    #[test]
    fn sizes_are_stated_or_believed() {
        let none = Screen::default();
        let stated = Screen { diagonal_mm: Some(1651), ..none };
        assert_eq!(px_per_mm(none, FULL_HD), Some(1.334));
        assert_eq!(px_per_mm(stated, FULL_HD), Some(1.334));
        assert_eq!(px_per_mm(stated, Glass { monitor: (3840.0, 2160.0), ..FULL_HD }), Some(2.669));
        // Texts of twice the size have half as many pixels.
        assert_eq!(px_per_mm(stated, Glass { page_scale: 0.5, ..FULL_HD }), Some(0.667));
        for said_mm in [(0.0, 0.0), (508.0, 286.0), (16.0, 9.0), (9000.0, 5000.0)] {
            let glass = Glass { said_mm, ..FULL_HD };
            assert_eq!(px_per_mm(none, glass), None, "{said_mm:?}");
            assert_eq!(px_per_mm(stated, glass), Some(1.334), "{said_mm:?}");
        }
    }

    /// The board's distance is its wall's: a window on a desk isn't read from there.
    #[test]
    fn distances_are_the_walls() {
        let none = Screen::default();
        assert_eq!((none.sight(true, None).distance_mm, none.sight(false, None).distance_mm), (None, Some(700)));
        let stated = Screen { viewing_distance_mm: Some(4000), ..none };
        assert_eq!(
            (stated.sight(true, None).distance_mm, stated.sight(false, None).distance_mm),
            (Some(4000), Some(4000))
        );
        assert_eq!(none.or(stated), stated);
    }
}
