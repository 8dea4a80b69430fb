/**
 * What has room on a panel's title line, worked out from the widths of the letters: asking the page would lay it out for the answer.
 */
import type { Freshness } from '../generated/frame'
import { FRESHNESS_WORD, is_current } from './freshness'
import { label_width_em } from './width'

export interface TitleLine {
  /** The panel's width in rem, and how much larger than usual its text is. */
  readonly width: number
  readonly height: number
  readonly grow: number
  readonly title: string
  readonly note: string | null
  readonly freshness: Freshness
  readonly age: string | null
  /** What is said of what may be missing. */
  readonly lacks: string
}

/** Below these a panel says what it is under its body, or beside it. As the style sheet of the panel. */
export const NARROW_REM = 52
const LOW_REM = 15
/** Border and padding, both sides. */
const RIM_REM = 3
const GAP_REM = 1
/** Sizes of the title, of what is minor and of what is loud, as the tokens. */
const TITLE_REM = 2.6
const MINOR_REM = 2.5
const LOUD_REM = 3.2

/** What of the line is shown. */
export interface Shown {
  /** Whether what may be missing is said in words; else by a mark. */
  readonly worded: boolean
  /** Whether the note has to give way to it. */
  readonly crowded: boolean
}

export function title_line(line: TitleLine): Shown {
  const { width, height, grow, freshness } = line
  const narrow = width <= NARROW_REM
  const live = is_current(freshness)
  if (!live && narrow && height <= LOW_REM) return { worded: false, crowded: false }
  const size = grow * (live ? MINOR_REM : LOUD_REM)
  const gap = grow * (live ? 0.5 : 0.8)
  const parts = [line.age ?? '']
  if (!live || !narrow) parts.push(live ? FRESHNESS_WORD[freshness] : FRESHNESS_WORD[freshness].toUpperCase())
  const said = parts.filter((part) => part !== '')
  const lacks = gap + grow * MINOR_REM * label_width_em(line.lacks)
  const what = size + lacks + said.reduce((sum, part) => sum + gap + size * label_width_em(part), 0)
  const beside_title = live || !narrow
  const title = beside_title ? GAP_REM + grow * TITLE_REM * label_width_em(line.title) : 0
  const room = width - RIM_REM - title - what
  const note = line.note === null ? 0 : GAP_REM + grow * MINOR_REM * label_width_em(line.note)
  return { worded: room >= 0, crowded: room < note && (room >= 0 || line.lacks === '') }
}
