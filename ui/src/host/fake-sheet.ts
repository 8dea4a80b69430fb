/** The case sheet: one kind of widget in panels of six shapes, in one state, at an instant that stands still, so that its picture can be kept. */
import type {
  BoardView,
  Cell,
  Freshness,
  Look,
  NumberLook,
  RowValue,
  State,
  WidgetValue,
  WidgetView,
} from '../generated/frame'

export const SHEET_KINDS = ['counter', 'gauge', 'bar', 'table', 'log', 'series', 'status', 'markers'] as const
export type SheetKind = (typeof SHEET_KINDS)[number]

export const SHEET_STATES = [
  'live',
  'stale',
  'down',
  'refused',
  'unknown',
  'empty',
  'full',
  'long',
  'one',
  'million',
  'rtl',
  'negative',
  'huge',
  'tiny',
] as const
export type SheetState = (typeof SHEET_STATES)[number]

const MINUTE_MS = 60_000
export const SHEET_MS = Date.UTC(2026, 10, 26, 14, 32, 8)

/** Columns × rows, and where. */
export const SHAPES: readonly (readonly [number, number, number, number])[] = [
  [1, 1, 4, 3],
  [5, 1, 3, 2],
  [8, 1, 3, 1],
  [11, 1, 2, 4],
  [5, 4, 6, 1],
  [1, 5, 6, 4],
  [7, 5, 4, 3],
  [11, 5, 2, 1],
]

const STATES: readonly State[] = ['normal', 'warning', 'alarm', 'muted', 'unknown', 'normal']
const LONG = 'Ambulances on their way to a patient who called more than eight minutes ago'
const LONG_WORD = 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen, links oben'
const RTL = 'شحنات متأخرة (قيد الانتظار)'
const RTL_OTHER = 'משלוח 12, מאוחר!'

const NUMBER: NumberLook = {
  unit: 'min',
  decimals: 1,
  digits: null,
  min: 0,
  max: 40,
  bands: [
    { from: 20, to: 30, state: 'warning' },
    { from: 30, to: null, state: 'alarm' },
  ],
  trend_ms: 60 * MINUTE_MS,
  target: null,
  better: null,
  draw: null,
}

const LOOKS: Record<SheetKind, Look> = {
  counter: { kind: 'counter', ...NUMBER },
  gauge: { kind: 'gauge', ...NUMBER },
  bar: { kind: 'gauge', ...NUMBER, draw: 'bar' },
  table: {
    kind: 'table',
    limit: 100,
    columns: [
      { title: 'Order', format: 'text', decimals: 0, width: 2 },
      { title: 'Due', format: 'time', decimals: 0, width: 1 },
      { title: 'Value', format: 'number', decimals: 2, width: 1.2 },
      { title: 'State', format: 'state', decimals: 0, width: 1.6 },
    ],
  },
  log: { kind: 'log', limit: 100 },
  series: {
    kind: 'series',
    draw: 'line',
    unit: 'min',
    decimals: 1,
    keep_ms: 120 * MINUTE_MS,
    bucket_ms: 5 * MINUTE_MS,
  },
  status: { kind: 'status' },
  markers: {
    kind: 'markers',
    bounds: [5, 45, 16, 52],
    places: [
      { name: 'Zürich', lat: 47.37, lon: 8.54 },
      { name: 'München', lat: 48.14, lon: 11.58 },
    ],
    glide_ms: 0,
  },
}

export function sheet_board(kind: SheetKind, state: SheetState): BoardView {
  return {
    title: `${kind}, ${state}`,
    timezone: 'Europe/Zurich',
    theme: 'dark',
    columns: 12,
    rows: 8,
    widgets: SHAPES.map(([column, row, width, height], at): WidgetView => {
      const look = sheet_look(kind, state, at)
      const title = state === 'long' ? LONG : state === 'rtl' ? RTL : `Shape ${String(width)} by ${String(height)}`
      return {
        id: `w${String(at)}`,
        title,
        note: at % 2 === 0 ? 'over the last hour' : null,
        source: 'ops',
        place: { column, row, width, height },
        look,
      }
    }),
  }
}

/** Charts of every way to be drawn; a number's look as its value asks for. */
function sheet_look(kind: SheetKind, state: SheetState, at: number): Look {
  const look = LOOKS[kind]
  if (look.kind === 'series') return { ...look, draw: (['line', 'bars', 'area'] as const)[at % 3] ?? 'line' }
  if (look.kind !== 'counter' && look.kind !== 'gauge') return look
  return { ...look, ...scaled(state, at, look.draw === 'bar'), ...aims(state, at) }
}

/** What a number's value asks of its scale. */
function scaled(state: SheetState, at: number, stands: boolean): Partial<NumberLook> {
  switch (state) {
    case 'negative':
      return { min: -40, max: 10, bands: [{ from: null, to: -20, state: 'alarm' }] }
    case 'huge':
    case 'million':
      return { min: stands ? 0 : null, max: stands ? 1e6 : null, bands: [], decimals: 0 }
    case 'tiny':
      return { min: 0, max: 0.01, bands: [], ...(at % 2 === 0 ? { digits: 3 } : { decimals: 4 }) }
    case 'long':
      return { unit: 'passengers' }
    default:
      return {}
  }
}

const TARGETS: Partial<Record<SheetState, number>> = { negative: -5, huge: 1e6, million: 1e6, tiny: 0.005 }

/** Of four one has a target and a way there, one a target alone, two a way alone; which are judged, but the first of those. */
function aims(state: SheetState, at: number): Partial<NumberLook> {
  const target = at % 4 < 2 ? (TARGETS[state] ?? 15) : null
  return {
    target,
    better: at === 2 ? null : at === 6 ? 'up' : 'down',
    ...(at % 4 === 1 ? { trend_ms: null, better: null } : {}),
  }
}

export function sheet_freshness(state: SheetState): Freshness {
  return state === 'stale' || state === 'down' || state === 'refused' || state === 'unknown' ? state : 'live'
}

/** A number of each state: by panel one that is normal, one in warning, one in alarm. */
const NUMBERS: Partial<Record<SheetState, number>> = {
  negative: -26.4,
  huge: 7.25e15,
  million: 1_234_567,
  tiny: 0.0042,
}

const COUNTS: Partial<Record<SheetState, number>> = { empty: 0, unknown: 0, one: 1, full: 80, million: 80 }

function number_value(look: Look, state: SheetState, at: number): WidgetValue {
  if (state === 'empty' || state === 'unknown') {
    return { kind: 'number', value: null, state: 'normal', change: null, toward: null, trend: [], at_least: false }
  }
  const value = NUMBERS[state] ?? [12.4, 23.8, 36.1][at % 3] ?? 0
  const rise = at % 3 === 0 ? -0.3 : 0.3
  const trend = Array.from({ length: 61 }, (_, slot) =>
    state === 'one' && slot < 60 ? null : value * (1 - rise + (rise * slot) / 60 + 0.06 * Math.sin(slot / 3)),
  )
  const { trend_ms: has_way, better: judged } = look as NumberLook
  const meaning = NUMBERS[state] === undefined ? (['normal', 'warning', 'alarm'] as const)[at % 3] : undefined
  return {
    kind: 'number',
    value,
    state: state === 'negative' ? 'alarm' : (meaning ?? 'normal'),
    change: has_way === null ? null : value * rise,
    toward: judged === null ? null : value * rise > 0 === (judged === 'up') ? 'better' : 'worse',
    trend: has_way === null ? [] : trend,
    // Its sign is of the system's face, which a kept picture must not hang on.
    at_least: state === 'full' && at === 5,
  }
}

function words(state: SheetState, at: number): string {
  if (state === 'long') return `${String(at)} ${at % 2 === 0 ? LONG : LONG_WORD}`
  if (state === 'rtl') return at % 2 === 0 ? RTL : RTL_OTHER
  return `Order ${String(4_100 + at)}`
}

const STATE_TEXT: Record<State, string> = {
  normal: 'on time',
  warning: 'late',
  alarm: 'lost',
  muted: 'done',
  unknown: 'no word',
}

export function sheet_value({ look }: WidgetView, state: SheetState, at: number): WidgetValue {
  const numbered = (usual: number): number[] => Array.from({ length: COUNTS[state] ?? usual }, (_, one) => one)
  const meaning = (one: number): State => STATES[one % STATES.length] ?? 'normal'
  switch (look.kind) {
    case 'table': {
      const rows = numbered(9).map((one): RowValue => {
        const cells: Cell[] = [
          { is: 'text', as: words(state, one) },
          one % 7 === 3 ? { is: 'null' } : { is: 'time', as: SHEET_MS + one * 7 * MINUTE_MS },
          one % 7 === 5 ? { is: 'missing' } : { is: 'number', as: (NUMBERS[state] ?? 19.5) * (one + 1) },
          { is: 'text', as: state === 'rtl' ? RTL_OTHER : STATE_TEXT[meaning(one)] },
        ]
        return { key: String(one), cells, state: meaning(one) }
      })
      const total = state === 'million' ? 1_000_000 : rows.length
      return {
        kind: 'table',
        whole: true,
        rows,
        removed: [],
        order: rows.map(({ key }) => key),
        total,
        at_least: false,
      }
    }
    case 'log': {
      const lines = numbered(9).map((one) => ({
        number: 1_000 - one,
        source_ms: SHEET_MS - one * 41 * MINUTE_MS,
        text: words(state, one),
        state: meaning(one),
      }))
      return { kind: 'log', whole: true, lines, total: state === 'million' ? 1_000_000 : lines.length }
    }
    case 'status': {
      const tiles = numbered(6).map((one) => ({
        key: String(one),
        label: state === 'long' || state === 'rtl' ? words(state, one) : `Lane ${String(one + 1)}`,
        text: state === 'rtl' ? RTL_OTHER : STATE_TEXT[meaning(one)],
        state: meaning(one),
        detail: one % 2 === 0 ? `${String(one + 3)} of 25 late` : null,
        since_ms: SHEET_MS - one * 11 * MINUTE_MS,
      }))
      return { kind: 'status', tiles }
    }
    case 'series': {
      const count = state === 'full' || state === 'million' ? 12 : state === 'one' ? 1 : 3
      const lines = numbered(count)
        .slice(0, count)
        .map((one) => ({
          key: state === 'long' || state === 'rtl' ? words(state, one) : `Lane ${String(one + 1)}`,
          points: Array.from({ length: state === 'one' ? 1 : 25 }, (_, slot): [number, number | null] => [
            Math.floor((SHEET_MS - 115 * MINUTE_MS) / (5 * MINUTE_MS)) * 5 * MINUTE_MS + slot * 5 * MINUTE_MS,
            slot === 9 && one === 1 ? null : (NUMBERS[state] ?? 12) * (1 + one * 0.4 + 0.3 * Math.sin(slot / 2 + one)),
          ]),
        }))
      return {
        kind: 'series',
        whole: true,
        lines,
        gaps: at === 5 ? [[SHEET_MS - 70 * MINUTE_MS, SHEET_MS - 55 * MINUTE_MS]] : [],
      }
    }
    case 'markers': {
      const markers = numbered(9).map((one) => ({
        key: String(one),
        lat: 45.6 + ((one * 37) % 60) / 10,
        lon: 5.6 + ((one * 53) % 100) / 10,
        heading: one % 3 === 0 ? null : (one * 47) % 360,
        label: state === 'long' || state === 'rtl' ? words(state, one) : `Van ${String(one + 1)}`,
        state: meaning(one),
      }))
      const unplaced = markers.length > 1 ? 2 : 0
      const total = state === 'million' ? 1_000_000 : markers.length + unplaced
      return { kind: 'markers', whole: true, markers, removed: [], total, unplaced }
    }
    default:
      return number_value(look, state, at)
  }
}
