/**
 * Shapes of layers and fences where a map shows them: as the backend sends them, in steps of ten-millionths of a degree, and in device pixels.
 * Rings are drawn even-odd, so it doesn't matter which way they are wound.
 */
import type { FenceLook, LayerDraw, LayerLook, State } from '../../generated/frame'
import type { Box } from '../../core/labels'
import type { Project } from './scene'

/** Parts of a degree. */
const PARTS = 1e7
const HALF_TURN = 180
/** What lies upon the seam of a map of the world is drawn on either side of it. */
const SEAM = 1e-5
/** An edge that is straight in degrees may bend on the map: it is drawn in pieces no longer than this, degrees. */
const STRAIGHT = 1.5
/** Lines on which the widest room for a name is sought. */
const SCANS = 24

export type Flat = readonly [x: number, y: number]

/** A ring or line in pixels. */
export interface Run {
  readonly points: readonly Flat[]
  /** The numbers of the points that no stroke leads to: the edge of the map lies between. */
  readonly unstroked: ReadonlySet<number>
}

export interface LaidShape {
  readonly name: string | null
  readonly state: State
  /** Areas, each its outline and its holes. */
  readonly areas: readonly (readonly Run[])[]
  readonly lines: readonly Run[]
  readonly points: readonly Flat[]
  /** Where its name would best stand; null if it isn't seen. */
  readonly middle: Flat | null
}

export interface LaidLayer {
  readonly draw: LayerDraw
  readonly shapes: readonly LaidShape[]
}

export interface LaidFence {
  readonly look: FenceLook
  readonly areas: readonly (readonly Run[])[]
  readonly middle: Flat | null
}

/** Degrees east and north of positions that are told as steps, each from the one before. */
export function degrees(steps: readonly number[]): [number, number][] {
  const all: [number, number][] = []
  let [lon, lat] = [0, 0]
  for (let at = 0; at + 1 < steps.length; at += 2) {
    lon += steps[at] ?? 0
    lat += steps[at + 1] ?? 0
    all.push([lon / PARTS, lat / PARTS])
  }
  return all
}

/** A run of positions; closed, it leads back to its first. `middle` is the longitude in the middle of the map. */
function run(steps: readonly number[], closed: boolean, to: Project, middle: number): Run {
  const points: Flat[] = []
  const unstroked = new Set<number>()
  const spots = degrees(steps)
  const first = spots[0]
  if (closed && first !== undefined) spots.push(first)
  const is_seam = (lon: number): boolean => Math.abs(Math.abs(lon - middle) - HALF_TURN) < SEAM
  let before: [number, number] | null = null
  for (const [lon, lat] of spots) {
    const [from_lon, from_lat] = before ?? [lon, lat]
    const along_seam = before !== null && lon === from_lon && is_seam(lon)
    const pieces = Math.max(1, Math.ceil(Math.max(Math.abs(lon - from_lon), Math.abs(lat - from_lat)) / STRAIGHT))
    for (let piece = 1; piece <= pieces; piece += 1) {
      const part = piece / pieces
      const x = from_lon + (lon - from_lon) * part
      const at = to([
        Math.max(middle - HALF_TURN + SEAM, Math.min(middle + HALF_TURN - SEAM, x)),
        from_lat + (lat - from_lat) * part,
      ])
      if (at === null || !Number.isFinite(at[0]) || !Number.isFinite(at[1])) continue
      if (along_seam) unstroked.add(points.length)
      points.push([at[0], at[1]])
    }
    before = [lon, lat]
  }
  return { points, unstroked }
}

/** Where it is widest within `area`, and there in the middle: on it, whatever its shape. Null if it isn't seen. */
export function widest(areas: readonly (readonly Run[])[], area: Box): Flat | null {
  const rings = areas.flat()
  let [low, high] = [Infinity, -Infinity]
  for (const { points } of rings) {
    for (const [, y] of points) {
      low = Math.min(low, y)
      high = Math.max(high, y)
    }
  }
  low = Math.max(low, area.y)
  high = Math.min(high, area.y + area.height)
  if (!(low < high)) return null
  let best: { at: Flat; worth: number } | null = null
  for (let scan = 0; scan < SCANS; scan += 1) {
    const part = (scan + 0.5) / SCANS
    const y = low + (high - low) * part
    const crossings: number[] = []
    for (const { points } of rings) {
      for (let at = 1; at < points.length; at += 1) {
        const [[ax, ay], [bx, by]] = [points[at - 1] as Flat, points[at] as Flat]
        if (ay > y !== by > y) crossings.push(ax + ((y - ay) / (by - ay)) * (bx - ax))
      }
    }
    crossings.sort((a, b) => a - b)
    for (let at = 0; at + 1 < crossings.length; at += 2) {
      const from = Math.max(crossings[at] as number, area.x)
      const to = Math.min(crossings[at + 1] as number, area.x + area.width)
      // The middle of a shape is where one looks for its name.
      const worth = (to - from) * (1 - 0.6 * Math.abs(part - 0.5))
      if (worth > (best?.worth ?? 0)) best = { at: [(from + to) / 2, y], worth }
    }
  }
  return best?.at ?? null
}

const holds = (area: Box, [x, y]: Flat): boolean =>
  x >= area.x && y >= area.y && x <= area.x + area.width && y <= area.y + area.height

/** The point of a line that lies nearest to the middle of what is seen; null if none is seen. */
function on_line(lines: readonly Run[], area: Box): Flat | null {
  const [x, y] = [area.x + area.width / 2, area.y + area.height / 2]
  const seen = lines.flatMap(({ points }) => points).filter((point) => holds(area, point))
  const off = (point: Flat): number => Math.hypot(point[0] - x, point[1] - y)
  return seen.reduce<Flat | null>((best, point) => (best === null || off(point) < off(best) ? point : best), null)
}

/** Lays out layers for a map of these bounds, which shows `area`. Once a size. */
export function laid_layers(
  layers: readonly LayerLook[],
  [west, , east]: readonly [number, number, number, number],
  to: Project,
  area: Box,
): LaidLayer[] {
  const middle = (west + east) / 2
  return layers.map(({ draw, shapes }) => ({
    draw,
    shapes: shapes.map((shape): LaidShape => {
      const areas = shape.areas.map((rings) => rings.map((ring) => run(ring, true, to, middle)))
      const lines = shape.lines.map((line) => run(line, false, to, middle))
      const points = degrees(shape.points)
        .map((spot) => to(spot))
        .filter((at) => at !== null)
      const at = widest(areas, area) ?? on_line(lines, area) ?? points.find((point) => holds(area, point)) ?? null
      const { name, state } = shape
      // As a point it is nothing but its middle.
      if (draw === 'point') return { name, state, areas: [], lines: [], points: at === null ? [] : [at], middle: at }
      return { name, state, areas, lines, points, middle: at }
    }),
  }))
}

/** The same for fences. */
export function laid_fences(
  fences: readonly FenceLook[],
  [west, , east]: readonly [number, number, number, number],
  to: Project,
  area: Box,
): LaidFence[] {
  const middle = (west + east) / 2
  return fences.map((look) => {
    const areas = look.areas.map((rings) => rings.map((ring) => run(ring, true, to, middle)))
    return { look, areas, middle: widest(areas, area) }
  })
}

/** What is written at a fence: its name and how many are in it, and how many were and may be still. Nobody knows: its name alone. */
export function fence_words(name: string, value: { readonly inside: number; readonly unknown: number } | null): string {
  if (value === null) return name
  const { inside, unknown } = value
  const parts = [inside > 0 || unknown === 0 ? String(inside) : '', unknown > 0 ? `+${String(unknown)}?` : '']
  return `${name}  ${parts.filter((part) => part !== '').join(' ')}`
}
