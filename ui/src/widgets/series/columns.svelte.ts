/** Charts that stand above each other and are as wide have their plots in line: each has the widest axis and the widest labels of all. */
import { SvelteMap } from 'svelte/reactivity'

export interface Rims {
  /** Room that the axis needs at the left, and the labels at the right, in pixels. */
  readonly left: number
  readonly right: number
}

export class ChartColumn {
  readonly #needs = new SvelteMap<string, Rims>()

  /** Worked out when it is asked for: a column outlives the charts that ask. */
  get widest(): Rims {
    const all = [...this.#needs.values()]
    const most = (of: (rims: Rims) => number): number => Math.max(0, ...all.map(of))
    return { left: most(({ left }) => left), right: most(({ right }) => right) }
  }

  need(id: string, rims: Rims): void {
    const known = this.#needs.get(id)
    if (known?.left !== rims.left || known.right !== rims.right) this.#needs.set(id, rims)
  }

  leave(id: string): void {
    this.#needs.delete(id)
  }
}

const COLUMNS = new WeakMap<object, Map<string, ChartColumn>>()

/** The column of a wall's charts that begin at this column of its grid and are so wide. */
export function chart_column(wall: object, column: number, width: number): ChartColumn {
  const columns = COLUMNS.get(wall) ?? new Map<string, ChartColumn>()
  COLUMNS.set(wall, columns)
  const key = `${String(column)}/${String(width)}`
  const made = columns.get(key) ?? new ChartColumn()
  columns.set(key, made)
  return made
}
