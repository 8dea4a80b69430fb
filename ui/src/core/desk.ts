/** A hand in a panel: pure rules of what it selects, and what it copies. */
import type { ColumnLook, ColumnSort, Detail, RowValue } from '../generated/frame'
import { cell_text, number_text, type Zone } from './format'
import { say } from '../words/say'

/** A rectangle of something that can be selected. */
export interface Spot {
  readonly key: string
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** What it stands for, where it is several at one place: their keys, the worst first. */
  readonly members?: readonly string[]
}

/** The key of a place at which several stand: that of one of them, marked, so that it is none of theirs. */
export function group_key(member: string): string {
  return `\u001f${member}`
}

/** The key that an arrow leads to: the nearest one in that direction, in the same line where there is one. None if there is none. */
export function spot_beside(spots: readonly Spot[], key: string, way: 'left' | 'right' | 'up' | 'down'): string | null {
  const from = spots.find((spot) => spot.key === key)
  if (from === undefined) return null
  const along = way === 'left' || way === 'right'
  const sign = way === 'left' || way === 'up' ? -1 : 1
  const middle = (spot: Spot): readonly [number, number] => {
    const [x, y] = [spot.left + spot.width / 2, spot.top + spot.height / 2]
    return along ? [x, y] : [y, x]
  }
  const [own, own_across] = middle(from)
  let best: { key: string; far: number } | null = null
  for (const spot of spots) {
    const [at, across] = middle(spot)
    const ahead = (at - own) * sign
    // What overlaps in that direction isn't beside it.
    if (ahead <= (along ? from.width : from.height) / 2) continue
    const far = ahead + 4 * Math.abs(across - own_across)
    if (best === null || far < best.far) best = { key: spot.key, far }
  }
  return best?.key ?? null
}

/** The next order by a column: ascending, descending, the table's own. */
export function next_sort(sort: ColumnSort | null, column: number): ColumnSort | null {
  if (sort?.column !== column) return { column, descending: false }
  return sort.descending ? null : { column, descending: true }
}

/** The first row that is shown, so that the selected one is within so many. */
export function offset_for(at: number, offset: number, room: number, total: number): number {
  const near = at < offset ? at : at >= offset + room ? at - room + 1 : offset
  return Math.max(0, Math.min(near, total - room))
}

/** What stands on the clipboard: the row as a line of a spreadsheet below its columns' names, or the event if there is no row. */
export function copied_text(
  row: RowValue | null,
  columns: readonly ColumnLook[],
  detail: Detail | null,
  zone: Zone,
  now_ms: number,
): string {
  if (row === null) return detail?.event?.text ?? ''
  // A tab or a line's end in a text would begin another cell.
  const cell = (text: string): string => text.replace(/\s+/g, ' ')
  const values = columns.map((column, at) => {
    const own = row.cells[at] ?? { is: 'missing' }
    // Numbers as they are and not as they are drawn: a spreadsheet reads no thin space.
    if (own.is === 'number' && (column.format === 'number' || column.format === 'bar')) return String(own.as)
    if (own.is === 'time') return new Date(own.as).toISOString()
    return own.is === 'null' || own.is === 'missing'
      ? ''
      : own.as === ''
        ? ''
        : cell_text(own, column, zone, now_ms).text
  })
  const lines = [
    ['key', ...columns.map(({ title }) => title), 'state'],
    [row.key, ...values, row.state],
  ]
  return lines.map((line) => line.map(cell).join('\t')).join('\n')
}

/** How many rows a filter leaves. */
export function match_words(found: { matched: number; total: number; at_least: boolean }): string {
  return say(found.at_least ? 'desk.match-more' : 'desk.match', {
    matched: number_text(found.matched, 0),
    total: number_text(found.total, 0),
  })
}
