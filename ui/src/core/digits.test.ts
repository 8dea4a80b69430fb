// Digits that can be read from afar: as many as were asked for, and a last one that doesn't tremble.
import { describe, expect, test } from 'vitest'
import { fitting_number } from '../widgets/figure/figure'
import { value_text } from '../widgets/tally/tally'
import { write_numbers_as } from '../words/numerals'
import { dice } from './dice.test-support'
import { decimals_of, HOLD, mark_text, own_decimals, power_text, short_mark_text, significant, Steady } from './digits'
import { number_text, speed_text } from './format'
import { PLAIN as LOOK } from './plain-look.test-support'

test.each([
  [3, 0, 2],
  [3, 0.0042, 5],
  [3, 0.99, 3],
  [3, 1, 2],
  [3, 9.99, 2],
  [3, 10, 1],
  [3, 999.9, 0],
  [3, 1000, 0],
  [3, 7.25e15, 0],
  [1, 4e-9, 6],
  [2, Infinity, 1],
])('%d digits of %d leave %d after the point', (digits, widest, decimals) => {
  expect(significant(digits, widest)).toBe(decimals)
})

describe('digits after the point', () => {
  test('are the board’s where it says so', () => {
    expect(decimals_of({ ...LOOK, decimals: 2 }, [1_234])).toBe(2)
  })

  test('follow the scale, and never the value at hand', () => {
    const look = { ...LOOK, digits: 3, min: -40, max: 10 }
    for (const value of [0.001, 3, -26.4, 5_000, null]) expect(decimals_of(look, [value])).toBe(1)
  })

  test('without a scale follow the widest that was seen', () => {
    const look = { ...LOOK, digits: 3 }
    expect(decimals_of(look, [0.5, null, -12.25, NaN])).toBe(1)
    expect(decimals_of({ ...look, unit: '%' }, [0.5])).toBe(1)
    expect(decimals_of({ ...look, max: 100 }, [0.5])).toBe(0)
    expect(decimals_of(look, [])).toBe(2)
  })
})

test('a limit is written with its own digits', () => {
  expect([0, 40, 12.5, 0.01, -0.25, 1 / 3].map(own_decimals)).toEqual([0, 0, 1, 2, 2, 6])
  expect(mark_text(0.57, { unit: '%' })).toBe('57')
  expect(mark_text(0.825, { unit: '%' })).toBe('82.5')
  expect(mark_text(1e16, { unit: null })).toBe('1e16')
  expect(mark_text(-12_500, { unit: null })).toBe('−12\u2009500')
})

test('a limit that is too wide is written shorter where that says as much', () => {
  const texts = [8e15, -1e6, 1_234_567, 0, 0.01, 40].map((value) => short_mark_text(value, { unit: null }))
  expect(texts).toEqual(['8e15', '−1e6', '1\u2009234\u2009567', '0', '0.01', '40'])
})

test('a power of ten and a speed have the point of the wall’s locale: in German `1.235` is more than a thousand (H1)', () => {
  write_numbers_as('de')
  try {
    expect([
      number_text(-1.5e19, 0),
      mark_text(1.5e16, { unit: null }),
      short_mark_text(-1.5e9, { unit: null }),
      power_text(1_234_567, 0, 3),
      fitting_number(-123_456_789, 0, 4),
      value_text(1.5e12, { unit: null, decimals: 2 }),
      speed_text(0.5),
    ]).toEqual(['−1,500000e19', '1,5e16', '−1,5e9', '1,235e6', '−1,23e8', '1,5e12', '×0,5'])
  } finally {
    write_numbers_as('en')
  }
})

describe('the last digit', () => {
  /** Walks of many kinds: each with decimals, steps of its own size, and now and then a leap. */
  function* walks(): Generator<{ decimals: number; values: readonly number[] }> {
    for (let seed = 1; seed <= 200; seed += 1) {
      const throws = dice(seed)
      const decimals = throws(4)
      const step = 10 ** -decimals
      const size = step * ([0.02, 0.1, 0.5, 3][throws(4)] ?? 1)
      let value = (throws(2_001) - 1_000) * step * 0.37
      const values = Array.from({ length: 500 }, () => {
        value += ((throws(2_001) - 1_000) / 1_000) * size
        if (throws(100) === 0) value += (throws(41) - 20) * step
        return value
      })
      yield { decimals, values }
    }
  }

  // Asked once a walk: an `expect` for each of 100,000 steps takes longer than all of them.
  test('is never further from the number than 0.6 of its step, and stands on whole steps', () => {
    for (const { decimals, values } of walks()) {
      const steady = new Steady()
      let [worst, astray] = [0, 0]
      for (const value of values) {
        const written = steady.next(value, decimals) ?? NaN
        worst = Math.max(worst, Math.abs(written - value) * 10 ** decimals)
        if (Number(written.toFixed(decimals)) !== written) astray += 1
      }
      expect(worst).toBeLessThanOrEqual(HOLD + 1e-6)
      expect(astray).toBe(0)
    }
  })

  test('never goes and comes back unless the number has moved by a fifth of a step', () => {
    for (const { decimals, values } of walks()) {
      const steady = new Steady()
      let last: { from: number; to: number; at: number } | null = null
      let before: number | null = null
      let least = Infinity
      for (const value of values) {
        const written = steady.next(value, decimals) ?? NaN
        if (before !== null && written !== before) {
          const is_back = last !== null && written === last.from && before === last.to
          if (is_back) least = Math.min(least, Math.abs(value - (last?.at ?? value)) * 10 ** decimals)
          last = { from: before, to: written, at: value }
        }
        before = written
      }
      expect(least).toBeGreaterThanOrEqual(0.2 - 1e-6)
    }
  })

  test('of a number that trembles around any place changes once at most', () => {
    const throws = dice(7)
    for (let round = 0; round < 400; round += 1) {
      const steady = new Steady()
      const centre = throws(10_000) / 1_000
      let changes = -1
      let before: number | null = null
      for (let at = 0; at < 100; at += 1) {
        const written = steady.next(centre + (throws(199) - 99) / 1_000, 0)
        if (written !== before) changes += 1
        before = written
      }
      expect(changes).toBeLessThanOrEqual(1)
    }
  })

  test('is decided anew where another number of digits is written, or nothing was known', () => {
    const steady = new Steady()
    expect(steady.next(1.52, 0)).toBe(2)
    expect(steady.next(1.45, 0)).toBe(2)
    expect(steady.next(1.45, 1)).toBe(1.4)
    expect(steady.next(1.45, 0)).toBe(1)
    expect(steady.next(null, 0)).toBeNull()
    expect(steady.next(1.52, 0)).toBe(2)
    expect(steady.next(NaN, 0)).toBeNaN()
    expect(steady.next(7.25e15, 0)).toBe(7.25e15)
  })
})
