/** A made-up board of three pages, which turn as the backend's do; of a real board the backend decides. */
import type { BoardView, PageShown, Place } from '../generated/frame'
import { BOARD } from './fake-board'

const DWELL_MS = 20_000
const HAND_MS = 60_000

/** Where each widget stands: page, column, row, width, height. What isn't named stays where it is, on the first page. */
const PLACES: Record<string, readonly [number, number, number, number, number]> = {
  board: [1, 1, 1, 6, 8],
  air: [1, 7, 1, 6, 5],
  log: [1, 7, 6, 6, 3],
}

function placed(id: string, place: Place, at: number, trends: number): { page: number; place: Place } {
  const own = PLACES[id]
  if (own !== undefined) {
    const [page, column, row, width, height] = own
    return { page, place: { column, row, width, height } }
  }
  if (place.row <= 2) return { page: 0, place }
  return {
    page: 2,
    place: {
      column: 1 + 6 * (at % 2),
      row: 1 + 4 * Math.floor(at / 2),
      width: trends === at + 1 && at % 2 === 0 ? 12 : 6,
      height: 4,
    },
  }
}

const TRENDS = BOARD.widgets.filter(({ id, place }) => PLACES[id] === undefined && place.row > 2).map(({ id }) => id)

export const PAGES_BOARD: BoardView = {
  ...BOARD,
  pages: [
    { id: 'now', title: 'Now', dwell_ms: DWELL_MS },
    { id: 'flights', title: 'Flights', dwell_ms: DWELL_MS },
    { id: 'trends', title: 'The day so far', dwell_ms: DWELL_MS },
  ],
  widgets: BOARD.widgets.map((view) => ({
    ...view,
    ...placed(view.id, view.place, TRENDS.indexOf(view.id), TRENDS.length),
  })),
}

export class FakePages {
  #number = 0
  #why: PageShown['why'] = 'rotation'
  #until_ms: number | null = performance.now() + DWELL_MS

  turn(how: 'next' | 'previous' | 'pin' | 'show', number = 0): void {
    const count = PAGES_BOARD.pages?.length ?? 1
    if (how === 'pin') this.#why = this.#why === 'pinned' ? 'rotation' : 'pinned'
    else {
      this.#why = 'hand'
      this.#number = how === 'show' ? number : (this.#number + (how === 'next' ? 1 : count - 1)) % count
    }
    const spans: Partial<Record<PageShown['why'], number>> = { rotation: DWELL_MS, hand: HAND_MS }
    const span = spans[this.#why]
    this.#until_ms = span === undefined ? null : performance.now() + span
  }

  /** The page that is shown; one out of sight has an alarm, and something that is not live. */
  shown(): PageShown {
    if (this.#until_ms !== null && performance.now() >= this.#until_ms) {
      this.turn('next')
      this.#why = 'rotation'
      this.#until_ms = performance.now() + DWELL_MS
    }
    const fine = { state: 'normal' as const, unwell: 0 }
    return {
      number: this.#number,
      why: this.#why,
      left_ms: this.#until_ms === null ? null : Math.round(this.#until_ms - performance.now()),
      marks: [{ state: 'alarm', unwell: 0 }, { state: 'warning', unwell: 2 }, fine],
    }
  }
}
