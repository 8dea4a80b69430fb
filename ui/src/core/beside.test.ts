// An arrow key leads to what one sees there, and by arrow keys one comes to every panel.
import { expect, test } from 'vitest'
import type { Place } from '../generated/frame'
import { beside, reading_order, type Way } from './beside'
import { dice } from './dice.test-support'

const place = (column: number, row: number, width: number, height: number): Place => ({ column, row, width, height })
/** A wide one above three, the last of them over two rows, and one below the first two. */
const BOARD = [place(1, 1, 12, 2), place(1, 3, 4, 2), place(5, 3, 4, 2), place(9, 3, 4, 4), place(1, 5, 8, 2)]

test.each([
  [0, 'down', 2],
  [1, 'right', 2],
  [2, 'right', 3],
  [3, 'left', 2],
  [3, 'right', null],
  [1, 'down', 4],
  [4, 'up', 1],
  [4, 'right', 3],
  [0, 'up', null],
] as const)('from %d %s to %s', (from, way, to) => {
  expect(beside(BOARD, from, way)).toBe(to)
})

test('they are read from the top left', () => {
  expect(reading_order([BOARD[4], BOARD[3], BOARD[0], BOARD[1]].filter((one) => one !== undefined))).toEqual([
    2, 3, 1, 0,
  ])
})

/** A board cut into panels, along a row or a column each time. */
function cut(area: Place, die: (sides: number) => number, deep: number): Place[] {
  const [wide, high] = [area.width > 1, area.height > 1]
  if (deep === 0 || (!wide && !high) || die(5) === 0) return [area]
  if (wide && (!high || die(2) === 0)) {
    const at = 1 + die(area.width - 1)
    return [
      ...cut({ ...area, width: at }, die, deep - 1),
      ...cut({ ...area, column: area.column + at, width: area.width - at }, die, deep - 1),
    ]
  }
  const at = 1 + die(area.height - 1)
  return [
    ...cut({ ...area, height: at }, die, deep - 1),
    ...cut({ ...area, row: area.row + at, height: area.height - at }, die, deep - 1),
  ]
}

test('what a key leads to lies wholly in its direction, and it leads nowhere only where nothing lies', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const places = cut(place(1, 1, 12, 8), dice(seed), 5)
    const lies: Record<Way, (a: Place, b: Place) => boolean> = {
      left: (a, b) => b.column + b.width <= a.column,
      right: (a, b) => a.column + a.width <= b.column,
      up: (a, b) => b.row + b.height <= a.row,
      down: (a, b) => a.row + a.height <= b.row,
    }
    places.forEach((own, from) => {
      for (const way of ['left', 'right', 'up', 'down'] as const) {
        const to = beside(places, from, way)
        const any = places.some((other) => lies[way](own, other))
        expect(to !== null, `${String(seed)}: ${String(from)} ${way}`).toBe(any)
        if (to !== null) expect(lies[way](own, places[to] as Place)).toBe(true)
      }
    })
  }
})
