/** A number's way there, as long as it is known: its sparkline and its change. */
import type { NumberLook, Toward } from '../../generated/frame'
import { Steady } from '../../core/digits'
import { known_change, shown_number } from '../../core/format'
import { is_current } from '../../core/freshness'
import type { Cell } from '../../wall.svelte'
import { type Spark, spark } from './figure'

export class Way {
  readonly #cell: () => Cell
  readonly #look: () => NumberLook
  readonly #steady = new Steady()
  #had = false

  /** `look` is the cell's with its decimals worked out. */
  constructor(cell: () => Cell, look: () => NumberLook) {
    this.#cell = cell
    this.#look = look
  }

  // A difference between old numbers is a lie, and so is a way that has ended.
  readonly #trend = $derived.by(() => {
    const { trend, freshness } = this.#cell()
    return trend?.kind === 'number' && is_current(freshness) && this.#look().trend_ms !== null ? trend : null
  })

  readonly known = $derived(this.#trend !== null)
  readonly line = $derived.by((): Spark | null => {
    if (this.#trend === null) return null
    const { target, bands } = this.#look()
    return spark(this.#trend.trend, { target, bands, state: this.#trend.state })
  })
  readonly change = $derived.by(() =>
    this.#trend === null ? null : known_change(this.#trend.change, this.#trend.value),
  )
  /** As it is written. */
  readonly changed_by = $derived.by(() =>
    this.#steady.next(this.change === null ? null : shown_number(this.change, this.#look()), this.#look().decimals),
  )
  readonly toward = $derived.by((): Toward | null => this.#trend?.toward ?? null)

  /** A number whose way isn't known has the whole panel. Once there was one its room is kept, whatever becomes of the link. */
  readonly has_room = $derived.by(() => {
    this.#had ||= this.change !== null || this.line?.path.includes('L') === true
    return this.#look().trend_ms !== null && this.#had
  })
}
