//! The grid: places that the file gives, and free cells for the widgets that it gives none.

use std::ops::Range;

use serde_json::Value;

use super::{
    diagnostic::{Problem, Sink},
    keys::{self, widget},
    schema::object,
    table::{Node, Shape, TableReader, names},
};
use crate::frame::Place;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    pub(super) columns: u32,
    pub(super) rows: u32,
}

/// `grid = { columns = 12, rows = 8 }`
pub(super) struct Grid;

impl Shape for Grid {
    type Value = Cells;

    fn expected(&self) -> String {
        format!("a table with {}", names(keys::GRID_TABLE.keys.iter().map(|key| key.name())))
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&keys::GRID_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Cells> {
        let reader = TableReader::open(node, &keys::GRID_TABLE, sink)?;
        reader.finish(sink);
        let columns = reader.get(&keys::COLUMNS, sink);
        let rows = reader.get(&keys::ROWS, sink);
        Some(Cells { columns: columns?, rows: rows? })
    }
}

/// `place = { column = 1, row = 1, width = 3, height = 2 }`
pub(super) struct Rectangle;

impl Shape for Rectangle {
    type Value = Place;

    fn expected(&self) -> String {
        "a table such as `{ column = 1, row = 1, width = 3, height = 2 }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&widget::PLACE_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Place> {
        let reader = TableReader::open(node, &widget::PLACE_TABLE, sink)?;
        reader.finish(sink);
        let column = reader.get(&widget::COLUMN, sink);
        let row = reader.get(&widget::ROW, sink);
        let width = reader.get(&widget::WIDTH, sink);
        let height = reader.get(&widget::HEIGHT, sink);
        Some(Place { column: column?, row: row?, width: width?, height: height? })
    }
}

/// A widget to be placed.
pub(super) struct Tenant {
    /// What it is called in errors.
    pub(super) label: String,
    /// `place`, or the widget's header if it has none.
    pub(super) span: Range<usize>,
    /// What the file says, if it says it well.
    pub(super) place: Option<Place>,
    /// Whether the file says something, well or not.
    pub(super) is_placed: bool,
    /// How many columns and rows it would like on the usual grid of 12 by 8.
    pub(super) wish: (u32, u32),
}

/// A place for each widget. Reports places outside the grid, overlaps, and widgets for which no cell is free.
pub(super) fn lay_out(cells: Cells, tenants: &[&Tenant], sink: &mut Sink<'_>) -> Vec<Option<Place>> {
    let mut taken = Taken::new(cells);
    let mut owners: Vec<(&Tenant, Place)> = Vec::new();
    for &tenant in tenants {
        let Some(place) = tenant.place else { continue };
        if !taken.holds(place) {
            report_outside(cells, tenant, place, sink);
        } else if let Some((other, there)) = owners.iter().find(|(_, there)| overlap(place, *there)) {
            sink.report(Problem {
                span: tenant.span.clone(),
                message: format!("`place` of {} overlaps that of {}", tenant.label, other.label),
                found: words(place),
                expected: format!("cells outside {}", words(*there)),
                help: None,
            });
        } else {
            taken.take(place);
            owners.push((tenant, place));
        }
    }
    let homeless: Vec<&Tenant> = tenants.iter().copied().filter(|tenant| !tenant.is_placed).collect();
    let mut found = house(&taken, &homeless).unwrap_or_else(|| {
        report_full(&taken, &homeless, sink);
        Vec::new()
    });
    let wishes: Vec<(u32, u32)> = homeless.iter().map(|tenant| tenant.wish).collect();
    fill(&taken, &wishes, &mut found);
    found.reverse();
    tenants.iter().map(|tenant| if tenant.is_placed { tenant.place } else { found.pop() }).collect()
}

fn report_outside(cells: Cells, tenant: &Tenant, place: Place, sink: &mut Sink<'_>) {
    sink.report(Problem {
        span: tenant.span.clone(),
        message: format!("`place` of {} lies outside the grid", tenant.label),
        found: words(place),
        expected: format!("columns 1 to {}, rows 1 to {}", cells.columns, cells.rows),
        help: None,
    });
}

fn report_full(taken: &Taken, homeless: &[&Tenant], sink: &mut Sink<'_>) {
    let free = taken.free();
    for tenant in homeless.iter().skip(free) {
        sink.report_absence(Problem {
            span: tenant.span.clone(),
            message: format!("no free cell for {}", tenant.label),
            found: format!("{free} free cells for {} widgets without `place`", homeless.len()),
            expected: "at least one free cell for each".to_owned(),
            help: Some("make the `grid` larger, or the places of other widgets smaller".to_owned()),
        });
    }
}

fn words(place: Place) -> String {
    let Place { column, row, width, height } = place;
    let range = |first: u32, length: u32| match length {
        1 => format!(" {first}"),
        _ => format!("s {first} to {}", first + length - 1),
    };
    format!("column{}, row{}", range(column, width), range(row, height))
}

fn overlap(a: Place, b: Place) -> bool {
    a.column < b.column + b.width
        && b.column < a.column + a.width
        && a.row < b.row + b.height
        && b.row < a.row + a.height
}

/// Places for all, in their order, each at the first free spot by rows: at the sizes they wish for, scaled to the grid;
/// if that doesn't fit, at smaller and smaller ones, at last a cell each.
fn house(taken: &Taken, homeless: &[&Tenant]) -> Option<Vec<Place>> {
    (0..=SHRINK_STEPS).find_map(|step| {
        let mut taken = taken.clone();
        let places = homeless.iter().map(|tenant| {
            let shrink = |wish: u32, usual: u32, there: u32| {
                (wish * there * (SHRINK_STEPS - step) / (usual * SHRINK_STEPS)).clamp(1, there)
            };
            let width = shrink(tenant.wish.0, 12, taken.cells.columns);
            let height = shrink(tenant.wish.1, 8, taken.cells.rows);
            let place = taken.first_free(width, height)?;
            taken.take(place);
            Some(place)
        });
        places.collect()
    })
}

/// Lets the housed take the room that is left within the part of the grid that is used: first those of the last row side by
/// side, each by what it wished for, then all, the greatest wishes first. `taken` is what the file has given away.
fn fill(taken: &Taken, wishes: &[(u32, u32)], places: &mut [Place]) {
    let mut taken = taken.clone();
    for place in places.iter() {
        taken.take(*place);
    }
    let used = taken.used();
    let last_row = places.iter().map(|place| place.row).max().unwrap_or(0);
    let mut last: Vec<usize> = (0..places.len()).filter(|&at| places[at].row == last_row).collect();
    last.sort_by_key(|&at| places[at].column);
    share_row(&mut taken, used, wishes, places, &last);
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(wishes[at].0 * wishes[at].1));
    for at in order {
        places[at] = taken.grown(places[at], used);
    }
}

/// Shares what is free behind the row's last among all of the row, if they stand in one line.
fn share_row(taken: &mut Taken, used: Cells, wishes: &[(u32, u32)], places: &mut [Place], row: &[usize]) {
    let Some((&first, &last)) = row.first().zip(row.last()) else { return };
    let in_line = row.windows(2).all(|pair| {
        let (one, next) = (places[pair[0]], places[pair[1]]);
        one.column + one.width == next.column && one.height == next.height
    });
    let mut end = places[last];
    while let Some(wider) = taken.widened(end, used) {
        taken.take(wider);
        end = wider;
    }
    let mut spare = end.width - places[last].width;
    if !in_line {
        places[last] = end;
        return;
    }
    while spare > 0 {
        // Whoever has least of what it wished for; of equals the one that wished for most.
        let neediest = row.iter().copied().min_by(|&a, &b| {
            let shares = (places[a].width * wishes[b].0, places[b].width * wishes[a].0);
            shares.0.cmp(&shares.1).then(wishes[b].0.cmp(&wishes[a].0))
        });
        let Some(neediest) = neediest else { return };
        places[neediest].width += 1;
        spare -= 1;
    }
    let mut column = places[first].column;
    for &at in row {
        places[at].column = column;
        column += places[at].width;
    }
}

/// Steps from the wished size to a single cell.
const SHRINK_STEPS: u32 = 8;

/// Which cells are taken.
#[derive(Clone)]
struct Taken {
    cells: Cells,
    is_taken: Vec<bool>,
}

impl Taken {
    fn new(cells: Cells) -> Self {
        Self { cells, is_taken: vec![false; (cells.columns * cells.rows) as usize] }
    }

    fn holds(&self, place: Place) -> bool {
        place.column + place.width - 1 <= self.cells.columns && place.row + place.height - 1 <= self.cells.rows
    }

    fn indexes(&self, place: Place) -> impl Iterator<Item = usize> + use<> {
        let columns = self.cells.columns;
        let rows = place.row - 1..place.row - 1 + place.height;
        rows.flat_map(move |row| {
            (place.column - 1..place.column - 1 + place.width).map(move |column| (row * columns + column) as usize)
        })
    }

    fn take(&mut self, place: Place) {
        for index in self.indexes(place) {
            self.is_taken[index] = true;
        }
    }

    fn free(&self) -> usize {
        self.is_taken.iter().filter(|is_taken| !**is_taken).count()
    }

    /// The grid up to the last column and row in which something stands; the page gives what lies beyond to all.
    fn used(&self) -> Cells {
        let taken = self.is_taken.iter().enumerate().filter(|(_, is_taken)| **is_taken);
        taken.fold(Cells { columns: 0, rows: 0 }, |used, (index, _)| {
            let index = index as u32;
            Cells {
                columns: used.columns.max(index % self.cells.columns + 1),
                rows: used.rows.max(index / self.cells.columns + 1),
            }
        })
    }

    fn is_free(&self, place: Place, within: Cells) -> bool {
        place.column + place.width - 1 <= within.columns
            && place.row + place.height - 1 <= within.rows
            && self.indexes(place).all(|index| !self.is_taken[index])
    }

    /// One column more to the right.
    fn widened(&self, place: Place, within: Cells) -> Option<Place> {
        let next = Place { column: place.column + place.width, width: 1, ..place };
        self.is_free(next, within).then_some(Place { width: place.width + 1, ..place })
    }

    /// One row more below.
    fn heightened(&self, place: Place, within: Cells) -> Option<Place> {
        let next = Place { row: place.row + place.height, height: 1, ..place };
        self.is_free(next, within).then_some(Place { height: place.height + 1, ..place })
    }

    /// As far to the right, and then as far down, as there is room.
    fn grown(&mut self, mut place: Place, within: Cells) -> Place {
        while let Some(larger) = self.widened(place, within).or_else(|| self.heightened(place, within)) {
            self.take(larger);
            place = larger;
        }
        place
    }

    fn first_free(&self, width: u32, height: u32) -> Option<Place> {
        let places = (1..=self.cells.rows).flat_map(|row| (1..=self.cells.columns).map(move |column| (row, column)));
        let mut places = places.map(|(row, column)| Place { column, row, width, height });
        places.find(|place| self.holds(*place) && self.indexes(*place).all(|index| !self.is_taken[index]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::text::SourceText;

    fn tenant(place: Option<Place>, wish: (u32, u32)) -> Tenant {
        Tenant { label: "`x`".to_owned(), span: 0..0, is_placed: place.is_some(), place, wish }
    }

    fn laid_out(cells: Cells, wishes: &[(u32, u32)]) -> Vec<Place> {
        let tenants: Vec<Tenant> = wishes.iter().map(|wish| tenant(None, *wish)).collect();
        let source = SourceText::new("");
        let mut sink = Sink::new(&source);
        let places = lay_out(cells, &tenants.iter().collect::<Vec<_>>(), &mut sink);
        places.into_iter().flatten().collect()
    }

    const NUMBER: (u32, u32) = (3, 2);
    const MAP: (u32, u32) = (6, 4);

    #[test]
    fn the_last_of_thirteen_has_the_last_row() {
        let mut wishes = vec![NUMBER; 12];
        wishes.push(MAP);
        let places = laid_out(Cells { columns: 4, rows: 4 }, &wishes);
        assert_eq!(places[12], Place { column: 1, row: 4, width: 4, height: 1 });
        assert!(places[..12].iter().all(|place| (place.width, place.height) == (1, 1)), "{places:?}");
    }

    #[test]
    fn what_is_left_of_the_last_row_goes_to_the_map_first() {
        let mut wishes = vec![NUMBER; 12];
        wishes.extend([MAP, NUMBER]);
        let places = laid_out(Cells { columns: 4, rows: 4 }, &wishes);
        assert_eq!(places[12], Place { column: 1, row: 4, width: 3, height: 1 });
        assert_eq!(places[13], Place { column: 4, row: 4, width: 1, height: 1 });
    }

    /// The page leaves out what nobody uses, so two numbers share the glass.
    #[test]
    fn columns_that_nobody_uses_stay_free() {
        let places = laid_out(Cells { columns: 12, rows: 8 }, &[NUMBER, NUMBER]);
        assert_eq!(places[0], Place { column: 1, row: 1, width: 3, height: 2 });
        assert_eq!(places[1], Place { column: 4, row: 1, width: 3, height: 2 });
    }

    proptest! {
        /// Whatever the grid and the widgets: each gets a place inside the grid, no two overlap, and it is said if there are
        /// more widgets than cells.
        #[test]
        fn everybody_has_a_place_of_its_own(
            columns in 1..13_u32, rows in 1..9_u32, wishes in prop::collection::vec((1..7_u32, 1..5_u32), 0..40),
            fixed in prop::option::of((1..13_u32, 1..9_u32, 1..13_u32, 1..9_u32)),
        ) {
            let cells = Cells { columns, rows };
            let fixed = fixed.map(|(column, row, width, height)| Place { column, row, width, height });
            let fixed = fixed.filter(|place| Taken::new(cells).holds(*place));
            let mut tenants: Vec<Tenant> = wishes.into_iter().map(|wish| tenant(None, wish)).collect();
            tenants.extend(fixed.map(|place| tenant(Some(place), (1, 1))));
            let source = SourceText::new("");
            let mut sink = Sink::new(&source);
            let places = lay_out(cells, &tenants.iter().collect::<Vec<_>>(), &mut sink);
            let free = (columns * rows) as usize - fixed.map_or(0, |place| (place.width * place.height) as usize);
            let homeless = tenants.iter().filter(|tenant| !tenant.is_placed).count();
            prop_assert_eq!(sink.is_empty(), homeless <= free);
            let placed: Vec<Place> = places.iter().flatten().copied().collect();
            prop_assert_eq!(placed.len() == tenants.len(), homeless <= free);
            for (at, place) in placed.iter().enumerate() {
                prop_assert!(Taken::new(cells).holds(*place));
                prop_assert!(placed[..at].iter().all(|other| !overlap(*place, *other)));
            }
        }
    }
}
