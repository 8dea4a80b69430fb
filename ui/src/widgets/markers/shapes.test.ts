// Shapes lie where they are, whichever way their rings are wound; and what has no room for its name is counted.
import { geoConicConformal, geoEquirectangular } from 'd3-geo'
import { describe, expect, test } from 'vitest'
import type { FenceLook, LayerLook, MarkerValue } from '../../generated/frame'
import { overlaps } from '../../core/labels'
import { steps } from '../../host/fake-fences'
import { BAD } from './rank'
import { Scene } from './scene'
import { degrees, fence_words, laid_fences, laid_layers, widest } from './shapes'

const AREA = { x: 0, y: 0, width: 1000, height: 500 }
const BOUNDS: [number, number, number, number] = [-10, -5, 10, 5]
/** 50 pixels a degree, the middle in the middle. */
const to = geoEquirectangular()
  .scale((50 * 180) / Math.PI)
  .translate([500, 250])
const square = (lon: number, lat: number, half: number): [number, number][] => [
  [lon - half, lat - half],
  [lon + half, lat - half],
  [lon + half, lat + half],
  [lon - half, lat + half],
]

function layer(areas: readonly (readonly [number, number][])[], name: string | null = 'A'): LayerLook {
  const shape = { name, state: 'normal' as const, areas: [areas.map(steps)], lines: [], points: [] }
  return { draw: 'area', shapes: [shape], left_out: 0 }
}

const fence = (name: string, lon: number, half = 1): FenceLook => ({
  name,
  state: 'alarm',
  when: 'inside',
  areas: [[steps(square(lon, 0, half))]],
})

test('positions are told as steps', () => {
  const line = [
    [7.123_456_7, 47.5],
    [-170, -0.000_000_1],
  ] as const
  expect(degrees(steps(line))).toEqual(line)
})

describe('where a name stands', () => {
  test('it is in the area, not in its hole, wherever the middle of its bounds is', () => {
    for (const hole of [square(0, 0, 2), square(0, 0, 2).reverse()]) {
      const [laid] = laid_layers([layer([square(0, 0, 4), hole])], BOUNDS, to, AREA)
      const middle = laid?.shapes[0]?.middle
      const [x, y] = middle ?? [0, 0]
      expect(Math.abs(x - 500) < 200 && Math.abs(y - 250) < 200).toBe(true)
      expect(Math.abs(x - 500) < 100 && Math.abs(y - 250) < 100).toBe(false)
    }
  })

  test('it is in what is seen, and nowhere if nothing is', () => {
    const [laid] = laid_layers([layer([square(12, 0, 4)])], BOUNDS, to, AREA)
    const [x] = laid?.shapes[0]?.middle ?? [0]
    expect(x).toBeGreaterThan(900)
    expect(x).toBeLessThan(1000)
    const [off] = laid_layers([layer([square(30, 0, 4)])], BOUNDS, to, AREA)
    expect(off?.shapes[0]?.middle).toBeNull()
    expect(widest([], AREA)).toBeNull()
  })

  test('a line has its own near the middle of the map, a point upon itself, and a shape that is drawn as a point is one', () => {
    const line = {
      name: 'R',
      state: 'normal' as const,
      areas: [],
      lines: [
        steps([
          [-20, 1],
          [-1, 1],
          [20, 1],
        ]),
      ],
      points: [],
    }
    const point = { ...line, lines: [], points: steps([[2, 2]]) }
    const [lines, points] = laid_layers(
      [
        { draw: 'area', shapes: [line, point], left_out: 0 },
        { ...layer([square(0, 0, 1)]), draw: 'point' },
      ],
      BOUNDS,
      to,
      AREA,
    )
    expect(lines?.shapes[0]?.middle?.[1]).toBeCloseTo(200, 6)
    expect(lines?.shapes[1]?.middle).toEqual([600, 150])
    expect(points?.shapes[0]).toMatchObject({ areas: [], points: [points?.shapes[0]?.middle] })
  })
})

test('no stroke runs along the seam of a map of the world, and the area is filled to it', () => {
  const world = geoEquirectangular().translate([500, 250])
  const east = layer([
    [
      [170, -10],
      [180, -10],
      [180, 10],
      [170, 10],
    ],
  ])
  const [laid] = laid_layers([east], [-180, -60, 180, 80], world, AREA)
  const ring = laid?.shapes[0]?.areas[0]?.[0]
  const along = ring?.points.filter((_, at) => ring.unstroked.has(at)) ?? []
  expect(along.length).toBeGreaterThan(0)
  const edge = world([179.9999, 0])?.[0] ?? 0
  for (const [x] of along) expect(x).toBeCloseTo(edge, 1)
})

test('an edge that is straight in degrees bends with the map', () => {
  const cone = geoConicConformal().parallels([40, 60]).translate([500, 250])
  const wide = layer([
    [
      [-20, 50],
      [20, 50],
      [20, 51],
      [-20, 51],
    ],
  ])
  const [laid] = laid_layers([wide], [-25, 40, 25, 60], cone, AREA)
  const points = laid?.shapes[0]?.areas[0]?.[0]?.points ?? []
  const south = cone([0, 50]) ?? [0, 0]
  expect(Math.min(...points.map(([x, y]) => Math.hypot(x - south[0], y - south[1])))).toBeLessThan(6)
})

test('a fence says how many are in it, and who may be still', () => {
  expect(fence_words('Depot', { inside: 3, unknown: 0 })).toBe('Depot  3')
  expect(fence_words('Depot', { inside: 0, unknown: 0 })).toBe('Depot  0')
  expect(fence_words('Depot', { inside: 2, unknown: 1 })).toBe('Depot  2 +1?')
  expect(fence_words('Depot', { inside: 0, unknown: 1 })).toBe('Depot  +1?')
  expect(fence_words('Depot', null)).toBe('Depot')
})

function marker(key: string, lon: number, lat: number, over: Partial<MarkerValue> = {}): MarkerValue {
  const plain = { heading: null, label: key, state: 'normal' as const, icon: null, trail: [], trail_whole: true }
  return { key, lat, lon, ...plain, ...over }
}

describe('names of shapes', () => {
  const measure = (text: string): number => text.length * 8
  function scene(markers: readonly MarkerValue[]): Scene {
    const scene = new Scene(to, AREA, 20)
    const layers = laid_layers([layer([square(0, 0, 1)]), layer([square(4, 0, 1)], 'B')], BOUNDS, to, AREA)
    scene.set_shapes(
      layers,
      laid_fences([fence('Far', 30), fence('Depot', 0, 0.8), fence('Gate', 0.2, 0.4)], BOUNDS, to, AREA),
    )
    scene.set_markers(new Map(markers.map((one) => [one.key, one])), 0, 0)
    return scene
  }

  test('none lies upon another, nor upon a marker’s label; the worst fence has its own first', () => {
    const at = [marker('one', 0, 0.2, { fence: 2, state: 'alarm' }), marker('two', 0.5, -0.3), marker('three', 4, 0)]
    const drawn = scene(at)
    const quiet = { state: 'normal' as const, inside: 0, unknown: 0 }
    drawn.set_fences([quiet, quiet, { state: 'alarm', inside: 1, unknown: 0 }])
    drawn.arrange(0, measure, 16, [])
    const labels = drawn.labels.map((label) => {
      const glide = drawn.owner(label)?.glide
      return { ...label.box, x: label.box.x + (glide?.to_x ?? 0), y: label.box.y + (glide?.to_y ?? 0) }
    })
    const fences = drawn.fences.flatMap(({ label }) => label?.box ?? [])
    const all = [...fences, ...labels, ...drawn.shape_labels.map(({ box }) => box)]
    expect(fences.length).toBe(2)
    expect(drawn.unnamed).toBe(0)
    all.forEach((box, at) => {
      for (const other of all.slice(at + 1)) expect(overlaps(box, other)).toBe(false)
    })
    expect(drawn.fences[2]?.label?.text).toBe('Gate  1')
    expect(BAD[drawn.fences[2]?.value?.state ?? 'normal']).toBe(BAD.alarm)
    expect(drawn.labels.map(({ text }) => text)).toContain('one · Gate')
  })

  test('what has no room is counted', () => {
    const drawn = scene([])
    drawn.arrange(0, measure, 16, [AREA])
    expect(drawn.unnamed).toBe(4)
    expect(drawn.fences.every(({ label }) => label === null)).toBe(true)
  })
})
