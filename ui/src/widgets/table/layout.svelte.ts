/** How a table's columns share its width, from the widths of the letters: asking the page would lay it out for the answer. */
import type { ColumnLook, RowValue } from '../../generated/frame'
import { cell_text, is_relative, type Zone } from '../../core/format'
import { SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { type Fit, rem } from '../fit.svelte'
import { column_widths, shown_columns, TEXT_EM_MIN } from './widths'

// Of a row: its edge, and room for a mark. Kept beside the style sheet's `.row`.
const ROW_EDGE_REM = 1.4
const CELL_GAP_REM = 1.2
const CELL_GAP_REM_MIN = 0.7
/** Of a state, of a band and of a sign: the mark, and the gap behind it; and the ground's edge. */
const MARK_EM = 1.15
const STATE_EM = MARK_EM + 0.4
const BAND_EM = MARK_EM + 0.35
/** The least that a bar is long, with the gap before its number. */
const BAR_EM = 3.6
/** The gap between a number and a state beside it, as the style sheet's. */
const NUMBER_STATE_EM = 0.6
// The widest that letters are on average, in ems. A text that may be longer than its cell is clipped; the others need no
// clip, and each clip costs a layer of its own with every repaint.
const WIDE_LETTER_EM = 0.7
/** Size of the headings in parts of a row's. */
export const HEADING = SIZES.minor / SIZES.row
/** An engine that sets letters at whole pixels makes a word wider than its letters are: by half a pixel each at most. */
const SET_EM = 0.12
/** What goes by the clock gets longer by itself: its column has the room beforehand. */
const RELATIVE_EM = label_width_em('23 h 59 min')

/** Whether its cells end at the right, as numbers do. */
const at_right = (format: string | undefined): boolean =>
  format !== undefined && (format === 'number' || format === 'bar' || is_relative(format))

/** A column that is shown. */
export interface Column extends ColumnLook {
  /** Its number. */
  readonly place: number
  readonly share: string
  readonly gap: string
  /** Room for a bar's number: bars are as long as each other. */
  readonly number_em: number
  /** Room for its words, without what stands beside them. */
  readonly room_em: number
  /** So many letters fit whatever they are. */
  readonly letters: number
}

export interface Laid {
  readonly columns: readonly ColumnLook[]
  readonly rows: readonly RowValue[]
  readonly zone: Zone
  readonly now_ms: number
}

/** What stands beside the words of a cell. */
function extra_em(column: ColumnLook, before: ColumnLook | undefined): number {
  const state = column.format === 'state' ? STATE_EM + (at_right(before?.format) ? NUMBER_STATE_EM : 0) : 0
  const sign = column.icons === undefined ? 0 : MARK_EM
  const band = column.bands === undefined ? 0 : BAND_EM
  return state + sign + band + (column.format === 'bar' ? BAR_EM : 0)
}

export class TableLayout {
  readonly #fit: Fit
  readonly #laid: () => Laid
  #widest: readonly number[] = []
  #widest_of: readonly ColumnLook[] = []
  #widest_in = ''

  constructor(fit: Fit, laid: () => Laid) {
    this.#fit = fit
    this.#laid = laid
  }

  // What a column has once needed it keeps: columns that follow their rows would sway.
  readonly #widest_em = $derived.by(() => {
    const fit = this.#fit
    const { columns, rows, zone, now_ms } = this.#laid()
    // Another size shows other rows, and begins anew.
    const size = `${String(fit.rows)}/${String(fit.width_px)}`
    if (this.#widest_of !== columns || this.#widest_in !== size) {
      this.#widest_of = columns
      this.#widest_in = size
      this.#widest = columns.map(
        ({ title, format }) =>
          Math.max(HEADING * label_width_em(title), is_relative(format) ? RELATIVE_EM : 0) + SET_EM,
      )
    }
    const next = columns.map((column, at) => {
      const extra = extra_em(column, columns[at - 1])
      const needs = rows.map((row) => {
        const { text } = cell_text(row.cells[at] ?? { is: 'missing' }, column, zone, now_ms)
        return label_width_em(text) + extra + SET_EM
      })
      return Math.max(this.#widest[at] ?? 0, ...needs)
    })
    // The same list as long as nothing grew, so that nothing that hangs on it is worked out again.
    if (next.some((em, at) => em > (this.#widest[at] ?? 0))) this.#widest = next
    return this.#widest
  })

  // Cells have shares of the row: nothing else has to be laid out anew when a text changes.
  readonly shown = $derived.by((): readonly Column[] => {
    const fit = this.#fit
    const { columns } = this.#laid()
    const row_px = Math.max(1, fit.width_px - ROW_EDGE_REM * rem())
    const type_px = fit.type_px || 1
    const gap_em = (CELL_GAP_REM_MIN * rem()) / type_px
    const widest_em = this.#widest_em
    const places = shown_columns(
      columns.map(({ format }, at) => ({ format, need_em: (widest_em[at] ?? 0) + gap_em })),
      row_px / type_px,
    )
    const sum = places.reduce((all, at) => all + (columns[at]?.width ?? 0), 0) || 1
    const words_px = places.reduce((all, at) => all + (widest_em[at] ?? 0) * type_px, 0)
    // What is left is shared out: columns that touch are read as one.
    const left_px = (row_px - words_px) / places.length
    const gap_px = Math.min(CELL_GAP_REM * rem(), Math.max(CELL_GAP_REM_MIN * rem(), left_px))
    const widths = column_widths(
      places.map((at) => ({
        share: ((columns[at]?.width ?? 0) / sum) * row_px,
        need: (widest_em[at] ?? 0) * type_px + gap_px,
        soft: columns[at]?.format === 'text',
        least: TEXT_EM_MIN * type_px + gap_px,
      })),
    )
    return places.flatMap((place, at) => {
      const column = columns[place]
      const width = widths[at] ?? 0
      if (column === undefined) return []
      const beside_em = extra_em(column, columns[place - 1])
      return {
        ...column,
        place,
        share: `${String((width / row_px) * 100)}%`,
        gap: `${gap_px.toFixed(1)}px`,
        number_em: column.format === 'bar' ? (widest_em[place] ?? 0) - BAR_EM + 0.55 : 0,
        room_em: (width - gap_px) / type_px - beside_em,
        letters: Math.floor((width - beside_em * type_px) / (WIDE_LETTER_EM * type_px)) - 1,
      }
    })
  })
}
