/** What a value of an axis means, and where the limits of its stretches are. */
import type { BandLook, State } from '../generated/frame'

/** What the stretches make of a value: the first that holds it. */
export function band_of(bands: readonly BandLook[], value: number): BandLook | null {
  return bands.find(({ from, to }) => (from === null || from <= value) && (to === null || value < to)) ?? null
}

export function state_of(bands: readonly BandLook[], value: number): State {
  return band_of(bands, value)?.state ?? 'normal'
}

/** Where one stretch ends and another begins, each once, from the lowest. */
export function limits_of(bands: readonly BandLook[]): number[] {
  const edges = bands.flatMap(({ from, to }) => [from, to]).filter((edge) => edge !== null)
  return [...new Set(edges)].sort((a, b) => a - b)
}

/** A limit is near if it is no farther from what is drawn than this part of that. */
const NEAR_SHARE = 0.5

/** What a scale shows of values from `low` to `high`, with those of the limits that are near them. */
export function with_near(low: number, high: number, limits: readonly number[]): { low: number; high: number } {
  // As far as the scale reaches by itself: it begins at zero if that is near.
  const from = low > 0 && low < high * 0.75 ? 0 : low
  const to = high < 0 && high > low * 0.75 ? 0 : high
  const reach = (to - from || Math.abs(high)) * NEAR_SHARE
  const near = limits.filter((limit) => limit >= from - reach && limit <= to + reach)
  return { low: Math.min(low, ...near), high: Math.max(high, ...near) }
}
