/** How a grid of states shares its panel: which rows and columns are drawn, how wide they are, and what is said of the others. */
import type { State, TileValue } from '../../generated/frame'
import { LINE, SIZES } from '../../core/sizes'
import { fitted, label_width_em } from '../../core/width'
import { say } from '../../words/say'

export interface Size {
  readonly width: number
  readonly height: number
}

/** Between a cell's row and its column, as the backend writes it. */
const BETWEEN = ' · '

export interface Heading {
  readonly name: string
  /** Of its cells the worst; null if none of them is known. */
  readonly worst: State | null
}

export interface Grid {
  readonly rows: readonly Heading[]
  readonly columns: readonly Heading[]
  readonly cells: ReadonlyMap<string, TileValue>
}

const URGENCY: Record<State, number> = { alarm: 0, warning: 1, unknown: 2, normal: 3, muted: 4 }
const names = new Intl.Collator('en', { numeric: true })

export function cell_key(row: string, column: string): string {
  return row + BETWEEN + column
}

export function grid_of(tiles: readonly TileValue[]): Grid {
  const rows = new Map<string, State>()
  const columns = new Map<string, State>()
  const note = (into: Map<string, State>, name: string, state: State): void => {
    const known = into.get(name)
    if (known === undefined || URGENCY[state] < URGENCY[known]) into.set(name, state)
  }
  for (const { key, state } of tiles) {
    const at = key.indexOf(BETWEEN)
    note(rows, at === -1 ? key : key.slice(0, at), state)
    note(columns, at === -1 ? '' : key.slice(at + BETWEEN.length), state)
  }
  const headings = (of: Map<string, State>): Heading[] =>
    [...of]
      .map(([name, worst]) => ({ name, worst }))
      .sort((a, b) => names.compare(a.name, b.name) || (a.name < b.name ? -1 : 1))
  return { rows: headings(rows), columns: headings(columns), cells: new Map(tiles.map((tile) => [tile.key, tile])) }
}

/** In rem. */
const ROW = { least: 3.6, most: 7.5 } as const
const HEAD = 3.4
const COUNT = 3.4
const COLUMN = { least: 7, most: 30 } as const
const NAME_SHARE_MAX = 0.42
export const GAP = 0.4
const LARGEST = 1.35
export const MARK_EM = 1.15
/** Beside its words a cell has an edge and padding. */
const RIM = 1.8

export interface Laid {
  readonly rows: readonly Heading[]
  readonly columns: readonly Heading[]
  readonly row: number
  readonly column: number
  readonly names: number
  readonly size: number
  /** Whether cells say words; else marks alone. */
  readonly worded: boolean
  readonly more: string
}

/** Whether there is room for headings and a row at all. */
export const NARROW = 24

export function has_room({ width, height }: Size): boolean {
  return height >= HEAD + ROW.least + COUNT && width >= NARROW
}

export function laid_out({ rows, columns, cells }: Grid, { width, height }: Size): Laid {
  const widest = (of: readonly Heading[]): number => Math.max(1, ...of.map(({ name }) => label_width_em(name)))
  const name_room = Math.min((widest(rows) * 1.03 + MARK_EM) * SIZES.row, width * NAME_SHARE_MAX) + 1
  const needed = Math.min(12, Math.max(COLUMN.least, (widest(columns) + MARK_EM) * SIZES.minor))
  const across = (room: number): number => Math.max(1, Math.floor((room - name_room + GAP) / (needed + GAP)))
  const shown_columns = urgent_first(columns, across(width))
  const fits = (room: number): number => Math.max(1, Math.floor((room - HEAD + 0.05) / ROW.least))
  const cut = rows.length > fits(height) || shown_columns.length < columns.length
  const shown_rows = urgent_first(rows, cut ? Math.max(1, fits(height - COUNT)) : fits(height))
  const has_count = shown_rows.length < rows.length || shown_columns.length < columns.length
  const left = height - HEAD - (has_count && height >= HEAD + ROW.least + COUNT ? COUNT : 0)
  const row = Math.min(ROW.most, Math.max(ROW.least, left / Math.max(1, shown_rows.length)))
  const large = Math.max(SIZES.minor, Math.min(SIZES.row * LARGEST, row / LINE / 1.45))
  const names_em = widest(rows) * 1.03 + MARK_EM
  const room_for_names = Math.min(names_em * large, width * NAME_SHARE_MAX) + 1
  const count = Math.max(1, shown_columns.length)
  const column = Math.min(COLUMN.most, (width - room_for_names - GAP * (count + 1)) / count)
  const shown = new Set(shown_rows.flatMap(({ name }) => shown_columns.map((other) => cell_key(name, other.name))))
  const words = [...shown].flatMap((key) => {
    const cell = cells.get(key)
    return cell === undefined ? [] : [word_of(cell)]
  })
  // Words are whole: smaller before that, and none before any is cut.
  const words_em = (Math.max(0, ...words.map(label_width_em)) + MARK_EM) * 1.03
  const worded = words_em * SIZES.minor <= column - RIM
  const size = worded ? Math.min(large, (column - RIM) / words_em) : large
  const hidden = [...cells.values()].filter(({ key }) => !shown.has(key))
  return {
    rows: shown_rows,
    columns: shown_columns,
    row,
    column,
    names: room_for_names,
    size,
    worded,
    more: has_count
      ? more_words(rows.length - shown_rows.length, columns.length - shown_columns.length, hidden, width / SIZES.minor)
      : '',
  }
}

/** A few letters: what the board wants there, or the state as its source says it. */
export function word_of({ detail, text, lost }: TileValue): string {
  return detail === null || detail === '' || lost === true ? text : detail
}

/** `+3 rows, 2 columns, 1 alarm` */
function more_words(rows: number, columns: number, hidden: readonly TileValue[], room_em: number): string {
  const counted = (count: number, one: 'row' | 'column' | 'cell' | 'alarm' | 'warning'): string[] =>
    count === 0 ? [] : [say(`count.${one}`, { count })]
  const bad = (['alarm', 'warning'] as const).flatMap((state) =>
    counted(hidden.filter((cell) => cell.state === state).length, state),
  )
  const words = `+${[...counted(rows, 'row'), ...counted(columns, 'column'), ...bad].join(', ')}`
  const short = `+${[...counted(hidden.length, 'cell'), ...bad.slice(0, 1)].join(', ')}`
  return label_width_em(words) <= room_em ? words : fitted(short, room_em, 1)
}

/** Where there is room for no cell: how many there are of the worst, `2 alarms of 27`. */
export function few_words(
  tiles: readonly TileValue[],
  room_em: number,
): { readonly state: State; readonly text: string } {
  const [worst] = [...tiles].sort((a, b) => URGENCY[a.state] - URGENCY[b.state])
  const state = worst?.state ?? 'normal'
  const count = tiles.filter((tile) => tile.state === state).length
  const counted =
    state === 'normal' || state === 'muted'
      ? `${String(count)} ${say(`state.${state}`)}`
      : say(`count.${state}`, { count })
  const forms = [say('count.of', { counted, total: tiles.length }), counted, String(count)]
  return { state, text: forms.find((form) => label_width_em(form) + MARK_EM <= room_em) ?? String(count) }
}

/** As many as there is room for, those in which something is bad among them; in their own order. */
function urgent_first(all: readonly Heading[], count: number): readonly Heading[] {
  if (all.length <= count) return all
  const urgency = ({ worst }: Heading): number => (worst === null ? 2 : URGENCY[worst])
  const kept = new Set([...all].sort((a, b) => urgency(a) - urgency(b)).slice(0, count))
  return all.filter((one) => kept.has(one))
}
