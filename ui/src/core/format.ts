/**
 * Numbers, times and ages as a wall writes them: tabular figures, true minus, thin spaces between thousands, fixed
 * decimals, and no two different kinds of nothing that look alike.
 */
import type { Cell, ColumnLook, Notice, NumberLook, Outage } from '../generated/frame'
import { date_locale, grouped, grouped_digits, numerals_now } from '../words/numerals'
import { say } from '../words/say'
import { heard } from './heard'

export const MINUS = '\u2212'
const THIN_SPACE = '\u2009'

/** What stands where a value is unknown. */
export const DASHES = '----'

/** Digits after the point of a number that is too large for all of its digits to be known. */
const ROUGH_DECIMALS = 6

/** How many decimals of a number are known: a double near it has none that are finer than the step to the next one. */
function known_decimals(size: number): number {
  const step = 2 ** (Math.floor(Math.log2(size)) - 52)
  return Math.max(0, Math.floor(-Math.log10(step)))
}

/**
 * Writes a finite number with fixed decimals; what isn't finite is said in words. Digits that nobody knows aren't written: from 2^53
 * on a number came rounded, and stands as `1.234568e19`.
 */
export function number_text(value: number, decimals: number): string {
  if (Number.isNaN(value)) return say('number.nan')
  if (!Number.isFinite(value)) return value > 0 ? say('number.over') : say('number.under')
  const size = Math.abs(value)
  if (size > Number.MAX_SAFE_INTEGER) {
    return powered(value, ROUGH_DECIMALS)
  }
  const fixed = size.toFixed(Math.min(decimals, known_decimals(size)))
  const [whole = '0', fraction] = fixed.split('.')
  const digits = grouped_digits(whole)
  // A number that rounds to zero carries no sign: −0 is not a thing to read from five metres.
  const sign = value < 0 && Number(fixed) !== 0 ? MINUS : ''
  return fraction === undefined ? sign + digits : `${sign}${digits}${numerals_now().point}${fraction}`
}

/** A finite number with a power of ten, `1.2e6`, in as many decimals, else in all that it has. */
export function powered(value: number, decimals?: number): string {
  const size = Math.abs(value).toExponential(decimals).replace('+', '').replace('.', numerals_now().point)
  return (value < 0 ? MINUS : '') + size
}

/** The number as the look draws it: a share with the unit `%` is written as 0 to 100. */
export function shown_number(value: number, look: Pick<NumberLook, 'unit'>): number {
  return look.unit === '%' ? value * 100 : value
}

/** The value of a single number, or dashes. Of a look with `digits` its decimals must be worked out before. */
export function figure_text(value: number | null, look: Pick<NumberLook, 'unit' | 'decimals'>): string {
  return value === null ? DASHES : number_text(shown_number(value, look), look.decimals)
}

/** A number's change; null where the number itself came rounded, for then nobody knows by how much it changed. */
export function known_change(change: number | null, value: number | null): number | null {
  return value !== null && Math.abs(value) > Number.MAX_SAFE_INTEGER ? null : change
}

/** A difference with its sign always written: `+12`, `−3`, `±0`. */
export function signed_text(difference: number, decimals: number): string {
  if (Number(difference.toFixed(decimals)) === 0) return `±${number_text(0, decimals)}`
  const text = number_text(difference, decimals)
  return difference > 0 ? `+${text}` : text
}

/** What went wrong, in words of the wall's language where they are the backend's. It never throws: it is asked where something has. */
export function error_text(error: unknown): string {
  try {
    return heard(error instanceof Error ? error.message : String(error))
  } catch {
    return say('error.wordless')
  }
}

/** Which way a difference points once rounded as it is written. */
export function direction_of(difference: number, decimals: number): 'up' | 'down' | 'flat' {
  const rounded = Number(difference.toFixed(decimals))
  if (rounded === 0) return 'flat'
  return rounded > 0 ? 'up' : 'down'
}

/**
 * Width of a figure in em of the face that numerals are set in, so that a size can be chosen without measuring.
 * Advances of the shipped face: digits 0.568, point and comma 0.28, thin space 0.204, minus 0.564.
 */
export function figure_width_em(text: string): number {
  let em = 0
  for (const char of text) {
    if (char === '.' || char === ',' || char === ':') em += 0.28
    else if (char === THIN_SPACE || char === ' ') em += 0.22
    else if (char === '-') em += 0.33
    else if (char >= '0' && char <= '9') em += 0.568
    else em += 0.62
  }
  return em
}

/** The widest text that a number of this look will need, so that its size doesn't change with its value; of none the text's own. */
export function figure_room_em(text: string, look: NumberLook | null): number {
  const ends = [look?.min ?? null, look?.max ?? null].filter((end) => end !== null)
  const written = look === null ? [] : ends.map((end) => figure_text(end, look))
  return Math.max(figure_width_em(DASHES), ...[text, ...written].map(figure_width_em))
}

/** An age: `8 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`. Never negative. */
export function age_text(age_ms: number): string {
  const seconds = Math.max(0, Math.floor(age_ms / 1000))
  if (seconds < 60) return say('age.s', { s: String(seconds) })
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return say('age.min-s', { min: String(minutes), s: String(seconds % 60) })
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return say('age.h-min', { h: String(hours), min: String(minutes % 60) })
  return say('age.d-h', { d: String(Math.floor(hours / 24)), h: String(hours % 24) })
}

/** A length of time that is a setting, in its largest whole unit: `2 h`, `90 min`, `30 s`. */
export function span_text(span_ms: number): string {
  const seconds = Math.round(span_ms / 1000)
  if (seconds % 86_400 === 0 && seconds > 0) return say('age.d', { d: String(seconds / 86_400) })
  if (seconds % 3_600 === 0 && seconds > 0) return say('age.h', { h: String(seconds / 3_600) })
  if (seconds % 60 === 0 && seconds > 0) return say('age.min', { min: String(seconds / 60) })
  return say('age.s', { s: String(seconds) })
}

/** What became of an outage: `filled by replay, 34 events`. */
export function outage_words({ ended_ms, became, missed }: Pick<Outage, 'ended_ms' | 'became' | 'missed'>): string {
  const events = missed === null ? '' : `, ${say('outage.events', { count: missed })}`
  switch (became) {
    case null:
      return ended_ms === null ? say('outage.lasts') : say('outage.nothing')
    case 'proven':
      return say('outage.replay') + events
    case 'snapshot':
      return say('outage.snapshot') + events
    case 'unknown':
      return missed === null ? say('outage.missing') : say('outage.missing-count', { events: grouped(missed) })
  }
}

/** How far back the head line counts. */
const LOST_MS = 86_400_000

/**
 * How often a source was lost of late, and what became of it: `lost 2 times in 24 h, the last filled by replay`; null if it
 * wasn't. `outages` are its own, newest first.
 */
export function lost_words(outages: readonly Outage[], now_ms: number): string | null {
  const recent = outages.filter(({ began_ms, ended_ms }) => (ended_ms ?? began_ms) > now_ms - LOST_MS)
  const [last] = recent
  if (last === undefined) return null
  const became = outage_words({ ...last, missed: null })
  return say('outage.lost', { count: recent.length, became })
}

/** Whether a column goes by the board's clock. */
export function is_relative(format: string): format is 'ago' | 'until' {
  return format === 'ago' || format === 'until'
}

/**
 * How long ago an instant was, or how long it is to it: `8 s`, `12 min`, `2 h 5 min`, `3 d 4 h`. No more is said than has passed, or than
 * is left; what its column doesn't expect says so: `12 min ago` of what is still to come there, `in 8 s` of what should be over.
 */
export function relative_text(at_ms: number, now_ms: number, format: 'ago' | 'until'): string {
  if (!Number.isFinite(at_ms) || !Number.isFinite(now_ms)) return DASHES
  const between_ms = Math.abs(now_ms - at_ms)
  const text =
    between_ms >= 60_000 && between_ms < 3_600_000
      ? say('age.min', { min: String(Math.floor(between_ms / 60_000)) })
      : age_text(between_ms)
  const ahead = at_ms > now_ms
  if (ahead === (format === 'until')) return text
  return ahead ? say('age.in', { age: text }) : say('age.ago', { age: text })
}

/** A cell as text, and which kind of something or nothing it is. */
export interface CellText {
  readonly text: string
  readonly kind: 'number' | 'text' | 'time' | 'empty' | 'null' | 'missing' | 'nan'
}

/** `now_ms` is the board's time, for what goes by it: no clock is asked. */
export function cell_text(
  cell: Cell,
  column: Pick<ColumnLook, 'format' | 'decimals'>,
  zone: Zone,
  now_ms: number,
): CellText {
  if (is_relative(column.format) && (cell.is === 'number' || cell.is === 'time')) {
    return { text: relative_text(cell.as, now_ms, column.format), kind: 'time' }
  }
  switch (cell.is) {
    case 'number':
      if (column.format === 'time') return { text: zone.time(cell.as), kind: 'time' }
      return { text: number_text(cell.as, column.decimals), kind: Number.isFinite(cell.as) ? 'number' : 'nan' }
    case 'text':
      return cell.as === '' ? { text: '“”', kind: 'empty' } : { text: cell.as, kind: 'text' }
    case 'time':
      return { text: zone.time(cell.as), kind: 'time' }
    case 'null':
      return { text: say('cell.none'), kind: 'null' }
    case 'missing':
      return { text: DASHES, kind: 'missing' }
  }
}

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
/** A stretch shorter than this is told to the second. */
const SHORT_MS = 600_000

function rounded_up(ms: number, unit_ms: number): number {
  return Math.ceil(ms / unit_ms) * unit_ms
}

/** Also where the next minute is still to come: nothing ends in the future. */
function needs_seconds(length_ms: number, to_ms: number, now_ms: number): boolean {
  return length_ms < SHORT_MS || rounded_up(to_ms, MINUTE_MS) > now_ms
}

/** A time of the day up to its last digit, and what follows: ` PM`, where a day has twice twelve hours. */
function in_halves(time: string): [string, string] {
  const end = time.search(/\D*$/)
  return end <= 0 ? [time, ''] : [time.slice(0, end), time.slice(end)]
}

/** Seconds follow the minutes and not the half of the day. */
function with_seconds(time: string, seconds: string): string {
  const [digits, half] = in_halves(time)
  return digits + seconds + half
}

/** Civil times in one IANA zone; in UTC if this web engine doesn't know it, which must be said wherever times are (H1). */
export class Zone {
  readonly name: string
  readonly known: boolean
  readonly #parts: Intl.DateTimeFormat
  readonly #date: Intl.DateTimeFormat
  readonly #offset: Intl.DateTimeFormat
  readonly #weekday: Intl.DateTimeFormat
  readonly #day: Intl.DateTimeFormat
  readonly #dated: Intl.DateTimeFormat
  // Formatting costs microseconds by the dozen, and the same few minutes are written over and over.
  readonly #minutes = new Map<number, string>()
  readonly #days = new Map<number, string>()

  constructor(name: string) {
    const [zone, known] = known_zone(name)
    const locale = date_locale()
    this.name = name
    this.known = known
    this.#parts = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      hour: numerals_now().halves.length > 0 ? 'numeric' : '2-digit',
      minute: '2-digit',
      hourCycle: numerals_now().halves.length > 0 ? 'h12' : 'h23',
      numberingSystem: 'latn',
    })
    this.#offset = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' })
    this.#weekday = new Intl.DateTimeFormat(locale, { timeZone: zone, weekday: 'short' })
    this.#day = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      day: 'numeric',
      month: 'short',
      numberingSystem: 'latn',
    })
    this.#dated = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      numberingSystem: 'latn',
    })
    this.#date = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      numberingSystem: 'latn',
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
    })
  }

  /** `14:05` */
  time(ms: number): string {
    const minute = Math.floor(ms / 60_000)
    const known = this.#minutes.get(minute)
    if (known !== undefined) return known
    if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return DASHES
    if (this.#minutes.size > 4_096) this.#minutes.clear()
    const text = this.#parts.format(minute * 60_000)
    this.#minutes.set(minute, text)
    return text
  }

  /** A past instant as seen at `now_ms`: `14:05`, of another day `Thu 22:55`, of an older week `31 Jan 22:55`. */
  moment(ms: number, now_ms: number): string {
    const time = this.time(ms)
    if (time === DASHES || !Number.isFinite(now_ms) || this.#day_of(ms) === this.#day_of(now_ms)) return time
    const days = Math.abs(now_ms - ms) / 86_400_000
    return `${days < 6 ? this.#weekday.format(ms) : this.#day.format(ms)} ${time}`
  }

  /** The same to the second: `14:05:09`. */
  instant(ms: number, now_ms: number): string {
    return with_seconds(this.moment(ms, now_ms), this.seconds(ms))
  }

  /** `14:05:09`, `2:05:09 PM` */
  exact(ms: number): string {
    return with_seconds(this.time(ms), this.seconds(ms))
  }

  /** A time of the day in parts, for what writes its seconds smaller: `2:05`, `:09`, ` PM`. */
  face(ms: number): { time: string; seconds: string; half: string } {
    const [time, half] = in_halves(this.time(ms))
    return { time, seconds: this.seconds(ms), half }
  }

  /**
   * A stretch of which nothing is known: `03:26:10–03:26:35`, a long one `03:26–09:10`. Its end is never rounded down: that would
   * vouch for what nobody has.
   */
  stretch(from_ms: number, to_ms: number, now_ms: number): string {
    if (needs_seconds(to_ms - from_ms, to_ms, now_ms)) {
      const end_ms = rounded_up(to_ms, SECOND_MS)
      return `${this.instant(from_ms, now_ms)}–${this.exact(end_ms)}`
    }
    return `${this.moment(from_ms, now_ms)}–${this.time(rounded_up(to_ms, MINUTE_MS))}`
  }

  /** `8 Feb 2031` */
  day_of_year(ms: number): string {
    return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? this.#dated.format(ms) : DASHES
  }

  /** The end of one that has no beginning here, not rounded down either. */
  until(to_ms: number, now_ms: number): string {
    if (needs_seconds(now_ms - to_ms, to_ms, now_ms)) return this.instant(rounded_up(to_ms, SECOND_MS), now_ms)
    return this.moment(rounded_up(to_ms, MINUTE_MS), now_ms)
  }

  /** A name of the civil day. Days begin on quarters of an hour of UTC everywhere. */
  #day_of(ms: number): string {
    const quarter = Math.floor(ms / 900_000)
    const known = this.#days.get(quarter)
    if (known !== undefined) return known
    if (Math.abs(ms) > 8.64e15) return DASHES
    if (this.#days.size > 512) this.#days.clear()
    const text = this.#date.format(quarter * 900_000)
    this.#days.set(quarter, text)
    return text
  }

  /** `:09`; every zone in use is a whole number of minutes from UTC. */
  seconds(ms: number): string {
    const second = Math.floor(ms / 1000) % 60
    return `:${String((second + 60) % 60).padStart(2, '0')}`
  }

  /** How far the zone's clocks are ahead of UTC at this instant, milliseconds. */
  offset_ms(ms: number): number {
    if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return 0
    const match = /GMT([+-])(\d{2}):(\d{2})/.exec(this.#offset.format(ms))
    if (match === null) return 0
    const minutes = Number(match[2]) * 60 + Number(match[3])
    return (match[1] === '-' ? -minutes : minutes) * 60_000
  }

  /** `8 Feb` */
  day(ms: number): string {
    return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? this.#day.format(ms) : DASHES
  }

  /** `Fri 8 Feb` */
  short_date(ms: number): string {
    return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
      ? `${this.#weekday.format(ms)} ${this.#day.format(ms)}`
      : DASHES
  }

  /** `Friday 8 February 2013` */
  date(ms: number): string {
    return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? this.#date.format(ms).replace(',', '') : DASHES
  }
}

/** What has to be said as long as times stand in another zone than the board's; null if they don't. */
export function zone_notice({ name, known }: Pick<Zone, 'name' | 'known'>): Notice | null {
  if (known) return null
  return {
    id: 'time-zone',
    state: 'warning',
    text: say('notice.zone', { zone: name }),
    detail: [say('notice.zone-help')],
  }
}

function known_zone(name: string): [string, boolean] {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name })
    return [name, true]
  } catch {
    return ['UTC', false]
  }
}

/** `×60`, `×0.5`, `paused`, or null for the pace of real time. */
export function speed_text(speed: number): string | null {
  if (speed === 1) return null
  if (speed === 0) return say('speed.paused')
  return `×${String(Number(speed.toPrecision(3))).replace('.', numerals_now().point)}`
}
