// Where things stand on a scale, and which of its numbers have room.
import { describe, expect, test } from 'vitest'
import type { NumberLook, NumberValue } from '../../generated/frame'
import { beyond, gauge_said, is_in, lying, scale, standing, ticks } from './gauge'

const LOOK: NumberLook = {
  unit: null,
  decimals: 0,
  digits: null,
  min: 0,
  max: 40,
  bands: [
    { from: 20, to: 30, state: 'warning' },
    { from: 30, to: null, state: 'alarm' },
  ],
  trend_ms: null,
  target: 15,
  better: null,
  draw: null,
}
const VALUE: NumberValue = {
  value: 30,
  state: 'alarm',
  change: null,
  toward: null,
  trend: [],
  at_least: false,
}
const texts = (all: readonly { text: string }[]): string[] => all.map(({ text }) => text)

describe('numbers beside a scale', () => {
  test('are its ends, then its target, then its limits, each with its own digits', () => {
    expect(ticks(scale(LOOK, null), lying(30))).toMatchObject([
      { text: '0', at: 0, is_target: false },
      { text: '40', at: 1, is_target: false },
      { text: '15', at: 0.375, is_target: true },
      { text: '20', at: 0.5, is_target: false },
      { text: '30', at: 0.75, is_target: false },
    ])
    expect(texts(ticks(scale({ ...LOOK, max: 0.01, bands: [], target: 0.005 }, null), lying(30)))).toEqual([
      '0',
      '0.01',
      '0.005',
    ])
  })

  test('never lie upon each other, and none but an end stands at an end', () => {
    for (const length_em of [2, 4, 6, 9, 14]) {
      for (const ticking of [lying(length_em), standing(length_em)]) {
        const places = ticks(scale(LOOK, null), ticking).map(({ at }) => at * length_em)
        expect(new Set(places).size).toBe(places.length)
      }
      const high = ticks(scale(LOOK, null), standing(length_em)).map(({ at }) => at * length_em)
      const sorted = high.sort((one, other) => one - other)
      sorted.forEach((at, index) => {
        if (index > 0) expect(at - (sorted[index - 1] ?? NaN)).toBeGreaterThanOrEqual(1.1 - 1e-9)
      })
    }
    expect(texts(ticks(scale({ ...LOOK, target: 40 }, null), lying(30)))).toEqual(['0', '40', '20', '30'])
    expect(ticks(scale({ ...LOOK, target: 40 }, null), lying(30))[1]?.is_target).toBe(true)
  })
})

test('numbers that have no room are written shorter, or not at all', () => {
  const bar = scale({ ...LOOK, max: 8e15, bands: [], target: null }, null)
  expect(texts(ticks(bar, lying(30)))).toEqual(['0', '8\u2009000\u2009000\u2009000\u2009000\u2009000'])
  expect(texts(ticks(bar, lying(6)))).toEqual(['0', '8e15'])
  expect(texts(ticks(bar, standing(6)))).toEqual(['0', '8e15'])
  expect(texts(ticks(bar, lying(1)))).toEqual(['0'])
})

test('a value is in one band, and an old one in none', () => {
  const bar = scale(LOOK, VALUE)
  expect(bar.bands.map((band) => is_in(band, bar, VALUE, true))).toEqual([false, true])
  expect(bar.bands.map((band) => is_in(band, bar, VALUE, false))).toEqual([false, false])
  expect(bar.bands.map((band) => is_in(band, bar, { ...VALUE, value: null }, true))).toEqual([false, false])
})

test('a value beyond the scale is seen to be there', () => {
  const bar = scale(LOOK, null)
  expect([-1, 0, 40, 40.1].map((value) => beyond(bar, value))).toEqual(['low', null, null, 'high'])
  expect(bar.at(99)).toBe(1)
})

test('a scale of its own making holds its target', () => {
  const bar = scale({ ...LOOK, min: null, max: null, bands: [], target: 80 }, { ...VALUE, value: 3 })
  expect(bar.high).toBeGreaterThanOrEqual(80)
})

test('words stand where a gauge has room for them', () => {
  const of = { width: 45, height: 18, layout: 'full', wayward: true, targeted: true } as const
  expect(gauge_said({ ...of, height: 30 }).lines).toBe(2)
  expect(gauge_said(of).lines).toBe(1)
  expect(gauge_said({ ...of, wayward: false }).lines).toBe(1)
  expect(gauge_said({ ...of, wayward: false, targeted: false }).lines).toBe(0)
  expect(gauge_said({ ...of, wayward: false, height: 12 }).lines).toBe(0)
  expect(gauge_said({ ...of, layout: 'beside' }).lines).toBe(0)
})
