/**
 * A pace for things that are repainted less often than every frame: rows, tiles, charts.
 *
 * The first change after a rest passes at once. In a flood the newest one passes when the pace allows it and there is a
 * gap between two frames, a few at a time: everything in one frame would repaint the whole wall, in turns only the
 * part that changes.
 */
export class Lane {
  readonly #pace_ms: number
  readonly #passed_ms = new Map<string, number>()
  readonly #waiting = new Map<string, number>()

  constructor(pace_ms: number) {
    this.#pace_ms = pace_ms
  }

  /** Something of `id` changed: true if it passes now; if not, it waits and {@link due} will name it. */
  offer(id: string, now_ms: number): boolean {
    const passed_ms = this.#passed_ms.get(id) ?? -Infinity
    // Twice the pace is a rest: in a flood a change comes long before, and then it has to keep to the gaps.
    if (!this.#waiting.has(id) && now_ms - passed_ms >= 2 * this.#pace_ms) {
      this.pass(id, now_ms)
      return true
    }
    if (!this.#waiting.has(id)) this.#waiting.set(id, passed_ms + this.#pace_ms)
    return false
  }

  /** What `id` is now is shown. */
  pass(id: string, now_ms: number): void {
    this.#passed_ms.set(id, now_ms)
    this.#waiting.delete(id)
  }

  /** Whether a change of `id` has not passed yet. */
  holds(id: string): boolean {
    return this.#waiting.has(id)
  }

  forget(id: string): void {
    this.#passed_ms.delete(id)
    this.#waiting.delete(id)
  }

  /** Those that may pass now, longest due first, but no more than keeps all of them at their pace with `gap_ms` between two calls. */
  due(now_ms: number, gap_ms: number): string[] {
    const due = [...this.#waiting].filter(([, due_ms]) => due_ms <= now_ms).sort(([, a], [, b]) => a - b)
    const share = Math.ceil((this.#passed_ms.size * gap_ms) / this.#pace_ms)
    return due.slice(0, Math.max(1, share)).map(([id]) => id)
  }

  /** When the first of those that wait is due; infinite if none waits. */
  next_ms(): number {
    return Math.min(Infinity, ...this.#waiting.values())
  }
}
