import { expect, test } from 'vitest'
import type { BandLook } from '../generated/frame'
import { limits_of, state_of, with_near } from './bands'

const BANDS: BandLook[] = [
  { from: null, to: 2, state: 'alarm' },
  { from: 2, to: 3, state: 'warning' },
  { from: 11, to: null, state: 'alarm' },
]

test.each([
  [1.9, 'alarm'],
  [2, 'warning'],
  [3, 'normal'],
  [10.99, 'normal'],
  [11, 'alarm'],
  [-1e300, 'alarm'],
  [NaN, 'normal'],
])('%d is %s: a band begins at its lower end and ends before its upper one', (value, state) => {
  expect(state_of(BANDS, value)).toBe(state)
})

test('a limit of two bands is one', () => {
  expect(limits_of(BANDS)).toEqual([2, 3, 11])
  expect(limits_of([])).toEqual([])
})

test.each([
  ['near the values', 5, 9, [11], 5, 11],
  ['far from them', 5, 9, [20], 5, 9],
  ['near zero, from which the scale begins', 2, 10, [-4, -9], -4, 10],
  ['of values that stand still', 20, 20, [25, 85], 20, 25],
  ['of values at zero', 0, 0, [5], 0, 0],
  ['of none', 5, 9, [], 5, 9],
])('a scale has the limits that are %s', (_, low, high, limits, bottom, top) => {
  expect(with_near(low, high, limits)).toEqual({ low: bottom, high: top })
})
