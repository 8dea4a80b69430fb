// Limits, marks and axes of a chart, as they are worked out before anything is drawn.
import { describe, expect, test } from 'vitest'
import { dice } from '../../core/dice.test-support'
import { label_width_em } from '../../core/width'
import {
  axes_of,
  axis_of,
  AxisRange,
  has_numbers,
  limit_text,
  NUMBERS,
  splits_of,
  tick_text,
  VALUE_FORMS,
  value_text,
} from './axes'
import { aim_ticks, beyond_words } from './draw_limits'
import { line_ends } from './draw_labels'
import { flag_words } from './draw_marks'
import { known_of, type PlotInput, type SeriesLook } from './input'
import { Zone } from '../../core/format'

const LOOK: SeriesLook = {
  kind: 'series',
  draw: 'line',
  unit: '°C',
  decimals: 1,
  keep_ms: 60_000,
  bucket_ms: 10_000,
  target: 20,
  bands: [
    { from: 30, to: 90, state: 'warning' },
    { from: 90, to: null, state: 'alarm' },
  ],
  lines: [
    { key: 'Flow', right: true },
    { key: 'Heat', right: false },
  ],
  right: { unit: '/min', decimals: 0, bands: [], target: null },
}

function input(points: readonly (readonly [number, number | null])[], stale = false): PlotInput {
  return {
    look: LOOK,
    zone: new Zone('UTC'),
    series: {
      kind: 'series',
      lines: [
        { key: 'Heat', points },
        { key: 'Flow', points },
      ],
      gaps: [],
    },
    now_ms: 60_000,
    known_until_ms: null,
    stale,
    lost: [],
    looked_at: null,
    rims: { left: 0, right: 0 },
    need: () => undefined,
  }
}

describe('axes', () => {
  test('a line has the axis that the board says, and its unit where there are two', () => {
    const axes = axes_of(LOOK)
    expect(['Heat', 'Flow', 'other'].map((key) => axis_of(LOOK, axes, key).scale)).toEqual(['y', 'right', 'y'])
    expect(value_text(axis_of(LOOK, axes, 'Flow'), 3, true)).toBe('3 /min')
    expect(value_text(axis_of(LOOK, axes, 'Heat'), 3, false)).toBe('3.0')
  })

  test('a scale has the limits near its values in it; marks and other lines have no part in it', () => {
    const [axis] = axes_of(LOOK)
    if (axis === undefined) throw new Error('no axis')
    const of = input([
      [40_000, 22],
      [50_000, 27],
    ])
    const lines = of.series?.lines.slice(0, 1) ?? []
    const marked = {
      ...of,
      series: {
        ...(of.series as NonNullable<PlotInput['series']>),
        marks: { list: [{ at_ms: -1e9, label: 'x' }], more: 9 },
      },
    }
    for (const one of [of, marked]) {
      const range = new AxisRange().next(axis, lines, one, { from_ms: 0, to_ms: 60_000 }, known_of(one), 4)
      expect(range.low).toBeLessThanOrEqual(20)
      expect(range.high).toBeGreaterThanOrEqual(30)
      expect(range.high).toBeLessThan(90)
    }
  })

  test('a scale reaches as far as the board says, and farther where a value does: nothing is cut', () => {
    const { target, ...aimless } = LOOK
    expect(target).toBeDefined()
    const [axis] = axes_of({ ...aimless, bands: [], min: 0, max: 100 })
    if (axis === undefined) throw new Error('no axis')
    const range_of = (...values: number[]): number[] => {
      const of = input(values.map((value, at) => [at * 10_000, value]))
      const lines = of.series?.lines.slice(0, 1) ?? []
      const range = new AxisRange().next(axis, lines, of, { from_ms: 0, to_ms: 60_000 }, known_of(of), 5)
      return [range.low, range.high]
    }
    expect(range_of(40, 41, 40, 41)).toEqual([0, 100])
    expect(range_of()).toEqual([0, 100])
    const [low = 0, high = 0] = range_of(-50, 130, 40, 0)
    expect(low).toBeLessThanOrEqual(-50)
    expect(high).toBeGreaterThanOrEqual(130)
  })

  test('ticks lie within their scale, however little room there is', () => {
    expect(splits_of({ low: 0, high: 40, step: 10 }, 8)).toEqual([0, 10, 20, 30, 40])
    expect(splits_of({ low: 0, high: 40, step: 10 }, 2)).toEqual([0, 40])
    expect(splits_of({ low: 0, high: 40, step: 10 }, 0.5)).toEqual([40])
  })
})

describe('limits', () => {
  const [axis] = axes_of(LOOK)

  test('the target has its number first, then the limits as far as there is room', () => {
    if (axis === undefined) throw new Error('no axis')
    const y_of = (value: number): number => 100 - value
    const shown = (em: number): number[] =>
      aim_ticks(axis, { low: 0, high: 100, step: 10 }, y_of, em).map(({ value }) => value)
    expect(shown(5)).toEqual([20, 30, 90])
    expect(shown(12)).toEqual([20, 90])
    expect(aim_ticks(axis, { low: 25, high: 50, step: 5 }, y_of, 5).map(({ value }) => value)).toEqual([30])
  })

  test('what lies beyond the scale is named at its edge, with how many more', () => {
    if (axis === undefined) throw new Error('no axis')
    expect(beyond_words(axis, { low: 0, high: 40, step: 10 }, true)).toBe('90')
    expect(beyond_words(axis, { low: 0, high: 25, step: 5 }, true)).toBe('30, +1')
    expect(beyond_words(axis, { low: 95, high: 99, step: 1 }, false)).toBe('90, +2')
    expect(beyond_words(axis, { low: 0, high: 100, step: 10 }, true)).toBeNull()
  })

  test('a line’s end says what its newest value means, and nothing of an old one (H1)', () => {
    const state = (value: number | null, stale = false): (string | undefined)[] => {
      const of = input(
        [
          [40_000, 95],
          [50_000, value],
        ],
        stale,
      )
      return line_ends(of, known_of(of), 30).map((end) => end.state)
    }
    expect(state(95)).toEqual(['alarm', 'normal'])
    expect(state(30)).toEqual(['warning', 'normal'])
    expect(state(29.9)).toEqual(['normal', 'normal'])
    expect(state(95, true)).toEqual(['normal', 'normal'])
    expect(state(null)).toEqual(['normal', 'normal'])
  })
})

describe('room', () => {
  const ends = (keys: readonly string[], value: number, room_em: number): [string, string, boolean][] => {
    const of = input([[40_000, value], [50_000, value]]) // prettier-ignore
    const lines = keys.map((key) => ({ key, points: [[50_000, value] as const] }))
    const named = { ...of, series: { kind: 'series' as const, lines, gaps: [] } }
    return line_ends(named, known_of(named), room_em).map(({ name, said, dotted }) => [name, said, dotted])
  }

  test('values at lines’ ends lose their unit, then digits, then their name; all of a chart alike', () => {
    expect(ends(['Heat', 'Flow'], 1_234_567, 20)).toEqual([
      ['Heat', '1\u2009234\u2009567.0 °C', false],
      ['Flow', '1\u2009234\u2009567 /min', false],
    ])
    expect(ends(['Heat', 'Flow'], 1_234_567, 9.4).map(([, said]) => said)).toEqual(['1.23e6', '1.23e6'])
    expect(ends(['Heat', 'Flow'], 1_234_567, 4.6)).toEqual([
      ['', '1e6', true],
      ['', '1e6', true],
    ])
  })

  test('no label is wider than its room, but for the shortest that there is', () => {
    for (const value of [0, -26.4, 0.0042, 1_234_567, 7.25e15, -7.25e18])
      for (const room of [5, 7, 9, 14, 22])
        for (const [name, said, dotted] of ends(['A long name of a line', 'Flow'], value, room)) {
          const needs = label_width_em(name) + label_width_em(said) + (dotted ? 0.6 : 0)
          expect(needs, `${said} in ${String(room)}`).toBeLessThanOrEqual(room)
        }
  })

  test('a share is percent wherever it is written: at a line, beside the axis, as a limit', () => {
    const [axis] = axes_of({ ...LOOK, unit: '%', decimals: 1 })
    if (axis === undefined) throw new Error('no axis')
    expect(VALUE_FORMS.map((form) => form(axis, 0.073))).toEqual(['7.3 %', '7.3', '7.3', '7.3', '7.3'])
    const range = { low: 0, high: 0.1, step: 0.005 }
    expect([0, 0.07, 0.1].map((at) => tick_text(at, range, axis, 'whole'))).toEqual(['0.0', '7.0', '10.0'])
    expect(limit_text(0.07, axis)).toBe('7')
  })

  test('numbers beside an axis are short where there is no room for all of them', () => {
    const PLAIN = { unit: null }
    const range = { low: 0, high: 4e6, step: 5e5 }
    expect(tick_text(2.5e6, range, PLAIN, 'whole')).toBe('2\u2009500\u2009000')
    expect([tick_text(2.5e6, range, PLAIN, 'short'), tick_text(0, range, PLAIN, 'short')]).toEqual(['2.5e6', '0'])
    expect(tick_text(1.5e16, { low: 0, high: 2e16, step: 5e15 }, PLAIN, 'whole')).toBe('1.5e16')
    const [left, right] = axes_of(LOOK)
    if (left === undefined || right === undefined) throw new Error('no axes')
    expect(NUMBERS.map((numbers) => [has_numbers(numbers, left), has_numbers(numbers, right)])).toEqual([
      [true, true],
      [true, true],
      [true, false],
      [false, false],
    ])
  })
})

describe('marks', () => {
  test('the words of flags never lie upon each other, and each flag is said or counted', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const die = dice(seed)
      const width = 3 + die(60)
      const flags = Array.from({ length: die(20) }, () => ({
        at_em: (die(1000) / 1000) * width,
        label: 'x'.repeat(die(30)),
      }))
      flags.sort((a, b) => a.at_em - b.at_em)
      const more = die(3) === 0 ? die(9) : 0
      const words = flag_words(flags, more, width)
      const spans = words
        .map(({ at_em, text }) => [at_em, at_em + label_width_em(text)] as const)
        .sort((a, b) => a[0] - b[0])
      spans.forEach(([from, to], at) => {
        expect(from).toBeGreaterThanOrEqual(0)
        expect(to).toBeLessThanOrEqual(width + 1e-9)
        expect(to).toBeLessThanOrEqual((spans[at + 1]?.[0] ?? Infinity) + 1e-9)
      })
      const counted = words.reduce((sum, { text }) => sum + Number(/\+(\d+)$/.exec(text)?.[1] ?? 0), 0)
      const said = words.filter(({ text }) => !/^\+\d+$/.test(text) || flags.some(({ label }) => label === '')).length
      expect(counted + words.length).toBeGreaterThanOrEqual(flags.length + more)
      expect(said).toBeLessThanOrEqual(flags.length + 1)
    }
  })

  test('colliding flags say how many they are', () => {
    const flag = (at_em: number, label: string): { at_em: number; label: string } => ({ at_em, label })
    expect(flag_words([flag(2, 'a'), flag(10, 'b'), flag(11, 'c'), flag(12, 'd')], 0, 30)).toEqual([
      { at_em: 12, text: 'd +2' },
      { at_em: 2, text: 'a' },
    ])
    expect(flag_words([flag(8, 'a')], 7, 30).at(-1)).toEqual({ at_em: 0, text: '+7' })
  })
})
