/**
 * Widths of a table's columns: the shares that the board gives, except that a number, a time or a state which needs more
 * takes it from columns that have room to spare. What needs too little for all its rows runs into its neighbour otherwise.
 */
export interface ColumnRoom {
  /** Its share of the row, as a width. */
  readonly share: number
  /** What its widest cell needs. */
  readonly need: number
}

export function column_widths(columns: readonly ColumnRoom[]): number[] {
  const short = columns.reduce((sum, { share, need }) => sum + Math.max(0, need - share), 0)
  const spare = columns.reduce((sum, { share, need }) => sum + Math.max(0, share - need), 0)
  if (short === 0 || spare === 0) return columns.map(({ share }) => share)
  const given = Math.min(1, short / spare)
  const got = Math.min(1, spare / short)
  return columns.map(({ share, need }) =>
    need > share ? share + (need - share) * got : share - (share - need) * given,
  )
}
