/** Whether somebody is at the glass: what is for a hand alone is shown to one, and nothing moves under it. */

/** A pointer that has stood still for so long is nobody's. */
const STILL_MS = 5_000

/**
 * Whether this wall is a kiosk. Its window takes the pointer away by a style sheet of its own (`src-tauri/src/kiosk/guard.rs`), and that
 * is how the page knows. To be asked at a gesture: the answer works out the page's style.
 */
export function is_kiosk(): boolean {
  return getComputedStyle(document.documentElement).cursor === 'none'
}

class Hand {
  /** Whether a pointer moves, or did a moment ago. */
  here = $state(false)
  #timer: ReturnType<typeof setTimeout> | undefined
  #moved_ms = -Infinity

  /** To be called whenever a pointer moves. */
  moved(): void {
    const now = performance.now()
    // Moves come by the hundred a second.
    if (this.here && now - this.#moved_ms < STILL_MS / 10) return
    if (!this.here && is_kiosk()) return
    this.#moved_ms = now
    this.here = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.here = false
    }, STILL_MS)
  }
}

export const hand = new Hand()
