/** How many rows of at least a height fit into an element, and how high they are to fill it; follows its size. */
import type { Attachment } from 'svelte/attachments'

export class Fit {
  rows = $state.raw(0)
  row_px = $state.raw(0)
  /** The element's size, and that of its type. */
  width_px = $state.raw(0)
  height_px = $state.raw(0)
  type_px = $state.raw(0)
  readonly #row_rem: () => number

  /** `row_rem` is the least height of a row. */
  constructor(row_rem: () => number) {
    this.#row_rem = row_rem
  }

  readonly attach: Attachment = (element) => {
    const measure = (): void => {
      this.width_px = element.clientWidth
      this.height_px = element.clientHeight
      this.type_px = Number.parseFloat(getComputedStyle(element).fontSize)
      const least_px = this.#row_rem() * rem()
      this.rows = Math.floor(element.clientHeight / least_px + 0.02)
      // Whole pixels: text between two of them is drawn anew for each place.
      this.row_px = Math.floor(this.rows === 0 ? least_px : element.clientHeight / this.rows)
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => {
      observer.disconnect()
    }
  }
}

/** Pixels of one rem: the unit that everything is sized in. */
export function rem(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
}
