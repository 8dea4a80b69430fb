/** A question that the backend may take its time for: what it answered, what it is being asked, and why it refused. */
import { error_text } from '../../core/format'
import { insistent } from './superseded'

/** What is answered by then needs no word that it is waited for. */
const SLOW_MS = 300

export class Asking<Q, A> {
  /** The newest answer with its question; null until there is one. */
  answer = $state.raw<{ readonly of: Q; readonly is: A } | null>(null)
  /** Whether what is shown is not what was asked for last. */
  waits = $state.raw(false)
  /** The same, once that takes so long that it is said. */
  slow = $state.raw(false)
  /** Why the last question was refused; null if it wasn't. */
  refused = $state.raw<string | null>(null)
  #number = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Of several questions the last one counts, whichever is answered first. */
  ask(of: Q, what: () => Promise<A>): void {
    this.#number += 1
    const number = this.#number
    clearTimeout(this.#timer)
    this.waits = true
    this.slow = false
    this.refused = null
    this.#timer = setTimeout(() => {
      this.slow = true
    }, SLOW_MS)
    const settle = (refused: string | null): boolean => {
      if (number !== this.#number) return false
      clearTimeout(this.#timer)
      this.waits = false
      this.slow = false
      this.refused = refused
      return true
    }
    insistent(what, () => number === this.#number).then(
      (is) => {
        if (settle(null)) this.answer = { of, is }
      },
      (error: unknown) => {
        settle(error_text(error))
      },
    )
  }

  /** Nobody waits for it any more. */
  end(): void {
    this.#number += 1
    clearTimeout(this.#timer)
  }
}
