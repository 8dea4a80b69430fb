// Geometry without pixels: scales, gaps, clusters, labels and glides.
import { describe, expect, test } from 'vitest'
import { apart, clusters } from './cluster'
import { columns, lonely } from './columns'
import { dice } from './dice.test-support'
import { frames_per_second, position, progress, speed } from './glide'
import { type Box, overlaps, place_label } from './labels'
import { SCALE_HOLD_MS } from './limits'
import { HeldRange, nice_range, nice_step, time_step_ms } from './scale'

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

  test('what is counted in ones has no tenths', () => {
    expect(nice_range(0, 1, 5, 1)).toEqual({ low: 0, high: 1, step: 1 })
  })

  test('grows at once and shrinks after it has been enough for ten minutes', () => {
    const held = new HeldRange()
    expect(held.next(0, 10, 5, 0).high).toBe(10)
    expect(held.next(0, 90, 5, 1_000).high).toBe(100)
    expect(held.next(0, 10, 5, 2_000).high).toBe(100)
    expect(held.next(0, 10, 5, 2_000 + SCALE_HOLD_MS - 1).high).toBe(100)
    expect(held.next(0, 10, 5, 2_000 + SCALE_HOLD_MS).high).toBe(10)
  })

  test('a time axis counts in steps that people use', () => {
    expect(time_step_ms(43_200_000, 4)).toBe(10_800_000)
    expect(time_step_ms(60_000, 4)).toBe(15_000)
    expect(time_step_ms(8.64e9, 5) % 604_800e3).toBe(0)
  })
})

describe('columns', () => {
  test('a gap is never bridged', () => {
    const { times, values } = columns({
      kind: 'series',
      lines: [
        {
          key: 'a',
          points: [
            [0, 1],
            [1_000, 2],
            [2_000, 3],
          ],
        },
        { key: 'b', points: [[2_000, 9]] },
      ],
      gaps: [[1_200, 1_800]],
    })
    expect(times).toEqual([0, 1, 1.2, 1.8, 2])
    expect(values).toEqual([
      [1, 2, null, null, 3],
      [null, null, null, null, 9],
    ])
    expect(lonely(values[0] ?? [])).toEqual([4])
    expect(lonely(values[1] ?? [])).toEqual([4])
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
