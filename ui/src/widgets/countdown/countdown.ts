/** How long it is to an instant, or since one, as a wall writes it. All of it goes by the time that it is given, and none by a clock. */
import { DASHES, type Zone } from '../../core/format'
import type { FurnitureLook, State, Until } from '../../generated/frame'
import { say } from '../../words/say'

type Look = Extract<FurnitureLook, { kind: 'countdown' }>

const DAY_MS = 86_400_000
const DAY_S = 86_400
const MINUTE_MS = 60_000
/** Of such a pace, in board seconds a second, seconds only flicker. */
const FAST = 2

export interface Count {
  /** The digits: `05:27:52`, `27 d 03:27`, `+00:00:12`; dashes where nobody knows. */
  readonly text: string
  /** The same where there is no room for all of them: whole days, or no seconds. */
  readonly short: string
  /** What stands below them: what is counted to, or since when. */
  readonly caption: string
  readonly state: State
  /** How much of the way is over, 0 to 1; null if that isn't shown. */
  readonly share: number | null
  /** Whether the instant has passed. */
  readonly over: boolean
  /** Whether nothing is shown of it. */
  readonly hidden: boolean
}

/**
 * The instant at which the zone's clocks show this time of day, on the day that begins at `day_ms` by a clock of UTC: of a time that they
 * show twice the first; one that they skip comes as long after the jump as it would have come without. As the board reads it.
 */
function on_day(zone: Zone, day_ms: number, minutes: number): number {
  const wall_ms = day_ms + minutes * MINUTE_MS
  const before = wall_ms - zone.offset_ms(wall_ms - DAY_MS)
  const after = wall_ms - zone.offset_ms(wall_ms + DAY_MS)
  const shows = (ms: number): boolean => ms + zone.offset_ms(ms) === wall_ms
  return shows(before) || !shows(after) ? before : after
}

function day_of(zone: Zone, ms: number): number {
  return Math.floor((ms + zone.offset_ms(ms)) / DAY_MS) * DAY_MS
}

/** The next instant after `now_ms` at which the zone's clocks show this time of day. */
export function next_daily(zone: Zone, minutes: number, now_ms: number): number {
  const day = day_of(zone, now_ms)
  for (const ahead of [-1, 0, 1]) {
    const at = on_day(zone, day + ahead * DAY_MS, minutes)
    if (at > now_ms) return at
  }
  return on_day(zone, day + 2 * DAY_MS, minutes)
}

/** The last one before `ms`. */
export function previous_daily(zone: Zone, minutes: number, ms: number): number {
  const day = day_of(zone, ms)
  for (const back of [-1, 0, 1]) {
    const at = on_day(zone, day - back * DAY_MS, minutes)
    if (at < ms) return at
  }
  return on_day(zone, day - 2 * DAY_MS, minutes)
}

/** From where to where it counts now; null where the zone isn't known, for then nobody knows when that is (H1). */
function way(until: Until, zone: Zone, now_ms: number): { to_ms: number; from_ms: number | null } | null {
  if (until.is === 'once') return until
  if (!zone.known) return null
  const to_ms = next_daily(zone, until.minutes, now_ms)
  return { to_ms, from_ms: until.from_minutes === null ? null : previous_daily(zone, until.from_minutes, to_ms) }
}

/** `05:27:52`, of more than a day `27 d 03:27`; without seconds where they would flicker. */
export function span_digits(seconds: number, fast: boolean): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const days = Math.floor(seconds / DAY_S)
  const time = `${two(Math.floor(seconds / 3_600) % 24)}:${two(Math.floor(seconds / 60) % 60)}`
  if (days > 0) return say('countdown.days', { d: String(days), time })
  return fast ? time : `${time}:${two(seconds % 60)}`
}

export function count(look: Look, zone: Zone, now_ms: number, speed: number): Count {
  const going = Number.isFinite(now_ms) ? way(look.until, zone, now_ms) : null
  if (going === null) {
    const caption = zone.known ? '' : say('countdown.zone')
    return { text: DASHES, short: DASHES, caption, state: 'unknown', share: null, over: false, hidden: false }
  }
  const { to_ms, from_ms } = going
  const left_ms = to_ms - now_ms
  const over = left_ms <= 0
  const after = look.until.is === 'once' ? look.until.after : 'stay'
  // Up to the last moment there is a second left; of what is over none counts before it is full.
  const seconds = over ? (after === 'up' ? Math.floor(-left_ms / 1000) : 0) : Math.ceil(left_ms / 1000)
  const digits = span_digits(seconds, speed > FAST)
  const sign = over && after === 'up' ? '+' : ''
  const way_ms = from_ms === null ? null : to_ms - from_ms
  return {
    text: sign + digits,
    short:
      sign + (seconds >= DAY_S ? say('age.d', { d: String(Math.floor(seconds / DAY_S)) }) : span_digits(seconds, true)),
    caption: say(over ? 'countdown.since' : 'countdown.until', { when: when(zone, to_ms, now_ms) }),
    state: is_within(look.alarm_ms, left_ms) ? 'alarm' : is_within(look.warning_ms, left_ms) ? 'warning' : 'normal',
    share: way_ms === null ? null : Math.min(1, Math.max(0, 1 - left_ms / way_ms)),
    over,
    hidden: over && after === 'hide',
  }
}

/** Without a year where it is this one, or nearly. */
function when(zone: Zone, ms: number, now_ms: number): string {
  if (Math.abs(ms - now_ms) < 300 * DAY_MS) return zone.moment(ms, now_ms)
  return `${zone.day_of_year(ms)} ${zone.time(ms)}`
}

function is_within(limit_ms: number | null, left_ms: number): boolean {
  return limit_ms !== null && left_ms <= limit_ms
}

/** What is said of it aloud. */
export function count_words({ text, caption, state, share, over }: Count): string {
  if (text === DASHES) return [say('head.not-known'), caption].filter((part) => part !== '').join(', ')
  const left = over
    ? text.startsWith('+')
      ? say('age.ago', { age: text.slice(1) })
      : say('countdown.over')
    : say('age.left', { age: text })
  const way = share === null ? '' : say('countdown.way', { share: String(Math.floor(100 * share)) })
  return [left, caption, way, state === 'normal' ? '' : say(`state.${state}`)].filter((part) => part !== '').join(', ')
}
