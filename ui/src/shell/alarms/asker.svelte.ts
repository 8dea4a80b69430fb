/**
 * Asks the backend for alarms that no frame has, for the list: one question at a time, at a pace. What it answered stands for as long as it is of now;
 * whatever changed since is told to be older, and is gone when nobody answers (H1).
 */
import type { AlarmRowsFound, AlarmRowsQuery, AlarmsView } from '../../generated/frame'
import { error_text } from '../../core/format'
import { ALARM_ROWS_BEHIND_MS, ALARM_ROWS_PACE_MS, DESK_ANSWER_MS } from '../../core/limits'
import type { Host } from '../../host/types'
import { say } from '../../words/say'

export interface Answer {
  readonly found: AlarmRowsFound
  readonly asked: AlarmRowsQuery
  /** The frame's alarms when it was asked: any others are newer. */
  readonly view: AlarmsView
}

/** What is asked, and of whom. */
export interface Question {
  readonly host: Host
  readonly revision: number
  readonly query: AlarmRowsQuery
  readonly view: AlarmsView
}

export class Asker {
  readonly #question: () => Question
  readonly #taken: (answer: Answer) => void
  answer = $state.raw<Answer | null>(null)
  /** Why there is none. */
  fault = $state.raw<string | null>(null)
  /** Whether it is older than what the wall knows by now. */
  behind = $state.raw(false)
  #number = 0
  #asking = false
  /** Since when something else is wanted than what was asked last, on the page's clock. */
  #wanted_ms: number | null = null
  #late: ReturnType<typeof setTimeout> | undefined
  #next: ReturnType<typeof setTimeout> | undefined

  constructor(question: () => Question, taken: (answer: Answer) => void) {
    this.#question = question
    this.#taken = taken
  }

  /** What stands, or what is sought, has changed. */
  ask(): void {
    if (this.#wanted_ms === null) {
      this.#wanted_ms = performance.now()
      this.#watch()
    }
    if (!this.#asking) void this.#ask()
  }

  /** Nothing is asked any more. */
  end(): void {
    this.#number += 1
    clearTimeout(this.#late)
    clearTimeout(this.#next)
    this.#asking = false
    this.#wanted_ms = null
    this.answer = this.fault = null
    this.behind = false
  }

  /** What was wanted for a while and hasn't come makes an older answer one that is seen to be older. */
  #watch(): void {
    clearTimeout(this.#late)
    if (this.#wanted_ms === null) return
    const wait_ms = this.#wanted_ms + ALARM_ROWS_BEHIND_MS - performance.now()
    this.#late = setTimeout(
      () => {
        this.behind = this.answer !== null
      },
      Math.max(0, wait_ms),
    )
  }

  async #ask(): Promise<void> {
    const { host, revision, query, view } = this.#question()
    const number = (this.#number += 1)
    const begun_ms = performance.now()
    const wanted_ms = this.#wanted_ms ?? begun_ms
    this.#asking = true
    this.#wanted_ms = null
    const gone = setTimeout(() => {
      if (number === this.#number) this.#lose(say('error.no-answer'))
    }, DESK_ANSWER_MS)
    try {
      const found = await host.alarm_rows(query)
      if (number !== this.#number) return
      if (found.revision === revision) this.#take({ found, asked: query, view })
      else this.#wanted_ms ??= wanted_ms
    } catch (error) {
      if (number === this.#number) this.#lose(error_text(error))
    } finally {
      clearTimeout(gone)
      if (number === this.#number) {
        // A hand takes a fifth of the board's time at most.
        const rest_ms = Math.min(
          DESK_ANSWER_MS,
          Math.max(ALARM_ROWS_PACE_MS, 4 * (performance.now() - begun_ms), this.fault === null ? 0 : DESK_ANSWER_MS),
        )
        this.#next = setTimeout(() => {
          this.#asking = false
          if (this.#wanted_ms !== null || this.fault !== null) void this.#ask()
        }, rest_ms)
      }
    }
  }

  /** Rows that nobody answers for any more are none that may stand there. */
  #lose(fault: string): void {
    this.answer = null
    this.fault = fault
    this.behind = false
  }

  #take(answer: Answer): void {
    this.answer = answer
    this.fault = null
    this.behind = false
    this.#watch()
    this.#taken(answer)
  }
}
