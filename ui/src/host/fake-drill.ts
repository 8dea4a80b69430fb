/** The scripted host's lamp test: a few steps in seconds, and what the page said that it shows. */
import type { DrillView, Freshness, GlassSeen } from '../generated/frame'

const STEP_MS = 1_500
const STEPS: readonly { readonly name: string; readonly expects: string; readonly freshness: Freshness }[] = [
  { name: 'baseline', expects: 'live, as it was', freshness: 'live' },
  { name: 'cut', expects: 'down, with the cause', freshness: 'down' },
  { name: 'refusal', expects: 'value hidden, cause shown', freshness: 'refused' },
  { name: 'no answer', expects: 'all stale by the page’s clock', freshness: 'live' },
  { name: 'page stalls', expects: 'the window says so', freshness: 'live' },
]
/** The page gets no answer in this one, for longer than it waits. */
const UNANSWERED = 3
const UNANSWERED_MS = 3_000
const STALL_MS = 1_000

export class FakeDrill {
  readonly #began_ms = performance.now()
  #unanswered_told = false
  /** What the page said, newest last. */
  readonly seen: GlassSeen[] = []

  #step(): number {
    const since_ms = performance.now() - this.#began_ms
    const at = Math.floor(since_ms / STEP_MS)
    return at < UNANSWERED ? at : Math.max(UNANSWERED, Math.floor((since_ms - UNANSWERED_MS) / STEP_MS) + 1)
  }

  get is_over(): boolean {
    return this.#step() >= STEPS.length
  }

  /** How long the page is left without an answer from now on. */
  get holds_back_ms(): number {
    // What the page must know first is which step it is.
    if (this.#step() !== UNANSWERED || !this.#unanswered_told) return 0
    return Math.max(0, UNANSWERED * STEP_MS + UNANSWERED_MS - (performance.now() - this.#began_ms))
  }

  get freshness(): Freshness {
    return STEPS[this.#step()]?.freshness ?? 'live'
  }

  take(seen: GlassSeen): void {
    this.seen.push(seen)
    if (this.seen.length > 400) this.seen.shift()
  }

  view(): DrillView {
    const at = Math.min(this.#step(), STEPS.length - 1)
    this.#unanswered_told ||= at === UNANSWERED
    const { name = '', expects = '' } = STEPS[at] ?? {}
    return {
      step: at + 1,
      steps: STEPS.length,
      name,
      expects,
      left_ms: Math.max(0, STEPS.length * STEP_MS + UNANSWERED_MS - (performance.now() - this.#began_ms)),
      live: 'all 16 live',
      live_is_well: true,
      stall_ms: at === STEPS.length - 1 ? STALL_MS : 0,
    }
  }
}
