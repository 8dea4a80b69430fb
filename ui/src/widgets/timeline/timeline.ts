/** How rows of states share their panel: which are drawn, in which order, and where each state begins, ends and has room for its word. */
import type { Stretch, TimelineRow } from '../../generated/frame'
import { LINE, SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { say } from '../../words/say'

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Window {
  readonly from_ms: number
  readonly to_ms: number
}

type State = Stretch['state']

/** Heights in rem, of the panel's own growth. */
const ROW = { least: 3.6, most: 7.5 } as const
const AXIS_HEIGHT = 3.2
const COUNT_HEIGHT = 3.4
const LARGEST = 1.35
/** Names have at most this part of the width. */
const NAME_SHARE_MAX = 0.34
const GAP = 1
/** What is narrower than this is drawn so wide, in rem; of several at one place the worst. */
export const NARROWEST = 0.5

const URGENCY: Record<State, number> = { alarm: 0, warning: 1, unknown: 2, normal: 3, muted: 4 }
/** A row of which nobody knows how it is stands behind what is to be looked at, and before what is well. */
const UNKNOWN_URGENCY = 2

export interface Laid {
  readonly rows: readonly TimelineRow[]
  readonly row: number
  readonly size: number
  /** Width of the names, with the gap behind them, in rem. */
  readonly names: number
  readonly with_axis: boolean
  readonly hidden: number
  readonly more: string
  /** Room that what is said of them takes behind the rows, in rem; none where it stands below. */
  readonly beside: number
}

/** The state that a row is in at the newest instant of which anything is known. */
export function state_now(row: TimelineRow): State | null {
  const last = row.stretches.at(-1)
  return last?.to_ms === null ? last.state : null
}

const names = new Intl.Collator('en', { numeric: true })
const by_name = (a: TimelineRow, b: TimelineRow): number => names.compare(a.label, b.label) || (a.key < b.key ? -1 : 1)
const urgency = (row: TimelineRow): number => {
  const state = state_now(row)
  return state === null ? UNKNOWN_URGENCY : URGENCY[state]
}

export function ordered(rows: readonly TimelineRow[], order: 'worst' | 'key'): readonly TimelineRow[] {
  return [...rows].sort((a, b) => (order === 'worst' ? urgency(a) - urgency(b) : 0) || by_name(a, b))
}

export function laid_out(all: readonly TimelineRow[], place: Size): Laid {
  const { height } = place
  // The line of time says when anything was; only where not even one row would be left does it give way.
  const with_axis = height >= AXIS_HEIGHT + ROW.least
  const room = height - (with_axis ? AXIS_HEIGHT : 0)
  const fits = (rem: number): number => Math.max(1, Math.floor((rem + 0.05) / ROW.least))
  const cut = all.length > fits(room)
  // In a low panel what is said of the others stands behind the rows.
  const beside = cut && room - COUNT_HEIGHT < ROW.least
  const left = room - (cut && !beside ? COUNT_HEIGHT : 0)
  const rows = cut ? urgent_first(all, fits(left)) : all
  const hidden = all.filter((one) => !rows.includes(one))
  const more = more_words(hidden, (place.width * (beside ? 0.24 : 1)) / SIZES.minor, beside)
  const taken = beside ? label_width_em(more) * SIZES.minor * 1.05 + GAP : 0
  const width = place.width - taken
  const row = Math.min(ROW.most, Math.max(ROW.least, left / Math.max(1, rows.length)))
  const size = Math.max(SIZES.minor, Math.min(SIZES.row * LARGEST, row / LINE / 1.4))
  const widest = Math.max(1, ...rows.map(({ label }) => label_width_em(label))) * size * 1.03
  return {
    rows,
    row,
    size,
    names: Math.min(widest, width * NAME_SHARE_MAX) + GAP,
    with_axis,
    hidden: hidden.length,
    more,
    beside: taken,
  }
}

function urgent_first(all: readonly TimelineRow[], count: number): readonly TimelineRow[] {
  const kept = new Set([...all].sort((a, b) => urgency(a) - urgency(b)).slice(0, count))
  return all.filter((row) => kept.has(row))
}

/** `+7 more rows, 2 alarms` */
function more_words(hidden: readonly TimelineRow[], room_em: number, short: boolean): string {
  if (hidden.length === 0) return ''
  const states = hidden.map(state_now)
  const bad = (['alarm', 'warning'] as const).flatMap((state) => {
    const count = states.filter((own) => own === state).length
    return count === 0 ? [] : [`, ${say(`count.${state}`, { count })}`]
  })
  const words = say('timeline.more', { count: hidden.length }) + bad.join('')
  const few = `+${String(hidden.length)}${bad[0] ?? ''}`
  if (!short && label_width_em(words) <= room_em) return words
  return label_width_em(few) <= room_em ? few : `+${String(hidden.length)}`
}

/** One piece of a row as it is drawn; no state where nobody knows. */
export interface Piece {
  readonly from_ms: number
  readonly to_ms: number
  readonly text: string
  readonly state: State | null
}

/**
 * A row's pieces within the window, without a hole between them. What is so until now is known until `known_until_ms`, which is the newest
 * proof, and no longer (H1). What is narrower than `least_ms` is one with its neighbours, and looks as the worst of them.
 */
export function pieces(
  stretches: readonly Stretch[],
  { from_ms, to_ms }: Window,
  known_until_ms: number,
  least_ms: number,
): Piece[] {
  const all: Piece[] = []
  let at = from_ms
  for (const { from_ms: from, to_ms: to, text, state } of stretches) {
    const begin = Math.max(from, at)
    const end = Math.min(to ?? known_until_ms, to_ms, known_until_ms)
    if (end <= begin) continue
    if (begin > at) all.push({ from_ms: at, to_ms: begin, text: '', state: null })
    all.push({ from_ms: begin, to_ms: end, text, state })
    at = end
  }
  if (at < to_ms) all.push({ from_ms: at, to_ms, text: '', state: null })
  return merged(all, least_ms)
}

/** A hatch is worse than what is well: it is not to vanish beside it. */
const rank = (piece: Piece): number => (piece.state === null ? 1.5 : URGENCY[piece.state])

function merged(all: readonly Piece[], least_ms: number): Piece[] {
  const drawn: Piece[] = []
  for (const piece of all) {
    const last = drawn.at(-1)
    if (last === undefined || last.to_ms - last.from_ms >= least_ms) {
      drawn.push(piece)
      continue
    }
    // The one before is too narrow to be seen: it takes over what follows, as far as it has to.
    const worse = rank(piece) < rank(last) ? piece : last
    const reach_ms = Math.min(piece.to_ms, Math.max(last.from_ms + least_ms, last.to_ms))
    const same = piece.state === worse.state && piece.text === worse.text
    drawn[drawn.length - 1] = { ...worse, from_ms: last.from_ms, to_ms: same ? piece.to_ms : reach_ms }
    if (!same && reach_ms < piece.to_ms) drawn.push({ ...piece, from_ms: reach_ms })
  }
  return drawn
}

/** What is known of a row at an instant, for a hand. */
export function said_at(row: TimelineRow, at_ms: number, known_until_ms: number): Stretch | null {
  if (at_ms > known_until_ms) return null
  return row.stretches.find(({ from_ms, to_ms }) => from_ms <= at_ms && (to_ms === null || at_ms < to_ms)) ?? null
}
