/**
 * What is before a hand in the list of alarms: of those that a frame has, or, where more stand, of all, as the backend answers. Both go by the same
 * rules, and neither says more than it knows (H1).
 */
import type { AlarmRowsFound, AlarmRowsQuery, AlarmsView, AlarmView } from '../generated/frame'
import { say } from '../words/say'
import {
  calls,
  type Filter,
  hidden_calls,
  listed,
  named,
  newest_call,
  type Order,
  type Pressed,
  pressed,
  spellings,
  words_of,
  worded_one,
} from './alarms'

/** The most that come at once. */
export const ROWS_AT_ONCE_MAX = 200
/** So many of those that were seen can be acknowledged at once: the newest. */
export const SEEN_MAX = 1_000

export interface Rows {
  /** The first one's place. */
  readonly offset: number
  readonly rows: readonly AlarmView[]
  /** How many pass the filter. */
  readonly matched: number
  /** Of how many. */
  readonly of: number
  /** How many call and don't pass. */
  readonly hidden: number
  readonly newest: AlarmView | null
  /** Of those that were seen, what passes and calls. */
  readonly seen: Pressed
}

/** Occurrences that were before somebody's eyes, by their names. */
export type Seen = ReadonlyMap<string, readonly [string, number]>

/** Whether a frame has not all that stand. Records of before there was a total have no more than they list. */
export const is_partial = ({ total, list }: AlarmsView): boolean => total > list.length

/** Of those that a frame has. */
export function of_frame(
  view: AlarmsView,
  filter: Filter,
  order: Order,
  where: (alarm: AlarmView) => string,
  seen: Seen,
): Rows {
  const { list, counts } = view
  const rows = listed(list, filter, order, where)
  // All are counted, also those that a frame has no room for.
  const calling = counts.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0)
  const beyond = is_partial(view) ? Math.max(0, calling - list.filter(calls).length) : 0
  return {
    offset: 0,
    rows,
    matched: rows.length,
    of: list.length,
    hidden: hidden_calls(list, rows) + beyond,
    newest: newest_call(list),
    seen: pressed(rows.filter((alarm) => seen.has(named(alarm)))),
  }
}

/** Of all, as the backend answered. `newer`: a frame that came after the question, whose word on an alarm counts more. */
export function of_answer(found: AlarmRowsFound, newer: AlarmsView | null): Rows {
  const known = new Map((newer?.list ?? []).map((alarm) => [alarm.key, alarm]))
  const now = (alarm: AlarmView): AlarmView => known.get(alarm.key) ?? worded_one(alarm)
  const newest = found.newest === null ? [] : [now(found.newest)]
  return {
    offset: found.offset,
    rows: found.rows.map(now),
    matched: found.matched,
    of: found.total,
    hidden: found.calls_hidden,
    newest: newest_call([...newest, ...known.values()]),
    seen: { seen: found.seen, left: found.seen_critical },
  }
}

/** What is asked for: the rows that have room, and some around them. */
export function query_of(
  window: { readonly offset: number; readonly room: number },
  filter: Filter,
  order: Order,
  key: string | null,
  seen: Seen,
): AlarmRowsQuery {
  const margin = Math.max(10, window.room)
  return {
    offset: Math.max(0, window.offset - margin),
    count: Math.min(ROWS_AT_ONCE_MAX, window.room + 2 * margin),
    priority: filter.priority,
    which: filter.which,
    words: words_of(filter.find).map(spellings),
    order,
    lost: say('alarm.source-lost', { source: '{source}' }),
    key,
    seen: [...seen.values()].slice(-SEEN_MAX).map(([key, occurrence]) => [key, occurrence]),
  }
}

/** Whether an answer is of what is sought now, wherever its window begins. */
export function is_of(asked: AlarmRowsQuery, now: AlarmRowsQuery): boolean {
  const sought = ({ priority, which, words, order }: AlarmRowsQuery): string =>
    JSON.stringify([priority, which, words, order])
  return sought(asked) === sought(now)
}

/** Those of many that were before somebody's eyes, with these: of too many, the first are forgotten. */
export function seen_too(seen: Seen, shown: readonly AlarmView[]): Seen {
  const fresh = shown.filter((alarm) => calls(alarm) && !seen.has(named(alarm)))
  if (fresh.length === 0) return seen
  const all = [...seen, ...fresh.map(({ key, occurrence }) => [named({ key, occurrence }), [key, occurrence]] as const)]
  return new Map(all.slice(-SEEN_MAX))
}
