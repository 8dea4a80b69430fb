/** A heat map: its rows, cells, time and legend. */
import type { HeatLook } from '../../generated/frame'
import { isolated } from '../../core/bidi'
import type { Known } from '../../core/buckets'
import { mark_text } from '../../core/digits'
import { figure_text, type Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import { SIZES } from '../../core/sizes'
import { fitted, label_width_em } from '../../core/width'
import { FACE } from '../canvas'
import { type Colours, hatch, mixed } from '../paint'
import { time_ticks } from '../series/axis'
import { type Grid, type HeatCell, rows_of_days, rows_of_keys, type Steps, steps_of } from './heat'
import { say } from '../../words/say'

export interface Input {
  readonly look: HeatLook
  readonly series: HeldSeries
  readonly zone: Zone
  readonly now_ms: number
  /** From here to now nothing is known; null while the widget is current. */
  readonly known_until_ms: number | null
  readonly stale: boolean
}

/** So much of a value's colour has a cell of each step, the rest is the panel's. Between two of them is the grey on which no number is read. */
const SHARES: readonly number[] = [0.1, 0.2, 0.3, 0.65, 0.9]
/** From this step on numbers are written in the panel's colour. */
const LIGHT_FROM = 3
/** Below so many rem the legend goes, then the line of time. */
const LEGEND_REM = 14
const TIME_REM = 9
const ROW_EM = 1.15
/** The widest a row's name may be, in parts of the panel. */
const NAME_SHARE = 0.34
/** Cells are no narrower, in device pixels: fewer of them are shown. */
const CELL_PX = 3
/** Of a cell that isn't whole, what is drawn. */
const PARTIAL_SHARE = 0.6

export interface Frame {
  readonly left: number
  readonly top: number
  readonly cell_px: number
  readonly row_px: number
  /** Rows that have room. */
  readonly shown: number
}

/** What was drawn where, for a hand. */
export interface Drawn {
  /** Rows that could not be shown. */
  readonly more: number
  readonly grid: Grid
  /** The first of the rows that are shown, and where they stand, in device pixels. */
  readonly first: number
  readonly frame: Frame
}

/** Gives what was drawn. */
export function draw(ctx: CanvasRenderingContext2D, input: Input, colours: Colours, rem: number): Drawn {
  const { look, series, zone, now_ms } = input
  const { width, height } = ctx.canvas
  const em = SIZES.label * rem
  const high = height / rem
  const until_ms = Math.min(now_ms, input.known_until_ms ?? Infinity)
  const known: Known = { bucket_ms: look.bucket_ms, until_ms, gaps: series.gaps }
  const legend = high >= LEGEND_REM ? em * 1.5 : 0
  const time = high >= TIME_REM ? em * 1.25 : 0
  const room_em = (width * NAME_SHARE) / em
  const guess = look.days
    ? rows_of_days(series, look, known, now_ms, zone)
    : rows_of_keys(series, look, known, now_ms, Infinity)
  const has_room = guess.rows.every((name) => label_width_em(name) <= room_em)
  const names = (has_room ? guess.rows : guess.short_rows).map((name) => fitted(name, room_em, 1))
  const gutter = em * Math.max(1, ...names.map(label_width_em)) + rem
  const wide = width - gutter - rem * 0.6
  const columns_max = Math.max(1, Math.floor(wide / CELL_PX))
  const grid =
    !look.days && guess.columns > columns_max ? rows_of_keys(series, look, known, now_ms, columns_max) : guess
  const room = height - legend - time - rem * 0.4
  const fitting = (of_px: number): number => Math.max(1, Math.floor(of_px / (em * ROW_EM) + 0.02))
  // A line below them says how many have no room. Of days the newest are shown.
  const is_cut = grid.rows.length > fitting(room)
  const has_line = is_cut && fitting(room) > 1
  const room_px = has_line ? room - em * ROW_EM : room
  const shown = is_cut ? Math.min(grid.rows.length, fitting(room_px)) : grid.rows.length
  const first = look.days ? grid.rows.length - shown : 0
  const row_px = Math.max(1, Math.min(em * 3.2, Math.floor(room_px / Math.max(1, shown))))
  const frame: Frame = { left: gutter, top: rem * 0.2, cell_px: wide / grid.columns, row_px, shown }
  const cells = grid.cells.filter(({ row }) => row >= first && row < first + shown)
  const steps = steps_of(
    look,
    cells.flatMap(({ is, value }) => (is === 'whole' || is === 'partial' ? [value] : [])),
  )
  ctx.save()
  ctx.font = `400 ${em.toFixed(1)}px ${FACE}`
  const has_unknown = draw_cells(
    ctx,
    cells.map((cell) => ({ ...cell, row: cell.row - first })),
    steps,
    input,
    colours,
    frame,
    rem,
  )
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'right'
  ctx.fillStyle = colours.label
  const more = grid.rows.length - shown
  const count = `+${String(more)}`
  for (let row = 0; row < shown && row_px >= em; row += 1) {
    // Without a line for it the count stands in place of the only name.
    const name = is_cut && !has_line ? count : (names[first + row] ?? '')
    ctx.fillText(isolated(name), gutter - rem * 0.6, frame.top + (row + 0.5) * row_px)
  }
  if (has_line) {
    ctx.textAlign = 'left'
    const words = say(look.days ? 'heat.days' : 'heat.rows', { count: more })
    const text = label_width_em(words) * em <= wide ? words : count
    ctx.fillText(text, gutter, frame.top + shown * row_px + em * 0.6)
  }
  const bottom = frame.top + shown * row_px + (has_line ? em * ROW_EM : 0)
  if (time > 0) draw_time(ctx, grid, input, colours, frame, em, bottom + em * 0.68)
  if (legend > 0)
    draw_legend(ctx, steps, look, has_unknown, colours, { em, rem, left: gutter, y: height - em * 0.75, wide })
  ctx.restore()
  return { more, grid, first, frame }
}

/** Says whether anybody would ask what a hatch means. */
function draw_cells(
  ctx: CanvasRenderingContext2D,
  cells: readonly HeatCell[],
  steps: Steps,
  { look, stale }: Input,
  colours: Colours,
  { left, top, cell_px, row_px }: Frame,
  rem: number,
): boolean {
  const em = SIZES.label * rem
  const gap = cell_px >= 8 ? Math.max(1, Math.round(rem * 0.12)) : 0
  const unknown = hatch(ctx, colours.stale, rem)
  const value_ink = stale ? colours.stale : colours.value
  // Either all cells have their numbers or none: a number that comes and goes with its digits is noise. Greys of old values leave none that
  // could be read on all of them.
  const widest = Math.max(0, ...cells.map(({ value }) => label_width_em(figure_text(value, look))))
  const has_numbers = !stale && cell_px - gap >= (widest + 0.5) * em && row_px >= em * 1.1
  let has_unknown = false
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  for (const { row, column, part, parts, is, value, lacks } of cells) {
    // Whole pixels, so that neighbours neither overlap nor gape.
    const from = Math.round(left + (column + part / parts) * cell_px)
    const to = Math.round(left + (column + (part + 1) / parts) * cell_px) - gap
    const [wide, high] = [Math.max(1, to - from), Math.max(1, row_px - Math.max(1, gap))]
    const y = Math.round(top + row * row_px)
    if (is === 'nothing') {
      // Known, and no number: a dash.
      ctx.fillStyle = colours.label
      ctx.fillRect(from + wide * 0.35, y + high / 2, Math.max(1, wide * 0.3), Math.max(1, rem * 0.16))
      continue
    }
    if (lacks) {
      has_unknown = true
      ctx.fillStyle = unknown
      ctx.fillRect(from, y, wide, high)
    }
    if (is === 'unknown') {
      if (lacks) continue
      has_unknown = true
      ctx.fillStyle = unknown
      ctx.fillRect(from, y, wide, high)
      continue
    }
    const step = steps.of(value)
    const ground = mixed(value_ink, colours.panel, SHARES[step] ?? 1)
    ctx.fillStyle = ground
    if (is === 'whole') ctx.fillRect(from, y, wide, high)
    else {
      const share = (1 - PARTIAL_SHARE) / 2
      ctx.fillRect(from + wide * share, y + high * share, Math.max(1, wide * PARTIAL_SHARE), high * PARTIAL_SHARE)
    }
    if (!has_numbers || is !== 'whole' || parts > 1) continue
    const said = figure_text(value, look)
    ctx.strokeStyle = ground
    ctx.lineWidth = Math.max(1, rem * 0.2)
    ctx.strokeText(said, from + wide / 2, y + high / 2)
    ctx.fillStyle = step >= LIGHT_FROM ? colours.panel : value_ink
    ctx.fillText(said, from + wide / 2, y + high / 2)
  }
  return has_unknown
}

/** Times below the columns: of rows that share them the zone's, else the hours of a day. */
function draw_time(
  ctx: CanvasRenderingContext2D,
  grid: Grid,
  { look, zone, now_ms }: Input,
  colours: Colours,
  { left, cell_px }: Frame,
  em: number,
  y: number,
): void {
  ctx.fillStyle = colours.label
  ctx.textAlign = 'center'
  const wide = cell_px * grid.columns
  if (grid.from_ms !== null) {
    const to_ms = grid.from_ms + grid.columns * look.bucket_ms
    const { ticks_ms, with_seconds } = time_ticks(grid.from_ms, to_ms, wide / em, zone.offset_ms(now_ms))
    for (const at of ticks_ms) {
      const x = left + ((at - grid.from_ms) / (to_ms - grid.from_ms)) * wide
      ctx.fillText(with_seconds ? zone.exact(at) : zone.time(at), x, y)
    }
    return
  }
  const every = [1, 2, 3, 6, 12].find((hours) => (wide / 24) * hours >= 2.2 * em) ?? 24
  for (let hour = 0; hour < 24; hour += every) {
    const text = String(hour).padStart(2, '0')
    const x = left + (hour / 24) * wide
    ctx.textAlign = hour === 0 ? 'left' : 'center'
    ctx.fillText(text, x, y)
  }
}

/** The steps with their limits between them, or with the ends alone; and what a hatch means. */
function draw_legend(
  ctx: CanvasRenderingContext2D,
  { limits }: Steps,
  look: Pick<HeatLook, 'unit'>,
  has_unknown: boolean,
  colours: Colours,
  { em, rem, left, y, wide }: { em: number; rem: number; left: number; y: number; wide: number },
): void {
  const texts = limits.map((limit) => mark_text(limit, look))
  const gap = em * 0.25
  const widths = texts.map((text) => label_width_em(text) * em)
  const all = SHARES.length * (em * 1.1 + gap) + widths.reduce((sum, text) => sum + text + gap, 0)
  const is_short = all > wide
  const ends = (widths[0] ?? 0) + (widths.at(-1) ?? 0) + 2 * gap
  const swatch = is_short ? Math.min(em * 1.1, (wide - ends) / SHARES.length) : em * 1.1
  if (swatch < rem) return
  ctx.textAlign = 'left'
  let x = left
  const write = (at: number): void => {
    ctx.fillStyle = colours.label
    ctx.fillText(texts[at] ?? '', x, y)
    x += (widths[at] ?? 0) + gap
  }
  SHARES.forEach((share, at) => {
    if (!is_short || at === 0) write(at)
    ctx.fillStyle = mixed(colours.value, colours.panel, share)
    ctx.fillRect(x, y - em * 0.4, swatch, em * 0.8)
    ctx.strokeStyle = colours.rule
    ctx.lineWidth = Math.max(1, rem * 0.1)
    ctx.strokeRect(x, y - em * 0.4, swatch, em * 0.8)
    x += swatch + (is_short ? 0 : gap)
  })
  if (is_short) x += gap
  write(texts.length - 1)
  const word = say('state.unknown')
  if (!has_unknown || x + gap + swatch + gap + label_width_em(word) * em > left + wide) return
  x += gap
  ctx.fillStyle = hatch(ctx, colours.stale, rem)
  ctx.fillRect(x, y - em * 0.4, swatch, em * 0.8)
  ctx.fillStyle = colours.label
  ctx.fillText(word, x + swatch + gap, y)
}
