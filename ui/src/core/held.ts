/**
 * What the page holds of a widget, and how a patch changes it.
 *
 * The law of this file: applying every patch since a whole value equals taking the whole value anew (H3). So each
 * kind keeps exactly what its whole value would say, and a change that can't be applied asks for the whole.
 */
import type {
  FenceValue,
  HistogramValue,
  GroupValue,
  LineValue,
  LogValue,
  Look,
  MarkersValue,
  MarkerValue,
  MarksValue,
  NumberValue,
  RowValue,
  SeriesValue,
  StatusValue,
  TableValue,
  TallyValue,
  TrailLook,
  TimelineRow,
  TimelineValue,
  WidgetValue,
} from '../generated/frame'
import { HEAT_ROWS_MAX, SERIES_LINES_MAX, SERIES_POINTS_MAX } from './limits'
import { merged_trail } from './trail'

export interface HeldTable {
  readonly kind: 'table'
  /** In their order. A row that didn't change is the same object as before. */
  readonly rows: readonly RowValue[]
  readonly total: number
  /** There may be more. */
  readonly at_least: boolean
  /** Groups of the rows, in order; none where rows aren't grouped. */
  readonly groups?: readonly GroupValue[]
  /** Groups that exist. */
  readonly groups_total?: number
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
  /** What happened besides; none of a chart that has no marks. */
  readonly marks?: MarksValue | null
}

export interface HeldMarkers {
  readonly kind: 'markers'
  readonly by_key: ReadonlyMap<string, MarkerValue>
  readonly total: number
  readonly unplaced: number
  /** Stretches of the source's time for which nobody can say where anything was. */
  readonly gaps: readonly (readonly [number, number])[]
  /** What the fences say: the same list as before if they say the same. */
  readonly fences: readonly FenceValue[]
}

export type HeldNumber = { readonly kind: 'number' } & NumberValue
export type HeldHistogram = { readonly kind: 'histogram' } & HistogramValue
export type HeldStatus = { readonly kind: 'status' } & StatusValue
export interface HeldTimeline {
  readonly kind: 'timeline'
  /** In order of key. A row that didn't change is the same object as before. */
  readonly rows: readonly TimelineRow[]
}

export type HeldTally = { readonly kind: 'tally' } & TallyValue
export type Held =
  HeldNumber | HeldHistogram | HeldTable | HeldLog | HeldSeries | HeldStatus | HeldTally | HeldTimeline | HeldMarkers

/** A change came to something that the page doesn't hold: it must ask for the whole. */
export class NeedsWhole extends Error {
  override readonly name = 'NeedsWhole'
}

/** The value after a patch. Throws {@link NeedsWhole} if the patch is a change and there is nothing to change. */
export function patched(held: Held | null, look: Look, patch: WidgetValue): Held {
  switch (patch.kind) {
    case 'number':
    case 'histogram':
    case 'status':
    case 'tally':
      return patch
    case 'table':
      return patched_table(held?.kind === 'table' ? held : null, patch)
    case 'log':
      return patched_log(
        held?.kind === 'log' ? held : null,
        patch,
        look.kind === 'log' ? look.limit : patch.lines.length,
      )
    case 'timeline':
      return patched_timeline(held?.kind === 'timeline' ? held : null, patch)
    case 'series':
      return patched_series(
        held?.kind === 'series' ? held : null,
        patch,
        look.kind === 'series' || look.kind === 'heat' ? look.keep_ms - look.bucket_ms : Infinity,
        look.kind === 'series' ? (look.lines ?? []).map(({ key }) => key) : [],
        look.kind === 'heat' ? HEAT_ROWS_MAX : SERIES_LINES_MAX,
      )
    case 'markers':
      return patched_markers(held?.kind === 'markers' ? held : null, patch, look.kind === 'markers' ? look.trail : null)
  }
}

function base<T>(held: T | null, whole: boolean): T | null {
  if (whole) return null
  if (held === null) throw new NeedsWhole('a change to nothing')
  return held
}

function patched_table(held: HeldTable | null, patch: TableValue): HeldTable {
  const { total, at_least, groups, groups_total } = patch
  // Sent whole with every change.
  const rest = {
    total,
    at_least,
    ...(groups === undefined ? {} : { groups, groups_total: groups_total ?? groups.length }),
  }
  const from = base(held, patch.whole)
  if (from !== null && patch.order === null && patch.removed.length === 0 && patch.rows.length === 0) {
    return { kind: 'table', rows: from.rows, ...rest }
  }
  const by_key = new Map<string, RowValue>()
  for (const row of from?.rows ?? []) by_key.set(row.key, row)
  for (const row of patch.rows) by_key.set(row.key, row)
  for (const key of patch.removed) by_key.delete(key)
  if (patch.order === null) return { kind: 'table', rows: [...by_key.values()], ...rest }
  const rows = patch.order.map((key) => {
    const row = by_key.get(key)
    if (row === undefined) throw new NeedsWhole(`no row ${key}`)
    return row
  })
  return { kind: 'table', rows, ...rest }
}

function patched_timeline(held: HeldTimeline | null, patch: TimelineValue): HeldTimeline {
  const by_key = new Map((base(held, patch.whole)?.rows ?? []).map((row) => [row.key, row]))
  for (const row of patch.rows) by_key.set(row.key, row)
  return { kind: 'timeline', rows: [...by_key.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) }
}

function patched_log(held: HeldLog | null, patch: LogValue, limit: number): HeldLog {
  const from = base(held, patch.whole)
  const newest = from?.lines[0]?.number ?? -1
  const fresh = from === null ? patch.lines : patch.lines.filter((line) => line.number > newest)
  return { kind: 'log', lines: [...fresh, ...(from?.lines ?? [])].slice(0, limit), total: patch.total }
}

/** `named` are the lines that the board names, in their order. */
function patched_series(
  held: HeldSeries | null,
  patch: SeriesValue,
  keep_ms: number,
  named: readonly string[],
  lines_max: number,
): HeldSeries {
  const from = base(held, patch.whole)
  const lines = new Map<string, HeldLine>()
  for (const { key, points } of patch.lines.slice(0, lines_max)) {
    const known = from?.lines.find((line) => line.key === key)
    lines.set(key, { key, points: merged_points(known?.points ?? [], points) })
  }
  for (const line of from?.lines ?? []) if (!lines.has(line.key)) lines.set(line.key, line)
  let newest = -Infinity
  for (const { points } of lines.values()) newest = Math.max(newest, points.at(-1)?.[0] ?? -Infinity)
  // In the board's order, or that of keys, as a whole chart comes: which line changed last must not decide which colour it has.
  const rank = ({ key }: HeldLine): number => (named.includes(key) ? named.indexOf(key) : named.length)
  const ordered = [...lines.values()].sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : 1))
  const kept = ordered.slice(0, lines_max).map((line) => since(line, newest - keep_ms))
  return { kind: 'series', lines: kept, gaps: patch.gaps, marks: patch.marks ?? from?.marks ?? null }
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

const NO_FENCES: readonly FenceValue[] = []

function patched_markers(held: HeldMarkers | null, patch: MarkersValue, trail: TrailLook | null): HeldMarkers {
  const from = base(held, patch.whole)
  // A new map only if something changed: what stands still is recognised by identity and costs no repaint.
  let by_key = from?.by_key
  if (by_key === undefined || patch.markers.length > 0 || patch.removed.length > 0) {
    const changed = new Map(by_key)
    for (const key of patch.removed) changed.delete(key)
    for (const marker of patch.markers) {
      const before = trail === null || marker.trail_whole ? undefined : from?.by_key.get(marker.key)
      const way =
        before === undefined || trail === null ? marker.trail : merged_trail(trail, before.trail, marker.trail)
      changed.set(marker.key, way === marker.trail ? marker : { ...marker, trail: way })
    }
    by_key = changed
  }
  const said = patch.fences ?? NO_FENCES
  const fences = from !== null && JSON.stringify(from.fences) === JSON.stringify(said) ? from.fences : said
  return { kind: 'markers', by_key, total: patch.total, unplaced: patch.unplaced, gaps: patch.gaps, fences }
}
