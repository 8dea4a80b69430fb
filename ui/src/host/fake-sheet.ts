/** The case sheet: one kind of widget in panels of six shapes, in one state, at an instant that stands still, so that its picture can be kept. */
import type {
  BoardView,
  Cell,
  Freshness,
  GroupValue,
  Look,
  NumberLook,
  RowValue,
  State,
  WidgetValue,
  WidgetView,
} from '../generated/frame'
import { fenced, sheet_fences, sheet_layers } from './fake-fences'
import { sheet_map } from './fake-sheet-map'
import { sheet_grid, sheet_tiles, type SheetWords } from './fake-sheet-tiles'

export const SHEET_KINDS = [
  'counter',
  'gauge',
  'bar',
  'table',
  'grouped',
  'log',
  'series',
  'limits',
  'axes',
  'histogram',
  'heat',
  'days',
  'status',
  'tally',
  'timeline',
  'matrix',
  'markers',
  'fenced',
] as const
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
  [7, 5, 4, 2],
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
  grouped: {
    kind: 'table',
    limit: 100,
    columns: [
      { title: 'Order', format: 'text', decimals: 0, width: 2, icons: { [LONG_WORD]: 'box', '“”': 'flag' } },
      { title: 'Full', format: 'bar', decimals: 1, width: 1.4, scale: [0, 60] },
      {
        title: 'Value',
        format: 'number',
        decimals: 2,
        width: 1.2,
        bands: [
          { from: 30, to: 90, state: 'warning' },
          { from: 90, to: null, state: 'alarm' },
        ],
      },
      {
        title: 'State',
        format: 'state',
        decimals: 0,
        width: 1.6,
        icons: { waiting: 'clock', 'at risk': 'bolt', late: 'truck', done: 'box' },
      },
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
  limits: {
    kind: 'series',
    draw: 'line',
    unit: 'min',
    decimals: 1,
    keep_ms: 120 * MINUTE_MS,
    bucket_ms: 5 * MINUTE_MS,
  },
  histogram: {
    kind: 'histogram',
    unit: 'min',
    decimals: 1,
    min: 0,
    width: 2,
    bins: 20,
    bands: [
      { from: 20, to: 30, state: 'warning' },
      { from: 30, to: null, state: 'alarm' },
    ],
    target: 12,
    stats: ['mean', 'p50', 'p95'],
  },
  heat: {
    kind: 'heat',
    unit: null,
    decimals: 0,
    keep_ms: 120 * MINUTE_MS,
    bucket_ms: 10 * MINUTE_MS,
    days: false,
    min: null,
    max: null,
  },
  days: {
    kind: 'heat',
    unit: null,
    decimals: 0,
    keep_ms: 7 * 24 * 60 * MINUTE_MS,
    bucket_ms: 60 * MINUTE_MS,
    days: true,
    min: 0,
    max: 50,
  },
  axes: {
    kind: 'series',
    draw: 'bars',
    unit: 'min',
    decimals: 1,
    keep_ms: 120 * MINUTE_MS,
    bucket_ms: 5 * MINUTE_MS,
    lines: [
      { key: 'Lane 1', right: false },
      { key: 'Lane 2', right: false },
      { key: 'Lane 3', right: true },
    ],
    right: { unit: '°C', decimals: 0, bands: [{ from: 25, to: null, state: 'warning' }], target: null },
  },
  status: { kind: 'status' },
  matrix: { kind: 'matrix' },
  timeline: { kind: 'timeline', keep_ms: 8 * 60 * MINUTE_MS, order: 'worst' },
  tally: {
    kind: 'tally',
    unit: null,
    decimals: 0,
    min: null,
    max: null,
    bands: [
      { from: 60, to: 90, state: 'warning' },
      { from: 90, to: null, state: 'alarm' },
    ],
    target: null,
    targets: {},
    order: 'largest',
    adds: true,
  },
  markers: {
    kind: 'markers',
    bounds: [5, 45, 16, 52],
    places: [
      { name: 'Zürich', lat: 47.37, lon: 8.54 },
      { name: 'München', lat: 48.14, lon: 11.58 },
    ],
    glide_ms: 0,
    trail: { keep_ms: 20 * MINUTE_MS, step_ms: MINUTE_MS / 2 },
  },
  fenced: { kind: 'markers', bounds: [5, 45, 16, 52], places: [], glide_ms: 0, trail: null },
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
  if (look.kind === 'series') {
    const draw = (['line', 'bars', 'area'] as const)[at % 3] ?? 'line'
    return kind === 'limits' ? { ...look, draw, ...limited(state) } : { ...look, draw }
  }
  if (look.kind === 'tally') {
    const plain = state === 'huge' || state === 'million' || state === 'tiny' || state === 'negative'
    return {
      ...look,
      bands: plain ? [] : look.bands,
      decimals: state === 'tiny' ? 4 : at % 2,
      unit: state === 'long' ? 'passengers' : at === 3 ? 'min' : null,
      target: !plain && at % 4 === 0 ? 50 : null,
      targets: at === 5 && !plain ? { 'Lane 2': 40, 'Lane 3': 80 } : {},
      max: at === 6 && !plain ? 80 : null,
      order: at === 1 ? 'key' : 'largest',
    }
  }
  if (kind === 'fenced') {
    const named = (one: number, usual: string): string =>
      state === 'long' || state === 'rtl' ? words(state, one) : usual
    return { ...look, layers: sheet_layers(named), fences: sheet_fences(named) } as Look
  }
  if (look.kind !== 'counter' && look.kind !== 'gauge') return look
  return { ...look, ...scaled(state, at, look.draw === 'bar'), ...aims(state, at) }
}

/** Limits around what a chart shows, and one far above it. */
function limited(state: SheetState): Partial<Extract<Look, { kind: 'series' }>> {
  const size = NUMBERS[state] ?? 12
  const [low, high] = size < 0 ? [1.7 * size, 0.5 * size] : [0.5 * size, 1.7 * size]
  return {
    target: size,
    bands: [
      { from: null, to: low, state: 'warning' },
      { from: high, to: 4 * Math.abs(size), state: 'warning' },
      { from: 4 * Math.abs(size), to: null, state: 'alarm' },
    ],
  }
}

/** Two near each other, one alone; many where a chart is full. */
function sheet_marks(state: SheetState): { readonly at_ms: number; readonly label: string }[] {
  const count = state === 'full' ? 20 : state === 'one' ? 1 : state === 'empty' ? 0 : 3
  return Array.from({ length: count }, (_, at) => ({
    at_ms: SHEET_MS - ([9, 14, 71][at % 3] ?? 0) * MINUTE_MS - Math.floor(at / 3) * 13 * MINUTE_MS,
    label: state === 'long' || state === 'rtl' ? words(state, at) : `web 1.${String(9 - at)}`,
  })).sort((a, b) => a.at_ms - b.at_ms)
}

/** A hump with a long tail; of one value, of none, and of many. */
function histogram_value(look: Extract<Look, { kind: 'histogram' }>, state: SheetState): WidgetValue {
  const none = state === 'empty' || state === 'unknown'
  const scale = state === 'million' ? 1e6 : state === 'huge' ? 1e13 : 400
  const counts = Array.from({ length: look.bins + 2 }, (_, at) => {
    if (none) return 0
    if (state === 'one') return at === 7 ? 1 : 0
    const beyond = at === 0 ? 0.1 : at === look.bins + 1 ? 0.25 : 0
    return Math.round(scale * (beyond + Math.exp(-(((at - 7) / 3) ** 2)) + 0.3 * Math.exp(-(((at - 15) / 4) ** 2))))
  })
  const of = (part: number): number | null => (none ? null : look.min + part * look.width * look.bins)
  const stats = state === 'one' ? [of(0.32), of(0.32), of(0.32)] : [of(0.42), of(0.34), of(1.1)]
  return { kind: 'histogram', counts, stats, at_least: state === 'full' }
}

/** What is missing stays so: a gap, a cell without a value, and before anybody looked. */
function heat_value(look: Extract<Look, { kind: 'heat' }>, state: SheetState, names: readonly string[]): WidgetValue {
  const { bucket_ms, keep_ms, days } = look
  const last = Math.floor(SHEET_MS / bucket_ms) * bucket_ms
  const count = keep_ms / bucket_ms
  const size = Math.abs(NUMBERS[state] ?? 24)
  const lines = (days ? names.slice(0, 1) : names).map((key, one) => ({
    key,
    points: Array.from({ length: count }, (_, at): [number, number | null] => {
      const wave = 1 + Math.sin((at - count / 4) / (days ? 3.8 : 2) + one)
      const start = last - (count - 1 - at) * bucket_ms
      const missed = start > SHEET_MS - keep_ms * 0.6 && start + bucket_ms < SHEET_MS - keep_ms * 0.45
      return [start, at % 11 === 7 || missed ? null : (size * wave * (1 + (one % 4))) / (days ? 1 : 3)]
    }).slice(state === 'one' ? -1 : one === 2 ? 4 : 0),
  }))
  return {
    kind: 'series',
    whole: true,
    lines: state === 'empty' || state === 'unknown' ? [] : lines,
    gaps: [[SHEET_MS - keep_ms * 0.6, SHEET_MS - keep_ms * 0.45]],
  }
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

/** How names and states are written. */
function sheet_words(state: SheetState): SheetWords {
  const own = (usual: string, one: number): string =>
    state === 'long' || state === 'rtl' ? words(state, one) : `${usual} ${String(one + 1)}`
  const column = (two: number): string =>
    state === 'rtl'
      ? `منطقة ${String(two)}`
      : state === 'long'
        ? `Region of the far north ${String(two)}`
        : `eu-${String(two + 1)}`
  return { own, column, of: (meant) => (state === 'rtl' ? RTL_OTHER : STATE_TEXT[meant]) }
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
        const number = (NUMBERS[state] ?? 19.5) * (one + 1)
        const grouped = look.columns.some(({ bands }) => bands !== undefined)
        const band: State = number >= 90 ? 'alarm' : number >= 30 ? 'warning' : 'normal'
        const marks = grouped && one % 7 !== 5 && band !== 'normal' ? [{ column: 2, state: band }] : []
        const cells: Cell[] = [
          { is: 'text', as: words(state, one) },
          grouped
            ? one % 7 === 3
              ? { is: 'null' }
              : { is: 'number', as: number }
            : one % 7 === 3
              ? { is: 'null' }
              : { is: 'time', as: SHEET_MS + one * 7 * MINUTE_MS },
          one % 7 === 5 ? { is: 'missing' } : { is: 'number', as: number },
          { is: 'text', as: state === 'rtl' ? RTL_OTHER : STATE_TEXT[meaning(one)] },
        ]
        return { key: String(one), cells, state: meaning(one), ...(marks.length === 0 ? {} : { marks }) }
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
        ...(look.columns.some(({ bands }) => bands !== undefined) ? grouped_by(rows.length, total, state) : {}),
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
    case 'status':
      return sheet_tiles(numbered(6), sheet_words(state), meaning, state === 'full', SHEET_MS)
    case 'matrix': {
      const across = state === 'one' ? 1 : state === 'full' || state === 'million' ? 14 : 5
      return sheet_grid(numbered(6), across, sheet_words(state), at === 5, state === 'full', SHEET_MS)
    }
    case 'timeline': {
      const rows = numbered(6).map((one) => {
        let from_ms = SHEET_MS - (9 - (one % 3)) * 60 * MINUTE_MS
        const stretches = Array.from({ length: state === 'one' ? 1 : 9 }, (_, slot) => {
          const from = from_ms
          from_ms += (13 + ((one * 29 + slot * 47) % 97)) * MINUTE_MS
          const is_last = from_ms > SHEET_MS || slot === 8 || state === 'one'
          const own = meaning(is_last ? one : one * 3 + slot * slot)
          const text = state === 'rtl' ? RTL_OTHER : state === 'long' ? LONG_WORD : STATE_TEXT[own]
          return {
            from_ms: from,
            to_ms: is_last && one % 5 !== 4 ? null : from_ms,
            text,
            state: own,
            gap: slot % 4 === 2,
          }
        })
        const end = stretches.findIndex(({ to_ms }) => to_ms === null)
        return {
          key: String(one),
          label: state === 'long' || state === 'rtl' ? words(state, one) : `Bay ${String(one + 1)}`,
          stretches: stretches
            .slice(0, end === -1 ? undefined : end + 1)
            .filter(({ gap, to_ms }) => !gap || to_ms === null)
            .map(({ from_ms: from, to_ms, text, state: own }) => ({ from_ms: from, to_ms, text, state: own })),
        }
      })
      return { kind: 'timeline', whole: true, rows }
    }
    case 'tally': {
      const bars = numbered(state === 'full' || state === 'million' ? 80 : 7).map((one) => {
        const size = Math.abs(NUMBERS[state] ?? 14) * (1 + 7 * Math.abs(Math.sin(one * 1.7)))
        const value = state === 'negative' && one % 3 !== 0 ? -size : one === 5 && state === 'live' ? null : size
        const meaning: State =
          value === null || state === 'negative' || value < 60 ? 'normal' : value >= 90 ? 'alarm' : 'warning'
        return {
          key: state === 'long' || state === 'rtl' ? words(state, one) : `Lane ${String(one + 1)}`,
          value,
          state: state === 'million' || state === 'huge' ? 'normal' : meaning,
        }
      })
      return { kind: 'tally', bars, at_least: state === 'full' && at === 5 }
    }
    case 'histogram':
      return histogram_value(look, state)
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
        ...(look.right === undefined ? {} : { marks: { list: sheet_marks(state), more: state === 'full' ? 7 : 0 } }),
      }
    }
    case 'heat': {
      const count = COUNTS[state] ?? 6
      const names = Array.from({ length: count }, (_, one) =>
        state === 'long' || state === 'rtl' ? words(state, one) : `Lane ${String(one + 1)}`,
      )
      return heat_value(look, state, names)
    }
    case 'markers': {
      const labels = numbered(14).map((one) =>
        state === 'long' || state === 'rtl' ? words(state, one) : `Van ${String(one + 1)}`,
      )
      const map = sheet_map(labels, meaning, state === 'million' ? 1_000_000 : null, SHEET_MS)
      if (look.fences === undefined || map.kind !== 'markers') return map
      return { ...map, ...fenced(map.markers, state === 'empty' || state === 'unknown') }
    }
    default:
      return number_value(look, state, at)
  }
}

/** Rows in groups of four. */
function grouped_by(rows: number, total: number, state: SheetState): { groups: GroupValue[]; groups_total: number } {
  const count = Math.ceil(rows / 4)
  const groups = Array.from({ length: count }, (_, at): GroupValue => {
    const shown = Math.min(4, rows - 4 * at)
    const name = state === 'rtl' ? RTL_OTHER : state === 'long' ? LONG : `Hall ${String(at + 1)}`
    return { name: at === 2 ? null : name, total: shown, state: at === 1 ? 'warning' : 'alarm', shown }
  })
  return { groups, groups_total: count + (total > rows ? 7 : 0) }
}
