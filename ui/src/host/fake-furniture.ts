/** Furniture for the case sheet, in panels of its shapes, and for the page's tests, beside widgets of data. */
import type {
  BoardView,
  ClockZone,
  FurnitureLook,
  FurnitureView,
  Place,
  RowValue,
  TextBlock,
  TextCell,
  TextSpan,
  WidgetValue,
  WidgetView,
} from '../generated/frame'

export const FURNITURE_KINDS = ['text', 'clock', 'countdown'] as const
export type FurnitureKind = (typeof FURNITURE_KINDS)[number]
type Look<Kind extends FurnitureKind> = Extract<FurnitureLook, { kind: Kind }>

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const span = (text: string, more: Omit<TextSpan, 'text'> = {}): TextSpan => ({ text, ...more })
const cell = (text: string): TextCell => ({ spans: [span(text)] })
const item = (text: string, number: number | null = null, depth = 0): TextBlock => ({
  is: 'item',
  depth,
  number,
  spans: [span(text)],
})
const paragraph = (text: string): TextBlock => ({ is: 'paragraph', depth: 0, spans: [span(text)] })
const heading = (level: number, text: string): TextBlock => ({ is: 'heading', level, spans: [span(text)] })

const SHIFT: TextBlock[] = [
  heading(1, 'Night shift'),
  {
    is: 'paragraph',
    depth: 0,
    spans: [span('Lead: '), span('R. Okafor', { bold: true }), span(', phone '), span('4711', { code: true })],
  },
  item('Dock 3 is closed until 22:00'),
  item('Count the returns at midnight'),
]
const EVERYTHING: TextBlock[] = [
  heading(1, 'Hand-over'),
  heading(2, 'What is open'),
  {
    is: 'paragraph',
    depth: 0,
    spans: [
      span('One carrier is '),
      span('late', { bold: true }),
      span(', and '),
      span('the other', { italic: true }),
      span(' says nothing.\nCall '),
      span('dock-3', { code: true }),
    ],
  },
  item('First call the carrier', 1),
  item('then the customer', 2),
  item('by phone', null, 1),
  { is: 'rule' },
  { is: 'code', depth: 0, lines: ['belt 7  stop', '        start'] },
  {
    is: 'table',
    columns: ['left', 'right', 'center'],
    head: [cell('Lane'), cell('Boxes'), cell('Gate')],
    rows: [
      [cell('North'), cell('1240'), cell('B')],
      [cell('South'), cell('87'), cell('D')],
    ],
  },
]
const SENTENCE =
  'Ambulances on their way to a patient who called more than eight minutes ago are named first, and whoever takes the call over says so.'
const RTL = 'שינוי משמרת בשעה 22:00, מסוף 4'

function blocks(state: string): TextBlock[] {
  switch (state) {
    case 'full':
      return EVERYTHING
    case 'long':
      return [heading(1, 'Rules of this room'), ...Array.from({ length: 14 }, (_, at) => item(SENTENCE, at + 1))]
    case 'rtl':
      return [heading(1, RTL), item(RTL), paragraph(RTL), item('שלב', 1)]
    case 'one':
      return [paragraph('Welcome')]
    case 'empty':
      return [paragraph('–')]
    default:
      return SHIFT
  }
}

const zone = (name: string, zone: string): ClockZone => ({ name, zone })
const ZONES = [
  zone('Zurich', 'Europe/Zurich'),
  zone('New York', 'America/New_York'),
  zone('Tokyo', 'Asia/Tokyo'),
  zone('Kathmandu', 'Asia/Kathmandu'),
  zone('São Paulo', 'America/Sao_Paulo'),
  zone('Honolulu', 'Pacific/Honolulu'),
  zone('Auckland', 'Pacific/Auckland'),
  zone('UTC', 'UTC'),
]

function zones(state: string, at: number): ClockZone[] {
  if (state === 'full') return ZONES
  if (state === 'one') return ZONES.slice(0, 1)
  if (state === 'unknown') return [zone('Zurich', 'Europe/Zurich'), zone('Olympus Mons', 'Mars/Olympus')]
  if (state === 'rtl') return [zone('تل أبيب', 'Asia/Jerusalem'), zone('القاهرة', 'Africa/Cairo')]
  if (state === 'long')
    return ZONES.slice(0, 3).map((one) => ({ ...one, name: `${one.name}, second operations floor` }))
  return ZONES.slice(0, 1 + (at % 4))
}

function countdown(state: string, at: number, now_ms: number): Look<'countdown'> {
  const once = (left_ms: number, after: 'up' | 'stay' | 'hide', of_ms: number | null = null): Look<'countdown'> => ({
    kind: 'countdown',
    until: { is: 'once', to_ms: now_ms + left_ms, from_ms: of_ms === null ? null : now_ms + left_ms - of_ms, after },
    warning_ms: HOUR_MS,
    alarm_ms: 5 * MINUTE_MS,
  })
  switch (state) {
    case 'full':
      return once(([40 * MINUTE_MS, 4 * MINUTE_MS, 3 * HOUR_MS] as const)[at % 3] ?? 0, 'up', 8 * HOUR_MS)
    case 'long':
      return once(23_456 * DAY_MS + 3 * HOUR_MS, 'up', 30_000 * DAY_MS)
    case 'one':
      return once(SECOND_MS, 'stay')
    case 'empty':
      return once(-HOUR_MS, at % 2 === 0 ? 'stay' : 'hide')
    case 'negative':
      return once(-27 * HOUR_MS - 12 * SECOND_MS, 'up', 48 * HOUR_MS)
    default:
      return {
        kind: 'countdown',
        until: { is: 'daily', minutes: (at % 2 === 0 ? 22 : 18) * 60, from_minutes: at % 2 === 0 ? 6 * 60 : null },
        warning_ms: null,
        alarm_ms: null,
      }
  }
}

function look(kind: FurnitureKind, state: string, at: number, now_ms: number): FurnitureLook {
  switch (kind) {
    case 'text':
      return { kind, blocks: blocks(state), align: (['left', 'left', 'center', 'right'] as const)[at % 4] ?? 'left' }
    case 'clock':
      return {
        kind,
        zones: zones(state, at),
        seconds: state === 'full' || at % 3 === 1,
        date: state === 'full' || state === 'long',
      }
    case 'countdown':
      return countdown(state, at, now_ms)
  }
}

const place = (column: number, row: number, width: number, height: number): Place => ({ column, row, width, height })

const LONG = 'Until the doors of the second operations floor are closed for the night'

/** The sheet's panels with furniture in them, and nothing else. */
export function furniture_board(
  kind: FurnitureKind,
  state: string,
  shapes: readonly (readonly [number, number, number, number])[],
  now_ms: number,
): BoardView {
  return {
    title: `${kind}, ${state}`,
    timezone: state === 'unknown' ? 'Mars/Olympus' : 'Europe/Zurich',
    theme: 'dark',
    columns: 12,
    rows: 8,
    pages: [],
    widgets: [],
    furniture: shapes.map((cells, at): FurnitureView => {
      const shape = `Shape ${String(cells[2])} by ${String(cells[3])}`
      const usual = kind === 'text' && at % 2 === 1 ? null : shape
      const title = state === 'long' ? LONG : state === 'rtl' ? RTL : usual
      return {
        id: `f${String(at)}`,
        title,
        note: at % 2 === 0 ? 'every day' : null,
        page: 0,
        place: place(...cells),
        look: look(kind, state, at, now_ms),
      }
    }),
  }
}

/** What stands beside the widgets of a board in real time. */
function beside(now_ms: number): FurnitureView[] {
  const one = (id: string, title: string | null, at: Place, of: FurnitureLook): FurnitureView => ({
    id,
    title,
    note: null,
    page: 0,
    place: at,
    look: of,
  })
  return [
    one('notes', null, place(1, 5, 4, 4), { kind: 'text', blocks: SHIFT, align: 'left' }),
    one('clocks', 'Our sites', place(5, 5, 4, 4), {
      kind: 'clock',
      zones: ZONES.slice(0, 3),
      seconds: true,
      date: true,
    }),
    one('shift', 'Shift ends', place(9, 5, 4, 4), countdown('full', 1, now_ms)),
  ]
}

/** A table whose columns go by the clock as well. */
const CALLS: WidgetView = {
  id: 'calls',
  title: 'Calls',
  note: null,
  source: 'ops',
  page: 0,
  place: place(9, 1, 4, 4),
  look: {
    kind: 'table',
    limit: 100,
    columns: [
      { title: 'Call', format: 'text', decimals: 0, width: 1 },
      { title: 'Waits', format: 'ago', decimals: 0, width: 1 },
      { title: 'Due in', format: 'until', decimals: 0, width: 1 },
    ],
  },
}

export function calls_value(began_ms: number): WidgetValue {
  const row = (key: string, ago_ms: number, until_ms: number): RowValue => ({
    key,
    cells: [
      { is: 'text', as: key },
      { is: 'time', as: began_ms - ago_ms },
      { is: 'time', as: began_ms + until_ms },
    ],
    state: 'normal',
  })
  const rows = [row('C1', 5 * SECOND_MS, 50 * SECOND_MS), row('C2', 3 * HOUR_MS, -7 * MINUTE_MS)]
  const order = rows.map(({ key }) => key)
  return { kind: 'table', whole: true, rows, removed: [], order, total: rows.length, at_least: false }
}

/** A board of two widgets with both. */
export function furnished(board: BoardView, now_ms: number): BoardView {
  const widgets = board.widgets.map((view, at) => ({ ...view, place: place(1 + 4 * at, 1, 4, 4) }))
  return { ...board, columns: 12, rows: 8, widgets: [...widgets, CALLS], furniture: beside(now_ms) }
}
