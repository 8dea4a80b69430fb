/** Bars of a histogram, the stretches behind them, and the lines across. */
import type { HistogramLook, HistogramValue, State } from '../../generated/frame'
import { limits_of } from '../../core/bands'
import { type HeldRange, type Range, scale_hold_ms } from '../../core/scale'
import { SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { FACE } from '../canvas'
import { type Colours, mixed } from '../paint'
import { splits_of } from '../series/axes'
import { axis_numbers, axis_texts, slot_of, stat_labels, total_words } from './histogram'

export interface Input {
  readonly look: HistogramLook
  readonly value: HistogramValue
  readonly stale: boolean
  readonly now_ms: number
}

/** Below so many rem the numbers of the bars go, then those of the counts, then the words above them. */
const NUMBERS_REM = 8
const COUNTS_REM = 12
const STATS_REM = 17
const CALM_ALPHA = 0.35
const GAP_SHARE = 0.12
/** How much of its colour a bar has, also when it isn't current: a full one would outshine the digits of the wall. */
const BAR_SHARE = 0.72
/** How long a scale waits before it shrinks, as a chart of an hour's. */
const HOLD_MS = scale_hold_ms(3_600_000)

const CALM: Partial<Record<State, 'band_warning' | 'band_alarm'>> = {
  warning: 'band_warning',
  unknown: 'band_warning',
  alarm: 'band_alarm',
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Gives where the bars stand, in device pixels; `rem` is the unit in these. */
/** What numbers beside the bars take of the width at most, before they are written shorter. */
const GUTTER_SHARE_MAX = 0.3

export function draw(
  ctx: CanvasRenderingContext2D,
  { look, value, stale, now_ms }: Input,
  colours: Colours,
  rem: number,
  held: HeldRange,
): Box | null {
  const { width, height } = ctx.canvas
  const em = SIZES.label * rem
  const high = height / rem
  const highest = Math.max(...value.counts)
  const has_counts = high >= COUNTS_REM
  const range = held.next(0, Math.max(1, highest), Math.max(2, Math.min(6, Math.floor(high / 4.4))), now_ms, HOLD_MS, 1)
  const above = has_counts ? em * 1.3 : rem * 0.6
  const strip = look.stats.length > 0 && high >= STATS_REM ? em * 1.2 : 0
  const below = high >= NUMBERS_REM ? em * 1.25 : rem * 0.4
  const splits = splits_of(range, (height - above - strip - below) / (em * 1.1))
  const texts = axis_texts(splits, (GUTTER_SHARE_MAX * width) / em)
  const gutter = has_counts ? em * Math.max(1, ...texts.map(label_width_em)) + rem : rem
  const box: Box = {
    left: gutter,
    top: above + strip + em * 0.5,
    width: width - gutter - rem,
    height: height - above - strip - below - em * 0.5,
  }
  if (box.width <= 0 || box.height <= 0) return null
  ctx.save()
  ctx.font = `400 ${em.toFixed(1)}px ${FACE}`
  draw_bands(ctx, look, colours, box)
  if (has_counts) draw_counts(ctx, splits, texts, range, colours, box, rem)
  draw_bars(ctx, look, value, range, stale ? colours.stale : (colours.lines[1] ?? colours.label), colours, box)
  draw_lines(ctx, look, colours, box, rem)
  draw_stats(ctx, { look, value, stale, now_ms }, colours, box, rem, strip)
  if (high >= NUMBERS_REM) draw_numbers(ctx, look, colours, box, em)
  if (has_counts) {
    ctx.font = `400 ${em.toFixed(1)}px ${FACE}`
    ctx.fillStyle = stale ? colours.stale : colours.value
    ctx.textAlign = 'left'
    ctx.textBaseline = 'middle'
    ctx.fillText(total_words(value, (width - box.left) / em), box.left, above - em * 0.7)
  }
  ctx.restore()
  return box
}

function x_of(look: HistogramLook, box: Box, value: number): number {
  return box.left + (slot_of(look, value) * box.width) / (look.bins + 2)
}

function draw_bands(ctx: CanvasRenderingContext2D, look: HistogramLook, colours: Colours, box: Box): void {
  ctx.save()
  ctx.globalAlpha = CALM_ALPHA
  for (const { from, to, state } of look.bands) {
    const calm = CALM[state]
    if (calm === undefined) continue
    ctx.fillStyle = colours[calm]
    const left = from === null ? box.left : x_of(look, box, from)
    const right = to === null ? box.left + box.width : x_of(look, box, to)
    ctx.fillRect(left, box.top, right - left, box.height)
  }
  ctx.restore()
}

function draw_counts(
  ctx: CanvasRenderingContext2D,
  splits: readonly number[],
  texts: readonly string[],
  { low, high }: Range,
  colours: Colours,
  box: Box,
  rem: number,
): void {
  ctx.textAlign = 'right'
  ctx.textBaseline = 'middle'
  for (const [number, at] of splits.entries()) {
    const y = box.top + box.height * (1 - (at - low) / (high - low))
    ctx.fillStyle = colours.rule
    ctx.fillRect(box.left, y, box.width, Math.max(1, rem * 0.12))
    ctx.fillStyle = colours.label
    ctx.fillText(texts[number] ?? '', box.left - rem * 0.6, y)
  }
}

function draw_bars(
  ctx: CanvasRenderingContext2D,
  look: HistogramLook,
  { counts }: HistogramValue,
  { high }: Range,
  colour: string,
  colours: Colours,
  box: Box,
): void {
  const slot = box.width / (look.bins + 2)
  const gap = slot * GAP_SHARE > 1 ? slot * GAP_SHARE : 0
  ctx.fillStyle = ctx.strokeStyle = mixed(colour, colours.panel, BAR_SHARE)
  counts.forEach((count, at) => {
    if (count === 0) return
    // One among thousands is seen.
    const tall = Math.max(2, (box.height * count) / high)
    const [left, top, wide] = [box.left + at * slot + gap / 2, box.top + box.height - tall, slot - gap]
    if (at > 0 && at <= look.bins) {
      ctx.fillRect(left, top, wide, tall)
      return
    }
    // What lies beyond the scale is hollow, and points out of it.
    const edge = Math.max(1, Math.min(3, slot * 0.12))
    ctx.lineWidth = edge
    ctx.strokeRect(left + edge / 2, top + edge / 2, Math.max(1, wide - edge), Math.max(1, tall - edge))
    const [middle, half] = [left + wide / 2, Math.min(wide, box.height) * 0.22]
    const way = at === 0 ? -1 : 1
    ctx.beginPath()
    ctx.moveTo(middle + way * half, box.top + box.height - half * 1.6)
    ctx.lineTo(middle - way * half, box.top + box.height - half * 2.6)
    ctx.lineTo(middle - way * half, box.top + box.height - half * 0.6)
    ctx.fill()
  })
}

function vertical(
  ctx: CanvasRenderingContext2D,
  x: number,
  box: Box,
  colour: string,
  thick: number,
  dash: number[],
): void {
  ctx.strokeStyle = colour
  ctx.lineWidth = Math.max(1, thick)
  ctx.setLineDash(dash)
  ctx.beginPath()
  ctx.moveTo(x, box.top)
  ctx.lineTo(x, box.top + box.height)
  ctx.stroke()
  ctx.setLineDash([])
}

function draw_lines(ctx: CanvasRenderingContext2D, look: HistogramLook, colours: Colours, box: Box, rem: number): void {
  const end = look.min + look.width * look.bins
  const is_on = (value: number): boolean => value >= look.min && value <= end
  for (const limit of limits_of(look.bands).filter(is_on)) {
    vertical(ctx, x_of(look, box, limit), box, colours.label, rem * 0.14, [rem * 0.5, rem * 0.7])
  }
  if (look.target !== null && is_on(look.target)) {
    vertical(ctx, x_of(look, box, look.target), box, colours.value, rem * 0.2, [rem * 1.6, rem * 0.8])
  }
}

/** A statistic's line is whole, with a foot at its words. */
function draw_stats(
  ctx: CanvasRenderingContext2D,
  { look, value, stale }: Input,
  colours: Colours,
  box: Box,
  rem: number,
  strip: number,
): void {
  const em = SIZES.label * rem
  const ink = stale ? colours.stale : colours.value
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  ctx.font = `700 ${em.toFixed(1)}px ${FACE}`
  for (const { at_em, left_em, text } of stat_labels(look, value, box.width / em)) {
    const x = box.left + at_em * em
    vertical(ctx, x, box, colours.panel, rem * 0.6, [])
    vertical(ctx, x, box, ink, rem * 0.25, [])
    if (strip === 0 || text === '') continue
    ctx.fillStyle = ink
    ctx.fillText(text, box.left + left_em * em, box.top - em * 0.8)
    ctx.beginPath()
    ctx.moveTo(x - rem * 0.5, box.top)
    ctx.lineTo(x + rem * 0.5, box.top)
    ctx.lineTo(x, box.top + rem * 0.8)
    ctx.fill()
  }
}

function draw_numbers(
  ctx: CanvasRenderingContext2D,
  look: HistogramLook,
  colours: Colours,
  box: Box,
  em: number,
): void {
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  const y = box.top + box.height + em * 0.68
  for (const { at_em, text, kind } of axis_numbers(look, box.width / em)) {
    ctx.font = `${kind === 'target' ? '700' : '400'} ${em.toFixed(1)}px ${FACE}`
    ctx.fillStyle = kind === 'target' ? colours.value : colours.label
    ctx.fillText(text, box.left + at_em * em, y)
  }
}
