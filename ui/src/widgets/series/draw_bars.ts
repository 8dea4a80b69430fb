/** Bars over time. */
import { is_whole } from '../../core/buckets'
import type { HeldLine } from '../../core/held'
import { axis_of } from './axes'
import { known_of, type Pen } from './input'

/** The ground of a bar that isn't whole. */
const HOLLOW_ALPHA = 0.4
/** Of a bucket, what is bar. */
const BAR_SHARE = 0.84
/** Bars that would be narrower than this side by side, in rem, stand in front of each other. */
const SLIM_REM = 0.7
/** More than these in front of each other can't be told apart by how wide they are. */
const IN_FRONT_MAX = 3
/** Of the narrower ones in front; and of those side by side. Less, in pixels, and they would cover each other. */
const IN_FRONT_PX = 5
const SIDE_PX = 2

export interface Bar {
  /** From the bucket's beginning, as parts of its width. */
  readonly from: number
  readonly width: number
}

/** Where the bars of a bucket's lines stand: side by side, or each narrower one in front of the one before, all of them to be seen. */
export function bars_of(lines: number, side_by_side: boolean): Bar[] {
  return Array.from({ length: lines }, (_, at) => {
    const width = side_by_side ? BAR_SHARE / lines : BAR_SHARE * (1 - (0.85 * at) / lines)
    return { width, from: side_by_side ? (1 - BAR_SHARE) / 2 + at * width : (1 - width) / 2 }
  })
}

export interface OneBar {
  readonly line: number
  /** The pixel that it begins at. */
  readonly x: number
  readonly value: number
  readonly whole: boolean
}

export interface Heaped {
  readonly line: number
  /** From zero, or from the lowest to the highest of those that share its pixel: none of them is lost. */
  readonly low: number
  readonly high: number
  readonly whole: boolean
}

/** Where there is no room for each: those of all lines at one place, the lower before the higher, each line once a pixel. */
export function heap(bars: readonly OneBar[]): Map<number, Heaped[]> {
  const places = new Map<number, Map<number, Heaped>>()
  for (const { line, x, value, whole } of bars) {
    const place = places.get(x) ?? new Map<number, Heaped>()
    places.set(x, place)
    const before = place.get(line)
    place.set(line, {
      line,
      low: Math.min(before?.low ?? 0, value),
      high: Math.max(before?.high ?? 0, value),
      whole: whole && (before?.whole ?? true),
    })
  }
  const length = ({ low, high }: Heaped): number => high - low
  return new Map([...places].map(([x, place]) => [x, [...place.values()].sort((a, b) => length(b) - length(a))]))
}

/** One that isn't whole is hollow. */
export function draw_bars(pen: Pen, low: number): void {
  const { plot, input, rem } = pen
  const { series, look } = input
  if (series === null) return
  const { ctx, bbox } = plot
  const known = known_of(input)
  const zero = plot.valToPos(Math.max(0, low), 'y', true)
  const bucket = plot.valToPos(look.bucket_ms / 1000, 'x', true) - plot.valToPos(0, 'x', true)
  // Those of the axis at the right are lines.
  const lines = series.lines.map((line, at) => ({ at, line }))
  const barred = lines.filter(({ line }) => axis_of(look, pen.axes, line.key).draw === 'bars')
  const count = barred.length
  const each = (bucket * BAR_SHARE) / Math.max(1, count)
  const side_by_side = each >= SLIM_REM * rem || (count > IN_FRONT_MAX && each >= SIDE_PX)
  const heaped = !side_by_side && (count > IN_FRONT_MAX || bucket < IN_FRONT_PX)
  const bars = bars_of(count, side_by_side)
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  if (heaped) draw_heap(pen, barred, bucket, zero)
  for (const [place, { at, line }] of heaped ? [] : barred.entries()) {
    const { from, width: share } = bars[place] ?? { from: 0, width: BAR_SHARE }
    const width = Math.max(1, bucket * share)
    ctx.fillStyle = ctx.strokeStyle = pen.stroke(at)
    ctx.lineWidth = Math.max(1, rem * 0.12)
    for (const [time, value] of line.points) {
      if (value === null || time >= known.until_ms) continue
      const left = plot.valToPos(time / 1000, 'x', true) + bucket * from
      const top = plot.valToPos(value, 'y', true)
      if (left + width < bbox.left) continue
      // A gap between neighbours, where there is room for one.
      const bar = side_by_side && width > 3 ? width - 1 : width
      if (is_whole(time, known)) ctx.fillRect(left, top, bar, zero - top)
      else draw_hollow(ctx, left, top, bar, zero - top)
    }
  }
  ctx.restore()
}

function draw_heap(
  { plot, input, stroke, rem }: Pen,
  barred: readonly { readonly at: number; readonly line: HeldLine }[],
  bucket: number,
  zero: number,
): void {
  const { ctx, bbox } = plot
  const known = known_of(input)
  const width = Math.max(1, Math.floor(bucket * BAR_SHARE))
  const bars = barred.flatMap(({ at, line }) =>
    line.points.flatMap(([time, value]): OneBar[] => {
      if (value === null || time >= known.until_ms) return []
      const x = Math.floor(plot.valToPos(time / 1000, 'x', true) + (bucket * (1 - BAR_SHARE)) / 2)
      return x + width < bbox.left ? [] : [{ line: at, x, value, whole: is_whole(time, known) }]
    }),
  )
  ctx.lineWidth = Math.max(1, rem * 0.12)
  for (const [x, all] of heap(bars)) {
    for (const { line, low, high, whole } of all) {
      ctx.fillStyle = ctx.strokeStyle = stroke(line)
      const top = high > 0 ? plot.valToPos(high, 'y', true) : zero
      const bottom = low < 0 ? plot.valToPos(low, 'y', true) : zero
      if (whole) ctx.fillRect(x, top, width, bottom - top)
      else draw_hollow(ctx, x, top, width, bottom - top)
    }
  }
}

/** An outline with a faint ground, which a bar of a few pixels has alone: an outline would fill it. */
function draw_hollow(ctx: CanvasRenderingContext2D, left: number, top: number, width: number, height: number): void {
  const edge = ctx.lineWidth
  ctx.globalAlpha = HOLLOW_ALPHA
  ctx.fillRect(left, top, width, height)
  ctx.globalAlpha = 1
  if (width >= 4 * edge) ctx.strokeRect(left + edge / 2, top + edge / 2, width - edge, Math.max(0, height - edge))
  else ctx.fillRect(left, top, width, Math.min(height, edge))
}
