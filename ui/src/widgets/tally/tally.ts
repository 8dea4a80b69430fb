/** How bars share their panel: which are drawn, in which order, how large their words are, and where each begins and ends. */
import type { BarValue, TallyLook } from '../../generated/frame'
import { mark_text } from '../../core/digits'
import { DASHES, figure_width_em, number_text, powered, shown_number } from '../../core/format'
import type { Range } from '../../core/scale'
import { LINE, SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { say } from '../../words/say'

/** In rem, of the panel's own growth. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** The least and the greatest height of a row, and of one that has its bar below its name. */
const ROW = { least: 3.6, most: 7 } as const
const STACKED = { least: 5, most: 9 } as const
const COUNT_HEIGHT = 3.4
/** Letters are at most so much larger than in a table. */
const LARGEST = 1.5
/** A name has at most this part of its row, and a bar at least so many rem beside it. */
const NAME_SHARE_MAX = 0.42
const BAR_LEAST = 11
export const GAP_EM = 0.6
/** The bar's own edge at the left of a row, in rem. */
export const EDGE = 1.2
const MARK_EM = 1.15
/** Units and words beside what they are of. */
const SMALL = 0.9
/** What is longer is written by a power of ten. */
const VALUE_EM_MAX = 8

/** Bars keep their places for so long, though their values pass each other. */
export const ORDER_MS = 10_000

const URGENCY: Record<BarValue['state'], number> = { alarm: 0, warning: 1, unknown: 2, normal: 3, muted: 4 }

/** The order that bars keep for a while: what trembles between two places stays where it is. */
export class Places {
  #keys: readonly string[] = []
  #taken_ms = -Infinity

  /** The bars in their places; `now_ms` is the time of this machine. */
  next(bars: readonly BarValue[], order: TallyLook['order'], now_ms: number): readonly BarValue[] {
    if (order === 'key') return [...bars].sort((a, b) => by_name(a.key, b.key))
    const by_key = new Map(bars.map((bar) => [bar.key, bar]))
    const known = this.#keys.length === bars.length && this.#keys.every((key) => by_key.has(key))
    if (!known || now_ms < this.#taken_ms || now_ms - this.#taken_ms >= ORDER_MS) {
      const sign = order === 'largest' ? -1 : 1
      // What nobody knows stands behind what is known.
      const value = (bar: BarValue): number => (bar.value === null ? Infinity : sign * bar.value)
      const sorted = [...bars].sort((a, b) => value(a) - value(b) || by_name(a.key, b.key))
      this.#keys = sorted.map(({ key }) => key)
      this.#taken_ms = now_ms
    }
    return this.#keys.flatMap((key) => by_key.get(key) ?? [])
  }
}

/** As people count: `Lane 9` before `Lane 10`. */
const names = new Intl.Collator('en', { numeric: true })
function by_name(a: string, b: string): number {
  return names.compare(a, b) || (a < b ? -1 : 1)
}

/** What stands at a bar's end, without its unit. */
export function value_text(value: number | null, look: Pick<TallyLook, 'unit' | 'decimals'>, at_least = false): string {
  if (value === null) return DASHES
  const shown = shown_number(value, look)
  const text = number_text(shown, look.decimals)
  // What isn't written whole has as few digits as say its size: its name is worth more.
  const is_rough = Math.abs(shown) > Number.MAX_SAFE_INTEGER || figure_width_em(text) > VALUE_EM_MAX
  const short = is_rough ? powered(shown, 1) : text
  return at_least ? `≥ ${short}` : short
}

export function target_of(bar: BarValue, look: TallyLook): number | null {
  return look.targets[bar.key] ?? look.target
}

export interface Bars {
  readonly bars: readonly BarValue[]
  /** Whether each bar stands below its name. */
  readonly stacked: boolean
  /** Whether there is a bar at all: in the least of panels there is room for its value alone. */
  readonly barred: boolean
  /** Height of a row, and letters in it, in rem. */
  readonly row: number
  readonly size: number
  /** Parts of a row in em of its letters; the bar has the rest. */
  readonly name_em: number
  readonly value_em: number
  /** Of what a bar is meant to be, behind its value; none if there is no room for it. */
  readonly target_em: number
  readonly word_em: number
  readonly with_unit: boolean
  readonly hidden: number
  readonly more: string
  /** Room that what is said of them takes beside the rows, in rem; none where it stands below. */
  readonly beside: number
}

export function state_word(state: BarValue['state']): string {
  return state === 'alarm' || state === 'warning' ? say(`state.${state}`) : ''
}

/** `widest_em` is what values have needed so far: what a column has once needed it keeps. */
export function laid_out(
  all: readonly BarValue[],
  look: TallyLook,
  place: Size,
  at_least: boolean,
  widest_em = 0,
): Bars {
  // A low panel has one row, and what is said of the others behind it.
  const low = all.length > 1 && place.height < ROW.least + COUNT_HEIGHT
  const first = low ? urgent_first(all, 1) : []
  const beside = low ? more_words(without(all, first), look, (place.width * 0.3) / SIZES.minor) : ''
  const taken = low ? label_width_em(beside) * SIZES.minor * 1.04 + 1 : 0
  const laid = row_laid_out(low ? first : all, look, { ...place, width: place.width - taken }, at_least, widest_em)
  return low ? { ...laid, hidden: all.length - 1, more: beside, beside: taken } : laid
}

function without(all: readonly BarValue[], shown: readonly BarValue[]): BarValue[] {
  return all.filter((bar) => !shown.includes(bar))
}

function row_laid_out(
  all: readonly BarValue[],
  look: TallyLook,
  { width, height }: Size,
  at_least: boolean,
  widest_em: number,
): Bars {
  const widest = (texts: readonly string[], of: (text: string) => number): number => Math.max(0, ...texts.map(of))
  const name_em = widest(
    all.map(({ key }) => key),
    label_width_em,
  )
  const texts = all.map((bar) => value_text(bar.value, look, at_least && look.adds))
  const digits_em = Math.max(widest_em, widest(texts, figure_width_em))
  const unit_em = look.unit === null || look.unit === '' ? 0 : (0.3 + label_width_em(look.unit)) * SMALL
  const room_em = (width - EDGE) / SIZES.row
  const bar_em = BAR_LEAST / SIZES.row
  // Digits, then the bar, then names, then what else there is.
  const stacked =
    height >= STACKED.least &&
    (room_em * (1 - NAME_SHARE_MAX) < digits_em + bar_em + 2 * GAP_EM + MARK_EM || room_em < 14)
  const { least, most } = stacked ? STACKED : ROW
  const fits = (rem: number): number => Math.max(1, Math.floor((rem + 0.05) / least))
  const room = fits(height)
  const cut = all.length > room
  const shown = cut ? urgent_first(all, Math.max(1, fits(height - COUNT_HEIGHT))) : all
  const row = Math.min(most, Math.max(least, (height - (cut ? COUNT_HEIGHT : 0)) / Math.max(1, shown.length)))
  const per_line = stacked ? row * 0.55 : row
  // Below its name a bar leaves that the whole line, but for the value.
  const widest_line = stacked ? (width - EDGE) / (digits_em + GAP_EM + Math.min(name_em, 5)) : Infinity
  const size = Math.max(SIZES.row, Math.min(SIZES.row * LARGEST, per_line / LINE / 1.35, widest_line))
  const line_em = (width - EDGE) / size
  const word_em = shown.some(({ state }) => state_word(state) !== '') ? MARK_EM : 0
  const plain_em = line_em - digits_em - 2 * GAP_EM - (word_em === 0 || stacked ? 0 : word_em + GAP_EM)
  const barred = stacked || plain_em - bar_em >= 3
  let left_em = plain_em - (stacked || !barred ? 0 : bar_em)
  const take = (em: number): number => {
    if (em === 0 || em > left_em) return 0
    left_em -= em
    return em
  }
  const needed_em = Math.max(2.4, Math.min(name_em, line_em * NAME_SHARE_MAX, left_em))
  left_em -= needed_em
  const unit = take(unit_em)
  const target_texts = shown.flatMap((bar) => target_of(bar, look) ?? []).map((target) => target_text(target, look))
  const target_em = take(
    stacked ? 0 : target_texts.length === 0 ? 0 : GAP_EM + SMALL * widest(target_texts, label_width_em),
  )
  const words_em =
    word_em === 0 || stacked
      ? 0
      : take(
          widest(
            shown.map(({ state }) => state_word(state)),
            label_width_em,
          ) *
            SMALL +
            0.3,
        )
  const hidden = without(all, shown)
  return {
    bars: shown,
    stacked,
    barred,
    row,
    size,
    name_em: stacked ? Math.max(1, line_em - digits_em - unit - GAP_EM) : needed_em,
    value_em: digits_em + unit,
    target_em,
    word_em: words_em === 0 ? word_em : word_em + words_em,
    with_unit: unit > 0,
    hidden: hidden.length,
    more: more_words(hidden, look, (width - EDGE) / SIZES.minor / 1.04),
    beside: 0,
  }
}

export function target_text(target: number, look: Pick<TallyLook, 'unit'>): string {
  return say('target.of', { target: mark_text(target, look) })
}

/** What has no room, with what it comes to where that is something, and what of it is bad. */
function more_words(hidden: readonly BarValue[], look: TallyLook, room_em: number): string {
  if (hidden.length === 0) return ''
  const count = say('more', { count: hidden.length })
  const sum = hidden.reduce((all, { value }) => all + (value ?? 0), 0)
  const total = look.adds ? say('more.total', { total: value_text(sum, look) }) : ''
  const bad = (['alarm', 'warning'] as const).flatMap((state) => {
    const found = hidden.filter((bar) => bar.state === state).length
    return found === 0 ? [] : [`, ${say(`count.${state}`, { count: found })}`]
  })
  const forms = [count + bad.join('') + total, count + bad.join(''), `+${String(hidden.length)}${bad.join('')}`]
  return forms.find((form) => label_width_em(form) <= room_em) ?? `+${String(hidden.length)}`
}

/** As many as there is room for, those that somebody must look at among them; in their own order. */
function urgent_first(all: readonly BarValue[], count: number): readonly BarValue[] {
  const kept = new Set([...all].sort((a, b) => URGENCY[a.state] - URGENCY[b.state]).slice(0, count))
  return all.filter((bar) => kept.has(bar))
}

/** Where a value lies on the scale, 0 to 1; beyond an end it is that end. */
export function share_of(value: number, { low, high }: Pick<Range, 'low' | 'high'>): number {
  return high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0
}

/** From what to what the bars and what they are meant to be reach; zero is in it. */
export function extent(bars: readonly BarValue[], look: TallyLook): { readonly low: number; readonly high: number } {
  const all = bars
    .flatMap((bar) => [bar.value, target_of(bar, look)])
    .filter((one) => one !== null && Number.isFinite(one))
  const numbers = all as number[]
  return { low: look.min ?? Math.min(0, ...numbers), high: look.max ?? Math.max(0, ...numbers) }
}

/** Limits between the scale's ends, where the bands have them. */
export function limits_of(look: TallyLook, range: Pick<Range, 'low' | 'high'>): number[] {
  const ends = look.bands.flatMap(({ from, to }) => [from, to]).filter((end) => end !== null)
  return [...new Set(ends)].filter((end) => range.low < end && end < range.high && end !== 0)
}
