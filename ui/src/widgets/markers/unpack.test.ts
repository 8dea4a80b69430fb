import { geoContains } from 'd3-geo'
import { describe, expect, it } from 'vitest'
import { gzipSync } from 'node:zlib'
import text from 'virtual:atlas'
import { dice } from '../../core/dice.test-support'
import { type Atlas, packed, unpacked } from './unpack'

const BYTES_MAX = 130_000

/** On whole steps, and no point twice in turn: what is packed comes back as it was. */
function line(roll: (sides: number) => number, points: number): [number, number][] {
  return Array.from({ length: points }, (_, at) => [
    at % 2 === 0 ? -180 + roll(9) * 0.004 : roll(45_000) * 0.004,
    roll(45_001) * 0.004 - 90,
  ])
}

describe('the atlas', () => {
  it('comes back from its text as it was put in, to a step of a degree', () => {
    const roll = dice(7)
    for (let round = 0; round < 50; round += 1) {
      const rings = (): [number, number][][] => [line(roll, 5), line(roll, 4)]
      const whole: Atlas = {
        land: { type: 'MultiPolygon', coordinates: [rings(), rings()] },
        borders: { type: 'MultiLineString', coordinates: [line(roll, 2), line(roll, 30)] },
        states: { type: 'MultiPolygon', coordinates: [rings()] },
        state_borders: { type: 'MultiLineString', coordinates: [line(roll, 3)] },
      }
      expect(packed(unpacked(packed(whole)))).toBe(packed(whole))
      const [lon, lat] = whole.borders.coordinates[1]?.[7] ?? []
      const back = unpacked(packed(whole)).borders.coordinates[1]?.[7]
      expect(back?.[0]).toBeCloseTo(lon ?? 0, 9)
      expect(back?.[1]).toBeCloseTo(lat ?? 0, 9)
    }
  })

  it('leaves out a ring that is a point or a line at its steps', () => {
    const dot = [0, 1, 2, 0].map((at) => [at / 10_000, 0])
    const land = { type: 'MultiPolygon' as const, coordinates: [[dot], [[...line(dice(1), 6)]]] }
    const none = { type: 'MultiLineString' as const, coordinates: [] }
    const back = unpacked(packed({ land, borders: none, states: { ...land }, state_borders: none }))
    expect(back.land.coordinates.map((rings) => rings.map((ring) => ring.length))).toEqual([[6]])
  })

  it('has the world in few bytes', () => {
    expect(gzipSync(text).length).toBeLessThan(BYTES_MAX)
    const { land, states } = unpacked(text)
    const on = (at: [number, number]): boolean => geoContains(land, at) || geoContains(states, at)
    // Cities inland, islands that somebody watches, and straits and seas between them.
    for (const at of [
      [-0.4, 51.8],
      [13.4, 52.5],
      [139.3, 35.9],
      [-99.1, 19.4],
      [37.6, 55.7],
      [-104.9, 39.7],
      [14.4, 35.9],
      [-157.9, 21.5],
    ])
      expect([at, on(at as [number, number])]).toEqual([at, true])
    for (const at of [
      [-30, 40],
      [5, 39],
      [2, 52.8],
      [130, 34.2],
      [-87, 43.5],
      [51, 42],
      [29.1, 40.85],
      [-176, -40],
    ])
      expect([at, on(at as [number, number])]).toEqual([at, false])
  })
})
