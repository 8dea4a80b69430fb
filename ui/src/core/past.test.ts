import { describe, expect, it } from 'vitest'
import { instant_at, LEAD_MS, loss_from, pace_from, share, stretches } from './past'

const RANGE = { first_ms: 1_000_000, last_ms: 2_000_000 }

describe('the time line', () => {
  it('goes from the oldest record to the newest', () => {
    expect([999_999, 1_000_000, 1_250_000, 2_000_000, 3_000_000].map((at) => share(RANGE, at))).toEqual([
      0, 0, 0.25, 1, 1,
    ])
    expect([-1, 0, 0.25, 1, 2].map((at) => instant_at(RANGE, at))).toEqual([
      1_000_000, 1_000_000, 1_250_000, 2_000_000, 2_000_000,
    ])
    expect(share({ first_ms: 5, last_ms: 5 }, 5)).toBe(1)
  })

  it('shows short stretches too, also at its end', () => {
    const [long, short, last] = stretches(RANGE, [
      [1_000_000, 1_500_000],
      [1_500_000, 1_500_001],
      [2_000_000, 2_000_000],
    ])
    expect(long).toEqual({ from: 0, width: 0.5 })
    expect(short).toEqual({ from: 0.5, width: 0.002 })
    expect(last).toEqual({ from: 0.998, width: 0.002 })
  })
})

describe('gestures', () => {
  const marks = {
    holes: [],
    losses: [
      [1_100_000, 1_200_000],
      [1_500_000, 1_510_000],
    ] as [number, number][],
  }

  it('go from loss to loss and past none', () => {
    const first = 1_100_000 - LEAD_MS
    expect(loss_from(marks, 1_000_000, 1)).toBe(first)
    expect(loss_from(marks, first, 1)).toBe(1_500_000 - LEAD_MS)
    expect(loss_from(marks, 1_500_000 - LEAD_MS, 1)).toBeNull()
    expect(loss_from(marks, 1_800_000, -1)).toBe(1_500_000 - LEAD_MS)
    expect(loss_from(marks, 1_500_000 - LEAD_MS, -1)).toBe(first)
    expect(loss_from(marks, first, -1)).toBeNull()
  })

  it('change the pace and keep the direction', () => {
    expect(pace_from(1, 1)).toBe(10)
    expect(pace_from(-10, 1)).toBe(-60)
    expect(pace_from(600, 1)).toBe(600)
    expect(pace_from(-1, -1)).toBe(-1)
  })
})
