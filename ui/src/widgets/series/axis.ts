/** Where things stand along a chart's edges: the window, the ticks of time, and the labels at the lines' ends. */
import { time_step_ms } from '../../core/scale'
import { label_width_em } from '../../core/width'
import { numerals_now } from '../../words/numerals'
import { say } from '../../words/say'

export interface Window {
  readonly from_ms: number
  readonly to_ms: number
}

/**
 * What a chart shows: the last `keep_ms`. Bars go on to the end of the bucket that is filling, for its bars stand side by side in
 * all of its width.
 */
export function bar_window(look: { draw: string; keep_ms: number; bucket_ms: number }, now_ms: number): Window {
  const to_ms = look.draw === 'bars' ? Math.ceil(now_ms / look.bucket_ms) * look.bucket_ms : now_ms
  return { from_ms: to_ms - look.keep_ms, to_ms }
}

/** Room that a tick's text has, with the gap to its neighbour, in ems. */
const MINUTES_EM = 3.4
const SECONDS_EM = 5
/** Beside a plot there is always some room, and beyond that an axis. */
const LEFT_EM = 0.2
/** Half of the text itself. */
const HALF_MINUTES_EM = 1.15
const HALF_SECONDS_EM = 1.85
const MINUTE_MS = 60_000

/**
 * Ticks of a window that is so wide: none twice, for on short spans they have seconds, and none whose text would reach beyond the
 * plot, where the other axis and the labels stand: at the right by `right_em` at most. `offset_ms` is the zone's.
 */
export function time_ticks(
  from_ms: number,
  to_ms: number,
  width_em: number,
  offset_ms: number,
  right_em = LEFT_EM,
): { readonly ticks_ms: number[]; readonly with_seconds: boolean } {
  const length_ms = to_ms - from_ms
  // ` PM`, where a day has twice twelve hours.
  const more_em = Math.max(0, ...numerals_now().halves.map(label_width_em))
  const count = (text_em: number): number => Math.max(1, Math.floor(width_em / (text_em + more_em)))
  let step = time_step_ms(length_ms, count(MINUTES_EM))
  if (step < MINUTE_MS) step = time_step_ms(length_ms, count(SECONDS_EM))
  const with_seconds = step < MINUTE_MS
  const half_em = (with_seconds ? HALF_SECONDS_EM : HALF_MINUTES_EM) + more_em / 2
  const em_ms = length_ms / Math.max(1, width_em)
  const first_ms = from_ms + (half_em - LEFT_EM) * em_ms
  const last_ms = to_ms - (half_em - right_em) * em_ms
  const ticks_ms: number[] = []
  for (let at = Math.ceil((first_ms + offset_ms) / step) * step - offset_ms; at <= last_ms; at += step)
    ticks_ms.push(at)
  return { ticks_ms, with_seconds }
}

/** A label, and the line that it stands for: none for the count of those that have no room. */
export interface EndLabel {
  readonly at: number | null
  readonly text: string
  /** How many it counts, if it does. */
  readonly count?: number
  y: number
}

/** As many of the labels, sorted from the top, as have room; the others are counted. */
export function fitting_ends(ends: readonly EndLabel[], room: number): EndLabel[] {
  if (ends.length <= room) return [...ends]
  const kept = ends.slice(0, Math.max(0, room - 1))
  const next = ends[kept.length]
  if (next === undefined || room < 1) return kept
  const count = ends.length - kept.length
  return [...kept, { at: null, text: say('more', { count }), count, y: next.y }]
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
