/** The case sheet's tiles and grids: states by key, some of them silent where there are many. */
import type { State, TileValue, WidgetValue } from '../generated/frame'

const MINUTE_MS = 60_000

export interface SheetWords {
  /** A name of its own, of which the usual one is this and a number. */
  own(usual: string, one: number): string
  column(two: number): string
  /** What is written of a state. */
  of(meant: State): string
}

/** What was not heard of for long. */
function silent(is_silent: boolean): { readonly lost: true; readonly state: State } | Record<never, never> {
  return is_silent ? { lost: true, state: 'unknown' } : {}
}

export function sheet_tiles(
  all: readonly number[],
  words: SheetWords,
  meaning: (one: number) => State,
  has_silent: boolean,
  now_ms: number,
): WidgetValue {
  const tiles = all.map((one): TileValue => ({
    key: String(one),
    label: words.own('Lane', one),
    text: words.of(meaning(one)),
    state: meaning(one),
    detail: one % 2 === 0 ? `${String(one + 3)} of 25 late` : null,
    since_ms: now_ms - one * 11 * MINUTE_MS,
    ...silent(has_silent && one % 5 === 3),
  }))
  return { kind: 'status', tiles }
}

export function sheet_grid(
  all: readonly number[],
  across: number,
  words: SheetWords,
  is_detailed: boolean,
  has_silent: boolean,
  now_ms: number,
): WidgetValue {
  const cell = (one: number, two: number): TileValue => {
    const worded = (one * two) % 7 === 6 ? 'alarm' : (one + two) % 9 === 5 ? 'warning' : 'normal'
    const name = words.own('Service', one)
    return {
      key: `${name} · ${words.column(two)}`,
      label: `${name} · eu-${String(two + 1)}`,
      text: words.of(worded),
      state: worded === 'normal' && two === 4 && one === 0 ? 'unknown' : worded,
      detail: is_detailed ? `${String(11 + one * two * 7)} ms` : null,
      since_ms: now_ms - one * 11 * MINUTE_MS,
      ...silent(has_silent && (one + two) % 6 === 3),
    }
  }
  const row = (one: number): TileValue[] =>
    Array.from({ length: across }, (_, two) => cell(one, two)).filter((_, two) => (one * 3 + two) % 11 !== 7)
  return { kind: 'status', tiles: all.flatMap(row) }
}
