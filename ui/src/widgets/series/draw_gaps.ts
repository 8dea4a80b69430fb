/** Stretches that nobody can vouch for: hatched, said in words, and marked on the line of time where the link was lost. */
import { label_width_em, shortened } from '../../core/width'
import { hatch } from '../paint'
import { font, type Pen, type PlotInput, STRIP_EM } from './input'
import { say } from '../../words/say'

/** What is said of the newest stretch that nobody can vouch for, and where it begins. */
export interface Gap {
  readonly text: string
  readonly from_ms: number
}

/** The newest gap in the window that begins at `from_ms`, in words. While the chart isn't current, its panel says why. */
export function newest_gap({ series, zone, now_ms }: PlotInput, from_ms: number): Gap | null {
  const seen = (series?.gaps ?? []).filter(([, to]) => to > from_ms)
  const gap = seen.at(-1)
  if (gap === undefined) return null
  const [from, to] = gap
  const stretch =
    from <= from_ms ? say('chart.until', { time: zone.until(to, now_ms) }) : zone.stretch(from, to, now_ms)
  const others = seen.length > 1 ? `, ${say('more', { count: seen.length - 1 })}` : ''
  return { text: say('chart.missing', { stretch }) + others, from_ms: Math.max(from, from_ms) }
}

/** Draws the hatches; gives what they are filled with, to be handed in again: it takes long to make. */
export function draw_gaps(pen: Pen, held: CanvasPattern | string | null): CanvasPattern | string | null {
  const { plot, input, colours, rem } = pen
  const { ctx, bbox } = plot
  const gaps = [...(input.series?.gaps ?? [])]
  if (input.known_until_ms !== null) gaps.push([input.known_until_ms, input.now_ms])
  if (gaps.length === 0) return held
  const fill = held ?? hatch(ctx, colours.stale, rem)
  ctx.save()
  ctx.fillStyle = fill
  for (const [from, to] of gaps) {
    const { left, right } = within(pen, from, to)
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
  }
  ctx.restore()
  return fill
}

/** Where the link was lost, on the line of time, whatever became of it: what stands above was not seen as it happened. */
export function draw_lost(pen: Pen): void {
  const { ctx, bbox } = pen.plot
  const height = pen.rem * 0.4
  ctx.save()
  ctx.fillStyle = pen.colours.stale
  for (const [from, to] of pen.input.lost) {
    const { left, right } = within(pen, from, to)
    if (right >= left) ctx.fillRect(left, bbox.top + bbox.height - height, Math.max(height, right - left), height)
  }
  ctx.restore()
}

/** Above the plot, where nothing lies beneath it: since when or from when to when events are missing. */
export function draw_gap_words(pen: Pen, gap: Gap | null): void {
  if (gap === null) return
  const { ctx, bbox } = pen.plot
  const size = pen.letters
  const end = Math.min(bbox.left + bbox.width, ctx.canvas.width)
  // It may reach over the labels, which begin below it, and no farther; not over the unit of an axis at the right.
  const words = shortened(gap.text, ((pen.axes.length > 1 ? end : ctx.canvas.width) - bbox.left) / size)
  const right = end - label_width_em(words) * size
  const left = Math.max(bbox.left, Math.min(pen.plot.valToPos(gap.from_ms / 1000, 'x', true), right))
  ctx.save()
  ctx.textBaseline = 'bottom'
  ctx.textAlign = 'left'
  ctx.font = font(pen, 400)
  ctx.fillStyle = pen.colours.label
  // Flags hang between it and the plot.
  ctx.fillText(words, left, bbox.top - size * (0.15 + (pen.input.series?.marks == null ? 0 : STRIP_EM)))
  ctx.restore()
}

function within({ plot }: Pen, from_ms: number, to_ms: number): { left: number; right: number } {
  const { left, width } = plot.bbox
  return {
    left: Math.max(left, plot.valToPos(from_ms / 1000, 'x', true)),
    right: Math.min(left + width, plot.valToPos(to_ms / 1000, 'x', true)),
  }
}
