/** What the values of an axis mean: calm stretches, lines at their limits, and the line that they are meant to be on. */
import type { State } from '../../generated/frame'
import type { Range } from '../../core/scale'
import { label_width_em } from '../../core/width'
import { type Axis, has_numbers, limit_text, type Numbers } from './axes'
import { font, type Pen, STRIP_EM } from './input'

/** A stretch is so faint that it never competes with the lines; that of a newest value has its state's colour, fainter still. */
const CALM_ALPHA = 0.35
const LIT_ALPHA = 0.2
/** Between two numbers beside an axis, in em from line to line. */
const APART_EM = 1.05

/** A number beside the axis, at its place. */
export interface AimTick {
  readonly value: number
  readonly y: number
  readonly is_target: boolean
}

/** What of an axis' limits and target has its number beside it: the target first, then the limits as far as there is room. */
export function aim_ticks(axis: Axis, { low, high }: Range, y_of: (value: number) => number, em: number): AimTick[] {
  const shown: AimTick[] = []
  const targets = axis.target === null ? [] : [axis.target]
  for (const value of [...targets, ...axis.limits]) {
    if (value < low || value > high) continue
    const y = y_of(value)
    if (shown.every((other) => Math.abs(other.y - y) >= APART_EM * em))
      shown.push({ value, y, is_target: value === axis.target })
  }
  return shown
}

/** Whether a number of the axis itself has room beside those. */
export function is_free(y: number, aims: readonly AimTick[], em: number): boolean {
  return aims.every((aim) => Math.abs(aim.y - y) >= APART_EM * em)
}

/** What lies beyond the scale at one end: the nearest of it, and how many more. */
export function beyond_words(
  axis: Axis,
  { low, high }: Range,
  above: boolean,
  numbers: Numbers = 'whole',
): string | null {
  const aims = axis.target === null ? axis.limits : [...new Set([...axis.limits, axis.target])]
  const beyond = aims.filter((aim) => (above ? aim > high : aim < low)).sort((a, b) => (above ? a - b : b - a))
  const [nearest] = beyond
  if (nearest === undefined) return null
  const others = beyond.length > 1 ? `, +${String(beyond.length - 1)}` : ''
  return limit_text(nearest, axis, numbers) + others
}

const FILL: Partial<Record<State, 'band_warning' | 'band_alarm'>> = {
  warning: 'band_warning',
  unknown: 'band_warning',
  alarm: 'band_alarm',
}
const LIT: Partial<Record<State, 'warning' | 'alarm' | 'quality'>> = {
  warning: 'warning',
  unknown: 'quality',
  alarm: 'alarm',
}

/** Behind the lines. `newest` are the values at the ends of its lines, of which none is old. */
export function draw_stretches(pen: Pen, axis: Axis, newest: readonly number[]): void {
  const { plot, colours } = pen
  const { ctx, bbox } = plot
  const [top, bottom] = [bbox.top, bbox.top + bbox.height]
  const y_of = (value: number): number => Math.min(bottom, Math.max(top, plot.valToPos(value, axis.scale, true)))
  ctx.save()
  for (const { from, to, state } of axis.bands) {
    const calm = FILL[state]
    if (calm === undefined) continue
    const is_lit = newest.some((value) => (from === null || value >= from) && (to === null || value < to))
    ctx.globalAlpha = is_lit ? LIT_ALPHA : CALM_ALPHA
    ctx.fillStyle = colours[(is_lit ? LIT[state] : undefined) ?? calm]
    const [upper, lower] = [to === null ? top : y_of(to), from === null ? bottom : y_of(from)]
    if (lower > upper) ctx.fillRect(bbox.left, upper, bbox.width, lower - upper)
  }
  ctx.restore()
}

/** Lines across the plot, each with a tick and its number beside the axis. */
export function draw_aims(pen: Pen, axis: Axis, range: Range, in_low: boolean): void {
  const { plot, colours, rem, letters } = pen
  const { ctx, bbox } = plot
  const is_right = axis.scale === 'right'
  const edge = is_right ? bbox.left + bbox.width : bbox.left
  const out = is_right ? 1 : -1
  const y_of = (value: number): number => plot.valToPos(value, axis.scale, true)
  ctx.save()
  for (const value of axis.limits) {
    if (value === axis.target || value < range.low || value > range.high) continue
    line(ctx, bbox, y_of(value), colours.label, rem * 0.14, [rem * 0.5, rem * 0.7])
  }
  if (axis.target !== null && axis.target >= range.low && axis.target <= range.high) {
    line(ctx, bbox, y_of(axis.target), colours.value, rem * 0.2, [rem * 1.6, rem * 0.8])
  }
  ctx.setLineDash([])
  ctx.textBaseline = 'middle'
  ctx.textAlign = is_right ? 'left' : 'right'
  const shown = has_numbers(pen.numbers, axis) ? aim_ticks(axis, range, y_of, letters) : []
  for (const { value, y, is_target } of shown) {
    ctx.strokeStyle = ctx.fillStyle = is_target ? colours.value : colours.label
    ctx.font = font(pen, is_target ? 700 : 400)
    ctx.lineWidth = rem * 0.25
    ctx.beginPath()
    ctx.moveTo(edge, y)
    ctx.lineTo(edge + out * rem * 0.45, y)
    ctx.stroke()
    ctx.fillText(limit_text(value, axis, pen.numbers), edge + out * rem * 0.6, y)
  }
  ctx.restore()
  if (in_low) return
  for (const above of [true, false]) draw_beyond(pen, beyond_words(axis, range, above, pen.numbers), above, is_right)
}

/** At the edge beyond which it lies: an arrow and its number. */
function draw_beyond(pen: Pen, text: string | null, above: boolean, is_right: boolean): void {
  if (text === null) return
  const { plot, colours, letters } = pen
  const { ctx, bbox } = plot
  const y = above ? bbox.top + letters * 0.65 : bbox.top + bbox.height - letters * 0.65
  const width = label_width_em(text) * letters
  const [arrow, gap] = [letters * 0.5, letters * 0.25]
  const left = is_right ? bbox.left + bbox.width - width - arrow - 2 * gap : bbox.left + gap
  if (width + arrow + 3 * gap > bbox.width / 2) return
  ctx.save()
  ctx.fillStyle = colours.panel
  ctx.globalAlpha = 0.8
  ctx.fillRect(left - gap / 2, y - letters * 0.55, width + arrow + 2 * gap, letters * 1.1)
  ctx.globalAlpha = 1
  ctx.fillStyle = colours.label
  const [tip, foot] = above ? [y - arrow / 2, y + arrow / 2] : [y + arrow / 2, y - arrow / 2]
  ctx.beginPath()
  ctx.moveTo(left, foot)
  ctx.lineTo(left + arrow, foot)
  ctx.lineTo(left + arrow / 2, tip)
  ctx.fill()
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'left'
  ctx.font = font(pen, 400)
  ctx.fillText(text, left + arrow + gap, y)
  ctx.restore()
}

/** Above each axis what its numbers are of. */
export function draw_units(pen: Pen): void {
  const { ctx, bbox } = pen.plot
  ctx.save()
  ctx.font = font(pen, 400)
  ctx.fillStyle = pen.colours.label
  ctx.textBaseline = 'bottom'
  const y = bbox.top - pen.letters * (0.15 + (pen.input.series?.marks == null ? 0 : STRIP_EM))
  const gap = pen.rem * 0.6
  for (const axis of pen.axes) {
    const { scale, unit } = axis
    if (unit === null || !has_numbers(pen.numbers, axis)) continue
    ctx.textAlign = scale === 'y' ? 'right' : 'left'
    ctx.fillText(unit, scale === 'y' ? bbox.left - gap : bbox.left + bbox.width + gap, y)
  }
  ctx.restore()
}

function line(
  ctx: CanvasRenderingContext2D,
  { left, width }: { readonly left: number; readonly width: number },
  y: number,
  colour: string,
  thick: number,
  dash: number[],
): void {
  ctx.strokeStyle = colour
  ctx.lineWidth = Math.max(1, thick)
  ctx.setLineDash(dash)
  ctx.beginPath()
  ctx.moveTo(left, y)
  ctx.lineTo(left + width, y)
  ctx.stroke()
}
