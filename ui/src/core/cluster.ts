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
  return gather(spots, radius, () => true)
}

/**
 * Joins groups of `spots` until no circle of a group lies within `reach` of another's middle: a circle is larger than a
 * marker, and half of a count can't be read.
 */
export function apart(groups: readonly number[][], spots: readonly Spot[], reach: number): number[][] {
  let joined = groups.map((group) => [...group])
  for (;;) {
    const before = joined
    const middles = before.map((group) => middle(group, spots))
    const circles = gather(middles, reach, (index) => (before[index]?.length ?? 0) > 1)
    joined = circles.map((parts) => parts.flatMap((part) => before[part] ?? []).sort((a, b) => a - b))
    // Each round leaves fewer, so this ends.
    if (joined.length === before.length) return joined
  }
}

function middle(group: readonly number[], spots: readonly Spot[]): Spot {
  const sum = { x: 0, y: 0 }
  for (const index of group) {
    sum.x += spots[index]?.x ?? 0
    sum.y += spots[index]?.y ?? 0
  }
  const count = Math.max(1, group.length)
  return { x: sum.x / count, y: sum.y / count }
}

/** Each seed takes what is free within `radius` of it; what no seed took stays alone. */
function gather(spots: readonly Spot[], radius: number, is_seed: (index: number) => boolean): number[][] {
  const cell = Math.max(radius, 1e-6)
  const cells = new Map<string, number[]>()
  const name = (column: number, row: number): string => `${String(column)},${String(row)}`
  spots.forEach((spot, index) => {
    const at = name(Math.floor(spot.x / cell), Math.floor(spot.y / cell))
    const there = cells.get(at)
    if (there === undefined) cells.set(at, [index])
    else there.push(index)
  })
  const taken = new Uint8Array(spots.length)
  const groups: number[][] = []
  spots.forEach((seed, first) => {
    if (taken[first] === 1 || !is_seed(first)) return
    const group: number[] = []
    const column = Math.floor(seed.x / cell)
    const row = Math.floor(seed.y / cell)
    for (let dc = -1; dc <= 1; dc += 1) {
      for (let dr = -1; dr <= 1; dr += 1) {
        for (const index of cells.get(name(column + dc, row + dr)) ?? []) {
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
  spots.forEach((_, index) => {
    if (taken[index] === 0) groups.push([index])
  })
  return groups
}
