// Where a histogram's words and numbers stand.
import { expect, test } from 'vitest'
import type { HistogramLook, HistogramValue } from '../../generated/frame'
import { dice } from '../../core/dice.test-support'
import { label_width_em } from '../../core/width'
import { axis_numbers, axis_texts, bin_words, slot_of, stat_labels, total_words } from './histogram'

const LOOK: HistogramLook = {
  unit: 'min',
  decimals: 1,
  min: 0,
  width: 5,
  bins: 20,
  bands: [{ from: 60, to: null, state: 'warning' }],
  target: 35,
  stats: ['mean', 'p50', 'p95'],
}
const value = (own: Partial<HistogramValue>): HistogramValue => ({
  counts: [],
  stats: [null, null, null],
  at_least: false,
  ...own,
})

test('how many values there are, and that it may be more of them (H1)', () => {
  expect(total_words(value({ counts: [0, 1, 0] }))).toBe('1 value')
  expect(total_words(value({ counts: [] }))).toBe('0 values')
  expect(total_words(value({ counts: [3, 12_000, 1], at_least: true }))).toBe('at least 12\u2009004 values')
  expect(total_words(value({ counts: [77_711_439_295_577], at_least: true }), 10)).toBe('at least 7.771e13 values')
})

test('a hand reads between which values a bar is, and that it may be more of them (H1)', () => {
  const counts = [3, 1, ...Array.from({ length: 19 }, () => 0), 6, 2]
  const read = (at: number, at_least = false): string[] =>
    Object.values(bin_words(LOOK, value({ counts, at_least }), at))
  expect(read(0)).toEqual(['below 0 min', '3 values, 25.0 %'])
  expect(read(1)).toEqual(['0–5 min', '1 value, 8.3 %'])
  expect(read(21)).toEqual(['from 100 min', '6 values, 50.0 %'])
  expect(read(2, true)).toEqual(['5–10 min', 'at least 0 values, 0.0 %'])
  const shares: HistogramLook = { ...LOOK, unit: '%', width: 0.05 }
  expect(bin_words(shares, value({ counts }), 2).when).toBe('5–10 %')
  expect(bin_words(LOOK, value({ counts: [] }), 3).said).toBe('0 values')
})

test('what lies beyond the scale stands in the slot at its end', () => {
  expect([-1e300, 0, 2.5, 99.9, 100, 1e300].map((one) => slot_of(LOOK, one))).toEqual([0.5, 1, 1.5, 20.98, 21, 21.5])
})

test('the target and the scale’s ends have their numbers before the bins’ own, and none touches another', () => {
  for (const width of [4, 8, 12, 20, 30, 60, 120]) {
    const shown = axis_numbers(LOOK, width)
    for (const [at, one] of shown.entries()) {
      const next = shown[at + 1]
      expect(next === undefined || next.at_em - next.half_em > one.at_em + one.half_em).toBe(true)
    }
    expect(shown.some(({ kind }) => kind === 'target')).toBe(true)
  }
  expect(axis_numbers(LOOK, 60).map(({ text }) => text)).toContain('60')
})

test('the words of statistics stand beside each other, however near their lines are', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const die = dice(seed)
    const width = 6 + die(60)
    const labels = stat_labels(LOOK, value({ stats: [die(120), die(3) === 0 ? null : die(120), die(120)] }), width)
    const said = labels.filter(({ text }) => text !== '')
    said.forEach(({ left_em, text }, at) => {
      const next = said[at + 1]?.left_em ?? Infinity
      expect(left_em + label_width_em(text)).toBeLessThanOrEqual(Math.min(next, width + 1e-9))
    })
  }
})

test('counts that have no room beside the bars are written shorter, all of them', () => {
  expect(axis_texts([0, 2_000_000], 6)).toEqual(['0', '2\u2009000\u2009000'])
  expect(axis_texts([0, 2_000_000, 4_000_000], 2)).toEqual(['0', '2e6', '4e6'])
})
