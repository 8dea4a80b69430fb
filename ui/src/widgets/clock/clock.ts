/** Clocks of several zones: what each says, and how they share their room. All of it goes by the time that they are given. */
import { DASHES, figure_width_em, Zone } from '../../core/format'
import { LINE, SIZES } from '../../core/sizes'
import { fitted, label_width_em } from '../../core/width'
import type { ClockZone } from '../../generated/frame'
import { numerals_now } from '../../words/numerals'
import { say } from '../../words/say'

export interface Face {
  readonly name: string
  readonly time: string
  /** ` PM`, where a day has twice twelve hours. */
  readonly half: string
  /** The day there, where it is shown; or why there is no time. */
  readonly day: string
}

export interface Told {
  readonly zone: Zone
  readonly name: string
}

export function told(zones: readonly ClockZone[]): Told[] {
  return zones.map(({ zone, name }) => ({ zone: new Zone(zone), name }))
}

/**
 * What a clock says at an instant; its seconds are those of every zone. One of a zone that this web view doesn't know says that, and no
 * time of another (H1).
 */
export function face({ zone, name }: Told, own: Zone, now_ms: number, date: boolean): Face {
  if (!zone.known) return { name, time: DASHES, half: '', day: unknown_day() }
  // A day that isn't that of the board is part of what time it is.
  const dated = date || zone.date(now_ms) !== own.date(now_ms)
  const { time, half } = zone.face(now_ms)
  return { name, time, half, day: dated ? zone.short_date(now_ms) : '' }
}

/** As much of it as a day has room for. */
const unknown_day = (): string => fitted(say('clock.unknown'), 8, 1)

/** The widest of what a day is written as. */
function widest_day_em(): number {
  return Math.max(...['Wed 30 May', unknown_day()].map(label_width_em))
}

export interface ClockRoom {
  readonly width: number
  readonly height: number
  /** Pixels of the smallest text that can be read. */
  readonly small_px: number
  /** Widths of the names, in em. */
  readonly names_em: readonly number[]
  /** Whether names are shown, and whether room is kept for days. */
  readonly named: boolean
  readonly dated: boolean
  readonly seconds: boolean
}

export interface ClockShape {
  /** How many are shown, how many of them side by side, and how many have no room. */
  readonly shown: number
  readonly hidden: number
  readonly across: number
  /** Whether names stand beside their digits and not above them. */
  readonly beside: boolean
  readonly figure_px: number
  /** Whether there is room for names and days, and how much for a name. */
  readonly named: boolean
  readonly dated: boolean
  readonly name_px: number
  /** Whether the day stands below the name. */
  readonly stacked: boolean
  /** Whether what is hidden is counted beside the others and not below them. */
  readonly count_beside: boolean
}

type One = Omit<ClockShape, 'shown' | 'hidden' | 'count_beside'>

/** Between two clocks, and between words and digits, in em of small text. */
const GAP_EM = 1.4
const WORD_GAP_EM = 0.8
/** Of its height, as every figure. */
const HIGH = 0.92
/** A long name gives way before the digits do, down to so much. */
const NAME_EM_MIN = 5
/** Names stand above their digits unless those are so much larger for it. */
const BESIDE_GAIN = 1.3

/** The shape in which the digits are largest; fewer clocks where not all can be read, and the last one without its words. */
export function clock_shape(room: ClockRoom): ClockShape {
  const count = room.names_em.length
  for (let shown = count; shown > 1; shown -= 1) {
    const shape = best(room, shown)
    if (shape.figure_px >= (SIZES.row / SIZES.minor) * room.small_px) return shape
  }
  const whole = best(room, 1)
  if (whole.figure_px >= room.small_px) return whole
  const undated = best({ ...room, dated: false }, 1)
  return undated.figure_px >= room.small_px ? undated : best({ ...room, dated: false, named: false }, 1)
}

function best(room: ClockRoom, shown: number): ClockShape {
  const hidden = room.names_em.length - shown
  const { width, height, small_px } = room
  const below = { ...room, height: height - LINE * small_px }
  const right = { ...room, width: width - small_px * (WORD_GAP_EM + label_width_em(say('more', { count: hidden }))) }
  const tries =
    hidden === 0
      ? [{ of: room, count_beside: false }]
      : [below, right].map((of) => ({ of, count_beside: of === right }))
  let found: ClockShape | null = null
  for (const { of, count_beside } of tries) {
    for (let across = 1; across <= shown; across += 1) {
      for (const one of [above(of, shown, across), beside(of, shown, across)]) {
        const gain = one.beside && found?.beside === false ? BESIDE_GAIN : 1.02
        if (found === null || one.figure_px > found.figure_px * gain) found = { ...one, shown, hidden, count_beside }
      }
    }
  }
  return found ?? { ...above(room, 1, 1), shown, hidden, count_beside: false }
}

function cell({ width, height, small_px }: ClockRoom, shown: number, across: number): { wide: number; high: number } {
  const down = Math.ceil(shown / across)
  return {
    wide: (width - (across - 1) * GAP_EM * small_px) / across,
    high: (height - ((down - 1) * GAP_EM * small_px) / 4) / down,
  }
}

function words_em({ named, dated, names_em }: ClockRoom): { name_em: number; day_em: number; gap_em: number } {
  const name_em = named ? Math.max(0, ...names_em) : 0
  const day_em = dated ? widest_day_em() : 0
  return { name_em, day_em, gap_em: name_em > 0 && day_em > 0 ? WORD_GAP_EM : 0 }
}

const digits_em = ({ seconds }: ClockRoom): number =>
  figure_width_em(seconds ? '00:00:00' : '00:00') + Math.max(0, ...numerals_now().halves.map(label_width_em))

function above(room: ClockRoom, shown: number, across: number): One {
  const { named, dated, small_px } = room
  const { wide, high } = cell(room, shown, across)
  const { name_em, day_em, gap_em } = words_em(room)
  const stacked = gap_em > 0 && (name_em + gap_em + day_em) * small_px > wide
  const lines = name_em + day_em === 0 ? 0 : stacked ? 2 : 1
  const figure_px = Math.max(0, Math.min(HIGH * (high - lines * LINE * small_px), wide / digits_em(room)))
  const name_px = stacked ? wide : wide - (gap_em + day_em) * small_px
  return { across, beside: false, figure_px, named, dated, name_px, stacked }
}

function beside(room: ClockRoom, shown: number, across: number): One {
  const { named, dated, small_px } = room
  const { wide, high } = cell(room, shown, across)
  const { name_em, day_em, gap_em } = words_em(room)
  const stacked = gap_em > 0 && 2 * LINE * small_px <= high
  const largest = HIGH * high
  const fixed = stacked || gap_em === 0 ? 0 : (gap_em + day_em) * small_px
  const gap = name_em + day_em === 0 ? 0 : WORD_GAP_EM * small_px
  // What the digits leave at their largest, but no less than a name can do with.
  const left = wide - gap - fixed - largest * digits_em(room)
  const least = Math.max(Math.min(name_em, NAME_EM_MIN), stacked || name_em === 0 ? day_em : 0) * small_px
  const name_px = Math.max(least, Math.min(left, (stacked ? Math.max(name_em, day_em) : name_em || day_em) * small_px))
  const figure_px = Math.max(0, Math.min(largest, (wide - gap - fixed - name_px) / digits_em(room)))
  return { across, beside: true, figure_px, named, dated, name_px, stacked }
}

/** What is said of them aloud. */
export function clock_words(faces: readonly Face[]): string {
  return faces
    .map(({ name, time, half, day }) =>
      [name, time === DASHES ? '' : time + half, day].filter((part) => part !== '').join(' '),
    )
    .join(', ')
}
