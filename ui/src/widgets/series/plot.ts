/**
 * One chart: a moving window on the board's clock, lines labelled at their ends, stretches that nobody can vouch for
 * hatched. It repaints when its data changed or the window moved by a pixel, and not otherwise.
 */
import 'uplot/dist/uPlot.min.css'
import uPlot from 'uplot'
import type { Known } from '../../core/buckets'
import { columns, lonely } from '../../core/columns'
import { DASHES as UNKNOWN } from '../../core/format'
import { label_width_em } from '../../core/width'
import { colours, type Colours, mixed } from '../paint'
import {
  type Axis,
  axes_of,
  axis_of,
  AxisRange,
  has_numbers,
  limit_text,
  NUMBERS,
  type Numbers,
  splits_of,
  tick_text,
} from './axes'
import { bar_window, time_ticks, type Window } from './axis'
import type { Rims } from './columns.svelte'
import { draw_bars } from './draw_bars'
import { draw_gap_words, draw_gaps, draw_lost, type Gap, newest_gap } from './draw_gaps'
import { draw_labels, type End, ends_em, line_ends } from './draw_labels'
import { aim_ticks, type AimTick, draw_aims, draw_stretches, draw_units, is_free } from './draw_limits'
import { draw_marks } from './draw_marks'
import { known_of, LETTERS_REM, type Pen, type PlotInput, STRIP_EM } from './input'
import { stretch_words } from './reading'

/** The widest the lines' labels may be, in parts of the chart; and where its axes have no numbers. */
const LABELS_SHARE_MAX = 0.4
const LABELS_ALONE_SHARE_MAX = 0.55
/** What of the chart is plot: numbers beside the axes give way first. */
const PLOT_SHARE_MIN = 0.4
/** Where no numbers stand, half of a time's first letter. In em. */
const EDGE_EM = 0.25
/** Beside the plot, before what stands there, a time may reach so far, in em. */
const TIME_OVER_EM = 0.6
const TIME_OVER_AXIS_EM = 0.2
const LOW_REM = 9
/** Half of a tick's letters, above the plot. */
const TOP_REM = 1.2
/** How much of its colour a line keeps when it isn't current. */
const STALE_SHARE = 0.7
/** Lines are told apart by how light they are and by their dashes, and only then by their hue. In widths of a line: dash, gap, … */
const DASHED: readonly (readonly number[])[] = [[], [], [7, 2.5], [2, 2], [7, 2.5, 2, 2.5], [12, 3]]

export class Plot {
  readonly #element: HTMLElement
  readonly #size: { readonly width: number; readonly height: number }
  readonly #rem: number
  readonly #colours: Colours
  readonly #ranges = { y: new AxisRange(), right: new AxisRange() }
  #plot: uPlot | null = null
  #input: PlotInput | null = null
  #axes: readonly Axis[] = []
  #drawn_now_ms = -Infinity
  #drawn_keys = ''
  #hatch: CanvasPattern | string | null = null
  #ends: readonly End[] = []
  /** Room that the numbers of the axis at the right need. */
  #right_px = 0
  /** What its axis and its labels need, which is never less than it was: a plot that follows the digits would jump. */
  #needs: Rims = { left: 0, right: 0 }
  #rims: Rims = { left: 0, right: 0 }
  /** What of its axes' numbers has room; what once hadn't doesn't come back, for digits come and go. */
  #numbers: Numbers = 'whole'
  #with_seconds = false
  #has_marks = false
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
    this.#axes = axes_of(input.look)
    // A key is whatever a source sends: no character of it ends it.
    const keys = JSON.stringify(lines.map((line) => line.key))
    if (this.#plot === null || keys !== this.#drawn_keys) {
      this.#build(
        lines.map(({ key }) => axis_of(input.look, this.#axes, key)),
        input.series?.marks != null,
      )
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

  /** How far below its element's top a value of a line stands, in CSS pixels. */
  y_of(value: number, key: string): number {
    const [plot, input] = [this.#plot, this.#input]
    if (plot === null || input === null) return 0
    return plot.valToPos(value, axis_of(input.look, this.#axes, key).scale, true) / devicePixelRatio
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
    for (const axis of this.#axes) {
      const lines = (input.series?.lines ?? []).filter((line) => axis_of(input.look, this.#axes, line.key) === axis)
      this.#ranges[axis.scale].next(axis, lines, input, window, known, this.#ticks())
    }
    this.#share_room(input, window, known)
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
      for (const { scale } of this.#axes) {
        const { low, high } = this.#ranges[scale].range
        plot.setScale(scale, { min: low, max: high })
      }
    })
    if (moved) plot.redraw(false, true)
  }

  #line_ends(input: PlotInput, { to_ms }: Window, known: Known): End[] {
    const share = this.#numbers === 'none' ? LABELS_ALONE_SHARE_MAX : LABELS_SHARE_MAX
    const room = (this.#size.width * share) / (LETTERS_REM * this.#rem)
    if (input.looked_at === null) return line_ends(input, known, room)
    // Where the line leaves what is looked at; without a value, which would be taken for that of now (H1).
    return line_ends({ ...input, stale: true }, { ...known, until_ms: Math.min(known.until_ms, to_ms) }, room)
  }

  /** Works out what stands beside the plot: what is said at the lines' ends, and as much of the axes' numbers as leaves a plot. */
  #share_room(input: PlotInput, window: Window, known: Known): void {
    for (;;) {
      this.#ends = this.#line_ends(input, window, known)
      this.#need_room()
      const next = NUMBERS[NUMBERS.indexOf(this.#numbers) + 1]
      const { left, right } = this.#needs
      if (next === undefined || left + right <= this.#size.width * (1 - PLOT_SHARE_MIN)) return
      this.#numbers = next
      this.#right_px = 0
      this.#needs = { left: 0, right: 0 }
    }
  }

  #need_room(): void {
    const { left, right } = this.#needs
    const em_px = LETTERS_REM * this.#rem
    const room = (axis: Axis | undefined): number =>
      axis === undefined || !has_numbers(this.#numbers, axis)
        ? 0
        : Math.ceil(this.#rem + em_px * this.#numbers_em(axis))
    const [first, second] = this.#axes
    // Numbers beside the plot and words at the lines' ends never give room back.
    this.#right_px = Math.max(this.#right_px, room(second))
    this.#needs = {
      left: Math.max(left, Math.ceil(em_px * EDGE_EM), room(first)),
      right: Math.max(right, this.#right_px + Math.ceil(em_px * ends_em(this.#ends))),
    }
  }

  /** Says what room it needs, and takes what the widest of its column has. Whether that is another than before. */
  #make_room({ rims, need }: PlotInput): boolean {
    need(this.#needs)
    const before = this.#rims
    const { width } = this.#size
    const most = width * LABELS_SHARE_MAX
    const in_line = {
      left: Math.max(this.#needs.left, Math.min(most, rims.left)),
      right: Math.max(this.#needs.right, Math.min(most, rims.right)),
    }
    this.#rims = in_line.left + in_line.right <= width * (1 - PLOT_SHARE_MIN) ? in_line : this.#needs
    return before.left !== this.#rims.left || before.right !== this.#rims.right
  }

  /** The widest of what stands beside an axis, in em. */
  #numbers_em(axis: Axis): number {
    const { range } = this.#ranges[axis.scale]
    const ticks = this.#value_splits(axis).map((at) => tick_text(at, range, axis, this.#numbers))
    const aims = [...axis.limits, ...(axis.target === null ? [] : [axis.target])]
    const shown = aims
      .filter((aim) => aim >= range.low && aim <= range.high)
      .map((aim) => limit_text(aim, axis, this.#numbers))
    const unit = this.#axes.length > 1 ? [axis.unit ?? ''] : []
    return Math.max(1, ...[...ticks, ...shown, ...unit].map(label_width_em))
  }

  #ticks(): number {
    return Math.min(8, Math.max(2, Math.floor(this.#size.height / (this.#rem * 4.4))))
  }

  #build(lines: readonly Axis[], has_marks: boolean): void {
    this.#plot?.destroy()
    this.#plot = null
    this.#needs = { left: 0, right: 0 }
    this.#right_px = 0
    this.#numbers = 'whole'
    this.#has_marks = has_marks
    const font = `${(LETTERS_REM * this.#rem).toFixed(1)}px "Roboto Condensed"`
    const { label, rule } = this.#colours
    const axis: uPlot.Axis = { stroke: label, font, ticks: { show: false }, border: { show: false } }
    this.#plot = new uPlot(
      {
        width: this.#size.width,
        height: this.#size.height,
        padding: [
          () => this.#rem * (TOP_REM + this.#strips_rem()),
          () => this.#rims.right - this.#right_px,
          () => (this.#is_low ? this.#rem * TOP_REM : 0),
          0,
        ],
        legend: { show: false },
        cursor: { show: false },
        select: { show: false, left: 0, top: 0, width: 0, height: 0 },
        scales: { x: { time: false, auto: false }, y: { auto: false }, right: { auto: false } },
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
          ...this.#axes.map((own): uPlot.Axis => ({
            ...axis,
            scale: own.scale,
            side: own.scale === 'y' ? 3 : 1,
            size: () => (own.scale === 'y' ? this.#rims.left : this.#right_px),
            gap: this.#rem * 0.6,
            grid: { show: own.scale === 'y', stroke: rule, width: Math.max(1, this.#rem * 0.12) },
            splits: () => this.#value_splits(own),
            values: (plot, splits) => this.#value_texts(plot, own, splits),
          })),
        ],
        series: [{}, ...lines.map((own, at) => this.#series(own, at))],
        hooks: {
          drawAxes: [
            (plot) => {
              const pen = this.#pen(plot)
              if (pen !== null) this.#draw_under(pen)
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
      [[], ...lines.map(() => [])] as unknown as uPlot.AlignedData,
      this.#element,
    )
  }

  #series({ draw, scale }: Axis, at: number): uPlot.Series {
    const stroke = (): string => this.#stroke(at)
    const width = this.#rem * (at === 0 ? 0.28 : 0.24)
    if (draw === 'bars') return { stroke, scale, paths: () => null, points: { show: false } }
    return {
      stroke,
      scale,
      width,
      dash: (DASHED[(at + Math.floor(at / DASHED.length)) % DASHED.length] ?? []).map((part) => part * width),
      spanGaps: false,
      ...(draw === 'area' ? { fill: () => `${this.#stroke(at)}30` } : {}),
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

  #value_splits({ scale }: Axis): number[] {
    return splits_of(this.#ranges[scale].range, this.#plot_height() / (LETTERS_REM * this.#rem * 1.1))
  }

  /** The numbers of an axis, without those that would lie upon a limit's. */
  #value_texts(plot: uPlot, axis: Axis, splits: readonly number[]): string[] {
    if (!has_numbers(this.#numbers, axis)) return splits.map(() => '')
    const { range } = this.#ranges[axis.scale]
    const y_of = (value: number): number => plot.valToPos(value, axis.scale, true)
    const em = LETTERS_REM * this.#rem * devicePixelRatio
    const aims: readonly AimTick[] = aim_ticks(axis, range, y_of, em)
    return splits.map((at) => (is_free(y_of(at), aims, em) ? tick_text(at, range, axis, this.#numbers) : ''))
  }

  /** A low chart has no line of time: its way is all that there is room for. */
  get #is_low(): boolean {
    return this.#size.height < LOW_REM * this.#rem
  }

  #plot_height(): number {
    const around = this.#is_low ? 2 * TOP_REM : LETTERS_REM + 0.7 + TOP_REM + this.#strips_rem()
    return this.#size.height - this.#rem * around
  }

  /** What stands above the plot: the words of a gap or the units of two axes, and below them the flags. */
  #strips_rem(): number {
    if (this.#is_low) return 0
    const words = this.#gap !== null || (this.#axes.length > 1 && this.#numbers !== 'none')
    return (words ? LETTERS_REM : 0) + (this.#has_marks ? STRIP_EM * LETTERS_REM : 0)
  }

  #time_splits(plot: uPlot): number[] {
    const input = this.#input
    if (input === null) return []
    const { from_ms, to_ms } = window_of(input)
    const em_px = this.#rem * LETTERS_REM
    const width_em = plot.bbox.width / devicePixelRatio / em_px
    const over_em = this.#right_px > 0 ? TIME_OVER_AXIS_EM : Math.min(TIME_OVER_EM, this.#rims.right / em_px)
    const offset_ms = input.zone.offset_ms(input.now_ms)
    const { ticks_ms, with_seconds } = time_ticks(from_ms, to_ms, width_em, offset_ms, over_em)
    this.#with_seconds = with_seconds
    return ticks_ms.map((at) => at / 1000)
  }

  #tick_text(ms: number): string {
    const { zone } = this.#input ?? {}
    if (zone === undefined) return ''
    return this.#with_seconds ? zone.exact(ms) : zone.time(ms)
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
      axes: this.#axes,
      numbers: this.#numbers,
      right: this.#right_px * devicePixelRatio,
      colours: this.#colours,
      ink: (at) => this.ink(at),
      stroke: (at) => this.#stroke(at),
    }
  }

  /** What lies behind the lines. */
  #draw_under(pen: Pen): void {
    this.#hatch = draw_gaps(pen, this.#hatch)
    for (const axis of this.#axes) {
      const newest = this.#ends.filter(({ said, scale }) => said !== '' && said !== UNKNOWN && scale === axis.scale)
      // Two axes' stretches upon each other would be neither's.
      if (axis.scale === 'y')
        draw_stretches(
          pen,
          axis,
          newest.map(({ value }) => value),
        )
      draw_aims(pen, axis, this.#ranges[axis.scale].range, this.#is_low)
    }
    if (pen.input.look.draw === 'bars') draw_bars(pen, this.#ranges.y.range.low)
  }

  #draw_over(pen: Pen): void {
    if (pen.input.series === null) return
    draw_lost(pen)
    if (pen.input.series.marks != null) draw_marks(pen, pen.input.series.marks, !this.#is_low)
    draw_labels(pen, this.#ends)
    if (this.#is_low) return
    draw_gap_words(pen, this.#gap)
    if (this.#axes.length > 1) draw_units(pen)
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
