import { describe, expect, it } from 'vitest'
import type { GroupValue, RowValue } from '../generated/frame'
import { counts_of, groups_after, items_of } from './items'

const row = (key: string): RowValue => ({ key, cells: [], state: 'normal' })
const group = (name: string | null, shown: number): GroupValue => ({ name, total: shown + 1, state: 'normal', shown })
const said = (rows: string, groups: GroupValue[], lines: number): string =>
  items_of(rows.split('').map(row), groups, lines)
    .map((item) => (item.is === 'row' ? item.row.key : `[${item.group.name ?? 'none'}]`))
    .join('')

describe('items', () => {
  it('are rows where nothing is grouped', () => {
    expect(said('abc', [], 9)).toBe('abc')
    expect(said('abc', [], 2)).toBe('ab')
    expect(said('', [], 2)).toBe('')
  })
  it('have a head for each group that has a row under it', () => {
    const groups = [group('x', 2), group(null, 1)]
    expect(said('abc', groups, 9)).toBe('[x]ab[none]c')
    expect(said('abc', groups, 5)).toBe('[x]ab[none]c')
    expect(said('abc', groups, 4)).toBe('[x]ab')
    expect(said('abc', groups, 1)).toBe('')
  })
  it('have the heads of whatever part is shown', () => {
    const after = (rows: number): string =>
      groups_after([group('x', 2), group('y', 1)], rows)
        .map(({ name, shown }) => `${name ?? ''}${String(shown)}`)
        .join(' ')
    expect([0, 1, 2, 3, 9].map(after)).toEqual(['x2 y1', 'x1 y1', 'y1', '', ''])
  })
  it('are counted, and no two have one key', () => {
    const items = items_of([row('x'), row('y')], [group('1', 1), group('1', 1)], 9)
    expect(counts_of(items)).toEqual({ rows: 2, groups: 2 })
    expect(new Set(items.map(({ key }) => key)).size).toBe(4)
    const places = items.flatMap((item) => (item.is === 'row' ? [item.at] : []))
    expect(places).toEqual([0, 1])
  })
})
