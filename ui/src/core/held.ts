/**
 * What the page holds of a widget, and how a patch changes it.
 *
 * The law of this file: applying every patch since a whole value equals taking the whole value anew (H3). So each
 * kind keeps exactly what its whole value would say, and a change that can't be applied asks for the whole.
 */
import type {
  LineValue,
  LogValue,
  Look,
  MarkersValue,
  MarkerValue,
  NumberValue,
  RowValue,
  SeriesValue,
  StatusValue,
  TableValue,
  WidgetValue,
} from '../generated/frame'
import { SERIES_LINES_MAX, SERIES_POINTS_MAX } from './limits'

export interface HeldTable {
  readonly kind: 'table'
  /** In their order. A row that didn't change is the same object as before. */
  readonly rows: readonly RowValue[]
  readonly total: number
  /** There may be more. */
  readonly at_least: boolean
}

export interface HeldLog {
  readonly kind: 'log'
  /** Newest first. */
  readonly lines: readonly LineValue[]
  readonly total: number
}

export interface HeldLine {
  readonly key: string
  /** By bucket start, ascending. */
  readonly points: readonly (readonly [number, number | null])[]
}

export interface HeldSeries {
  readonly kind: 'series'
  readonly lines: readonly HeldLine[]
  readonly gaps: readonly (readonly [number, number])[]
}

export interface HeldMarkers {
  readonly kind: 'markers'
  readonly by_key: ReadonlyMap<string, MarkerValue>
  readonly total: number
  readonly unplaced: number
}

export type HeldNumber = { readonly kind: 'number' } & NumberValue
export type HeldStatus = { readonly kind: 'status' } & StatusValue
export type Held = HeldNumber | HeldTable | HeldLog | HeldSeries | HeldStatus | HeldMarkers

/** A change came to something that the page doesn't hold: it must ask for the whole. */
export class NeedsWhole extends Error {
  override readonly name = 'NeedsWhole'
}

/** The value after a patch. Throws {@link NeedsWhole} if the patch is a change and there is nothing to change. */
export function patched(held: Held | null, look: Look, patch: WidgetValue): Held {
  switch (patch.kind) {
    case 'number':
    case 'status':
      return patch
    case 'table':
      return patched_table(held?.kind === 'table' ? held : null, patch)
    case 'log':
      return patched_log(
        held?.kind === 'log' ? held : null,
        patch,
        look.kind === 'log' ? look.limit : patch.lines.length,
      )
    case 'series':
      return patched_series(
        held?.kind === 'series' ? held : null,
        patch,
        look.kind === 'series' ? look.keep_ms - look.bucket_ms : Infinity,
      )
    case 'markers':
      return patched_markers(held?.kind === 'markers' ? held : null, patch)
  }
}

function base<T>(held: T | null, whole: boolean): T | null {
  if (whole) return null
  if (held === null) throw new NeedsWhole('a change to nothing')
  return held
}

function patched_table(held: HeldTable | null, patch: TableValue): HeldTable {
  const { total, at_least } = patch
  const from = base(held, patch.whole)
  if (from !== null && patch.order === null && patch.removed.length === 0 && patch.rows.length === 0) {
    return { kind: 'table', rows: from.rows, total, at_least }
  }
  const by_key = new Map<string, RowValue>()
  for (const row of from?.rows ?? []) by_key.set(row.key, row)
  for (const row of patch.rows) by_key.set(row.key, row)
  for (const key of patch.removed) by_key.delete(key)
  if (patch.order === null) return { kind: 'table', rows: [...by_key.values()], total, at_least }
  const rows = patch.order.map((key) => {
    const row = by_key.get(key)
    if (row === undefined) throw new NeedsWhole(`no row ${key}`)
    return row
  })
  return { kind: 'table', rows, total, at_least }
}

function patched_log(held: HeldLog | null, patch: LogValue, limit: number): HeldLog {
  const from = base(held, patch.whole)
  const newest = from?.lines[0]?.number ?? -1
  const fresh = from === null ? patch.lines : patch.lines.filter((line) => line.number > newest)
  return { kind: 'log', lines: [...fresh, ...(from?.lines ?? [])].slice(0, limit), total: patch.total }
}

function patched_series(held: HeldSeries | null, patch: SeriesValue, keep_ms: number): HeldSeries {
  const from = base(held, patch.whole)
  const lines = new Map<string, HeldLine>()
  for (const { key, points } of patch.lines.slice(0, SERIES_LINES_MAX)) {
    const known = from?.lines.find((line) => line.key === key)
    lines.set(key, { key, points: merged_points(known?.points ?? [], points) })
  }
  for (const line of from?.lines ?? []) if (!lines.has(line.key)) lines.set(line.key, line)
  let newest = -Infinity
  for (const { points } of lines.values()) newest = Math.max(newest, points.at(-1)?.[0] ?? -Infinity)
  // In order of key, as a whole chart comes: which line changed last must not decide which colour it has.
  const ordered = [...lines.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  const kept = ordered.slice(0, SERIES_LINES_MAX).map((line) => since(line, newest - keep_ms))
  return { kind: 'series', lines: kept, gaps: patch.gaps }
}

type Points = HeldLine['points']

function merged_points(held: Points, changed: Points): Points {
  if (changed.length === 0) return held
  const first = changed[0]?.[0] ?? 0
  const last = held.at(-1)?.[0] ?? -Infinity
  if (first > last && is_ascending(changed)) return [...held, ...changed]
  const by_time = new Map(held.map((point) => [point[0], point]))
  for (const point of changed) by_time.set(point[0], point)
  return [...by_time.values()].sort((a, b) => a[0] - b[0])
}

function is_ascending(points: Points): boolean {
  return points.every((point, at) => at === 0 || point[0] > (points[at - 1]?.[0] ?? -Infinity))
}

function since(line: HeldLine, oldest: number): HeldLine {
  const start = Math.max(
    line.points.findIndex((point) => point[0] >= oldest),
    line.points.length - SERIES_POINTS_MAX,
  )
  return start <= 0 ? line : { key: line.key, points: line.points.slice(start) }
}

function patched_markers(held: HeldMarkers | null, patch: MarkersValue): HeldMarkers {
  const from = base(held, patch.whole)
  // A new map only if something changed: what stands still is recognised by identity and costs no repaint.
  let by_key = from?.by_key
  if (by_key === undefined || patch.markers.length > 0 || patch.removed.length > 0) {
    const changed = new Map(by_key)
    for (const key of patch.removed) changed.delete(key)
    for (const marker of patch.markers) changed.set(marker.key, marker)
    by_key = changed
  }
  return { kind: 'markers', by_key, total: patch.total, unplaced: patch.unplaced }
}
