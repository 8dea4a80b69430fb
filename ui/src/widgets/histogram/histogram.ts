/** Where the parts of a histogram stand, worked out before anything is drawn. Lengths are in em of its letters. */
import type { HistogramLook, HistogramValue } from '../../generated/frame'
import { limits_of } from '../../core/bands'
import { mark_text, power_text, short_mark_text } from '../../core/digits'
import { figure_text, number_text } from '../../core/format'
import { label_width_em } from '../../core/width'
import { say } from '../../words/say'

/** Values that are counted. */
export function total_of({ counts }: Pick<HistogramValue, 'counts'>): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

function counted(count: number, at_least: boolean): string {
  const number = say('spoken.values', { count })
  return at_least ? say('number.at-least', { number }) : number
}

/** How many there are, within `room_em`: in four digits and a power of ten where all of them have no room. */
export function total_words(value: HistogramValue, room_em = Infinity): string {
  const total = total_of(value)
  const whole = counted(total, value.at_least)
  if (label_width_em(whole) <= room_em) return whole
  const power = power_text(total, 0, 3)
  const number = say('histogram.values', { number: power })
  const words = value.at_least ? say('number.at-least', { number }) : number
  if (label_width_em(words) <= room_em) return words
  // Where a language has no room for its words, the number and a sign say the same.
  return `${value.at_least ? '≥ ' : ''}${power}`
}

/** Counts beside the bars: whole, or all of them with a power of ten where one has no room. */
export function axis_texts(counts: readonly number[], room_em: number): string[] {
  const whole = counts.map((count) => number_text(count, 0))
  if (whole.every((text) => label_width_em(text) <= room_em)) return whole
  return counts.map((count) => short_mark_text(count, { unit: null }))
}

/** The scale's upper end. */
export function end_of({ min, width, bins }: HistogramLook): number {
  return min + width * bins
}

/** Which of the slots of as many equal widths a value stands at: one for what is below the scale, one a bin, one for what is above. */
export function slot_of(look: HistogramLook, value: number): number {
  const at = (value - look.min) / look.width + 1
  return Math.min(look.bins + 1.5, Math.max(0.5, at))
}

/** Between which values a bin's lie, and how many are in it: for a hand. `at` counts what is below the scale as the first. */
export function bin_words(look: HistogramLook, value: HistogramValue, at: number): { when: string; said: string } {
  const mark = (one: number): string => mark_text(Number(one.toPrecision(12)), look)
  const [from, to] = [look.min + (at - 1) * look.width, look.min + at * look.width]
  const range =
    at === 0
      ? say('histogram.below', { mark: mark(look.min) })
      : at > look.bins
        ? say('histogram.from', { mark: mark(end_of(look)) })
        : `${mark(from)}–${mark(to)}`
  const count = value.counts[at] ?? 0
  const total = total_of(value)
  const share = total === 0 ? '' : `, ${number_text((100 * count) / total, 1)} %`
  return {
    when: look.unit === null ? range : `${range} ${look.unit}`,
    said: counted(count, value.at_least) + share,
  }
}

/** A number below the bars. */
export interface AxisNumber {
  readonly value: number
  /** Its middle, and the room to each side. */
  readonly at_em: number
  readonly half_em: number
  readonly text: string
  readonly kind: 'limit' | 'target' | 'end' | 'bin'
}

const GAP_EM = 0.5

/** The numbers that have room: the target, the scale's ends, the limits, and as many of the bins' as don't touch those. */
export function axis_numbers(look: HistogramLook, width_em: number): AxisNumber[] {
  const slot_em = width_em / (look.bins + 2)
  const end = end_of(look)
  const limits = limits_of(look.bands).filter((limit) => limit >= look.min && limit <= end)
  const number = (value: number, kind: AxisNumber['kind']): AxisNumber => {
    const text = mark_text(Number(value.toPrecision(12)), look)
    return { value, at_em: slot_of(look, value) * slot_em, half_em: label_width_em(text) / 2, text, kind }
  }
  const shown: AxisNumber[] = []
  const add = (one: AxisNumber): boolean => {
    const is_free =
      one.at_em - one.half_em >= -GAP_EM / 2 &&
      one.at_em + one.half_em <= width_em + GAP_EM / 2 &&
      shown.every((other) => Math.abs(other.at_em - one.at_em) >= other.half_em + one.half_em + GAP_EM)
    if (is_free) shown.push(one)
    return is_free
  }
  if (look.target !== null && look.target >= look.min && look.target <= end) add(number(look.target, 'target'))
  for (const value of [look.min, end]) add(number(value, 'end'))
  for (const value of limits) add(number(value, 'limit'))
  // Of the bins' own every one, every second, every fifth, …: the first of these that all have room, beside what stands there.
  for (const every of [1, 2, 4, 5, 10, 20, 25, 50]) {
    const inner = Array.from({ length: Math.max(0, Math.ceil(look.bins / every) - 1) }, (_, at) =>
      number(look.min + (at + 1) * every * look.width, 'bin'),
    )
    const widest = Math.max(0, ...inner.map(({ half_em }) => 2 * half_em))
    if (every * slot_em < widest + GAP_EM) continue
    inner.forEach(add)
    break
  }
  return shown.sort((a, b) => a.at_em - b.at_em)
}

/** The name and number of a statistic, above its line. */
export interface StatLabel {
  readonly at_em: number
  /** Where its text begins. */
  readonly left_em: number
  readonly text: string
}

/** What is known of the statistics, their words beside each other; those without room for their words have none. */
export function stat_labels(look: HistogramLook, value: HistogramValue, width_em: number): StatLabel[] {
  const slot_em = width_em / (look.bins + 2)
  const known = look.stats.flatMap((name, at) => {
    const number = value.stats[at] ?? null
    return number === null
      ? []
      : [{ at_em: slot_of(look, number) * slot_em, text: `${name} ${figure_text(number, look)}` }]
  })
  known.sort((a, b) => a.at_em - b.at_em)
  const labels: { at_em: number; left_em: number; text: string }[] = []
  let from = 0
  for (const { at_em, text } of known) {
    const left_em = Math.max(from, at_em - label_width_em(text) / 2)
    labels.push({ at_em, left_em, text })
    from = left_em + label_width_em(text) + GAP_EM
  }
  // What reaches beyond the end moves back, and moves its neighbours.
  let most = width_em
  for (const label of labels.toReversed()) {
    label.left_em = Math.min(label.left_em, most - label_width_em(label.text))
    most = label.left_em - GAP_EM
  }
  return labels.map((label) => (label.left_em < -GAP_EM ? { ...label, text: '' } : label))
}
