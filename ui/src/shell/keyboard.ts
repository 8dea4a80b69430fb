/** Hears every key of the page, and asks those who may mean it, topmost first. What there is to hear stands in `core/keys.ts`. */
import { type Gesture, lines_of, type Stroke } from '../core/keys'

/** Does it. False if the key means nothing to it now: then the next one is asked. */
export type Hears = (stroke: Stroke) => boolean

export class Keyboard {
  readonly #hearing = new Map<Gesture, Set<Hears>>()

  /** Has these be asked from now on; returns what ends it. */
  hear(gestures: Partial<Record<Gesture, Hears>>): () => void {
    const all = Object.entries(gestures) as [Gesture, Hears][]
    for (const [id, hears] of all) this.#hearing.set(id, (this.#hearing.get(id) ?? new Set()).add(hears))
    return () => {
      for (const [id, hears] of all) this.#hearing.get(id)?.delete(hears)
    }
  }

  /** Whether anybody hears it: the demo's keys are none where there is no demo. */
  is_heard(id: Gesture): boolean {
    return (this.#hearing.get(id)?.size ?? 0) > 0
  }

  /** Whether somebody did it. */
  press(stroke: Stroke): boolean {
    return lines_of(stroke).some(({ id }) => [...(this.#hearing.get(id) ?? [])].some((hears) => hears(stroke)))
  }
}

/** The page's one. */
export const keyboard = new Keyboard()

/** Whether the web view itself does something with this key at what has the focus. */
function is_its_own(event: KeyboardEvent): boolean {
  // What is written means nothing else; where that ends says who is written to.
  if (event.target instanceof HTMLInputElement) return true
  const presses = event.key === ' ' || event.key === 'Enter'
  return presses && event.target instanceof Element && event.target.closest('button') !== null
}

/** To be called with each key that goes down. */
export function on_key(event: KeyboardEvent): void {
  if (is_its_own(event)) return
  if (keyboard.press(event)) event.preventDefault()
}
