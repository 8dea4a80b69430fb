/** The cells of a heat map: which row and column a bucket of time has, what is known of it, and how light it is. */
import type { HeatLook } from '../../generated/frame'
import { is_whole, type Known } from '../../core/buckets'
import { DASHES, figure_text, shown_number, type Zone } from '../../core/format'
import type { HeldSeries } from '../../core/held'
import { nice_step } from '../../core/scale'
import { say } from '../../words/say'

const DAY_MS = 86_400_000

export interface HeatCell {
  readonly row: number
  readonly column: number
  /** Which of how many that share its place: an hour that clocks have twice. */
  readonly part: number
  readonly parts: number
  readonly start_ms: number
  /** Nobody knows what was there; there is none; or there is a value, of all of its time or of a part. */
  readonly is: 'unknown' | 'nothing' | 'whole' | 'partial'
  readonly value: number
  /** Events may be missing from it. */
  readonly lacks: boolean
}

export interface Grid {
  /** In their order, the top one first. */
  readonly rows: readonly string[]
  /** The same in fewer words, for where there is little room. */
  readonly short_rows: readonly string[]
  readonly columns: number
  readonly cells: readonly HeatCell[]
  /** Where the first column begins, of rows that share their time; null where each is a day. */
  readonly from_ms: number | null
}

/** What is said of a cell under a hand. */
export function cell_words(cell: HeatCell, look: Pick<HeatLook, 'decimals' | 'unit'>): string {
  if (cell.is === 'unknown') return DASHES
  if (cell.is === 'nothing') return say('number.none')
  const said = figure_text(cell.value, look) + (look.unit === null ? '' : ` ${look.unit}`)
  // One that a gap reaches into has lost something, the newest is still filling.
  return cell.is === 'whole' ? said : say(cell.lacks ? 'chart.incomplete' : 'chart.so-far', { value: said })
}

type Slot = Pick<HeatCell, 'is' | 'value' | 'lacks'>

/** What is known of the bucket that begins at `start_ms`. */
function slot_at(points: ReadonlyMap<number, number | null>, start_ms: number, known: Known): Slot {
  const value = start_ms >= known.until_ms ? undefined : points.get(start_ms)
  const end_ms = start_ms + known.bucket_ms
  const lacks = start_ms >= known.until_ms || known.gaps.some(([from, to]) => from < end_ms && start_ms < to)
  // A gap is a gap and never zero; what a bucket has is shown however much of it lacks.
  if (value === undefined || value === null) {
    return { is: lacks || value === undefined ? 'unknown' : 'nothing', value: 0, lacks }
  }
  return { is: is_whole(start_ms, known) ? 'whole' : 'partial', value, lacks }
}

/** The newest so many columns of rows by key; `columns_max` is what there is room for. */
export function rows_of_keys(
  series: HeldSeries,
  look: HeatLook,
  known: Known,
  now_ms: number,
  columns_max: number,
): Grid {
  const { bucket_ms, keep_ms } = look
  const all = Math.max(1, Math.round(keep_ms / bucket_ms))
  const columns = Math.max(1, Math.min(all, columns_max))
  const from_ms = (Math.floor(now_ms / bucket_ms) + 1 - columns) * bucket_ms
  const cells = series.lines.flatMap(({ points }, row) => {
    const by_start = new Map(points)
    return Array.from({ length: columns }, (_, column): HeatCell => {
      const start_ms = from_ms + column * bucket_ms
      return { row, column, part: 0, parts: 1, start_ms, ...slot_at(by_start, start_ms, known) }
    })
  })
  const rows = series.lines.map(({ key }) => key)
  return { rows, short_rows: rows, columns, cells, from_ms }
}

/** A row a day of the zone, the newest last. */
export function rows_of_days(series: HeldSeries, look: HeatLook, known: Known, now_ms: number, zone: Zone): Grid {
  const { bucket_ms, keep_ms } = look
  const by_start = new Map(series.lines[0]?.points ?? [])
  const columns = Math.ceil(DAY_MS / bucket_ms)
  const last_ms = Math.floor(now_ms / bucket_ms) * bucket_ms
  const first_ms = last_ms + bucket_ms - Math.round(keep_ms / bucket_ms) * bucket_ms
  const offset = offsets(zone, first_ms, last_ms)
  const rows: string[] = []
  const row_of = new Map<number, number>()
  const places = new Map<string, { row: number; column: number; start_ms: number }[]>()
  for (let start_ms = first_ms; start_ms <= last_ms; start_ms += bucket_ms) {
    const local_ms = start_ms + offset(start_ms)
    const day = Math.floor(local_ms / DAY_MS)
    let row = row_of.get(day)
    if (row === undefined) {
      row = rows.length
      row_of.set(day, row)
      rows.push(zone.short_date(start_ms))
    }
    const column = Math.floor((local_ms - day * DAY_MS) / bucket_ms)
    const key = `${String(row)}/${String(column)}`
    places.set(key, [...(places.get(key) ?? []), { row, column, start_ms }])
  }
  const cells = [...places.values()].flatMap((shared) =>
    shared.map((place, part): HeatCell => ({
      ...place,
      part,
      parts: shared.length,
      ...slot_at(by_start, place.start_ms, known),
    })),
  )
  // `Thu 26`
  const short_rows = rows.map((row) => row.split(' ').slice(0, 2).join(' '))
  return { rows, short_rows, columns, cells, from_ms: null }
}

/** How far the zone is ahead: looked up once a stretch in which that doesn't change, for it takes long. */
function offsets(zone: Zone, from_ms: number, to_ms: number): (at_ms: number) => number {
  const [first, last] = [zone.offset_ms(from_ms), zone.offset_ms(to_ms)]
  // A zone that changes twice within a month comes back to where it was; hardly any has ever done so.
  if (first === last) return () => first
  return (at_ms) => zone.offset_ms(at_ms)
}

export const STEPS = 5

export interface Steps {
  /** One more than there are steps: each is from its limit, included, to the next. */
  readonly limits: readonly number[]
  of(value: number): number
}

/** The board's scale in equal steps, or round ones around the values. */
export function steps_of(look: HeatLook, values: readonly number[]): Steps {
  const low = look.min ?? Math.min(0, look.max ?? 0, ...values)
  const high = look.max ?? Math.max(low, ...values)
  const is_fixed = look.min !== null && look.max !== null
  const step_min = 10 ** -look.decimals / shown_number(1, look)
  let step = is_fixed ? (high - low) / STEPS : Math.max(nice_step((high - low) / STEPS), step_min)
  const from_of = (): number => (look.min === null ? Math.floor(low / step + 1e-9) * step : low)
  // Beginning at a round number they may end too early.
  while (!is_fixed && Number.isFinite(step) && from_of() + STEPS * step < high - step * 1e-9)
    step = nice_step(step * 1.5)
  const from = is_fixed ? low : from_of()
  const limits = Array.from({ length: STEPS + 1 }, (_, at) => Number((from + at * step).toPrecision(12)))
  const of = (value: number): number => Math.min(STEPS - 1, Math.max(0, Math.floor((value - from) / step + 1e-9)))
  return { limits, of }
}
