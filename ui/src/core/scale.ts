/** Scales of charts: steps of 1, 2 and 5, and a range that does not jump about. */
import { SCALE_HOLD_MS_MAX, SCALE_HOLD_SHARE } from './limits'

export interface Range {
  readonly low: number
  readonly high: number
  readonly step: number
}

/** The smallest step of 1, 2 or 5 times a power of ten that is at least `raw`. */
export function nice_step(raw: number): number {
  if (!(raw > 0) || !Number.isFinite(raw)) return 1
  const power = 10 ** Math.floor(Math.log10(raw))
  const lead = raw / power
  const nice = lead <= 1.0000001 ? 1 : lead <= 2.0000001 ? 2 : lead <= 5.0000001 ? 5 : 10
  return nice * power
}

/**
 * A range of whole steps around the values, with zero in it if they are near it, in about `ticks` steps of at least
 * `step_min`: what is counted in ones has no tenths.
 */
export function nice_range(low: number, high: number, ticks: number, step_min = 0): Range {
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) return { low: 0, high: 1, step: 1 }
  if (low === high && low !== 0) return nice_range(Math.min(0, low), Math.max(0, high), ticks, step_min)
  // A scale that starts at 97 makes a difference of one look like a fall from a cliff.
  const from = low > 0 && low < high * 0.75 ? 0 : low
  const to = high < 0 && high > low * 0.75 ? 0 : high
  const step = Math.max(step_min, nice_step((to - from || 1) / Math.max(1, ticks)))
  const bottom = Math.floor(from / step + 1e-9) * step
  const top = Math.ceil(to / step - 1e-9) * step
  return { low: bottom, high: top > bottom ? top : bottom + step, step }
}

/**
 * The same range, but a little below zero takes a quarter of a step and not a whole one: a few minutes early on a scale of
 * hundreds would have a fifth of the chart for themselves.
 */
export function low_trimmed(range: Range, low: number): Range {
  const quarter = range.step / 4
  if (!(low < 0) || low < -2 * quarter || range.high <= 0) return range
  return { ...range, low: -Math.ceil(-low / quarter - 1e-9) * quarter }
}

/**
 * A range that grows at once, and shrinks when the smaller one has been enough for a while of the board's time: what has
 * left the window leaves the scale, and a value that comes and goes at its edge doesn't make it jump.
 */
export class HeldRange {
  #range: Range | null = null
  #enough_since_ms: number | null = null

  /** The range for values from `low` to `high`; `now_ms` is the board's time. */
  next(low: number, high: number, ticks: number, now_ms: number, hold_ms: number, step_min = 0): Range {
    const wanted = low_trimmed(nice_range(low, high, ticks, step_min), low)
    const held = this.#range
    if (held === null || low < held.low || high > held.high) return this.#take(wanted)
    const same = wanted.low === held.low && wanted.high === held.high && wanted.step === held.step
    if (same) {
      this.#enough_since_ms = null
      return held
    }
    // A clock that was set back begins the wait anew.
    if (this.#enough_since_ms === null || now_ms < this.#enough_since_ms) this.#enough_since_ms = now_ms
    return now_ms - this.#enough_since_ms >= hold_ms ? this.#take(wanted) : held
  }

  #take(range: Range): Range {
    this.#enough_since_ms = null
    this.#range = range
    return range
  }
}

/** Steps of a time axis, milliseconds, that people count in. */
const TIME_STEPS_MS = [
  1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1_800e3, 3_600e3, 7_200e3, 10_800e3, 14_400e3,
  21_600e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3,
]

/** The smallest step in which a window has at most `ticks` of them. */
export function time_step_ms(window_ms: number, ticks: number): number {
  for (const step of TIME_STEPS_MS) if (window_ms / step <= ticks) return step
  return Math.ceil(window_ms / ticks / 604_800e3) * 604_800e3
}

/** How long a chart of this window waits before its scale shrinks. */
export function scale_hold_ms(window_ms: number): number {
  return Math.min(SCALE_HOLD_MS_MAX, window_ms * SCALE_HOLD_SHARE)
}
