/** How large text is to an eye, and how much larger it has to be: in minutes of arc, from the distance that the wall is read from. */
import type { BoardView, Notice, SpanView } from '../generated/frame'
import { arrange } from './arrange'
import { around, rem_px } from './glass'
import { type Layout, layouts } from './layout'
import { SIZES } from './sizes'
import { letters, spread } from './span'
import { grouped } from '../words/numerals'
import { say } from '../words/say'

/** What is known of the glass besides its pixels. */
export interface Sight {
  /** This page's pixels a millimetre; null if the screen's size isn't known. */
  readonly px_per_mm: number | null
  /** From how far it is read, millimetres; null if the board says that. */
  readonly distance_mm: number | null
}

/** What comes of it. */
export interface Seen {
  /** How many times larger than the glass has room for by itself. */
  readonly larger: number
  /** What people must know of it. */
  readonly notice: Notice | null
}

/** The least that is read without effort: capitals of the smallest text (ISO 9241-303 has 16 for what is read all day). */
export const ARC_MIN = 15
/** Half a minute less is nothing that an eye finds. */
const ARC_SLACK = 0.5
/** Capitals of both faces, by their size. */
const CAPITAL = 0.711
/** Panels hold their contents up to here. */
const LARGER_MAX = 1.6
/** The least that a panel needs for its title and what it says, in rem. With less its figures would be smaller for its words being larger. */
const PANEL_MIN = { width: 14, height: 11 } as const
/** The gap between two panels, in rem. As the style sheet. */
const GAP = 0.8

/** Minutes of arc of `mm` from `distance_mm`. */
export function arc_minutes(mm: number, distance_mm: number): number {
  return (Math.atan(mm / distance_mm) * 180 * 60) / Math.PI
}

/** The least room, in rem, in which `count` of `of` cells hold `least`. */
function room_for(least: number, count: number, of: number, around: number): number {
  return ((least + GAP) * of) / count - GAP + around
}

/** How many times larger text may be until the first panel has no room for it. Of a picture over several monitors on any of them. */
export function largest(board: BoardView, width_rem: number, height_rem: number, span: SpanView | null = null): number {
  let most = LARGER_MAX
  const taken = around(width_rem, height_rem)
  const ratio = (width_rem - taken.width) / (height_rem - taken.height)
  const laid = layouts(board).flatMap((page): readonly Layout[] =>
    span === null ? [arrange(page, ratio)] : spread(page, span).parts,
  )
  for (const { extent, places } of laid) {
    for (const place of places.values()) {
      most = Math.min(
        most,
        width_rem / room_for(PANEL_MIN.width, place.width, extent.columns, taken.width),
        height_rem / room_for(PANEL_MIN.height, place.height, extent.rows, taken.height),
      )
    }
  }
  return Math.max(1, most)
}

/** Metres, as people say them. */
function metres(mm: number): string {
  return `${grouped(Math.round(mm / 100) / 10)} m`
}

/** How large text is to be on a glass of so many pixels, which may be a part of a picture over several. */
export function see(
  board: BoardView,
  sight: Sight,
  width_px: number,
  height_px: number,
  span: SpanView | null = null,
): Seen {
  const distance_mm = sight.distance_mm ?? board.viewing_distance_mm ?? null
  if (distance_mm === null) return { larger: 1, notice: null }
  if (sight.px_per_mm === null) {
    // Who sits before it can see for himself.
    if (sight.distance_mm !== null) return { larger: 1, notice: null }
    const text = say('sight.unknown', { distance: metres(distance_mm) })
    return { larger: 1, notice: { id: 'sight', state: 'muted', text, detail: [say('sight.unknown-help')] } }
  }
  const times = span === null ? 1 : letters(span, { width: width_px, height: height_px })
  const fit_px = rem_px(width_px, height_px) * times
  const usual = arc_minutes((CAPITAL * SIZES.minor * fit_px) / sight.px_per_mm, distance_mm)
  const most = largest(board, width_px / fit_px, height_px / fit_px, span)
  const larger = Math.min(Math.max(1, ARC_MIN / usual), most)
  const arc = usual * larger
  if (arc >= ARC_MIN - ARC_SLACK) return { larger, notice: null }
  const text = say('sight.small', { arc: Math.round(arc), distance: metres(distance_mm), least: ARC_MIN })
  return { larger, notice: { id: 'sight', state: 'muted', text, detail: [] } }
}
