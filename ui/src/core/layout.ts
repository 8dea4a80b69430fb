/** How the board's grid lies on the glass, and how large things are in it. */
import type { BoardView, Place } from '../generated/frame'

/** Columns and rows that are laid out. */
export interface Extent {
  readonly columns: number
  readonly rows: number
}

type Laid = Pick<BoardView, 'columns' | 'rows' | 'widgets' | 'furniture'>

/** Every place that something stands at. */
export function places({ widgets, furniture }: Pick<Laid, 'widgets' | 'furniture'>): Place[] {
  return [...widgets, ...(furniture ?? [])].map(({ place }) => place)
}

/**
 * The grid up to the last column and row that something stands in. What nobody uses at the right and below is given to the
 * others: a board of one counter is a screen full of it, not a card in a corner.
 */
export function extent(board: Laid): Extent {
  const all = places(board)
  if (all.length === 0) return { columns: board.columns, rows: board.rows }
  const last = (of: (place: Place) => number): number => Math.max(1, ...all.map(of))
  return {
    columns: last(({ column, width }) => column + width - 1),
    rows: last(({ row, height }) => row + height - 1),
  }
}

/** A panel of this share of the glass, or less, has text of the usual size; of a smaller one if there are few. */
const USUAL_SHARE = 0.5
const USUAL_SHARE_OF_FEW: Record<number, number> = { 1: 0.3, 2: 0.3, 3: 0.4, 4: 0.4 }
const GROWTH_MAX = 2

/** How much larger than usual the text of a panel is: a wall of few widgets is read from farther away. */
export function growth(place: Place, { columns, rows }: Extent, count: number): number {
  const share = Math.min(place.width / columns, place.height / rows)
  return Math.min(GROWTH_MAX, Math.max(1, share / (USUAL_SHARE_OF_FEW[count] ?? USUAL_SHARE)))
}
