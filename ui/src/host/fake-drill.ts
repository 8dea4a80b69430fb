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
  #step = 0
  /** When the page was first told of this step: none is over that it doesn't know of, however slow it is. */
  #told_ms: number | null = null
  /** Set to stay in the step that is shown. */
  stays = false
  /** What the page said, newest last. */
  readonly seen: GlassSeen[] = []

  get is_over(): boolean {
    return this.#step === STEPS.length - 1 && this.#left_ms() <= 0
  }

  /** How long the page is left without an answer from now on. */
  get holds_back_ms(): number {
    return this.#step === UNANSWERED && this.#told_ms !== null ? Math.max(0, this.#left_ms()) : 0
  }

  get freshness(): Freshness {
    return STEPS[this.#step]?.freshness ?? 'live'
  }

  /** Of this step. */
  #left_ms(): number {
    const span_ms = this.#step === UNANSWERED ? UNANSWERED_MS : STEP_MS
    return this.#told_ms === null ? span_ms : this.#told_ms + span_ms - performance.now()
  }

  take(seen: GlassSeen): void {
    this.seen.push(seen)
    if (this.seen.length > 400) this.seen.shift()
  }

  view(): DrillView {
    const { name = '', expects = '' } = STEPS[this.#step] ?? {}
    this.#told_ms ??= performance.now()
    return {
      step: this.#step + 1,
      steps: STEPS.length,
      name,
      expects,
      left_ms: Math.max(0, STEPS.length * STEP_MS + UNANSWERED_MS - (performance.now() - this.#began_ms)),
      live: 'all 16 live',
      live_is_well: true,
      stall_ms: this.#step === STEPS.length - 1 ? STALL_MS : 0,
    }
  }

  /** Goes on to the next step if this one is over. Called before a frame is made. */
  go_on(): void {
    if (this.stays || this.#left_ms() > 0 || this.#step === STEPS.length - 1) return
    this.#step += 1
    this.#told_ms = null
  }
}
