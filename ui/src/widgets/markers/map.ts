/**
 * One map: the ground on one canvas, painted once a size; what moves on another above it, painted when something moved
 * and only as often as its speed asks for.
 */
import type { Look } from '../../generated/frame'
import { frames_per_second } from '../../core/glide'
import { MAP_MS } from '../../core/limits'
import type { HeldMarkers } from '../../core/held'
import type { Box } from '../../core/labels'
import { SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { colours } from '../paint'
import { paint_ground, projection } from './atlas'
import { draw_scene, type Pen } from './draw'
import { centre, Scene } from './scene'
import { Sprites } from './sprites'
import { type Lacks, missing_words, NOTHING_LACKS, SHORT_REM } from './words'

export type MarkersLook = Extract<Look, { kind: 'markers' }>

const MARKER_REM = 2.4

export class MarkerMap {
  readonly #pen: Pen
  readonly #scene: Scene
  readonly #look: MarkersLook
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
    const ground_ctx = ground.getContext('2d', { alpha: false })
    const ctx = above.getContext('2d')
    if (ground_ctx === null || ctx === null) throw new Error('no canvas to paint on')
    const ratio = above.width / Math.max(1, above.clientWidth)
    const tokens = colours()
    const sprites = new Sprites(rem * ratio, tokens.sea)
    this.#pen = { ctx, colours: tokens, size: MARKER_REM * rem * ratio, rem: rem * ratio, sprites }
    this.#look = look
    this.#still = still
    this.#arranged = arranged
    const to = projection(look.bounds, above.width, above.height)
    paint_ground(ground_ctx, to, this.#pen.colours, Math.max(1, this.#pen.rem * 0.1))
    this.#scene = new Scene(to, { x: 0, y: 0, width: above.width, height: above.height }, this.#pen.size)
    this.#scene.set_places(look.places, (text) => sprites.width(text, 700), sprites.line_height)
  }

  /** Where each marker is drawn that stands for itself: its middle, and a square around it, device pixels. */
  spots(now_ms: number): { readonly key: string; readonly x: number; readonly y: number; readonly size: number }[] {
    return this.#scene.groups.flatMap((group) => {
      const [only] = group.members
      if (only === undefined || group.members.length > 1) return []
      return [{ key: only.value.key, ...centre(group, now_ms), size: 1.6 * this.#pen.size }]
    })
  }

  get clusters(): number {
    return this.#scene.groups.filter((group) => group.members.length > 1).length
  }

  /** Markers that have a label or a trail and no room for it. */
  get lacks(): Lacks {
    return { labels: this.#scene.unlabelled, trails: this.#scene.untrailed }
  }

  update(held: HeldMarkers | null, stale: boolean, now_ms: number): void {
    const moved = held?.by_key !== this.#held?.by_key
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
    const arrange = (lacks: Lacks): void => {
      const reserved = this.#reserved(held, lacks)
      this.#scene.arrange(now_ms, (text) => sprites.width(text, 400), sprites.line_height, reserved)
      this.#scene.lay_ways(this.#look.trail, held?.gaps ?? [])
    }
    arrange(NOTHING_LACKS)
    const { labels, trails } = this.lacks
    // What has no room is said in the corner, which then has less room itself: for the longest that it may say.
    const most = (count: number): number => (count === 0 ? 0 : (held?.total ?? 0))
    if (labels + trails > 0) arrange({ labels: held?.total ?? 0, trails: most(trails) })
    this.#arranged()
    this.#paint(now_ms)
  }

  /** The corner in which the page says what has no position. */
  #reserved(held: HeldMarkers | null, lacks: Lacks): Box[] {
    const short = this.#pen.ctx.canvas.width < SHORT_REM * this.#pen.rem
    const words = held === null ? '' : missing_words(held, short, lacks)
    if (words === '') return []
    const { ctx, rem } = this.#pen
    return [
      {
        x: 0,
        y: ctx.canvas.height - rem * 3.9,
        width: rem * (SIZES.minor * label_width_em(words) + 1.6),
        height: rem * 3.9,
      },
    ]
  }

  destroy(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    cancelAnimationFrame(this.#frame)
  }

  #paint(now_ms: number): void {
    draw_scene(this.#pen, this.#scene, now_ms, this.#stale, this.#look.trail !== null)
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
