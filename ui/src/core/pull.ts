/**
 * The pull: ask, apply, wait for the paint, ask again with what was painted. That next question is the receipt.
 *
 * One loop owns the conversation. It never gives up, never reloads, and says when the other end falls silent (H7).
 */
import type { Frame } from '../generated/frame'
import { say } from '../words/say'
import { error_text } from './format'
import {
  ANSWER_HEARTBEATS_MIN,
  FRAME_MS_MAX,
  FRAME_MS_MIN,
  FRAME_WORK_SHARE_MAX,
  HEARTBEAT_MS_DEFAULT,
  RETRY_MS_FIRST,
  RETRY_MS_MAX,
  SILENT_HEARTBEATS,
} from './limits'

/** One wait that can be called off. */
export interface Timer {
  readonly done: Promise<void>
  cancel(): void
}

/** What the loop needs of the world; a test gives it another one. */
export interface PullEnv {
  /** What changed after what was painted, in `rest_ms` milliseconds at the earliest. */
  next_frame(after: number, revision: number, rest_ms: number): Promise<Frame>
  /** Takes the frame over; false if the page can't, and needs the whole. It throws if what it says can't be drawn. */
  apply(frame: Frame): boolean
  /** Resolves when what was applied is on the glass, with the milliseconds that applying and painting took. */
  painted(): Promise<number>
  timer(ms: number): Timer
  /** The page's monotonic clock, milliseconds. */
  now(): number
  /** The other end answered. */
  heard(): void
  /** The other end doesn't answer, or answered with an error. */
  silent(why: string): void
  /** What was answered can't be drawn, or half of it. */
  undrawn(why: string): void
}

const UNANSWERED = Symbol('unanswered')

class Misfit extends Error {
  override name = 'Misfit'
}

interface Asked {
  readonly after: number
  readonly answer: Promise<Frame>
}

export class Pull {
  readonly #env: PullEnv
  // A pause makes the running loop a thing of the past: it ends at its next step.
  #generation = 0
  #running = false
  #after = 0
  #revision = 0
  #heartbeat_ms = HEARTBEAT_MS_DEFAULT
  #work_ms = 0
  #heard_ms = 0

  constructor(env: PullEnv) {
    this.#env = env
  }

  get running(): boolean {
    return this.#running
  }

  /** Starts, or starts over, with one whole frame. */
  start(): void {
    this.#generation += 1
    this.#running = true
    this.#after = 0
    this.#heard_ms = this.#env.now()
    void this.#run(this.#generation)
  }

  /** Asks for nothing more. What is outstanding is ignored when it comes. */
  pause(): void {
    this.#generation += 1
    this.#running = false
  }

  async #run(generation: number): Promise<void> {
    let failures = 0
    let outstanding: Asked[] = []
    let rest_ms = 0
    while (generation === this.#generation) {
      try {
        // At most two: the newest question, and the one before it, whose late answer is as good.
        outstanding = [...outstanding.slice(-1), this.#ask(rest_ms)]
        rest_ms = 0
        const frame = await this.#first_answer(outstanding)
        if (generation !== this.#generation) return
        if (frame === UNANSWERED) throw new Error(say('error.no-answer'))
        outstanding = []
        this.#heard_ms = this.#env.now()
        this.#env.heard()
        const begun_ms = this.#heard_ms
        if (!this.#env.apply(frame)) throw new Misfit(say('error.misfit'))
        failures = 0
        this.#heartbeat_ms = frame.heartbeat_ms
        await this.#paint(frame, generation)
        rest_ms = Math.max(0, Math.round(begun_ms + frame_ms(this.#work_ms) - this.#env.now()))
      } catch (error) {
        if (generation !== this.#generation) return
        if (outstanding.length > 0) this.#env.silent(error_text(error))
        else {
          this.#after = 0
          // What doesn't fit has left the glass as it was, and it ends live by itself.
          if (!(error instanceof Misfit)) this.#env.undrawn(error_text(error))
        }
        failures += 1
        await this.#env.timer(retry_ms(failures)).done
      }
    }
  }

  #ask(rest_ms: number): Asked {
    const answer = this.#env.next_frame(this.#after, this.#revision, rest_ms)
    return { after: this.#after, answer }
  }

  async #first_answer(asked: readonly Asked[]): Promise<Frame | typeof UNANSWERED> {
    const left_ms = SILENT_HEARTBEATS * this.#heartbeat_ms - (this.#env.now() - this.#heard_ms)
    const deadline = this.#env.timer(Math.max(ANSWER_HEARTBEATS_MIN * this.#heartbeat_ms, left_ms))
    const newest = asked.at(-1)?.answer
    // An older question's failure says nothing: the newest one decides.
    const older = asked.slice(0, -1).map(({ answer }) => answer.catch(() => new Promise<Frame>(() => undefined)))
    const silence = deadline.done.then((): typeof UNANSWERED => UNANSWERED)
    try {
      return await Promise.race([...older, ...(newest === undefined ? [] : [newest]), silence])
    } finally {
      deadline.cancel()
    }
  }

  async #paint(frame: Frame, generation: number): Promise<void> {
    const work_ms = await this.#env.painted()
    if (generation !== this.#generation) return
    this.#after = frame.version
    this.#revision = frame.revision
    // A mean over some ten frames: one slow frame is no reason to lower the rate, a run of them is.
    this.#work_ms += (work_ms - this.#work_ms) / 10
  }
}

/** From one frame to the next if the page's own work for one takes `work_ms`. */
export function frame_ms(work_ms: number): number {
  return Math.min(FRAME_MS_MAX, Math.max(FRAME_MS_MIN, work_ms / FRAME_WORK_SHARE_MAX))
}

/** Pause before the try after this many failures in a row. */
export function retry_ms(failures: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** (failures - 1))
}
