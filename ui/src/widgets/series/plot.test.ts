// A chart's lines are told apart by whatever keys a source sends.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Zone } from '../../core/format'
import type { PlotInput } from './input'
import { Plot } from './plot'

/** What the plotter was made with and given: a column of data for each series, or it can't draw. */
const made = vi.hoisted(() => [] as { series: number; columns: number }[])

vi.mock('uplot', () => ({
  default: class {
    readonly #made = { series: 0, columns: 0 }
    constructor({ series }: { series: unknown[] }) {
      this.#made.series = series.length
      made.push(this.#made)
    }
    batch(then: () => void): void {
      then()
    }
    setData(data: unknown[]): void {
      this.#made.columns = data.length
    }
    redraw(): void {
      // Nor where it is drawn.
    }
    setScale(): void {
      // Nothing is drawn here.
    }
    destroy(): void {
      // Nor kept.
    }
  },
}))
vi.mock('uplot/dist/uPlot.min.css', () => ({}))
vi.mock('../paint', () => ({
  colours: () => ({ label: '#000000', rule: '#000000', stale: '#000000', panel: '#000000', lines: ['#000000'] }),
  hatch: () => '#000000',
  mixed: () => '#000000',
}))

beforeEach(() => {
  made.length = 0
  vi.stubGlobal('devicePixelRatio', 1)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

const input = (keys: string[]): PlotInput => ({
  look: { kind: 'series', draw: 'line', keep_ms: 60_000, bucket_ms: 10_000, decimals: 0, unit: null },
  zone: new Zone('UTC'),
  series: { kind: 'series', lines: keys.map((key) => ({ key, points: [[10_000, 3]] })), gaps: [] },
  now_ms: 60_000,
  known_until_ms: null,
  stale: false,
  lost: [],
  looked_at: null,
  rims: { left: 0, right: 0 },
  need: () => undefined,
})

test.each([[['A\nB', 'C']], [['A\nB', '\n', '']], [['']], [[]]])(
  'each line has a series of its own, whatever breaks its key: %j (H1)',
  (keys) => {
    const plot = new Plot({} as HTMLElement, { width: 800, height: 400 }, 10)
    plot.update(input(keys))
    expect(made).toEqual([{ series: keys.length + 1, columns: keys.length + 1 }])
  },
)

test('lines that are others make a new plot, also where their keys read alike put together (H1)', () => {
  const plot = new Plot({} as HTMLElement, { width: 800, height: 400 }, 10)
  plot.update(input(['A\nB']))
  plot.update(input(['A', 'B']))
  plot.update(input(['A', 'B']))
  expect(made.map(({ series }) => series)).toEqual([2, 3])
  expect(made.map(({ columns }) => columns)).toEqual([2, 3])
})
