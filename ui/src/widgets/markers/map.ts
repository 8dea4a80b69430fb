/**
 * One map: the ground on one canvas, painted once a size; what moves on another above it, painted when something moved
 * and only as often as its speed asks for.
 */
import type { Look, MarkerValue } from '../../generated/frame'
import { frames_per_second } from '../../core/glide'
import { MAP_MS } from '../../core/limits'
import type { HeldMarkers } from '../../core/held'
import type { Box } from '../../core/labels'
import { SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { colours } from '../paint'
import type { GeoProjection } from 'd3-geo'
import { paint_ground, projection } from './atlas'
import { draw_scene, type Pen } from './draw'
import { draw_layers } from './draw_shapes'
import { BAD } from './rank'
import { centre, type Group, Scene } from './scene'
import { laid_fences, laid_layers } from './shapes'
import { Sprites } from './sprites'
import { CORNER_REM, corner_words, type Lacks, NOTHING_LACKS } from './words'

export type MarkersLook = Extract<Look, { kind: 'markers' }>

const MARKER_REM = 2.4

export class MarkerMap {
  readonly #pen: Pen
  #scene: Scene
  readonly #look: MarkersLook
  readonly #ground: HTMLCanvasElement
  readonly #still: boolean
  #held: HeldMarkers | null = null
  #stale = false
  #changed = false
  #taken_ms = -Infinity
  #timer: ReturnType<typeof setTimeout> | null = null
  #frame = 0

  readonly #arranged: () => void

  /** The canvases have their size already; `rem` is in CSS pixels; `still` asks for no motion; `arranged` hears when all has its place anew. */
  constructor(
    ground: HTMLCanvasElement,
    above: HTMLCanvasElement,
    look: MarkersLook,
    rem: number,
    still: boolean,
    arranged: () => void,
  ) {
    const ctx = above.getContext('2d')
    if (ctx === null) throw new Error('no canvas to paint on')
    const ratio = above.width / Math.max(1, above.clientWidth)
    const tokens = colours()
    const sprites = new Sprites(rem * ratio, tokens.sea)
    this.#pen = { ctx, colours: tokens, size: MARKER_REM * rem * ratio, rem: rem * ratio, sprites }
    this.#look = look
    this.#still = still
    this.#arranged = arranged
    this.#ground = ground
    this.#scene = this.#laid(null)
  }

  /** Draws by another projection from now on, above another ground; null for the shipped one. */
  stand_on(other: { readonly to: GeoProjection; readonly layers: HTMLCanvasElement } | null): void {
    this.#scene = this.#laid(other)
    if (this.#held !== null) this.#take(performance.now())
  }

  /** What stands still, laid out and painted. */
  #laid(other: { readonly to: GeoProjection; readonly layers: HTMLCanvasElement } | null): Scene {
    const { sprites, ctx } = this.#pen
    const look = this.#look
    const { width, height } = ctx.canvas
    const to = other?.to ?? projection(look.bounds, width, height)
    const below = other?.layers ?? this.#ground
    const ground_ctx = below.getContext('2d', { alpha: other !== null })
    if (ground_ctx === null) throw new Error('no canvas to paint on')
    if (other === null) paint_ground(ground_ctx, to, this.#pen.colours, Math.max(1, this.#pen.rem * 0.1))
    else ground_ctx.clearRect(0, 0, width, height)
    const area = { x: 0, y: 0, width, height }
    const scene = new Scene(to, area, this.#pen.size)
    const layers = laid_layers(look.layers ?? [], look.bounds, to, area)
    draw_layers({ ...this.#pen, ctx: ground_ctx }, layers)
    scene.set_shapes(layers, laid_fences(look.fences ?? [], look.bounds, to, area))
    scene.set_places(look.places, (text) => sprites.width(text, 700), sprites.line_height)
    return scene
  }

  /** Where each marker is drawn, and each circle of several: its middle, and a square around it, device pixels. */
  spots(now_ms: number): { readonly keys: string[]; readonly x: number; readonly y: number; readonly size: number }[] {
    return this.#scene.groups.map((group) => ({
      keys: members_of(group).map(({ key }) => key),
      ...centre(group, now_ms),
      size: (group.members.length > 1 ? 2 : 1.6) * this.#pen.size,
    }))
  }

  get clusters(): number {
    return this.#scene.groups.filter((group) => group.members.length > 1).length
  }

  /** Markers that have a label or a trail and no room for it. */
  get lacks(): Lacks {
    const { unlabelled: labels, untrailed: trails, unnamed: names } = this.#scene
    const shapes = (this.#look.layers ?? []).reduce((sum, { left_out }) => sum + left_out, 0)
    return { labels, trails, names, shapes }
  }

  update(held: HeldMarkers | null, stale: boolean, now_ms: number): void {
    const moved = held?.by_key !== this.#held?.by_key || held?.fences !== this.#held?.fences
    if (!moved && stale === this.#stale && this.#held !== null) return
    this.#held = held
    this.#stale = stale
    this.#changed = true
    // A first change after a rest is taken over at once; in a flood the next repaint takes the newest.
    if (now_ms - this.#taken_ms >= MAP_MS) this.#take(now_ms)
    else this.#paint_again(MAP_MS)
  }

  #take(now_ms: number): void {
    const held = this.#held
    this.#changed = false
    this.#taken_ms = now_ms
    const { sprites } = this.#pen
    // What isn't known to be current stands still where it was last seen.
    const glide_ms = this.#stale || this.#still ? 0 : this.#look.glide_ms
    this.#scene.set_markers(held?.by_key ?? new Map(), now_ms, glide_ms)
    this.#scene.set_fences(held?.fences ?? null)
    const arrange = (lacks: Lacks): void => {
      const reserved = this.#reserved(held, lacks)
      this.#scene.arrange(now_ms, (text, weight) => sprites.width(text, weight), sprites.line_height, reserved)
      this.#scene.lay_ways(this.#look.trail, held?.gaps ?? [])
    }
    arrange(NOTHING_LACKS)
    const { labels, trails, names, shapes } = this.lacks
    // What has no room is said in the corner, which then has less room itself: for the longest that it may say.
    const most = (count: number): number => (count === 0 ? 0 : (held?.total ?? 0))
    if (labels + trails + names + shapes > 0)
      arrange({ labels: held?.total ?? 0, trails: most(trails), names: this.#names, shapes })
    this.#arranged()
    this.#paint(now_ms)
  }

  /** The corner in which the page says what has no position. */
  #reserved(held: HeldMarkers | null, lacks: Lacks): Box[] {
    const { ctx, rem } = this.#pen
    const room = ctx.canvas.width
    const words = held === null ? '' : corner_words(held, room / rem, lacks)
    if (words === '') return []
    const width = rem * (SIZES.minor * label_width_em(words) + CORNER_REM)
    // What has no room in one line has more of them.
    const height = rem * (1 + 2.9 * Math.ceil(width / room))
    return [{ x: 0, y: ctx.canvas.height - height, width: Math.min(width, room), height }]
  }

  /** How many names shapes and fences have. */
  get #names(): number {
    const { layers = [], fences = [] } = this.#look
    return fences.length + layers.flatMap(({ shapes }) => shapes).filter(({ name }) => name !== null).length
  }

  destroy(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    cancelAnimationFrame(this.#frame)
  }

  #paint(now_ms: number): void {
    const looks = { stale: this.#stale, known: this.#held !== null, keeps_trails: this.#look.trail !== null }
    draw_scene(this.#pen, this.#scene, now_ms, looks)
    const fastest = this.#scene.fastest(now_ms)
    if (this.#changed) this.#paint_again(MAP_MS)
    else if (fastest > 0) this.#paint_again(1000 / frames_per_second(fastest))
  }

  #paint_again(wait_ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#frame = requestAnimationFrame(() => {
        const now_ms = performance.now()
        if (this.#changed && now_ms - this.#taken_ms >= MAP_MS) this.#take(now_ms)
        else this.#paint(now_ms)
      })
    }, wait_ms)
  }
}

/** What stands in a circle, the worst first. */
function members_of({ members }: Group): MarkerValue[] {
  return members.map(({ value }) => value).sort((a, b) => BAD[b.state] - BAD[a.state] || (a.key < b.key ? -1 : 1))
}
