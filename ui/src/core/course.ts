/** Alarms of each ten minutes: their course as columns that have room, and how often how many came. */
import { at_local, type Offset } from './moments'

/** More than so many within ten minutes are more than a person can take. */
export const PERIOD_MAX = 10
export const PERIOD_MS = 600_000

const ROUND = [1, 2, 3, 6, 12, 18, 36, 72, 144]

/** The course in at most so many columns, each with the most of its periods: no flood is levelled out. */
export function columns(
  each: readonly number[],
  count_max: number,
): { readonly most: readonly number[]; readonly of: number } {
  const least = each.length / Math.max(1, count_max)
  // Half an hour, hours and days are easier to think of than what just has room.
  const of = ROUND.find((periods) => periods >= least) ?? Math.ceil(least)
  const most = Array.from({ length: Math.ceil(each.length / of) }, (_, at) =>
    each.slice(at * of, (at + 1) * of).reduce((highest, count) => Math.max(highest, count), 0),
  )
  return { most, of }
}

/** Where a scale ends that has room for so much and for the limit: 12, 15, 20, 30, 40, 50, 60, 80, 100, … */
export function scale_end(most: number): number {
  if (most <= 12) return 12
  const ten = 10 ** Math.floor(Math.log10(most))
  return ([1, 1.5, 2, 3, 4, 5, 6, 8].find((step) => step * ten >= most) ?? 10) * ten
}

export interface Bin {
  readonly from: number
  /** None of the last, which has no end. */
  readonly to: number | null
  readonly periods: number
}

const EDGES = [0, 1, 2, 3, 6, PERIOD_MAX + 1]

/** How many periods had so many alarms, of how many had 0, 1 and so on; the last of these has no end. */
export function distribution(spread: readonly number[]): Bin[] {
  return EDGES.map((from, at) => {
    const next = EDGES[at + 1]
    const periods = spread.slice(from, next).reduce((sum, count) => sum + count, 0)
    return { from, to: next === undefined ? null : next - 1, periods }
  })
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const STEPS = [
  ...[PERIOD_MS, 3 * PERIOD_MS, HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS],
  ...[1, 2, 5, 10, 15, 30, 100].map((days) => days * DAY_MS),
]

/** Round times of a zone within a stretch, at most so many, each with its share of the way; and whether they are days. */
export function time_ticks(
  from_ms: number,
  to_ms: number,
  offset: Offset,
  count_max: number,
): { readonly days: boolean; readonly ticks: readonly { readonly at_ms: number; readonly share: number }[] } {
  const length_ms = to_ms - from_ms
  if (!(length_ms > 0) || count_max < 1) return { days: false, ticks: [] }
  const step_ms = STEPS.find((step) => length_ms / step <= count_max) ?? length_ms
  const first = Math.ceil((from_ms + offset(from_ms)) / step_ms)
  const ticks = Array.from({ length: Math.floor(length_ms / step_ms) + 2 }, (_, at) => {
    const at_ms = at_local((first + at) * step_ms, offset)
    return { at_ms, share: (at_ms - from_ms) / length_ms }
  })
  return { days: step_ms >= DAY_MS, ticks: ticks.filter(({ share }) => share >= 0 && share <= 1) }
}
