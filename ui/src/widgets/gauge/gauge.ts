/** Places on a scale, as parts of its length. */
import type { BandLook, NumberLook, NumberValue, State } from '../../generated/frame'
import { nice_range } from '../../core/scale'

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
}

/** Heights of the scale with the gap above it, with and without the words at its ends, in rem before growth. As the style sheet. */
const SCALE_REM = 6.4
const BARE_REM = 3.6
/** A figure is never lower than this for the sake of its scale: it is what must be read. */
const FIGURE_REM = 5.5
/** From this width on half of it is enough for a figure. */
const BESIDE_REM = 36

export type GaugeLayout = 'full' | 'beside' | 'bare' | 'alone'

/** What of a scale has room under its figure, or beside it: the words at its ends give way first, then the scale itself. */
export function gauge_layout(width_rem: number, height_rem: number): GaugeLayout {
  if (height_rem - SCALE_REM >= FIGURE_REM) return 'full'
  if (width_rem >= BESIDE_REM) return 'beside'
  return height_rem - BARE_REM >= FIGURE_REM ? 'bare' : 'alone'
}

/** The look's own scale, or one that its bands and value suggest. */
export function scale(look: NumberLook, value: NumberValue | null): Scale {
  const edges = look.bands.flatMap((band) => [band.from, band.to]).filter((edge) => edge !== null)
  const seen = [...edges, ...(value === null ? [] : [value.value, ...value.trend])].filter((edge) => edge !== null)
  const guess = seen.length === 0 ? { low: 0, high: 1 } : nice_range(Math.min(0, ...seen), Math.max(...seen), 4)
  const low = look.min ?? guess.low
  const high = look.max ?? Math.max(guess.high, low + Number.EPSILON)
  const at = (of: number): number => Math.min(1, Math.max(0, (of - low) / (high - low || 1)))
  return { low, high, at, bands: look.bands.map((band) => span(band, at)) }
}

function span(band: BandLook, at: (value: number) => number): Band {
  return { from: band.from === null ? 0 : at(band.from), to: band.to === null ? 1 : at(band.to), state: band.state }
}
