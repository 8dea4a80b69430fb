/**
 * Moments that a report begins at: of a shift, of the last touch, as somebody writes them. Times are milliseconds since the Unix epoch; `offset`
 * says how far a zone's clocks are ahead of UTC at an instant, milliseconds.
 */
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export type Offset = (ms: number) => number

/** When shifts begin where the board doesn't say so, in minutes after midnight. */
const SHIFTS_MIN: readonly number[] = [360, 840, 1320]
/** A hand that has not moved for so long has gone: what it does next is another visit. */
const AWAY_MS = 300_000
/** So long nobody has touched the wall before it is offered to tell what happened. */
export const OFFERED_MS = 1_800_000

/** What a stretch can begin at, in the order of the digits. */
export const SPANS = ['shift', 'day', 'week', 'month', 'own'] as const
export type Span = (typeof SPANS)[number]
export const MOMENTS = ['touch', 'act', 'shift', 'outage', 'hour', 'hours-4', 'hours-8', 'own'] as const
export type Moment = (typeof MOMENTS)[number]

/** The instant at which a zone's clocks show this, given as if it were UTC. */
export function at_local(local_ms: number, offset: Offset): number {
  const near = local_ms - offset(local_ms)
  return local_ms - offset(near)
}

/** When the shift began that now is in; `shifts` are the board's, in minutes after midnight. */
export function shift_start(now_ms: number, offset: Offset, shifts: readonly number[] = SHIFTS_MIN): number {
  const local_ms = now_ms + offset(now_ms)
  const midnight_ms = Math.floor(local_ms / DAY_MS) * DAY_MS
  // The first shift of the day before is far enough back for any night, also one in which clocks are turned.
  const starts = [-1, 0]
    .flatMap((day) => shifts.map((minute) => at_local(midnight_ms + day * DAY_MS + minute * MINUTE_MS, offset)))
    .filter((start_ms) => start_ms <= now_ms)
  return Math.max(...starts)
}

/** From when on; null of one that is still to be written. */
export function span_start(span: Span, now_ms: number, offset: Offset, shifts?: readonly number[]): number | null {
  switch (span) {
    case 'shift':
      return shift_start(now_ms, offset, shifts)
    case 'day':
      return now_ms - DAY_MS
    case 'week':
      return now_ms - 7 * DAY_MS
    case 'month':
      return now_ms - 30 * DAY_MS
    case 'own':
      return null
  }
}

/** What is known of moments that can be meant; null where there was none. */
export interface Known {
  /** When the last hand left this station. */
  readonly left_ms: number | null
  /** When the one who asks last did something about an alarm. */
  readonly act_ms: number | null
  /** When the last source was lost. */
  readonly lost_ms: number | null
  /** When the board's shifts begin, in minutes after midnight, if it says so. */
  readonly shifts?: readonly number[] | undefined
}

/** The same; null also of what is not known. */
export function moment_of(
  moment: Moment,
  now_ms: number,
  offset: Offset,
  { left_ms, act_ms, lost_ms, shifts }: Known,
): number | null {
  switch (moment) {
    case 'touch':
      return left_ms
    case 'act':
      return act_ms
    case 'shift':
      return shift_start(now_ms, offset, shifts)
    case 'outage':
      return lost_ms
    case 'hour':
      return now_ms - HOUR_MS
    case 'hours-4':
      return now_ms - 4 * HOUR_MS
    case 'hours-8':
      return now_ms - 8 * HOUR_MS
    case 'own':
      return null
  }
}

const AGO: Readonly<Record<string, number>> = {
  ...{ m: MINUTE_MS, min: MINUTE_MS },
  ...{ h: HOUR_MS, std: HOUR_MS },
  ...{ d: DAY_MS, t: DAY_MS },
}

/** A civil time as if it were UTC; null if there is none such. */
function civil(year: number, month: number, day: number, hour: number, minute: number): number | null {
  if (hour > 23 || minute > 59) return null
  const ms = Date.UTC(year, month - 1, day, hour, minute)
  const date = new Date(ms)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? ms : null
}

/**
 * A moment of the past as somebody writes it: `14:05` or, by a key pad, `1405` for the last time it was that late; `90 min`, `3 h`, `2 d` ago;
 * `2026-11-28 14:05`, `28.11. 14:05`, by a key pad `28111405`. Null if it is none, or lies ahead.
 */
export function written_moment(text: string, now_ms: number, offset: Offset): number | null {
  const words = text.trim().toLowerCase()
  const [, count, unit] = /^(\d{1,5})\s*(min|m|h|std|d|t)$/.exec(words) ?? []
  if (count !== undefined && unit !== undefined) return now_ms - Number(count) * (AGO[unit] ?? 0)

  const local_now_ms = now_ms + offset(now_ms)
  const year = new Date(local_now_ms).getUTCFullYear()
  const past = (local_ms: number | null): number | null => {
    const ms = local_ms === null ? null : at_local(local_ms, offset)
    return ms !== null && ms <= now_ms ? ms : null
  }
  const time = /^(\d{1,2})[:.]?(\d{2})$/.exec(words)
  if (time !== null) {
    const [hour, minute] = [Number(time[1]), Number(time[2])]
    if (hour > 23 || minute > 59) return null
    const of_day_ms = Math.floor(local_now_ms / DAY_MS) * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS
    return past(of_day_ms) ?? past(of_day_ms - DAY_MS)
  }
  const iso = /^(\d{4})-(\d{2})-(\d{2})[t ]+(\d{1,2}):(\d{2})$/.exec(words)?.slice(1).map(Number)
  if (iso !== undefined) {
    const [of_year = 0, month = 0, day = 0, hour = 0, minute = 0] = iso
    return past(civil(of_year, month, day, hour, minute))
  }
  const dated =
    /^(\d{1,2})\.\s*(\d{1,2})\.\s+(\d{1,2})[:.](\d{2})$/.exec(words) ?? /^(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(words)
  if (dated === null) return null
  const [day = 0, month = 0, hour = 0, minute = 0] = dated.slice(1).map(Number)
  // Of a date without a year the last one is meant.
  return past(civil(year, month, day, hour, minute)) ?? past(civil(year - 1, month, day, hour, minute))
}

/** When a hand last moved at this station, and when the one before it left. */
export interface Presence {
  readonly touched_ms: number
  readonly left_ms: number | null
}

/** A hand moves. */
export function touched(before: Presence | null, now_ms: number): Presence {
  if (before === null) return { touched_ms: now_ms, left_ms: null }
  const { touched_ms, left_ms } = before
  // A clock that was set back: what is ahead of it happened at no time that it knows.
  if (now_ms < touched_ms) return { touched_ms: now_ms, left_ms: left_ms !== null && left_ms < now_ms ? left_ms : null }
  return { touched_ms: now_ms, left_ms: now_ms - touched_ms >= AWAY_MS ? touched_ms : left_ms }
}

/** What was remembered, if it is that. */
export function presence_of(text: string | null): Presence | null {
  const [touched_ms, left_ms] = (text ?? '').split(' ').map(Number)
  if (touched_ms === undefined || !Number.isSafeInteger(touched_ms) || touched_ms <= 0) return null
  return { touched_ms, left_ms: left_ms !== undefined && Number.isSafeInteger(left_ms) && left_ms > 0 ? left_ms : null }
}

export const presence_text = ({ touched_ms, left_ms }: Presence): string =>
  left_ms === null ? String(touched_ms) : `${String(touched_ms)} ${String(left_ms)}`
