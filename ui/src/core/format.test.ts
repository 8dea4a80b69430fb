// Rules of numbers on a wall: fixed decimals, true minus, thin spaces, and five kinds of nothing that differ.
import { expect, test } from 'vitest'
import type { Cell, Outage } from '../generated/frame'
import {
  age_text,
  cell_text,
  direction_of,
  figure_room_em,
  figure_text,
  known_change,
  lost_words,
  number_text,
  outage_words,
  signed_text,
  span_text,
  speed_text,
  Zone,
  zone_notice,
} from './format'
import { PLAIN as LOOK } from './plain-look.test-support'

test.each([
  [0, 0, '0'],
  [-0, 0, '0'],
  [-0.04, 1, '0.0'],
  [-3, 0, '−3'],
  [12.345, 1, '12.3'],
  [1234, 0, '1234'],
  [12_345, 0, '12\u2009345'],
  [-1_234_567.891, 2, '−1\u2009234\u2009567.89'],
  [NaN, 0, 'not a number'],
  [Infinity, 0, 'over range'],
  [-Infinity, 0, 'under range'],
  // The last whole number of which all digits are known, and one of which they aren't.
  [9_007_199_254_740_991, 0, '9\u2009007\u2009199\u2009254\u2009740\u2009991'],
  [9_007_199_254_740_992, 0, '9.007199e15'],
  [1.2345678901234567e19, 2, '1.234568e19'],
  [-1.2345678901234567e19, 0, '−1.234568e19'],
  [99_999_999e17, 0, '1.000000e25'],
  [1.5e300, 0, '1.500000e300'],
  // Nor are decimals made up: of these the number had one and none.
  [123_456_789_012_345.67, 6, '123\u2009456\u2009789\u2009012\u2009345.7'],
  [4_503_599_627_370_495.5, 3, '4\u2009503\u2009599\u2009627\u2009370\u2009496'],
  [1_234_567_890.123456, 6, '1\u2009234\u2009567\u2009890.123456'],
])('%d with %d decimals is %s', (value, decimals, text) => {
  expect(number_text(value, decimals)).toBe(text)
})

test('a number of which digits aren’t known is one everywhere: in figures, changes and tables (H1)', () => {
  const huge = 1.2345678901234567e19
  expect(figure_text(huge, LOOK)).toBe('1.234568e19')
  expect(signed_text(huge, 0)).toBe('+1.234568e19')
  expect(signed_text(-huge, 0)).toBe('−1.234568e19')
  expect([known_change(2_048, huge), known_change(2_048, -huge)]).toEqual([null, null])
  expect([known_change(3, 7), known_change(3, null), known_change(null, 7)]).toEqual([3, 3, null])
  const cell: Cell = { is: 'number', as: huge }
  expect(cell_text(cell, { format: 'number', decimals: 0 }, new Zone('UTC'), 0).text).toBe('1.234568e19')
})

test('a share is written as percent, an unknown as dashes, zero as zero', () => {
  expect(figure_text(0.724, { ...LOOK, unit: '%' })).toBe('72')
  expect(figure_text(null, LOOK)).toBe('----')
  expect(figure_text(0, LOOK)).toBe('0')
})

test.each([
  [12, '+12', 'up'],
  [-3, '−3', 'down'],
  [0, '±0', 'flat'],
  [0.2, '±0', 'flat'],
  [-0.4, '±0', 'flat'],
])('a change of %d is %s and points %s', (change, text, direction) => {
  expect(signed_text(change, 0)).toBe(text)
  expect(direction_of(change, 0)).toBe(direction)
})

test.each([
  [-500, '0 s'],
  [8_999, '8 s'],
  [192_000, '3 min 12 s'],
  [7_500_000, '2 h 5 min'],
  [273_600_000, '3 d 4 h'],
])('an age of %d ms is %s', (age, text) => {
  expect(age_text(age)).toBe(text)
})

test.each([
  [30_000, '30 s'],
  [5_400_000, '90 min'],
  [7_200_000, '2 h'],
  [86_400_000, '1 d'],
])('a span of %d ms is %s', (span, text) => {
  expect(span_text(span)).toBe(text)
})

test.each([
  [1, null],
  [0, 'paused'],
  [60, '×60'],
  [0.5, '×0.5'],
])('a speed of %d is %s', (speed, text) => {
  expect(speed_text(speed)).toBe(text)
})

const HOUR_MS = 3_600_000
const lost = (began_ms: number, became: Outage['became']): Outage => ({
  source: 'ops',
  began_ms,
  ended_ms: began_ms + 28_000,
  source_began_ms: null,
  source_ended_ms: null,
  cause: 'connection reset',
  became,
  missed: 34,
})

test('one cable that was pulled is one loss, and the newest says what became of it (H3)', () => {
  const now_ms = 100 * HOUR_MS
  expect(lost_words([], now_ms)).toBeNull()
  expect(lost_words([lost(10 * HOUR_MS, 'unknown')], now_ms)).toBeNull()
  expect(lost_words([lost(99 * HOUR_MS, 'proven'), lost(10 * HOUR_MS, 'unknown')], now_ms)).toBe(
    'lost once in 24 h, filled by replay',
  )
  expect(lost_words([lost(99 * HOUR_MS, 'unknown'), lost(98 * HOUR_MS, 'proven')], now_ms)).toBe(
    'lost 2 times in 24 h, the last: events missing',
  )
})

test('what ended at a part of a minute is not said to have ended before (H1)', () => {
  const zone = new Zone('UTC')
  const at = (hour: number, minute: number, second: number): number => Date.UTC(2026, 10, 26, hour, minute, second)
  const now_ms = at(12, 0, 30)
  expect(zone.stretch(at(3, 26, 10) + 900, at(3, 26, 34) + 1, now_ms)).toBe('03:26:10–03:26:35')
  expect(zone.stretch(at(3, 26, 10), at(9, 10, 1), now_ms)).toBe('03:26–09:11')
  // The next minute is still to come.
  expect(zone.stretch(at(3, 26, 10), at(12, 0, 10), now_ms)).toBe('03:26:10–12:00:10')
  expect(zone.until(at(11, 59, 1) + 1, now_ms)).toBe('11:59:02')
  expect(zone.until(at(3, 26, 10), now_ms)).toBe('03:27')
})

test('zero, empty, null, missing and not a number look different', () => {
  const zone = new Zone('UTC')
  const cells: Cell[] = [
    { is: 'number', as: 0 },
    { is: 'text', as: '' },
    { is: 'null' },
    { is: 'missing' },
    { is: 'number', as: NaN },
  ]
  const texts = cells.map((cell) => cell_text(cell, { format: 'text', decimals: 0 }, zone, 0).text)
  expect(texts).toEqual(['0', '“”', 'none', '----', 'not a number'])
})

test('how long ago, and how long still, by the board’s time', () => {
  const now_ms = Date.UTC(2026, 10, 28, 12)
  const zone = new Zone('UTC')
  const said = (format: string, ms: number): string =>
    cell_text({ is: 'time', as: now_ms + ms }, { format, decimals: 0 }, zone, now_ms).text
  const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000]
  // Never more than has passed, and never more than is left.
  const cases = [
    [0, '0 s'],
    [8_999, '8 s'],
    [59_999, '59 s'],
    [minute, '1 min'],
    [12 * minute + 59_999, '12 min'],
  ] as const
  for (const [ms, text] of cases) expect([said('ago', -ms), ms === 0 ? text : said('until', ms)]).toEqual([text, text])
  expect(said('until', 2 * hour + 5 * minute + 30 * second)).toBe('2 h 5 min')
  expect(said('ago', -(3 * day + 4 * hour))).toBe('3 d 4 h')
  expect(said('until', -12 * minute)).toBe('12 min ago')
  expect(said('ago', 8 * second)).toBe('in 8 s')
  expect(cell_text({ is: 'number', as: now_ms - minute }, { format: 'ago', decimals: 0 }, zone, now_ms).text).toBe(
    '1 min',
  )
  // What is no time is written as it came, and what isn't there as everywhere.
  expect(cell_text({ is: 'text', as: 'soon' }, { format: 'until', decimals: 0 }, zone, now_ms).text).toBe('soon')
  expect(cell_text({ is: 'missing' }, { format: 'ago', decimals: 0 }, zone, now_ms).text).toBe('----')
  expect(cell_text({ is: 'number', as: NaN }, { format: 'ago', decimals: 0 }, zone, now_ms).text).toBe('----')
})

test('times stand in the board’s zone, on both sides of a clock change', () => {
  const zone = new Zone('America/New_York')
  expect(zone.time(Date.UTC(2013, 1, 8, 19, 5))).toBe('14:05')
  expect(zone.date(Date.UTC(2013, 1, 9, 4, 59))).toBe('Friday 8 February 2013')
  expect(zone.offset_ms(Date.UTC(2013, 1, 8))).toBe(-5 * 3_600_000)
  expect(zone.offset_ms(Date.UTC(2013, 6, 8))).toBe(-4 * 3_600_000)
  expect(zone.seconds(-1_000)).toBe(':59')
})

test('a time of another day says which day', () => {
  const zone = new Zone('America/New_York')
  const now = Date.UTC(2013, 1, 8, 5, 10)
  expect(zone.moment(Date.UTC(2013, 1, 8, 5, 0), now)).toBe('00:00')
  expect(zone.moment(Date.UTC(2013, 1, 8, 3, 55), now)).toBe('Thu 22:55')
  expect(zone.moment(Date.UTC(2013, 1, 2, 3, 55), now)).toBe('1 Feb 22:55')
  expect(zone.moment(9e15, now)).toBe('----')
})

test('an unknown zone is said, not guessed, and a time out of all bounds is dashes (H1)', () => {
  const zone = new Zone('America/Gotham')
  expect([zone.name, zone.known]).toEqual(['America/Gotham', false])
  expect(zone.time(Date.UTC(2013, 1, 8, 19, 5))).toBe('19:05')
  expect(zone_notice(zone)?.text).toContain('UTC: this machine’s web view does not know the time zone America/Gotham')
  expect(zone_notice(new Zone('America/New_York'))).toBeNull()
  expect(zone.time(9e15)).toBe('----')
})

test('a figure keeps the room of its widest end', () => {
  const look = { ...LOOK, max: 9_999 }
  expect(figure_room_em('5', look)).toBe(figure_room_em('9999', look))
})

test('what became of an outage is told, and what nobody knows is not', () => {
  const words = (
    became: 'unknown' | 'proven' | 'snapshot' | null,
    missed: number | null,
    ended_ms: number | null = 1,
  ) => outage_words({ became, missed, ended_ms })
  expect(words(null, null)).toBe('nothing missed')
  expect(words(null, null, null)).toBe('lasts')
  expect(words('proven', 1)).toBe('filled by replay, 1 event')
  expect(words('snapshot', 1207)).toBe('taken over by snapshot, 1207 events')
  expect(words('unknown', null)).toBe('events missing')
})
