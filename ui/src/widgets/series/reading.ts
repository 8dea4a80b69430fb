/** What a hand finds in a chart: the values at an instant, and the stretch of time that it looks at. */
import { is_whole, type Known } from '../../core/buckets'
import { DASHES, type Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import { axes_of, axis_of, value_text } from './axes'
import type { Window } from './axis'
import type { SeriesLook } from './input'
import { say } from '../../words/say'

/** A line's value there. */
export interface LineReading {
  /** Which line. */
  readonly at: number
  readonly key: string
  /** As it is written; dashes where nobody knows. */
  readonly said: string
  /** Where it stands; null if it has none. */
  readonly value: number | null
}

export interface Reading {
  /** The bucket that the values are of. */
  readonly start_ms: number
  /** Where that stands along the line of time: a line's value at its bucket's end, a bar's in its middle. */
  readonly at_ms: number
  /** From when to when. */
  readonly when: string
  /** The highest first, as the lines lie above each other; what isn't known last. */
  readonly lines: readonly LineReading[]
}

/** The bucket whose value stands nearest to an instant. */
export function bucket_at(look: SeriesLook, at_ms: number): number {
  const { bucket_ms } = look
  return look.draw === 'bars'
    ? Math.floor(at_ms / bucket_ms) * bucket_ms
    : Math.round(at_ms / bucket_ms - 1) * bucket_ms
}

/** From when to when, with seconds where it has some. */
export function interval_words(zone: Zone, start_ms: number, end_ms: number, now_ms: number): string {
  return (end_ms - start_ms) % 60_000 === 0
    ? `${zone.moment(start_ms, now_ms)}–${zone.time(end_ms)}`
    : `${zone.instant(start_ms, now_ms)}–${zone.exact(end_ms)}`
}

/** What the bucket that begins at `start_ms` has. */
export function reading(
  series: HeldSeries,
  look: SeriesLook,
  known: Known,
  zone: Zone,
  start_ms: number,
  now_ms: number,
): Reading {
  const end_ms = start_ms + look.bucket_ms
  const whole = is_whole(start_ms, known)
  const axes = axes_of(look)
  const lines = series.lines.map(({ key, points }, at): LineReading => {
    const value = points.find(([time]) => time === start_ms)?.[1] ?? null
    // A bar that isn't whole is hollow, and what it has so far is no value of its bucket; a line has no point there.
    const shown = whole || axis_of(look, axes, key).draw === 'bars' ? value : null
    const axis = axis_of(look, axes, key)
    const said = shown === null ? DASHES : so_far(value_text(axis, shown, axes.length > 1), whole)
    return { at, key, said, value: shown }
  })
  return {
    start_ms,
    at_ms: look.draw === 'bars' ? start_ms + look.bucket_ms / 2 : end_ms,
    when: interval_words(zone, start_ms, end_ms, now_ms),
    lines: lines.sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity)),
  }
}

/** The least that is looked at, in buckets: fewer are no way. */
const BUCKETS_MIN = 4

/** The stretch between two instants, within all that there is, and not too short; null if that is all of it. */
export function stretch(all: Window, bucket_ms: number, one_ms: number, other_ms: number): Window | null {
  const wanted = Math.abs(other_ms - one_ms)
  const length = Math.max(wanted, BUCKETS_MIN * bucket_ms)
  if (length >= all.to_ms - all.from_ms) return null
  const middle = (one_ms + other_ms) / 2
  const from_ms = Math.min(Math.max(all.from_ms, middle - length / 2), all.to_ms - length)
  return { from_ms, to_ms: from_ms + length }
}

/** Half of the time or twice as much of it, with an instant staying where it stands; null if that is all. */
export function closer(all: Window, now: Window, bucket_ms: number, at_ms: number, factor: number): Window | null {
  return stretch(all, bucket_ms, at_ms - (at_ms - now.from_ms) * factor, at_ms + (now.to_ms - at_ms) * factor)
}

/** What stands above a chart that doesn't show all of its time, nor now. */
export function stretch_words({ from_ms, to_ms }: Window, zone: Zone, now_ms: number): string {
  return say('chart.only', { stretch: zone.stretch(from_ms, to_ms, now_ms) })
}

function so_far(value: string, whole: boolean): string {
  return whole ? value : say('chart.so-far', { value })
}
