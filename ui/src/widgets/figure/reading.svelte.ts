/** A single number as it is written: with how many digits, which of them holds, and how far it is from its target. */
import type { NumberLook, NumberValue } from '../../generated/frame'
import { decimals_of, mark_text, own_decimals, Steady } from '../../core/digits'
import { shown_number } from '../../core/format'
import { is_current } from '../../core/freshness'
import type { Cell } from '../../wall.svelte'

export interface Deviation {
  /** Of what is written, so that whoever reckons finds it right. */
  readonly by: number
  readonly decimals: number
  readonly target: string
}

export class Reading {
  readonly #cell: () => Cell
  readonly #steady = new Steady()
  #widest = 0

  constructor(cell: () => Cell) {
    this.#cell = cell
  }

  readonly current = $derived.by(() => is_current(this.#cell().freshness))

  readonly value = $derived.by((): NumberValue | null => {
    const { value, freshness } = this.#cell()
    return value?.kind === 'number' && freshness !== 'unknown' ? value : null
  })

  // What was wide once keeps its room: digits that come and go with the value can't be read.
  readonly #decimals = $derived.by((): number => {
    const look = this.#cell().view.look as NumberLook
    if (look.digits === null) return look.decimals
    for (const one of [this.value?.value ?? null, ...(this.value?.trend ?? [])]) {
      if (one !== null && Number.isFinite(one)) this.#widest = Math.max(this.#widest, Math.abs(one))
    }
    return decimals_of(look, [this.#widest])
  })

  /** The look with its decimals worked out. */
  readonly look = $derived.by((): NumberLook => {
    const look = this.#cell().view.look as NumberLook
    return look.digits === null ? look : { ...look, decimals: this.#decimals, digits: null }
  })

  /** As it is written: a share as percent, rounded, its last digit held. Null if nobody knows it. */
  readonly number = $derived.by((): number | null => {
    const value = this.value?.value ?? null
    return this.#steady.next(value === null ? null : shown_number(value, this.look), this.look.decimals)
  })

  /** Only of a number of now: a difference to an old one is a lie. */
  readonly deviation = $derived.by((): Deviation | null => {
    const { target, decimals } = this.look
    if (target === null || this.number === null || !this.current) return null
    if (!Number.isFinite(this.number) || Math.abs(this.number) > Number.MAX_SAFE_INTEGER) return null
    const meant = shown_number(target, this.look)
    return {
      by: this.number - meant,
      decimals: Math.max(decimals, own_decimals(meant)),
      target: mark_text(target, this.look),
    }
  })
}
