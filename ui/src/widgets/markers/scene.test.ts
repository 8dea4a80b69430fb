// What of a map has no room is counted, so that it can be said.
import { geoEquirectangular } from 'd3-geo'
import { expect, test } from 'vitest'
import { TRAIL_PIECES_MAX } from '../../core/limits'
import type { MarkerValue } from '../../generated/frame'
import { Scene } from './scene'
import { corner_words, missing_words, NOTHING_LACKS } from './words'

const POINTS = 31
const LOOK = { keep_ms: 40_000, step_ms: 1_000 }

function marker(at: number, across: number): MarkerValue {
  const [lat, lon] = [Math.floor(at / across) / 4, (at % across) / 4]
  const trail = Array.from({ length: POINTS }, (_, step): MarkerValue['trail'][number] => [
    step * 1_000,
    [lat, lon + step / 1e6],
  ])
  const state = at === 0 ? 'alarm' : 'normal'
  return { key: String(at), lat, lon, heading: null, label: null, state, icon: null, trail, trail_whole: true }
}

function laid(count: number): Scene {
  const to = geoEquirectangular().scale(20_000).translate([0, 20_000])
  const scene = new Scene(to, { x: 0, y: 0, width: 20_000, height: 20_000 }, 10)
  const markers = Array.from({ length: count }, (_, at) => marker(at, 20))
  scene.set_markers(new Map(markers.map((one) => [one.key, one])), 0, 0)
  scene.arrange(0, () => 0, 0, [])
  scene.lay_ways(LOOK, [])
  return scene
}

test('trails beyond what can be drawn are counted, and the worst marker has its own', () => {
  const drawn = Math.ceil(TRAIL_PIECES_MAX / (POINTS - 1))
  const scene = laid(drawn + 7)
  expect(scene.ways.length).toBe(drawn)
  expect(scene.ways[0]?.marker.value.key).toBe('0')
  expect(scene.untrailed).toBe(7)
  expect(laid(5).untrailed).toBe(0)
})

test('and the corner says how many', () => {
  const held = { kind: 'markers' as const, by_key: new Map(), total: 3, unplaced: 0, gaps: [], fences: [] }
  expect(missing_words({ ...held, total: 0 }, false, { ...NOTHING_LACKS, trails: 7 })).toBe('+7 without a trail')
  expect(missing_words({ ...held, total: 0 }, true, { ...NOTHING_LACKS, labels: 2, trails: 7 })).toBe(
    '+2 unnamed, +7 trails',
  )
  const lacks = { labels: 2, trails: 7, names: 3, shapes: 1 }
  expect(corner_words({ ...held, total: 0 }, 500, lacks)).toBe(
    '+5 without a label, +7 without a trail, +1 shapes not drawn',
  )
  expect(corner_words({ ...held, total: 0 }, 45, lacks)).toBe('+5 unnamed, +7 trails, +1 shapes')
  expect(corner_words({ ...held, total: 0 }, 10, lacks)).toBe('+13 more')
  expect(corner_words({ ...held, total: 0 }, 10)).toBe('')
})
