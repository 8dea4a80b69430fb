/**
 * Widths of a table's columns: the shares that the board gives, except that a number, a time or a state which needs more
 * takes it from columns that have room to spare. What needs too little for all its rows runs into its neighbour otherwise.
 */
export interface ColumnRoom {
  /** Its share of the row, as a width. */
  readonly share: number
  /** What its widest cell needs. */
  readonly need: number
  /** A text may be shortened: it gets what the others have left. */
  readonly soft?: boolean
  /** But to no less than this. One that needs less, a code of three letters say, has all that it needs, with its heading. */
  readonly least?: number
}

export function column_widths(columns: readonly ColumnRoom[]): number[] {
  const hard = balanced(
    columns.map(({ share, need, soft, least }) => ({
      share,
      need: soft === true ? Math.min(need, least ?? share) : need,
    })),
  )
  return balanced(columns.map(({ need }, at) => ({ share: hard[at] ?? 0, need })))
}

function balanced(columns: readonly ColumnRoom[]): number[] {
  const short = columns.reduce((sum, { share, need }) => sum + Math.max(0, need - share), 0)
  const spare = columns.reduce((sum, { share, need }) => sum + Math.max(0, share - need), 0)
  if (short === 0 || spare === 0) return columns.map(({ share }) => share)
  const given = Math.min(1, short / spare)
  const got = Math.min(1, spare / short)
  return columns.map(({ share, need }) =>
    need > share ? share + (need - share) * got : share - (share - need) * given,
  )
}

/** The least that is shown of a text in its column, in em. */
export const TEXT_EM_MIN = 4.5

/**
 * Which of the columns are shown, by their places: all if what they need fits, else without the last ones that are no state. A number
 * or a time that is cut is a lie, and the first column says whose row it is.
 */
export function shown_columns(columns: readonly { need_em: number; format: string }[], room_em: number): number[] {
  const kept = columns.map((column, at) => ({ ...column, at }))
  const least = (): number =>
    kept.reduce((sum, { need_em, format }) => sum + (format === 'text' ? Math.min(TEXT_EM_MIN, need_em) : need_em), 0)
  while (kept.length > 1 && least() > room_em) {
    const last = kept.findLastIndex(({ at, format }) => at > 0 && format !== 'state')
    kept.splice(last === -1 ? kept.length - 1 : last, 1)
  }
  return kept.map(({ at }) => at)
}
