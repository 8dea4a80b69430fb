// Whatever a board has, it fills the glass.
import { expect, test } from 'vitest'
import type { Place, WidgetView } from '../generated/frame'
import { type Extent, growth, page_layout } from './layout'

function board(...places: Place[]): { columns: number; rows: number; widgets: WidgetView[] } {
  const widgets = places.map((place, at) => ({
    id: String(at),
    title: '',
    note: null,
    source: '',
    place,
    look: { kind: 'status' as const },
  }))
  return { columns: 12, rows: 8, widgets }
}

function extent(made: ReturnType<typeof board>): Extent {
  return page_layout(made, 0).extent
}

test('a board of one counter is a screen full of it', () => {
  const place = { column: 1, row: 1, width: 3, height: 2 }
  expect(extent(board(place))).toEqual({ columns: 3, rows: 2 })
  expect(growth(place, extent(board(place)), 1)).toBe(2)
})

test('what is used to the last row and column stays as the file says', () => {
  const [left, right] = [
    { column: 1, row: 1, width: 5, height: 8 },
    { column: 6, row: 1, width: 7, height: 4 },
  ]
  expect(extent(board(left, right))).toEqual({ columns: 12, rows: 8 })
  expect(growth(left, { columns: 12, rows: 8 }, 9)).toBe(1)
  expect(growth(right, { columns: 12, rows: 8 }, 9)).toBe(1)
})

test('two panels that share the glass have larger text than two of many', () => {
  const half = { column: 1, row: 1, width: 6, height: 8 }
  expect(growth(half, { columns: 12, rows: 8 }, 2)).toBeGreaterThan(1.5)
  expect(growth(half, { columns: 12, rows: 8 }, 9)).toBe(1)
})

test('a board without widgets has its grid', () => {
  expect(extent(board())).toEqual({ columns: 12, rows: 8 })
})
