/** Which panel an arrow key leads to from another. */
import type { Place } from '../generated/frame'

export type Way = 'left' | 'right' | 'up' | 'down'

/** Being out of line counts so many times as much as being far. */
const ASIDE = 3

/** A place as it is seen from one that looks along its own way: where it begins and ends on it, and across. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly side_from: number
  readonly side_to: number
}

function seen(place: Place, way: Way): Stretch {
  const across = { from: place.column, to: place.column + place.width }
  const down = { from: place.row, to: place.row + place.height }
  const [along, side] = way === 'left' || way === 'right' ? [across, down] : [down, across]
  const [side_from, side_to] = [side.from, side.to]
  // Looked at from behind, what lies before comes after.
  if (way === 'left' || way === 'up') return { from: -along.to, to: -along.from, side_from, side_to }
  return { ...along, side_from, side_to }
}

/** The nearest of those that lie wholly in that direction, in line before out of line; null if there is none. */
export function beside(places: readonly Place[], from: number, way: Way): number | null {
  const own = places[from]
  if (own === undefined) return null
  const here = seen(own, way)
  const middle = (one: Stretch): number => (one.side_from + one.side_to) / 2
  let best: number | null = null
  let least = Infinity
  places.forEach((place, at) => {
    const there = seen(place, way)
    if (at === from || there.from < here.to) return
    const aside = Math.max(0, there.side_from - here.side_to + 1, here.side_from - there.side_to + 1)
    // Of those that are as near, the one that is least off.
    const cost = there.from - here.to + ASIDE * aside + Math.abs(middle(there) - middle(here)) / 100
    if (cost >= least) return
    least = cost
    best = at
  })
  return best
}

/** The places in the order in which they are read. */
export function reading_order(places: readonly Place[]): number[] {
  return places
    .map((place, at) => ({ place, at }))
    .sort((a, b) => a.place.row - b.place.row || a.place.column - b.place.column)
    .map(({ at }) => at)
}
