//! Where one is after a part of the way: by course and distance, as a navigator reckons.

/// The place at `part` of the great circle from `from` to `to`, both in degrees north and east.
pub(super) fn along(from: (f64, f64), to: (f64, f64), part: f64) -> (f64, f64) {
    let [lat, lon, to_lat, to_lon] = [from.0, from.1, to.0, to.1].map(f64::to_radians);
    // Spherical law of cosines for the distance, of sines and cosines for the course.
    let cosine = lat.sin() * to_lat.sin() + lat.cos() * to_lat.cos() * (to_lon - lon).cos();
    let distance = cosine.clamp(-1.0, 1.0).acos() * part;
    let course = ((to_lon - lon).sin() * to_lat.cos())
        .atan2(lat.cos() * to_lat.sin() - lat.sin() * to_lat.cos() * (to_lon - lon).cos());
    let here = (lat.sin() * distance.cos() + lat.cos() * distance.sin() * course.cos()).asin();
    let east = (course.sin() * distance.sin() * lat.cos()).atan2(distance.cos() - lat.sin() * here.sin());
    (here.to_degrees(), (lon + east).to_degrees())
}
