/** How many rows of a height fit into an element, kept up to date as it changes. */
import type { Attachment } from 'svelte/attachments'

export class Fit {
  rows = $state.raw(0)
  readonly #row_rem: number

  constructor(row_rem: number) {
    this.#row_rem = row_rem
  }

  readonly attach: Attachment = (element) => {
    const measure = (): void => {
      this.rows = Math.floor(element.clientHeight / (this.#row_rem * rem()) + 0.02)
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
