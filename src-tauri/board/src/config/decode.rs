//! From the parsed tables to a [`BoardFile`].

use std::{collections::HashMap, ops::Range, time::Duration};

use toml::de::DeTable;

use super::{
    alarm::{Widgets, read_alarming, read_alarms},
    board::read_board,
    diagnostic::{Problem, Sink},
    furniture::{self, Standing},
    grid::{Cells, Tenant},
    headers,
    keys::{source, widget},
    nearest::{did_you_mean, nearest},
    page::{self, PageEntry, lay_out_pages, page_of, read_pages},
    restating,
    shape::Name,
    source_kind::{Found, report_members_of_several, report_unlike},
    spec::{BoardFile, FoldSpec, ReducerSpec, SourceSpec, TokenSpec, WidgetSpec},
    table::{Key, Node, TableReader, cut, names, report_unknown_tables, tables_of},
    wanted::{read_channels, read_events},
    way,
    widget_kind::{self, Folded, Kind, KindShape},
};
use crate::frame::Look;

/// The most sources of a board.
pub const SOURCES_MAX: usize = 16;
/// The most widgets of a board.
pub const WIDGETS_MAX: usize = 200;

const TABLES: [&str; 6] = ["[board]", "[[page]]", "[[source]]", "[[widget]]", "[[alarm]]", "[alarms]"];

/// The whole file; `None` if something was reported.
pub(super) fn decode(file: &DeTable<'_>, sink: &mut Sink<'_>) -> Option<BoardFile> {
    report_unknown_tables(file, "board file", &TABLES, sink);
    let board = read_board(file, sink);
    let sources: Vec<SourceEntry> =
        tables_of(file, "source", SOURCES_MAX, sink).into_iter().map(|node| read_source(node, sink)).collect();
    report_twins(sources.iter().filter_map(|source| source.name.as_ref()), "sources", sink);

    let pages = read_pages(file, sink);
    let surroundings = Surroundings {
        sources: &sources,
        pages: &pages,
        stale_after: board.as_ref().map(|board| board.stale_after),
        timezone: board.as_ref().map(|board| board.timezone.clone()),
    };
    let widgets: Vec<WidgetEntry> = tables_of(file, "widget", WIDGETS_MAX, sink)
        .into_iter()
        .map(|node| read_widget(node, &surroundings, sink))
        .collect();
    report_twins(widgets.iter().filter_map(|widget| widget.name.as_ref()), "widgets", sink);

    let tenants: Vec<_> = widgets.iter().map(|widget| (widget.page, &widget.tenant)).collect();
    let cells = board.as_ref().map(|board| Cells { columns: board.columns, rows: board.rows });
    let places = cells.map(|cells| lay_out_pages(cells, &pages, &tenants, sink));
    let named = Widgets::new(widgets_with_data(&widgets));
    let alarms = read_alarms(file, &named, &sources, sink);
    let alarming = read_alarming(file, alarms.as_ref().is_none_or(|alarms| !alarms.is_empty()), sink);
    furniture::report_alone(widgets.iter().map(|widget| (widget.is_furniture, &widget.tenant)), sink);
    if !sink.is_empty() {
        return None;
    }
    let standing = widgets.into_iter().zip(places?).map(|(widget, place)| Some(widget.spec?.at(place)));
    let (widgets, furniture) = furniture::parted(standing.collect::<Option<_>>()?);
    Some(BoardFile {
        board: board?,
        pages: page::specs(pages)?,
        sources: sources.into_iter().map(|source| source.spec).collect::<Option<_>>()?,
        widgets,
        furniture,
        alarms: alarms?,
        alarming: alarming?,
    })
}

/// Every widget's id and, if it is one with data, its number among those and its look.
fn widgets_with_data(all: &[WidgetEntry]) -> impl Iterator<Item = (Option<&str>, Option<(usize, &Look)>)> {
    let mut number = 0;
    all.iter().map(move |widget| {
        let look = match &widget.spec {
            Some(Standing::Widget(spec)) => Some((number, &spec.look)),
            _ => None,
        };
        number += usize::from(!widget.is_furniture);
        // Of one that can't be read nobody knows what it is.
        let id = widget.name.as_ref().map(|name| name.id.as_str());
        (id.filter(|_| look.is_some() || widget.is_furniture), look)
    })
}

/// A source as far as it could be read.
pub(super) struct SourceEntry {
    name: Option<NameEntry>,
    /// Empty if they are unknown.
    pub(super) channels: Vec<String>,
    pub(super) spec: Option<SourceSpec>,
}

/// An id with its place in the file.
pub(super) struct NameEntry {
    pub(super) id: String,
    pub(super) span: Range<usize>,
}

impl NameEntry {
    pub(super) fn new(reader: &TableReader<'_>, id: Option<&String>) -> Option<Self> {
        id.map(|id| Self { id: id.clone(), span: reader.span_of("id") })
    }
}

pub(super) fn report_twins<'a>(names: impl Iterator<Item = &'a NameEntry>, what: &str, sink: &mut Sink<'_>) {
    let mut first: HashMap<&str, &NameEntry> = HashMap::new();
    for name in names {
        let Some(other) = first.get(name.id.as_str()) else {
            first.insert(&name.id, name);
            continue;
        };
        let (line, _) = sink.source.locate(other.span.start);
        sink.report(Problem {
            span: name.span.clone(),
            message: format!("two {what} with the id `{}`", name.id),
            found: format!("\"{}\" again", name.id),
            expected: "an id that no other has".to_owned(),
            help: Some(format!("the first is in line {line}")),
        });
    }
}

/// Names the table by its id in errors: `` `[[widget]]` `cancelled-today` ``.
pub(super) fn label_by_id(reader: &mut TableReader<'_>) {
    if let Some(id) = reader.raw_text("id") {
        reader.label = format!("{} `{}`", reader.label, cut(id));
    }
}

fn read_source(node: Node<'_>, sink: &mut Sink<'_>) -> SourceEntry {
    let Some(mut reader) = TableReader::open(node, &source::TABLE, sink) else {
        return SourceEntry { name: None, channels: Vec::new(), spec: None };
    };
    label_by_id(&mut reader);
    reader.finish(sink);
    let id = reader.get(&source::ID, sink);
    let title = reader.get(&source::TITLE, sink);
    let kind = reader.get(&source::KIND, sink);
    let url = reader.get(&source::URL, sink);
    let redundant = reader.get(&source::REDUNDANT_URLS, sink);
    let channels = reader.get(&source::CHANNELS, sink);
    let transport = reader.get(&source::TRANSPORT, sink);
    let quiet = reader.get(&source::QUIET, sink);
    let reconcile = reader.get(&source::RECONCILE, sink);
    let heartbeat = reader.get(&source::HEARTBEAT, sink);
    let replays = reader.get(&source::REPLAYS, sink);
    let sparkplug = reader.optional(&source::SPARKPLUG, sink);
    let presence = reader.get(&source::PRESENCE, sink);
    let history = reader.get(&source::HISTORY, sink);
    let cursor = reader.optional(&source::CURSOR, sink);
    let event = reader.optional(&source::EVENT, sink);
    let app = reader.optional(&source::APP, sink);
    let auth = reader.optional(&source::AUTH, sink);
    let user = reader.optional(&source::USER, sink);
    let cipher = reader.optional(&source::CIPHER, sink);
    let speak = reader.optional(&source::SPEAK, sink);
    let snapshot = reader.optional(&source::SNAPSHOT, sink);
    let headers = reader.optional(&source::HEADERS, sink);
    let token = reader.optional(&source::TOKEN, sink);
    let token_header = reader.optional(&source::TOKEN_HEADER, sink);
    let tls = reader.optional(&source::TLS, sink);
    let proxy = reader.optional(&source::PROXY, sink);
    if let Some(kind) = kind {
        let first = url.iter().map(|url| (reader.span_of("url"), url));
        let others = redundant.iter().flatten().enumerate();
        let urls = first.chain(others.map(|(at, url)| (reader.span_of_item("redundant-urls", at), url))).collect();
        let channels = channels.as_deref().unwrap_or_default();
        let found = Found { kind, urls, channels, transport };
        report_members_of_several(&reader, &found, presence == Some(true), sink);
        report_unlike(&reader, &found, sink);
    }
    if let Some(Some(name)) = &token_header {
        let known = headers.as_ref().and_then(Option::as_ref);
        headers::report_unfit(&reader, name, known, (kind, speak.as_ref().and_then(Option::as_ref)), sink);
    }
    if let Some(Some(snapshot)) = &snapshot {
        let tells_time = event.iter().flatten().any(|event| event.time.is_some());
        restating::report_unfit(&reader, snapshot, channels.as_deref().unwrap_or_default(), tells_time, sink);
    }
    let others = [auth.as_ref().and_then(Option::as_ref), token.as_ref().and_then(Option::as_ref).and_then(giver)];
    let addresses = url.iter().chain(redundant.iter().flatten()).map(String::as_str);
    way::report_tls_in_clear(&reader, addresses.chain(others.into_iter().flatten().map(String::as_str)), sink);
    let channels = channels.filter(|channels| !has_twin(&reader, "channels", channels, sink));
    let redundant = redundant.filter(|urls| {
        let all: Vec<String> = url.iter().chain(urls).map(|url| one_spelling(url)).collect();
        !has_twin_of(&reader, "redundant-urls", &all, 1, sink)
    });
    let name = NameEntry::new(&reader, id.as_ref());
    let known = channels.clone().unwrap_or_default();
    let spec = || {
        let id = id?;
        let title = title.unwrap_or_else(|| id.clone());
        let (kind, url, channels, transport) = (kind?, url?, channels?, transport?);
        let redundant_urls = redundant?;
        Some(SourceSpec {
            id,
            title,
            kind,
            url,
            redundant_urls,
            channels,
            transport,
            quiet,
            reconcile: reconcile?,
            heartbeat,
            replays: replays?,
            sparkplug: sparkplug?,
            presence: presence?,
            history: history?,
            cursor: cursor?,
            event: event?.unwrap_or_default(),
            app: app?,
            auth: auth?,
            user: user?,
            cipher: cipher?,
            speak: speak?.unwrap_or_default(),
            snapshot: snapshot?,
            headers: headers?.unwrap_or_default(),
            token: token?,
            token_header: token_header?,
            tls: tls?.unwrap_or_default(),
            proxy: proxy?,
        })
    };
    SourceEntry { name, channels: known, spec: spec() }
}

impl SourceEntry {
    /// What is folded of this source's events: by their names as it has them, those that Laravel Echo wants with a dot or a backslash
    /// in front being meant without it; and whole, if they are.
    pub(super) fn fold(&self, mut fold: FoldSpec) -> FoldSpec {
        // A gauge that looks at rows is about the row that it finds its number in.
        let has_rows = |spec: &SourceSpec| spec.event.id.is_some() && matches!(fold.reducer, ReducerSpec::Gauge { .. });
        fold.whole = self.spec.as_ref().is_some_and(|spec| spec.tells_whole() && !has_rows(spec));
        std::iter::once(&mut fold.on).chain(fold.reducer.names()).for_each(|list| self.rename(list));
        fold
    }

    /// Names of events as this source has them.
    pub(super) fn rename(&self, list: &mut Vec<String>) {
        if !self.spec.as_ref().is_some_and(|spec| spec.kind.is_pusher()) {
            return;
        }
        for name in list.iter_mut() {
            if let Some(rest) = name.strip_prefix(['.', '\\']).filter(|rest| !rest.is_empty()) {
                *name = rest.to_owned();
            }
        }
        list.sort();
        list.dedup();
    }

    /// Its id, if it could be read.
    pub(super) fn id(&self) -> Option<&str> {
        self.name.as_ref().map(|name| name.id.as_str())
    }
}

/// The address that gives a token.
fn giver(token: &TokenSpec) -> Option<&String> {
    match token {
        TokenSpec::Held(_) => None,
        TokenSpec::Fetched { url, .. } => Some(url),
    }
}

/// An address as it is asked for, however it was written: the same one twice is one line, and not two.
fn one_spelling(url: &str) -> String {
    let asked = url::Url::parse(url).map_or_else(|_| url.to_owned(), String::from);
    asked.strip_suffix('/').map(ToOwned::to_owned).unwrap_or(asked)
}

/// Reports the first name that a list has twice.
pub(super) fn has_twin(reader: &TableReader<'_>, key: &str, list: &[String], sink: &mut Sink<'_>) -> bool {
    has_twin_of(reader, key, list, 0, sink)
}

/// Reports the first name that a list has twice, of which the first `others` stand elsewhere.
fn has_twin_of(reader: &TableReader<'_>, key: &str, list: &[String], others: usize, sink: &mut Sink<'_>) -> bool {
    let twin = list.iter().enumerate().find(|(at, name)| list[..*at].contains(name));
    if let Some((at, name)) = twin {
        sink.report(Problem {
            span: reader.span_of_item(key, at.saturating_sub(others)),
            message: format!("`{}` twice in `{key}`", cut(name)),
            found: format!("\"{}\" again", cut(name)),
            expected: "each name once".to_owned(),
            help: None,
        });
    }
    twin.is_some()
}

/// What a widget is read against.
struct Surroundings<'a> {
    sources: &'a [SourceEntry],
    pages: &'a [PageEntry],
    stale_after: Option<Duration>,
    timezone: Option<String>,
}

/// A widget as far as it could be read; its place is still to be given.
struct WidgetEntry {
    name: Option<NameEntry>,
    /// The page's number; none if what it names isn't there.
    page: Option<usize>,
    tenant: Tenant,
    is_furniture: bool,
    spec: Option<Standing>,
}

fn read_widget(node: Node<'_>, surroundings: &Surroundings<'_>, sink: &mut Sink<'_>) -> WidgetEntry {
    let Some(mut reader) = TableReader::open(node, &widget::TABLE, sink) else {
        let tenant = Tenant {
            label: "`[[widget]]`".to_owned(),
            span: node.value.span(),
            place: None,
            is_placed: true,
            wish: (1, 1),
        };
        return WidgetEntry { name: None, page: None, tenant, is_furniture: false, spec: None };
    };
    label_by_id(&mut reader);
    let id = reader.get(&widget::ID, sink);
    // A mistyped kind has been reported; the rest is read as the kind that was meant, to find the other errors too.
    let said = reader.get(&widget::KIND, sink);
    let kind = said.or_else(|| meant_kind(&reader));
    match kind {
        Some(kind) => {
            reader.extend(kind.table());
            reader.finish(sink);
        }
        None => finish_without_kind(&reader, sink),
    }
    let place = reader.get(&widget::PLACE, sink);
    let tenant = Tenant {
        label: reader.label.clone(),
        span: reader.span_of("place"),
        is_placed: reader.has("place"),
        place,
        wish: kind.map_or((1, 1), wish),
    };
    let page = page_of(&reader, surroundings.pages, sink);
    let spec = if let Some(Kind::Furniture(kind)) = kind {
        furniture::read(&reader, id.clone(), kind, surroundings.timezone.as_deref(), sink).map(Standing::Furniture)
    } else {
        let kind = kind.and_then(Kind::of_data);
        let spec = read_widget_spec(&reader, id.clone(), kind, surroundings, sink);
        spec.map(|spec| Standing::Widget(Box::new(spec)))
    };
    let spec = spec.zip(page).map(|(spec, page)| spec.on(page));
    let is_furniture = matches!(said, Some(Kind::Furniture(_)));
    WidgetEntry { name: NameEntry::new(&reader, id.as_ref()), page, tenant, is_furniture, spec }
}

fn meant_kind(reader: &TableReader<'_>) -> Option<Kind> {
    let meant = nearest(reader.raw_text("kind")?, widget_kind::kinds().map(Kind::name))?;
    widget_kind::find(meant)
}

/// While the kind is unknown, a key is accepted that any kind has.
fn finish_without_kind(reader: &TableReader<'_>, sink: &mut Sink<'_>) {
    reader.finish_but(|name| widget_kind::kinds().any(|kind| kind.table().has(name)), sink);
}

/// How many cells of a 12 by 8 grid suit a kind.
fn wish(kind: Kind) -> (u32, u32) {
    let kind = match kind {
        Kind::Data(kind) => kind,
        Kind::Furniture(kind) => return kind.wish,
    };
    match kind.name {
        "counter" | "gauge" | "rate" | "window" => (3, 2),
        "status" | "tally" => (4, 2),
        "log" | "timeline" | "matrix" | "series" | "histogram" | "heat" => (4, 3),
        _ => (6, 4),
    }
}

fn read_widget_spec(
    reader: &TableReader<'_>,
    id: Option<String>,
    kind: Option<&'static KindShape>,
    surroundings: &Surroundings<'_>,
    sink: &mut Sink<'_>,
) -> Option<WidgetSpec> {
    let title = reader.get(&widget::TITLE, sink);
    let note = reader.get(&widget::NOTE, sink);
    let source = resolve_source(reader, &widget::SOURCE, surroundings.sources, sink);
    let channels = read_channels(reader, &widget::CHANNELS, source, sink);
    let on = read_events(reader, sink);
    let only = reader.get(&widget::WHERE, sink);
    let stale_after = reader.get(&widget::STALE_AFTER, sink);
    let folded = kind.and_then(|kind| (kind.read)(reader, sink));
    let Folded { reducer, look, knows_days, against } = folded?;
    let id = id?;
    let known = source?;
    let source = known.name.as_ref()?.id.clone();
    let fold = FoldSpec {
        channels: channels?,
        on: on?,
        only: only.unwrap_or_default(),
        timezone: if knows_days { surroundings.timezone.clone()? } else { String::new() },
        whole: false,
        reducer,
    };
    let fold = known.fold(fold);
    let against = match against {
        Some(text) => Some(text.resolve((&source, &fold), reader, surroundings.sources, sink)?),
        None => None,
    };
    Some(WidgetSpec {
        title: title.unwrap_or_else(|| id.clone()),
        note,
        source,
        stale_after: stale_after.or(surroundings.stale_after)?,
        page: 0,
        place: None,
        fold,
        against,
        look,
        id,
    })
}

/// The source that a widget names, or the only one.
pub(super) fn resolve_source<'a>(
    reader: &TableReader<'_>,
    key: &Key<Name>,
    sources: &'a [SourceEntry],
    sink: &mut Sink<'_>,
) -> Option<&'a SourceEntry> {
    let named = reader.get(key, sink);
    let ids = || sources.iter().filter_map(|source| source.name.as_ref()).map(|name| name.id.as_str());
    let is_known_well = sources.iter().all(|source| source.name.is_some()) && !sources.is_empty();
    let Some(named) = named else {
        if !reader.has("source") && sources.len() > 1 && is_known_well {
            reader.missing("source", &format!("one of the sources {}", names(ids())), None, sink);
        }
        return if reader.has("source") { None } else { sources.first().filter(|_| sources.len() == 1) };
    };
    source_of(&named, reader.span_of("source"), sources, sink)
}

/// The source of this id, which stands at `span`.
pub(super) fn source_of<'a>(
    named: &str,
    span: Range<usize>,
    sources: &'a [SourceEntry],
    sink: &mut Sink<'_>,
) -> Option<&'a SourceEntry> {
    let ids = || sources.iter().filter_map(|source| source.name.as_ref()).map(|name| name.id.as_str());
    let found = sources.iter().find(|source| source.name.as_ref().is_some_and(|name| name.id == named));
    let is_known_well = sources.iter().all(|source| source.name.is_some()) && !sources.is_empty();
    if found.is_none() && is_known_well {
        sink.report_absence(Problem {
            span,
            message: format!("unknown source `{named}`"),
            found: format!("\"{named}\""),
            expected: format!("the id of a `[[source]]`: {}", names(ids())),
            help: did_you_mean(named, ids()),
        });
    }
    found
}
