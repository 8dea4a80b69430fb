/**
 * What stands on the map and where: markers on their way, clusters, and labels that don't lie upon each other.
 * Positions are device pixels. Drawing is in `draw.ts`.
 */
import type { FenceValue, MarkerValue, PlaceMark, State, TrailLook } from '../../generated/frame'
import { apart, clusters } from '../../core/cluster'
import { type Glide, position, progress, speed } from '../../core/glide'
import { type Box, overlaps, place_label } from '../../core/labels'
import { MARKER_LABELS_MAX, MARKERS_MAX, TRAIL_PIECES_MAX } from '../../core/limits'
import { pieces } from '../../core/trail'
import { middle_cut } from '../../core/width'
import { icon_of } from './icons'
import { BAD, LABEL_CHARACTERS_MAX } from './rank'
import { type Fence, type Measure, named_fences, named_shapes, type ShapeLabel } from './shape_names'
import type { LaidFence, LaidLayer } from './shapes'

/** Where a marker was seen before: its trail, newest last. */
const TRAIL_DOTS_MAX = 6
/** A received position that moved less than this is no new dot of a trail, in parts of a marker's size. */
const TRAIL_STEP = 0.45
/** Nothing stands nearer to the middle of a group's circle than the circle is wide, in parts of a marker's size. */
const CIRCLE_REACH = 1.5
/** Half of the widest circle, and of a marker, in the same. */
const CIRCLE_HALF = 1
const MARKER_HALF = 0.5
/** Of a label with the name of a fence behind it, each of the two. */
const HALF_LABEL_CHARACTERS_MAX = 18
/** How far off its marker a label stands, and where it may stand on a line, in the same. */
const NEAR = 0.8
const NEAR_RING = 1.05
const FAR = [1.7, 2.6, 3.6, 5, 7]
/** A place's name that made way for a marker stays there for so long. */
const NAME_REST_MS = 10_000

/** Where degrees east and north lie, device pixels; null where the map doesn't show them. Any map's: the scene knows no projection. */
export type Project = (at: [number, number]) => [number, number] | null

export interface Standing {
  value: MarkerValue
  glide: Glide
  /** Received positions before the newest, in pixels: what is drawn where the board keeps no trails. */
  trail: { x: number; y: number }[]
  /** When the page heard of it last. */
  heard_ms: number
}

export interface Group {
  readonly members: readonly Standing[]
  readonly state: State
}

export interface Label {
  readonly text: string
  readonly box: Box
  readonly state: State
  /** Whether it stands so far off that a line must lead to it. */
  readonly led: boolean
}

/** A piece of a marker's way, in pixels. The last one ends where the marker is drawn. */
export interface Step {
  readonly from: { readonly x: number; readonly y: number }
  readonly to: { readonly x: number; readonly y: number } | null
  readonly shade: number
  readonly known: boolean
}

export interface Way {
  readonly marker: Standing
  readonly steps: readonly Step[]
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

export class Scene {
  readonly standing = new Map<string, Standing>()
  groups: readonly Group[] = []
  labels: readonly Label[] = []
  places: readonly PlaceLabel[] = []
  ways: readonly Way[] = []
  layers: readonly LaidLayer[] = []
  shape_labels: readonly ShapeLabel[] = []
  fences: readonly Fence[] = []
  /** Shapes of layers, and fences, that have a name, are seen, and found no room for it. */
  unnamed = 0
  /** Markers that have a way which isn't laid out. */
  untrailed = 0
  /** Markers that stand alone, have a label, and found no room for it. */
  unlabelled = 0
  readonly #to: Project
  readonly #area: Box
  readonly #size: number

  /** `size` is a marker's size, device pixels. */
  constructor(to: Project, area: Box, size: number) {
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

  /** Sets what lies under the markers. */
  set_shapes(layers: readonly LaidLayer[], fences: readonly LaidFence[]): void {
    this.layers = layers
    this.fences = fences.map((fence) => ({ ...fence, value: null, label: null }))
  }

  /** Takes what the fences say now; none says anything while nobody knows. */
  set_fences(values: readonly FenceValue[] | null): void {
    this.fences = this.fences.map((fence, at) => ({ ...fence, value: values?.[at] ?? null }))
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
        this.standing.set(key, { value, glide, trail: [], heard_ms: now_ms })
        continue
      }
      const from = position(known.glide, now_ms)
      this.#leave_trail(known)
      known.value = value
      known.heard_ms = now_ms
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
  arrange(now_ms: number, measure: Measure, height: number, reserved: readonly Box[]): void {
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
    const sheet = { area: this.#area, size: this.#size, measure, height }
    const standing = this.groups.map((group) => {
      const half = group.members.length > 1 ? CIRCLE_HALF : MARKER_HALF
      return { is_circle: group.members.length > 1, box: around(centre(group, now_ms), this.#size * half) }
    })
    const circles = standing.filter(({ is_circle }) => is_circle).map(({ box }) => box)
    const places = this.places.flatMap((place) => [
      around(place, this.#size * 0.5),
      ...(place.box === null ? [] : [place.box]),
    ])
    const single = standing.filter(({ is_circle }) => !is_circle).map(({ box }) => box)
    const fences = named_fences(this.fences, sheet, [...reserved, ...places, ...circles], single)
    this.fences = fences.fences
    this.#label(measure, height, now_ms, [...reserved, ...fences.boxes])
    const labels = this.labels.map((label) => {
      const to = this.owner(label)?.glide
      return { ...label.box, x: label.box.x + (to?.to_x ?? 0), y: label.box.y + (to?.to_y ?? 0) }
    })
    const taken = [...reserved, ...places, ...circles, ...single, ...fences.boxes, ...labels]
    const shapes = named_shapes(this.layers, sheet, taken)
    this.shape_labels = shapes.labels
    this.unnamed = fences.unnamed + shapes.unnamed
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
    for (const place of this.places) {
      const { box } = place
      const is_rested = now_ms - place.moved_ms >= NAME_REST_MS
      const off = is_rested ? [...taken, ...single] : taken
      if (box === null || off.some((other) => overlaps(box, other))) {
        const found = (clear: readonly Box[], reaches = place.reaches): Box | null =>
          place_label(place, place.size, reaches, this.#area, clear, place.away)
        const far = FAR.map((reach) => reach * 1.5 * this.#size)
        // Better on a marker than nowhere, but upon another word or a count neither can be read.
        place.box = found([...taken, ...single]) ?? found(taken) ?? found(taken, far)
        if (place.box !== box) place.moved_ms = now_ms
      }
      if (place.box !== null) {
        taken.push(place.box)
      }
    }
  }

  #label(measure: Measure, height: number, now_ms: number, reserved: readonly Box[]): void {
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
    // The worst first; of those, what was heard last.
    const heard = ({ members }: Group): number => members[0]?.heard_ms ?? 0
    const urgent = [...single].sort((a, b) => BAD[b.state] - BAD[a.state] || heard(b) - heard(a))
    this.unlabelled = 0
    for (const { members, state } of urgent) {
      const [marker] = members
      const text = marker === undefined ? '' : this.#words(marker.value)
      if (marker === undefined || text === '') continue
      const point = { x: marker.glide.to_x, y: marker.glide.to_y }
      const size = { width: measure(text, 400), height }
      const place = (reaches: readonly number[]): Box | null =>
        labels.length < MARKER_LABELS_MAX ? place_label(point, size, reaches, this.#area, taken) : null
      // A state's shape around an icon reaches further than the icon.
      const is_ringed = icon_of(marker.value) !== null && BAD[state] > BAD.normal
      const near = place([this.#size * (is_ringed ? NEAR_RING : NEAR)])
      // What is in order may go unnamed; what isn't gets a place further off, and a line to it.
      const box = near ?? (BAD[state] > BAD.normal ? place(FAR.map((reach) => reach * this.#size)) : null)
      if (box === null) {
        this.unlabelled += 1
        continue
      }
      taken.push(box)
      const at = { ...box, x: box.x - point.x, y: box.y - point.y }
      labels.push({ text, state, box: at, led: near === null })
      this.#owner.set(labels[labels.length - 1] as Label, marker)
    }
    this.labels = labels
  }

  /** What is written beside a marker: its label, and the fence that tells of it. */
  #words({ label, fence }: MarkerValue): string {
    const name = fence === undefined ? undefined : this.fences[fence]?.look.name
    if (name === undefined) return middle_cut(label ?? '', LABEL_CHARACTERS_MAX)
    const both = [label ?? '', name].filter((part) => part !== '')
    return both.map((part) => middle_cut(part, HALF_LABEL_CHARACTERS_MAX)).join(' · ')
  }

  readonly #owner = new WeakMap<Label, Standing>()

  /** Whose label it is: labels travel with their marker, so their boxes are relative to it. */
  owner(label: Label): Standing | undefined {
    return this.#owner.get(label)
  }

  /** Lays out the ways of what stands alone, the worst first, as many as can be drawn. `now_ms` is the source's time. */
  lay_ways(look: TrailLook | null, gaps: readonly (readonly [number, number])[]): void {
    this.untrailed = 0
    if (look === null) return
    // The source's time as far as anything here tells it.
    let now_ms = -Infinity
    for (const { value } of this.standing.values()) now_ms = Math.max(now_ms, value.trail.at(-1)?.[0] ?? -Infinity)
    const single = this.groups.filter((group) => group.members.length === 1)
    const ways: Way[] = []
    let count = 0
    for (const { members } of [...single].sort((a, b) => BAD[b.state] - BAD[a.state])) {
      const [marker] = members
      if (marker === undefined) continue
      const { lat, lon, trail } = marker.value
      if (count >= TRAIL_PIECES_MAX) {
        if (trail.length > 1) this.untrailed += 1
        continue
      }
      const steps = pieces(look, trail, gaps, now_ms).flatMap(({ from, to, shade, known }): Step[] => {
        const [a, b] = [this.#to([from[1], from[0]]), this.#to([to[1], to[0]])]
        if (a === null || b === null) return []
        const is_here = to[0] === lat && to[1] === lon && to === trail.at(-1)?.[1]
        return [{ from: { x: a[0], y: a[1] }, to: is_here ? null : { x: b[0], y: b[1] }, shade, known }]
      })
      count += steps.length
      if (steps.length > 0) ways.push({ marker, steps })
    }
    this.ways = ways
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
