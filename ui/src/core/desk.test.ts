import { describe, expect, it } from 'vitest'
import type { ColumnLook, Detail, RowValue } from '../generated/frame'
import { copied_text, match_words, next_sort, offset_for, type Spot, spot_beside } from './desk'
import { Zone } from './format'

const spot = (key: string, left: number, top: number): Spot => ({ key, left, top, width: 10, height: 10 })

describe('what is beside', () => {
  const grid = [spot('a', 0, 0), spot('b', 12, 0), spot('c', 24, 0), spot('d', 0, 12), spot('e', 12, 12)]
  it('is the nearest in that direction, in the same line where there is one', () => {
    expect(spot_beside(grid, 'a', 'right')).toBe('b')
    expect(spot_beside(grid, 'b', 'down')).toBe('e')
    expect(spot_beside(grid, 'c', 'down')).toBe('e')
    expect(spot_beside(grid, 'e', 'up')).toBe('b')
    expect(spot_beside(grid, 'e', 'left')).toBe('d')
  })
  it('is nothing beyond the last one', () => {
    expect(spot_beside(grid, 'c', 'right')).toBeNull()
    expect(spot_beside(grid, 'a', 'up')).toBeNull()
    expect(spot_beside(grid, 'none', 'up')).toBeNull()
  })
})

describe('an order by a column', () => {
  it('turns, and ends with the table’s own', () => {
    const up = next_sort(null, 2)
    const down = next_sort(up, 2)
    expect([up, down, next_sort(down, 2)]).toEqual([
      { column: 2, descending: false },
      { column: 2, descending: true },
      null,
    ])
    expect(next_sort(down, 1)).toEqual({ column: 1, descending: false })
  })
})

describe('the part that is shown', () => {
  it('moves no further than it must, and not beyond the ends', () => {
    expect(offset_for(5, 0, 10, 100)).toBe(0)
    expect(offset_for(10, 0, 10, 100)).toBe(1)
    expect(offset_for(3, 8, 10, 100)).toBe(3)
    expect(offset_for(99, 0, 10, 100)).toBe(90)
    expect(offset_for(2, 0, 10, 3)).toBe(0)
  })
})

describe('what is copied', () => {
  const column = (title: string, format: string): ColumnLook => ({ title, format, decimals: 0, width: 1 })
  const columns = [column('What', 'text'), column('Came', 'time'), column('Load', 'number'), column('Age', 'ago')]
  const row: RowValue = {
    key: 'C-1',
    cells: [{ is: 'text', as: 'a\tb\nc' }, { is: 'time', as: 0 }, { is: 'number', as: 12345.678 }, { is: 'null' }],
    state: 'alarm',
  }
  it('is a line of cells under their names, as they are and not as they are drawn', () => {
    expect(copied_text(row, columns, null, new Zone('UTC'), 0)).toBe(
      'key\tWhat\tCame\tLoad\tAge\tstate\nC-1\ta b c\t1970-01-01T00:00:00.000Z\t12345.678\t\talarm',
    )
  })
  it('is the event where there is no row', () => {
    const detail = { event: { text: '{}' } } as Detail
    expect(copied_text(null, [], detail, new Zone('UTC'), 0)).toBe('{}')
    expect(copied_text(null, [], null, new Zone('UTC'), 0)).toBe('')
  })
})

it('says how many rows match', () => {
  expect(match_words({ matched: 12, total: 340, at_least: false })).toBe('12 of 340 match')
  expect(match_words({ matched: 0, total: 100_000, at_least: true })).toBe('0 of 100\u2009000 or more match')
})
