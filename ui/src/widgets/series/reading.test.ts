// What a hand reads off a chart is what stands there, and it never looks at nothing.
import { describe, expect, test } from 'vitest'
import { DASHES, Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import type { SeriesLook } from './input'
import { bucket_at, closer, reading, stretch, stretch_words } from './reading'

const MINUTE = 60_000
const look: SeriesLook = {
  kind: 'series',
  draw: 'line',
  keep_ms: 60 * MINUTE,
  bucket_ms: 5 * MINUTE,
  decimals: 1,
  unit: null,
}
const bars: SeriesLook = { ...look, draw: 'bars' }
const zone = new Zone('UTC')
const NOON = Date.UTC(2026, 10, 28, 12)
const series: HeldSeries = {
  kind: 'series',
  lines: [
    {
      key: 'A',
      points: [
        [NOON, 3],
        [NOON + 5 * MINUTE, 4],
        [NOON + 10 * MINUTE, 1],
      ],
    },
    {
      key: 'B',
      points: [
        [NOON, 7],
        [NOON + 5 * MINUTE, null],
      ],
    },
  ],
  gaps: [],
}
const known = { bucket_ms: look.bucket_ms, until_ms: NOON + 12 * MINUTE, gaps: series.gaps }

describe('cursor', () => {
  test('a line’s value stands at its bucket’s end, a bar in its bucket', () => {
    expect(bucket_at(look, NOON + 5 * MINUTE)).toBe(NOON)
    expect(bucket_at(look, NOON + 7 * MINUTE)).toBe(NOON)
    expect(bucket_at(look, NOON + 8 * MINUTE)).toBe(NOON + 5 * MINUTE)
    expect(bucket_at(bars, NOON + 4.9 * MINUTE)).toBe(NOON)
    expect(bucket_at(bars, NOON + 5 * MINUTE)).toBe(NOON + 5 * MINUTE)
  })

  test('it names the time and each line’s value, the highest first, and dashes where nobody knows', () => {
    const at = (start: number, of = look) => reading(series, of, known, zone, start, NOON + 12 * MINUTE)
    expect(at(NOON)).toMatchObject({ when: '12:00–12:05', at_ms: NOON + 5 * MINUTE })
    expect(at(NOON).lines.map(({ key, said }) => [key, said])).toEqual([
      ['B', '7.0'],
      ['A', '3.0'],
    ])
    expect(at(NOON + 5 * MINUTE).lines.map(({ said }) => said)).toEqual(['4.0', DASHES])
    // The bucket that fills has no point on a line, and a hollow bar.
    expect(at(NOON + 10 * MINUTE).lines.map(({ said }) => said)).toEqual([DASHES, DASHES])
    expect(at(NOON + 10 * MINUTE, bars).lines[0]?.said).toBe('1.0 so far')
    expect(at(NOON - 500 * MINUTE).lines.every(({ said }) => said === DASHES)).toBe(true)
  })

  test('what a gap reaches into has no value', () => {
    const gaps: HeldSeries['gaps'] = [[NOON + MINUTE, NOON + 2 * MINUTE]]
    const there = reading({ ...series, gaps }, look, { ...known, gaps }, zone, NOON, NOON + 12 * MINUTE)
    expect(there.lines.map(({ said }) => said)).toEqual([DASHES, DASHES])
  })

  test('short buckets are told to the second', () => {
    const short = { ...look, bucket_ms: 10_000 }
    const there = reading(series, short, { ...known, bucket_ms: 10_000 }, zone, NOON, NOON)
    expect(there.when).toBe('12:00:00–12:00:10')
  })
})

describe('stretch', () => {
  const all = { from_ms: NOON - 60 * MINUTE, to_ms: NOON }
  const bucket = 5 * MINUTE

  test('from left to right as from right to left, within all of it, and never too short', () => {
    const there = { from_ms: NOON - 40 * MINUTE, to_ms: NOON - 10 * MINUTE }
    expect(stretch(all, bucket, there.from_ms, there.to_ms)).toEqual(there)
    expect(stretch(all, bucket, there.to_ms, there.from_ms)).toEqual(there)
    expect(stretch(all, bucket, NOON - 1, NOON)).toEqual({ from_ms: NOON - 20 * MINUTE, to_ms: NOON })
    expect(stretch(all, bucket, NOON - 90 * MINUTE, NOON - 50 * MINUTE)).toEqual({
      from_ms: NOON - 60 * MINUTE,
      to_ms: NOON - 20 * MINUTE,
    })
    expect(stretch(all, bucket, NOON - 200 * MINUTE, NOON + 200 * MINUTE)).toBeNull()
  })

  test('closer and back again: what one looks at stays where it is, until it is all', () => {
    const half = closer(all, all, bucket, NOON - 30 * MINUTE, 0.5)
    expect(half).toEqual({ from_ms: NOON - 45 * MINUTE, to_ms: NOON - 15 * MINUTE })
    expect(half === null ? null : closer(all, half, bucket, NOON - 30 * MINUTE, 2)).toBeNull()
  })

  test('it says that it isn’t all', () => {
    const there = { from_ms: NOON - 30 * MINUTE, to_ms: NOON - 10 * MINUTE }
    expect(stretch_words(there, zone, NOON)).toBe('only 11:30–11:50, Esc for all')
  })
})
