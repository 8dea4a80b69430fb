import { expect, test } from 'vitest'
import type { AlarmPriorityReport, AlarmReport } from '../generated/frame'
import { acknowledge_verdict, FIGURES, figure_of, GUIDES, on_scale, share_verdict, verdict_of } from './guides'

const report = (more: Record<string, unknown>): AlarmReport =>
  ({
    alarms: 500,
    rate: { mean: 0, p95: 0, max: 0, periods: 6, over: 0 },
    flood_percent: 0,
    top_percent: 0,
    chattering_count: 0,
    fleeting_count: 0,
    standing_count: 0,
    ...more,
  }) as unknown as AlarmReport

const priority = (more: Partial<AlarmPriorityReport>): AlarmPriorityReport => ({
  priority: 'high',
  count: 1,
  percent: 0,
  acknowledged: 1,
  unacknowledged: 0,
  median_ms: null,
  p95_ms: null,
  ...more,
})

test('the edges belong to the better side', () => {
  const mean = (mean: number) => verdict_of('mean', report({ rate: { mean, p95: 0, max: 0, periods: 6, over: 0 } }))
  expect([mean(1), mean(1.01), mean(2), mean(2.01)]).toEqual(['acceptable', 'manageable', 'manageable', 'beyond'])
  const over = (over: number) => verdict_of('over', report({ rate: { mean: 0, p95: 0, max: 0, periods: 100, over } }))
  expect([over(1), over(2), over(5), over(6)]).toEqual(['acceptable', 'manageable', 'manageable', 'beyond'])
  expect(verdict_of('standing', report({ standing_count: 4 }))).toBe('acceptable')
  expect(verdict_of('standing', report({ standing_count: 5 }))).toBe('beyond')
  expect(verdict_of('nuisance', report({ fleeting_count: 1 }))).toBe('beyond')
})

test('where nothing can be said nothing is judged', () => {
  const none = report({ rate: { mean: null, p95: 0, max: 0, periods: 0, over: 0 } })
  for (const figure of ['mean', 'over'] as const) {
    expect(figure_of(figure, none)).toBeNull()
    expect(verdict_of(figure, none)).toBeNull()
  }
})

test('of less than an hour no rate is judged, its most is', () => {
  const short = report({ rate: { mean: 9, p95: 9, max: 30, periods: 5, over: 2 }, flood_percent: 50 })
  for (const figure of ['mean', 'over', 'flood'] as const) expect(verdict_of(figure, short)).toBeNull()
  expect(verdict_of('max', short)).toBe('beyond')
})

test('nothing at all is acceptable', () => {
  for (const figure of FIGURES) {
    expect(figure_of(figure, report({}))).toBe(0)
    expect(verdict_of(figure, report({}))).toBe('acceptable')
  }
})

test('of few alarms no share is judged', () => {
  expect(verdict_of('top', report({ alarms: 99, top_percent: 100 }))).toBeNull()
  expect(verdict_of('top', report({ alarms: 100, top_percent: 100 }))).toBe('beyond')
  expect(share_verdict(priority({ percent: 50 }), 99)).toBeNull()
  expect(share_verdict(priority({ percent: 50 }), 100)).toBe('beyond')
  expect(share_verdict(priority({ priority: 'low', percent: 50 }), 1000)).toBeNull()
})

test('the time to acknowledge is manageable if half of what is asked for holds, and not judged where none was', () => {
  expect(acknowledge_verdict(priority({ median_ms: 120_000, p95_ms: 600_000 }))).toBe('acceptable')
  expect(acknowledge_verdict(priority({ median_ms: 20_000, p95_ms: 900_000 }))).toBe('manageable')
  expect(acknowledge_verdict(priority({ median_ms: 200_000, p95_ms: 900_000 }))).toBe('beyond')
  expect(acknowledge_verdict(priority({}))).toBeNull()
  expect(acknowledge_verdict(priority({ priority: 'medium', median_ms: 1, p95_ms: 1 }))).toBeNull()
})

test('a scale has room for guide and limit, and says of a value that it is off', () => {
  for (const figure of FIGURES)
    for (const value of [0, 0.5, 1, 7, 1e9]) {
      const { good, limit, value: at, off } = on_scale(GUIDES[figure], value)
      expect(good).toBeLessThanOrEqual(limit)
      expect(limit).toBeLessThan(1)
      expect(at).toBeGreaterThanOrEqual(0)
      expect(at).toBeLessThanOrEqual(1)
      if (value > GUIDES[figure].limit) expect(at).toBeGreaterThan(limit)
      if (off) expect(at).toBe(1)
    }
})
