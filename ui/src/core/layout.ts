/** How the board's grid lies on the glass, and how large things are in it. */
import type { BoardView, Place } from '../generated/frame'

/** Columns and rows that are laid out. */
export interface Extent {
  readonly columns: number
  readonly rows: number
}

/** What stands where on one page, each by its id. */
export interface Layout {
  readonly extent: Extent
  readonly places: ReadonlyMap<string, Place>
}

type Laid = Pick<BoardView, 'columns' | 'rows' | 'widgets' | 'furniture' | 'pages'>

/**
 * The grid up to the last column and row that something stands in. What nobody uses at the right and below is given to the
 * others: a board of one counter is a screen full of it, not a card in a corner.
 */
function extent(board: Extent, places: readonly Place[]): Extent {
  if (places.length === 0) return { columns: board.columns, rows: board.rows }
  const last = (of: (place: Place) => number): number => Math.max(1, ...places.map(of))
  return {
    columns: last(({ column, width }) => column + width - 1),
    rows: last(({ row, height }) => row + height - 1),
  }
}

/** A page as the board's file lays it out. */
export function page_layout(board: Laid, number: number): Layout {
  const views = [...board.widgets, ...(board.furniture ?? [])].filter(({ page }) => (page ?? 0) === number)
  const places = new Map(views.map(({ id, place }) => [id, place]))
  return { extent: extent(board, [...places.values()]), places }
}

/** All of them. */
export function layouts(board: Laid): Layout[] {
  return Array.from({ length: Math.max(1, board.pages?.length ?? 0) }, (_, number) => page_layout(board, number))
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
