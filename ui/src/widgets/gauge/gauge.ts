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
