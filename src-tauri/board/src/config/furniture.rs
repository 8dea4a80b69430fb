//! Furniture: kinds of `[[widget]]` that show nothing of a source. One file a kind.

mod clock;
mod countdown;
mod text;

pub(super) use self::clock::ZONE_TABLE;
use super::{
    diagnostic::{Problem, Sink},
    grid::Tenant,
    keys::widget,
    spec::WidgetSpec,
    table::{TableReader, TableShape},
};
use crate::frame::{FurnitureLook, FurnitureView, Place};

/// A kind of furniture.
pub(super) struct FurnitureShape {
    pub(super) name: &'static str,
    /// What it shows; one sentence.
    pub(super) about: &'static str,
    pub(super) table: TableShape,
    /// Whether it is headed by its id if it has no `title`.
    pub(super) is_headed: bool,
    /// How many cells of a 12 by 8 grid suit it.
    pub(super) wish: (u32, u32),
    /// Reads the settings; `None` if something was reported. The zone is the board's, if that is known.
    pub(super) read: fn(&TableReader<'_>, Option<&str>, &mut Sink<'_>) -> Option<FurnitureLook>,
}

/// Every kind, in the order of the reference page.
pub(super) static FURNITURE: [&FurnitureShape; 3] = [&text::KIND, &clock::KIND, &countdown::KIND];

/// Reads a piece of furniture; its page and place are still to be given.
pub(super) fn read(
    reader: &TableReader<'_>,
    id: Option<String>,
    kind: &FurnitureShape,
    timezone: Option<&str>,
    sink: &mut Sink<'_>,
) -> Option<FurnitureView> {
    report_data_keys(reader, kind, sink);
    let title = reader.optional(&widget::TITLE, sink);
    let note = reader.optional(&widget::NOTE, sink);
    let look = (kind.read)(reader, timezone, sink);
    let id = id?;
    let title = title?.or_else(|| kind.is_headed.then(|| id.clone()));
    Some(FurnitureView {
        id,
        title,
        note: note?,
        page: 0,
        place: Place { column: 1, row: 1, width: 1, height: 1 },
        look: look?,
    })
}

fn report_data_keys(reader: &TableReader<'_>, kind: &FurnitureShape, sink: &mut Sink<'_>) {
    for name in widget::OF_DATA {
        if !reader.has(name) || sink.counts_only() {
            continue;
        }
        sink.report(Problem {
            span: reader.key_span(name),
            message: format!("`{name}` has no use with kind `{}`", kind.name),
            found: format!("`{name}`"),
            expected: "it left out: nothing of a source is shown".to_owned(),
            help: None,
        });
    }
}

/// Reports a board of nothing but furniture, given whether each `[[widget]]` is some: something of a wall shows what is so.
pub(super) fn report_alone<'a>(all: impl Iterator<Item = (bool, &'a Tenant)>, sink: &mut Sink<'_>) {
    let all: Vec<(bool, &Tenant)> = all.collect();
    let Some((_, first)) = all.first().filter(|_| all.iter().all(|(is_furniture, _)| *is_furniture)) else { return };
    sink.report_absence(Problem {
        span: first.span.clone(),
        message: "no widget shows anything of a source".to_owned(),
        found: "furniture alone".to_owned(),
        expected: "a `[[widget]]` of another kind besides it".to_owned(),
        help: None,
    });
}

/// What a `[[widget]]` is.
pub(super) enum Standing {
    Widget(Box<WidgetSpec>),
    Furniture(FurnitureView),
}

impl Standing {
    /// The same on the page of this number.
    pub(super) fn on(self, page: usize) -> Self {
        match self {
            Self::Widget(spec) => Self::Widget(Box::new(WidgetSpec { page, ..*spec })),
            Self::Furniture(view) => {
                Self::Furniture(FurnitureView { page: u32::try_from(page).unwrap_or_default(), ..view })
            }
        }
    }

    /// The same at a place.
    pub(super) fn at(self, place: Option<Place>) -> Self {
        match self {
            Self::Widget(spec) => Self::Widget(Box::new(WidgetSpec { place, ..*spec })),
            Self::Furniture(view) => Self::Furniture(FurnitureView { place: place.unwrap_or(view.place), ..view }),
        }
    }
}

/// Widgets and furniture, each in the file's order.
pub(super) fn parted(all: Vec<Standing>) -> (Vec<WidgetSpec>, Vec<FurnitureView>) {
    let (mut widgets, mut furniture) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            Standing::Widget(spec) => widgets.push(*spec),
            Standing::Furniture(view) => furniture.push(view),
        }
    }
    (widgets, furniture)
}
