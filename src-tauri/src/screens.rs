//! Screens of a kiosk: which window belongs on which monitor, whatever was unplugged, plugged elsewhere or set to another size.

pub(crate) mod edid;
#[cfg(target_os = "linux")]
pub(crate) mod keep;
pub(crate) mod list;
#[cfg(target_os = "linux")]
pub(crate) mod monitors;
mod plan;
pub(crate) mod span;

use serde::Deserialize;

use self::edid::Identity;
pub(crate) use self::plan::{Plan, Spot, plan, spots};

/// The most screens of one wall.
pub(crate) const SCREENS_MAX: usize = watchfloor_board::GLASSES_MAX;
/// The widest gap between the visible areas of two monitors: beyond, they are no wall.
const BEZEL_MM_MAX: f64 = 200.0;
/// The same where it is told in pixels.
const BEZEL_PX_MAX: f64 = 2000.0;
/// Vendor, product and serial number: who says as much is one monitor alone.
const EDID_WORDS: usize = 3;
/// Longer names tell nobody more.
const ID_MAX: usize = 40;

/// A screen, as the settings name it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Screen {
    /// Its name: lower-case letters, digits and hyphens.
    pub(crate) id: String,
    /// Where it belongs; the next monitor from the left that no other screen has, if nothing is said.
    #[serde(default)]
    pub(crate) monitor: Wanted,
    /// Where it belongs if it is one picture over several monitors: row by row from the top, each from the left.
    #[serde(default)]
    pub(crate) monitors: Vec<Vec<Wanted>>,
    /// What is between the visible areas of two such monitors: both bezels and the slit, millimetres.
    #[serde(default)]
    pub(crate) bezel_mm: Option<Gap>,
    /// The same in the monitors' pixels, for those whose size isn't known.
    #[serde(default)]
    pub(crate) bezel_px: Option<Gap>,
    /// Ids of the board's pages that turn on it; none for all.
    #[serde(default)]
    pub(crate) pages: Vec<String>,
}

/// What isn't seen between neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "numbers for `across` and `down`")]
pub(crate) struct Gap {
    /// Between two side by side.
    pub(crate) across: f64,
    /// Between two above each other.
    pub(crate) down: f64,
}

/// A monitor, by what is known of it. The first of these that is there counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// What it says of itself, as `watchfloor screens` prints it, or the beginning of that: vendor, product, serial number.
    pub(crate) edid: Option<String>,
    /// Where it is plugged in, such as `HDMI-1`.
    pub(crate) name: Option<String>,
    /// Its number from the left, from 0.
    pub(crate) at: Option<usize>,
}

/// A monitor that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Monitor {
    /// Where it is plugged in.
    pub(crate) name: String,
    /// What it says of itself, if it does.
    pub(crate) identity: Option<Identity>,
    /// What of the desktop is on it.
    pub(crate) place: Rect,
    /// Its size as the window system was told, millimetres; zero if it wasn't.
    pub(crate) size_mm: (u32, u32),
}

/// Pixels of the desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rect {
    /// From the left.
    pub(crate) x: i32,
    /// From the top.
    pub(crate) y: i32,
    /// Across.
    pub(crate) width: i32,
    /// Down.
    pub(crate) height: i32,
}

impl Rect {
    /// Whether a tenth of the smaller one, or more, is of both: where scales are rounded, neighbours may share a few lines.
    pub(crate) fn lies_upon(self, other: Self) -> bool {
        let shared = |own: i32, length: i32, other: i32, width: i32| {
            let (begin, end) = (own.max(other), own.saturating_add(length).min(other.saturating_add(width)));
            i64::from(end.saturating_sub(begin).max(0))
        };
        let both =
            shared(self.x, self.width, other.x, other.width) * shared(self.y, self.height, other.y, other.height);
        let area = |of: Self| i64::from(of.width.max(0)) * i64::from(of.height.max(0));
        both > 0 && both.saturating_mul(10) >= area(self).min(area(other))
    }
}

/// Whether these can be screens of one wall.
///
/// # Errors
/// One line for people if not.
pub(crate) fn check(screens: &[Screen]) -> Result<(), String> {
    if screens.len() > SCREENS_MAX {
        return Err(format!("{} screens: {SCREENS_MAX} at most", screens.len()));
    }
    for (at, screen) in screens.iter().enumerate() {
        let id = &screen.id;
        let is_plain = id.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
        if id.is_empty() || id.len() > ID_MAX || !is_plain {
            return Err(format!("screen {id:?}: an id has 1 to {ID_MAX} lower-case letters, digits and hyphens"));
        }
        if screens.iter().take(at).any(|other| other.id == *id) {
            return Err(format!("two screens have the id {id:?}"));
        }
        check_span(screen).map_err(|error| format!("screen {id:?}: {error}"))?;
    }
    let all = spots(screens);
    if all.len() > SCREENS_MAX {
        return Err(format!("the screens have {} monitors in all: {SCREENS_MAX} at most", all.len()));
    }
    for (at, spot) in all.iter().enumerate() {
        let Some(wanted) = spot.wanted(screens) else { continue };
        for other in all.iter().take(at) {
            // Screens of one monitor may want twins, which go from the left.
            let is_spanned = spot.part.is_some() || other.part.is_some();
            if let Some(what) = other.wanted(screens).and_then(|other| wanted.is_other(other)).filter(|_| is_spanned) {
                let (first, second) = (other.named(screens), spot.named(screens));
                return Err(format!("{first} and {second} are the same monitor ({what}): each can show one part only"));
            }
        }
    }
    Ok(())
}

/// Whether a screen can be one picture over several monitors, if it is to be.
fn check_span(screen: &Screen) -> Result<(), String> {
    let [across, count] = [screen.monitors.first().map_or(0, Vec::len), screen.monitors.iter().map(Vec::len).sum()];
    if screen.monitors.is_empty() {
        return match screen.bezel_mm.or(screen.bezel_px) {
            Some(_) => Err("a bezel lies between several monitors: name them by monitors".to_owned()),
            None => Ok(()),
        };
    }
    if screen.monitor != Wanted::default() {
        return Err("it has monitor and monitors: expected one of the two".to_owned());
    }
    if let Some((at, row)) = screen.monitors.iter().enumerate().find(|(_, row)| row.len() != across) {
        let (own, row) = (row.len(), at + 1);
        return Err(format!("monitors: row {row} has {own}, row 1 has {across}: expected as many in each row"));
    }
    if !(2..=SCREENS_MAX).contains(&count) {
        return Err(format!("monitors: {count}: expected 2 to {SCREENS_MAX}; for one there is monitor"));
    }
    if screen.monitors.len() > 1 && screen.monitors.iter().flatten().any(|wanted| *wanted == Wanted::default()) {
        return Err(
            "monitors: one of several rows says nothing of itself: expected edid, name or at for each".to_owned()
        );
    }
    if screen.bezel_mm.is_some() && screen.bezel_px.is_some() {
        return Err("it has bezel-mm and bezel-px: expected one of the two".to_owned());
    }
    for (key, gap, most) in [("bezel-mm", screen.bezel_mm, BEZEL_MM_MAX), ("bezel-px", screen.bezel_px, BEZEL_PX_MAX)] {
        for (side, found) in gap.into_iter().flat_map(|gap| [("across", gap.across), ("down", gap.down)]) {
            if !(0.0..=most).contains(&found) {
                let what = "what is between the visible areas of two neighbours";
                return Err(format!("{key}.{side}: {found}: expected 0 to {most}, {what}"));
            }
        }
    }
    Ok(())
}

impl Wanted {
    /// By what this must be the same monitor as another, if it must.
    fn is_other(&self, other: &Self) -> Option<String> {
        let edid = self.edid.as_ref().filter(|own| {
            let is_alone = own.split_whitespace().count() >= EDID_WORDS;
            is_alone && other.edid.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(own))
        });
        if let Some(edid) = edid {
            return Some(format!("edid {edid:?}"));
        }
        // Who says of itself what it is isn't known by its port.
        if self.edid.is_some() && other.edid.is_some() {
            return None;
        }
        let name = self.name.as_ref().filter(|own| other.name.as_ref() == Some(*own));
        let at = self.at.filter(|own| other.at == Some(*own));
        name.map(|name| format!("name {name:?}")).or_else(|| at.map(|at| format!("at {at}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_have_names_of_their_own() {
        let screens = |text: &str| {
            serde_json::from_str::<Vec<Screen>>(text).map_err(|error| error.to_string()).and_then(|own| check(&own))
        };
        assert_eq!(
            screens(
                r#"[{"id":"left","monitor":{"edid":"DEL U4323QE"},"pages":["a"]},{"id":"right-2","monitor":{"at":1}}]"#
            ),
            Ok(())
        );
        assert!(screens(r#"[{"id":"left"},{"id":"left"}]"#).is_err_and(|error| error.contains("two screens")));
        assert!(screens(r#"[{"id":"a/b"}]"#).is_err_and(|error| error.contains("hyphens")));
        assert!(
            screens(r#"[{"id":"a","monitor":{"port":"HDMI-1"}}]"#)
                .is_err_and(|error| error.contains("port") && error.contains("edid"))
        );
    }

    /// Every fault says which screen, what was found, and what is expected.
    #[test]
    fn spans_are_checked() {
        let told = |more: &str| {
            let text = format!(r#"[{{"id":"wall",{more}}}]"#);
            serde_json::from_str::<Vec<Screen>>(&text).map_err(|error| error.to_string()).and_then(|own| check(&own))
        };
        let two = r#""monitors":[[{"at":0},{"at":1}]]"#;
        assert_eq!(told(&format!(r#"{two},"bezel-mm":{{"across":24,"down":1.8}},"pages":["a"]"#)), Ok(()));
        assert_eq!(told(r#""monitors":[[{"edid":"DEL A"},{"edid":"DEL A"}]]"#), Ok(()), "twins go from the left");
        let many = ["{}"; 17].join(",");
        let cases: [(&str, &str); 12] = [
            (r#""monitors":[[{"at":0}]]"#, "screen \"wall\": monitors: 1: expected 2 to 16; for one there is monitor"),
            (&format!(r#""monitors":[[{many}]]"#), "monitors: 17: expected 2 to 16"),
            (r#""monitors":[[]]"#, "monitors: 0: expected 2"),
            (r#""monitors":[[{"at":0},{"at":1}],[{"at":2}]]"#, "row 2 has 1, row 1 has 2"),
            (r#""monitors":[[{},{}],[{},{}]]"#, "expected edid, name or at for each"),
            (&format!(r#"{two},"monitor":{{"at":2}}"#), "monitor and monitors: expected one"),
            (&format!(r#"{two},"bezel-mm":{{"across":-1}}"#), "bezel-mm.across: -1: expected 0 to 200"),
            (&format!(r#"{two},"bezel-mm":{{"down":201}}"#), "bezel-mm.down: 201: expected 0 to 200"),
            (&format!(r#"{two},"bezel-px":{{"across":2001}}"#), "bezel-px.across: 2001: expected 0 to 2000"),
            (&format!(r#"{two},"bezel-mm":{{}},"bezel-px":{{}}"#), "bezel-mm and bezel-px: expected one"),
            (r#""bezel-mm":{"across":3}"#, "name them by monitors"),
            (&format!(r#"{two},"bezel-mm":3"#), "expected numbers for `across` and `down`"),
        ];
        for (more, words) in cases {
            assert!(told(more).as_ref().is_err_and(|error| error.contains(words)), "{more}: {:?}", told(more));
        }
        for (wanted, words) in [
            (r#"{"at":1}"#, "screen \"wall\" monitor 2 and screen \"right\" are the same monitor (at 1)"),
            (r#"{"name":"HDMI-1"}"#, "(name \"HDMI-1\")"),
            (r#"{"edid":"DEL U4323QE A"}"#, "(edid \"DEL U4323QE A\")"),
        ] {
            let two = match wanted.contains("at") {
                true => two.to_owned(),
                false => format!(r#""monitors":[[{wanted},{{"at":0}}]]"#),
            };
            let more = format!(r#"{two}}},{{"id":"right","monitor":{wanted}"#);
            assert!(told(&more).as_ref().is_err_and(|error| error.contains(words)), "{more}: {:?}", told(&more));
        }
        let many = |id: &str| format!(r#"{{"id":"{id}","monitors":[[{}]]}}"#, ["{}"; 9].join(","));
        let own: Vec<Screen> = serde_json::from_str(&format!("[{},{}]", many("a"), many("b"))).expect("screens");
        assert_eq!(check(&own), Err("the screens have 18 monitors in all: 16 at most".to_owned()));
    }
}
