/** Markers that would lie upon each other at this scale are drawn as one, with their count. */

export interface Spot {
  readonly x: number
  readonly y: number
}

/**
 * Groups indices of spots that lie within `radius` of the group's first one. Every spot is in exactly one group; order
 * decides who comes first, so the same spots in the same order give the same groups.
 */
export function clusters(spots: readonly Spot[], radius: number): number[][] {
  const cell = Math.max(radius, 1e-6)
  const free = new Map<string, number[]>()
  const name = (column: number, row: number): string => `${String(column)},${String(row)}`
  spots.forEach((spot, index) => {
    const at = name(Math.floor(spot.x / cell), Math.floor(spot.y / cell))
    const there = free.get(at)
    if (there === undefined) free.set(at, [index])
    else there.push(index)
  })
  const taken = new Uint8Array(spots.length)
  const groups: number[][] = []
  spots.forEach((seed, first) => {
    if (taken[first] === 1) return
    const group: number[] = []
    const column = Math.floor(seed.x / cell)
    const row = Math.floor(seed.y / cell)
    for (let dc = -1; dc <= 1; dc += 1) {
      for (let dr = -1; dr <= 1; dr += 1) {
        for (const index of free.get(name(column + dc, row + dr)) ?? []) {
          const spot = spots[index]
          if (spot === undefined || taken[index] === 1) continue
          if (Math.hypot(spot.x - seed.x, spot.y - seed.y) > radius) continue
          taken[index] = 1
          group.push(index)
        }
      }
    }
    groups.push(group.sort((a, b) => a - b))
  })
  return groups
}
