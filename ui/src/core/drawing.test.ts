// Geometry without pixels: scales, gaps, clusters, labels and glides.
import { describe, expect, test } from 'vitest'
import { is_whole, newest_whole } from './buckets'
import { apart, clusters } from './cluster'
import { columns, lonely } from './columns'
import { dice } from './dice.test-support'
import { frames_per_second, position, progress, speed } from './glide'
import { type Box, overlaps, place_label } from './labels'
import { HeldRange, low_trimmed, nice_range, nice_step, scale_hold_ms, time_step_ms } from './scale'
import { label_width_em, middle_cut, shortened } from './width'

describe('scale', () => {
  test.each([
    [0.7, 1],
    [1.2, 2],
    [3, 5],
    [7, 10],
    [0.03, 0.05],
    [0, 1],
    [NaN, 1],
  ])('step for %d is %d', (raw, step) => {
    expect(nice_step(raw)).toBeCloseTo(step)
  })

  test.each([
    [0, 23, 0, 25],
    [-8, 85, -20, 100],
    [97, 99, 97, 99],
    [5, 5, 0, 5],
    [0, 0, 0, 0.2],
    [-4, -4, -4, 0],
    [NaN, 1, 0, 1],
  ])('%d to %d is drawn from %d to %d', (low, high, from, to) => {
    const range = nice_range(low, high, 5)
    expect(range.low).toBeCloseTo(from)
    expect(range.high).toBeCloseTo(to)
    expect(range.low).toBeLessThan(range.high)
  })

  test('a little below zero takes a quarter of a step, and much of it a whole one', () => {
    expect(low_trimmed(nice_range(-3, 180, 5), -3)).toMatchObject({ low: -12.5, high: 200, step: 50 })
    expect(low_trimmed(nice_range(-40, 180, 5), -40).low).toBe(-50)
    expect(low_trimmed(nice_range(0, 180, 5), 0).low).toBe(0)
    expect(low_trimmed(nice_range(-3, -1, 5), -3).low).toBeLessThanOrEqual(-3)
  })

  test('what is counted in ones has no tenths', () => {
    expect(nice_range(0, 1, 5, 1)).toEqual({ low: 0, high: 1, step: 1 })
  })

  test('grows at once, and shrinks soon after a burst has left the window', () => {
    const held = new HeldRange()
    const hold_ms = scale_hold_ms(60_000)
    expect(hold_ms).toBe(1_200)
    expect(scale_hold_ms(8.64e9)).toBe(600_000)
    expect(held.next(0, 10, 5, 0, hold_ms).high).toBe(10)
    expect(held.next(0, 90, 5, 1_000, hold_ms).high).toBe(100)
    expect(held.next(0, 10, 5, 2_000, hold_ms).high).toBe(100)
    expect(held.next(0, 10, 5, 2_000 + hold_ms - 1, hold_ms).high).toBe(100)
    expect(held.next(0, 10, 5, 2_000 + hold_ms, hold_ms).high).toBe(10)
  })

  test('a burst on one side shrinks while the other side has grown', () => {
    const held = new HeldRange()
    expect(held.next(-40, 10, 5, 0, 100).low).toBe(-40)
    expect(held.next(0, 90, 5, 50, 100)).toMatchObject({ low: 0, high: 100 })
  })

  test('a board clock that is set back begins the wait anew', () => {
    const held = new HeldRange()
    held.next(0, 90, 5, 10_000, 100)
    expect(held.next(0, 10, 5, 10_000, 100).high).toBe(100)
    expect(held.next(0, 10, 5, 5_000, 100).high).toBe(100)
    expect(held.next(0, 10, 5, 5_100, 100).high).toBe(10)
  })

  test('a time axis counts in steps that people use', () => {
    expect(time_step_ms(43_200_000, 4)).toBe(10_800_000)
    expect(time_step_ms(60_000, 4)).toBe(15_000)
    expect(time_step_ms(8.64e9, 5) % 604_800e3).toBe(0)
  })
})

describe('buckets', () => {
  const known = { bucket_ms: 1_000, until_ms: 3_400, gaps: [] }
  const line = (points: [number, number | null][]) => ({ key: 'a', points })

  test('a bucket is whole once it has ended before anything became unknown', () => {
    expect(is_whole(2_000, known)).toBe(true)
    expect(is_whole(3_000, known)).toBe(false)
    expect(is_whole(1_000, { ...known, gaps: [[1_900, 2_000]] })).toBe(false)
    expect(is_whole(2_000, { ...known, gaps: [[1_900, 2_000]] })).toBe(true)
    expect(is_whole(2_000, { ...known, gaps: [[2_999, 4_000]] })).toBe(false)
  })

  test('H1: at a line’s end stands the bucket that ended last, and no older one in its place', () => {
    // prettier-ignore
    expect(newest_whole(line([[1_000, 5], [2_000, 6], [3_000, 1]]), known)).toBe(6)
    // prettier-ignore
    expect(newest_whole(line([[1_000, 5], [2_000, null], [3_000, 1]]), known)).toBeNull()
    expect(newest_whole(line([[1_000, 5]]), known)).toBeNull()
    expect(newest_whole(line([[2_000, 6]]), { ...known, gaps: [[2_500, 2_600]] })).toBeNull()
    expect(newest_whole(line([]), known)).toBeNull()
  })
})

describe('columns', () => {
  test('a gap is never bridged, and what isn’t whole has no value (H3)', () => {
    const series = {
      kind: 'series' as const,
      lines: [
        {
          key: 'a',
          points: [
            [0, 1],
            [1_000, 2],
            [2_000, 3],
            [3_000, 4],
          ] as [number, number][],
        },
        { key: 'b', points: [[2_000, 9]] as [number, number][] },
      ],
      gaps: [[1_200, 1_800]] as [number, number][],
    }
    const { times, values } = columns(series, { bucket_ms: 1_000, until_ms: 3_500, gaps: series.gaps })
    expect(times).toEqual([1, 1.2, 1.8, 2, 3, 4])
    expect(values).toEqual([
      [1, null, null, null, 3, null],
      [null, null, null, null, 9, null],
    ])
    expect(lonely(values[0] ?? [])).toEqual([0, 4])
    expect(lonely(values[1] ?? [])).toEqual([4])
  })
})

describe('width', () => {
  test.each([
    ['1000', 2.04],
    ['LGA 99', 2.9],
  ])('%s is %d em wide', (text, em) => {
    expect(label_width_em(text)).toBeCloseTo(em, 1)
  })

  test('what is cut says so and fits', () => {
    expect(shortened('EWR', 5)).toBe('EWR')
    const cut = shortened('Washington National', 5)
    expect(cut).toMatch(/^Wash.*…$/)
    expect(label_width_em(cut)).toBeLessThanOrEqual(5)
  })

  test('of a long sentence both ends are kept', () => {
    const text = `unknown key ${'x'.repeat(300)}, did you mean \`title\`?`
    const cut = middle_cut(text, 120)
    expect([...cut].length).toBeLessThanOrEqual(120)
    expect(cut.startsWith('unknown key')).toBe(true)
    expect(cut.endsWith('did you mean `title`?')).toBe(true)
    expect(middle_cut('short', 120)).toBe('short')
  })
})

test('circles of groups lie on nothing else, and nobody is lost', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const die = dice(seed)
    const spots = Array.from({ length: 120 }, () => ({ x: die(300), y: die(200) }))
    const groups = apart(clusters(spots, 10), spots, 17)
    expect(groups.flat().sort((a, b) => a - b)).toEqual(spots.map((_, at) => at))
    const circles = groups.map((group) => ({
      x: group.reduce((sum, at) => sum + (spots[at]?.x ?? 0), 0) / group.length,
      y: group.reduce((sum, at) => sum + (spots[at]?.y ?? 0), 0) / group.length,
      many: group.length > 1,
    }))
    for (const [at, one] of circles.entries()) {
      for (const other of circles.slice(at + 1)) {
        if (one.many || other.many) expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(17)
      }
    }
  }
})

test('every spot is in exactly one cluster, and no cluster is wider than its radius allows', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const die = dice(seed)
    const spots = Array.from({ length: 120 }, () => ({ x: die(300) - 50, y: die(200) - 50 }))
    const groups = clusters(spots, 20)
    const seen = groups.flat().sort((a, b) => a - b)
    expect(seen).toEqual(spots.map((_, at) => at))
    for (const group of groups) {
      // The group's first spot in the list's order is the one that the others lie around.
      const [seed_spot] = group.map((at) => spots[at])
      for (const at of group) {
        const spot = spots[at]
        if (spot === undefined || seed_spot === undefined) throw new Error('a group of nothing')
        expect(Math.hypot(spot.x - seed_spot.x, spot.y - seed_spot.y)).toBeLessThanOrEqual(20)
      }
    }
  }
})

test('labels never lie upon each other nor outside', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const die = dice(seed)
    const area: Box = { x: 0, y: 0, width: 400, height: 300 }
    const taken: Box[] = []
    for (let more = 0; more < 60; more += 1) {
      const box = place_label({ x: die(400), y: die(300) }, { width: 60, height: 16 }, [8, 20], area, taken)
      if (box === null) continue
      expect(taken.some((other) => overlaps(box, other))).toBe(false)
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 400 && box.y + box.height <= 300).toBe(true)
      taken.push(box)
    }
    expect(taken.length).toBeGreaterThan(10)
  }
})

test('a marker glides to where it was seen and never beyond', () => {
  const glide = { from_x: 0, from_y: 0, to_x: 30, to_y: 40, start_ms: 1_000, length_ms: 500 }
  expect(position(glide, 900)).toEqual({ x: 0, y: 0 })
  expect(position(glide, 1_250)).toEqual({ x: 15, y: 20 })
  expect(position(glide, 9_000)).toEqual({ x: 30, y: 40 })
  expect(progress({ ...glide, length_ms: 0 }, 0)).toBe(1)
  expect(speed(glide)).toBe(100)
  expect(frames_per_second(1)).toBe(2)
  expect(frames_per_second(9)).toBe(9)
  expect(frames_per_second(500)).toBe(20)
})
