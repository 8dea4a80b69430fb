import { describe, expect, test } from 'vitest'
import type { TrailLook } from '../generated/frame'
import { dice } from './dice.test-support'
import { merged_trail, pieces, type TrailPoint } from './trail'

const LOOK: TrailLook = { keep_ms: 4_000, step_ms: 100 }

describe('a trail', () => {
  test('H3: taking changes in any portions comes to the same as taking all at once', () => {
    const roll = dice(3)
    for (let round = 0; round < 200; round += 1) {
      const points = Array.from({ length: roll(120) }, (_, at): TrailPoint => [roll(9_000) - 4_500, [at, 0]])
      const model = new Map(points.map((point) => [Math.floor(point[0] / 100), point]))
      const newest = Math.max(...model.keys())
      const expected = [...model].filter(([at]) => at > newest - 40).sort((a, b) => a[0] - b[0])
      let held: TrailPoint[] = []
      for (let at = 0; at < points.length;) {
        const end = at + 1 + roll(10)
        held = merged_trail(LOOK, held, points.slice(at, end))
        at = end
      }
      // What is too old when it comes is too old at the end.
      expect(held).toEqual(expected.map(([, point]) => point))
    }
  })

  test('is known where positions follow each other, and is no way where there was none', () => {
    const trail: TrailPoint[] = [
      [0, [1, 1]],
      [500, [1, 2]],
      [1_000, null],
      [1_100, [1, 3]],
      [1_200, [1, 4]],
      [2_500, [1, 5]],
      [2_600, [1, 179]],
      [2_700, [1, -179]],
    ]
    const way = pieces(LOOK, trail, [[1_150, 1_160]], 2_700)
    expect(way.map(({ from, to, known }) => [from[1], to[1], known])).toEqual([
      [1, 2, true],
      [3, 4, false],
      [4, 5, false],
      [5, 179, true],
    ])
    expect(way.map(({ shade }) => shade)).toEqual([2, 1, 0, 0])
    expect(pieces(LOOK, trail, [], 9_000)).toEqual([])
  })
})
