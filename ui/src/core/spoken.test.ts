// Whoever hears the wall hears each value with its state, and never an old one as if it were of now (H1).
import { expect, test } from 'vitest'
import type { WidgetView } from '../generated/frame'
import { PLAIN } from './plain-look.test-support'
import { type Spoken, spoken, standing } from './spoken'

const view = {
  id: 'late',
  title: 'Late orders',
  note: null,
  source: 'shop',
  place: { column: 1, row: 1, width: 1, height: 1 },
  look: { kind: 'counter', ...PLAIN },
} as unknown as WidgetView
const LATE: Spoken = {
  view,
  value: { kind: 'number', value: 12, state: 'alarm', change: null, toward: null, trend: [], at_least: false },
  freshness: 'live',
  age: null,
  reason: null,
  disputed: false,
}

test('a value with its state', () => {
  expect(spoken(LATE)).toBe('Late orders: 12, alarm')
})

test('how far a number is from its target, and whether it changed for the better, as its panel shows it', () => {
  const look = { ...view.look, unit: '%', target: 0.8 } as WidgetView['look']
  const share = (value: number): Spoken => ({
    ...LATE,
    view: { ...view, look },
    value: { kind: 'number', value, state: 'normal', change: 0.1, toward: 'worse', trend: [], at_least: false },
  })
  expect(spoken(share(0.766))).toBe('Late orders: 77 %, 3 below target 80, changed for the worse')
  expect(spoken(share(0.92))).toContain('92 %, 12 above target 80')
  expect(spoken(share(0.801))).toContain('80 %, on target 80')
  expect(spoken({ ...share(0.766), freshness: 'stale', age: '9 s' })).toBe('Late orders: 77 %, stale 9 s')
})

test('what isn’t of now says so, and what is hidden isn’t said', () => {
  const down: Spoken = { ...LATE, freshness: 'down', age: '12 s', reason: 'connection reset' }
  expect(spoken(down)).toBe('Late orders: 12, alarm, down 12 s, connection reset')
  expect(spoken({ ...down, freshness: 'refused' })).toBe('Late orders: refused 12 s, connection reset')
  expect(spoken({ ...LATE, freshness: 'unknown', value: null })).toBe('Late orders: unknown')
})

test('another number is no news, another state is', () => {
  const other: Spoken = {
    ...LATE,
    value: { kind: 'number', value: 13, state: 'alarm', change: null, toward: null, trend: [], at_least: false },
  }
  expect(standing(other)).toBe(standing(LATE))
  expect(standing({ ...LATE, freshness: 'stale' })).not.toBe(standing(LATE))
})
