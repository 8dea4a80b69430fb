/**
 * One chart: a moving window on the board's clock, lines labelled at their ends, stretches that nobody can vouch for
 * hatched. It repaints when its data changed or the window moved by a pixel, and not otherwise.
 */
import 'uplot/dist/uPlot.min.css'
import uPlot from 'uplot'
import type { Look } from '../../generated/frame'
import { is_whole, type Known, newest_whole } from '../../core/buckets'
import { columns, lonely } from '../../core/columns'
import { DASHES, number_text, type Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import { HeldRange, nice_range, type Range, scale_hold_ms } from '../../core/scale'
import { label_width_em, shortened } from '../../core/width'
import { colours, type Colours, hatch, mixed } from '../paint'
import { bar_window, fitting_ends, spread, time_ticks } from './axis'

export type SeriesLook = Extract<Look, { kind: 'series' }>

export interface PlotInput {
  readonly look: SeriesLook
  readonly zone: Zone
  readonly series: HeldSeries | null
  /** The board's time. */
  readonly now_ms: number
  /** From here to now nothing is known; null while the widget is current. */
  readonly known_until_ms: number | null
  readonly stale: boolean
  /** Stretches in which its source was not live, by the board's time. */
  readonly lost: readonly (readonly [number, number])[]
}

/** Size of the letters, as the style sheet's smallest. */
const LABEL_REM = 2.5
/** The widest a line's label may be, in parts of the chart. */
const LABEL_SHARE_MAX = 0.4

/** The ground of a bar that isn't whole. */
const HOLLOW_ALPHA = 0.4
/** How much of its colour a line keeps when it isn't current. */
const STALE_SHARE = 0.7

/** What stands at a line's end. */
interface End {
  readonly at: number
  readonly text: string
  /** The value by which it stands; the line's last one if nothing is known of now. */
  readonly value: number
}

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
  #widest_end_em = 0
  #with_seconds = false
  /** What is said of the newest stretch that nobody can vouch for, and where it begins. */
  #gap: { readonly text: string; readonly from_ms: number } | null = null

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
      before.lost !== input.lost
    const ms_per_pixel = input.look.keep_ms / Math.max(1, this.#size.width * devicePixelRatio)
    const moved = Math.abs(input.now_ms - this.#drawn_now_ms) >= ms_per_pixel
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

  destroy(): void {
    this.#plot?.destroy()
    this.#plot = null
  }

  #fill(input: PlotInput): void {
    const plot = this.#plot
    if (plot === null) return
    const { from_ms, to_ms } = bar_window(input.look, input.now_ms)
    const from = from_ms / 1000
    const known = known_of(input)
    this.#range = this.#visible_range(input, from_ms, known)
    this.#ends = this.#line_ends(input, known)
    this.#gap = newest_gap(input, from_ms)
    plot.batch(() => {
      if (input.series !== null && input.series.lines.length > 0) {
        const { times, values } = columns(input.series, known)
        plot.setData([times, ...values] as uPlot.AlignedData, false)
      } else plot.setData([[]] as unknown as uPlot.AlignedData, false)
      plot.setScale('x', { min: from, max: to_ms / 1000 })
      plot.setScale('y', { min: this.#range.low, max: this.#range.high })
    })
  }

  /** The range of what is drawn. */
  #visible_range(input: PlotInput, from_ms: number, known: Known): Range {
    let low = Infinity
    let high = -Infinity
    const is_bars = input.look.draw === 'bars'
    for (const line of input.series?.lines ?? []) {
      for (const [time, value] of line.points) {
        if (value === null || time + known.bucket_ms < from_ms) continue
        if (!is_bars && !is_whole(time, known)) continue
        low = Math.min(low, value)
        high = Math.max(high, value)
      }
    }
    if (low > high) return nice_range(0, 1, 1)
    if (input.look.draw !== 'line') low = Math.min(0, low)
    const hold_ms = scale_hold_ms(input.look.keep_ms)
    return this.#held_range.next(low, high, this.#ticks(), input.now_ms, hold_ms, 10 ** -input.look.decimals)
  }

  /** A line's name, and its value if that is of now: an old number beside the present would be taken for it (H1). */
  #line_ends({ series, look, stale }: PlotInput, known: Known): readonly End[] {
    if (series === null) return []
    const room_em = (this.#size.width * LABEL_SHARE_MAX) / (LABEL_REM * this.#rem)
    const ends = series.lines.flatMap((line, at) => {
      const last = line.points.findLast(([start, value]) => value !== null && is_whole(start, known))?.[1] ?? null
      if (last === null) return []
      const value = newest_whole(line, known)
      const said = stale ? '' : value === null ? DASHES : number_text(value, look.decimals)
      const room = room_em - label_width_em(said) - 0.3
      const name = series.lines.length > 1 ? shortened(line.key, Math.max(2, room)) : ''
      return [{ at, text: `${name} ${said}`.trim(), value: value ?? last }]
    })
    // Room once needed is kept: a plot that follows the digits would jump.
    this.#widest_end_em = Math.max(this.#widest_end_em, ...ends.map(({ text }) => label_width_em(text)))
    return ends
  }

  #ticks(): number {
    return Math.min(8, Math.max(2, Math.floor(this.#size.height / (this.#rem * 4.4))))
  }

  #build(look: SeriesLook, lines: number): void {
    this.#plot?.destroy()
    this.#plot = null
    this.#widest_end_em = 0
    const font = `${(LABEL_REM * this.#rem).toFixed(1)}px "Roboto Condensed"`
    const { label, rule } = this.#colours
    const axis: uPlot.Axis = { stroke: label, font, ticks: { show: false }, border: { show: false } }
    this.#plot = new uPlot(
      {
        width: this.#size.width,
        height: this.#size.height,
        padding: [
          () => this.#rem * (this.#gap === null ? 1.2 : LABEL_REM + 1.2),
          () => this.#rem * LABEL_REM * (this.#widest_end_em + 0.6),
          0,
          0,
        ],
        legend: { show: false },
        cursor: { show: false },
        select: { show: false, left: 0, top: 0, width: 0, height: 0 },
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [
          {
            ...axis,
            size: this.#rem * (LABEL_REM + 0.7),
            gap: this.#rem * 0.4,
            grid: { show: false },
            splits: (plot) => this.#time_splits(plot),
            values: (_plot, splits) => splits.map((at) => this.#tick_text(at * 1000)),
          },
          {
            ...axis,
            size: (_plot, values) => this.#rem * (1 + LABEL_REM * Math.max(1, ...widths(values))),
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
              this.#draw_gaps(plot)
            },
          ],
          draw: [
            (plot) => {
              this.#draw_over(plot)
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

  #stroke(at: number): string {
    const colour = this.#colours.lines[at % this.#colours.lines.length] ?? '#888888'
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
    return splits
  }

  #time_splits(plot: uPlot): number[] {
    const input = this.#input
    if (input === null) return []
    const { from_ms, to_ms } = bar_window(input.look, input.now_ms)
    const em_px = this.#rem * LABEL_REM
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

  #draw_gaps(plot: uPlot): void {
    const input = this.#input
    if (input === null) return
    const { ctx, bbox } = plot
    const gaps = [...(input.series?.gaps ?? [])]
    if (input.known_until_ms !== null) gaps.push([input.known_until_ms, input.now_ms])
    if (gaps.length === 0) return
    this.#hatch ??= hatch(ctx, this.#colours.stale, this.#rem * devicePixelRatio)
    ctx.save()
    ctx.fillStyle = this.#hatch
    for (const [from, to] of gaps) {
      const left = Math.max(bbox.left, plot.valToPos(from / 1000, 'x', true))
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1000, 'x', true))
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
    }
    ctx.restore()
  }

  /** Where the link was lost, on the line of time, whatever became of it: what stands above was not seen as it happened. */
  #draw_lost(plot: uPlot, { lost }: PlotInput): void {
    const { ctx, bbox } = plot
    const height = this.#rem * 0.4 * devicePixelRatio
    ctx.save()
    ctx.fillStyle = this.#colours.stale
    for (const [from, to] of lost) {
      const left = Math.max(bbox.left, plot.valToPos(from / 1000, 'x', true))
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1000, 'x', true))
      if (right >= left) ctx.fillRect(left, bbox.top + bbox.height - height, Math.max(height, right - left), height)
    }
    ctx.restore()
  }

  #draw_over(plot: uPlot): void {
    const input = this.#input
    if (input?.series == null) return
    this.#draw_lost(plot, input)
    if (input.look.draw === 'bars') this.#draw_bars(plot, input)
    this.#draw_labels(plot)
    this.#draw_gap_words(plot)
  }

  /** Bars of one bucket stand side by side; one that isn't whole is hollow. */
  #draw_bars(plot: uPlot, input: PlotInput): void {
    const { series, look } = input
    if (series === null) return
    const { ctx, bbox } = plot
    const known = known_of(input)
    const zero = plot.valToPos(Math.max(0, this.#range.low), 'y', true)
    const bucket = plot.valToPos(look.bucket_ms / 1000, 'x', true) - plot.valToPos(0, 'x', true)
    const width = Math.max(1, (bucket * 0.84) / series.lines.length)
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    series.lines.forEach((line, at) => {
      ctx.fillStyle = ctx.strokeStyle = this.#stroke(at)
      ctx.lineWidth = Math.max(1, this.#rem * 0.12 * devicePixelRatio)
      for (const [time, value] of line.points) {
        if (value === null || time >= known.until_ms) continue
        const left = plot.valToPos(time / 1000, 'x', true) + bucket * 0.08 + at * width
        const top = plot.valToPos(value, 'y', true)
        if (left + width < bbox.left) continue
        // A gap between neighbours, where there is room for one.
        const bar = width > 3 ? width - 1 : width
        if (is_whole(time, known)) ctx.fillRect(left, top, bar, zero - top)
        else this.#draw_hollow(ctx, left, top, bar, zero - top)
      }
    })
    ctx.restore()
  }

  /** An outline with a faint ground, which a bar of a few pixels has alone: an outline would fill it. */
  #draw_hollow(ctx: CanvasRenderingContext2D, left: number, top: number, width: number, height: number): void {
    const edge = ctx.lineWidth
    ctx.globalAlpha = HOLLOW_ALPHA
    ctx.fillRect(left, top, width, height)
    ctx.globalAlpha = 1
    if (width >= 4 * edge) ctx.strokeRect(left + edge / 2, top + edge / 2, width - edge, Math.max(0, height - edge))
    else ctx.fillRect(left, top, width, Math.min(height, edge))
  }

  #draw_labels(plot: uPlot): void {
    const { ctx, bbox } = plot
    const size = LABEL_REM * this.#rem * devicePixelRatio
    const [top, bottom, distance] = [bbox.top + size / 2, bbox.top + bbox.height - size / 2, size * 1.05]
    const ends = this.#ends.map((end) => ({ ...end, y: plot.valToPos(end.value, 'y', true) })).sort((a, b) => a.y - b.y)
    const labels = fitting_ends(ends, Math.floor((bottom - top) / distance + 1.02))
    spread(labels, top, bottom, distance)
    ctx.save()
    ctx.textBaseline = 'middle'
    ctx.textAlign = 'left'
    ctx.font = `700 ${size.toFixed(1)}px "Roboto Condensed"`
    for (const { at, text, y } of labels) {
      ctx.fillStyle = at === null ? this.#colours.label : this.#stroke(at)
      ctx.fillText(text, bbox.left + bbox.width + size * 0.4, y)
    }
    ctx.restore()
  }

  /** Above the plot, where nothing lies beneath it: since when or from when to when events are missing. */
  #draw_gap_words(plot: uPlot): void {
    if (this.#gap === null) return
    const { ctx, bbox } = plot
    const size = LABEL_REM * this.#rem * devicePixelRatio
    // It may reach over the labels, which begin below it, and no farther.
    const words = shortened(this.#gap.text, (ctx.canvas.width - bbox.left) / size)
    const right = Math.min(bbox.left + bbox.width, ctx.canvas.width) - label_width_em(words) * size
    const left = Math.max(bbox.left, Math.min(plot.valToPos(this.#gap.from_ms / 1000, 'x', true), right))
    ctx.save()
    ctx.textBaseline = 'bottom'
    ctx.textAlign = 'left'
    ctx.font = `400 ${size.toFixed(1)}px "Roboto Condensed"`
    ctx.fillStyle = this.#colours.label
    ctx.fillText(words, left, bbox.top - size * 0.15)
    ctx.restore()
  }
}

function known_of({ series, look, now_ms, known_until_ms }: PlotInput): Known {
  return {
    bucket_ms: look.bucket_ms,
    until_ms: Math.min(now_ms, known_until_ms ?? Infinity),
    gaps: series?.gaps ?? [],
  }
}

/** The newest gap in the window that begins at `from_ms`, in words. While the chart isn't current, its panel says why. */
function newest_gap({ series, zone, now_ms }: PlotInput, from_ms: number): { text: string; from_ms: number } | null {
  const seen = (series?.gaps ?? []).filter(([, to]) => to > from_ms)
  const gap = seen.at(-1)
  if (gap === undefined) return null
  const [from, to] = gap
  const stretch = from <= from_ms ? `until ${zone.until(to, now_ms)}` : zone.stretch(from, to, now_ms)
  const others = seen.length > 1 ? `, +${String(seen.length - 1)} more` : ''
  return { text: `events missing ${stretch}${others}`, from_ms: Math.max(from, from_ms) }
}

function widths(texts: readonly string[] | null): number[] {
  return (texts ?? []).map(label_width_em)
}
