/** A links' history as a wall of some weeks has it. */
import type { Outage } from '../generated/frame'

const MINUTE_MS = 60_000

export function outages(board_ms: number): Outage[] {
  const now = Date.now()
  const one = (ago_min: number, lasted_s: number | null, more: Partial<Outage>): Outage => ({
    source: 'ops',
    began_ms: now - ago_min * MINUTE_MS,
    ended_ms: lasted_s === null ? null : now - ago_min * MINUTE_MS + lasted_s * 1000,
    source_began_ms: board_ms - ago_min * MINUTE_MS,
    source_ended_ms: lasted_s === null ? null : board_ms - ago_min * MINUTE_MS + lasted_s * 1000,
    cause: 'connection reset',
    became: 'proven',
    missed: 34,
    ...more,
  })
  return [
    one(3, 28, {}),
    one(95, 1_800, { cause: 'nothing heard for 5 s', became: 'unknown', missed: null }),
    one(600, 61, { cause: 'server goes away (1001): restart', became: 'snapshot', missed: 1_207 }),
    one(1_700, 3, { became: null, missed: null }),
    one(2_900, 7_260, { cause: 'the wall was not running', became: 'snapshot', missed: null }),
    ...Array.from({ length: 20 }, (_, at) => one(4_000 + at * 1_440, 2, { missed: 1 })),
  ]
}
