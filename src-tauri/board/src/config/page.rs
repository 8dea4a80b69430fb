//! Pages: which there are, and which of them a widget stands on.

use toml::de::DeTable;

use super::{
    decode::{NameEntry, label_by_id, report_twins},
    diagnostic::{Problem, Sink},
    grid::{Cells, Tenant, lay_out},
    keys::{page, widget},
    nearest::did_you_mean,
    spec::PageSpec,
    table::{Node, TableReader, names, tables_of},
};
use crate::frame::Place;

/// The most pages of a board.
pub(super) const PAGES_MAX: usize = 20;

/// A page as far as it could be read.
pub(super) struct PageEntry {
    name: Option<NameEntry>,
    spec: Option<PageSpec>,
}

/// Every `[[page]]`; none, if the board is one page.
pub(super) fn read_pages(file: &DeTable<'_>, sink: &mut Sink<'_>) -> Vec<PageEntry> {
    if file.get(page::TABLE_NAME).is_none() {
        return Vec::new();
    }
    let nodes = tables_of(file, page::TABLE_NAME, PAGES_MAX, sink);
    let pages: Vec<PageEntry> = nodes.into_iter().map(|node| read_page(node, sink)).collect();
    report_twins(pages.iter().filter_map(|page| page.name.as_ref()), "pages", sink);
    pages
}

fn read_page(node: Node<'_>, sink: &mut Sink<'_>) -> PageEntry {
    let Some(mut reader) = TableReader::open(node, &page::TABLE, sink) else {
        return PageEntry { name: None, spec: None };
    };
    label_by_id(&mut reader);
    reader.finish(sink);
    let id = reader.get(&page::ID, sink);
    let title = reader.get(&page::TITLE, sink);
    let dwell = reader.get(&page::DWELL, sink);
    let comes_on_alarm = reader.get(&page::PRIORITY, sink);
    let name = NameEntry::new(&reader, id.as_ref());
    let spec = || {
        let id = id?;
        Some(PageSpec {
            title: title.unwrap_or_else(|| id.clone()),
            id,
            dwell: dwell?,
            comes_on_alarm: comes_on_alarm?,
        })
    };
    PageEntry { name, spec: spec() }
}

/// The pages, if all could be read.
pub(super) fn specs(pages: Vec<PageEntry>) -> Option<Vec<PageSpec>> {
    pages.into_iter().map(|page| page.spec).collect()
}

/// The number of the page that a widget names, from 0; the first one if it names none. None if it names one that isn't there.
pub(super) fn page_of(reader: &TableReader<'_>, pages: &[PageEntry], sink: &mut Sink<'_>) -> Option<usize> {
    let Some(named) = reader.get(&widget::PAGE, sink) else {
        return (!reader.has(widget::PAGE.name)).then_some(0);
    };
    let ids = || pages.iter().filter_map(|page| page.name.as_ref()).map(|name| name.id.as_str());
    let found = pages.iter().position(|page| page.name.as_ref().is_some_and(|name| name.id == named));
    if found.is_none() && pages.iter().all(|page| page.name.is_some()) {
        let expected = match pages.is_empty() {
            true => "a `[[page]]` of that id: there is none".to_owned(),
            false => format!("the id of a `[[page]]`: {}", names(ids())),
        };
        sink.report_absence(Problem {
            span: reader.span_of(widget::PAGE.name),
            message: format!("unknown page `{named}`"),
            found: format!("\"{named}\""),
            expected,
            help: did_you_mean(&named, ids()),
        });
    }
    found
}

/// A place for each widget on its own page. Reports what [`lay_out`] does, and pages without a widget.
pub(super) fn lay_out_pages(
    cells: Cells,
    pages: &[PageEntry],
    tenants: &[(Option<usize>, &Tenant)],
    sink: &mut Sink<'_>,
) -> Vec<Option<Place>> {
    let mut places = vec![None; tenants.len()];
    for number in 0..pages.len().max(1) {
        let here: Vec<usize> = (0..tenants.len()).filter(|at| tenants[*at].0 == Some(number)).collect();
        let known = tenants.iter().all(|(page, _)| page.is_some());
        // A second one of a name has been reported, and is nobody's page.
        let id = |page: &PageEntry| page.name.as_ref().map(|name| name.id.clone());
        let is_first = pages.iter().position(|page| id(page) == pages.get(number).and_then(id)) == Some(number);
        let name = pages.get(number).and_then(|page| page.name.as_ref());
        if let Some(name) = name.filter(|_| here.is_empty() && known && is_first) {
            sink.report(Problem {
                span: name.span.clone(),
                message: format!("nothing stands on the page `{}`", name.id),
                found: "no widget that names it".to_owned(),
                expected: format!("a `[[widget]]` with `page = \"{}\"`", name.id),
                help: None,
            });
        }
        let tenants: Vec<&Tenant> = here.iter().map(|at| tenants[*at].1).collect();
        for (at, place) in here.into_iter().zip(lay_out(cells, &tenants, sink)) {
            places[at] = place;
        }
    }
    places
}
