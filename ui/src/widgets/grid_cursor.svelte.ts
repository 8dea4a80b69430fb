/** A hand in what is drawn in columns and rows: where its cursor stands, by a pointer or by keys. Only on a desktop. */
import type { Attachment } from 'svelte/attachments'
import { hand, is_kiosk } from '../shell/hand.svelte'
import { keyboard } from '../shell/keyboard'
import { focused_panel } from '../shell/panels'

/** Where the columns and rows stand, in CSS pixels of the element. */
export interface CursorGrid {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly columns: number
  readonly rows: number
  /** What the first column is called, so that a cursor stays on its own when they move. */
  readonly first: number
  /** How many columns a key goes; with Shift ten times as many. */
  readonly step: number
  /** Where keys begin: at what is newest, the last column of the first row if left out. */
  readonly newest?: { readonly column: number; readonly row: number }
}

export interface CursorPlace {
  readonly column: number
  readonly row: number
  /** The column's middle, in CSS pixels. */
  readonly x: number
}

const FAR = 10

const within = (at: number, count: number): number => Math.max(0, Math.min(count - 1, at))

export class GridCursor {
  #pointer = $state.raw<{ readonly x: number; readonly y: number } | null>(null)
  /** By keys: the column by its name, and the row. */
  #keyed = $state.raw<{ readonly name: number; readonly row: number } | null>(null)
  readonly #id: () => string
  readonly #grid: () => CursorGrid | null

  constructor(id: () => string, grid: () => CursorGrid | null) {
    this.#id = id
    this.#grid = grid
  }

  /** Where it stands now; null where it is nowhere. */
  get at(): CursorPlace | null {
    const [pointer, keyed, grid] = [this.#pointer, this.#keyed, this.#grid()]
    if (grid === null || grid.columns < 1 || grid.rows < 1) return null
    const cell_px = grid.width / grid.columns
    const place = (column: number, row: number): CursorPlace => ({
      column,
      row,
      x: grid.left + (column + 0.5) * cell_px,
    })
    if (keyed !== null) return place(within(keyed.name - grid.first, grid.columns), within(keyed.row, grid.rows))
    if (pointer === null || !hand.here) return null
    const [column, row] = [
      Math.floor((pointer.x - grid.left) / cell_px),
      Math.floor(((pointer.y - grid.top) / grid.height) * grid.rows),
    ]
    const is_in = column >= 0 && column < grid.columns && row >= 0 && row < grid.rows
    return is_in ? place(column, row) : null
  }

  /** Hears keys and a pointer. */
  readonly attach: Attachment<HTMLElement> = (element) => {
    const panel = element.closest<HTMLElement>('[data-widget]')
    const moves = (event: PointerEvent): void => {
      if (!hand.here) return
      const { left, top } = element.getBoundingClientRect()
      this.#pointer = { x: event.clientX - left, y: event.clientY - top }
      this.#keyed = null
    }
    const leaves = (): void => {
      this.#pointer = null
    }
    const unfocused = (): void => {
      this.#keyed = null
    }
    element.addEventListener('pointermove', moves)
    element.addEventListener('pointerleave', leaves)
    panel?.addEventListener('focusout', unfocused)
    const deaf = keyboard.hear({
      'panel-enter': () => this.#enter(),
      'chart-move': ({ key, shiftKey }) => this.#go((key === 'ArrowLeft' ? -1 : 1) * (shiftKey ? FAR : 1), 0),
      'chart-row': ({ key }) => this.#go(0, key === 'ArrowUp' ? -1 : 1),
      'chart-leave': () => {
        if (this.#keyed === null) return false
        this.#keyed = null
        return true
      },
    })
    return () => {
      element.removeEventListener('pointermove', moves)
      element.removeEventListener('pointerleave', leaves)
      panel?.removeEventListener('focusout', unfocused)
      deaf()
    }
  }

  /** To what is newest. */
  #enter(): boolean {
    const grid = this.#grid()
    if (grid === null || grid.columns < 1 || is_kiosk() || focused_panel()?.dataset['widget'] !== this.#id())
      return false
    this.#pointer = null
    const { column, row } = grid.newest ?? { column: grid.columns - 1, row: 0 }
    this.#keyed = { name: grid.first + column, row }
    return true
  }

  #go(columns: number, rows: number): boolean {
    const [grid, keyed] = [this.#grid(), this.#keyed]
    if (grid === null || keyed === null) return false
    // What has no rows leaves the keys between them to whoever else hears them.
    if (rows !== 0 && grid.rows < 2) return false
    this.#keyed = {
      name: grid.first + within(keyed.name + columns * grid.step - grid.first, grid.columns),
      row: within(keyed.row + rows, grid.rows),
    }
    return true
  }
}
