/** A series' lines in the columns that a plot wants: one shared list of instants, one list of values a line. */
import { is_whole, type Known } from './buckets'
import type { HeldSeries } from './held'

export interface Columns {
  /** Seconds since the Unix epoch, ascending. */
  readonly times: number[]
  /** One list a line; null where there is no value, so that nothing is bridged. */
  readonly values: (number | null)[][]
}

/** A bucket's value stands at its end, the instant at which it became true. What isn't whole has none. */
export function columns(series: HeldSeries, known: Known): Columns {
  const instants = new Set<number>()
  for (const line of series.lines) for (const [start] of line.points) instants.add(start + known.bucket_ms)
  // The edges of a gap are instants without a value: a line must break there even if its neighbours are adjacent.
  for (const [from, to] of series.gaps) {
    instants.add(from)
    instants.add(to)
  }
  const sorted = [...instants].sort((a, b) => a - b)
  const at = new Map(sorted.map((time, index) => [time, index]))
  const values = series.lines.map((line) => {
    const column: (number | null)[] = new Array<number | null>(sorted.length).fill(null)
    for (const [start, value] of line.points) {
      const index = at.get(start + known.bucket_ms)
      if (index !== undefined && is_whole(start, known)) column[index] = value
    }
    return column
  })
  return { times: sorted.map((time) => time / 1000), values }
}

/** Indices of values with nothing on either side: a line can't show them, a dot must. */
export function lonely(values: readonly (number | null)[]): number[] {
  const found: number[] = []
  values.forEach((value, at) => {
    if (value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null) found.push(at)
  })
  return found
}
