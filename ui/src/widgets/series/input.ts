/** What a chart is drawn of, and what its parts draw with. */
import type uPlot from 'uplot'
import type { Look } from '../../generated/frame'
import type { Known } from '../../core/buckets'
import type { Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import { SIZES } from '../../core/sizes'
import type { Colours } from '../paint'
import type { Axis, Numbers } from './axes'
import type { Window } from './axis'
import type { Rims } from './columns.svelte'

export type SeriesLook = Extract<Look, { kind: 'series' }>

export interface PlotInput {
  readonly look: SeriesLook
  readonly zone: Zone
  readonly series: HeldSeries | null
  /** The board's time. */
  readonly now_ms: number
  /** From here to now nothing is known; null while the widget is current. */
  readonly known_until_ms: number | null
  readonly stale: boolean
  /** Stretches in which its source was not live, by the board's time. */
  readonly lost: readonly (readonly [number, number])[]
  /** The stretch that a hand looks at; null for all of it, which moves with the time. */
  readonly looked_at: Window | null
  /** What the charts of its column need at their rims, and where it says what it needs itself. */
  readonly rims: Rims
  readonly need: (rims: Rims) => void
}

/** A repaint of one chart. Sizes are device pixels. */
export interface Pen {
  readonly plot: uPlot
  readonly input: PlotInput
  readonly rem: number
  /** Size of its letters. */
  readonly letters: number
  readonly axes: readonly Axis[]
  /** What of their numbers has room. */
  readonly numbers: Numbers
  /** Room that the numbers of the axis at the right take, between the plot and what stands at the lines' ends. */
  readonly right: number
  readonly colours: Colours
  /** A line's own colour, in which its name is written. */
  readonly ink: (line: number) => string
  /** A line's colour, dimmed while it isn't current. */
  readonly stroke: (line: number) => string
}

export function font(pen: Pen, weight: 400 | 700): string {
  return `${String(weight)} ${pen.letters.toFixed(1)}px "Roboto Condensed"`
}

/** Height of the strip in which flags hang, in em of the letters. */
export const STRIP_EM = 1.2

/** Size of the letters in rem. */
export const LETTERS_REM = SIZES.label

export function known_of({
  series,
  look,
  now_ms,
  known_until_ms,
}: Pick<PlotInput, 'series' | 'look' | 'now_ms' | 'known_until_ms'>): Known {
  return {
    bucket_ms: look.bucket_ms,
    until_ms: Math.min(now_ms, known_until_ms ?? Infinity),
    gaps: series?.gaps ?? [],
  }
}
