import { describe, expect, it } from 'vitest'
import type { State, TileValue } from '../../generated/frame'
import { cell_key, grid_of, laid_out, word_of } from './matrix'

const tile = (row: string, column: string, state: State = 'normal', text = 'up'): TileValue => ({
  key: cell_key(row, column),
  label: '',
  text,
  state,
  detail: null,
  since_ms: 0,
})

describe('a grid', () => {
  it('has each row and column once, with the worst of its cells', () => {
    const grid = grid_of([tile('api', 'eu'), tile('api', 'us · east', 'alarm'), tile('db', 'eu', 'warning')])
    expect(grid.rows).toEqual([
      { name: 'api', worst: 'alarm' },
      { name: 'db', worst: 'warning' },
    ])
    expect(grid.columns).toEqual([
      { name: 'eu', worst: 'warning' },
      { name: 'us · east', worst: 'alarm' },
    ])
    expect(grid.cells.get(cell_key('db', 'us · east'))).toBe(undefined)
  })

  it('says what has no room, and never leaves the worst out', () => {
    const tiles = Array.from({ length: 400 }, (_, one) =>
      tile(`service ${String(Math.floor(one / 20))}`, `region ${String(one % 20)}`, one === 399 ? 'alarm' : 'normal'),
    )
    const laid = laid_out(grid_of(tiles), { width: 80, height: 24 })
    expect(laid.rows.map(({ name }) => name)).toContain('service 19')
    expect(laid.columns.map(({ name }) => name)).toContain('region 19')
    expect(laid.more).toBe(`+${String(20 - laid.rows.length)} rows, ${String(20 - laid.columns.length)} columns`)
    expect(3.4 + laid.rows.length * laid.row + 3.4).toBeLessThanOrEqual(24.1)
  })
})

it('says what the board wants in a cell, or the state', () => {
  expect(word_of(tile('a', 'b'))).toBe('up')
  expect(word_of({ ...tile('a', 'b'), detail: '12 ms' })).toBe('12 ms')
})
