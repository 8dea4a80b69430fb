/** A chart's axes: that at the left, and one at the right where lines are of another unit. */
import type { BandLook } from '../../generated/frame'
import { limits_of, with_near } from '../../core/bands'
import { mark_text, power_text, short_mark_text } from '../../core/digits'
import { figure_text, number_text, shown_number } from '../../core/format'
import { HeldRange, nice_range, type Range, scale_hold_ms } from '../../core/scale'
import { is_whole, type Known } from '../../core/buckets'
import type { HeldLine } from '../../core/held'
import type { Window } from './axis'
import type { PlotInput, SeriesLook } from './input'

export interface Axis {
  /** What the plotter calls its scale. */
  readonly scale: 'y' | 'right'
  readonly unit: string | null
  readonly decimals: number
  readonly bands: readonly BandLook[]
  readonly limits: readonly number[]
  /** What its scale reaches at least. */
  readonly reach: readonly number[]
  readonly target: number | null
  /** How its lines are drawn: those of the right one always as lines. */
  readonly draw: SeriesLook['draw']
}

export function axes_of(look: SeriesLook): readonly Axis[] {
  const left: Axis = { scale: 'y', draw: look.draw, ...aims_of(look) }
  return look.right === undefined ? [left] : [left, { scale: 'right', draw: 'line', ...aims_of(look.right) }]
}

function aims_of(of: {
  readonly unit: string | null
  readonly decimals: number
  readonly min?: number
  readonly max?: number
  readonly bands?: readonly BandLook[]
  readonly target?: number | null
}): Omit<Axis, 'scale' | 'draw'> {
  const { unit, decimals, bands = [], target = null } = of
  const reach = [of.min, of.max].filter((end) => end !== undefined)
  return { unit, decimals, bands, limits: limits_of(bands), reach, target }
}

/** By which axis the line of this key is read. */
export function axis_of(look: SeriesLook, axes: readonly Axis[], key: string): Axis {
  const [left, right] = axes as readonly [Axis, Axis?]
  const named = right === undefined ? undefined : look.lines?.find((line) => line.key === key)
  return named?.right === true && right !== undefined ? right : left
}

/** A value of the axis as it is written at a line's end: with its unit where there are two. */
export function value_text(axis: Axis, value: number, with_unit: boolean): string {
  const text = figure_text(value, axis)
  return with_unit && axis.unit !== null ? `${text} ${axis.unit}` : text
}

/** The same in ever fewer letters: with the unit, without it, and by a power of ten. */
export const VALUE_FORMS: readonly ((axis: Axis, value: number) => string)[] = [
  (axis, value) => value_text(axis, value, true),
  (axis, value) => value_text(axis, value, false),
  ...[2, 1, 0].map(
    (digits) => (axis: Axis, value: number) => power_text(shown_number(value, axis), axis.decimals, digits),
  ),
]

/** How much of its axes' numbers a chart has room for: all, all in few digits, those at the left alone, none. Its lines' ends have theirs. */
export const NUMBERS = ['whole', 'short', 'left', 'none'] as const
export type Numbers = (typeof NUMBERS)[number]

export function has_numbers(numbers: Numbers, { scale }: Axis): boolean {
  return numbers !== 'none' && (numbers !== 'left' || scale === 'y')
}

export function limit_text(value: number, axis: Pick<Axis, 'unit'>, numbers: Numbers = 'whole'): string {
  return numbers === 'whole' ? mark_text(value, axis) : short_mark_text(value, axis)
}

/** A number beside the axis. */
export function tick_text(value: number, range: Range, axis: Pick<Axis, 'unit'>, numbers: Numbers): string {
  const shown = shown_number(value, axis)
  const is_exact = numbers === 'whole' && Math.abs(shown) <= Number.MAX_SAFE_INTEGER
  const step = shown_number(range.step, axis)
  return is_exact ? number_text(shown, step_decimals({ step })) : limit_text(value, axis, numbers)
}

/** The range of one axis, which doesn't jump about. */
export class AxisRange {
  readonly #held = new HeldRange()
  range: Range = { low: 0, high: 1, step: 1 }

  /** For the lines that are read by it, in the window. */
  next(axis: Axis, lines: readonly HeldLine[], input: PlotInput, window: Window, known: Known, ticks: number): Range {
    const { from_ms, to_ms } = window
    let [low, high] = [Infinity, -Infinity]
    for (const line of lines) {
      for (const [time, value] of line.points) {
        if (value === null || time + known.bucket_ms < from_ms || time > to_ms) continue
        if (axis.draw !== 'bars' && !is_whole(time, known)) continue
        low = Math.min(low, value)
        high = Math.max(high, value)
      }
    }
    const aims = axis.target === null ? axis.limits : [...axis.limits, axis.target]
    const step_min = 10 ** -axis.decimals / shown_number(1, axis)
    if (low > high) {
      const ends = [...aims, ...axis.reach]
      this.range = nice_range(Math.min(0, ...ends), Math.max(ends.length === 0 ? 1 : 0, ...ends), ticks)
      return this.range
    }
    if (axis.draw !== 'line') low = Math.min(0, low)
    ;[low, high] = [Math.min(low, ...axis.reach), Math.max(high, ...axis.reach)]
    ;({ low, high } = with_near(low, high, aims))
    this.range =
      input.looked_at === null
        ? this.#held.next(low, high, ticks, input.now_ms, scale_hold_ms(input.look.keep_ms), step_min)
        : nice_range(low, high, ticks, step_min)
    return this.range
  }
}

/** Where the axis has ticks. */
export function splits_of({ low, high, step }: Range, lines: number): number[] {
  const splits: number[] = []
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6 && splits.length < 20; at += step)
    splits.push(Math.abs(at) < step * 1e-9 ? 0 : at)
  // In a low plot the ends say enough, and in a very low one the upper.
  if (splits.length <= lines + 1 || splits.length < 2) return splits
  return lines >= 1 ? [splits[0] ?? low, splits.at(-1) ?? high] : splits.slice(-1)
}

export function step_decimals({ step }: Pick<Range, 'step'>): number {
  return Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)))
}
