//! Which keys reach the page of a kiosk. Pure.

/// Modifiers that are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) shift: bool,
    pub(super) control: bool,
    pub(super) alt: bool,
    /// The keys of window managers: Super, Hyper, Meta.
    pub(super) system: bool,
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The page gets it.
    Pass,
    /// Nobody does.
    Stop,
    /// Held for long enough it ends the program.
    Leave,
}

/// The letter that ends a kiosk, with Control, Alt and Shift.
const LEAVE: &str = "q";

/// Keys without a character that a page may have. They move within it, and lead nowhere else.
const WITHIN: [&str; 19] = [
    "BackSpace",
    "Delete",
    "Down",
    "End",
    "Escape",
    "Home",
    "ISO_Left_Tab",
    "KP_Enter",
    "Left",
    "Next",
    "Page_Down",
    "Page_Up",
    "Prior",
    "Return",
    "Right",
    "Shift_L",
    "Shift_R",
    "Tab",
    "Up",
];

/// What becomes of the key of this name (as X and Wayland call it), if it is `character`.
pub(super) fn verdict(held: Held, name: &str, character: Option<char>) -> Verdict {
    if held.control && held.alt && held.shift && !held.system && name.eq_ignore_ascii_case(LEAVE) {
        return Verdict::Leave;
    }
    if held.control || held.alt || held.system {
        return Verdict::Stop;
    }
    let is_text = character.is_some_and(|character| !character.is_control());
    if is_text || WITHIN.contains(&name) { Verdict::Pass } else { Verdict::Stop }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Verdict {
        let mut held = Held::default();
        let mut key = text;
        while let Some((modifier, rest)) = key.split_once('+').filter(|(_, rest)| !rest.is_empty()) {
            match modifier {
                "shift" => held.shift = true,
                "ctrl" => held.control = true,
                "alt" => held.alt = true,
                _ => held.system = true,
            }
            key = rest;
        }
        let mut characters = key.chars();
        let character = characters.next().filter(|_| characters.next().is_none());
        verdict(held, key, character)
    }

    /// Whatever leads out of the page, to the window manager, or into the web engine's own ways stays outside; the page keeps its own.
    #[test]
    fn keys_of_the_page_pass_alone() {
        for key in
            ["l", "L", "shift+L", "T", "1", "+", "-", "Escape", "Left", "Up", "Page_Up", "Tab", "shift+Tab", "Return"]
        {
            assert_eq!(chord(key), Verdict::Pass, "{key}");
        }
        for key in [
            "ctrl+r",
            "ctrl+w",
            "ctrl+q",
            "ctrl+shift+q",
            "ctrl+alt+q",
            "alt+F4",
            "alt+Tab",
            "alt+Left",
            "super+d",
            "super+L",
            "ctrl+alt+Delete",
            "F1",
            "F5",
            "F11",
            "F12",
            "ctrl+shift+i",
            "Menu",
            "Print",
            "XF86Back",
            "XF86Reload",
            "Super_L",
            "ctrl+0",
            "ctrl++",
            "ctrl+p",
            "ctrl+alt+shift+super+q",
        ] {
            assert_eq!(chord(key), Verdict::Stop, "{key}");
        }
        for key in ["ctrl+alt+shift+Q", "ctrl+alt+shift+q"] {
            assert_eq!(chord(key), Verdict::Leave, "{key}");
        }
    }
}
