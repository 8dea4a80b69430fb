/** The display: when what was applied is on it, and what that cost. */
import type { Timer } from './core/pull'

export class Display {
  #applying_ms = 0

  /** Runs the page's own part of a frame and remembers what it took. */
  work<T>(apply: () => T): T {
    const start = performance.now()
    const result = apply()
    this.#applying_ms = performance.now() - start
    return result
  }

  /**
   * Resolves after the paint that shows what was applied: the task that follows the refresh comes after that frame's
   * style, layout and paint. Gives the milliseconds of applying and painting.
   */
  async painted(): Promise<number> {
    const start = await new Promise<number>((resolve) => {
      requestAnimationFrame(() => {
        const now = performance.now()
        // A timer of its own, not a message to ourselves: in WebKit each of those travels through another process.
        setTimeout(() => {
          resolve(now)
        }, 0)
      })
    })
    return this.#applying_ms + performance.now() - start
  }

  timer(ms: number): Timer {
    let id: ReturnType<typeof setTimeout> | undefined
    const done = new Promise<void>((resolve) => {
      id = setTimeout(resolve, ms)
    })
    return {
      done,
      cancel: () => {
        clearTimeout(id)
      },
    }
  }
}
