/** What a number's panel shows of it, worked out: its way there, its words, and the sizes at which they fit. */
import type { BandLook, Look, NumberDraw, State, Toward } from '../../generated/frame'
import { direction_of, figure_width_em, number_text, powered, signed_text } from '../../core/format'
import { SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { say } from '../../words/say'

/** A look of one number. */
export type OneNumber = Extract<Look, { trend_ms: unknown }>

/** How it is drawn: as its board says, else as its kind is. */
export function draw_of({ kind, draw }: OneNumber): NumberDraw {
  return draw ?? (kind === 'gauge' ? 'scale' : 'figure')
}

/** A sparkline's path in a box of 100 by 100, broken where nothing is known. */
export interface Spark {
  readonly path: string
  /** The last point, if it is known. */
  readonly end: { readonly x: number; readonly y: number } | null
  /** How high the target is. */
  readonly target: number | null
  /** The stretches of the scale that mean something, from top to bottom. */
  readonly shades: readonly Shade[]
}

export interface Shade {
  readonly top: number
  readonly bottom: number
  readonly state: State
  /** Whether the number is in it. */
  readonly is_in: boolean
}

/** What a sparkline shows besides its line. */
export interface SparkMarks {
  readonly target: number | null
  readonly bands: readonly BandLook[]
  readonly state: State
}

const NO_MARKS: SparkMarks = { target: null, bands: [], state: 'normal' }

export function spark(trend: readonly (number | null)[], marks: SparkMarks = NO_MARKS): Spark {
  const known = trend.filter((value) => value !== null)
  if (known.length === 0) return { path: '', end: null, target: null, shades: [] }
  // How far it is from its target is the point of having one: the target is in the picture, the bands are what of them falls into it.
  const held = marks.target === null ? known : [...known, marks.target]
  const low = Math.min(...held)
  const high = Math.max(...held)
  const span = high - low
  const x = (at: number): number => (trend.length < 2 ? 100 : (at / (trend.length - 1)) * 100)
  // A trend that never moves is a line in the middle, not at the bottom: it says steady, not none.
  const y = (value: number): number => (span === 0 ? 50 : 96 - ((value - low) / span) * 92)
  let path = ''
  let drawing = false
  trend.forEach((value, at) => {
    if (value === null) {
      drawing = false
      return
    }
    path += `${drawing ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
    drawing = true
  })
  const last = trend.at(-1) ?? null
  const edge = (of: number): number => (span === 0 ? (of <= low ? 100 : 0) : Math.min(100, Math.max(0, y(of))))
  const shades = marks.bands.flatMap(({ from, to, state }): Shade[] => {
    if (state === 'normal' || state === 'muted') return []
    const shade = { top: to === null ? 0 : edge(to), bottom: from === null ? 100 : edge(from), state }
    const is_in = last !== null && state === marks.state && (from ?? last) <= last && (to === null || last < to)
    return shade.bottom > shade.top ? [{ ...shade, is_in }] : []
  })
  return {
    path,
    end: last === null ? null : { x: 100, y: y(last) },
    target: marks.target === null ? null : y(marks.target),
    shades,
  }
}

/** A change in as many words as there is room for. */
export interface ChangeWords {
  readonly direction: 'up' | 'down' | 'flat'
  readonly number: string
  readonly span: string | null
  readonly toward: Toward | null
  /** Whether what it means is said in a word, and whether by its arrow: where there is no room for both, by the word. */
  readonly worded: boolean
  readonly pointed: boolean
}

/** Room of the arrow before a change, in em. */
export const ARROW_EM = 0.95

/**
 * What is said of a change, of the forms that fit the first: what it means is worth more than the time in which it came. `keeps_em`
 * is the widest that its number has been, so that its words don't come and go with a digit.
 */
export function change_words(
  { by, decimals, toward, span }: { by: number; decimals: number; toward: Toward | null; span: string },
  { room_em, keeps_em }: { room_em: number; keeps_em: number },
): ChangeWords {
  const direction = direction_of(by, decimals)
  // What is written as no change isn't one.
  const judged = direction === 'flat' ? null : toward
  const arrow_em = judged === null ? 0 : ARROW_EM
  const whole = signed_text(by, decimals)
  const number = label_width_em(whole) + arrow_em <= room_em ? whole : rough_signed(by, whole)
  const number_em = Math.max(keeps_em, label_width_em(number))
  const fits = (arrow: number, ...words: (string | null)[]): boolean =>
    words.reduce((em, text) => em + (text === null ? 0 : label_width_em(` ${text}`)), number_em + arrow) <= room_em
  const said = { direction, number, toward: judged }
  if (judged === null) return { ...said, span: fits(0, span) ? span : null, worded: false, pointed: false }
  const word = say(`number.${judged}`)
  if (fits(arrow_em, span, word)) return { ...said, span, worded: true, pointed: true }
  if (fits(arrow_em, word)) return { ...said, span: null, worded: true, pointed: true }
  if (fits(0, word)) return { ...said, span: null, worded: true, pointed: false }
  return { ...said, span: null, worded: false, pointed: true }
}

/** A difference with as few digits as say its size, if that is shorter. */
function rough_signed(by: number, whole: string): string {
  const rough = (by < 0 ? '' : '+') + powered(by, 1)
  return label_width_em(rough) < label_width_em(whole) ? rough : whole
}

/** How far a number is from its target, in the longest form that fits: `−3 to target 80`. */
export function target_words(
  { by, decimals, target }: { by: number; decimals: number; target: string },
  room_em: number,
): string | null {
  const is_met = Number(by.toFixed(decimals)) === 0
  const forms = is_met
    ? [say('target.on', { target }), say('target.on-short')]
    : [
        say('target.to', { by: signed_text(by, decimals), target }),
        say('target.to-short', { by: signed_text(by, decimals) }),
      ]
  return forms.find((form) => label_width_em(form) <= room_em) ?? null
}

/** A number with all of its digits, or, where these have no room, with fewer and seen to be so: `1.23e6`. Nothing of it is cut off. */
export function fitting_number(value: number, decimals: number, room_em: number): string {
  const whole = number_text(value, decimals)
  if (!Number.isFinite(value) || figure_width_em(whole) <= room_em) return whole
  const rough = [2, 1, 0].map((digits) => powered(value, digits))
  const shorter = rough.filter((text) => figure_width_em(text) < figure_width_em(whole))
  return shorter.find((text) => figure_width_em(text) <= room_em) ?? shorter.at(-1) ?? whole
}

/** A body lower than this is a low panel's, in which the way stands beside the figure, with room for an arrow from this width on. */
const LOW_REM = 11
const POINTED_REM = 38
/** A body narrower than this, and as high, has its way above its words. */
const STACKED_WIDTH_REM = 36
const STACKED_HEIGHT_REM = 22
/** Parts of the body that what is said of a number has: beside its way, and in a low panel. As the style sheet. */
const SAID_SHARE = 0.58
const LOW_SHARE = 0.44
const WAY_SHARE = 0.38
const LINE = 1.2
/** Words grow with their panel, as long as a usual line of them fits. */
const WORDS_SHARE = 0.13
const WORDS_EM = 9
const WORDS_REM_MAX = 4.4

export interface SaidLayout {
  /** The words' size, in rem before growth, and their room in em of it. */
  readonly size: number
  readonly room_em: number
  readonly lines: number
}

export interface FigureLayout extends SaidLayout {
  readonly pointed: boolean
  readonly stacked: boolean
}

/** The size of the words in so much room. */
export function words_size(width: number, height: number): number {
  return Math.max(SIZES.label, Math.min(WORDS_REM_MAX, WORDS_SHARE * height, width / WORDS_EM))
}

/** How a number's panel of this size, in rem before growth, shares its room. */
export function figure_layout(of: { width: number; height: number; trending: boolean }): FigureLayout {
  const { width, height, trending } = of
  const low = height <= LOW_REM
  const stacked = !low && trending && width < STACKED_WIDTH_REM && height >= STACKED_HEIGHT_REM
  const room = (low ? LOW_SHARE : trending && !stacked ? SAID_SHARE : 1) * width
  const size = low ? SIZES.label : words_size(room, height)
  const has_two = stacked || WAY_SHARE * height >= 2 * size * LINE
  const lines = low || !trending || !has_two ? 1 : 2
  return { size, room_em: room / size, lines, pointed: !low || width > POINTED_REM, stacked }
}

/** Unit and ≥ don't compete with the digits, and are no smaller than can be read. */
const SMALL_SHARE = 0.42

export interface FigureRoom {
  readonly width: number
  readonly height: number
  /** Widths of the digits and of the mark, in em of the digits. */
  readonly digits_em: number
  readonly mark_em: number
  /** Width of what is small, in em of its own size. */
  readonly small_em: number
  /** The smallest size that can be read. */
  readonly small_px: number
}

/** The largest size at which a number fits into its box, and that of its unit. */
export function figure_size(room: FigureRoom): { readonly figure_px: number; readonly small_px: number } {
  const em = room.digits_em + room.mark_em
  const together = Math.min(0.92 * room.height, room.width / (em + room.small_em * SMALL_SHARE))
  if (together * SMALL_SHARE >= room.small_px) return { figure_px: together, small_px: together * SMALL_SHARE }
  const beside = (room.width - room.small_em * room.small_px) / em
  return { figure_px: Math.max(0, Math.min(0.92 * room.height, beside)), small_px: room.small_px }
}
