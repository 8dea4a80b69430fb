/** How many digits of a number are written, and that the last of them doesn't flip to and fro while the number trembles. */
import type { NumberLook } from '../generated/frame'
import { number_text, powered, shown_number } from './format'

const DECIMALS_MAX = 6
/**
 * A written digit stays until the number has left it by more than this share of its step. A number that wanders over the middle
 * between two digits must go back by a fifth of a step before the digit does.
 */
export const HOLD = 0.6

/** Digits after the point with which a number of this size has so many significant ones. */
export function significant(digits: number, widest: number): number {
  if (!(widest > 0) || !Number.isFinite(widest)) return digits - 1
  const lead = Number(widest.toExponential().split('e')[1])
  return Math.min(DECIMALS_MAX, Math.max(0, digits - 1 - lead))
}

/** The widest number of the scale; null if it has no two ends. As the look draws it. */
function scale_widest(look: Pick<NumberLook, 'min' | 'max' | 'unit'>): number | null {
  if (look.min === null || look.max === null) return null
  return Math.max(Math.abs(shown_number(look.min, look)), Math.abs(shown_number(look.max, look)))
}

/** Digits after the point: the board's, or as many as its significant ones leave of the scale, else of the widest number of `seen`. */
export function decimals_of(look: NumberLook, seen: readonly (number | null)[]): number {
  if (look.digits === null) return look.decimals
  let widest = scale_widest(look)
  if (widest === null) {
    widest = 0
    for (const one of [...seen, look.min, look.max]) {
      if (one !== null && Number.isFinite(one)) widest = Math.max(widest, Math.abs(shown_number(one, look)))
    }
  }
  return significant(look.digits, widest)
}

/** Digits after the point that a number of the board file has itself: of a limit, of a target. */
export function own_decimals(value: number): number {
  const exact = Number(value.toPrecision(12))
  for (let decimals = 0; decimals < DECIMALS_MAX; decimals += 1) {
    if (Number(exact.toFixed(decimals)) === exact) return decimals
  }
  return DECIMALS_MAX
}

/** A number of the board file, with as many digits as it has there. */
export function mark_text(value: number, look: Pick<NumberLook, 'unit'>): string {
  const shown = shown_number(value, look)
  return Math.abs(shown) > Number.MAX_SAFE_INTEGER ? short_power(shown) : number_text(shown, own_decimals(shown))
}

function short_power(value: number): string {
  return powered(Number(value.toPrecision(12)))
}

/** A value in as many significant digits after its first, with a power of ten where it has too many before its point. */
export function power_text(value: number, decimals: number, digits: number): string {
  const size = Math.abs(value)
  if (!Number.isFinite(value) || size < 10_000) return number_text(value, decimals)
  return powered(value, digits)
}

/** A number of the board file with a power of ten, if that is shorter and says as much: `8e15`. */
export function short_mark_text(value: number, look: Pick<NumberLook, 'unit'>): string {
  const whole = mark_text(value, look)
  const short = short_power(shown_number(value, look))
  return short.length + 1 < whole.length ? short : whole
}

/** A number as it is written, whose last digit holds. */
export class Steady {
  #written: number | null = null
  #decimals = 0

  /** What is written of the number now, rounded. */
  next(value: number | null, decimals: number): number | null {
    if (value === null || !Number.isFinite(value)) {
      this.#written = null
      return value
    }
    const written = this.#written
    if (written !== null && this.#decimals === decimals && Math.abs(value - written) <= HOLD * 10 ** -decimals) {
      return written
    }
    this.#decimals = decimals
    // No zero has a sign.
    this.#written = Number(value.toFixed(decimals)) + 0
    return this.#written
  }
}
