/**
 * How a panel shares its room between its title, what is said of its link, and its body: worked out from the widths of the letters,
 * for asking the page would lay it out for the answer. The style sheet of the panel places the parts by the answer.
 */
import { SIZES } from './sizes'
import { fitted, label_width_em, lines_of } from './width'

export interface PanelRoom {
  /** The panel's size in rem, and how much larger than usual its text is. */
  readonly width: number
  readonly height: number
  readonly grow: number
  /** Whether its body is one number, which needs the height more than a note does and keeps its size whatever happens. */
  readonly single: boolean
  readonly title: string
  readonly note: string | null
  /** The word for its freshness; loud if it isn't of now or nobody knows whether it is right. */
  readonly word: string
  readonly loud: boolean
  /** Whether the body is no more than dashes or a sign. */
  readonly bare?: boolean
  readonly age: string | null
  /** What is said of what may be missing; null if nothing is. */
  readonly lacks: string | null
  /** Why it isn't live; null if it is. */
  readonly reason: string | null
  /** Whether an alarm's mark hangs over the corner before the title, and with a question mark: that gives way to it, and nothing below moves. */
  readonly marked?: 'sure' | 'doubtful' | null
}

/** A narrow panel says what it is under its body, a low one beside it, and a slim one has two short lines for its title. */
export const NARROW_REM = 52
export const LOW_REM = 15
const SLIM_REM = 24
const FLAT_REM = 10
/** From here on half a sentence would be all there is of a note. */
const NOTED_REM = 42
/** Where a note has a line for itself: what is lower needs it for what it shows. */
const NOTE_LINE_REM = 20
const NOTE_LINE_SINGLE_REM = 28
/** Border and padding, both sides. */
const RIM_REM = 3
const GAP_REM = 1
/** How much of the title's line an alarm's mark has, as in the style sheet: less a part that hangs outside. */
const MARKED_REM = 3.65
const MARKED_OUTSIDE_REM = 2.05
const DOUBT_REM = 1.6
const TALL_REM = 28
const REASON_LINES = 3

export interface PanelShape {
  /** Whether what is said of the link stands below the body and not beside the title; where that is low, beside the body. */
  readonly narrow: boolean
  readonly low: boolean
  readonly slim: boolean
  /** So low that its title has one tight line. */
  readonly flat: boolean
  /** A panel that has room to say why it isn't live in two lines over a number. */
  readonly tall: boolean
  /** The title, and the lines that it takes. It is whole unless there is no room for it at all: then its middle is left out. */
  readonly title: string
  readonly title_lines: number
  readonly noted: boolean
  /** Whether a quiet freshness says its word; its mark alone says the same. */
  readonly says_word: boolean
  /** The word, and whether it is so long that it has to be smaller; whole unless there is no room for it even then. */
  readonly word: string
  readonly wordy: boolean
  /** Whether the age has room behind a loud word. */
  readonly says_age: boolean
  /** Whether what may be missing is said in words; else by a mark. */
  readonly worded: boolean
  /** The reason, whole or without its middle: both its ends matter, for when it is tried again stands at the last. */
  readonly reason: string | null
}

export function panel_shape(room: PanelRoom): PanelShape {
  const { width, height, grow, single, loud } = room
  const low = height <= LOW_REM
  const slim = width <= SLIM_REM
  const full = width - RIM_REM
  const title = grow * SIZES.title * label_width_em(room.title)
  const tall = height > TALL_REM * grow
  const flat = height <= FLAT_REM * grow
  const lines_max = tall ? 3 : flat ? 1 : 2
  const lines_in = (rem: number): number => lines_of(room.title, rem / (grow * SIZES.title))

  // A title is worth more than the word of a quiet freshness, for its mark says the same.
  const mark = GAP_REM + grow * SIZES.minor * 0.8
  const quiet = mark + grow * 0.5 + grow * SIZES.minor * label_width_em(room.word)
  const says_word = loud || (width > NARROW_REM && title + quiet <= full)
  const live_lines = Math.min(lines_max, lines_in(full - mark))

  const said = what_width(room, says_word)
  // Beside a loud word a title keeps the lines that it has while all is well, or the word stands elsewhere.
  const narrow = width <= NARROW_REM || (loud && lines_in(full - said.plain - GAP_REM) > live_lines)
  const beside = !loud || !narrow
  const title_room = beside ? full - said.plain - GAP_REM : full
  const lines = lines_in(title_room)
  const title_lines = Math.min(lines_max, single ? Math.max(lines, live_lines) : lines)

  const worded = beside ? lines_in(full - said.lacked - GAP_REM) <= title_lines : !low && said.lacked <= full
  const taken = beside ? GAP_REM + (worded ? said.lacked : said.plain) : 0
  const note = room.note === null ? 0 : GAP_REM + grow * SIZES.minor * label_width_em(room.note)
  const marked =
    room.marked == null ? 0 : (MARKED_REM + (room.marked === 'sure' ? 0 : DOUBT_REM)) * grow - MARKED_OUTSIDE_REM
  const fits = title_lines === 1 && title + note <= full - taken - marked
  const has_line =
    !loud && height >= (single ? NOTE_LINE_SINGLE_REM : NOTE_LINE_REM) && note <= full - Math.max(mark, taken)
  const below = loud && narrow ? word_below(room, low, single) : null
  const reason_lines = single ? (tall ? 2 : 1) : low ? 1 : REASON_LINES
  return {
    narrow,
    low,
    slim,
    flat,
    tall,
    title: fitted(room.title, (title_room - marked) / (grow * SIZES.title), title_lines),
    title_lines,
    noted: room.note !== null && width > NOTED_REM && (fits || has_line),
    says_word,
    word: below?.word ?? room.word,
    wordy: below?.wordy ?? false,
    says_age: !loud || low || said.plain <= full,
    worded,
    reason: room.reason === null ? null : fitted(room.reason, full / (grow * SIZES.minor), reason_lines),
  }
}

/** Share of a low panel's width that its word has beside one number, and what stands there besides; where nothing else does, all but what dashes need. */
const BESIDE_SHARE = 0.46
const BESIDE_RIM_REM = 0.9
const BESIDE_ROWS_SHARE = 0.6
const BARE_REM = 10

/** A loud word that stands under the body or beside it. */
function word_below(
  { width, grow, word, bare }: PanelRoom,
  low: boolean,
  single: boolean,
): { word: string; wordy: boolean } {
  if (low && !single) {
    const left = BESIDE_ROWS_SHARE * width - grow * (SIZES.title + 0.8)
    if (grow * SIZES.title * label_width_em(word.toUpperCase()) <= left) return { word, wordy: false }
    return { word: fitted(word, left / (grow * SIZES.minor), 1), wordy: true }
  }
  const beside = low
  const all = beside ? (bare === true ? width - BARE_REM : BESIDE_SHARE * width) - BESIDE_RIM_REM : width - RIM_REM
  const mark = grow * (SIZES.word + 0.8)
  if (grow * SIZES.word * label_width_em(word.toUpperCase()) <= all - (beside ? 0.9 * SIZES.title + 0.45 : mark))
    return { word, wordy: false }
  return { word: fitted(word, (beside ? all : all - mark) / (grow * SIZES.minor), 1), wordy: true }
}

/** Widths of what is said of the link, without and with the words for what may be missing. */
function what_width(
  { grow, loud, word, age, lacks }: PanelRoom,
  says_word: boolean,
): { plain: number; lacked: number } {
  const size = grow * (loud ? SIZES.word : SIZES.minor)
  const gap = grow * (loud ? 0.8 : 0.5)
  const parts = [says_word ? (loud ? word.toUpperCase() : word) : '', age ?? '']
  const plain = parts.filter((part) => part !== '').reduce((sum, part) => sum + gap + size * label_width_em(part), size)
  const doubt = lacks === null ? 0 : gap + grow * SIZES.minor * label_width_em('?')
  const words = lacks === null ? 0 : gap + grow * SIZES.minor * label_width_em(lacks)
  return { plain: plain + doubt, lacked: plain + words }
}
