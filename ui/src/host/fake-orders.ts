/** A made-up shop of thirteen small panels in real time: what a first board of one's own looks like. */
import type { BoardView, Look, State, WidgetValue, WidgetView } from '../generated/frame'
import { PLAIN as NUMBER } from '../core/plain-look.test-support'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const BUCKET_MS = 10 * SECOND_MS
const LANES = ['A', 'B', 'C', 'D', 'E']
/** Nothing is known before. */
const BEGAN_AGO_MS = 100 * SECOND_MS

const WIDGETS: readonly (readonly [string, string, Look, string?])[] = [
  ['total', 'Orders ever', { kind: 'counter', ...NUMBER }],
  ['today', 'Orders today', { kind: 'counter', ...NUMBER, trend_ms: 60 * MINUTE_MS }],
  ['rate', 'Orders a minute', { kind: 'rate', ...NUMBER, trend_ms: 60 * MINUTE_MS }],
  ['mean', 'Mean value', { kind: 'window', ...NUMBER, unit: '€' }, 'last 20 seconds'],
  ['recent', 'Orders, last minute', { kind: 'window', ...NUMBER, trend_ms: 60 * MINUTE_MS }],
  ['big', 'Share of big ones', { kind: 'counter', ...NUMBER, unit: '%' }],
  [
    'store',
    'Cold store',
    { kind: 'gauge', ...NUMBER, unit: '°C', min: -30, max: 10, bands: [{ from: -10, to: null, state: 'alarm' }] },
  ],
  ['lanes', 'Lanes', { kind: 'status' }],
  [
    'open',
    'Open orders',
    {
      kind: 'table',
      limit: 100,
      columns: [
        { title: 'Lane', format: 'text', decimals: 0, width: 1 },
        { title: 'Total', format: 'number', decimals: 2, width: 1 },
        { title: 'Size', format: 'state', decimals: 0, width: 1 },
        { title: 'At', format: 'time', decimals: 0, width: 1 },
      ],
    },
  ],
  [
    'chart',
    'Balance',
    { kind: 'series', draw: 'line', unit: null, decimals: 0, keep_ms: 2 * MINUTE_MS, bucket_ms: BUCKET_MS },
    'every 10 seconds',
  ],
  [
    'bars',
    'Value by lane',
    { kind: 'series', draw: 'bars', unit: null, decimals: 0, keep_ms: 2 * MINUTE_MS, bucket_ms: BUCKET_MS },
    'every 10 seconds',
  ],
  ['log', 'Latest orders', { kind: 'log', limit: 50 }],
  ['vans', 'Vans', { kind: 'markers', bounds: [5, 45, 16, 56], places: [], glide_ms: 0, trail: null }],
]

function view([id, title, look, note]: (typeof WIDGETS)[number], at: number): WidgetView {
  const place = { column: 1 + (at % 4), row: 1 + Math.floor(at / 4), width: at === 12 ? 4 : 1, height: 1 }
  return { id, title, note: note ?? null, source: 'ops', place, look }
}

export const ORDERS: BoardView = {
  title: 'Orders',
  timezone: 'Europe/Berlin',
  theme: 'dark',
  columns: 4,
  rows: 4,
  widgets: WIDGETS.map(view),
}

/** The same shop with as little as the README's board has. */
export const PAIR: BoardView = {
  ...ORDERS,
  columns: 2,
  rows: 1,
  widgets: WIDGETS.filter(([id]) => id === 'rate' || id === 'log').map((one, at) => ({
    ...view(one, at),
    place: { column: 1 + at, row: 1, width: 1, height: 1 },
  })),
}

const NUMBERS: Record<string, number> = { total: 30, today: 30, rate: 90, mean: 26, recent: 30, big: 0.27, store: -20 }

const price = (lane: number, second: number): number => 10 + ((lane * 7 + second * 3) % 12) * 2.5
const is_big = (lane: number): boolean => lane === 3
const state_of = (lane: number): State => (is_big(lane) ? 'warning' : 'normal')

/** The whole value of a widget at an instant. */
export function orders_value({ id, look }: WidgetView, now_ms: number): WidgetValue {
  const second = Math.floor(now_ms / SECOND_MS)
  const began_ms = now_ms - BEGAN_AGO_MS
  switch (look.kind) {
    case 'status':
      return {
        kind: 'status',
        tiles: LANES.map((lane, at) => ({
          key: lane,
          label: `Lane ${lane}`,
          text: is_big(at) ? 'big' : 'small',
          state: state_of(at),
          detail: `last ${String(price(at, 0))} €`,
          since_ms: began_ms,
        })),
      }
    case 'table':
      return {
        kind: 'table',
        whole: true,
        rows: LANES.map((lane, at) => ({
          key: lane,
          state: state_of(at),
          cells: [
            { is: 'text', as: `Lane ${lane}` },
            { is: 'number', as: price(at, 0) },
            { is: 'text', as: is_big(at) ? 'big' : 'small' },
            { is: 'time', as: began_ms },
          ],
        })),
        removed: [],
        order: LANES,
        total: LANES.length,
        at_least: false,
      }
    case 'log':
      return {
        kind: 'log',
        whole: true,
        lines: LANES.map((lane, at) => ({
          number: LANES.length - at,
          source_ms: began_ms,
          text: `Lane ${lane}: ${String(price(at, 0))} €`,
          state: 'normal',
        })),
        total: LANES.length,
      }
    case 'series':
      return { kind: 'series', whole: true, lines: series(id, second), gaps: [[0, began_ms]] }
    case 'markers': {
      const markers = LANES.map((lane, at) => ({
        key: lane,
        lat: 47 + at * 1.5,
        lon: 8 + at,
        heading: null,
        icon: null,
        trail: [],
        trail_whole: false,
        label: `Lane ${lane}`,
        state: 'normal' as State,
      }))
      return { kind: 'markers', whole: true, markers, removed: [], total: LANES.length, unplaced: 0, gaps: [] }
    }
    default: {
      const trend = id === 'recent' ? Array.from({ length: 61 }, (_, at) => (at < 40 ? null : at % 9)) : []
      const at_least = look.kind !== 'gauge' && id !== 'mean' && id !== 'big'
      const value = NUMBERS[id] ?? null
      return {
        kind: 'number',
        value,
        state: 'normal',
        change: id === 'recent' ? 4 : null,
        toward: null,
        trend,
        at_least,
      }
    }
  }
}

function series(id: string, second: number): { key: string; points: [number, number][] }[] {
  const now = Math.floor(second / 10)
  const buckets = Array.from({ length: 10 }, (_, at) => now - 9 + at)
  if (id === 'chart') {
    return [{ key: 'Balance', points: buckets.map((at) => [at * BUCKET_MS, at % 4 === 0 ? -3 : 40 + (at % 7) * 8]) }]
  }
  return LANES.map((lane, line) => ({
    key: `Lane ${lane}`,
    points: buckets.map((at) => [at * BUCKET_MS, price(line, at) * 3]),
  }))
}
