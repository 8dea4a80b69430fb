/**
 * Against burn-in: the whole wall stands a little elsewhere every few minutes, by so little and so seldom that nobody sees it move. An edge
 * that stands for months on the same pixels wears them; two pixels to each side share that out.
 */

/** How far to each side. The wall's edges have this much room. */
export const SHIFT_PX = 2
/** How long it stands at one place. */
export const SHIFT_MS = 180_000

export interface Shift {
  readonly x: number
  readonly y: number
}

/** All places, each beside the one before: to and fro from row to row. */
const WAY: readonly Shift[] = (() => {
  const side = 2 * SHIFT_PX + 1
  return Array.from({ length: side * side }, (_, at) => {
    const row = Math.floor(at / side)
    const column = row % 2 === 0 ? at % side : side - 1 - (at % side)
    return { x: column - SHIFT_PX, y: row - SHIFT_PX }
  })
})()

/** Where the wall stands at this instant of the backend's clock: after an hour and a quarter it goes the same way back. */
export function shift_at(wall_ms: number): Shift {
  const round = 2 * (WAY.length - 1)
  const step = Math.floor(wall_ms / SHIFT_MS)
  const at = ((step % round) + round) % round
  return WAY[at < WAY.length ? at : round - at] ?? { x: 0, y: 0 }
}
