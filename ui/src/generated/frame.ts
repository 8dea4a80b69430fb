// Written by the tests of the crate watchfloor-board from its Rust types. Don't edit it: see src-tauri/board/src/frame/tests/typescript.rs.

/**
 * One answer to the page's pull.
 */
export type Frame = { 
/**
 * The state's version that this frame brings the page to; the next pull names it.
 */
version: number, 
/**
 * The board, if the page doesn't have this one yet: on its first pull and after a reload of the file.
 */
board: BoardView | null, 
/**
 * The revision of the board that the widgets below belong to; the next pull names it.
 */
revision: number, 
/**
 * What time it is, for people.
 */
clock: ClockView, 
/**
 * The next frame comes after this many milliseconds at the latest, changed or not.
 */
heartbeat_ms: number, 
/**
 * Every source, in the board's order.
 */
sources: Array<SourceView>, 
/**
 * Every widget's quality, in the board's order, and the values that changed.
 */
widgets: Array<WidgetPatch>, 
/**
 * The links' history, newest first, if it changed since the version that the page has painted.
 */
outages: Array<Outage> | null, 
/**
 * The alarms, if anything of them changed since the version that the page has painted; never of a board without rules.
 */
alarms?: AlarmsView, 
/**
 * Everything that people must know besides: the board file was refused, nothing is being remembered.
 */
notices: Array<Notice>, 
/**
 * Which page is shown; none if the board is one page.
 */
page?: PageShown, 
/**
 * Set if the frame is of the past: nothing in it is live, whatever it was then.
 */
past?: PastView, 
/**
 * Set if the frame is of a lamp test: nothing in it is the present.
 */
drill?: DrillView, 
/**
 * Whether the room is dark: what is painted for it takes the place of the board's theme.
 */
night?: boolean, 
/**
 * Set if the window is one of several that show one picture: its part of it. The app's matter, as windows are.
 */
span?: SpanView, };

/**
 * What time it is.
 */
export type ClockView = { 
/**
 * This machine's wall clock when the frame was made, milliseconds since the Unix epoch.
 */
wall_ms: number, 
/**
 * The board's time when the frame was made: its first source's own clock, else the wall clock.
 */
board_ms: number, 
/**
 * Board seconds a real second: 1, or the speed of a replay, or 0 for a paused one.
 */
speed: number, 
/**
 * What kind of time the board's is if it isn't the present: `Replay of 8 February 2013`.
 */
label: string | null, };

/**
 * The board as the page lays it out.
 */
export type BoardView = { 
/**
 * The head line's title.
 */
title: string, 
/**
 * IANA zone in which times are written.
 */
timezone: string, 
/**
 * In which language the page speaks, by its tag, if the board says so.
 */
language?: string, 
/**
 * By which locale numbers, dates and times are written, by its tag of BCP 47, if the board says so.
 */
locale?: string, 
/**
 * When shifts begin, in minutes after midnight of that zone, the earliest first; as is usual if the board says nothing of alarms.
 */
shifts?: Array<number>, 
/**
 * `dark` or `light`.
 */
theme: string, 
/**
 * From how far it is read, millimetres, if the board says so.
 */
viewing_distance_mm?: number, 
/**
 * Columns of the grid.
 */
columns: number, 
/**
 * Rows of the grid.
 */
rows: number, 
/**
 * Its pages, in the board's order; none if it is one page.
 */
pages?: Array<PageView>, 
/**
 * Every widget, in the board's order.
 */
widgets: Array<WidgetView>, 
/**
 * What stands there besides, in the board's order.
 */
furniture?: Array<FurnitureView>, };

/**
 * One widget as the page lays it out. What it shows comes by [`WidgetPatch`].
 */
export type WidgetView = { 
/**
 * Its id in the board file.
 */
id: string, 
/**
 * Its heading.
 */
title: string, 
/**
 * A small line under the heading.
 */
note: string | null, 
/**
 * The source that it folds.
 */
source: string, 
/**
 * The number of its page, from 0; none if the board is one page.
 */
page?: number, 
/**
 * Where it stands, in grid cells; column and row count from 1.
 */
place: Place, 
/**
 * What it is.
 */
look: Look, };

/**
 * A page of the board.
 */
export type PageView = { 
/**
 * Its id in the board file.
 */
id: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * For how long it is shown before the next one is, milliseconds.
 */
dwell_ms: number, };

/**
 * Which page is shown, and how the others are.
 */
export type PageShown = { 
/**
 * Its number, from 0.
 */
number: number, 
/**
 * Why it is this one.
 */
why: PageWhy, 
/**
 * How long it is still shown, milliseconds; none if nothing turns it.
 */
left_ms: number | null, 
/**
 * Every page, in the board's order.
 */
marks: Array<PageMark>, 
/**
 * The numbers of those that turn on this screen, in their order; none if all do.
 */
own?: Array<number>, };

/**
 * Why a page is shown.
 */
export type PageWhy = "rotation" | "hand" | "pinned" | "alarm";

/**
 * How a page is that may be out of sight.
 */
export type PageMark = { 
/**
 * The worst that a current number or tile on it says.
 */
state: State, 
/**
 * How many of its widgets are not current.
 */
unwell: number, };

/**
 * Which part of a picture a window shows. All monitors of it have as many pixels.
 */
export type SpanView = { 
/**
 * Monitors side by side.
 */
columns: number, 
/**
 * Monitors above each other.
 */
rows: number, 
/**
 * The part's place from the left, from 0.
 */
column: number, 
/**
 * And from the top, from 0.
 */
row: number, 
/**
 * The monitor's pixels across and down.
 */
monitor_px: [number, number], 
/**
 * How many of these are hidden between two monitors side by side, and between two above each other.
 */
hidden_px: [number, number], };

/**
 * A rectangle of grid cells.
 */
export type Place = { 
/**
 * Leftmost column, from 1.
 */
column: number, 
/**
 * Topmost row, from 1.
 */
row: number, 
/**
 * Columns covered.
 */
width: number, 
/**
 * Rows covered.
 */
height: number, };

/**
 * A sentence, or a part of one. Lengths of time are in milliseconds, whole seconds from one second on.
 */
export type Said = { "code": "words", 
/**
 * The words.
 */
words: string, } | { "code": "list", 
/**
 * The parts.
 */
parts: Array<Said>, } | { "code": "beside", 
/**
 * The parts.
 */
parts: Array<Said>, } | { "code": "server-silent", 
/**
 * For how long.
 */
ms: number | null, } | { "code": "machine-slow", 
/**
 * How old.
 */
ms: number, } | { "code": "publisher-silent", 
/**
 * For how long.
 */
ms: number | null, 
/**
 * How often it promises to speak.
 */
quiet_ms: number, } | { "code": "catching-up" } | { "code": "not-connected" } | { "code": "connecting" } | { "code": "trying-again" } | { "code": "next-try", 
/**
 * In how long.
 */
ms: number, } | { "code": "access-refused" } | { "code": "no-event" } | { "code": "not-renewed" } | { "code": "live", 
/**
 * The transport, if it is known.
 */
transport: 'websocket' | 'sse' | 'http-stream' | 'long-poll' | 'poll' | 'tcp' | null, } | { "code": "polling", 
/**
 * How often.
 */
every_ms: number, } | { "code": "no-newer-token", 
/**
 * Why, in another's words.
 */
why: string, } | { "code": "paths-lost", 
/**
 * How many.
 */
lost: number, 
/**
 * Of how many.
 */
of: number, 
/**
 * Where the first of them leads.
 */
place: string, 
/**
 * Why it was lost, in another's words.
 */
cause: string, } | { "code": "source-catching-up", 
/**
 * The transport, if it is known.
 */
transport: 'websocket' | 'sse' | 'http-stream' | 'long-poll' | 'poll' | 'tcp' | null, 
/**
 * What stands in the way.
 */
reason: Said | null, } | { "code": "source-refused", 
/**
 * Why.
 */
reason: Said, } | { "code": "all-live", 
/**
 * How many there are.
 */
count: number, } | { "code": "not-live", 
/**
 * How many are how.
 */
levels: Array<[Freshness, number]>, 
/**
 * Of how many.
 */
of: number, } | { "code": "not-running" } | { "code": "disk-silent" } | { "code": "not-remembering", 
/**
 * Since when, as a machine writes it.
 */
since: string, } | { "code": "journal-replaced" } | { "code": "alarms-damaged", 
/**
 * How many.
 */
count: number, } | { "code": "engine-stopped" } | { "code": "board-gone", 
/**
 * Its name.
 */
file: string, } | { "code": "board-unreadable", 
/**
 * Its name.
 */
file: string, } | { "code": "board-refused", 
/**
 * Its name.
 */
file: string, } | { "code": "kept-by-another" } | { "code": "other-replay", 
/**
 * Where that began.
 */
before: string, 
/**
 * Where the one behind the cut begins.
 */
from: string, } | { "code": "screens-need-x11" } | { "code": "source-lost", 
/**
 * How long ago.
 */
ms: number, 
/**
 * Why.
 */
reason: Said, };

/**
 * How a widget is drawn, by kind.
 */
export type Look = { "kind": "counter" } & NumberLook | { "kind": "gauge" } & NumberLook | { "kind": "rate" } & NumberLook | { "kind": "window" } & NumberLook | { "kind": "table", 
/**
 * Left to right.
 */
columns: Array<ColumnLook>, 
/**
 * Most rows that the table keeps.
 */
limit: number, } | { "kind": "log", 
/**
 * Most lines that the log keeps.
 */
limit: number, } | { "kind": "series", 
/**
 * How.
 */
draw: Draw, 
/**
 * Unit of the values.
 */
unit: string | null, 
/**
 * Digits after the point.
 */
decimals: number, 
/**
 * Its scale begins at this or below.
 */
min?: number, 
/**
 * Its scale ends at this or above.
 */
max?: number, 
/**
 * Length of the moving window, milliseconds of board time.
 */
keep_ms: number, 
/**
 * Length of one bucket, milliseconds of board time.
 */
bucket_ms: number, 
/**
 * Stretches of its values that mean something.
 */
bands?: Array<BandLook>, 
/**
 * What its values are meant to be.
 */
target?: number, 
/**
 * Its lines in their order, where the board names them.
 */
lines?: Array<LineLook>, 
/**
 * The axis at the right, if any line is read by it.
 */
right?: AxisLook, } | { "kind": "histogram" } & HistogramLook | { "kind": "heat" } & HeatLook | { "kind": "status", } | { "kind": "matrix", } | { "kind": "tally" } & TallyLook | { "kind": "timeline", 
/**
 * How far back it reaches, milliseconds of board time.
 */
keep_ms: number, 
/**
 * Which row stands first.
 */
order: RowOrder, } | { "kind": "markers", 
/**
 * West, south, east, north in degrees: what the map shows.
 */
bounds: [number, number, number, number], 
/**
 * Fixed, named points.
 */
places: Array<PlaceMark>, 
/**
 * How long a marker takes to glide to a new position, milliseconds of real time.
 */
glide_ms: number, 
/**
 * How trails are kept; none if there are none.
 */
trail: TrailLook | null, 
/**
 * What lies under the markers, the first lowest.
 */
layers?: Array<LayerLook>, 
/**
 * Its fences.
 */
fences?: Array<FenceLook>, 
/**
 * The file of its tiles, as the board names it; none for the ground that is shipped.
 */
tiles?: string, };

/**
 * How a series is drawn.
 */
export type Draw = "line" | "area" | "bars";

/**
 * How a single number is drawn.
 */
export type NumberLook = { 
/**
 * Unit, drawn smaller: `min`, `%`, `/h`. With `%` a share of 0 to 1 is written as 0 to 100.
 */
unit: string | null, 
/**
 * Digits after the point, where `digits` says nothing.
 */
decimals: number, 
/**
 * Significant digits: how many of them stand after the point follows the scale's ends, or the widest value seen.
 */
digits: number | null, 
/**
 * Lower end of the scale.
 */
min: number | null, 
/**
 * Upper end of the scale.
 */
max: number | null, 
/**
 * Stretches of the scale that mean something.
 */
bands: Array<BandLook>, 
/**
 * How far back sparkline and change reach, milliseconds of board time; none for neither.
 */
trend_ms: number | null, 
/**
 * What the number is meant to be.
 */
target: number | null, 
/**
 * Which way is the better one; nobody judges its changes if none.
 */
better: Better | null, 
/**
 * The kind's own way if none: records of boards from before there was a choice have none.
 */
draw: NumberDraw | null, };

/**
 * Which way of a number is the better one.
 */
export type Better = "up" | "down";

/**
 * What a change means by the look's better way.
 */
export type Toward = "better" | "worse";

/**
 * How a single number is drawn.
 */
export type NumberDraw = "figure" | "scale" | "bar";

/**
 * A stretch of a scale with a meaning.
 */
export type BandLook = { 
/**
 * Lower end, included; open if missing.
 */
from: number | null, 
/**
 * Upper end, excluded; open if missing.
 */
to: number | null, 
/**
 * What a value in it means.
 */
state: State, };

/**
 * What a number in a cell means by its column's bands.
 */
export type CellMark = { 
/**
 * The number of the column, from 0.
 */
column: number, 
/**
 * What it means.
 */
state: State, };

/**
 * One column of a table.
 */
export type ColumnLook = { 
/**
 * Its heading.
 */
title: string, 
/**
 * `text`, `number`, `bar` (a number and how much of its scale it fills), `time` (a time of day in the board's zone), `ago` or `until` (how long ago that was, or how long it is to it, by the
 * board's clock) or `state` (text in the row's state).
 */
format: string, 
/**
 * Digits after the point, for numbers.
 */
decimals: number, 
/**
 * Share of the width; 1 is usual.
 */
width: number, 
/**
 * The ends of a bar's scale.
 */
scale?: [number, number], 
/**
 * What stands before a word: its shape.
 */
icons?: { [key in string]: Sign }, 
/**
 * Stretches of its numbers that mean something.
 */
bands?: Array<BandLook>, };

/**
 * An order by what a column shows.
 */
export type ColumnSort = { 
/**
 * The column's number, from 0.
 */
column: number, 
/**
 * The greatest first. Rows without a value come last either way.
 */
descending: boolean, };

/**
 * What is known of a row, a line, a tile or a marker.
 */
export type Detail = { 
/**
 * Of which revision of the board.
 */
revision: number, 
/**
 * The row as it is now, of a table that has it.
 */
row: RowValue | null, 
/**
 * The source's name for people.
 */
source: string, 
/**
 * The newest event of it that is kept.
 */
event: RawEvent | null, 
/**
 * Why there is none, or why it isn't the one that is shown.
 */
lacks: string | null, };

/**
 * Rows of one value.
 */
export type GroupValue = { 
/**
 * The value; none of those rows that have none.
 */
name: string | null, 
/**
 * Its rows, also those that aren't shown.
 */
total: number, 
/**
 * What the worst of them means.
 */
state: State, 
/**
 * How many of the rows that came with this are its own: as many, after those of the groups before it.
 */
shown: number, };

/**
 * An event as it was received, after decoding.
 */
export type RawEvent = { 
/**
 * The channel it came by.
 */
channel: string, 
/**
 * What kind of thing happened.
 */
name: string, 
/**
 * The publisher's own id of it.
 */
id: string | null, 
/**
 * Its place in the channel.
 */
position: string | null, 
/**
 * When it happened by the source's clock, milliseconds since the Unix epoch.
 */
time_ms: number, 
/**
 * When it reached this program, by this machine's clock, milliseconds since the Unix epoch.
 */
received_ms: number, 
/**
 * What it says: JSON, indented, at most 64 KiB of it.
 */
text: string, 
/**
 * Bytes of JSON that it has in all.
 */
bytes: number, 
/**
 * Whether that is more than the text.
 */
cut: boolean, };

/**
 * The answer.
 */
export type RowsFound = { 
/**
 * Of which revision of the board: what is of another one than the page's isn't shown.
 */
revision: number, 
/**
 * The first row's place.
 */
offset: number, 
/**
 * The rows.
 */
rows: Array<RowValue>, 
/**
 * Rows that have the words.
 */
matched: number, 
/**
 * Rows that exist.
 */
total: number, 
/**
 * Whether there may be more.
 */
at_least: boolean, 
/**
 * The place of the row that was asked for; none if it isn't among them.
 */
at: number | null, 
/**
 * Rows in alarm that don't have the words.
 */
alarms_hidden: number, 
/**
 * Rows in warning that don't.
 */
warnings_hidden: number, 
/**
 * Groups of the rows, in the table's own order.
 */
groups: Array<GroupValue>, };

/**
 * Rows of a table that a hand wants to see.
 */
export type RowsQuery = { 
/**
 * The widget's id.
 */
widget: string, 
/**
 * The first row, from 0.
 */
offset: number, 
/**
 * How many at most; no more than 500 come.
 */
count: number, 
/**
 * Words of which a row must have each, in any of its cells; all rows if there are none.
 */
find: string, 
/**
 * Another order than the table's own.
 */
sort: ColumnSort | null, 
/**
 * A row whose place is asked for.
 */
key: string | null, };

/**
 * The shapes that may stand before a word in a table. None is like that of a state or of a freshness.
 */
export type Sign = "up" | "down" | "right" | "left" | "clock" | "pause" | "lock" | "flag" | "person" | "box" | "truck" | "aircraft" | "ship" | "wrench" | "bolt" | "flame" | "cross" | "phone";

/**
 * A line that the board names.
 */
export type LineLook = { 
/**
 * Its key.
 */
key: string, 
/**
 * Whether it is read by the axis at the right.
 */
right: boolean, };

/**
 * The second axis of a chart: that at the right. Its lines are drawn as lines, whatever the others are drawn as.
 */
export type AxisLook = { 
/**
 * Unit of its values.
 */
unit: string | null, 
/**
 * Digits after the point.
 */
decimals: number, 
/**
 * Its scale begins at this or below.
 */
min?: number, 
/**
 * Its scale ends at this or above.
 */
max?: number, 
/**
 * Stretches of its values that mean something.
 */
bands: Array<BandLook>, 
/**
 * What its values are meant to be.
 */
target: number | null, };

/**
 * How a histogram is drawn.
 */
export type HistogramLook = { 
/**
 * Unit of the values.
 */
unit: string | null, 
/**
 * Digits after the point.
 */
decimals: number, 
/**
 * Where the first bin begins.
 */
min: number, 
/**
 * How wide each is.
 */
width: number, 
/**
 * How many there are.
 */
bins: number, 
/**
 * Stretches of values that mean something.
 */
bands: Array<BandLook>, 
/**
 * What the values are meant to be.
 */
target: number | null, 
/**
 * Which statistics have a line: `mean`, `p50`, `p90`, `p95`, `p99`.
 */
stats: Array<string>, };

/**
 * How a heat map is drawn. Its value is a chart's: a line is a row.
 */
export type HeatLook = { 
/**
 * Unit of the values.
 */
unit: string | null, 
/**
 * Digits after the point.
 */
decimals: number, 
/**
 * How far back it reaches, milliseconds of board time.
 */
keep_ms: number, 
/**
 * Length of one cell, milliseconds of board time.
 */
bucket_ms: number, 
/**
 * Whether each row is a day by the board's zone, and not a line of its own.
 */
days: boolean, 
/**
 * Lower end of the scale of lightness; none to follow the values.
 */
min: number | null, 
/**
 * Upper end of it.
 */
max: number | null, };

/**
 * A fixed, named point of a map.
 */
export type PlaceMark = { 
/**
 * Its label.
 */
name: string, 
/**
 * Degrees north.
 */
lat: number, 
/**
 * Degrees east.
 */
lon: number, };

/**
 * How trails are kept.
 */
export type TrailLook = { 
/**
 * How far back they reach, milliseconds of the source's time.
 */
keep_ms: number, 
/**
 * There is one position in each stretch of this length at most, the newest of it, milliseconds.
 */
step_ms: number, };

/**
 * The shapes that a marker may have. They are told apart by their outline alone: each has a state's shape around it, never in its place.
 */
export type Icon = "aircraft" | "helicopter" | "ship" | "arrow" | "car" | "truck" | "train" | "cross" | "flame" | "shield" | "person" | "box" | "wrench" | "other";

/**
 * A piece of furniture as the page lays it out.
 */
export type FurnitureView = { 
/**
 * Its id in the board file.
 */
id: string, 
/**
 * Its heading; none for a text that has none.
 */
title: string | null, 
/**
 * A small line beside the heading.
 */
note: string | null, 
/**
 * The number of its page, from 0.
 */
page: number, 
/**
 * Where it stands, in grid cells; column and row count from 1.
 */
place: Place, 
/**
 * What it is.
 */
look: FurnitureLook, };

/**
 * What a piece of furniture is.
 */
export type FurnitureLook = { "kind": "text", 
/**
 * From top to bottom.
 */
blocks: Array<TextBlock>, 
/**
 * On which side its lines begin.
 */
align: Align, } | { "kind": "clock", 
/**
 * In their order.
 */
zones: Array<ClockZone>, 
/**
 * Whether seconds are shown.
 */
seconds: boolean, 
/**
 * Whether each zone's day is shown.
 */
date: boolean, } | { "kind": "countdown", 
/**
 * Which instant.
 */
until: Until, 
/**
 * With so many milliseconds left, or less, it is a warning.
 */
warning_ms: number | null, 
/**
 * With so many milliseconds left, or less, it is an alarm.
 */
alarm_ms: number | null, };

/**
 * A zone that a clock shows.
 */
export type ClockZone = { 
/**
 * Its IANA name.
 */
zone: string, 
/**
 * What people call it.
 */
name: string, };

/**
 * What a countdown counts to.
 */
export type Until = { "is": "once", 
/**
 * Which, milliseconds since the Unix epoch.
 */
to_ms: number, 
/**
 * Where the way there begins, the same; none if no part of it is shown.
 */
from_ms: number | null, 
/**
 * What is shown once it has passed.
 */
after: After, } | { "is": "daily", 
/**
 * Which, minutes after midnight.
 */
minutes: number, 
/**
 * Where the way there begins, the same; none if no part of it is shown.
 */
from_minutes: number | null, };

/**
 * What a countdown shows once its instant has passed.
 */
export type After = "up" | "stay" | "hide";

/**
 * On which side lines begin.
 */
export type Align = "left" | "center" | "right";

/**
 * A part of a text that has lines for itself.
 */
export type TextBlock = { "is": "heading", 
/**
 * 1 for the largest, to 6.
 */
level: number, 
/**
 * What it says.
 */
spans: Array<TextSpan>, } | { "is": "paragraph", 
/**
 * How far it is set in: in how many lists and quotations it stands.
 */
depth: number, 
/**
 * What it says.
 */
spans: Array<TextSpan>, } | { "is": "item", 
/**
 * How far its mark is set in.
 */
depth: number, 
/**
 * Its number; none in a list without numbers.
 */
number: number | null, 
/**
 * What it says.
 */
spans: Array<TextSpan>, } | { "is": "code", 
/**
 * How far they are set in.
 */
depth: number, 
/**
 * What they say.
 */
lines: Array<string>, } | { "is": "rule", } | { "is": "table", 
/**
 * On which side each column's cells begin.
 */
columns: Array<Align>, 
/**
 * The headings.
 */
head: Array<TextCell>, 
/**
 * The rows, each with a cell for every column.
 */
rows: Array<Array<TextCell>>, };

/**
 * A cell of a text's table.
 */
export type TextCell = { 
/**
 * What it says.
 */
spans: Array<TextSpan>, };

/**
 * Letters of one look.
 */
export type TextSpan = { 
/**
 * What they say; a line break in it is one on the wall.
 */
text: string, 
/**
 * Whether they are bold.
 */
bold?: boolean, 
/**
 * Whether they are slanted.
 */
italic?: boolean, 
/**
 * Whether they are code.
 */
code?: boolean, };

/**
 * What a row, line, tile, marker or number means. The page tells them apart by shape and text as well as colour.
 */
export type State = "normal" | "muted" | "warning" | "alarm" | "unknown";

/**
 * A source in the head line.
 */
export type SourceView = { 
/**
 * Its id in the board file.
 */
id: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * Where the connection stands.
 */
phase: 'idle' | 'connecting' | 'authorising' | 'subscribing' | 'catching-up' | 'live' | 'waiting' | 'refused', 
/**
 * How its events travel.
 */
transport: 'websocket' | 'sse' | 'http-stream' | 'long-poll' | 'poll' | 'tcp' | null, 
/**
 * What is known about completeness.
 */
continuity: 'unknown' | 'proven' | 'snapshot', 
/**
 * The freshness that it gives its widgets at best.
 */
freshness: Freshness, 
/**
 * Its state in a few words: `live by WebSocket`, `lost 12 s ago: connection refused, next try in 3 s`.
 */
words: string, 
/**
 * The same as a code, for a page that speaks another language; none of what has no code.
 */
said?: Said, 
/**
 * Events delivered since the program started.
 */
events: number, 
/**
 * Events refused since the program started.
 */
rejected: number, 
/**
 * Gaps met since the program started.
 */
gaps: number, 
/**
 * How long ago all was last compared with the server's own state, in milliseconds; none if it wasn't yet.
 */
checked_ago_ms: number | null, 
/**
 * Differences found and corrected by that since the program started.
 */
drift: number, };

/**
 * A widget's quality, and its value if that changed. There is no way to send a value without its quality.
 */
export type WidgetPatch = { 
/**
 * Its id in the board file.
 */
id: string, 
/**
 * How far what it shows can be believed.
 */
quality: Quality, 
/**
 * What it shows, if that changed since the version that the page has painted.
 */
value: WidgetValue | null, };

/**
 * How far a value can be believed, and until when.
 */
export type Quality = { 
/**
 * What may be said of it when the frame was made.
 */
freshness: Freshness, 
/**
 * Why it isn't live, for people.
 */
reason: string | null, 
/**
 * The same as a code, for a page that speaks another language; none of what has no code.
 */
said?: Said, 
/**
 * Age of the newest proof that it is current, milliseconds; none if there was never one.
 */
age_ms: number | null, 
/**
 * The age from which it may not be called live, milliseconds.
 */
limit_ms: number, 
/**
 * *Live* ends by itself after this many milliseconds on the page's own clock unless a newer frame renews it.
 */
live_for_ms: number, 
/**
 * The source's time of the newest event in it, milliseconds since the Unix epoch.
 */
source_ms: number | null, 
/**
 * How long ago that event reached this program, milliseconds.
 */
received_ago_ms: number | null, 
/**
 * What is known about its completeness.
 */
basis: 'unknown' | 'proven' | 'snapshot', 
/**
 * Events until this instant of the source's time may be missing in it, milliseconds since the Unix epoch; none if none that
 * matters can be.
 */
incomplete_until_ms: number | null, 
/**
 * Events that it could not use, and the newest reason.
 */
rejected: Rejected | null, 
/**
 * What a second source says of the same quantity, if it has one.
 */
against: Against | null, };

/**
 * Events that a widget could not use.
 */
export type Rejected = { 
/**
 * How many since the program started.
 */
count: number, 
/**
 * The newest reason: where, what was found, what was expected.
 */
reason: string, };

/**
 * What a second source says of a number.
 */
export type Against = { 
/**
 * The second source's id.
 */
source: string, 
/**
 * Its name for people.
 */
title: string, 
/**
 * The name of the widget's own source.
 */
own_title: string, 
/**
 * Whether the two agree.
 */
agreement: Agreement, 
/**
 * Its number, if there is one.
 */
value: number | null, 
/**
 * Why they can't be compared.
 */
reason: string | null, };

/**
 * Whether two sources of one quantity agree.
 */
export type Agreement = "agrees" | "disputed" | "unchecked";

/**
 * What may be said of a value, worst last.
 */
export type Freshness = "live" | "polling" | "catching-up" | "stale" | "down" | "refused" | "unknown";

/**
 * What a widget shows.
 */
export type WidgetValue = { "kind": "number" } & NumberValue | { "kind": "table" } & TableValue | { "kind": "log" } & LogValue | { "kind": "series" } & SeriesValue | { "kind": "histogram" } & HistogramValue | { "kind": "status" } & StatusValue | { "kind": "tally" } & TallyValue | { "kind": "timeline" } & TimelineValue | { "kind": "markers" } & MarkersValue;

/**
 * One number. Sent whole.
 */
export type NumberValue = { 
/**
 * The value; none if it is unknown (no event yet, or nothing to take a mean of). Never zero for unknown.
 */
value: number | null, 
/**
 * What the value means by the bands.
 */
state: State, 
/**
 * Value now minus value at the beginning of the trend.
 */
change: number | null, 
/**
 * What that change means, where the board says which way is the better one.
 */
toward: Toward | null, 
/**
 * The sparkline, oldest first: 61 points evenly spaced over the trend, so 60 stretches; none where nothing is known.
 * Empty without a trend, and while the source's time isn't known.
 */
trend: Array<number | null>, 
/**
 * Whether events may be missing from it: the true value is at least this.
 */
at_least: boolean, };

/**
 * What changed in a table. To apply it: drop all rows if it is whole; put each of `rows` in the place of the row of its
 * key; drop those of `removed`; take over `order` if given.
 */
export type TableValue = { 
/**
 * Whether this is the whole table, not a change to it.
 */
whole: boolean, 
/**
 * New and changed rows.
 */
rows: Array<RowValue>, 
/**
 * Keys of rows that went.
 */
removed: Array<string>, 
/**
 * All keys in their order, if it changed.
 */
order: Array<string> | null, 
/**
 * Rows that exist, including those past the limit.
 */
total: number, 
/**
 * Whether there may be more: a table keeps 100,000, and nothing of those that found no place.
 */
at_least: boolean, 
/**
 * The groups of the rows that are shown, in their order, where rows are grouped. Sent whole.
 */
groups?: Array<GroupValue>, 
/**
 * Groups that exist, including those that no row is shown of.
 */
groups_total?: number, };

/**
 * One row.
 */
export type RowValue = { 
/**
 * What tells it from the others.
 */
key: string, 
/**
 * One cell a column.
 */
cells: Array<Cell>, 
/**
 * What the row means.
 */
state: State, 
/**
 * Cells whose number lies in a band of their column.
 */
marks?: Array<CellMark>, };

/**
 * One cell. Zero, empty, null and missing are four different things.
 */
export type Cell = { "is": "number", "as": number } | { "is": "text", "as": string } | { "is": "time", "as": number } | { "is": "null" } | { "is": "missing" };

/**
 * What is new in a log. To apply it: drop all lines if it is whole; put `lines` before the others; keep the look's `limit`.
 */
export type LogValue = { 
/**
 * Whether these are all lines, not the new ones only.
 */
whole: boolean, 
/**
 * Lines, newest first.
 */
lines: Array<LineValue>, 
/**
 * Lines ever written.
 */
total: number, };

/**
 * One line of a log.
 */
export type LineValue = { 
/**
 * Counts up by one.
 */
number: number, 
/**
 * The source's time, milliseconds since the Unix epoch.
 */
source_ms: number, 
/**
 * What it says.
 */
text: string, 
/**
 * What it means.
 */
state: State, };

/**
 * What changed in a chart. To apply it: drop all lines if it is whole; put each point in the place of that of its line and
 * bucket; drop points that lie `keep_ms` or more before the newest point of any line; take over `marks` if given; drop nothing else.
 */
export type SeriesValue = { 
/**
 * Whether this is the whole chart, not a change to it.
 */
whole: boolean, 
/**
 * The lines, in their order; each with its new and changed points.
 */
lines: Array<SeriesLine>, 
/**
 * Stretches for which nobody can say what happened, as pairs of milliseconds since the Unix epoch. All of them.
 */
gaps: [number, number][], 
/**
 * What happened besides, all of it, if it changed.
 */
marks?: MarksValue, };

/**
 * One line of a chart.
 */
export type SeriesLine = { 
/**
 * Its key: the value of `by`, or the widget's title.
 */
key: string, 
/**
 * Bucket start in milliseconds since the Unix epoch, and value; none for a bucket without one.
 */
points: [number, number | null][], };

/**
 * What happened besides what a chart is of.
 */
export type MarksValue = { 
/**
 * By time, the newest that there is room for.
 */
list: Array<MarkValue>, 
/**
 * How many there are besides, all of them before these.
 */
more: number, };

/**
 * One of them.
 */
export type MarkValue = { 
/**
 * When it happened, by the source's clock, milliseconds since the Unix epoch.
 */
at_ms: number, 
/**
 * A short text; may be empty.
 */
label: string, };

/**
 * How many values there are in each bin. Sent whole.
 */
export type HistogramValue = { 
/**
 * Those below the first bin, those in each, those from the end of the last one on.
 */
counts: number[], 
/**
 * The statistics of the look, in its order; none where there is nothing to take them of.
 */
stats: Array<number | null>, 
/**
 * Whether events may be missing from it: the true counts are at least these.
 */
at_least: boolean, };

/**
 * A grid of tiles. Sent whole.
 */
export type StatusValue = { 
/**
 * In order of key.
 */
tiles: Array<TileValue>, };

/**
 * A bar a category. Sent whole.
 */
export type TallyValue = { 
/**
 * In order of key.
 */
bars: Array<BarValue>, 
/**
 * Whether events may be missing: each true value is at least what stands there, and there may be more bars.
 */
at_least: boolean, };

/**
 * What changed of states over time. To apply it: drop all rows if it is whole; put each of `rows` in the place of that of its key.
 */
export type TimelineValue = { 
/**
 * Whether these are all rows, not the changed ones only.
 */
whole: boolean, 
/**
 * In order of key.
 */
rows: Array<TimelineRow>, };

/**
 * One row.
 */
export type TimelineRow = { 
/**
 * What tells it from the others.
 */
key: string, 
/**
 * Its heading.
 */
label: string, 
/**
 * What is known, in order and apart from each other: between two of them, before the first and after the last, nobody knows.
 */
stretches: Array<Stretch>, };

/**
 * A time through which a state is known.
 */
export type Stretch = { 
/**
 * Its beginning, by the source's clock, milliseconds since the Unix epoch.
 */
from_ms: number, 
/**
 * Its end; none if it is so until whatever the source's newest proof tells, and no longer.
 */
to_ms: number | null, 
/**
 * The state as the source says it: `closed`.
 */
text: string, 
/**
 * What that means.
 */
state: State, };

/**
 * Which row of a timeline stands first.
 */
export type RowOrder = "worst" | "key";

/**
 * One bar.
 */
export type BarValue = { 
/**
 * Its category.
 */
key: string, 
/**
 * The value; none if there is nothing to take a mean or an extreme of. Never zero for unknown.
 */
value: number | null, 
/**
 * What the value means by the bands.
 */
state: State, };

/**
 * How bars are drawn.
 */
export type TallyLook = { 
/**
 * Unit, drawn smaller. With `%` a share of 0 to 1 is written as 0 to 100.
 */
unit: string | null, 
/**
 * Digits after the point.
 */
decimals: number, 
/**
 * The scale's lower end, zero or below; as far as the bars reach if none.
 */
min: number | null, 
/**
 * The scale's upper end, zero or above; as far as the bars reach if none.
 */
max: number | null, 
/**
 * Stretches of the scale that mean something, of every bar.
 */
bands: Array<BandLook>, 
/**
 * What every bar is meant to be.
 */
target: number | null, 
/**
 * What those of these categories are meant to be.
 */
targets: { [key in string]: number }, 
/**
 * Which stands first.
 */
order: BarOrder, 
/**
 * Whether the values of several bars add up to something: counts and sums do.
 */
adds: boolean, };

/**
 * Which bar stands first.
 */
export type BarOrder = "largest" | "smallest" | "key";

/**
 * One tile.
 */
export type TileValue = { 
/**
 * What tells it from the others.
 */
key: string, 
/**
 * Its heading.
 */
label: string, 
/**
 * The state as the source says it: `closed`.
 */
text: string, 
/**
 * What that means.
 */
state: State, 
/**
 * A small line.
 */
detail: string | null, 
/**
 * Since when it has this state, by the source's clock, milliseconds since the Unix epoch; of one that is silent, when it was last heard of.
 */
since_ms: number, 
/**
 * Whether it is silent: it was not heard of for so long that `text` says only how it was.
 */
lost?: boolean, };

/**
 * What changed on a map. To apply it: drop all markers if it is whole; put each of `markers` in the place of that of its
 * key, with its trail after [`TrailLook::merged`](super::TrailLook::merged) unless that is whole as well; drop those of `removed`.
 */
export type MarkersValue = { 
/**
 * Whether these are all markers, not the changed ones only.
 */
whole: boolean, 
/**
 * New and moved markers.
 */
markers: Array<MarkerValue>, 
/**
 * Keys of markers that went.
 */
removed: Array<string>, 
/**
 * Markers on the map; whole, they are all listed.
 */
total: number, 
/**
 * Things without a position, besides: they exist and can't be drawn.
 */
unplaced: number, 
/**
 * Stretches for which nobody can say where anything was, as pairs of milliseconds since the Unix epoch. All of them; none without trails.
 */
gaps: [number, number][], 
/**
 * What each of the look's fences says, all of them, in their order.
 */
fences?: Array<FenceValue>, };

/**
 * A layer of a map: what a file says, as far as it lies where the map shows and as fine as a screen can.
 */
export type LayerLook = { 
/**
 * How.
 */
draw: LayerDraw, 
/**
 * What it has, in the file's order.
 */
shapes: Array<ShapeLook>, 
/**
 * Shapes of the file for which there was no room, or that have no place.
 */
left_out: number, };

/**
 * How a layer's shapes are drawn.
 */
export type LayerDraw = "area" | "line" | "point";

/**
 * A shape of a layer: one feature of its file.
 */
export type ShapeLook = { 
/**
 * What is written in it; nothing where a fence has its name.
 */
name: string | null, 
/**
 * What it means.
 */
state: State, 
/**
 * Its areas.
 */
areas: number[][][], 
/**
 * Its lines, as rings are.
 */
lines: number[][], 
/**
 * Its points, as a ring is.
 */
points: number[], };

/**
 * A fence of a map.
 */
export type FenceLook = { 
/**
 * Its name.
 */
name: string, 
/**
 * What it means for a marker to be where it tells of.
 */
state: State, 
/**
 * Where that is.
 */
when: FenceWhen, 
/**
 * What it encloses.
 */
areas: number[][][], };

/**
 * Where a marker must be for a fence to tell of it.
 */
export type FenceWhen = "inside" | "outside";

/**
 * What a fence says now.
 */
export type FenceValue = { 
/**
 * Its state if a marker is where it tells of, unknown if one was and nobody knows where it is now, else normal.
 */
state: State, 
/**
 * Markers that are in it.
 */
inside: number, 
/**
 * Markers that were in it when their place was last known.
 */
unknown: number, };

/**
 * One marker.
 */
export type MarkerValue = { 
/**
 * What tells it from the others.
 */
key: string, 
/**
 * Degrees north.
 */
lat: number, 
/**
 * Degrees east.
 */
lon: number, 
/**
 * Degrees clockwise from north.
 */
heading: number | null, 
/**
 * A short text beside it.
 */
label: string | null, 
/**
 * What it means.
 */
state: State, 
/**
 * What it is drawn as; a dot, or an aircraft where there is a heading, if none.
 */
icon: Icon | null, 
/**
 * Where it was, in order of time, its newest position as well: new and changed points.
 */
trail: [number, [number, number] | null][], 
/**
 * Whether that is all of it.
 */
trail_whole: boolean, 
/**
 * Which of the look's fences tells of it, from 0: the worst one, and of equals the first.
 */
fence?: number, };

/**
 * That a frame is of the past, and where in the record it is.
 */
export type PastView = { 
/**
 * The instant that is shown, by this machine's clock, milliseconds since the Unix epoch.
 */
at_ms: number, 
/**
 * The present, milliseconds since the Unix epoch.
 */
now_ms: number, 
/**
 * Whether time goes on.
 */
playing: boolean, 
/**
 * Seconds of the record a second while it does; negative for backwards.
 */
speed: number, 
/**
 * The record's oldest instant, milliseconds since the Unix epoch.
 */
first_ms: number, 
/**
 * The record's newest instant, milliseconds since the Unix epoch.
 */
last_ms: number, 
/**
 * The record's stretches, if they changed since the frame before.
 */
marks: PastMarks | null, 
/**
 * Why what is shown was not on the glass at that instant; none if it was.
 */
unseen: string | null, 
/**
 * What is wrong with the record here; none if nothing is.
 */
damage: string | null, 
/**
 * Why nothing is recorded of this instant; none if something is.
 */
hole: string | null, 
/**
 * The present in a few words: `all 16 live`.
 */
live: string, 
/**
 * The same as a code.
 */
live_said?: Said, 
/**
 * Whether there is nothing in the present to look at.
 */
live_is_well: boolean, 
/**
 * It goes back to the present by itself after so long without a hand, milliseconds.
 */
returns_in_ms: number, };

/**
 * Stretches on the time line, as pairs of milliseconds since the Unix epoch, oldest first.
 */
export type PastMarks = { 
/**
 * Without a record.
 */
holes: [number, number][], 
/**
 * In which a source was lost. One that lasts ends with the record.
 */
losses: [number, number][], };

/**
 * That a frame is of a lamp test: what it shows is a copy, to which things are done on purpose.
 */
export type DrillView = { 
/**
 * Which step it is, from 1.
 */
step: number, 
/**
 * How many there are.
 */
steps: number, 
/**
 * The step's name: `half-open`.
 */
name: string, 
/**
 * What must be shown, in a few words.
 */
expects: string, 
/**
 * It ends by itself after about so long, milliseconds.
 */
left_ms: number, 
/**
 * The present in a few words: `all 16 live`.
 */
live: string, 
/**
 * The same as a code.
 */
live_said?: Said, 
/**
 * Whether there is nothing in the present to look at.
 */
live_is_well: boolean, 
/**
 * The page stands still for so long once it has painted this, milliseconds; once a step. Zero is not at all.
 */
stall_ms: number, };

/**
 * What a page finds on its own glass.
 */
export type GlassSeen = { 
/**
 * The step that the page was told last.
 */
step: number, 
/**
 * The version that it has painted.
 */
version: number, 
/**
 * Whether it can be seen that all this is a lamp test.
 */
band: boolean, 
/**
 * Whether the page has marked everything because nobody answers.
 */
silent: boolean, 
/**
 * Each widget.
 */
widgets: Array<WidgetSeen>, 
/**
 * The sources in the head line of which the words can be seen, with what they say.
 */
sources: Array<SourceSeen>, };

/**
 * What can be seen of a widget: in the document, in the window, and not made invisible.
 */
export type WidgetSeen = { 
/**
 * Its id in the board file.
 */
id: string, 
/**
 * As what it is drawn.
 */
freshness: Freshness, 
/**
 * Whether the freshness's shape can be seen.
 */
mark: boolean, 
/**
 * The freshness's word as it can be read; empty if it can't.
 */
word: string, 
/**
 * Whether the body is hatched.
 */
hatch: boolean, 
/**
 * Whether its edge is dashed.
 */
edge: boolean, 
/**
 * Whether anything of its value can be seen.
 */
value: boolean, 
/**
 * Whether it says that something may be missing.
 */
lacks: boolean, };

/**
 * What the head line says of a source.
 */
export type SourceSeen = { 
/**
 * Its id in the board file.
 */
id: string, 
/**
 * Its words.
 */
words: string, };

/**
 * Something that people must know besides the widgets.
 */
export type Notice = { 
/**
 * Which notice: a newer one of the same id replaces it.
 */
id: string, 
/**
 * How bad it is.
 */
state: State, 
/**
 * One line.
 */
text: string, 
/**
 * The same as a code, for a page that speaks another language; none of what has no code.
 */
said?: Said, 
/**
 * More lines, for who looks closer.
 */
detail: Array<string>, };

/**
 * A stretch in which a source was not live.
 */
export type Outage = { 
/**
 * The source's id.
 */
source: string, 
/**
 * The last proof before, by this machine's clock, milliseconds since the Unix epoch.
 */
began_ms: number, 
/**
 * Live again; none while it lasts.
 */
ended_ms: number | null, 
/**
 * The beginning by the source's clock, where that is known.
 */
source_began_ms: number | null, 
/**
 * The end by the source's clock, where that is known.
 */
source_ended_ms: number | null, 
/**
 * Why, in one line; may be empty.
 */
cause: string, 
/**
 * How the worst of its gaps was closed: by a replay, by a snapshot, or by nothing. None if nothing was missed.
 */
became: 'unknown' | 'proven' | 'snapshot' | null, 
/**
 * Events within its gaps; none if that can't be told.
 */
missed: number | null, };

/**
 * All that stands, the most urgent first. Sent whole, when anything of it changed.
 */
export type AlarmsView = { 
/**
 * The 200 most urgent ones: unacknowledged before all others, then by priority, then the newest. What is put aside and what nobody watches
 * over comes last. Where more stand, the most urgent one of each widget that none of these is judged by follows.
 */
list: Array<AlarmView>, 
/**
 * How many stand in all, put aside or not.
 */
total: number, 
/**
 * How many there are by priority, whether or not they are in the list; the highest first.
 */
counts: Array<AlarmCount>, 
/**
 * How many are on the shelf, suppressed by design and out of service.
 */
aside: number, 
/**
 * How many rules nobody watches over now, as what they are judged by isn't known.
 */
unsupervised: number, 
/**
 * Set while there are more than a person can take.
 */
flood: FloodView | null, 
/**
 * How many were more than the wall can keep, since it started.
 */
lost: number, };

/**
 * How many alarms of a priority stand.
 */
export type AlarmCount = { 
/**
 * Which.
 */
priority: Priority, 
/**
 * Those that nobody has acknowledged, also those whose condition holds no more.
 */
unacknowledged: number, 
/**
 * All others that hold, or are latched.
 */
acknowledged: number, };

/**
 * A flood: more than ten alarms in ten minutes, until there are fewer than five.
 */
export type FloodView = { 
/**
 * Since when, by this machine's clock, milliseconds since the Unix epoch.
 */
since_ms: number, 
/**
 * How many were raised in it.
 */
total: number, };

/**
 * One alarm.
 */
export type AlarmView = { 
/**
 * What tells it from the others: the rule's id, and behind a `/` whose it is where one rule watches many.
 */
key: string, 
/**
 * Which occurrence this is: whatever is done about it is done about this one.
 */
occurrence: number, 
/**
 * What people call it; of the loss of a source, what they call that.
 */
title: string, 
/**
 * The id of the source of whose loss it tells, if it is such an alarm.
 */
source?: string, 
/**
 * What to do about it, if the board says so.
 */
advice?: string, 
/**
 * How soon somebody must act.
 */
priority: Priority, 
/**
 * Where it stands.
 */
state: AlarmState, 
/**
 * Whether it waits for somebody who says that he knows.
 */
wants_acknowledgement: boolean, 
/**
 * How far what it is judged by can be believed.
 */
evidence: AlarmEvidence, 
/**
 * When it was raised, by the source's clock, milliseconds since the Unix epoch.
 */
raised_ms: number | null, 
/**
 * When its condition held no more, by the source's clock.
 */
returned_ms: number | null, 
/**
 * When it was decided that it is raised, by this machine's clock.
 */
decided_ms: number | null, 
/**
 * How often this occurrence has called anew.
 */
realarms: number, 
/**
 * Whether it was the first of its group.
 */
first: boolean, 
/**
 * The group.
 */
group?: string, 
/**
 * How it misbehaves.
 */
nuisance: Nuisance | null, 
/**
 * What its condition was made of when it was raised.
 */
cause: Array<AlarmCause>, 
/**
 * The widgets that it is judged by: the first one is where to look.
 */
widgets: Array<string>, 
/**
 * Who acknowledged this occurrence.
 */
acknowledged: AlarmSaid | null, 
/**
 * Who put it on the shelf or took it out of service, and why.
 */
aside: AlarmSaid | null, 
/**
 * What people wrote to it, the newest last.
 */
comments: Array<AlarmSaid>, };

/**
 * A value of which an alarm was made.
 */
export type AlarmCause = { 
/**
 * What it is called in the condition.
 */
name: string, 
/**
 * What it was.
 */
value: string, };

/**
 * What somebody said.
 */
export type AlarmSaid = { 
/**
 * His name, if he said it.
 */
name: string | null, 
/**
 * What he did it by.
 */
station: string, 
/**
 * When, by this machine's clock, milliseconds since the Unix epoch.
 */
at_ms: number, 
/**
 * What; may be empty.
 */
words: string, 
/**
 * Until when, by this machine's clock, where there is an end.
 */
until_ms: number | null, };

/**
 * Where an alarm stands, by the name of ISA-18.2.
 */
export type AlarmState = "unacknowledged" | "latched-unacknowledged" | "acknowledged" | "latched-acknowledged" | "returned" | "shelved" | "suppressed" | "out-of-service" | "unsupervised" | "removed" | "normal";

/**
 * How far what an alarm is judged by can be believed.
 */
export type AlarmEvidence = "unknown" | "stale" | "bad" | "live";

/**
 * How soon somebody must act.
 */
export type Priority = "low" | "medium" | "high" | "critical";

/**
 * What is to be said of how an alarm behaves.
 */
export type Nuisance = "chattering" | "fleeting" | "standing";

/**
 * What somebody does about an alarm.
 */
export type Act = { "kind": "acknowledge", 
/**
 * The one that was before his eyes.
 */
occurrence: number, } | { "kind": "reset" } | { "kind": "silence" } | { "kind": "shelve", 
/**
 * For how many minutes, at most those of [`SHELF_MAX`].
 */
minutes: number, 
/**
 * Why.
 */
reason: string, } | { "kind": "unshelve" } | { "kind": "take-out", 
/**
 * Why.
 */
reason: string, } | { "kind": "return" } | { "kind": "comment", 
/**
 * What.
 */
words: string, };

/**
 * What somebody does about one alarm.
 */
export type AlarmAct = { 
/**
 * Its key.
 */
key: string, 
/**
 * What he does.
 */
act: Act, 
/**
 * His name, if he said it.
 */
name: string | null, };

/**
 * What somebody has seen and acknowledges, all at once.
 */
export type AlarmsSeen = { 
/**
 * Keys and occurrences as they were before his eyes.
 */
seen: [string, number][], 
/**
 * His name, if he said it.
 */
name: string | null, };

/**
 * Alarms that a hand wants to see, of all that stand.
 */
export type AlarmRowsQuery = { 
/**
 * The first one, from 0.
 */
offset: number, 
/**
 * How many at most; no more than 200 come.
 */
count: number, 
/**
 * Those of this priority alone.
 */
priority: Priority | null, 
/**
 * Those that ask for this alone.
 */
which: AlarmWhich | null, 
/**
 * Words that must all be in what is said of it, each in one of its spellings. At most 50 words.
 */
words: Array<Array<string>>, 
/**
 * In which order.
 */
order: AlarmOrder, 
/**
 * What the loss of a source is called, with `{source}` in place of its title.
 */
lost: string, 
/**
 * One that is asked for by its key, and its place.
 */
key: string | null, 
/**
 * Keys and occurrences that were before somebody's eyes. At most 1,000 count.
 */
seen: [string, number][], };

/**
 * The answer.
 */
export type AlarmRowsFound = { 
/**
 * Of which revision of the board.
 */
revision: number, 
/**
 * The first one's place.
 */
offset: number, 
/**
 * The alarms.
 */
rows: Array<AlarmView>, 
/**
 * How many pass.
 */
matched: number, 
/**
 * How many stand.
 */
total: number, 
/**
 * How many call for somebody and don't pass.
 */
calls_hidden: number, 
/**
 * The newest that calls for somebody, whether or not it passes.
 */
newest: AlarmView | null, 
/**
 * The one that was asked for, whether or not it passes; none if it doesn't stand.
 */
own: AlarmView | null, 
/**
 * Its place; none if it doesn't pass.
 */
at: number | null, 
/**
 * Of those that were seen, what passes and calls for somebody, but critical ones.
 */
seen: [string, number][], 
/**
 * How many critical ones there are besides.
 */
seen_critical: number, };

/**
 * What an alarm asks for.
 */
export type AlarmWhich = "unacknowledged" | "acknowledged" | "aside" | "unsupervised";

/**
 * An order of alarms. Those of one rank in it stand in that of their urgency.
 */
export type AlarmOrder = "urgency" | "newest" | "priority" | "state" | "title";

/**
 * What happened to an alarm.
 */
export type AlarmWhat = "raise" | "clear" | "acknowledge" | "reset" | "silence" | "worsen" | "ease" | "realarm" | "expire" | "shelve" | "unshelve" | "suppress" | "unsuppress" | "take-out" | "return" | "judge" | "remove" | "unseen" | "comment";

/**
 * One line of the record. Instants are milliseconds since the Unix epoch; `event_ms` and `raised_ms` by the source's clock, all others by
 * this machine's.
 */
export type AlarmEntry = { 
/**
 * Its number on record.
 */
number: number, 
/**
 * The rule's id.
 */
rule: string, 
/**
 * Whose it is, where one rule watches many; otherwise empty.
 */
of: string, 
/**
 * Which occurrence.
 */
occurrence: number, 
/**
 * How often this occurrence had called anew.
 */
realarms: number, 
/**
 * What happened.
 */
what: AlarmWhat, 
/**
 * How it was shown before.
 */
from: AlarmState, 
/**
 * How it is shown from then on.
 */
to: AlarmState, 
/**
 * How soon somebody must act.
 */
priority: Priority, 
/**
 * Whether it began to call by this.
 */
calls: boolean, 
/**
 * Whether its condition holds from then on, put aside or not.
 */
active: boolean, 
/**
 * Whether it does, or is held as if it did until it is reset.
 */
stands: boolean, 
/**
 * Whether somebody still has to say that he knows, put aside or not.
 */
waits: boolean, 
/**
 * When it happened; none where a person or a clock of here did it.
 */
event_ms: number | null, 
/**
 * When this machine heard of it.
 */
received_ms: number | null, 
/**
 * When it was decided.
 */
decided_ms: number, 
/**
 * When it was announced.
 */
announced_ms: number | null, 
/**
 * By what.
 */
announced_by: string | null, 
/**
 * Whether it may have been announced before, as after a crash.
 */
repeated: boolean, 
/**
 * When a page first painted it.
 */
seen_ms: number | null, 
/**
 * When this occurrence was acknowledged.
 */
acknowledged_ms: number | null, 
/**
 * When this occurrence was raised.
 */
raised_ms: number | null, 
/**
 * When that was decided.
 */
raise_decided_ms: number | null, 
/**
 * Who did it.
 */
by: string | null, 
/**
 * What he did it by.
 */
station: string | null, 
/**
 * What he said.
 */
words: string | null, 
/**
 * Until when, where there is an end.
 */
until_ms: number | null, 
/**
 * Why it wasn't done.
 */
refused: string | null, 
/**
 * What another system calls it, if it is that one's alarm.
 */
title?: string, 
/**
 * What its condition was made of when it was raised.
 */
cause: Array<AlarmCause>, };

/**
 * The figures.
 */
export type AlarmReport = { 
/**
 * From when on, by this machine's clock, milliseconds since the Unix epoch.
 */
from_ms: number, 
/**
 * Until before when.
 */
to_ms: number, 
/**
 * From when on it was asked for: where the record begins later, that is `from_ms`.
 */
asked_from_ms: number, 
/**
 * From when on everything is known of alarms; none if nothing is on record.
 */
begin_ms: number | null, 
/**
 * Stretches of which nothing is recorded, as where the wall itself did not run; the newest first.
 */
unrecorded: Array<Unrecorded>, 
/**
 * How many there are.
 */
unrecorded_count: number, 
/**
 * Entries of the record in the stretch.
 */
entries: number, 
/**
 * For how long of the stretch the wall ran and wrote down what came: means are over that. Milliseconds.
 */
observed_ms: number, 
/**
 * What could not be looked at: the figures are of the rest.
 */
lacks: Array<SinceLack>, 
/**
 * Alarms that began to call.
 */
alarms: number, 
/**
 * How often alarms called anew: after they were acknowledged, more urgently, or off the shelf.
 */
again: number, 
/**
 * Alarms that were raised while they were put aside.
 */
aside_raised: number, 
/**
 * How many came within ten minutes.
 */
rate: AlarmRate, 
/**
 * Floods: more than ten within ten minutes, until there are fewer than five. The first ones.
 */
floods: Array<AlarmFlood>, 
/**
 * How many floods there were.
 */
floods_count: number, 
/**
 * Share of the time in floods, percent.
 */
flood_percent: number, 
/**
 * By priority, the highest first.
 */
priorities: Array<AlarmPriorityReport>, 
/**
 * The alarms that came most often.
 */
top: Array<AlarmShare>, 
/**
 * Share of these of all, percent.
 */
top_percent: number, 
/**
 * Those that were raised and cleared over and over, and how often that was seen; the worst first.
 */
chattering: Array<AlarmShare>, 
/**
 * How many chattered.
 */
chattering_count: number, 
/**
 * Those that were gone within seconds, and how often; the worst first.
 */
fleeting: Array<AlarmShare>, 
/**
 * How many were fleeting.
 */
fleeting_count: number, 
/**
 * Those that had held for more than a day at the end, the oldest first.
 */
standing: Array<AlarmStanding>, 
/**
 * How many had.
 */
standing_count: number, 
/**
 * What was put aside, by whom and why, in order.
 */
aside: Array<AlarmAside>, 
/**
 * How often something was.
 */
aside_count: number, 
/**
 * How often somebody put something aside who didn't say who he is.
 */
aside_unnamed: number, 
/**
 * Alarms that were raised while a source was lost, and heard of a minute or more later.
 */
late: number, 
/**
 * Those of them that were over by then: they came and went while nobody could hear of them.
 */
missed: number, 
/**
 * What the alarms in it are called, by their keys. Those of rules that are gone have none.
 */
names: { [key: string]: AlarmName }, };

/**
 * Alarms within ten minutes: the mean hides floods, so there is more than it.
 */
export type AlarmRate = { 
/**
 * The mean over what was observed; none over less than ten minutes, which would have to be guessed.
 */
mean: number | null, 
/**
 * What 95 of 100 periods don't exceed.
 */
p95: number, 
/**
 * The most.
 */
max: number, 
/**
 * Periods of ten minutes that began in the stretch, but those of which nothing was observed. The last one may be cut short by its end.
 */
periods: number, 
/**
 * Periods of which nothing was observed: nobody knows how many alarms there would have been.
 */
unobserved: number, 
/**
 * Those of them with more than ten alarms.
 */
over: number, 
/**
 * The most within any sixty minutes.
 */
max_hour: number, 
/**
 * The most within any minute.
 */
max_minute: number, 
/**
 * In how many of them there were 0, 1 and so on to 10 alarms, and last, more than ten.
 */
spread: Array<number>, 
/**
 * The alarms of each period, in order, observed or not; of a stretch of more than 31 days none.
 */
each: Array<number>, };

/**
 * A flood.
 */
export type AlarmFlood = { 
/**
 * When it began.
 */
from_ms: number, 
/**
 * When it was over; none if it wasn't by the end.
 */
to_ms: number | null, 
/**
 * The most within ten minutes.
 */
peak: number, 
/**
 * All of them, those that began it among them.
 */
total: number, };

/**
 * Alarms of a priority.
 */
export type AlarmPriorityReport = { 
/**
 * Which.
 */
priority: Priority, 
/**
 * How many began to call.
 */
count: number, 
/**
 * Their share of all, percent.
 */
percent: number, 
/**
 * How many calls were acknowledged.
 */
acknowledged: number, 
/**
 * How many were over before anybody acknowledged them, or wait at the end.
 */
unacknowledged: number, 
/**
 * From the announcement to the acknowledgement: half were quicker. Milliseconds.
 */
median_ms: number | null, 
/**
 * The same of 95 of 100.
 */
p95_ms: number | null, };

/**
 * How often of all.
 */
export type AlarmShare = { 
/**
 * The alarm's key.
 */
key: string, 
/**
 * How often.
 */
count: number, 
/**
 * Share of all alarms, percent.
 */
percent: number, };

/**
 * An alarm that stands.
 */
export type AlarmStanding = { 
/**
 * Its key.
 */
key: string, 
/**
 * How soon somebody must act.
 */
priority: Priority, 
/**
 * Since when, by this machine's clock.
 */
since_ms: number, 
/**
 * The same by the source's clock.
 */
raised_ms: number | null, };

/**
 * Something that was put aside.
 */
export type AlarmAside = { 
/**
 * The alarm's key.
 */
key: string, 
/**
 * How.
 */
what: AlarmWhat, 
/**
 * When.
 */
at_ms: number, 
/**
 * Until when, where that was said.
 */
until_ms: number | null, 
/**
 * Who did it; none where a rule of the board did, or he didn't say.
 */
by: string | null, 
/**
 * What he did it by.
 */
station: string | null, 
/**
 * Why.
 */
words: string | null, };

/**
 * What an alarm is called, by the board as it is now.
 */
export type AlarmName = { 
/**
 * What people call it.
 */
title: string, 
/**
 * The id of the source of whose loss it tells, if it is such an alarm.
 */
source?: string, 
/**
 * The widgets that it is judged by: the first one is where to look.
 */
widgets: Array<string>, };

/**
 * A stretch of which nothing is recorded.
 */
export type Unrecorded = { 
/**
 * The last that is known before it.
 */
from_ms: number, 
/**
 * The first after it.
 */
to_ms: number, 
/**
 * Why.
 */
why: UnrecordedWhy, };

/**
 * Why nothing is recorded.
 */
export type UnrecordedWhy = "not-running" | "not-written" | "stood-still" | "ended";

/**
 * What is asked of the record of alarms. What is null isn't asked.
 */
export type AlarmRecordQuery = { 
/**
 * Decided then or later.
 */
from_ms: number | null, 
/**
 * Decided before.
 */
to_ms: number | null, 
/**
 * Of this priority.
 */
priority: Priority | null, 
/**
 * Of the alarm with this key, or of all alarms of the rule with this id.
 */
key: string | null, 
/**
 * Which led to this state.
 */
state: AlarmState | null, 
/**
 * With a smaller number: where the page before ended.
 */
before: number | null, 
/**
 * How many at most; no more than 500 come.
 */
limit: number, };

/**
 * Entries of the record, the newest first.
 */
export type AlarmRecordPage = { 
/**
 * They.
 */
entries: Array<AlarmEntry>, 
/**
 * Where the next page goes on, by `before`, if there is more.
 */
more: number | null, 
/**
 * From when on everything is known of alarms; none if nothing is on record.
 */
begin_ms: number | null, 
/**
 * What the alarms in it are called, by their keys. Those of rules that are gone have none.
 */
names: { [key: string]: AlarmName }, };

/**
 * What changed since a moment. Alarms and losses come with the first answer; what widgets did is read from the record of the glass and comes
 * as far as it is read, until `done`.
 */
export type Since = { 
/**
 * Which answer: who asks again names it, and gets the next one.
 */
version: number, 
/**
 * Whether nothing more comes.
 */
done: boolean, 
/**
 * How much of the record of the glass is read, percent.
 */
percent: number, 
/**
 * The moment.
 */
from_ms: number, 
/**
 * The end: when it was asked for.
 */
to_ms: number, 
/**
 * Alarms.
 */
alarms: SinceAlarms, 
/**
 * Links that were lost, a line a source, the longest loss first.
 */
sources: Array<SinceSource>, 
/**
 * Stretches of which nothing is recorded, as where the wall itself did not run; the newest first.
 */
unrecorded: Array<Unrecorded>, 
/**
 * How many there are.
 */
unrecorded_count: number, 
/**
 * Widgets.
 */
widgets: SinceWidgets, 
/**
 * What could not be looked at. What is missing here is no proof that nothing was.
 */
lacks: Array<SinceLack>, 
/**
 * What the alarms in it are called, by their keys. Those of rules that are gone have none.
 */
names: { [key: string]: AlarmName }, };

/**
 * Something that could not be looked at.
 */
export type SinceLack = { "code": "no-journal" } | { "code": "alarms-begin", 
/**
 * With this instant.
 */
at_ms: number, } | { "code": "no-alarms" } | { "code": "alarms-missing", 
/**
 * When the last one was decided before them; none if there is none.
 */
from_ms: number | null, 
/**
 * When the first one was decided behind them; none if there is none.
 */
to_ms: number | null, 
/**
 * How many.
 */
count: number, } | { "code": "alarms-damaged", 
/**
 * When the last one was decided before them that can be read; none if there is none.
 */
from_ms: number | null, 
/**
 * When the first one was decided behind them that can be read; none if there is none.
 */
to_ms: number | null, 
/**
 * How many.
 */
count: number, } | { "code": "alarm-marks-damaged", 
/**
 * Of how many calls.
 */
count: number, } | { "code": "alarms-no-room", 
/**
 * Since when.
 */
from_ms: number, 
/**
 * Until when; none if it lasted to the end.
 */
to_ms: number | null, 
/**
 * The rule's id, where its keys were too many; none where all alarms were.
 */
rule: string | null, 
/**
 * How many, at least.
 */
count: number, } | { "code": "alarms-too-many", 
/**
 * How many keys were left out.
 */
count: number, } | { "code": "losses-begin", 
/**
 * The instant.
 */
at_ms: number, } | { "code": "no-glass" } | { "code": "glass-begins", 
/**
 * With this instant.
 */
at_ms: number, } | { "code": "glass-damaged", 
/**
 * The first of them.
 */
at_ms: number, 
/**
 * How many.
 */
count: number, } | { "code": "glass-too-much", 
/**
 * To where.
 */
at_ms: number, } | { "code": "clock-set-back", 
/**
 * To when.
 */
at_ms: number, } | { "code": "unreadable", 
/**
 * Why, for people.
 */
reason: string, };

/**
 * What became of alarms.
 */
export type SinceAlarms = { 
/**
 * Came, and still stand: those that nobody has acknowledged first, then by priority, then the newest.
 */
stand: SinceAlarmList, 
/**
 * Came and went.
 */
gone: SinceAlarmList, 
/**
 * Stood before, and went.
 */
went: SinceAlarmList, 
/**
 * Stood before and stand still, or are put aside; something was done about them, or they called anew.
 */
dealt: SinceAlarmList, 
/**
 * May have come and gone, as what happened for a while will never be known; nothing else is on record of them.
 */
unseen: SinceAlarmList, 
/**
 * Stood before and stand still, and nothing was done.
 */
untouched: number, 
/**
 * Entries of the record since the moment.
 */
entries: number, 
/**
 * How often alarms came by priority, the highest first, and how many alarms were acknowledged by somebody.
 */
priorities: Array<SincePriority>, 
/**
 * From when on everything is known of alarms; none if nothing is on record.
 */
begin_ms: number | null, };

/**
 * Some alarms.
 */
export type SinceAlarmList = { 
/**
 * The first of them, a hundred at most.
 */
lines: Array<SinceAlarm>, 
/**
 * How many there are.
 */
count: number, 
/**
 * How many of each priority: critical, high, medium, low.
 */
counts: [number, number, number, number], };

/**
 * What became of one alarm.
 */
export type SinceAlarm = { 
/**
 * Its key.
 */
key: string, 
/**
 * How soon somebody must act, by its newest entry.
 */
priority: Priority, 
/**
 * Where it stood at the moment; normal where nothing was to be said of it, none where the record doesn't reach back that far.
 */
then: AlarmState | null, 
/**
 * Where it stands at the end.
 */
now: AlarmState, 
/**
 * Whether somebody is still asked to say that he knows.
 */
wants_acknowledgement: boolean, 
/**
 * How often it was raised.
 */
count: number, 
/**
 * When its newest occurrence was raised, by the source's clock.
 */
raised_ms: number | null, 
/**
 * When that was decided.
 */
decided_ms: number | null, 
/**
 * When it was decided that it was raised for the first time since the moment; none if it wasn't.
 */
first_ms: number | null, 
/**
 * When it was over, by the source's clock, if it is; none where a source's clock didn't say so.
 */
returned_ms: number | null, 
/**
 * When that was decided.
 */
cleared_ms: number | null, 
/**
 * When a page first painted its newest call.
 */
seen_ms: number | null, 
/**
 * Whether its newest occurrence may have been heard of late: it happened while its source was lost.
 */
late: boolean, 
/**
 * Whether it may have come and gone besides, as what happened for a while will never be known.
 */
unseen: boolean, 
/**
 * Who acknowledged it last since the moment.
 */
acknowledged: AlarmSaid | null, 
/**
 * How often somebody did.
 */
acknowledged_count: number, 
/**
 * How it was put aside last since the moment, or taken back from there, and by whom; by a rule of the board where nobody is named.
 */
aside: SinceAct | null, 
/**
 * What people wrote to it since the moment, the newest last, five at most.
 */
comments: Array<AlarmSaid>, 
/**
 * How many there are.
 */
comments_count: number, 
/**
 * What its condition was made of when it was raised.
 */
cause: Array<AlarmCause>, 
/**
 * When the newest entry of it was decided.
 */
last_ms: number, 
/**
 * What that was.
 */
last: AlarmWhat, };

/**
 * What was done about an alarm.
 */
export type SinceAct = { 
/**
 * What: shelve, unshelve, suppress, unsuppress, take-out or return.
 */
what: AlarmWhat, 
/**
 * When.
 */
at_ms: number, 
/**
 * Who and why; none where time or a rule of the board did it.
 */
said: AlarmSaid | null, };

/**
 * How often alarms of a priority came.
 */
export type SincePriority = { 
/**
 * Which.
 */
priority: Priority, 
/**
 * How often one was raised.
 */
raised: number, 
/**
 * How often one was acknowledged.
 */
acknowledged: number, };

/**
 * What became of a source's link.
 */
export type SinceSource = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name for people; its id where the board doesn't have it any more.
 */
title: string, 
/**
 * How often it was lost, or lost already.
 */
count: number, 
/**
 * Whether it is lost at the end.
 */
lasts: boolean, 
/**
 * How long in all, within the stretch, milliseconds. Where losses overlap, their time counts once.
 */
lost_ms: number, 
/**
 * What became of what was missed, at worst; none if nothing was.
 */
became: 'unknown' | 'proven' | 'snapshot' | null, 
/**
 * Events within all gaps; none if that can't be told of one.
 */
missed: number | null, 
/**
 * The newest losses, twenty at most, the newest first.
 */
outages: Array<Outage>, };

/**
 * What became of widgets, by what was on the glass about each second.
 */
export type SinceWidgets = { 
/**
 * Those that left what is normal, or weren't normal at the moment, two hundred at most: those that aren't now first, the worst first.
 */
lines: Array<SinceWidget>, 
/**
 * How many there are.
 */
count: number, 
/**
 * How many others there are: nothing was seen of them but normal, as far as they could be seen.
 */
others: number, 
/**
 * How many of these others could not be believed for a part of the time.
 */
doubted: number, 
/**
 * When the first record of the stretch was taken.
 */
first_ms: number | null, 
/**
 * To where the record is read.
 */
read_ms: number | null, };

/**
 * What became of one widget.
 */
export type SinceWidget = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its heading.
 */
title: string, 
/**
 * Its kind: `gauge`.
 */
kind: string, 
/**
 * Unit and digits after the point of its number, if it has one.
 */
unit: string | null, 
/**
 * See `unit`.
 */
decimals: number, 
/**
 * Whether the board has it at the end.
 */
here: boolean, 
/**
 * How it was at the moment; none where nothing is recorded of that.
 */
then: SinceShown | null, 
/**
 * How it is at the end.
 */
now: SinceShown | null, 
/**
 * When it was worst; none where it never was worse than normal.
 */
worst: SinceWorst | null, 
/**
 * How often it left what is normal.
 */
count: number, 
/**
 * How long it wasn't normal in all, milliseconds, as far as is recorded.
 */
out_ms: number, 
/**
 * How long it could not be believed as it stood, or nothing is recorded of it, milliseconds.
 */
doubt_ms: number, };

/**
 * What a widget showed by one record.
 */
export type SinceShown = { 
/**
 * When it was recorded.
 */
at_ms: number, 
/**
 * The worst that it said; what isn't current is what it said last.
 */
state: State, 
/**
 * What may be said of it.
 */
freshness: Freshness, 
/**
 * Its number, if it is one and has one.
 */
value: number | null, 
/**
 * How many rows, tiles, bars or markers of it are in alarm, and in warning.
 */
alarms: number, 
/**
 * See `alarms`.
 */
warnings: number, 
/**
 * One of the worst of them, for people.
 */
what: string | null, };

/**
 * When a widget was worst: the first stretch out of what is normal that was as bad.
 */
export type SinceWorst = { 
/**
 * What it showed then; of a number, the one that was farthest out in this stretch.
 */
shown: SinceShown, 
/**
 * When it left what is normal; none if it had before the moment.
 */
left_ms: number | null, 
/**
 * Whether that may have been earlier: nothing is recorded right before it, or what was shown then could not be believed.
 */
left_earlier: boolean, 
/**
 * When it was normal again; none if it wasn't by the end.
 */
back_ms: number | null, 
/**
 * Whether that may have been earlier: nothing is recorded right before it, or what was shown then could not be believed.
 */
back_earlier: boolean, };

/**
 * Moments that somebody may mean by *since*.
 */
export type SinceMoments = { 
/**
 * Now.
 */
now_ms: number, 
/**
 * The oldest instant of which everything is recorded; none if nothing is.
 */
begin_ms: number | null, 
/**
 * They, the newest first.
 */
list: Array<SinceMoment>, };

/**
 * One of them.
 */
export type SinceMoment = { 
/**
 * What was then.
 */
kind: SinceMomentKind, 
/**
 * When.
 */
at_ms: number, 
/**
 * Whose: the name of who acknowledged, the name of the source that was lost.
 */
of: string | null, };

/**
 * What kind of moment.
 */
export type SinceMomentKind = "own-act" | "act" | "loss" | "stop" | "midnight";
