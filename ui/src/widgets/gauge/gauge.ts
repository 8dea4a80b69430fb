/** Places on a scale, as parts of its length. */
import type { BandLook, NumberLook, NumberValue, State } from '../../generated/frame'
import { mark_text, short_mark_text } from '../../core/digits'
import { nice_range } from '../../core/scale'
import { label_width_em } from '../../core/width'
import { type SaidLayout, words_size } from '../figure/figure'

export interface Band {
  readonly from: number
  readonly to: number
  readonly state: State
}

export interface Scale {
  readonly low: number
  readonly high: number
  /** Where a value stands, 0 to 1, held at the ends. */
  at(value: number): number
  readonly bands: readonly Band[]
  /** Where one band ends and another begins: the limits. */
  readonly edges: readonly number[]
  readonly target: number | null
  /** A number of the scale as it is written beside it: whole, or shorter where there is little room. */
  text(value: number, room_em: number): string
}

/** A number under the scale, at so much of its length. */
export interface Tick {
  readonly at: number
  readonly text: string
  readonly is_target: boolean
}

/** How numbers beside a scale take its length: each so much of it, those at the ends reaching inwards or to both sides. */
export interface Ticking {
  readonly length_em: number
  /** How wide one may be before it is written shorter. */
  readonly room_em: number
  readonly gap_em: number
  readonly ends_inwards: boolean
  extent_em(text: string): number
}

/** Numbers under a scale that lies. */
export const lying = (width_em: number): Ticking => ({
  length_em: width_em,
  room_em: width_em / 3,
  gap_em: 0.7,
  ends_inwards: true,
  extent_em: label_width_em,
})

/** How wide numbers beside a scale that stands may be: they take the digits' room. */
export const STANDING_EM = 3

/** Numbers beside a scale that stands: a line each. */
export const standing = (height_em: number): Ticking => ({
  length_em: height_em,
  room_em: STANDING_EM,
  gap_em: 0.1,
  ends_inwards: false,
  extent_em: () => 1,
})

/** The numbers at the scale's ends, at its target and at its limits, where they have room: in that order. */
export function ticks(bar: Scale, { length_em, room_em, gap_em, ends_inwards, extent_em }: Ticking): Tick[] {
  const tick = (value: number): Tick => ({
    at: bar.at(value),
    text: bar.text(value, room_em),
    is_target: value === bar.target,
  })
  const span = ({ at, text }: Tick): [number, number] => {
    const em = extent_em(text)
    const from = at * length_em - (ends_inwards && at <= 0 ? 0 : ends_inwards && at >= 1 ? em : em / 2)
    return [from, from + em]
  }
  const shown: Tick[] = []
  for (const value of [bar.low, bar.high, ...(bar.target === null ? [] : [bar.target]), ...bar.edges]) {
    const one = tick(value)
    const [from, to] = span(one)
    const is_free = shown.every((other) => {
      const [left, right] = span(other)
      return to + gap_em <= left || right + gap_em <= from
    })
    const is_end = value === bar.low || value === bar.high
    if (is_free && (is_end || (one.at > 0 && one.at < 1))) shown.push(one)
  }
  return shown
}

/** Heights of the scale with the gap above it, with and without the words at its ends, in rem before growth. As the style sheet. */
const SCALE_REM = 6.4
const BARE_REM = 3.6
/** A figure is never lower than this for the sake of its scale: it is what must be read. */
const FIGURE_REM = 5.5
/** From this width on half of it is enough for a figure. */
const BESIDE_REM = 36

/** From this width on the way there stands beside the figure. */
export const WAY_REM = 34

/** The way's part of the width, and from which height beside the scale on it has two lines of words under it. As the style sheet. */
const WAY_SHARE = 0.4
const WORDED_REM = 15

export type GaugeLayout = 'full' | 'beside' | 'bare' | 'alone'

/** What of a scale has room under its figure, or beside it: the words at its ends give way first, then the scale itself. */
export function gauge_layout(width_rem: number, height_rem: number): GaugeLayout {
  if (height_rem - SCALE_REM >= FIGURE_REM) return 'full'
  if (width_rem >= BESIDE_REM) return 'beside'
  return height_rem - BARE_REM >= FIGURE_REM ? 'bare' : 'alone'
}

/** The words that a gauge has: beside the figure under its way, or without one under the figure. */
export function gauge_said(of: {
  readonly width: number
  readonly height: number
  readonly layout: GaugeLayout
  readonly wayward: boolean
  readonly targeted: boolean
}): SaidLayout {
  const { width, height, layout, wayward, targeted } = of
  const room = wayward ? WAY_SHARE * width - 0.6 : width
  const size = words_size(room, height - SCALE_REM)
  const of_size = { size, room_em: room / size }
  if (layout !== 'full') return { ...of_size, lines: 0 }
  if (wayward) return { ...of_size, lines: height >= WORDED_REM + SCALE_REM ? 2 : 1 }
  const has_room = targeted && height - SCALE_REM - 1.5 * size >= FIGURE_REM
  return { ...of_size, lines: has_room ? 1 : 0 }
}

/** The look's own scale, or one that its bands, target and value suggest. */
export function scale(look: NumberLook, value: NumberValue | null): Scale {
  const edges = look.bands.flatMap((band) => [band.from, band.to]).filter((edge) => edge !== null)
  const seen = [...edges, look.target, ...(value === null ? [] : [value.value, ...value.trend])].filter(
    (edge) => edge !== null,
  )
  const guess = seen.length === 0 ? { low: 0, high: 1 } : nice_range(Math.min(0, ...seen), Math.max(...seen), 4)
  const low = look.min ?? guess.low
  const high = look.max ?? Math.max(guess.high, low + Number.EPSILON)
  const at = (of: number): number => Math.min(1, Math.max(0, (of - low) / (high - low || 1)))
  return {
    low,
    high,
    at,
    bands: look.bands.map((band) => span(band, at)),
    edges: [...new Set(edges)],
    target: look.target,
    text: (of, room_em) => {
      const whole = mark_text(of, look)
      return label_width_em(whole) <= room_em ? whole : short_mark_text(of, look)
    },
  }
}

/** Whether a value is beyond the scale: its pointer stands at the end and points out of it. */
export function beyond({ low, high }: Scale, value: number): 'low' | 'high' | null {
  return value < low ? 'low' : value > high ? 'high' : null
}

/** Whether the value is in this band; of an old one nobody says it. */
export function is_in(band: Band, bar: Scale, value: NumberValue | null, current: boolean): boolean {
  if (!current || value?.value == null || value.state !== band.state) return false
  const at = bar.at(value.value)
  return at >= band.from && at <= band.to
}

function span(band: BandLook, at: (value: number) => number): Band {
  return { from: band.from === null ? 0 : at(band.from), to: band.to === null ? 1 : at(band.to), state: band.state }
}
