// One page over several monitors: every panel is somewhere, once, and on one monitor wherever the grid lets it be.
import { expect, test } from 'vitest'
import type { Place, SpanView } from '../generated/frame'
import { dice } from './dice.test-support'
import type { Layout } from './layout'
import { cuts, letters, spread, whole_px } from './span'

const place = (column: number, row: number, width: number, height: number): Place => ({ column, row, width, height })
function layout(columns: number, rows: number, places: readonly Place[]): Layout {
  return { extent: { columns, rows }, places: new Map(places.map((one, at) => [String(at), one])) }
}
const view = (columns: number, rows: number, hidden: [number, number] = [0, 0]): SpanView => ({
  ...{ columns, rows, column: 0, row: 0 },
  ...{ monitor_px: [1920, 1080], hidden_px: hidden },
})

test('a grid is cut in the middle where no panel is', () => {
  const page = layout(24, 12, [place(1, 1, 12, 12), place(13, 1, 12, 6), place(13, 7, 12, 6)])
  const { parts, across } = spread(page, { columns: 2, rows: 1 })
  expect(across).toEqual([])
  expect(parts.map(({ places }) => [...places.keys()])).toEqual([['0'], ['1', '2']])
  expect(parts.map(({ extent }) => extent)).toEqual([
    { columns: 24, rows: 12 },
    { columns: 24, rows: 12 },
  ])
})

test('it is cut beside the middle rather than through a panel', () => {
  const three = [place(1, 1, 8, 12), place(9, 1, 8, 12), place(17, 1, 8, 12)]
  const { parts, across } = spread(layout(24, 12, three), { columns: 2, rows: 1 })
  expect(across).toEqual([])
  expect(parts.map(({ places }) => places.size).sort()).toEqual([1, 2])
  expect(spread(layout(24, 12, three), { columns: 3, rows: 1 }).parts.map(({ places }) => places.size)).toEqual([
    1, 1, 1,
  ])
})

test('a panel that lies across all lines has its frame over all of them and its content on one', () => {
  const page = layout(24, 12, [place(1, 1, 24, 4), place(1, 5, 12, 8), place(13, 5, 12, 8)])
  const { parts, across } = spread(page, { columns: 2, rows: 1 })
  expect(across).toEqual(['0'])
  expect(parts.map(({ places }) => [...places.keys()])).toEqual([['0', '1'], ['2']])
  for (const part of parts) {
    expect(part.across).toEqual([
      {
        id: '0',
        left: { monitor: 0, share: 0 },
        right: { monitor: 1, share: 1 },
        top: { monitor: 0, share: 0 },
        bottom: { monitor: 0, share: 1 / 3 },
        piece: place(1, 1, 24, 4),
        whole: false,
      },
    ])
  }
})

test('a map that lies across is drawn on each of its monitors', () => {
  const page = layout(24, 12, [place(1, 1, 24, 4), place(1, 5, 12, 8), place(13, 5, 12, 8)])
  const { parts, across } = spread(page, { columns: 2, rows: 1 }, (id) => id === '0')
  expect(across).toEqual([])
  expect(parts.map(({ places }) => [...places.keys()])).toEqual([
    ['0', '1'],
    ['0', '2'],
  ])
  expect(parts.map(({ across: frames }) => frames.map(({ whole }) => whole))).toEqual([[true], [true]])
})

test('what a panel says stands on the monitor that has most of it', () => {
  const page = layout(12, 6, [place(3, 1, 10, 2), place(1, 3, 4, 4), place(5, 3, 8, 4)])
  const { parts, across } = spread(page, { columns: 2, rows: 1 })
  expect(across).toEqual(['0'])
  expect(parts.map(({ places }) => [...places.keys()])).toEqual([['1'], ['0', '2']])
  expect(parts[1]?.places.get('0')).toEqual({ column: 1, row: 1, width: 16, height: 2 })
})

/** Panels that lie over no other, anywhere on a grid. */
function random_page(random: (sides: number) => number): Layout {
  const [columns, rows] = [1 + random(24), 1 + random(12)]
  const taken = new Set<number>()
  const places: Place[] = []
  for (let tries = 0; tries < 40; tries += 1) {
    const one = place(1 + random(columns), 1 + random(rows), 1 + random(columns), 1 + random(rows))
    if (one.column + one.width - 1 > columns || one.row + one.height - 1 > rows) continue
    const cells = Array.from({ length: one.width * one.height }, (_, at) => {
      return one.column + (at % one.width) + 100 * (one.row + Math.floor(at / one.width))
    })
    if (cells.some((cell) => taken.has(cell))) continue
    for (const cell of cells) taken.add(cell)
    places.push(one)
  }
  return layout(columns, rows, places)
}

test('whatever the page and the monitors: all of it is drawn once, in its own part, over nothing else', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = dice(seed)
    const page = random_page(random)
    const wall = { columns: 1 + random(5), rows: 1 + random(4) }
    const { parts, across } = spread(page, wall)
    const why = `seed ${String(seed)}`
    expect(parts.length, why).toBe(wall.columns * wall.rows)
    // The parts tile the page: each line of the grid is one monitor's.
    const widths = parts.slice(0, wall.columns).map(({ extent }) => extent.columns)
    expect(
      widths.reduce((sum, own) => sum + own, 0),
      why,
    ).toBe(page.extent.columns * wall.columns)
    parts.forEach(({ extent }, at) => {
      expect(extent.columns, why).toBe(widths[at % wall.columns])
      expect(extent.columns > 0 && extent.rows > 0, why).toBe(true)
    })
    // Nothing vanishes and nothing is drawn twice.
    expect(parts.flatMap(({ places }) => [...places.keys()]).sort(), why).toEqual([...page.places.keys()].sort())
    for (const { extent, places, across: frames } of parts) {
      const own = [...places]
      own.forEach(([, one], at) => {
        expect(one.width > 0 && one.height > 0 && one.column >= 1 && one.row >= 1, why).toBe(true)
        expect(one.column + one.width - 1 <= extent.columns && one.row + one.height - 1 <= extent.rows, why).toBe(true)
        for (const [, other] of own.slice(at + 1)) {
          const apart =
            one.column + one.width <= other.column ||
            other.column + other.width <= one.column ||
            one.row + one.height <= other.row ||
            other.row + other.height <= one.row
          expect(apart, `${why}: ${JSON.stringify([one, other])}`).toBe(true)
        }
      })
      for (const frame of frames) expect(across, why).toContain(frame.id)
    }
    // What doesn't lie across has all of its cells on its monitor.
    for (const [id, { width, height }] of page.places) {
      const own = parts.find(({ places }) => places.has(id))?.places.get(id)
      const whole = own?.width === width * wall.columns && own.height === height * wall.rows
      expect(whole, `${why}: ${id}`).toBe(!across.includes(id))
    }
  }
})

test('no line through a panel is taken where another costs less', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = dice(seed)
    const [count, monitors] = [4 + random(20), 2 + random(2)]
    const panels = Array.from({ length: 1 + random(6) }, () => {
      const from = random(count)
      return { from, to: from + 1 + random(count - from), share: 0.1 }
    })
    const cost = (lines: readonly number[]): number => {
      const inner = lines.slice(1, -1)
      const cut = panels.flatMap(({ from, to }) => inner.filter((line) => from < line && line < to)).length * 0.7
      return lines.slice(1).reduce((sum, line, at) => {
        return sum + Math.log(((line - (lines[at] ?? 0)) * monitors) / count) ** 2 / monitors
      }, cut)
    }
    const all = (left: number, from: number): number[][] =>
      left === 1
        ? [[count]]
        : Array.from({ length: count - from - 1 }, (_, at) => from + 1 + at).flatMap((line) =>
            all(left - 1, line).map((rest) => [line, ...rest]),
          )
    const least = Math.min(...all(monitors, 0).map((lines) => cost([0, ...lines])))
    expect(cost(cuts(panels, count, monitors)), `seed ${String(seed)}`).toBeCloseTo(least, 9)
  }
})

test('the whole is what is seen and what is hidden, and its letters are as large as one monitor has room for', () => {
  const window = { width: 1920, height: 1080 }
  expect(whole_px(view(3, 1, [60, 0]), window)).toEqual({ width: 5880, height: 1080 })
  // The page's pixels may be others than the monitor's.
  expect(whole_px(view(2, 2, [60, 20]), { width: 960, height: 540 })).toEqual({ width: 1950, height: 1090 })
  expect(letters(view(3, 1), window)).toBe(1)
  expect(letters(view(2, 2), window)).toBe(1.5)
  expect(letters(view(1, 2), window)).toBeCloseTo(1.125, 6)
  expect(letters({ ...view(3, 1), monitor_px: [1080, 1920] }, { width: 1080, height: 1920 })).toBe(1)
})
