// However many values share a pixel, the highest and the lowest of them are drawn: a spike is what one looks for.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import uPlot from 'uplot'
import { dice } from '../../core/dice.test-support'
import { columns } from '../../core/columns'
import { heap, type OneBar } from './draw_bars'

const drawn = vi.hoisted(() => [] as { x: number; y: number }[])

beforeEach(() => {
  drawn.length = 0
  vi.stubGlobal(
    'Path2D',
    class {
      moveTo(x: number, y: number): void {
        drawn.push({ x, y })
      }
      lineTo(x: number, y: number): void {
        drawn.push({ x, y })
      }
    },
  )
})
afterEach(() => {
  vi.unstubAllGlobals()
})

/** Has the plotter itself make the path of one line, in a picture of so many pixels whose heights are the values. */
function path(times: readonly number[], values: readonly (number | null)[], pixels: number): void {
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 1]
  const share = (value: number): number => (value - first) / (last - first || 1)
  const plot = {
    mode: 1,
    _data: [times, values],
    series: [{ scale: 'x' }, { scale: 'y', pxRound: (value: number) => value, fill: null, spanGaps: true }],
    scales: {
      x: { key: 'x', ori: 0, dir: 1, valToPct: share },
      y: { key: 'y', ori: 1, dir: 1, valToPct: (value: number) => value },
    },
    bbox: { left: 0, top: 0, width: pixels, height: 1 },
    // All within a pixel begins with it.
    valToPosH: (value: number) => Math.floor(share(value) * pixels),
    valToPosV: (value: number) => value,
    posToVal: (pixel: number) => first + (pixel / pixels) * (last - first),
  }
  const build = uPlot.paths.linear?.() as unknown as (of: unknown, at: number, from: number, to: number) => unknown
  build(plot, 1, 0, times.length - 1)
}

test('a line: at every pixel its highest and its lowest value, of up to all the values that are held', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const die = dice(seed)
    const [count, pixels] = [3 + die(2_000), 20 + die(900)]
    drawn.length = 0
    const points = Array.from({ length: count }, (_, at): [number, number | null] => [
      at * 1_000,
      die(40) === 0 ? null : die(1_000) + (die(200) === 0 ? 100_000 : 0),
    ])
    const { times, values } = columns(
      { kind: 'series', lines: [{ key: 'a', points }], gaps: [] },
      { bucket_ms: 1_000, until_ms: Infinity, gaps: [] },
    )
    const line = values[0] ?? []
    const known = line.filter((value) => value !== null)
    if (known.length === 0) continue
    path(times, line, pixels)
    const [first, last] = [times[0] ?? 0, times.at(-1) ?? 1]
    const extremes = new Map<number, { low: number; high: number }>()
    line.forEach((value, at) => {
      if (value === null) return
      const x = Math.floor((((times[at] ?? 0) - first) / (last - first || 1)) * pixels)
      const before = extremes.get(x)
      extremes.set(x, { low: Math.min(before?.low ?? value, value), high: Math.max(before?.high ?? value, value) })
    })
    const heights = new Map<number, Set<number>>()
    for (const { x, y } of drawn) heights.set(x, (heights.get(x) ?? new Set()).add(y))
    for (const [x, { low, high }] of extremes) {
      // What lies between two pixels may be drawn on either.
      const here = (y: number): boolean => [x - 1, x, x + 1].some((near) => heights.get(near)?.has(y) === true)
      expect([here(low), here(high)], `${String(seed)} at ${String(x)}`).toEqual([true, true])
    }
    const all = drawn.map(({ y }) => y)
    expect([Math.min(...all), Math.max(...all)]).toEqual([Math.min(...known), Math.max(...known)])
  }
})

test('bars: on every pixel each line once, with its highest and its lowest, and the lower before the higher', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const die = dice(seed)
    const bars = Array.from({ length: 1 + die(600) }, (): OneBar => ({
      line: die(12),
      x: die(90),
      value: die(2_000) - 500,
      whole: die(10) > 0,
    }))
    const places = heap(bars)
    const name = (line: number, x: number): string => `${String(line)} ${String(x)}`
    const names = new Set(bars.map(({ line, x }) => name(line, x)))
    for (const [x, all] of places) {
      expect(new Set(all.map(({ line }) => line)).size).toBe(all.length)
      const lengths = all.map(({ low, high }) => high - low)
      expect(lengths).toEqual([...lengths].sort((a, b) => b - a))
      for (const { line, low, high, whole } of all) {
        const own = bars.filter((one) => one.x === x && one.line === line)
        expect(high).toBe(Math.max(0, ...own.map(({ value }) => value)))
        expect(low).toBe(Math.min(0, ...own.map(({ value }) => value)))
        expect(whole).toBe(own.every((one) => one.whole))
      }
    }
    expect([...places.values()].flat().length).toBe(names.size)
  }
})
