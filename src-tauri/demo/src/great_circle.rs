//! The shortest way between two places on a sphere: what an aircraft's track is taken to be.

/// A place on the earth, in degrees north and east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Degrees north, -90 to 90.
    pub lat: f64,
    /// Degrees east, -180 to 180.
    pub lon: f64,
}

/// Mean radius of the earth in statute miles.
pub const EARTH_RADIUS_MI: f64 = 3958.76;

impl Place {
    /// Distance to `other` in statute miles.
    #[must_use]
    pub fn distance_mi(self, other: Self) -> f64 {
        self.angle(other) * EARTH_RADIUS_MI
    }

    /// The course with which one leaves for `other`, degrees clockwise from north, 0 to 360.
    #[must_use]
    pub fn course(self, other: Self) -> f64 {
        let (lat, other_lat) = (self.lat.to_radians(), other.lat.to_radians());
        let east = (other.lon - self.lon).to_radians();
        let y = east.sin() * other_lat.cos();
        let x = lat.cos() * other_lat.sin() - lat.sin() * other_lat.cos() * east.cos();
        y.atan2(x).to_degrees().rem_euclid(360.0)
    }

    /// The place at `part` (0 to 1) of the way to `other`.
    #[must_use]
    pub fn toward(self, other: Self, part: f64) -> Self {
        let angle = self.angle(other);
        if angle < 1e-9 {
            return self;
        }
        let weight = |part: f64| (part * angle).sin() / angle.sin();
        let (from, to) = (self.vector(), other.vector());
        let (a, b) = (weight(1.0 - part), weight(part));
        let [x, y, z] = [0, 1, 2].map(|axis| a * from[axis] + b * to[axis]);
        Self { lat: z.atan2(x.hypot(y)).to_degrees(), lon: y.atan2(x).to_degrees() }
    }

    /// Angle at the earth's centre, radians (haversine formula, sound for short ways too).
    fn angle(self, other: Self) -> f64 {
        let north = (other.lat - self.lat).to_radians() / 2.0;
        let east = (other.lon - self.lon).to_radians() / 2.0;
        let h = north.sin().powi(2) + self.lat.to_radians().cos() * other.lat.to_radians().cos() * east.sin().powi(2);
        2.0 * h.sqrt().min(1.0).asin()
    }

    fn vector(self) -> [f64; 3] {
        let (lat, lon) = (self.lat.to_radians(), self.lon.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JFK: Place = Place { lat: 40.639751, lon: -73.778925 };
    const LAX: Place = Place { lat: 33.942536, lon: -118.408075 };
    const MIA: Place = Place { lat: 25.79325, lon: -80.290556 };
    const HNL: Place = Place { lat: 21.318681, lon: -157.922428 };

    /// Distances as the airlines' own data gives them, courses as navigation tables do.
    #[test]
    fn known_pairs() {
        for (from, to, miles, course) in
            [(JFK, LAX, 2475.0, 273.8), (JFK, MIA, 1089.0, 202.0), (JFK, HNL, 4983.0, 283.0), (LAX, JFK, 2475.0, 65.9)]
        {
            assert!((from.distance_mi(to) - miles).abs() < 8.0, "{}", from.distance_mi(to));
            assert!((from.course(to) - course).abs() < 1.0, "{}", from.course(to));
        }
    }

    /// Even steps along the way, beginning and ending where it should, none of them off the way.
    #[test]
    fn the_way_is_straight_and_even() {
        let whole = JFK.distance_mi(LAX);
        for step in 0..=20 {
            let part = f64::from(step) / 20.0;
            let at = JFK.toward(LAX, part);
            assert!((JFK.distance_mi(at) - part * whole).abs() < 0.01);
            assert!((JFK.distance_mi(at) + at.distance_mi(LAX) - whole).abs() < 0.01);
        }
        // The great circle to Los Angeles runs north of both ends' mean latitude.
        assert!(JFK.toward(LAX, 0.5).lat > 39.0);
    }

    #[test]
    fn no_way_at_all() {
        assert_eq!(JFK.toward(JFK, 0.5), JFK);
        assert!(JFK.course(JFK).is_finite());
        assert!(JFK.distance_mi(JFK).abs() < 1e-9);
    }
}
