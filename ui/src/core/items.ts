/** What stands in a table, line by line: rows, and the heads of their groups. */
import type { GroupValue, RowValue } from '../generated/frame'

export type Item =
  | { readonly is: 'row'; readonly key: string; readonly row: RowValue; readonly at: number }
  | { readonly is: 'head'; readonly key: string; readonly group: GroupValue }

/**
 * The first items that fit into so many lines. `at` is a row's place among `rows`. A head that would have no row under it has no place:
 * it would say that there is nothing of its group.
 */
export function items_of(rows: readonly RowValue[], groups: readonly GroupValue[], lines: number): Item[] {
  const items: Item[] = []
  let at = 0
  const runs =
    groups.length === 0 ? [{ group: null, shown: rows.length }] : groups.map((group) => ({ group, shown: group.shown }))
  for (const { group, shown } of runs) {
    if (group !== null) {
      if (items.length + 2 > lines) break
      // No row's key begins so. Of a number and a text that are written alike there are two groups.
      const name = group.name ?? '\u0000'
      const same = items.filter((item) => item.is === 'head' && item.group.name === group.name).length
      items.push({ is: 'head', key: `\u0000${name}\u0000${String(same)}`, group })
    }
    const end = at + shown
    for (; at < end; at += 1) {
      const row = rows[at]
      if (row === undefined || items.length >= lines) return items
      items.push({ is: 'row', key: `\u0001${row.key}`, row, at })
    }
  }
  return items
}

/** Groups of the rows that follow after so many. */
export function groups_after(groups: readonly GroupValue[], rows: number): GroupValue[] {
  let left = rows
  return groups.flatMap((group) => {
    const gone = Math.min(left, group.shown)
    left -= gone
    return gone === group.shown ? [] : [{ ...group, shown: group.shown - gone }]
  })
}

/** How many rows and groups there are among items. */
export function counts_of(items: readonly Item[]): { rows: number; groups: number } {
  const rows = items.filter((item) => item.is === 'row').length
  return { rows, groups: items.length - rows }
}
