/**
 * One chart: a moving window on the board's clock, lines labelled at their ends, stretches that nobody can vouch for
 * hatched. It repaints when its data changed or the window moved by a pixel, and not otherwise.
 */
import 'uplot/dist/uPlot.min.css'
import uPlot from 'uplot'
import type { Look } from '../../generated/frame'
import { columns, lonely } from '../../core/columns'
import { number_text, type Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import { HeldRange, nice_range, type Range, time_step_ms } from '../../core/scale'
import { colours, type Colours, hatch } from '../paint'

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
}

const LABEL_REM = 1.7

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

  /** `size` is the element's, in CSS pixels: asking the element at every frame would lay the page out for the answer. */
  constructor(element: HTMLElement, size: { readonly width: number; readonly height: number }, rem: number) {
    this.#element = element
    this.#size = size
    this.#rem = rem
    this.#colours = colours()
  }

  /** Paints what changed. `clock_ms` is the page's monotonic clock. */
  update(input: PlotInput, clock_ms: number): void {
    const before = this.#input
    const changed =
      before?.series !== input.series || before.stale !== input.stale || before.known_until_ms !== input.known_until_ms
    const ms_per_pixel = input.look.keep_ms / Math.max(1, this.#size.width * devicePixelRatio)
    const moved = Math.abs(input.now_ms - this.#drawn_now_ms) >= ms_per_pixel
    if (!changed && !moved) return
    this.#input = input
    this.#drawn_now_ms = input.now_ms
    const keys = (input.series?.lines ?? []).map((line) => line.key).join('\n')
    if (this.#plot === null || keys !== this.#drawn_keys) this.#build(input, keys)
    this.#fill(input, clock_ms)
  }

  destroy(): void {
    this.#plot?.destroy()
    this.#plot = null
  }

  #fill(input: PlotInput, clock_ms: number): void {
    const plot = this.#plot
    if (plot === null) return
    const from = (input.now_ms - input.look.keep_ms) / 1000
    this.#range = this.#visible_range(input, from * 1000, clock_ms)
    plot.batch(() => {
      if (input.series !== null && input.series.lines.length > 0) {
        const { times, values } = columns(input.series)
        plot.setData([times, ...values] as uPlot.AlignedData, false)
      } else plot.setData([[]] as unknown as uPlot.AlignedData, false)
      plot.setScale('x', { min: from, max: input.now_ms / 1000 })
      plot.setScale('y', { min: this.#range.low, max: this.#range.high })
    })
  }

  #visible_range(input: PlotInput, from_ms: number, clock_ms: number): Range {
    let low = Infinity
    let high = -Infinity
    for (const line of input.series?.lines ?? []) {
      for (const [time, value] of line.points) {
        if (value === null || time < from_ms) continue
        low = Math.min(low, value)
        high = Math.max(high, value)
      }
    }
    if (low > high) return nice_range(0, 1, 1)
    if (input.look.draw !== 'line') low = Math.min(0, low)
    return this.#held_range.next(low, high, this.#ticks(), clock_ms, 10 ** -input.look.decimals)
  }

  #ticks(): number {
    return Math.min(8, Math.max(2, Math.floor(this.#size.height / (this.#rem * 3))))
  }

  #build(input: PlotInput, keys: string): void {
    this.#plot?.destroy()
    this.#drawn_keys = keys
    const { look } = input
    const font = `${(LABEL_REM * this.#rem).toFixed(1)}px "Roboto Condensed"`
    const { label, rule } = this.#colours
    const lines = keys === '' ? [] : keys.split('\n')
    const axis: uPlot.Axis = { stroke: label, font, ticks: { show: false }, border: { show: false } }
    this.#plot = new uPlot(
      {
        width: this.#size.width,
        height: this.#size.height,
        padding: [this.#rem * 1.2, this.#label_room(lines, look), 0, 0],
        legend: { show: false },
        cursor: { show: false },
        select: { show: false, left: 0, top: 0, width: 0, height: 0 },
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [
          {
            ...axis,
            size: this.#rem * 2.4,
            gap: this.#rem * 0.4,
            grid: { show: false },
            splits: (plot) => this.#time_splits(plot),
            values: (_plot, splits) => splits.map((at) => this.#input?.zone.time(at * 1000) ?? ''),
          },
          {
            ...axis,
            size: this.#rem * (1.6 + 0.85 * this.#widest(look)),
            gap: this.#rem * 0.6,
            grid: { stroke: rule, width: Math.max(1, this.#rem * 0.12) },
            splits: () => this.#value_splits(),
            values: (_plot, splits) => splits.map((at) => number_text(at, this.#step_decimals())),
          },
        ],
        series: [{}, ...lines.map((_key, at) => this.#series(look, at))],
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
      [[], ...lines.map(() => [])] as unknown as uPlot.AlignedData,
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
    return this.#input?.stale === true
      ? this.#colours.stale
      : (this.#colours.lines[at % this.#colours.lines.length] ?? '#888')
  }

  #widest(look: SeriesLook): number {
    return Math.max(2, number_text(this.#range.high, look.decimals === 0 ? 0 : 1).length)
  }

  #label_room(lines: readonly string[], look: SeriesLook): number {
    const longest = Math.max(0, ...lines.map((key) => (lines.length > 1 ? Math.min(key.length, 12) + 1 : 0)))
    return this.#rem * (1.2 + 0.95 * (longest + 4 + look.decimals))
  }

  #step_decimals(): number {
    return Math.max(0, Math.min(6, -Math.floor(Math.log10(this.#range.step) + 1e-9)))
  }

  #value_splits(): number[] {
    const { low, high, step } = this.#range
    const splits: number[] = []
    for (let at = low; at <= high + step * 1e-6 && splits.length < 20; at += step)
      splits.push(Math.abs(at) < step * 1e-9 ? 0 : at)
    return splits
  }

  #time_splits(plot: uPlot): number[] {
    const input = this.#input
    if (input === null) return []
    const room = plot.bbox.width / devicePixelRatio / (this.#rem * 6.5)
    const step = time_step_ms(input.look.keep_ms, Math.max(1, Math.floor(room)))
    const offset = input.zone.offset_ms(input.now_ms)
    const splits: number[] = []
    const from = input.now_ms - input.look.keep_ms
    for (let at = Math.ceil((from + offset) / step) * step - offset; at <= input.now_ms; at += step)
      splits.push(at / 1000)
    return splits
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

  #draw_over(plot: uPlot): void {
    const input = this.#input
    if (input?.series == null) return
    if (input.look.draw === 'bars') this.#draw_bars(plot, input)
    this.#draw_labels(plot, input)
  }

  /** Bars of one bucket stand side by side; the one that is still being counted is hollow. */
  #draw_bars(plot: uPlot, { series, look, now_ms }: PlotInput): void {
    if (series === null) return
    const { ctx, bbox } = plot
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
        if (value === null) continue
        const left = plot.valToPos(time / 1000, 'x', true) + bucket * 0.08 + at * width
        const top = plot.valToPos(value, 'y', true)
        if (left + width < bbox.left) continue
        if (time + look.bucket_ms > now_ms) ctx.strokeRect(left + 1, top, Math.max(1, width - 3), zero - top)
        else ctx.fillRect(left, top, Math.max(1, width - 1), zero - top)
      }
    })
    ctx.restore()
  }

  #draw_labels(plot: uPlot, { series, look }: PlotInput): void {
    if (series === null) return
    const { ctx, bbox } = plot
    const size = LABEL_REM * this.#rem * devicePixelRatio
    const labels = series.lines
      .map((line, at) => ({
        at,
        key: line.key,
        value: line.points.findLast(([, value]) => value !== null)?.[1] ?? null,
      }))
      .filter((label) => label.value !== null)
      .map((label) => ({ ...label, y: plot.valToPos(label.value ?? 0, 'y', true) }))
      .sort((a, b) => a.y - b.y)
    spread(labels, bbox.top + size / 2, bbox.top + bbox.height - size / 2, size * 1.05)
    ctx.save()
    ctx.textBaseline = 'middle'
    ctx.textAlign = 'left'
    for (const { at, key, value, y } of labels) {
      ctx.fillStyle = this.#stroke(at)
      const name = series.lines.length > 1 ? `${key} ` : ''
      ctx.font = `700 ${size.toFixed(1)}px "Roboto Condensed"`
      ctx.fillText(name + number_text(value ?? 0, look.decimals), bbox.left + bbox.width + size * 0.4, y)
    }
    ctx.restore()
  }
}

/** Moves labels, sorted from the top, apart until none touches another, within the bounds. */
export function spread(labels: { y: number }[], top: number, bottom: number, distance: number): void {
  let least = top
  for (const label of labels) {
    label.y = Math.max(label.y, least)
    least = label.y + distance
  }
  let most = bottom
  for (const label of labels.toReversed()) {
    label.y = Math.min(label.y, most)
    most = label.y - distance
  }
}
