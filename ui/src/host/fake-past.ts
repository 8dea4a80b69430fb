/** The scripted host's record: two hours with a hole and three losses, and how time goes in it. */
import type { PastView } from '../generated/frame'

const HOUR_MS = 3_600_000
const RETURN_MS = 120_000

export class FakePast {
  readonly #last_ms = Date.now()
  #at_ms: number
  #read_ms = performance.now()
  #touched_ms = performance.now()
  #playing = false
  #speed = 1
  #told = false
  readonly #scenario: string

  constructor(at_ms: number | null, scenario: string) {
    this.#at_ms = at_ms ?? this.#last_ms - 60_000
    this.#scenario = scenario
  }

  /** Whether it went back to the present by itself. */
  get is_over(): boolean {
    return performance.now() - this.#touched_ms > RETURN_MS
  }

  seek(at_ms: number): void {
    this.stay()
    this.#at_ms = Math.min(this.#last_ms, Math.max(this.#last_ms - 2 * HOUR_MS, at_ms))
    this.#read_ms = performance.now()
  }

  play(playing: boolean): void {
    this.seek(this.#now())
    this.#playing = playing
  }

  speed(speed: number): void {
    this.seek(this.#now())
    this.#speed = speed
  }

  stay(): void {
    this.#touched_ms = performance.now()
  }

  #now(): number {
    return this.#at_ms + (this.#playing ? (performance.now() - this.#read_ms) * this.#speed : 0)
  }

  view(all: boolean, live_is_well: boolean): PastView {
    const at_ms = Math.round(this.#now())
    const first_ms = this.#last_ms - 2 * HOUR_MS
    const before = (minutes: number): number => this.#last_ms - minutes * 60_000
    const told = this.#told && !all
    this.#told = true
    const is_odd = this.#scenario === 'past-odd'
    return {
      at_ms,
      now_ms: Date.now(),
      playing: this.#playing,
      speed: this.#speed,
      first_ms,
      last_ms: this.#last_ms,
      marks: told
        ? null
        : {
            holes: [[before(75), before(68)]],
            losses: [
              [before(110), before(109)],
              [before(40), before(33)],
              [before(5), before(4.9)],
            ],
          },
      unseen: is_odd ? 'the page had painted nothing for 7 s' : null,
      damage: is_odd ? 'record of 2026-11-24T10:14:58Z: it was changed, or one before it' : null,
      hole: null,
      live: live_is_well ? 'all 16 live' : '2 down of 16',
      live_is_well,
      returns_in_ms: RETURN_MS - (performance.now() - this.#touched_ms),
    }
  }
}
