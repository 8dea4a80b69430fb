/**
 * How a locale writes numbers. English without a country is written as the wall's own style has it: a point, and thin spaces between thousands from five
 * digits on. All others are written as `Intl` says, in Latin digits, for those alone are tabular in the shipped faces.
 */
export interface Numerals {
  readonly locale: string
  readonly group: string
  readonly point: string
  /** The fewest digits that are put into groups. */
  readonly grouped_from: number
  /** Sizes of the groups before the point, the last first: `[3]` of most, `[3, 2]` of India's. */
  readonly sizes: readonly [number, number]
  /** What follows a time of the first and of the second half of the day, where it has twice twelve hours: ` AM`, ` PM`. */
  readonly halves: readonly string[]
}

const HOUSE: Numerals = { locale: 'en', group: '\u2009', point: '.', grouped_from: 5, sizes: [3, 3], halves: [] }
let numerals: Numerals = HOUSE

/** What a locale says, asked once. */
export function numerals_of(locale: string): Numerals {
  if (/^en(-xa)?$/i.test(locale)) return HOUSE
  try {
    const format = new Intl.NumberFormat(locale, { numberingSystem: 'latn' })
    const part = (of: number, type: string): string | undefined =>
      format.formatToParts(of).find((one) => one.type === type)?.value
    const wholes = format
      .formatToParts(123_456_789)
      .filter(({ type }) => type === 'integer')
      .map(({ value }) => value.length)
    const last = wholes.at(-1) ?? 3
    const hours = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions()
    return {
      locale,
      group: part(1_234_567, 'group') ?? '',
      point: part(1.5, 'decimal') ?? '.',
      grouped_from: part(1_234, 'group') === undefined ? 5 : 4,
      sizes: [last, wholes.length > 2 ? (wholes.at(-2) ?? last) : last],
      halves: hours.hour12 === true ? halves_of(locale) : [],
    }
  } catch {
    return HOUSE
  }
}

/** As they are written behind a time. */
function halves_of(locale: string): string[] {
  const format = new Intl.DateTimeFormat(locale, {
    hour: 'numeric',
    minute: '2-digit',
    hourCycle: 'h12',
    numberingSystem: 'latn',
    timeZone: 'UTC',
  })
  return [1, 13].map((hour) => /\D*$/.exec(format.format(Date.UTC(2024, 0, 1, hour)))?.[0] ?? '')
}

export function write_numbers_as(locale: string): void {
  if (locale !== numerals.locale) numerals = numerals_of(locale)
}

/** The numerals that hold. */
export function numerals_now(): Numerals {
  return numerals
}

/** Digits before the point, in groups. */
export function grouped_digits(whole: string): string {
  const { group, grouped_from, sizes } = numerals
  if (whole.length < grouped_from || group === '') return whole
  const parts: string[] = []
  let rest = whole
  let size: number = sizes[0]
  while (rest.length > size) {
    parts.unshift(rest.slice(-size))
    rest = rest.slice(0, -size)
    size = sizes[1]
  }
  return [rest, ...parts].join(group)
}

/** A whole number in a sentence. */
export function grouped(value: number): string {
  const whole = String(Math.abs(value))
  const text = /^\d+$/.test(whole) ? grouped_digits(whole) : whole.replace('.', numerals.point)
  return value < 0 ? `\u2212${text}` : text
}

/** The locale that dates are written in: English without a country has the day first, as the wall's own style. */
export function date_locale(): string {
  return numerals === HOUSE ? 'en-GB' : numerals.locale
}
