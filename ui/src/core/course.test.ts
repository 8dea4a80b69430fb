import { expect, test } from 'vitest'
import { columns, distribution, scale_end, time_ticks } from './course'
import { dice } from './dice.test-support'
import { Zone } from './format'

test('whatever has no room of its own keeps its peak, and no period is left out', () => {
  expect(columns([], 10)).toEqual({ most: [], of: 1 })
  expect(columns([1, 2, 3], 10)).toEqual({ most: [1, 2, 3], of: 1 })
  expect(columns([1, 0, 30, 0, 2], 3)).toEqual({ most: [1, 30, 2], of: 2 })
  const roll = dice(7)
  for (let turn = 0; turn < 100; turn += 1) {
    const each = Array.from({ length: roll(5000) }, () => roll(40))
    const { most, of } = columns(each, 160)
    expect(most.length).toBeLessThanOrEqual(160)
    expect(most.length * of).toBeGreaterThanOrEqual(each.length)
    expect(Math.max(0, ...most)).toBe(Math.max(0, ...each))
  }
})

test('each period stands in one bin', () => {
  const spread = [40, 7, 5, 4, 3, 2, 1, 1, 0, 0, 2, 9]
  const bins = distribution(spread)
  expect(bins.map(({ from, to, periods }) => [from, to, periods])).toEqual([
    [0, 0, 40],
    [1, 1, 7],
    [2, 2, 5],
    [3, 5, 9],
    [6, 10, 4],
    [11, null, 9],
  ])
  expect(distribution([]).every(({ periods }) => periods === 0)).toBe(true)
})

test('a scale has room for its highest and for the limit, and ends at a round number', () => {
  expect([0, 3, 12, 13, 16, 143, 999, 10_000].map(scale_end)).toEqual([12, 12, 12, 15, 20, 150, 1000, 10_000])
})

test('times beside a course are round in the zone, also where clocks are turned, and have room', () => {
  const zone = new Zone('Europe/Berlin')
  const offset = (ms: number): number => zone.offset_ms(ms)
  const from_ms = Date.parse('2026-03-28T22:00:00+01:00')
  const { days, ticks } = time_ticks(from_ms, from_ms + 11 * 3_600_000, offset, 8)
  expect(days).toBe(false)
  // Two o’clock isn’t, that night.
  expect(ticks.map(({ at_ms }) => zone.time(at_ms))).toEqual([
    '22:00',
    '00:00',
    '03:00',
    '04:00',
    '06:00',
    '08:00',
    '10:00',
  ])
  const month = time_ticks(from_ms, from_ms + 30 * 86_400_000, offset, 8)
  expect(month.days).toBe(true)
  expect(month.ticks.every(({ at_ms }) => zone.time(at_ms) === '00:00')).toBe(true)
  for (const hours of [0, 0.1, 1, 8, 24, 168, 720, 9600]) {
    const { ticks } = time_ticks(from_ms, from_ms + hours * 3_600_000, offset, 8)
    // Turned clocks may add one.
    expect(ticks.length).toBeLessThanOrEqual(10)
  }
})
