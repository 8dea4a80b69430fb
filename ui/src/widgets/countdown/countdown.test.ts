// Countdowns go by the time that they are given, also over a change of summer time.
import { describe, expect, test } from 'vitest'
import { dice } from '../../core/dice.test-support'
import { Zone } from '../../core/format'
import type { FurnitureLook } from '../../generated/frame'
import { count, count_words, next_daily, previous_daily, span_digits } from './countdown'

type Look = Extract<FurnitureLook, { kind: 'countdown' }>

const ZURICH = new Zone('Europe/Zurich')
const at = (text: string): number => Date.parse(text)
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16)
const HOUR_MS = 3_600_000

const once = (to: string, more: Partial<Extract<Look['until'], { is: 'once' }>> = {}): Look => ({
  kind: 'countdown',
  until: { is: 'once', to_ms: at(to), from_ms: null, after: 'stay', ...more },
  warning_ms: null,
  alarm_ms: null,
})

describe('the next time of day', () => {
  test.each([
    // [now, minutes, next, the one before it]
    ['2026-11-28T04:59:59Z', 360, '2026-11-28T05:00', '2026-11-27T05:00'],
    ['2026-11-28T05:00:00Z', 360, '2026-11-29T05:00', '2026-11-28T05:00'],
    ['2026-11-28T22:59:00Z', 0, '2026-11-28T23:00', '2026-11-27T23:00'],
    // The night in which an hour is skipped has 23 hours, and the one with an hour twice 25.
    ['2026-03-28T12:00:00Z', 360, '2026-03-29T04:00', '2026-03-28T05:00'],
    ['2026-10-24T12:00:00Z', 360, '2026-10-25T05:00', '2026-10-24T04:00'],
    // 02:30 isn't there in spring: it comes as long after the jump as it would have come without.
    ['2026-03-28T12:00:00Z', 150, '2026-03-29T01:30', '2026-03-28T01:30'],
    ['2026-03-29T01:30:00Z', 150, '2026-03-30T00:30', '2026-03-29T01:30'],
    // In autumn it is there twice: the first.
    ['2026-10-24T12:00:00Z', 150, '2026-10-25T00:30', '2026-10-24T00:30'],
    ['2026-10-25T00:45:00Z', 150, '2026-10-26T01:30', '2026-10-25T00:30'],
  ])('from %s, %d min after midnight in Zurich, is %s', (now, minutes, next, before) => {
    const found = next_daily(ZURICH, minutes, at(now))
    expect(iso(found)).toBe(next)
    expect(iso(previous_daily(ZURICH, minutes, found))).toBe(before)
  })

  test('is shown by the zone’s clocks, and comes within a day and a change of them, in every zone and at any instant', () => {
    const zones = [
      'Europe/Zurich',
      'America/New_York',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'UTC',
      'America/St_Johns',
    ]
    const roll = dice(26)
    for (const zone of zones.map((name) => new Zone(name))) {
      for (let turn = 0; turn < 150; turn += 1) {
        const now_ms = Date.UTC(2026, 0, 1) + roll(3 * 366 * 1440) * 60_000 + roll(60_000)
        const minutes = roll(1440)
        const next = next_daily(zone, minutes, now_ms)
        const before = previous_daily(zone, minutes, next)
        expect(next).toBeGreaterThan(now_ms)
        expect(next - now_ms).toBeLessThanOrEqual(25 * HOUR_MS)
        expect(before).toBeLessThanOrEqual(now_ms)
        expect(next_daily(zone, minutes, before)).toBe(next)
        const shown = zone.time(next)
        const wanted = span_digits(minutes * 60, true)
        // A time that is skipped is shown an hour, or half of one, later.
        if (shown !== wanted) expect(zone.offset_ms(next) - zone.offset_ms(next - 3 * HOUR_MS)).toBeGreaterThan(0)
      }
    }
  })
})

test.each([
  [0, false, '00:00:00'],
  [59, false, '00:00:59'],
  [19_672, false, '05:27:52'],
  [86_399, false, '23:59:59'],
  [86_400, false, '1 d 00:00'],
  [27 * 86_400 + 12_465, false, '27 d 03:27'],
  [19_672, true, '05:27'],
])('%d s is written as %s', (seconds, fast, text) => {
  expect(span_digits(seconds, fast)).toBe(text)
})

test('up to its last moment there is a second left, and what is over counts whole seconds', () => {
  const look = once('2026-12-24T17:00:00Z', { after: 'up' })
  const text = (now: string): string => count(look, ZURICH, at(now), 1).text
  expect(text('2026-12-24T16:59:59.001Z')).toBe('00:00:01')
  expect(text('2026-12-24T16:59:59.999Z')).toBe('00:00:01')
  expect(text('2026-12-24T17:00:00Z')).toBe('+00:00:00')
  expect(text('2026-12-24T17:00:00.999Z')).toBe('+00:00:00')
  expect(text('2026-12-26T18:00:01Z')).toBe('+2 d 01:00')
})

test('where there is no room for all of it, it is whole days, or no seconds', () => {
  const look = once('2026-12-24T17:00:00Z', { after: 'up' })
  const short = (now: string): string => count(look, ZURICH, at(now), 1).short
  expect(short('2026-11-28T00:00:00Z')).toBe('26 d')
  expect(short('2026-12-24T11:59:30Z')).toBe('05:00')
  expect(short('2026-12-26T18:00:01Z')).toBe('+2 d')
  expect(count(look, ZURICH, at('2026-12-20T00:00:00Z'), 1).caption).toBe('until Thu 18:00')
  expect(count(look, ZURICH, at('2026-11-28T00:00:00Z'), 1).caption).toBe('until 24 Dec 18:00')
  expect(count(look, ZURICH, at('2025-11-28T00:00:00Z'), 1).caption).toBe('until 24 Dec 2026 18:00')
})

test('what comes after is as the board says', () => {
  const now = at('2026-12-24T17:00:05Z')
  const of = (after: 'up' | 'stay' | 'hide') => count(once('2026-12-24T17:00:00Z', { after }), ZURICH, now, 1)
  expect(of('up')).toMatchObject({ text: '+00:00:05', over: true, hidden: false, caption: 'since 18:00' })
  expect(of('stay')).toMatchObject({ text: '00:00:00', over: true, hidden: false })
  expect(of('hide')).toMatchObject({ hidden: true })
  expect(count(once('2026-12-24T17:00:00Z', { after: 'hide' }), ZURICH, now - 6_000, 1).hidden).toBe(false)
})

test('an instant is counted to over a change of summer time in hours that pass, not in those that clocks show', () => {
  // From 01:30 to 03:30 by the clocks is one hour in spring, and three in autumn.
  expect(count(once('2026-03-29T01:30:00Z'), ZURICH, at('2026-03-29T00:30:00Z'), 1).text).toBe('01:00:00')
  expect(count(once('2026-10-25T02:30:00Z'), ZURICH, at('2026-10-24T23:30:00Z'), 1).text).toBe('03:00:00')
})

test('states and the way follow what is left', () => {
  const look: Look = {
    kind: 'countdown',
    until: { is: 'daily', minutes: 14 * 60, from_minutes: 6 * 60 },
    warning_ms: HOUR_MS,
    alarm_ms: 300_000,
  }
  const seen = (now: string): unknown[] => {
    const { text, state, share } = count(look, ZURICH, at(now), 1)
    return [text, state, share === null ? null : Math.round(share * 100)]
  }
  expect(seen('2026-11-28T05:00:00Z')).toEqual(['08:00:00', 'normal', 0])
  expect(seen('2026-11-28T11:00:00Z')).toEqual(['02:00:00', 'normal', 75])
  expect(seen('2026-11-28T12:00:00Z')).toEqual(['01:00:00', 'warning', 88])
  expect(seen('2026-11-28T12:55:00Z')).toEqual(['00:05:00', 'alarm', 99])
  // The next day's begins at once; before it begins nothing of its way is over.
  expect(seen('2026-11-28T13:00:00Z')).toEqual(['1 d 00:00', 'normal', 0])
  // A night shift's way leads over midnight, and one over a change of clocks is as long as it is.
  const night: Look = { ...look, until: { is: 'daily', minutes: 6 * 60, from_minutes: 22 * 60 } }
  expect(count(night, ZURICH, at('2026-11-28T01:00:00Z'), 1).share).toBe(0.5)
  expect(count(night, ZURICH, at('2026-03-29T00:30:00Z'), 1).share).toBe(0.5)
})

test('where the zone isn’t known nobody knows when that is, and an instant is one all the same (H1)', () => {
  const mars = new Zone('Mars/Olympus')
  const daily: Look = { ...once('2026-12-24T17:00:00Z'), until: { is: 'daily', minutes: 0, from_minutes: null } }
  const seen = count(daily, mars, at('2026-12-24T00:00:00Z'), 1)
  expect(seen).toMatchObject({ text: '----', share: null, state: 'unknown' })
  expect(count_words(seen)).toBe('not known, time zone not known here')
  expect(count(once('2026-12-24T17:00:00Z'), mars, at('2026-12-24T16:00:00Z'), 1).text).toBe('01:00:00')
  expect(count(daily, ZURICH, Number.NaN, 1).text).toBe('----')
})

test('said aloud', () => {
  const look: Look = {
    ...once('2026-12-24T17:00:00Z', { after: 'up', from_ms: at('2026-12-24T09:00:00Z') }),
    warning_ms: HOUR_MS,
  }
  const said = (now: string): string => count_words(count(look, ZURICH, at(now), 1))
  expect(said('2026-12-24T13:00:00Z')).toBe('04:00:00 left, until 18:00, 50 % of the way')
  expect(said('2026-12-24T16:30:00Z')).toBe('00:30:00 left, until 18:00, 93 % of the way, warning')
  expect(said('2026-12-24T17:00:09Z')).toBe('00:00:09 ago, since 18:00, 100 % of the way, warning')
})
