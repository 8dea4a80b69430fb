/** Finds a place for labels so that none lies upon another. */

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/** Directions tried in turn: beside first, then the corners, then above and below. */
const DIRECTIONS: readonly (readonly [number, number])[] = [
  [1, 0],
  [-1, 0],
  [1, -1],
  [1, 1],
  [-1, 1],
  [-1, -1],
  [0, -1],
  [0, 1],
]

/**
 * A box of the given size near a point, inside the area and clear of what is taken; null if there is none. `reaches`
 * are the distances to try, nearest first; `away` is a direction to prefer.
 */
export function place_label(
  point: { readonly x: number; readonly y: number },
  size: { readonly width: number; readonly height: number },
  reaches: readonly number[],
  area: Box,
  taken: readonly Box[],
  away: { readonly x: number; readonly y: number } = { x: 0, y: 0 },
): Box | null {
  // A stable sort: without a preference the order stays.
  const along = ([dx, dy]: readonly [number, number]): number => (dx * away.x + dy * away.y) / Math.hypot(dx, dy)
  const directions = [...DIRECTIONS].sort((a, b) => along(b) - along(a))
  for (const reach of reaches) {
    for (const [dx, dy] of directions) {
      const step = dx !== 0 && dy !== 0 ? reach * 0.75 : reach
      const box = {
        x: point.x + dx * step + (dx > 0 ? 0 : dx < 0 ? -size.width : -size.width / 2),
        y: point.y + dy * step + (dy > 0 ? 0 : dy < 0 ? -size.height : -size.height / 2),
        ...size,
      }
      const inside =
        box.x >= area.x &&
        box.y >= area.y &&
        box.x + box.width <= area.x + area.width &&
        box.y + box.height <= area.y + area.height
      if (inside && !taken.some((other) => overlaps(box, other))) return box
    }
  }
  return null
}
