/** A board as busy as a wall gets, for measuring what a frame costs: every frame changes nearly all that it shows. */
import type { BoardView, Frame, Look, NumberLook, Quality, RowValue, WidgetPatch, WidgetView } from '../generated/frame'
import { PLAIN } from '../core/plain-look.test-support'
import { random } from './fake-day'

const COUNTERS = 12
const ROWS = 50
const CHARTS = 4
const POINTS = 241
const MARKERS = 40
const NUMBER: NumberLook = { ...PLAIN, max: 999_999, trend_ms: 60_000 }

function view(
  id: string,
  [column, row, width, height]: readonly [number, number, number, number],
  look: Look,
): WidgetView {
  return { id, title: id, note: null, source: 'ops', place: { column, row, width, height }, look }
}

export const RUSH_BOARD: BoardView = {
  title: 'Rush',
  timezone: 'UTC',
  theme: 'dark',
  columns: 12,
  rows: 12,
  widgets: [
    ...Array.from({ length: COUNTERS }, (_, at) =>
      view(`counter-${String(at)}`, [1 + (at % 6) * 2, 1 + Math.floor(at / 6) * 2, 2, 2], {
        kind: 'counter',
        ...NUMBER,
      }),
    ),
    view('rows', [1, 5, 4, 8], {
      kind: 'table',
      limit: ROWS,
      columns: ['Time', 'What', 'Value', 'State'].map((title, at) => ({
        title,
        format: ['time', 'text', 'number', 'state'][at] ?? 'text',
        decimals: 0,
        width: 1,
      })),
    }),
    ...Array.from({ length: CHARTS }, (_, at) =>
      view(`chart-${String(at)}`, [5 + (at % 2) * 2, 5 + Math.floor(at / 2) * 4, 2, 4], {
        kind: 'series',
        draw: 'line',
        unit: null,
        decimals: 0,
        keep_ms: 60_000,
        bucket_ms: 250,
      }),
    ),
    view('map', [9, 5, 4, 8], {
      kind: 'markers',
      bounds: [-82, 37, -68, 45.5],
      places: [],
      glide_ms: 100,
      trail: null,
    }),
  ],
}

/** Makes the frames of a rush: `events` happened since the one before. */
export class Rush {
  readonly #dice = random(1)
  #rows: RowValue[] = []
  #counts = new Array<number>(COUNTERS).fill(0)
  #number = 0

  next(base: Omit<Frame, 'widgets' | 'board'>, events: number, all: boolean, quality: Quality): Frame {
    const now = base.clock.wall_ms
    const fresh: RowValue[] = []
    for (let event = 0; event < events; event += 1) {
      const at = Math.floor(this.#dice() * COUNTERS)
      this.#counts[at] = (this.#counts[at] ?? 0) + 1
      this.#number += 1
      fresh.unshift({
        key: String(this.#number),
        cells: [
          { is: 'time', as: now },
          { is: 'text', as: `sensor ${String(at)}` },
          { is: 'number', as: Math.round(this.#dice() * 1000) },
          { is: 'text', as: 'normal' },
        ],
        state: at === 3 ? 'warning' : 'normal',
      })
    }
    const before = this.#rows
    this.#rows = [...fresh, ...before].slice(0, ROWS)
    const kept = new Set(this.#rows)
    const removed = before.filter((row) => !kept.has(row)).map((row) => row.key)
    const widgets = RUSH_BOARD.widgets.map(({ id, look }): WidgetPatch => ({
      id,
      quality,
      value: null as WidgetPatch['value'],
      ...this.#value(id, look, now, all, fresh, removed),
    }))
    return { ...base, board: all ? RUSH_BOARD : null, widgets }
  }

  #value(
    id: string,
    look: Look,
    now: number,
    all: boolean,
    fresh: RowValue[],
    removed: string[],
  ): Partial<WidgetPatch> {
    if (look.kind === 'table') {
      const rows = all ? this.#rows : fresh.slice(0, ROWS)
      return {
        value: {
          kind: 'table',
          whole: all,
          rows,
          removed,
          order: this.#rows.map((row) => row.key),
          total: ROWS,
          at_least: false,
        },
      }
    }
    if (look.kind === 'series') {
      const start = Math.floor(now / 250) * 250
      const points: [number, number | null][] = []
      for (let back = all ? POINTS : 0; back >= 0; back -= 1) points.push([start - back * 250, 40 + this.#dice() * 20])
      return { value: { kind: 'series', whole: all, lines: [{ key: id, points }], gaps: [] } }
    }
    if (look.kind === 'markers') {
      const markers = Array.from({ length: MARKERS }, (_, at) => ({
        key: String(at),
        lat: 41 + 3 * Math.sin(now / 9_000 + at),
        lon: -75 + 5 * Math.cos(now / 11_000 + at * 1.7),
        heading: (now / 50 + at * 9) % 360,
        icon: null,
        trail: [],
        trail_whole: false,
        label: null,
        state: 'normal' as const,
      }))
      return { value: { kind: 'markers', whole: all, markers, removed: [], total: MARKERS, unplaced: 0, gaps: [] } }
    }
    const value = this.#counts[Number(id.split('-')[1])] ?? 0
    const trend = Array.from({ length: 60 }, (_, at) => value - (60 - at) * 3)
    return { value: { kind: 'number', value, state: 'normal', change: 180, toward: null, trend, at_least: false } }
  }
}
