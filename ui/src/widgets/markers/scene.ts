/**
 * What stands on the map and where: markers on their way, clusters, and labels that don't lie upon each other.
 * Positions are device pixels. Drawing is in `draw.ts`.
 */
import type { GeoProjection } from 'd3-geo'
import type { MarkerValue, PlaceMark, State } from '../../generated/frame'
import { apart, clusters } from '../../core/cluster'
import { type Glide, position, progress, speed } from '../../core/glide'
import { type Box, overlaps, place_label } from '../../core/labels'
import { MARKER_LABELS_MAX, MARKERS_MAX } from '../../core/limits'

/** Where a marker was seen before: its trail, newest last. */
const TRAIL_DOTS_MAX = 6
/** A received position that moved less than this is no new dot of a trail, in parts of a marker's size. */
const TRAIL_STEP = 0.45
/** Nothing stands nearer to the middle of a group's circle than the circle is wide, in parts of a marker's size. */
const CIRCLE_REACH = 1.5
/** Half of the widest circle, and of a marker, in the same. */
const CIRCLE_HALF = 1
const MARKER_HALF = 0.5
/** A place's name that made way for a marker stays there for so long. */
const NAME_REST_MS = 10_000

export interface Standing {
  value: MarkerValue
  glide: Glide
  /** Received positions before the newest, in pixels. */
  trail: { x: number; y: number }[]
}

export interface Group {
  readonly members: readonly Standing[]
  readonly state: State
}

export interface Label {
  readonly text: string
  readonly box: Box
  readonly state: State
}

export interface PlaceLabel {
  readonly text: string
  readonly x: number
  readonly y: number
  box: Box | null
  /** When its name last made way for a marker. */
  moved_ms: number
  /** How far off its point its name may stand, nearest first, and which way it had better. */
  readonly reaches: readonly number[]
  readonly away: { readonly x: number; readonly y: number } | undefined
  readonly size: { readonly width: number; readonly height: number }
}

const BAD: Record<State, number> = { muted: 0, normal: 1, unknown: 2, warning: 3, alarm: 4 }

export class Scene {
  readonly standing = new Map<string, Standing>()
  groups: readonly Group[] = []
  labels: readonly Label[] = []
  places: readonly PlaceLabel[] = []
  readonly #to: GeoProjection
  readonly #area: Box
  readonly #size: number

  /** `size` is a marker's size, device pixels. */
  constructor(to: GeoProjection, area: Box, size: number) {
    this.#to = to
    this.#area = area
    this.#size = size
  }

  /** Sets the fixed places; `measure` gives a text's width. */
  set_places(places: readonly PlaceMark[], measure: (text: string) => number, height: number): void {
    const spots = places.map((place) => ({ place, at: this.#to([place.lon, place.lat]) }))
    const taken: Box[] = []
    const dot = this.#size * 0.35
    for (const { at } of spots) if (at !== null) taken.push(around({ x: at[0], y: at[1] }, dot))
    const labels: PlaceLabel[] = []
    for (const { place, at } of spots) {
      if (at === null || !inside({ x: at[0], y: at[1] }, this.#area)) continue
      const point = { x: at[0], y: at[1] }
      const size = { width: measure(place.name), height }
      const near = dot + this.#size * 0.3
      // Where places crowd, traffic crowds: their names stand off on a leader, away from the crowd's middle.
      const crowd = spots
        .map((other) => other.at)
        .filter((other) => other !== null && near_by(other, at, this.#size * 2))
      const crowded = crowd.length > 1
      const middle = crowd.reduce((sum, other) => ({ x: sum.x + (other?.[0] ?? 0), y: sum.y + (other?.[1] ?? 0) }), {
        x: 0,
        y: 0,
      })
      const away = crowded ? { x: point.x - middle.x / crowd.length, y: point.y - middle.y / crowd.length } : undefined
      const reaches = crowded ? [near * 4, near * 5.5, near * 7] : [near, near * 2.2, near * 3.6]
      const box = place_label(point, size, reaches, this.#area, taken, away)
      if (box !== null) taken.push(box)
      labels.push({ text: place.name, ...point, box, moved_ms: -Infinity, reaches, away, size })
    }
    this.places = labels
  }

  /** Takes what is known now; each glides from where it is drawn to where it was last seen. */
  set_markers(markers: ReadonlyMap<string, MarkerValue>, now_ms: number, glide_ms: number): void {
    for (const key of this.standing.keys()) if (!markers.has(key)) this.standing.delete(key)
    for (const [key, value] of markers) {
      const known = this.standing.get(key)
      if (known?.value === value) continue
      if (known === undefined && this.standing.size >= MARKERS_MAX) continue
      const at = this.#to([value.lon, value.lat])
      if (at === null) continue
      const [to_x, to_y] = at
      if (known === undefined) {
        const glide = { from_x: to_x, from_y: to_y, to_x, to_y, start_ms: now_ms, length_ms: 0 }
        this.standing.set(key, { value, glide, trail: [] })
        continue
      }
      const from = position(known.glide, now_ms)
      this.#leave_trail(known)
      known.value = value
      known.glide = { from_x: from.x, from_y: from.y, to_x, to_y, start_ms: now_ms, length_ms: glide_ms }
    }
  }

  #leave_trail(marker: Standing): void {
    const { to_x: x, to_y: y } = marker.glide
    const last = marker.trail.at(-1)
    if (last !== undefined && Math.hypot(last.x - x, last.y - y) < this.#size * TRAIL_STEP) return
    marker.trail.push({ x, y })
    if (marker.trail.length > TRAIL_DOTS_MAX) marker.trail.shift()
  }

  /**
   * Groups what overlaps where it is going, and finds room for labels. Once a change, not once a repaint. `reserved` is
   * covered by something else.
   */
  arrange(now_ms: number, measure: (text: string) => number, height: number, reserved: readonly Box[]): void {
    const visible = [...this.standing.values()].filter(({ glide }) =>
      inside({ x: glide.to_x, y: glide.to_y }, this.#area),
    )
    const spots = visible.map(({ glide }) => ({ x: glide.to_x, y: glide.to_y }))
    const groups = apart(clusters(spots, this.#size * 0.8), spots, this.#size * CIRCLE_REACH)
    this.groups = groups.map((indices) => {
      const members = indices.map((at) => visible[at]).filter((one) => one !== undefined)
      const state = members.reduce<State>(
        (worst, { value }) => (BAD[value.state] > BAD[worst] ? value.state : worst),
        'muted',
      )
      return { members, state }
    })
    this.#clear_places(reserved, now_ms)
    this.#label(measure, height, now_ms, reserved)
  }

  /**
   * A place's name makes way for the circles of groups, and for markers that come to stand on it, which it does seldom: where many
   * fly it would hop about. It stays where it is as long as none comes upon it.
   */
  #clear_places(reserved: readonly Box[], now_ms: number): void {
    const circles = this.groups
      .filter((group) => group.members.length > 1)
      .map((group) => around(destination(group), this.#size * CIRCLE_HALF))
    const dots = this.places.map((place) => around(place, this.#size * 0.35))
    const taken: Box[] = [...reserved, ...circles, ...dots]
    const single = this.groups
      .filter((group) => group.members.length === 1)
      .map((group) => around(destination(group), this.#size * MARKER_HALF))
    const names: Box[] = []
    for (const place of this.places) {
      const { box } = place
      const is_rested = now_ms - place.moved_ms >= NAME_REST_MS
      const off = is_rested ? [...taken, ...single] : taken
      if (box === null || off.some((other) => overlaps(box, other))) {
        const found = (clear: readonly Box[]): Box | null =>
          place_label(place, place.size, place.reaches, this.#area, clear, place.away)
        // Better on a marker than nowhere, but upon another word it can't be read.
        place.box = found([...taken, ...single]) ?? found(taken) ?? found([...reserved, ...names])
        if (place.box !== box) place.moved_ms = now_ms
      }
      if (place.box !== null) {
        taken.push(place.box)
        names.push(place.box)
      }
    }
  }

  #label(measure: (text: string) => number, height: number, now_ms: number, reserved: readonly Box[]): void {
    const taken: Box[] = [...reserved]
    for (const place of this.places) {
      taken.push(around(place, this.#size * 0.5))
      if (place.box !== null) taken.push(place.box)
    }
    const single = this.groups.filter((group) => group.members.length === 1)
    for (const group of this.groups) {
      const spot = centre(group, now_ms)
      taken.push(around(spot, this.#size * 0.55))
    }
    const labels: Label[] = []
    const urgent = [...single].sort((a, b) => BAD[b.state] - BAD[a.state])
    for (const { members, state } of urgent) {
      const [marker] = members
      if (labels.length >= MARKER_LABELS_MAX) break
      if (marker?.value.label == null || marker.value.label === '') continue
      const point = { x: marker.glide.to_x, y: marker.glide.to_y }
      const size = { width: measure(marker.value.label), height }
      const box = place_label(point, size, [this.#size * 0.8], this.#area, taken)
      if (box === null) continue
      taken.push(box)
      labels.push({ text: marker.value.label, state, box: { ...box, x: box.x - point.x, y: box.y - point.y } })
      this.#owner.set(labels[labels.length - 1] as Label, marker)
    }
    this.labels = labels
  }

  readonly #owner = new WeakMap<Label, Standing>()

  /** Whose label it is: labels travel with their marker, so their boxes are relative to it. */
  owner(label: Label): Standing | undefined {
    return this.#owner.get(label)
  }

  /** Pixels a second of the fastest marker still under way; 0 if all have arrived. */
  fastest(now_ms: number): number {
    let fastest = 0
    for (const { glide } of this.standing.values()) {
      if (progress(glide, now_ms) < 1) fastest = Math.max(fastest, speed(glide))
    }
    return fastest
  }
}

export function centre(group: Group, now_ms: number): { x: number; y: number } {
  let x = 0
  let y = 0
  for (const { glide } of group.members) {
    const at = position(glide, now_ms)
    x += at.x / group.members.length
    y += at.y / group.members.length
  }
  return { x, y }
}

/** Where a group's circle will stand once all have arrived. */
function destination({ members }: Group): { x: number; y: number } {
  const mean = (of: (glide: Glide) => number): number =>
    members.reduce((sum, { glide }) => sum + of(glide), 0) / members.length
  return { x: mean(({ to_x }) => to_x), y: mean(({ to_y }) => to_y) }
}

function around(point: { x: number; y: number }, half: number): Box {
  return { x: point.x - half, y: point.y - half, width: 2 * half, height: 2 * half }
}

function inside(point: { x: number; y: number }, area: Box): boolean {
  return point.x >= area.x && point.y >= area.y && point.x <= area.x + area.width && point.y <= area.y + area.height
}

function near_by(a: readonly [number, number], b: readonly [number, number], distance: number): boolean {
  return Math.hypot(a[0] - b[0], a[1] - b[1]) < distance
}
