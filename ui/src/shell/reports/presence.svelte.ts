/** When a hand last moved at this station: kept by the page, as the zoom is, so that it outlives the wall. */
import { type Presence, presence_of, presence_text, touched } from '../../core/moments'

const PRESENCE = 'touched'
/** A hand moves by the hundred times a second. */
const KEPT_MS = 5_000

function remembered(): Presence | null {
  try {
    return presence_of(localStorage.getItem(PRESENCE))
  } catch {
    // A web view without storage forgets.
    return null
  }
}

class Here {
  #now: Presence | null = remembered()
  #kept_ms = -Infinity

  /** When the last hand before this one left, milliseconds since the Unix epoch; null if none is known. */
  get left_ms(): number | null {
    return this.#now?.left_ms ?? null
  }

  /** A hand moves. Answers for how long none had, milliseconds; 0 if none is known before it. */
  touch(now_ms: number): number {
    const before = this.#now
    this.#now = touched(before, now_ms)
    const away_ms = before === null ? 0 : Math.max(0, now_ms - before.touched_ms)
    if (Math.abs(now_ms - this.#kept_ms) >= KEPT_MS) {
      this.#kept_ms = now_ms
      try {
        localStorage.setItem(PRESENCE, presence_text(this.#now))
      } catch {
        // As above.
      }
    }
    return away_ms
  }
}

/** The page's one. */
export const here = new Here()
