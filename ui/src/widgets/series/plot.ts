/**
 * One chart: a moving window on the board's clock, lines labelled at their ends, stretches that nobody can vouch for
 * hatched. It repaints when its data changed or the window moved by a pixel, and not otherwise.
 */
import 'uplot/dist/uPlot.min.css'
import uPlot from 'uplot'
import { is_whole, type Known } from '../../core/buckets'
import { columns, lonely } from '../../core/columns'
import { number_text } from '../../core/format'
import { HeldRange, nice_range, type Range, scale_hold_ms } from '../../core/scale'
import { label_width_em } from '../../core/width'
import { colours, type Colours, mixed } from '../paint'
import { bar_window, time_ticks, type Window } from './axis'
import type { Rims } from './columns.svelte'
import { draw_bars } from './draw_bars'
import { draw_gap_words, draw_gaps, draw_lost, type Gap, newest_gap } from './draw_gaps'
import { draw_labels, type End, ends_em, line_ends } from './draw_labels'
import { known_of, LETTERS_REM, type Pen, type PlotInput, type SeriesLook } from './input'
import { stretch_words } from './reading'

/** The widest the lines' labels may be, in parts of the chart. */
const LABELS_SHARE_MAX = 0.4
const LOW_REM = 9
/** Half of a tick's letters, above the plot. */
const TOP_REM = 1.2
/** How much of its colour a line keeps when it isn't current. */
const STALE_SHARE = 0.7
/** Lines are told apart by how light they are and by their dashes, and only then by their hue. In widths of a line: dash, gap, … */
const DASHES: readonly (readonly number[])[] = [[], [], [7, 2.5], [2, 2], [7, 2.5, 2, 2.5], [12, 3]]

export class Plot {
  readonly #element: HTMLElement
  readonly #size: { readonly width: number; readonly height: number }
  readonly #rem: number
  readonly #colours: Colours
  readonly #held_range = new HeldRange()
  #plot: uPlot | null = null
  #input: PlotInput | null = null
  #range: Range = { low: 0, high: 1, step: 1 }
  #drawn_now_ms = -Infinity
  #drawn_keys = ''
  #hatch: CanvasPattern | string | null = null
  #ends: readonly End[] = []
  /** What its axis and its labels need, which is never less than it was: a plot that follows the digits would jump. */
  #needs: Rims = { left: 0, right: 0 }
  #rims: Rims = { left: 0, right: 0 }
  #with_seconds = false
  #gap: Gap | null = null

  /**
   * `size` is the element's, in CSS pixels: asking the element at every frame would lay the page out for the answer.
   * `rem` is the unit that its text is sized in.
   */
  constructor(element: HTMLElement, size: { readonly width: number; readonly height: number }, rem: number) {
    this.#element = element
    this.#size = size
    this.#rem = rem
    this.#colours = colours()
  }

  /** Paints what changed. */
  update(input: PlotInput): void {
    const before = this.#input
    const changed =
      before?.series !== input.series ||
      before.stale !== input.stale ||
      before.known_until_ms !== input.known_until_ms ||
      before.lost !== input.lost ||
      before.looked_at !== input.looked_at ||
      before.rims.left !== input.rims.left ||
      before.rims.right !== input.rims.right
    const ms_per_pixel = input.look.keep_ms / Math.max(1, this.#size.width * devicePixelRatio)
    const moved = input.looked_at === null && Math.abs(input.now_ms - this.#drawn_now_ms) >= ms_per_pixel
    if (!changed && !moved) return
    this.#input = input
    this.#drawn_now_ms = input.now_ms
    const lines = input.series?.lines ?? []
    // A key is whatever a source sends: no character of it ends it.
    const keys = JSON.stringify(lines.map((line) => line.key))
    if (this.#plot === null || keys !== this.#drawn_keys) {
      this.#build(input.look, lines.length)
      this.#drawn_keys = keys
    }
    this.#fill(input)
  }

  /** Where the plot stands in its element, in CSS pixels, and the time along it. */
  get area(): Area | null {
    const [plot, input] = [this.#plot, this.#input]
    if (plot === null || input === null) return null
    const { left, top, width, height } = plot.bbox
    const scale = devicePixelRatio
    return {
      left: left / scale,
      top: top / scale,
      width: width / scale,
      height: height / scale,
      window: window_of(input),
    }
  }

  /** How far below its element's top a value stands, in CSS pixels. */
  y_of(value: number): number {
    const plot = this.#plot
    return plot === null ? 0 : plot.valToPos(value, 'y', true) / devicePixelRatio
  }

  /** A chart without a line of time has no room for what says that it isn't all of it. */
  get can_look_closer(): boolean {
    return !this.#is_low
  }

  destroy(): void {
    this.#plot?.destroy()
    this.#plot = null
  }

  #fill(input: PlotInput): void {
    const plot = this.#plot
    if (plot === null) return
    const window = window_of(input)
    const { from_ms, to_ms } = window
    const known = known_of(input)
    this.#range = this.#visible_range(input, window, known)
    this.#ends = this.#line_ends(input, window, known)
    this.#gap =
      input.looked_at === null
        ? newest_gap(input, from_ms)
        : { text: stretch_words(window, input.zone, input.now_ms), from_ms }
    const moved = this.#make_room(input)
    plot.batch(() => {
      if (input.series !== null && input.series.lines.length > 0) {
        const { times, values } = columns(input.series, known)
        plot.setData([times, ...values] as uPlot.AlignedData, false)
      } else plot.setData([[]] as unknown as uPlot.AlignedData, false)
      plot.setScale('x', { min: from_ms / 1000, max: to_ms / 1000 })
      plot.setScale('y', { min: this.#range.low, max: this.#range.high })
    })
    if (moved) plot.redraw(false, true)
  }

  #line_ends(input: PlotInput, { to_ms }: Window, known: Known): End[] {
    const room = (this.#size.width * LABELS_SHARE_MAX) / (LETTERS_REM * this.#rem)
    if (input.looked_at === null) return line_ends(input, known, room)
    // Where the line leaves what is looked at; without a value, which would be taken for that of now (H1).
    return line_ends({ ...input, stale: true }, { ...known, until_ms: Math.min(known.until_ms, to_ms) }, room)
  }

  /** The range of what is drawn. */
  #visible_range(input: PlotInput, { from_ms, to_ms }: Window, known: Known): Range {
    let low = Infinity
    let high = -Infinity
    const is_bars = input.look.draw === 'bars'
    for (const line of input.series?.lines ?? []) {
      for (const [time, value] of line.points) {
        if (value === null || time + known.bucket_ms < from_ms || time > to_ms) continue
        if (!is_bars && !is_whole(time, known)) continue
        low = Math.min(low, value)
        high = Math.max(high, value)
      }
    }
    if (low > high) return nice_range(0, 1, 1)
    if (input.look.draw !== 'line') low = Math.min(0, low)
    if (input.looked_at !== null) return nice_range(low, high, this.#ticks(), 10 ** -input.look.decimals)
    const hold_ms = scale_hold_ms(input.look.keep_ms)
    return this.#held_range.next(low, high, this.#ticks(), input.now_ms, hold_ms, 10 ** -input.look.decimals)
  }

  /** Says what room it needs, and takes what the widest of its column has. Whether that is another than before. */
  #make_room({ rims, need }: PlotInput): boolean {
    const { left, right } = this.#needs
    const em_px = LETTERS_REM * this.#rem
    const ticks = this.#value_splits().map((at) => number_text(at, this.#step_decimals()))
    this.#needs = {
      left: Math.max(left, Math.ceil(this.#rem + em_px * Math.max(1, ...widths(ticks)))),
      right: Math.max(right, Math.ceil(em_px * ends_em(this.#ends))),
    }
    need(this.#needs)
    const before = this.#rims
    const most = this.#size.width * LABELS_SHARE_MAX
    this.#rims = {
      left: Math.max(this.#needs.left, Math.min(most, rims.left)),
      right: Math.max(this.#needs.right, Math.min(most, rims.right)),
    }
    return before.left !== this.#rims.left || before.right !== this.#rims.right
  }

  #ticks(): number {
    return Math.min(8, Math.max(2, Math.floor(this.#size.height / (this.#rem * 4.4))))
  }

  #build(look: SeriesLook, lines: number): void {
    this.#plot?.destroy()
    this.#plot = null
    this.#needs = { left: 0, right: 0 }
    const font = `${(LETTERS_REM * this.#rem).toFixed(1)}px "Roboto Condensed"`
    const { label, rule } = this.#colours
    const axis: uPlot.Axis = { stroke: label, font, ticks: { show: false }, border: { show: false } }
    this.#plot = new uPlot(
      {
        width: this.#size.width,
        height: this.#size.height,
        padding: [
          () => this.#rem * (TOP_REM + (this.#gap === null || this.#is_low ? 0 : LETTERS_REM)),
          () => this.#rims.right,
          () => (this.#is_low ? this.#rem * TOP_REM : 0),
          0,
        ],
        legend: { show: false },
        cursor: { show: false },
        select: { show: false, left: 0, top: 0, width: 0, height: 0 },
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [
          {
            ...axis,
            show: !this.#is_low,
            size: this.#rem * (LETTERS_REM + 0.7),
            gap: this.#rem * 0.4,
            grid: { show: false },
            splits: (plot) => this.#time_splits(plot),
            values: (_plot, splits) => splits.map((at) => this.#tick_text(at * 1000)),
          },
          {
            ...axis,
            size: () => this.#rims.left,
            gap: this.#rem * 0.6,
            grid: { stroke: rule, width: Math.max(1, this.#rem * 0.12) },
            splits: () => this.#value_splits(),
            values: (_plot, splits) => splits.map((at) => number_text(at, this.#step_decimals())),
          },
        ],
        series: [{}, ...Array.from({ length: lines }, (_, at) => this.#series(look, at))],
        hooks: {
          drawAxes: [
            (plot) => {
              const pen = this.#pen(plot)
              if (pen !== null) this.#hatch = draw_gaps(pen, this.#hatch)
            },
          ],
          draw: [
            (plot) => {
              const pen = this.#pen(plot)
              if (pen !== null) this.#draw_over(pen)
            },
          ],
        },
      },
      [[], ...Array.from({ length: lines }, () => [])] as unknown as uPlot.AlignedData,
      this.#element,
    )
  }

  #series(look: SeriesLook, at: number): uPlot.Series {
    const stroke = (): string => this.#stroke(at)
    const width = this.#rem * (at === 0 ? 0.28 : 0.24)
    if (look.draw === 'bars') return { stroke, paths: () => null, points: { show: false } }
    return {
      stroke,
      width,
      dash: (DASHES[(at + Math.floor(at / DASHES.length)) % DASHES.length] ?? []).map((part) => part * width),
      spanGaps: false,
      ...(look.draw === 'area' ? { fill: () => `${this.#stroke(at)}30` } : {}),
      points: {
        show: true,
        size: this.#rem * 0.6,
        fill: stroke,
        width: 0,
        filter: (plot, index) => lonely((plot.data[index] ?? []) as (number | null)[]),
      },
    }
  }

  /** A line's own colour. */
  ink(at: number): string {
    return this.#colours.lines[at % this.#colours.lines.length] ?? '#888888'
  }

  #stroke(at: number): string {
    const colour = this.ink(at)
    // Dimmed, but lines of one chart must still be told apart.
    return this.#input?.stale === true ? mixed(colour, this.#colours.panel, STALE_SHARE) : colour
  }

  #step_decimals(): number {
    return Math.max(0, Math.min(6, -Math.floor(Math.log10(this.#range.step) + 1e-9)))
  }

  #value_splits(): number[] {
    const { low, high, step } = this.#range
    const splits: number[] = []
    for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6 && splits.length < 20; at += step)
      splits.push(Math.abs(at) < step * 1e-9 ? 0 : at)
    // In a low plot the ends say enough, and in a very low one the upper.
    const lines = this.#plot_height() / (LETTERS_REM * this.#rem * 1.1)
    if (splits.length <= lines + 1 || splits.length < 2) return splits
    return lines >= 1 ? [splits[0] ?? low, splits.at(-1) ?? high] : splits.slice(-1)
  }

  /** A low chart has no line of time: its way is all that there is room for. */
  get #is_low(): boolean {
    return this.#size.height < LOW_REM * this.#rem
  }

  #plot_height(): number {
    const around = this.#is_low ? 2 * TOP_REM : LETTERS_REM + 0.7 + TOP_REM + (this.#gap === null ? 0 : LETTERS_REM)
    return this.#size.height - this.#rem * around
  }

  #time_splits(plot: uPlot): number[] {
    const input = this.#input
    if (input === null) return []
    const { from_ms, to_ms } = window_of(input)
    const em_px = this.#rem * LETTERS_REM
    const width_em = plot.bbox.width / devicePixelRatio / em_px
    const { ticks_ms, with_seconds } = time_ticks(from_ms, to_ms, width_em, input.zone.offset_ms(input.now_ms))
    this.#with_seconds = with_seconds
    return ticks_ms.map((at) => at / 1000)
  }

  #tick_text(ms: number): string {
    const { zone } = this.#input ?? {}
    if (zone === undefined) return ''
    return this.#with_seconds ? zone.time(ms) + zone.seconds(ms) : zone.time(ms)
  }

  #pen(plot: uPlot): Pen | null {
    const input = this.#input
    if (input === null) return null
    const rem = this.#rem * devicePixelRatio
    return {
      plot,
      input,
      rem,
      letters: LETTERS_REM * rem,
      colours: this.#colours,
      ink: (at) => this.ink(at),
      stroke: (at) => this.#stroke(at),
    }
  }

  #draw_over(pen: Pen): void {
    if (pen.input.series === null) return
    draw_lost(pen)
    if (pen.input.look.draw === 'bars') draw_bars(pen, this.#range.low)
    draw_labels(pen, this.#ends)
    if (!this.#is_low) draw_gap_words(pen, this.#gap)
  }
}

export interface Area {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly window: Window
}

function window_of({ look, now_ms, looked_at }: PlotInput): Window {
  return looked_at ?? bar_window(look, now_ms)
}

function widths(texts: readonly string[]): number[] {
  return texts.map(label_width_em)
}
