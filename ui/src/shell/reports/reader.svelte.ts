/** A hand in a page of several lists: which line it is at, and which lines of each list have room. */
import { offset_for } from '../../core/desk'

export class Reader {
  readonly #counts: () => readonly number[]
  /** Lines that have room, by list. */
  rooms = $state<number[]>([])
  /** The first line that is shown, by list. */
  offsets = $state.raw<readonly number[]>([])
  part = $state.raw(0)
  /** Null until a hand is at a line. */
  at = $state.raw<number | null>(null)

  /** `counts`: how many lines each list has. */
  constructor(counts: () => readonly number[]) {
    this.#counts = counts
  }

  room(part: number): number {
    return Math.max(1, this.rooms[part] ?? 1)
  }

  /** Where a list begins to be shown, also after it has become shorter. */
  offset(part: number): number {
    return Math.max(0, Math.min(this.offsets[part] ?? 0, this.#count(part) - this.room(part)))
  }

  /** Whether a hand is at this line. */
  is_at(part: number, at: number): boolean {
    return part === this.part && at === this.at
  }

  /** Nothing is chosen, and all lists are at their beginning: there are others. */
  begin(): void {
    this.at = null
    this.part = 0
    this.offsets = []
  }

  choose(part: number, at: number): void {
    this.part = part
    this.at = at
    this.#scroll_to(part, offset_for(at, this.offset(part), this.room(part), this.#count(part)))
  }

  /** A line on, a screen, or to the end; past a list's end to the next one. */
  move(by: number): void {
    const [counts, at] = [this.#counts(), this.at]
    if (at === null) {
      const first = counts.findIndex((count) => count > 0)
      if (first !== -1) this.choose(first, 0)
      return
    }
    const last = this.#count(this.part) - 1
    const wanted = at + by
    if (Math.abs(by) > 1) this.choose(this.part, Math.max(0, Math.min(last, wanted)))
    else if (wanted >= 0 && wanted <= last) this.choose(this.part, wanted)
    else this.turn(Math.sign(by), { to_last: by < 0 })
  }

  /** To the list beside that has lines: to its first one, or to its last. `around`: after the last comes the first. */
  turn(by: number, { to_last = false, around = false } = {}): void {
    const counts = this.#counts()
    // Until a hand is at a line the first list is beside it.
    const from = this.at === null ? (by > 0 ? -1 : counts.length) : this.part
    for (let step = 1; step <= counts.length; step += 1) {
      const wanted = from + step * by
      const part = around ? (wanted + counts.length) % counts.length : wanted
      const count = counts[part] ?? 0
      if (count === 0) continue
      this.choose(part, to_last ? count - 1 : 0)
      return
    }
    // There is nowhere to go, and where one is comes into sight.
    if (this.at !== null) this.choose(this.part, this.at)
  }

  /** A wheel moves what is shown, wherever the hand is. */
  scroll(part: number, by: number): void {
    this.#scroll_to(part, this.offset(part) + by)
  }

  #scroll_to(part: number, offset: number): void {
    const offsets = this.#counts().map((_, at) => this.offset(at))
    offsets[part] = Math.max(0, Math.min(offset, this.#count(part) - this.room(part)))
    this.offsets = offsets
  }

  #count(part: number): number {
    return this.#counts()[part] ?? 0
  }
}
