// The same board on glasses of other shapes: everything stands somewhere, nothing over another, in its order.
import { expect, test } from 'vitest'
import type { Place } from '../generated/frame'
import { arrange as arrange_page } from './arrange'
import type { Extent } from './layout'
import { dice } from './dice.test-support'

function arrange(places: readonly Place[], extent: Extent, ratio: number): { places: Place[]; extent: Extent } {
  const layout = { extent, places: new Map(places.map((one, at) => [String(at), one])) }
  const arranged = arrange_page(layout, ratio)
  expect([...arranged.places.keys()]).toEqual([...layout.places.keys()])
  return { places: [...arranged.places.values()], extent: arranged.extent }
}

const place = (column: number, row: number, width: number, height: number): Place => ({ column, row, width, height })
const GRID = { columns: 12, rows: 8 }
/** 9:16 with a head line, and 32:9. */
const UPRIGHT = 0.57
const WIDE = 3.9

/** Four numbers over a large table and two charts. */
const WALL = [
  place(1, 1, 3, 2),
  place(4, 1, 3, 2),
  place(7, 1, 3, 2),
  place(10, 1, 3, 2),
  place(1, 3, 6, 6),
  place(7, 3, 6, 3),
  place(7, 6, 6, 3),
]

function lines(places: readonly Place[]): number[] {
  const rows = [...new Set(places.map(({ row }) => row))].sort((a, b) => a - b)
  return rows.map((row) => places.filter((one) => one.row === row).length)
}

test('on what it was made for, and on what is nearly that, a board is left alone', () => {
  for (const ratio of [1.3, 1.6, 1.95, 2.6]) expect(arrange(WALL, GRID, ratio).places).toEqual(WALL)
})

test('upright, four numbers are two by two, and what stood side by side stands under each other', () => {
  const { places } = arrange(WALL, GRID, UPRIGHT)
  expect(lines(places.slice(0, 4))).toEqual([2, 2])
  expect(lines(places.slice(4))).toEqual([1, 1, 1])
  for (const one of places.slice(4)) expect(one.width).toBe(10_000)
})

test('twice as wide, the numbers stand at the left of what was below them', () => {
  const { places } = arrange(WALL, GRID, WIDE)
  const numbers = places.slice(0, 4)
  for (const one of places.slice(4)) {
    for (const number of numbers) expect(number.column + number.width).toBeLessThanOrEqual(one.column)
  }
})

test('equal tiles make an even grid again', () => {
  const tiles = Array.from({ length: 12 }, (_, at) => place((at % 6) * 2 + 1, Math.floor(at / 6) * 4 + 1, 2, 4))
  expect(lines(arrange(tiles, GRID, UPRIGHT).places)).toEqual([3, 3, 3, 3])
})

test('what can not be taken apart keeps its form', () => {
  const knot = [place(1, 1, 8, 4), place(9, 1, 4, 6), place(5, 7, 8, 2), place(1, 5, 4, 4), place(5, 5, 4, 2)]
  expect(arrange(knot, GRID, UPRIGHT).places.map(({ column }) => column)).toEqual([1, 6668, 3334, 1, 3334])
})

/** Cuts a rectangle at random, now and then leaving a hole. */
function random_board(random: (sides: number) => number): Place[] {
  const cut = (one: Place, level: number): Place[] => {
    const across = random(2) === 0
    const size = across ? one.width : one.height
    if (level === 0 || size < 2 || random(100) < 15) return random(10) === 0 ? [] : [one]
    const at = 1 + random(size - 1)
    const [first, second] = across
      ? [
          { ...one, width: at },
          { ...one, column: one.column + at, width: one.width - at },
        ]
      : [
          { ...one, height: at },
          { ...one, row: one.row + at, height: one.height - at },
        ]
    return [...cut(first, level - 1), ...cut(second, level - 1)]
  }
  return cut(place(1, 1, 12, 8), 6)
}

test('whatever the board: all stands inside, nothing over another, and nothing vanishes', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = dice(seed)
    const board = random_board(random)
    const { places, extent } = arrange(board, GRID, (3 + random(60)) / 10)
    expect(places.length).toBe(board.length)
    places.forEach((one, at) => {
      expect(one.width > 0 && one.height > 0, `seed ${String(seed)}`).toBe(true)
      expect(one.column >= 1 && one.column + one.width - 1 <= extent.columns).toBe(true)
      expect(one.row >= 1 && one.row + one.height - 1 <= extent.rows).toBe(true)
      for (const other of places.slice(at + 1)) {
        const apart =
          one.column + one.width <= other.column ||
          other.column + other.width <= one.column ||
          one.row + one.height <= other.row ||
          other.row + other.height <= one.row
        expect(apart, `seed ${String(seed)}: ${JSON.stringify([one, other])}`).toBe(true)
      }
    })
  }
})

test('a board of sixty-four panels is arranged between two frames', () => {
  const many = Array.from({ length: 64 }, (_, at) => place((at % 8) + 1, Math.floor(at / 8) + 1, 1, 1))
  const begin = performance.now()
  arrange(many, { columns: 8, rows: 8 }, UPRIGHT)
  expect(performance.now() - begin).toBeLessThan(1_000)
})
