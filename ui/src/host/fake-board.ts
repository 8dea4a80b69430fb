/** The made-up day as a board: what a wall would show of it at an instant. */
import type {
  BoardView,
  Cell,
  Look,
  MarkerValue,
  NumberLook,
  NumberValue,
  RowValue,
  State,
  TileValue,
  WidgetValue,
  WidgetView,
} from '../generated/frame'
import { PLAIN } from '../core/plain-look.test-support'
import { aloft, day, type Flight, HOUR_MS, MINUTE_MS, MIDNIGHT_MS, ORIGINS } from './fake-day'

const NUMBER: NumberLook = { ...PLAIN, trend_ms: 2 * HOUR_MS }

function widget(
  id: string,
  title: string,
  place: readonly [number, number, number, number],
  look: Look,
  note?: string,
): WidgetView {
  const [column, row, width, height] = place
  return { id, title, note: note ?? null, source: 'ops', place: { column, row, width, height }, look }
}

const SERIES = { decimals: 0, keep_ms: 12 * HOUR_MS }

const PLACES = [
  ...ORIGINS,
  { code: 'BOS', lat: 42.3643, lon: -71.0052 },
  { code: 'BUF', lat: 42.9405, lon: -78.7322 },
].map(({ code, lat, lon }) => ({ name: code, lat, lon }))

export const BOARD: BoardView = {
  title: 'New York departures',
  timezone: 'America/New_York',
  theme: 'dark',
  columns: 12,
  rows: 8,
  widgets: [
    widget('airports', 'Airports', [1, 1, 4, 2], { kind: 'status' }, 'by the last hour'),
    widget(
      'rate',
      'Departures an hour',
      [5, 1, 2, 1],
      { kind: 'rate', ...NUMBER, unit: '/h', max: 99 },
      'over the last 30 minutes',
    ),
    widget(
      'cancelled-hour',
      'Cancelled, last hour',
      [7, 1, 2, 1],
      {
        kind: 'window',
        ...NUMBER,
        max: 99,
        bands: [
          { from: 15, to: 40, state: 'warning' },
          { from: 40, to: null, state: 'alarm' },
        ],
      },
      'of all that left or were cancelled',
    ),
    widget(
      'delay',
      'Mean delay, last hour',
      [9, 1, 2, 1],
      {
        kind: 'window',
        ...NUMBER,
        unit: 'min',
        decimals: 1,
        max: 99,
        bands: [{ from: 30, to: null, state: 'warning' }],
        target: 15,
        better: 'down',
      },
      'of what left; early is less than zero',
    ),
    widget(
      'wind',
      'Wind at Kennedy',
      [11, 1, 2, 1],
      {
        kind: 'gauge',
        ...NUMBER,
        unit: 'kt',
        min: 0,
        max: 50,
        bands: [
          { from: 22, to: 34, state: 'warning' },
          { from: 34, to: null, state: 'alarm' },
        ],
      },
      'hourly',
    ),
    widget('departed', 'Departed today', [5, 2, 2, 1], { kind: 'counter', ...NUMBER, max: 999 }),
    widget('cancelled', 'Cancelled today', [7, 2, 2, 1], {
      kind: 'counter',
      ...NUMBER,
      max: 999,
      bands: [
        { from: 60, to: 200, state: 'warning' },
        { from: 200, to: null, state: 'alarm' },
      ],
    }),
    widget(
      'delay-today',
      'Mean delay today',
      [9, 2, 2, 1],
      { kind: 'counter', ...NUMBER, unit: 'min', max: 99 },
      'of what left',
    ),
    widget(
      'on-time',
      'On time today',
      [11, 2, 2, 1],
      {
        kind: 'counter',
        ...NUMBER,
        unit: '%',
        max: 1,
        bands: [{ from: null, to: 0.6, state: 'warning' }],
      },
      'of what left, less than 15 min late',
    ),
    widget('board', 'Departures', [1, 3, 5, 6], {
      kind: 'table',
      limit: 40,
      columns: [
        { title: 'Time', format: 'time', decimals: 0, width: 0.75 },
        { title: 'Flight', format: 'text', decimals: 0, width: 1.05 },
        { title: 'To', format: 'text', decimals: 0, width: 2.2 },
        { title: 'From', format: 'text', decimals: 0, width: 0.72 },
        { title: 'Expected', format: 'time', decimals: 0, width: 1.05 },
        { title: 'Status', format: 'state', decimals: 0, width: 1.75 },
      ],
    }),
    widget(
      'air',
      'In the air',
      [6, 3, 4, 4],
      { kind: 'markers', bounds: [-82, 37, -68, 45.5], places: PLACES, glide_ms: 1_000, trail: null },
      'from the three airports',
    ),
    widget('log', 'Cancellations', [6, 7, 2, 2], { kind: 'log', limit: 20 }),
    widget(
      'weather',
      'Weather',
      [8, 7, 2, 2],
      {
        kind: 'table',
        limit: 3,
        columns: [
          { title: 'At', format: 'text', decimals: 0, width: 1.06 },
          { title: '°C', format: 'number', decimals: 0, width: 0.82 },
          { title: 'Wind', format: 'number', decimals: 0, width: 1.02 },
          { title: 'Gust', format: 'number', decimals: 0, width: 1.03 },
          { title: 'Vis.', format: 'number', decimals: 1, width: 1.04 },
        ],
      },
      'hourly; wind and gusts in knots, visibility in miles',
    ),
    widget(
      'movements',
      'Departures by airport',
      [10, 3, 3, 2],
      { kind: 'series', draw: 'bars', unit: null, bucket_ms: HOUR_MS, ...SERIES },
      'hourly',
    ),
    widget(
      'delay-chart',
      'Delay by airport',
      [10, 5, 3, 2],
      { kind: 'series', draw: 'line', unit: 'min', bucket_ms: 30 * MINUTE_MS, ...SERIES },
      'minutes, half-hourly',
    ),
    widget(
      'traffic',
      'Departures',
      [10, 7, 3, 2],
      { kind: 'series', draw: 'area', unit: null, bucket_ms: 30 * MINUTE_MS, ...SERIES },
      'half-hourly',
    ),
  ],
}

/** A board of one counter, at the place that a board file without places gives it. */
export const ONE_BOARD: BoardView = {
  ...BOARD,
  title: 'Orders',
  widgets: [
    widget('departed', 'Departed today', [1, 1, 3, 2], { kind: 'counter', ...NUMBER, max: 999 }, 'since midnight'),
  ],
}

/** A gauge with all that a gauge can have, of which the page's test makes any size; a counter keeps the grid. */
export const GAUGE_BOARD: BoardView = {
  ...BOARD,
  widgets: BOARD.widgets
    .filter(({ id }) => id === 'wind' || id === 'departed')
    .map((view) => {
      const at = view.id === 'wind' ? { column: 1, row: 1 } : { column: 11, row: 8 }
      return { ...view, note: 'hourly, at the field', place: { ...at, width: 2, height: 1 } }
    }),
}

const FLIGHTS = day()

function known(flight: Flight, now: number): { text: string; state: State; expected: Cell } {
  const told = flight.told_ms <= now
  if (flight.cancelled && told) return { text: 'Cancelled', state: 'alarm', expected: { is: 'null' } }
  if (!flight.cancelled && flight.off_ms <= now)
    return { text: 'Departed', state: 'muted', expected: { is: 'time', as: flight.off_ms } }
  const late = told || flight.scheduled_ms + 5 * MINUTE_MS < now
  if (late && flight.delay_min > 15) {
    const expected = Math.max(flight.scheduled_ms + flight.delay_min * MINUTE_MS, now + 10 * MINUTE_MS)
    return { text: 'Delayed', state: 'warning', expected: { is: 'time', as: expected } }
  }
  return {
    text: 'On time',
    state: 'normal',
    expected: told ? { is: 'time', as: flight.scheduled_ms } : { is: 'missing' },
  }
}

function rows(now: number): RowValue[] {
  return FLIGHTS.filter(
    (flight) => flight.scheduled_ms > now - 12 * MINUTE_MS && flight.scheduled_ms < now + 75 * MINUTE_MS,
  )
    .sort((a, b) => a.scheduled_ms - b.scheduled_ms || a.key.localeCompare(b.key))
    .map((flight) => {
      const { text, state, expected } = known(flight, now)
      const cells: Cell[] = [
        { is: 'time', as: flight.scheduled_ms },
        { is: 'text', as: flight.name },
        { is: 'text', as: flight.to.name },
        { is: 'text', as: flight.from.code },
        expected,
        { is: 'text', as: text },
      ]
      return { key: flight.key, cells, state }
    })
}

const departed = (now: number, since = 0): Flight[] =>
  FLIGHTS.filter((flight) => !flight.cancelled && flight.off_ms <= now && flight.off_ms > since)
const cancelled = (now: number, since = 0): Flight[] =>
  FLIGHTS.filter((flight) => flight.cancelled && flight.told_ms <= now && flight.told_ms > since)

function mean(flights: readonly Flight[]): number | null {
  if (flights.length === 0) return null
  return flights.reduce((sum, flight) => sum + flight.delay_min, 0) / flights.length
}

function wind(now: number): number {
  const hour = (now - MIDNIGHT_MS) / HOUR_MS
  return 9 + Math.max(0, hour - 8) * 2.6 + Math.sin(hour * 3) * 2.5
}

const MEASURES: Record<string, (now: number) => number | null> = {
  departed: (now) => departed(now).length,
  cancelled: (now) => cancelled(now).length,
  'cancelled-hour': (now) => cancelled(now, now - HOUR_MS).length,
  'on-time': (now) => {
    const gone = departed(now)
    return gone.length === 0
      ? null
      : gone.filter((flight) => flight.delay_min <= 15).length / (gone.length + cancelled(now).length)
  },
  delay: (now) => mean(departed(now, now - HOUR_MS)),
  rate: (now) => departed(now, now - HOUR_MS / 2).length * 2,
  'delay-today': (now) => mean(departed(now)),
  wind,
}

function number(view: WidgetView, now: number): NumberValue {
  const measure = MEASURES[view.id]
  const look = view.look as NumberLook
  const value = measure?.(now) ?? null
  const trend: (number | null)[] = []
  for (let slot = 40; slot >= 0; slot -= 1) trend.push(measure?.(now - (slot * 2 * HOUR_MS) / 40) ?? null)
  const band = look.bands.find(
    ({ from, to }) => value !== null && (from === null || value >= from) && (to === null || value < to),
  )
  const first = trend[0] ?? null
  const change = look.trend_ms === null || value === null || first === null ? null : value - first
  const judged = change !== null && change !== 0 && look.better !== null
  return {
    value,
    state: band?.state ?? 'normal',
    change,
    toward: judged ? (change > 0 === (look.better === 'up') ? 'better' : 'worse') : null,
    trend: look.trend_ms === null ? [] : trend,
    at_least: false,
  }
}

function tiles(now: number): TileValue[] {
  return ORIGINS.map((airport, at): TileValue => {
    const closing = MIDNIGHT_MS + (15.5 + at * 0.4) * HOUR_MS
    const slow = MIDNIGHT_MS + (12 + at * 0.7) * HOUR_MS
    const [text, state, since_ms]: [string, State, number] =
      now >= closing
        ? ['closed', 'alarm', closing]
        : now >= slow
          ? ['delays', 'warning', slow]
          : ['open', 'normal', MIDNIGHT_MS + 5 * HOUR_MS]
    return { key: airport.code, label: airport.code, text, state, detail: airport.name, since_ms }
  })
}

function weather(now: number): RowValue[] {
  return ORIGINS.map((airport, at): RowValue => {
    const speed = wind(now) + at * 1.7
    const hour = (now - MIDNIGHT_MS) / HOUR_MS
    const sight = Math.max(0.2, 10 - Math.max(0, hour - 9.5) * 2.1 - at * 0.3)
    return {
      key: airport.code,
      state: sight < 1 ? 'alarm' : sight < 4 ? 'warning' : 'normal',
      cells: [
        { is: 'text', as: airport.code },
        at === 2 && hour < 13 ? { is: 'missing' } : { is: 'number', as: 2 - (hour - 8) * 0.7 },
        { is: 'number', as: speed },
        at === 1 && hour < 13 ? { is: 'null' } : { is: 'number', as: speed * 1.4 },
        { is: 'number', as: sight },
      ],
    }
  })
}

function lines(
  now: number,
  bucket: number,
  of: (flights: Flight[]) => number | null,
): { key: string; points: [number, number | null][] }[] {
  const from = Math.max(MIDNIGHT_MS + 5 * HOUR_MS, Math.floor((now - 9 * HOUR_MS) / bucket) * bucket)
  return ORIGINS.map((airport) => {
    const points: [number, number | null][] = []
    for (let start = from; start <= now; start += bucket) {
      points.push([
        start,
        of(departed(Math.min(now, start + bucket), start).filter((flight) => flight.from === airport)),
      ])
    }
    return { key: airport.code, points }
  })
}

function all_lines(now: number, bucket: number): { key: string; points: [number, number | null][] }[] {
  const [first, ...others] = lines(now, bucket, (flights) => flights.length)
  if (first === undefined) return []
  const points = first.points.map(([time, value], at): [number, number | null] => [
    time,
    others.reduce((sum, line) => sum + (line.points[at]?.[1] ?? 0), value ?? 0),
  ])
  return [{ key: 'all', points }]
}

/** The whole value of a widget at an instant. */
export function whole(view: WidgetView, now: number): WidgetValue {
  switch (view.look.kind) {
    case 'table': {
      const all = view.id === 'weather' ? weather(now) : rows(now)
      return {
        kind: 'table',
        whole: true,
        rows: all,
        removed: [],
        order: all.map((row) => row.key),
        total: all.length,
        at_least: false,
      }
    }
    case 'log': {
      const all = cancelled(now).sort((a, b) => b.told_ms - a.told_ms)
      const shown = all.slice(0, view.look.limit).map((flight, at) => ({
        number: all.length - at,
        source_ms: flight.told_ms,
        text: `${flight.name} ${flight.from.code}–${flight.to.code}`,
        state: 'alarm' as State,
      }))
      return { kind: 'log', whole: true, lines: shown, total: all.length }
    }
    case 'series': {
      const is_delay = view.id === 'delay-chart'
      return {
        kind: 'series',
        whole: true,
        lines:
          view.id === 'traffic'
            ? all_lines(now, view.look.bucket_ms)
            : lines(now, view.look.bucket_ms, is_delay ? mean : (flights) => flights.length),
        gaps: is_delay ? [[MIDNIGHT_MS + 7.2 * HOUR_MS, MIDNIGHT_MS + 7.7 * HOUR_MS]] : [],
      }
    }
    case 'status':
      return { kind: 'status', tiles: tiles(now) }
    case 'markers': {
      const up = FLIGHTS.filter((flight) => !flight.cancelled && flight.off_ms <= now && flight.on_ms > now)
      const placed = up.filter((flight) => !Number.isNaN(flight.to.lat))
      const markers = placed.map((flight): MarkerValue => ({
        key: flight.key,
        ...aloft(flight, now),
        label: `${flight.name} ${flight.to.code}`,
        state: flight.delay_min > 60 ? 'warning' : 'normal',
        icon: null,
        trail: [],
        trail_whole: false,
      }))
      return {
        kind: 'markers',
        whole: true,
        markers,
        removed: [],
        total: up.length,
        unplaced: up.length - placed.length,
        gaps: [],
      }
    }
    default:
      return { kind: 'number', ...number(view, now) }
  }
}
