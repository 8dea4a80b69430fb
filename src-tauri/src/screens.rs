//! Screens of a kiosk: which window belongs on which monitor, whatever was unplugged, plugged elsewhere or set to another size.

pub(crate) mod edid;
#[cfg(target_os = "linux")]
pub(crate) mod keep;
pub(crate) mod list;
#[cfg(target_os = "linux")]
pub(crate) mod monitors;
mod plan;

use serde::Deserialize;

use self::edid::Identity;
pub(crate) use self::plan::{Plan, plan};

/// The most screens of one wall.
pub(crate) const SCREENS_MAX: usize = watchfloor_board::GLASSES_MAX;
/// Longer names tell nobody more.
const ID_MAX: usize = 40;

/// A screen, as the settings name it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Screen {
    /// Its name: lower-case letters, digits and hyphens.
    pub(crate) id: String,
    /// Where it belongs; the next monitor from the left that no other screen has, if nothing is said.
    #[serde(default)]
    pub(crate) monitor: Wanted,
    /// Ids of the board's pages that turn on it; none for all.
    #[serde(default)]
    pub(crate) pages: Vec<String>,
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
    }
    Ok(())
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
}
