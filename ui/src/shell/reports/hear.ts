/** The keys of a page over the wall, and that it goes by itself when nobody reads it any more. */
import { is_kiosk } from '../hand.svelte'
import { keyboard } from '../keyboard'
import { reports } from './open.svelte'
import type { Reader } from './reader.svelte'

/** One reads longer in a report than in a list of what is urgent. */
const LEFT_MS = 300_000
const TOUCHES = ['keydown', 'pointermove', 'pointerdown', 'wheel'] as const

interface Hand {
  readonly reader: Reader
  /** Where the line leads that a hand is at. */
  readonly go: () => void
  /** The same, into the record at its moment. */
  readonly look_back: () => void
  /** To what is beside: another list, another part. */
  readonly turn: (by: number) => void
  /** 1 to 8. */
  readonly digit: (digit: number) => void
  /** One thing back; false if there is none. */
  readonly back: () => boolean
}

export function hear_sheet({ reader, go, look_back, turn, digit, back }: Hand): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stay = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      reports.close()
    }, LEFT_MS)
  }
  const leave = (): void => {
    if (!back()) reports.close()
  }
  const done =
    <T extends readonly unknown[]>(what: (...of: T) => void) =>
    (...of: T): boolean => {
      what(...of)
      return true
    }
  const deaf = keyboard.hear({
    'report-move': done(({ key }: { readonly key: string }) => {
      const screen = Math.max(2, reader.room(reader.part) - 1)
      const far: Record<string, number> = {
        ArrowUp: -1,
        '-': -1,
        PageUp: -screen,
        PageDown: screen,
        Home: -1e9,
        End: 1e9,
      }
      reader.move(far[key] ?? 1)
    }),
    'report-turn': done(({ key }: { readonly key: string }) => {
      turn(key === 'ArrowLeft' ? -1 : 1)
    }),
    'report-go': done(go),
    'report-past': done(look_back),
    'report-choose': done(({ key }: { readonly key: string }) => {
      if (key === '0') leave()
      else if (key === '9') look_back()
      else digit(Number(key))
    }),
    'report-print': () => {
      if (is_kiosk()) return false
      print()
      return true
    },
    'report-close': done(leave),
  })
  stay()
  for (const touch of TOUCHES) addEventListener(touch, stay, { passive: true })
  return () => {
    deaf()
    clearTimeout(timer)
    for (const touch of TOUCHES) removeEventListener(touch, stay)
  }
}
