//! Reads GeoJSON: RFC 7946, whatever its geometries. What a reader is told of a fault is its place, what was found and what was expected.

use serde_json::{Map, Value};

use super::{Shapes, Spot, ring};

/// Most features of one file.
pub(crate) const FEATURES_MAX: usize = 5_000;
/// Most positions of one file.
pub(crate) const POSITIONS_MAX: usize = 200_000;
/// Collections within collections.
const DEPTH_MAX: usize = 8;
/// A text of a file is repeated so far, in characters.
const FOUND_CHARACTERS_MAX: usize = 60;
/// A longer name is cut, in characters.
const NAME_CHARACTERS_MAX: usize = 100;

/// A feature of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Feature {
    /// What stands at the property that is its label.
    pub(crate) name: Option<String>,
    /// What stands at the property that tells its state.
    pub(crate) word: Option<String>,
    pub(crate) shapes: Shapes,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where: `features[3].geometry.coordinates[0][2]`, or a line and column.
    pub(crate) place: String,
    pub(crate) found: String,
    pub(crate) expected: String,
}

const GEOMETRIES: &str =
    "`Point`, `MultiPoint`, `LineString`, `MultiLineString`, `Polygon`, `MultiPolygon` or `GeometryCollection`";

/// Every feature of a text; a geometry that stands alone is one. `label` and `state` are names of properties.
///
/// # Errors
/// The first fault of it.
pub(crate) fn read(text: &str, label: Option<&str>, state: Option<&str>) -> Result<Vec<Feature>, Wrong> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(text).map_err(|error| Wrong {
        place: format!("line {}, column {}", error.line(), error.column()),
        found: "no JSON".to_owned(),
        expected: "GeoJSON (RFC 7946)".to_owned(),
    })?;
    let mut reader = Reader { label, state, positions: 0 };
    let root = object(&value, "")?;
    check_crs(root)?;
    match kind(root, "")? {
        "FeatureCollection" => {
            let features = list(root.get("features"), "features")?;
            if features.len() > FEATURES_MAX {
                return wrong("features", &format!("{} features", features.len()), &format!("at most {FEATURES_MAX}"));
            }
            let each = features.iter().enumerate();
            each.map(|(at, feature)| {
                reader.feature(object(feature, &format!("features[{at}]"))?, &format!("features[{at}]"))
            })
            .collect()
        }
        "Feature" => Ok(vec![reader.feature(root, "")?]),
        _ => {
            let mut shapes = Shapes::default();
            reader.geometry(&value, "", &mut shapes, 0)?;
            Ok(vec![Feature { shapes, ..Feature::default() }])
        }
    }
}

struct Reader<'a> {
    label: Option<&'a str>,
    state: Option<&'a str>,
    positions: usize,
}

impl Reader<'_> {
    fn feature(&mut self, feature: &Map<String, Value>, place: &str) -> Result<Feature, Wrong> {
        if kind(feature, place)? != "Feature" {
            return wrong(&member(place, "type"), &found(feature.get("type")), "`Feature`");
        }
        let properties = feature.get("properties").and_then(Value::as_object);
        let word = |name: Option<&str>| properties.and_then(|all| word_of(all.get(name?)?));
        let mut shapes = Shapes::default();
        match feature.get("geometry") {
            // It has no place.
            Some(Value::Null) => {}
            Some(geometry) => self.geometry(geometry, &member(place, "geometry"), &mut shapes, 0)?,
            None => return wrong(&member(place, "geometry"), "nothing", "a geometry, or null"),
        }
        Ok(Feature { name: word(self.label), word: word(self.state), shapes })
    }

    fn geometry(&mut self, value: &Value, place: &str, into: &mut Shapes, depth: usize) -> Result<(), Wrong> {
        let geometry = object(value, place)?;
        let of = kind(geometry, place)?;
        if of == "GeometryCollection" {
            if depth >= DEPTH_MAX {
                return wrong(place, "collections within collections", &format!("at most {DEPTH_MAX} deep"));
            }
            let inner = member(place, "geometries");
            let all = list(geometry.get("geometries"), &inner)?;
            return all
                .iter()
                .enumerate()
                .try_for_each(|(at, one)| self.geometry(one, &format!("{inner}[{at}]"), into, depth + 1));
        }
        let place = member(place, "coordinates");
        let value = geometry.get("coordinates");
        let parts =
            || list(value, &place).map(|all| all.iter().enumerate().map(|(at, one)| (format!("{place}[{at}]"), one)));
        // An empty list stands for nothing: RFC 7946, 3.1.
        match of {
            "Point" => {
                if !list(value, &place)?.is_empty() {
                    into.points.push(self.position(value, &place)?);
                }
            }
            "MultiPoint" => {
                for (place, one) in parts()? {
                    into.points.push(self.position(Some(one), &place)?);
                }
            }
            "LineString" => into.lines.extend(self.line(value, &place)?),
            "MultiLineString" => {
                for (place, one) in parts()? {
                    into.lines.extend(self.line(Some(one), &place)?);
                }
            }
            "Polygon" => into.areas.extend(self.area(value, &place)?),
            "MultiPolygon" => {
                for (place, one) in parts()? {
                    into.areas.extend(self.area(Some(one), &place)?);
                }
            }
            _ => return wrong(&place.replace("coordinates", "type"), &found(geometry.get("type")), GEOMETRIES),
        }
        Ok(())
    }

    fn area(&mut self, value: Option<&Value>, place: &str) -> Result<Option<Vec<Vec<Spot>>>, Wrong> {
        let mut rings = Vec::new();
        for (at, one) in list(value, place)?.iter().enumerate() {
            let place = format!("{place}[{at}]");
            let closed = self.positions(Some(one), &place)?;
            if closed.len() < 4 {
                return wrong(
                    &place,
                    &format!("{} positions", closed.len()),
                    "at least 4, the last one the same as the first",
                );
            }
            if closed.first() != closed.last() {
                return wrong(&place, "a ring that isn't closed", "the last position the same as the first");
            }
            rings.push(ring(&closed));
        }
        Ok((!rings.is_empty()).then_some(rings))
    }

    fn line(&mut self, value: Option<&Value>, place: &str) -> Result<Option<Vec<Spot>>, Wrong> {
        let line = self.positions(value, place)?;
        if line.len() == 1 {
            return wrong(place, "1 position", "at least 2");
        }
        Ok((!line.is_empty()).then(|| super::unwrapped(&line)))
    }

    fn positions(&mut self, value: Option<&Value>, place: &str) -> Result<Vec<Spot>, Wrong> {
        let all = list(value, place)?;
        all.iter().enumerate().map(|(at, one)| self.position(Some(one), &format!("{place}[{at}]"))).collect()
    }

    fn position(&mut self, value: Option<&Value>, place: &str) -> Result<Spot, Wrong> {
        self.positions += 1;
        if self.positions > POSITIONS_MAX {
            return wrong(
                place,
                &format!("more than {POSITIONS_MAX} positions"),
                "a file with fewer: simplify it first",
            );
        }
        let numbers = list(value, place)?;
        let number = |at: usize| numbers.get(at).and_then(Value::as_f64);
        let (Some(lon), Some(lat)) = (number(0), number(1)) else {
            return wrong(place, &found(value), "`[longitude, latitude]`");
        };
        // Beyond half a turn some files go on counting across the antimeridian.
        if lon.abs() > 360.0 || lat.abs() > 90.0 {
            let expected = "degrees east and north; metres of a map's grid must be converted first, such as by `ogr2ogr -t_srs EPSG:4326`";
            return wrong(place, &found(value), expected);
        }
        Ok(Spot::of(lat, lon))
    }
}

/// Before RFC 7946 a file could name the system of its coordinates. Degrees are all that there is now.
fn check_crs(root: &Map<String, Value>) -> Result<(), Wrong> {
    let Some(crs) = root.get("crs") else { return Ok(()) };
    let name = crs.pointer("/properties/name").and_then(Value::as_str);
    if name.is_some_and(|name| ["CRS84", "EPSG:4326", "EPSG::4326"].iter().any(|known| name.ends_with(known))) {
        return Ok(());
    }
    let said = name.map_or_else(|| found(Some(crs)), |name| format!("`{}`", cut(name, FOUND_CHARACTERS_MAX)));
    let expected = "no `crs`, for coordinates are degrees of WGS 84 (RFC 7946, 4); convert the file, such as by `ogr2ogr -t_srs EPSG:4326`";
    wrong("crs", &said, expected)
}

fn wrong<T>(place: &str, found: &str, expected: &str) -> Result<T, Wrong> {
    let place = if place.is_empty() { "the file" } else { place };
    Err(Wrong { place: place.to_owned(), found: found.to_owned(), expected: expected.to_owned() })
}

fn member(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, Wrong> {
    value.as_object().map_or_else(|| wrong(place, &found(Some(value)), "an object of GeoJSON"), Ok)
}

fn list<'a>(value: Option<&'a Value>, place: &str) -> Result<&'a Vec<Value>, Wrong> {
    value.and_then(Value::as_array).map_or_else(|| wrong(place, &found(value), "a list"), Ok)
}

fn kind<'a>(object: &'a Map<String, Value>, place: &str) -> Result<&'a str, Wrong> {
    let expected = || format!("`FeatureCollection`, `Feature`, {GEOMETRIES}");
    let value = object.get("type");
    value.and_then(Value::as_str).map_or_else(|| wrong(&member(place, "type"), &found(value), &expected()), Ok)
}

/// What a property says, as a name or a word.
fn word_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = cut(line.trim(), NAME_CHARACTERS_MAX);
    (!name.is_empty()).then_some(name)
}

fn found(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Object(_)) => "an object".to_owned(),
        Some(Value::Array(list)) if list.len() > 4 => format!("a list of {}", list.len()),
        Some(Value::Array(list)) if list.iter().any(|one| one.is_array() || one.is_object()) => {
            "a list of lists".to_owned()
        }
        Some(Value::String(text)) => format!("`{}`", cut(text, FOUND_CHARACTERS_MAX)),
        Some(other) => format!("`{}`", cut(&other.to_string(), FOUND_CHARACTERS_MAX)),
    }
}

fn cut(text: &str, most: usize) -> String {
    let line = text.replace(char::is_control, " ");
    if line.chars().nth(most).is_none() { line } else { line.chars().take(most - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let Wrong { place, found, expected } = read(text, None, None).expect_err(text);
        format!("{place}: found {found}, expected {expected}")
    }

    /// Every kind of geometry, in a collection, in a feature and alone.
    #[test]
    fn all_geometries_are_read() {
        let text = r#"{"type": "FeatureCollection", "bbox": [0,0,1,1], "features": [
            {"type": "Feature", "id": 7, "properties": {"name": "Depot\n3", "kind": 4}, "geometry":
                {"type": "Polygon", "coordinates": [[[0,0],[2,0],[2,2],[0,2],[0,0]], [[0.5,0.5],[1,0.5],[1,1],[0.5,0.5]]]}},
            {"type": "Feature", "properties": null, "geometry": {"type": "GeometryCollection", "geometries": [
                {"type": "Point", "coordinates": [1, 2, 300]}, {"type": "MultiPoint", "coordinates": [[1,2],[3,4]]},
                {"type": "LineString", "coordinates": [[1,2],[3,4]]}, {"type": "MultiLineString", "coordinates": [[[1,2],[3,4]]]},
                {"type": "GeometryCollection", "geometries": [{"type": "MultiPolygon", "coordinates":
                    [[[[0,0],[0,2],[2,2],[0,0]]], [[[5,5],[6,5],[6,6],[5,5]]]]}]}]}},
            {"type": "Feature", "properties": {}, "geometry": null},
            {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": []}}]}"#;
        let all = read(text, Some("name"), Some("kind")).expect("sound");
        assert_eq!((all[0].name.as_deref(), all[0].word.as_deref()), (Some("Depot 3"), Some("4")));
        assert_eq!(all[0].shapes.areas[0].iter().map(Vec::len).collect::<Vec<_>>(), [4, 3]);
        let shapes = &all[1].shapes;
        assert_eq!((shapes.points.len(), shapes.lines.len(), shapes.areas.len()), (3, 2, 2));
        assert_eq!((all.len(), &all[2].shapes, &all[3].shapes), (4, &Shapes::default(), &Shapes::default()));
        for alone in [
            r#"{"type": "Point", "coordinates": [1, 2]}"#,
            r#"{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}"#,
        ] {
            assert_eq!(read(alone, None, None).expect("sound")[0].shapes.points, [Spot::of(2.0, 1.0)]);
        }
    }

    #[test]
    fn faults_have_their_place() {
        let feature = |geometry: &str| {
            format!(
                r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{}},"geometry":{geometry}}}]}}"#
            )
        };
        let polygon = |ring: &str| feature(&format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#));
        for (text, reason) in [
            ("{\n  \"type\": }".to_owned(), "line 2, column 11: found no JSON, expected GeoJSON (RFC 7946)"),
            ("[]".to_owned(), "the file: found `[]`, expected an object of GeoJSON"),
            ("{}".to_owned(), "type: found nothing, expected `FeatureCollection`"),
            (r#"{"type":"Topology"}"#.to_owned(), "type: found `Topology`, expected `Point`"),
            (polygon("[[0,0],[1,1],[0,0]]"), "features[0].geometry.coordinates[0]: found 3 positions, expected at least 4"),
            (polygon("[[0,0],[1,1],[1,0],[5,5]]"), "features[0].geometry.coordinates[0]: found a ring that isn't closed"),
            (polygon("[[0,0],[1,\"1\"],[1,0],[0,0]]"), "features[0].geometry.coordinates[0][1]: found `[1,\"1\"]`, expected `[longitude, latitude]`"),
            (polygon("[[0,0],[389512.2,5819000],[1,0],[0,0]]"), "coordinates[0][1]: found `[389512.2,5819000]`, expected degrees east and north"),
            (feature(r#"{"type":"LineString","coordinates":[[1,2]]}"#), "features[0].geometry.coordinates: found 1 position, expected at least 2"),
            (feature(r#"{"type":"Circle","coordinates":[1,2]}"#), "features[0].geometry.type: found `Circle`, expected `Point`"),
            (r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::25832"}},"features":[]}"#.to_owned(),
                "crs: found `urn:ogc:def:crs:EPSG::25832`, expected no `crs`"),
        ] {
            assert!(fault(&text).contains(reason), "{}", fault(&text));
        }
        read(r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"features":[]}"#, None, None)
            .expect("degrees");
    }

    /// H5: what a file may hold has bounds.
    #[test]
    fn files_are_bounded() {
        let many = format!(r#"{{"type":"MultiPoint","coordinates":[{}[0,0]]}}"#, "[1,2],".repeat(POSITIONS_MAX));
        assert!(fault(&many).contains("found more than 200000 positions"));
        let feature = r#"{"type":"Feature","properties":{},"geometry":null}"#;
        let many =
            format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, vec![feature; FEATURES_MAX + 1].join(","));
        assert!(fault(&many).contains("features: found 5001 features, expected at most 5000"));
        let mut deep = r#"{"type":"Point","coordinates":[1,2]}"#.to_owned();
        for _ in 0..=DEPTH_MAX {
            deep = format!(r#"{{"type":"GeometryCollection","geometries":[{deep}]}}"#);
        }
        assert!(fault(&deep).contains("found collections within collections"));
    }
}
