/**
 * What may be said of a widget at this instant by the page's own clock.
 *
 * The frame says how far a value could be believed when it was made, and for how long *live* holds without renewal.
 * The page is the second judge: it ends *live* by itself, and takes everything back when the backend falls silent (H1).
 */
import type { Freshness, Quality } from '../generated/frame'
import { LATE_MS_MIN } from './limits'
import { say } from '../words/say'
import { said_or } from './said'

export interface Verdict {
  readonly freshness: Freshness
  /** Why it isn't live, for people; null if it is. */
  readonly reason: string | null
  /** Age of the newest proof, milliseconds; null if there was never one, or never anything to prove. */
  readonly age_ms: number | null
  /** Whether the age belongs beside the value: always if not live, and for a live one that is about to end. */
  readonly tells_age: boolean
}

export const silent_reason = (): string => say('reason.silent')
export const undrawn_reason = (): string => say('reason.undrawn')
export const expired_reason = (): string => say('reason.expired')

/** Whether a value of this freshness is drawn as current. */
export function is_current(freshness: Freshness): boolean {
  return freshness === 'live' || freshness === 'polling'
}

/** Whether the last known value may be shown, marked. */
export function shows_value(freshness: Freshness): boolean {
  return freshness !== 'refused' && freshness !== 'unknown'
}

/**
 * Judges a quality that came `since_ms` ago on the page's monotonic clock.
 * `frozen` says why nothing that is shown is of now, as when the backend has not answered in time; then nothing is current any more.
 */
export function judge(quality: Quality, since_ms: number, frozen: string | null): Verdict {
  const { freshness } = quality
  // What was never known has no age: that of the link's last proof would be taken for it.
  const age_ms = quality.age_ms === null || freshness === 'unknown' ? null : quality.age_ms + since_ms
  if (frozen !== null) {
    // What was hidden stays hidden, and what was never known stays unknown.
    const kept = shows_value(freshness) ? 'stale' : freshness
    return { freshness: kept, reason: frozen, age_ms, tells_age: age_ms !== null }
  }
  if (is_current(freshness) && since_ms > quality.live_for_ms) {
    return { freshness: 'stale', reason: expired_reason(), age_ms, tells_age: true }
  }
  const tells_age = age_ms !== null && (!is_current(freshness) || age_ms >= Math.max(LATE_MS_MIN, quality.limit_ms / 2))
  return { freshness, reason: said_or(quality.said, quality.reason), age_ms, tells_age }
}

/** When *live* ends by itself, milliseconds from when the quality came; null if it isn't live. */
export function ends_after_ms(quality: Quality): number | null {
  return is_current(quality.freshness) ? quality.live_for_ms : null
}

export function freshness_word(freshness: Freshness): string {
  return say(`freshness.${freshness}`)
}
