/**
 * A wall of forty widgets under a rate of events that the address names: `scenario=busy&rate=10000`. For measuring what the page can take. Of
 * what happened since the frame before, a widget gets what the board would send: its newest state, bounded, and nothing if nothing
 * of it changed. With `hurry=60` an hour goes by in a minute, with all of its events.
 */
import { PLAIN } from '../core/plain-look.test-support'
import type {
  BoardView,
  Frame,
  LineValue,
  Look,
  MarkerValue,
  NumberLook,
  Quality,
  RowValue,
  State,
  WidgetPatch,
  WidgetValue,
  WidgetView,
} from '../generated/frame'
import { random } from './fake-day'

const CHANNELS = 20
const ROWS = 50
const LINES = 50
const MARKERS = 60
const TILES = 6
const KEEP_MS = 60_000
const BUCKET_MS = 250
const TREND_MS = 60_000
const NUMBER: NumberLook = { ...PLAIN, unit: '/h', min: 0, max: 1e6, trend_ms: TREND_MS }

const LOOKS: Record<string, Look> = {
  counter: { kind: 'counter', ...NUMBER },
  gauge: { kind: 'gauge', ...NUMBER, max: 100 },
  table: {
    kind: 'table',
    limit: ROWS,
    columns: (['time', 'text', 'number', 'state'] as const).map((format) => ({
      title: format,
      format,
      decimals: 0,
      width: 1,
    })),
  },
  map: { kind: 'markers', bounds: [-82, 37, -68, 45.5], places: [], glide_ms: 0, trail: null },
  log: { kind: 'log', limit: LINES },
  tiles: { kind: 'status' },
}
const CHART: Look = { kind: 'series', draw: 'line', unit: null, decimals: 0, keep_ms: KEEP_MS, bucket_ms: BUCKET_MS }

/** What stands where: its kind, how many columns and rows it has, and from which place on how many of them stand side by side. */
const PARTS: readonly (readonly [
  kind: string,
  width: number,
  height: number,
  column: number,
  row: number,
  count: number,
])[] = [
  ['counter', 2, 2, 1, 1, 10],
  ['gauge', 2, 2, 1, 3, 10],
  ['table', 4, 4, 1, 5, 2],
  ['map', 4, 4, 9, 5, 1],
  ['chart', 2, 4, 13, 5, 4],
  ['log', 4, 2, 1, 9, 2],
  ['log', 4, 2, 1, 11, 2],
  ['map', 4, 4, 9, 9, 1],
  ['chart', 2, 2, 13, 9, 4],
  ['tiles', 2, 2, 13, 11, 4],
]

const VIEWS: readonly WidgetView[] = PARTS.flatMap(([kind, width, height, column, row, count]) =>
  Array.from({ length: count }, (_, at) => ({ kind, place: { column: column + at * width, row, width, height } })),
).map(({ kind, place }, at) => ({
  id: `w${String(at)}`,
  title: `${kind} ${String(at)}`,
  note: null,
  source: 'ops',
  place,
  look: LOOKS[kind] ?? CHART,
}))

export const BUSY_BOARD: BoardView = {
  title: 'Busy',
  timezone: 'UTC',
  theme: 'dark',
  columns: 20,
  rows: 12,
  widgets: [...VIEWS],
}

const STATES: readonly State[] = ['normal', 'normal', 'normal', 'warning', 'normal', 'alarm']
/** Where each kind's widgets stand: an event touches one of each. */
const PLACES = new Map<string, number[]>()
for (const [at, { look }] of VIEWS.entries()) PLACES.set(look.kind, [...(PLACES.get(look.kind) ?? []), at])

interface Chart {
  sum: number
  slot: number
  points: [number, number | null][]
}

export class Busy {
  readonly #rate: number
  readonly #hurry: number
  readonly #dice = random(1)
  readonly #began_ms = performance.now()
  readonly #epoch_ms = Date.now()
  readonly #counts = new Array<number>(VIEWS.length).fill(0)
  readonly #rows = new Map<number, RowValue[]>()
  readonly #lines = new Map<number, LineValue[]>()
  readonly #charts = new Map<number, Chart>()
  readonly #markers = new Map<number, Map<string, MarkerValue>>()
  #events = 0

  constructor(rate: number, hurry: number) {
    this.#rate = rate
    this.#hurry = hurry
  }

  /** Until there is something to tell, in real milliseconds. */
  get wait_ms(): number {
    return Math.max(1, 1000 / this.#rate / this.#hurry)
  }

  /** This machine's clock, as fast as it goes. */
  now(): number {
    return this.#epoch_ms + (performance.now() - this.#began_ms) * this.#hurry
  }

  /** Makes the frame of what happened since the one before. */
  next(base: Omit<Frame, 'widgets' | 'board'>, all: boolean, quality: Quality): Frame {
    const now = base.clock.wall_ms
    const due = Math.floor(((now - this.#epoch_ms) / 1000) * this.#rate) + 1
    const fresh = due - this.#events
    const touched = new Set<number>()
    // Of rows and lines that are pushed out before anybody sees them nothing is made: the board sends none of them either.
    for (let event = Math.max(0, fresh - 4 * ROWS); event < fresh; event += 1)
      this.#fold(this.#events + event, now, touched)
    this.#events = due
    const widgets = VIEWS.map(({ id, look }, at): WidgetPatch => {
      const changed =
        all || touched.has(at) || (look.kind === 'series' && this.#charts.get(at)?.slot !== this.#slot(now))
      return { id, quality, value: changed ? this.#value(look, at, now, all) : null }
    })
    return { ...base, board: all ? BUSY_BOARD : null, widgets }
  }

  #slot(now: number): number {
    return Math.floor(now / BUCKET_MS) * BUCKET_MS
  }

  #fold(number: number, now: number, touched: Set<number>): void {
    const channel = Math.floor(this.#dice() * CHANNELS)
    const state = STATES[channel % STATES.length] ?? 'normal'
    for (const [kind, places] of PLACES) {
      const target = places[channel % places.length] ?? 0
      touched.add(target)
      this.#counts[target] = (this.#counts[target] ?? 0) + 1
      if (kind === 'table') {
        const cells = [
          { is: 'time', as: now },
          { is: 'text', as: `sensor ${String(channel)}` },
          { is: 'number', as: Math.round(this.#dice() * 1000) },
          { is: 'text', as: state },
        ] as RowValue['cells']
        this.#rows.set(
          target,
          [{ key: String(number), cells, state }, ...(this.#rows.get(target) ?? [])].slice(0, ROWS),
        )
      } else if (kind === 'log') {
        const text = `sensor ${String(channel)} said ${String(number)}`
        const line = { number, source_ms: now, text, state }
        this.#lines.set(target, [line, ...(this.#lines.get(target) ?? [])].slice(0, LINES))
      } else if (kind === 'markers') {
        const key = String(number % MARKERS)
        const markers = this.#markers.get(target) ?? new Map<string, MarkerValue>()
        this.#markers.set(target, markers)
        const turn = number / 900 + Number(key)
        markers.set(key, {
          key,
          lat: 41 + 3 * Math.sin(turn),
          lon: -75 + 5 * Math.cos(turn * 1.7),
          heading: (number / 5) % 360,
          icon: null,
          trail: [],
          trail_whole: false,
          label: null,
          state,
        })
      }
    }
  }

  #value(look: Look, at: number, now: number, all: boolean): WidgetValue {
    switch (look.kind) {
      case 'table': {
        const rows = this.#rows.get(at) ?? []
        const order = rows.map(({ key }) => key)
        return { kind: 'table', whole: true, rows, removed: [], order, total: this.#counts[at] ?? 0, at_least: false }
      }
      case 'log':
        return { kind: 'log', whole: true, lines: this.#lines.get(at) ?? [], total: this.#counts[at] ?? 0 }
      case 'status': {
        const tiles = Array.from({ length: TILES }, (_, one) => ({
          key: String(one),
          label: `Lane ${String(one)}`,
          text: String((this.#counts[at] ?? 0) + one),
          state: STATES[one] ?? 'normal',
          detail: null,
          since_ms: now,
        }))
        return { kind: 'status', tiles }
      }
      case 'markers': {
        const markers = [...(this.#markers.get(at)?.values() ?? [])]
        return { kind: 'markers', whole: true, markers, removed: [], total: markers.length, unplaced: 0, gaps: [] }
      }
      case 'series':
        return this.#chart(at, now, all)
      default: {
        const count = this.#counts[at] ?? 0
        const value = look.kind === 'gauge' ? 50 + 40 * Math.sin(count / 500) : count % 1_000_000
        const trend = Array.from({ length: 61 }, (_, slot) => value * (0.8 + 0.2 * Math.sin(slot / 5)))
        return { kind: 'number', value, state: 'normal', change: 12, toward: null, trend, at_least: false }
      }
    }
  }

  #chart(at: number, now: number, all: boolean): WidgetValue {
    const slot = this.#slot(now)
    const chart = this.#charts.get(at) ?? { sum: 0, slot, points: [] }
    this.#charts.set(at, chart)
    const value = 40 + 20 * Math.sin(slot / 4_000 + at) + 5 * this.#dice()
    // What is left out between two frames of a hurry is as a board has it: every stretch its point.
    const from = Math.max(chart.slot, slot - KEEP_MS)
    const fresh: [number, number | null][] = []
    for (let one = from; one <= slot; one += BUCKET_MS) fresh.push([one, value + 5 * Math.sin(one / 700)])
    chart.slot = slot
    const held = chart.points.filter(([when]) => when < from && when >= slot - KEEP_MS)
    chart.points = [...held, ...fresh]
    const points = all ? chart.points : fresh
    return { kind: 'series', whole: all, lines: [{ key: 'mean', points }], gaps: [] }
  }
}
