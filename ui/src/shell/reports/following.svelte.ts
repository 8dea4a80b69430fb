/** What changed since a moment, as it is read: the first answer has alarms and losses, the next ones what widgets did, until nothing more comes. */
import { error_text } from '../../core/format'
import type { Since } from '../../generated/frame'
import type { Host } from '../../host/types'
import { insistent } from './superseded'

const SLOW_MS = 300

export class Following {
  answer = $state.raw<Since | null>(null)
  /** Whether what is shown is of another moment than was asked for. */
  waits = $state.raw(false)
  /** The same, once that takes so long that it is said. */
  slow = $state.raw(false)
  refused = $state.raw<string | null>(null)
  #number = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Of several questions the last one counts. */
  async ask(host: Pick<Host, 'since'>, from_ms: number): Promise<void> {
    this.#number += 1
    const number = this.#number
    const is_last = (): boolean => number === this.#number
    clearTimeout(this.#timer)
    this.waits = true
    this.slow = false
    this.refused = null
    this.#timer = setTimeout(() => {
      this.slow = true
    }, SLOW_MS)
    const follow = async (): Promise<void> => {
      for (let after = 0; is_last();) {
        const since = await host.since(from_ms, after)
        if (!is_last()) return
        this.#settle()
        this.answer = since
        if (since.done) return
        after = since.version
      }
    }
    try {
      // Ended in between, it begins anew.
      await insistent(follow, is_last)
    } catch (error) {
      if (!is_last()) return
      this.#settle()
      this.refused = error_text(error)
    }
  }

  /** Nobody waits for it any more. */
  end(): void {
    this.#number += 1
    clearTimeout(this.#timer)
  }

  #settle(): void {
    clearTimeout(this.#timer)
    this.waits = false
    this.slow = false
  }
}
