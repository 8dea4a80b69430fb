import { expect, test } from 'vitest'
import { projection_of, view_of } from './view'

const BOUNDS = [
  [-74.3, 40.5, -73.7, 40.95],
  [-180, -60, 180, 80],
  [151, -34.1, 151.5, -33.6],
  [178, -20, 182, -16],
] as const

test('the bounds fill the picture one way and are within it the other, whatever its shape', () => {
  for (const bounds of BOUNDS) {
    for (const [width, height] of [
      [1920, 1080],
      [400, 900],
      [3840, 540],
    ] as const) {
      for (const ratio of [1, 2]) {
        const to = projection_of(view_of(bounds, width, height), width * ratio, height * ratio, ratio)
        const [west, south, east, north] = bounds
        const [left, top] = to([west + 1e-9, north]) as [number, number]
        const [right, bottom] = to([east - 1e-9, south]) as [number, number]
        const [across, down] = [(right - left) / (width * ratio), (bottom - top) / (height * ratio)]
        expect(Math.max(across, down)).toBeCloseTo(1, 4)
        expect(left + right).toBeCloseTo(width * ratio, 3)
        expect(top + bottom).toBeCloseTo(height * ratio, 3)
      }
    }
  }
})
