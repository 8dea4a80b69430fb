/** A hand in a chart: where its cursor stands, by a pointer or by keys, and the stretch of time that it looks at. Only on a desktop. */
import { untrack } from 'svelte'
import type { Attachment } from 'svelte/attachments'
import type { Known } from '../../core/buckets'
import type { Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import { hand, is_kiosk } from '../../shell/hand.svelte'
import { keyboard } from '../../shell/keyboard'
import { focused_panel } from '../../shell/panels'
import { bar_window, type Window } from './axis'
import type { SeriesLook } from './input'
import type { Area, Plot } from './plot'
import { bucket_at, closer, type Reading, reading, stretch } from './reading'

/** What a hand reads in. */
export interface Chart {
  readonly plot: Plot
  readonly look: SeriesLook
  readonly series: HeldSeries
  readonly known: Known
  readonly zone: Zone
  readonly now_ms: number
}

export interface Cursor {
  readonly area: Area
  /** From the chart's left, in CSS pixels. */
  readonly x: number
  readonly said: Reading
}

/** A chart that nobody touches for so long shows all of its time again: what stands there would be taken for the present. */
const RETURN_MS = 120_000
/** A shorter way of a pointer was a click. */
const DRAG_PX = 8
/** With Shift a key goes so many values far. */
const FAR = 10

const time_at = ({ left, width, window }: Area, x: number): number =>
  window.from_ms + ((x - left) / Math.max(1, width)) * (window.to_ms - window.from_ms)
const x_of = ({ left, width, window }: Area, at_ms: number): number =>
  left + ((at_ms - window.from_ms) / (window.to_ms - window.from_ms)) * width

export class Reader {
  /** The stretch that is looked at; null for all. */
  looked_at = $state.raw<Window | null>(null)
  #pointer_px = $state.raw<number | null>(null)
  /** The bucket that keys have gone to. */
  #bucket_ms = $state.raw<number | null>(null)
  #dragged_px = $state.raw<number | null>(null)
  #paints = $state(0)
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #id: () => string
  readonly #chart: () => Chart | null

  constructor(id: () => string, chart: () => Chart | null) {
    this.#id = id
    this.#chart = chart
  }

  /** What stands under the cursor. */
  get cursor(): Cursor | null {
    const [pointer, keyed] = [this.#pointer_px, this.#bucket_ms]
    if (pointer === null && keyed === null) return null
    void this.#paints
    const chart = this.#chart()
    const area = chart?.plot.area ?? null
    if (chart === null || area === null) return null
    const { series, look, known, zone, now_ms } = chart
    const start_ms = keyed ?? bucket_at(look, time_at(area, pointer ?? 0))
    const said = reading(series, look, known, zone, start_ms, now_ms)
    const x = x_of(area, said.at_ms)
    return x < area.left - 1 || x > area.left + area.width + 1 ? null : { area, x, said }
  }

  /** What a pointer has marked so far. */
  get marked(): { readonly area: Area; readonly from: number; readonly to: number } | null {
    const [from, to] = [this.#dragged_px, this.#pointer_px]
    if (from === null || to === null) return null
    const area = this.#chart()?.plot.area ?? null
    if (area === null) return null
    const within = (x: number): number => Math.min(area.left + area.width, Math.max(area.left, x))
    return { area, from: within(Math.min(from, to)), to: within(Math.max(from, to)) }
  }

  /** What is under the cursor has become something else. */
  painted(): void {
    untrack(() => {
      if (this.#pointer_px !== null || this.#bucket_ms !== null) this.#paints += 1
    })
  }

  /** Hears keys and a pointer. */
  readonly attach: Attachment<HTMLElement> = (element) => {
    const panel = element.closest<HTMLElement>('[data-widget]')
    const at = (event: MouseEvent): number => event.clientX - element.getBoundingClientRect().left
    const moves = (event: PointerEvent): void => {
      if (!hand.here) return
      this.#pointer_px = at(event)
      this.#bucket_ms = null
      this.#stay()
    }
    const begins = (event: PointerEvent): void => {
      if (event.button !== 0 || is_kiosk() || this.#chart()?.plot.can_look_closer !== true) return
      this.#dragged_px = this.#pointer_px = at(event)
      element.setPointerCapture(event.pointerId)
    }
    const ends = (event: PointerEvent): void => {
      const from = this.#dragged_px
      this.#dragged_px = null
      if (from !== null && Math.abs(at(event) - from) >= DRAG_PX) this.#look_at(from, at(event))
    }
    const leaves = (): void => {
      this.#pointer_px = this.#dragged_px = null
    }
    const looks_up = (): void => {
      this.looked_at = null
    }
    const unfocused = (): void => {
      this.#bucket_ms = null
    }
    const heard: [HTMLElement | null, string, (event: never) => void][] = [
      [element, 'pointermove', moves],
      [element, 'pointerdown', begins],
      [element, 'pointerup', ends],
      [element, 'pointercancel', leaves],
      [element, 'pointerleave', leaves],
      [element, 'dblclick', looks_up],
      [panel, 'focusout', unfocused],
    ]
    for (const [on, name, does] of heard) on?.addEventListener(name, does as EventListener)
    const deaf = keyboard.hear({
      'panel-enter': () => this.#enter(),
      'chart-move': ({ key, shiftKey }) => this.#move((key === 'ArrowLeft' ? -1 : 1) * (shiftKey ? FAR : 1)),
      'chart-zoom': ({ key }) => this.#zoom(key === '-' ? 2 : 0.5),
      'chart-leave': () => this.#leave(),
    })
    return () => {
      for (const [on, name, does] of heard) on?.removeEventListener(name, does as EventListener)
      deaf()
      clearTimeout(this.#timer)
    }
  }

  #all({ look, now_ms }: Chart): Window {
    return bar_window(look, now_ms)
  }

  #look_at(from_px: number, to_px: number): void {
    const chart = this.#chart()
    const area = chart?.plot.area ?? null
    if (chart === null || area === null) return
    this.looked_at = stretch(this.#all(chart), chart.look.bucket_ms, time_at(area, from_px), time_at(area, to_px))
    this.#stay()
  }

  #enter(): boolean {
    const chart = this.#chart()
    const area = chart?.plot.area ?? null
    if (chart === null || area === null || focused_panel()?.dataset['widget'] !== this.#id() || is_kiosk()) return false
    this.#go_to(chart, area, bucket_at(chart.look, Math.min(area.window.to_ms, chart.known.until_ms)))
    return true
  }

  #move(by: number): boolean {
    const chart = this.#chart()
    const area = chart?.plot.area ?? null
    if (chart === null || area === null || this.#bucket_ms === null) return false
    this.#go_to(chart, area, this.#bucket_ms + by * chart.look.bucket_ms)
    return true
  }

  /** To a bucket whose value stands within what is shown. */
  #go_to({ look }: Chart, { window }: Area, start_ms: number): void {
    const after = look.draw === 'bars' ? 0 : look.bucket_ms
    const first = Math.ceil((window.from_ms - after) / look.bucket_ms) * look.bucket_ms
    const last = (Math.floor((window.to_ms - after) / look.bucket_ms) - (after === 0 ? 1 : 0)) * look.bucket_ms
    this.#bucket_ms = Math.max(first, Math.min(last, start_ms))
    this.#pointer_px = null
    this.#stay()
  }

  #zoom(factor: number): boolean {
    const chart = this.#chart()
    const area = chart?.plot.area ?? null
    if (chart === null || area === null || this.#bucket_ms === null) return false
    if (!chart.plot.can_look_closer) return true
    const at_ms = this.#bucket_ms + (chart.look.draw === 'bars' ? 0.5 : 1) * chart.look.bucket_ms
    this.looked_at = closer(this.#all(chart), area.window, chart.look.bucket_ms, at_ms, factor)
    this.#stay()
    return true
  }

  #leave(): boolean {
    if (this.looked_at !== null) this.looked_at = null
    else if (this.#bucket_ms !== null) this.#bucket_ms = null
    else return false
    return true
  }

  #stay(): void {
    clearTimeout(this.#timer)
    if (this.looked_at === null) return
    this.#timer = setTimeout(() => {
      this.looked_at = null
    }, RETURN_MS)
  }
}
