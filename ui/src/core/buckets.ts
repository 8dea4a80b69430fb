/**
 * Which buckets of a chart are finished. One that is still filling has the value of a part of its time: drawn as a
 * finished one, every count would end in a fall to zero. So a line ends with its last whole bucket, as dashboards are made
 * to do once their users complain, and a bar that isn't whole is hollow. The same holds for a bucket that a gap reaches
 * into (H3), and for one that had not ended when the newest proof came (H1).
 */
import type { HeldLine, HeldSeries } from './held'

export interface Known {
  readonly bucket_ms: number
  /** Until here all is known: now, or the newest proof if the chart isn't current. */
  readonly until_ms: number
  readonly gaps: HeldSeries['gaps']
}

/** Whether the bucket that begins at `start_ms` holds all that happened in it. */
export function is_whole(start_ms: number, { bucket_ms, until_ms, gaps }: Known): boolean {
  const end_ms = start_ms + bucket_ms
  return end_ms <= until_ms && !gaps.some(([from, to]) => from < end_ms && start_ms < to)
}

/**
 * The value that may stand at a line's end: that of the bucket which ended last. Null if it has none, however many values
 * lie farther back: they are history.
 */
export function newest_whole(line: HeldLine, known: Known): number | null {
  const start_ms = (Math.floor(known.until_ms / known.bucket_ms) - 1) * known.bucket_ms
  const point = line.points.findLast(([time]) => time <= start_ms)
  return point !== undefined && point[0] === start_ms && is_whole(start_ms, known) ? point[1] : null
}
