/** What the backend refused to do, for as long as it takes to read. */
import { error_text } from '../core/format'

const REFUSED_MS = 8_000

export class Refusal {
  /** Its words; null if there is nothing to say. */
  words = $state<string | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Takes what was asked for: a refusal is shown, and gone once something is done. */
  ask(what: Promise<void>): void {
    what.then(
      () => {
        this.words = null
      },
      (error: unknown) => {
        this.words = error_text(error)
        clearTimeout(this.#timer)
        this.#timer = setTimeout(() => {
          this.words = null
        }, REFUSED_MS)
      },
    )
  }
}
