/** Looking back: where things are on the record's time line, and where a hand goes from an instant. No state, no clock. */
import type { PastMarks, PastView } from '../generated/frame'

/** Paces of playing, record seconds a second. */
export const PACES = [1, 10, 60, 600] as const

/** The least share of the time line that a stretch takes, so that a short one is seen. */
const SHARE_MIN = 0.002

/** A stretch as shares of the time line, 0 to 1. */
export interface Stretch {
  readonly from: number
  readonly width: number
}

type Range = Pick<PastView, 'first_ms' | 'last_ms'>

/** Where an instant is, 0 to 1. */
export function share({ first_ms, last_ms }: Range, at_ms: number): number {
  if (last_ms <= first_ms) return 1
  return Math.min(1, Math.max(0, (at_ms - first_ms) / (last_ms - first_ms)))
}

/** The instant at a share of the time line. */
export function instant_at({ first_ms, last_ms }: Range, at: number): number {
  return Math.round(first_ms + Math.min(1, Math.max(0, at)) * (last_ms - first_ms))
}

/** Stretches as they are drawn. */
export function stretches(range: Range, list: readonly (readonly [number, number])[]): readonly Stretch[] {
  return list.map(([from_ms, to_ms]) => {
    const width = Math.max(SHARE_MIN, share(range, to_ms) - share(range, from_ms))
    return { from: Math.min(share(range, from_ms), 1 - width), width }
  })
}

/** The beginning of the next loss after an instant, or of the one before it; null if there is none. */
export function loss_from(marks: PastMarks, at_ms: number, direction: 1 | -1): number | null {
  // A loss that one stands at the beginning of is neither.
  const begins = marks.losses.map(([from_ms]) => from_ms)
  const found =
    direction === 1
      ? begins.filter((from_ms) => from_ms > at_ms + LEAD_MS)
      : begins.filter((from_ms) => from_ms < at_ms)
  if (found.length === 0) return null
  // A little before, to see it come.
  return (direction === 1 ? Math.min(...found) : Math.max(...found)) - LEAD_MS
}

/** Who goes to a loss sees so much of what was before it. */
export const LEAD_MS = 2_000

/** The pace one step faster or slower, in the direction that it has. */
export function pace_from(speed: number, by: 1 | -1): number {
  const pace = Math.abs(speed)
  const next = by === 1 ? PACES.find((one) => one > pace) : PACES.findLast((one) => one < pace)
  return (next ?? pace) * Math.sign(speed)
}
