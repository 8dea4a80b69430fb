/** The case sheet's layers and fences: made-up areas between the Rhine and the Danube, a river, stops; and what the fences say. */
import type { FenceLook, FenceValue, LayerLook, MarkerValue, State } from '../generated/frame'

type Degrees = readonly (readonly [lon: number, lat: number])[]

/** As the backend sends positions: each as how far it is from the one before. */
export function steps(line: Degrees): number[] {
  let [x, y] = [0, 0]
  return line.flatMap(([lon, lat]) => {
    const [to_x, to_y] = [Math.round(lon * 1e7), Math.round(lat * 1e7)]
    const step = [to_x - x, to_y - y]
    x = to_x
    y = to_y
    return step
  })
}

function blob(lon: number, lat: number, size: number, corners = 24): Degrees {
  return Array.from({ length: corners }, (_, at) => {
    const way = (2 * Math.PI * at) / corners
    const off = size * (1 + 0.16 * Math.sin(3 * way) + 0.08 * Math.sin(5 * way + 1))
    return [lon + off * 1.45 * Math.cos(way), lat + off * Math.sin(way)] as const
  })
}

const RIVER: Degrees = Array.from({ length: 60 }, (_, at) => [
  6 + at * 0.16,
  47.2 + 0.03 * at + 0.4 * Math.sin(at / 5) + 0.15 * Math.sin(at / 1.7),
])

/** Names as the state has them. */
export function sheet_layers(name: (one: number, usual: string) => string): LayerLook[] {
  const shape = (
    own: string | null,
    state: State,
    areas: readonly (readonly Degrees[])[],
    lines: Degrees[] = [],
  ): LayerLook['shapes'][number] => ({
    name: own,
    state,
    areas: areas.map((rings) => rings.map(steps)),
    lines: lines.map(steps),
    points: [],
  })
  const stops: Degrees = [
    [7.6, 50.9],
    [9.9, 51.3],
    [12.1, 50.6],
    [13.9, 51.2],
    [14.6, 49.2],
  ]
  return [
    {
      draw: 'area',
      shapes: [
        shape(name(0, 'West'), 'normal', [[blob(7.4, 48.8, 1.1), blob(7.2, 48.9, 0.35)]]),
        // In two pieces.
        shape(name(1, 'East'), 'normal', [[blob(13.6, 50, 1)], [blob(14.9, 47.6, 0.45)]]),
        shape(name(2, 'Closed'), 'warning', [[blob(10.6, 50.1, 0.55)]]),
        shape(name(3, 'River'), 'normal', [], [RIVER]),
      ],
      left_out: 0,
    },
    {
      draw: 'point',
      shapes: [{ name: null, state: 'normal', areas: [], lines: [], points: steps(stops) }],
      left_out: 2,
    },
  ]
}

const FENCES: readonly (readonly [string, FenceLook['state'], FenceLook['when'], Degrees])[] = [
  ['Depot', 'warning', 'inside', blob(8.2, 46.2, 0.55)],
  ['Harbour', 'warning', 'inside', blob(11.3, 47.3, 0.8)],
  ['Keep out', 'alarm', 'inside', blob(13.2, 46.3, 0.6)],
  ['Yard', 'alarm', 'inside', blob(9.6, 48.9, 0.5)],
]

export function sheet_fences(name: (one: number, usual: string) => string): FenceLook[] {
  return FENCES.map(([own, state, when, ring], at) => ({ name: name(at, own), state, when, areas: [[steps(ring)]] }))
}

const SAID: readonly FenceValue[] = [
  { state: 'normal', inside: 0, unknown: 0 },
  { state: 'warning', inside: 3, unknown: 1 },
  { state: 'alarm', inside: 1, unknown: 0 },
  { state: 'unknown', inside: 0, unknown: 2 },
]

/** The same markers, some of them where fences tell of them; and what those say. */
export function fenced(markers: MarkerValue[], none: boolean): { markers: MarkerValue[]; fences: FenceValue[] } {
  const quiet = FENCES.map((): FenceValue => ({ state: 'normal', inside: 0, unknown: 0 }))
  if (none || markers.length < 6) return { markers, fences: quiet }
  const moved = markers.map((marker, at): MarkerValue => {
    const fence = [1, 1, 1, 2][at]
    if (fence === undefined) return marker
    const [lat, lon] = fence === 2 ? [46.3, 13.2] : [47.05 + 0.3 * at, 10.7 + 0.6 * at]
    const state = fence === 2 ? 'alarm' : 'warning'
    return { ...marker, lat, lon, state, fence, trail: [] }
  })
  return { markers: moved, fences: [...SAID] }
}
