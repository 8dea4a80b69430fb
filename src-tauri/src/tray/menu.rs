//! The menu behind the mark: `com.canonical.dbusmenu`. Its first line says how the wall is, for trays that show no tooltips.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use zbus::{OwnedVariant, Variant, fdo, interface, object_server::SignalEmitter};

use super::{
    Choice,
    item::{Choose, Shown},
};

type Properties = HashMap<String, OwnedVariant>;
/// Number, properties, and what is beneath.
type Layout = (i32, Properties, Vec<OwnedVariant>);

/// What a line of it is.
#[derive(Clone, Copy)]
enum Entry {
    /// How the wall is: nothing to choose.
    State,
    Line,
    Choose(&'static str, Choice),
}

/// Numbers from 1: 0 is what they are beneath.
const ENTRIES: [(i32, Entry); 7] = [
    (1, Entry::State),
    (2, Entry::Line),
    (3, Entry::Choose("Show the wall", Choice::Show)),
    (4, Entry::Choose("Second window", Choice::Second)),
    (5, Entry::Choose("Lamp test", Choice::LampTest)),
    (6, Entry::Line),
    (7, Entry::Choose("Quit", Choice::Quit)),
];

pub(super) struct Menu {
    shown: Arc<Shown>,
    choose: Choose,
    revision: AtomicU32,
}

impl Menu {
    pub(super) fn new(shown: Arc<Shown>, choose: Choose) -> Self {
        Self { shown, choose, revision: AtomicU32::new(1) }
    }

    /// Its first line is another one: the number of this revision.
    pub(super) fn turned(&self) -> u32 {
        self.revision.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn properties(&self, number: i32) -> fdo::Result<Properties> {
        let entry = ENTRIES.iter().find(|(own, _)| *own == number).map(|(_, entry)| *entry);
        let all: Vec<(&str, Variant<'_>)> = match entry {
            // An underscore is a key of the keyboard's unless there are two.
            Some(Entry::State) => vec![
                ("label", Variant::from(self.shown.now().words.replace('_', "__"))),
                ("enabled", Variant::from(false)),
            ],
            Some(Entry::Line) => vec![("type", Variant::from("separator"))],
            Some(Entry::Choose(label, _)) => vec![("label", Variant::from(label))],
            None => vec![("children-display", Variant::from("submenu"))],
        };
        let owned = all.into_iter().map(|(name, value)| {
            Ok((name.to_owned(), value.try_to_owned().map_err(|error| fdo::Error::Failed(error.to_string()))?))
        });
        owned.collect()
    }

    fn handle(&self, number: i32, kind: &str) {
        let chosen = ENTRIES.iter().find(|(own, _)| *own == number && kind == "clicked");
        if let Some((_, Entry::Choose(_, choice))) = chosen {
            (self.choose)(*choice);
        }
    }
}

#[interface(name = "com.canonical.dbusmenu")]
impl Menu {
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> u32 {
        3
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn status(&self) -> &str {
        "normal"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn text_direction(&self) -> &str {
        "ltr"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn icon_theme_path(&self) -> Vec<String> {
        Vec::new()
    }

    fn get_layout(&self, parent: i32, depth: i32, _names: Vec<String>) -> fdo::Result<(u32, Layout)> {
        let mut beneath = Vec::new();
        if parent == 0 && depth != 0 {
            for (number, _) in ENTRIES {
                let entry = (number, self.properties(number)?, Vec::<OwnedVariant>::new());
                let entry =
                    Variant::from(entry).try_to_owned().map_err(|error| fdo::Error::Failed(error.to_string()))?;
                beneath.push(entry);
            }
        }
        Ok((self.revision.load(Ordering::Relaxed), (parent, self.properties(parent)?, beneath)))
    }

    fn get_group_properties(&self, numbers: Vec<i32>, _names: Vec<String>) -> fdo::Result<Vec<(i32, Properties)>> {
        // None asked for are all of them.
        let all = ENTRIES.map(|(number, _)| number);
        let numbers = if numbers.is_empty() { all.to_vec() } else { numbers };
        let asked = numbers.into_iter().take(ENTRIES.len() + 1);
        asked.map(|number| Ok((number, self.properties(number)?))).collect()
    }

    fn get_property(&self, number: i32, name: &str) -> fdo::Result<OwnedVariant> {
        self.properties(number)?.remove(name).ok_or_else(|| fdo::Error::InvalidArgs(format!("{number} has no {name}")))
    }

    fn event(&self, number: i32, kind: &str, _data: Variant<'_>, _timestamp: u32) {
        self.handle(number, kind);
    }

    fn event_group(&self, events: Vec<(i32, String, OwnedVariant, u32)>) -> Vec<i32> {
        for (number, kind, _, _) in events {
            self.handle(number, &kind);
        }
        Vec::new()
    }

    /// Whether what is shown of it is out of date by now.
    fn about_to_show(&self, _number: i32) -> bool {
        false
    }

    fn about_to_show_group(&self, _numbers: Vec<i32>) -> (Vec<i32>, Vec<i32>) {
        (Vec::new(), Vec::new())
    }

    #[zbus(signal)]
    pub(super) async fn layout_updated(emitter: &SignalEmitter<'_>, revision: u32, parent: i32) -> zbus::Result<()>;
}
