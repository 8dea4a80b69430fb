/** Where a marker was, as the page holds and draws it. The backend keeps one position in each step of time, the newest of it. */
import type { TrailLook } from '../generated/frame'

/** The source's time, milliseconds, and degrees north and east; null where it said that it had no position. */
export type TrailPoint = [number, [number, number] | null]

/** Steps of a trail. */
const STEPS = 40
/** How many shades a trail has, from the newest to the oldest. */
export const TRAIL_SHADES = 4
/** Without a position for longer than this part of a trail nobody knows which way it went. */
const UNKNOWN_PART = 0.25

/** The trail after a change: each point takes the place of that of its step, and what is {@link STEPS} steps before the newest goes. */
export function merged_trail(look: TrailLook, held: TrailPoint[], change: TrailPoint[]): TrailPoint[] {
  if (change.length === 0) return held
  const step = ([at]: TrailPoint): number => Math.floor(at / look.step_ms)
  const by_step = new Map([...held, ...change].map((point) => [step(point), point]))
  const oldest = Math.max(...by_step.keys()) - STEPS
  return [...by_step.entries()]
    .filter(([at]) => at > oldest)
    .sort((a, b) => a[0] - b[0])
    .map(([, point]) => point)
}

/** A piece of the way between two positions that follow each other. */
export interface Piece {
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
  /** 0 for the newest. */
  readonly shade: number
  /** Whether it is known that it went about so. */
  readonly known: boolean
}

/**
 * The way along a trail, oldest first. `now_ms` is the source's time, `gaps` the stretches for which nobody can say anything. Where it had no
 * position there is no piece; nor across the 180th meridian, which would run around the earth.
 */
export function pieces(
  look: TrailLook,
  trail: readonly TrailPoint[],
  gaps: readonly (readonly [number, number])[],
  now_ms: number,
): Piece[] {
  const all: Piece[] = []
  for (let at = 1; at < trail.length; at += 1) {
    const [from_ms, from] = trail[at - 1] ?? [0, null]
    const [to_ms, to] = trail[at] ?? [0, null]
    if (from === null || to === null || to_ms <= now_ms - look.keep_ms || Math.abs(from[1] - to[1]) > 180) continue
    const age = Math.min(1, Math.max(0, (now_ms - to_ms) / look.keep_ms))
    const known =
      to_ms - from_ms <= look.keep_ms * UNKNOWN_PART && !gaps.some(([begin, end]) => begin < to_ms && from_ms < end)
    all.push({ from, to, shade: Math.min(TRAIL_SHADES - 1, Math.floor(age * TRAIL_SHADES)), known })
  }
  return all
}
