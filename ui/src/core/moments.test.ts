import { expect, test } from 'vitest'
import { Zone } from './format'
import { moment_of, presence_of, presence_text, shift_start, span_start, touched, written_moment } from './moments'

const HOUR_MS = 3_600_000
const zone = new Zone('Europe/Berlin')
const offset = (ms: number): number => zone.offset_ms(ms)
const at = (iso: string): number => Date.parse(iso)

test('a shift began at six, two or ten of the zone, also over midnight and in the nights in which clocks are turned', () => {
  expect(shift_start(at('2026-11-29T13:30:00+01:00'), offset)).toBe(at('2026-11-29T06:00:00+01:00'))
  expect(shift_start(at('2026-11-29T14:00:00+01:00'), offset)).toBe(at('2026-11-29T14:00:00+01:00'))
  expect(shift_start(at('2026-11-29T05:59:59+01:00'), offset)).toBe(at('2026-11-28T22:00:00+01:00'))
  expect(shift_start(at('2026-03-29T05:00:00+02:00'), offset)).toBe(at('2026-03-28T22:00:00+01:00'))
  expect(shift_start(at('2026-03-29T07:00:00+02:00'), offset)).toBe(at('2026-03-29T06:00:00+02:00'))
  expect(shift_start(at('2026-10-25T02:30:00+01:00'), offset)).toBe(at('2026-10-24T22:00:00+02:00'))
})

test('the shifts of the board are its own: one a day, or at odd minutes, also in a night that is turned', () => {
  const of = (iso: string, ...shifts: readonly number[]): number => shift_start(at(iso), offset, shifts)
  expect(of('2026-11-29T05:59:59+01:00', 360)).toBe(at('2026-11-28T06:00:00+01:00'))
  expect(of('2026-11-29T06:00:00+01:00', 360)).toBe(at('2026-11-29T06:00:00+01:00'))
  expect(of('2026-11-29T17:00:00+01:00', 390, 1110)).toBe(at('2026-11-29T06:30:00+01:00'))
  expect(of('2026-11-29T00:10:00+01:00', 1410)).toBe(at('2026-11-28T23:30:00+01:00'))
  expect(of('2026-03-29T05:00:00+02:00', 0, 720)).toBe(at('2026-03-29T00:00:00+01:00'))
  const known = { left_ms: null, act_ms: null, lost_ms: null, shifts: [390, 1110] }
  expect(moment_of('shift', at('2026-11-29T17:00:00+01:00'), offset, known)).toBe(at('2026-11-29T06:30:00+01:00'))
  expect(span_start('shift', at('2026-11-29T17:00:00+01:00'), offset, [960])).toBe(at('2026-11-29T16:00:00+01:00'))
})

test('no shift is longer than a turned night, and none begins ahead', () => {
  for (let hour = 0; hour < 24 * 400; hour += 1) {
    const now_ms = at('2026-01-01T00:17:00Z') + hour * HOUR_MS
    const start_ms = shift_start(now_ms, offset)
    expect(start_ms).toBeLessThanOrEqual(now_ms)
    expect(now_ms - start_ms).toBeLessThan(9 * HOUR_MS)
  }
})

test('stretches and moments begin where they say; what is not known has none', () => {
  const now_ms = at('2026-11-29T20:00:00Z')
  expect(span_start('week', now_ms, offset)).toBe(now_ms - 7 * 24 * HOUR_MS)
  expect(span_start('own', now_ms, offset)).toBeNull()
  const known = { left_ms: now_ms - 5 * HOUR_MS, act_ms: null, lost_ms: null }
  expect(moment_of('touch', now_ms, offset, known)).toBe(now_ms - 5 * HOUR_MS)
  expect(moment_of('outage', now_ms, offset, known)).toBeNull()
  expect(moment_of('hours-4', now_ms, offset, known)).toBe(now_ms - 4 * HOUR_MS)
})

test('a moment is understood as people write it, in the zone of the board, and never ahead', () => {
  const now_ms = at('2026-11-29T20:00:00+01:00')
  const read = (text: string): string | null => {
    const ms = written_moment(text, now_ms, offset)
    return ms === null ? null : new Date(ms).toISOString()
  }
  expect(read('14:05')).toBe('2026-11-29T13:05:00.000Z')
  expect(read(' 1405 ')).toBe('2026-11-29T13:05:00.000Z')
  expect(read('23.30')).toBe('2026-11-28T22:30:00.000Z')
  expect(read('90 min')).toBe('2026-11-29T17:30:00.000Z')
  expect(read('3h')).toBe('2026-11-29T16:00:00.000Z')
  expect(read('2 T')).toBe('2026-11-27T19:00:00.000Z')
  expect(read('2 d')).toBe('2026-11-27T19:00:00.000Z')
  expect(read('2026-07-01 08:00')).toBe('2026-07-01T06:00:00.000Z')
  expect(read('28.11. 14:05')).toBe('2026-11-28T13:05:00.000Z')
  expect(read('28111405')).toBe('2026-11-28T13:05:00.000Z')
  expect(read('24.12. 18:00')).toBe('2025-12-24T17:00:00.000Z')
  for (const wrong of [
    '',
    '25:00',
    '12:60',
    '2026-13-01 00:00',
    '30.02. 10:00',
    '2027-01-01 00:00',
    'noon',
    '7',
    '<b>',
  ])
    expect(read(wrong), wrong).toBeNull()
})

test('a visit ends after five minutes without a hand: the next touch knows when that was', () => {
  const first = touched(null, 1_000_000)
  expect(first).toEqual({ touched_ms: 1_000_000, left_ms: null })
  const second = touched(first, 1_200_000)
  expect(second.left_ms).toBeNull()
  const third = touched(second, 1_200_000 + 300_000)
  expect(third.left_ms).toBe(1_200_000)
  expect(touched(third, 1_500_500).left_ms).toBe(1_200_000)
})

test('a clock that was set back leaves no touch ahead of it', () => {
  expect(touched({ touched_ms: 9_000, left_ms: 8_000 }, 5_000)).toEqual({ touched_ms: 5_000, left_ms: null })
  expect(touched({ touched_ms: 9_000, left_ms: 2_000 }, 5_000)).toEqual({ touched_ms: 5_000, left_ms: 2_000 })
})

test('what is remembered of a touch is read back, and nonsense is nothing', () => {
  for (const one of [
    { touched_ms: 7, left_ms: null },
    { touched_ms: 9, left_ms: 4 },
  ])
    expect(presence_of(presence_text(one))).toEqual(one)
  for (const text of [null, '', 'x', '-4 3', '1e400']) expect(presence_of(text)).toBeNull()
})
