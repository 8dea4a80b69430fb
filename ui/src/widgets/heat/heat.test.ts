// A heat map's cells: where each stands, and that nobody's gap is taken for nothing (H1, H3).
import { describe, expect, test } from 'vitest'
import type { HeatLook } from '../../generated/frame'
import { Zone } from '../../core/format'
import { cell_words, type HeatCell, rows_of_days, rows_of_keys, STEPS, steps_of } from './heat'

const HOUR = 3_600_000
const LOOK: HeatLook = {
  unit: null,
  decimals: 0,
  keep_ms: 6 * HOUR,
  bucket_ms: HOUR,
  days: false,
  min: null,
  max: null,
}
const known = (until_ms: number, gaps: [number, number][] = []) => ({ bucket_ms: HOUR, until_ms, gaps })
const series = (points: [number, number | null][]) => ({
  kind: 'series' as const,
  lines: [{ key: 'a', points }],
  gaps: [],
})

test('shares have steps of percents and not of wholes', () => {
  const { limits, of } = steps_of({ ...LOOK, unit: '%' }, [0.02, 0.3, 0.9])
  expect(limits).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
  expect([0.02, 0.3, 0.9].map(of)).toEqual([0, 1, 4])
  // No finer than they are written.
  expect(steps_of({ ...LOOK, unit: '%' }, [0.01]).limits).toEqual([0, 0.01, 0.02, 0.03, 0.04, 0.05])
})

describe('rows by key', () => {
  const now = 10.5 * HOUR

  test('zero, nothing, unknown, part and whole are five things', () => {
    const points: [number, number | null][] = [
      [6 * HOUR, 0],
      [7 * HOUR, null],
      [8 * HOUR, null],
      [9 * HOUR, 4],
      [10 * HOUR, 5],
    ]
    const grid = rows_of_keys(series(points), LOOK, known(now, [[8.2 * HOUR, 9.3 * HOUR]]), now, 99)
    expect(grid.columns).toBe(6)
    expect(grid.cells.map(({ is, value, lacks }) => [is, value, lacks])).toEqual([
      ['unknown', 0, false],
      ['whole', 0, false],
      ['nothing', 0, false],
      ['unknown', 0, true],
      ['partial', 4, true],
      ['partial', 5, false],
    ])
  })

  test('what came after the last proof is unknown, whatever stands there', () => {
    const grid = rows_of_keys(
      series([
        [9 * HOUR, 3],
        [10 * HOUR, 5],
      ]),
      LOOK,
      known(9.5 * HOUR),
      now,
      99,
    )
    expect(grid.cells.slice(-2).map(({ is }) => is)).toEqual(['partial', 'unknown'])
  })

  test('where there is no room for all the newest are shown', () => {
    const grid = rows_of_keys(series([[10 * HOUR, 5]]), LOOK, known(now), now, 3)
    expect([grid.columns, grid.from_ms, grid.cells.at(-1)?.start_ms]).toEqual([3, 8 * HOUR, 10 * HOUR])
  })
})

describe('rows by day', () => {
  const zone = new Zone('Europe/Zurich')
  const days = { ...LOOK, days: true, keep_ms: 48 * HOUR }
  const grid_at = (now: number) => {
    const points = Array.from({ length: 60 }, (_, at): [number, number] => [
      Math.floor(now / HOUR) * HOUR - (59 - at) * HOUR,
      at,
    ])
    return rows_of_days(series(points), days, known(now), now, zone)
  }

  test('a row a day, from midnight by the zone’s clock, the newest last', () => {
    const grid = grid_at(Date.UTC(2026, 10, 26, 14, 32))
    expect([grid.rows, grid.columns]).toEqual([['Tue 24 Nov', 'Wed 25 Nov', 'Thu 26 Nov'], 24])
    expect(grid.short_rows).toEqual(['Tue 24', 'Wed 25', 'Thu 26'])
    const last = grid.cells.at(-1)
    expect([last?.row, last?.column, last?.is]).toEqual([2, 15, 'partial'])
    expect(grid.cells.find(({ row, column }) => row === 2 && column === 0)?.start_ms).toBe(Date.UTC(2026, 10, 25, 23))
  })

  test('an hour that clocks have twice shares a cell, and one that they skip has none', () => {
    const autumn = grid_at(Date.UTC(2026, 9, 25, 12, 30))
    const twice = autumn.cells.filter(({ row, column }) => autumn.rows[row] === 'Sun 25 Oct' && column === 2)
    expect(twice.map(({ part, parts }) => [part, parts])).toEqual([
      [0, 2],
      [1, 2],
    ])
    const spring = grid_at(Date.UTC(2026, 2, 29, 12, 30))
    expect(spring.cells.some(({ row, column }) => spring.rows[row] === 'Sun 29 Mar' && column === 2)).toBe(false)
    expect(spring.cells.some(({ row, column }) => spring.rows[row] === 'Sun 29 Mar' && column === 3)).toBe(true)
  })
})

test('a hand reads what is known of a cell and no more: unknown, no value and zero are three things (H1)', () => {
  const cell = (is: HeatCell['is'], lacks = false): HeatCell => ({
    ...{ row: 0, column: 0, part: 0, parts: 1, start_ms: 0, value: 0, is, lacks },
  })
  const said = (is: HeatCell['is'], lacks = false): string =>
    cell_words(cell(is, lacks), { decimals: 0, unit: 'calls' })
  expect([said('unknown'), said('nothing'), said('whole')]).toEqual(['----', 'no value', '0 calls'])
  expect(cell_words({ ...cell('whole'), value: 0.073 }, { decimals: 1, unit: '%' })).toBe('7.3 %')
  expect([said('partial'), said('partial', true)]).toEqual(['0 calls so far', '0 calls, incomplete'])
})

describe('steps of lightness', () => {
  test.each([
    ['the board’s', { min: 0, max: 50 }, [7], [0, 10, 20, 30, 40, 50]],
    ['round ones around the values', {}, [3, 81], [0, 20, 40, 60, 80, 100]],
    ['below zero', {}, [-26, -4], [-30, -20, -10, 0, 10, 20]],
    ['of nothing', {}, [], [0, 1, 2, 3, 4, 5]],
    ['of ones', {}, [1, 2], [0, 1, 2, 3, 4, 5]],
  ])('%s', (_, own, values, limits) => {
    expect(steps_of({ ...LOOK, ...own }, values).limits).toEqual(limits)
  })

  test('every value has a step, and a higher one no lower step', () => {
    const { of } = steps_of({ ...LOOK, min: 0, max: 1 }, [])
    const found = [-1e300, -1, 0, 0.19, 0.2, 0.39, 0.4, 0.999, 1, 7, 1e300].map(of)
    expect(found).toEqual([0, 0, 0, 0, 1, 1, 2, 4, 4, 4, 4])
    expect(Math.max(...found)).toBe(STEPS - 1)
  })
})
