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

test('a chart’s lines at their ends, each with its state; what is still filling is none (H1)', () => {
  const bands = [{ from: 20, to: null, state: 'alarm' as const }]
  const look = {
    kind: 'series',
    draw: 'line',
    unit: 'min',
    decimals: 0,
    keep_ms: 60_000,
    bucket_ms: 10_000,
    bands,
    lines: [
      { key: 'Wait', right: false },
      { key: 'Heat', right: true },
    ],
    right: { unit: '°C', decimals: 1, bands: [{ from: 5, to: null, state: 'warning' as const }], target: null },
  } as WidgetView['look']
  const chart = (wait: number, gaps: [number, number][] = []): Spoken => ({
    ...LATE,
    view: { ...view, title: 'Waits', look },
    value: {
      kind: 'series',
      gaps,
      lines: [
        { key: 'Wait', points: [[10_000, wait], [20_000, 99]] }, // prettier-ignore
        { key: 'Heat', points: [[10_000, 6], [20_000, null]] }, // prettier-ignore
      ],
    },
  })
  expect(spoken(chart(23))).toBe('Waits: Wait 23 min (alarm), Heat 6.0 °C (warning)')
  expect(spoken(chart(3))).toBe('Waits: Wait 3 min, Heat 6.0 °C (warning)')
  expect(spoken(chart(3, [[12_000, 13_000]]))).toBe('Waits: ')
  expect(standing(chart(23))).not.toBe(standing(chart(3)))
  expect(standing(chart(4))).toBe(standing(chart(3)))
})
