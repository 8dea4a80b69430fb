//! Ardenholm: a town that isn't there, in kilometres from its market place.

use super::{Dice, Task, Unit};
use crate::story::script::rounded;

/// Where the market place would be.
const CENTRE: (f64, f64) = (47.0, 4.0);
const KM_PER_DEGREE: f64 = 111.2;

/// Kilometres east and north of the market place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    east: f64,
    north: f64,
}

impl Place {
    pub(super) const fn new(east: f64, north: f64) -> Self {
        Self { east, north }
    }

    /// A few steps away, each time elsewhere.
    pub(super) const fn beside(self, nth: usize) -> Self {
        Self::new(self.east + 0.05 * nth as f64, self.north - 0.04 * nth as f64)
    }

    pub(super) fn lat(self) -> f64 {
        rounded(CENTRE.0 + self.north / KM_PER_DEGREE, 5)
    }

    pub(super) fn lon(self) -> f64 {
        rounded(CENTRE.1 + self.east / (KM_PER_DEGREE * CENTRE.0.to_radians().cos()), 5)
    }

    pub(super) fn km(self, other: Self) -> f64 {
        (self.east - other.east).hypot(self.north - other.north)
    }

    pub(super) fn towards(self, other: Self, way: f64) -> Self {
        Self::new(self.east + (other.east - self.east) * way, self.north + (other.north - self.north) * way)
    }

    /// Degrees clockwise from north.
    pub(super) fn heading(self, other: Self) -> f64 {
        (other.east - self.east).atan2(other.north - self.north).to_degrees().rem_euclid(360.0)
    }
}

pub(super) struct Hospital {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) at: Place,
}

pub(super) const HOSPITALS: [Hospital; 3] = [
    Hospital { id: "st-brigid", name: "St Brigid", at: Place::new(1.2, 1.6) },
    Hospital { id: "riverside", name: "Riverside", at: Place::new(4.6, -2.6) },
    Hospital { id: "westmoor", name: "Westmoor", at: Place::new(-6.9, 1.3) },
];

pub(super) struct Station {
    pub(super) name: &'static str,
    pub(super) at: Place,
    units: &'static [&'static str],
}

pub(super) const STATIONS: [Station; 4] = [
    Station { name: "Central station", at: Place::new(0.2, -0.6), units: &["C1", "C2", "C3", "C4"] },
    Station { name: "North station", at: Place::new(-2.4, 3.2), units: &["N1", "N2"] },
    Station { name: "East station", at: Place::new(6.2, 1.1), units: &["E1", "E2", "E3"] },
    Station { name: "West station", at: Place::new(-5.4, -1.7), units: &["W1", "W2", "W3"] },
];

/// Where people call from: name, place, share of the calls.
const QUARTERS: [(&str, Place, f64); 9] = [
    ("Old Town", Place::new(0.3, 0.4), 0.2),
    ("Riverside", Place::new(3.2, -1.7), 0.14),
    ("Northfield", Place::new(-1.6, 3.6), 0.11),
    ("Eastgate", Place::new(5.4, 1.8), 0.13),
    ("Millbrook", Place::new(-4.4, -2.4), 0.11),
    ("Castle Hill", Place::new(-3.0, 0.8), 0.11),
    ("Fairfield", Place::new(7.9, -2.6), 0.06),
    ("Southlea", Place::new(0.4, -3.9), 0.08),
    ("Westmoor", Place::new(-7.8, 0.6), 0.06),
];
/// People live so far from the middle of their quarter, kilometres.
const SPREAD_KM: f64 = 1.3;

/// Where a call comes from.
pub(super) fn place_of_call(dice: Dice, slot: i64) -> (&'static str, Place) {
    let (name, middle, _) = dice.pick("quarter", slot, &QUARTERS, |quarter| quarter.2).unwrap_or(&QUARTERS[0]);
    let [east, north] = ["east", "north"].map(|about| dice.noise(about, slot) * SPREAD_KM);
    (name, Place::new(middle.east + east, middle.north + north))
}

/// All ambulances, at their stations.
pub(super) fn units() -> Vec<Unit> {
    let of = |station: &'static Station| {
        let at = station.at;
        let rest = move |name: &&'static str| Unit {
            name,
            home: at,
            task: Task::Free,
            call: None,
            from: at,
            to: at,
            began: 0,
            ends: 0,
        };
        station.units.iter().map(rest)
    };
    STATIONS.iter().flat_map(of).collect()
}
