/** What a hand asks for of the made-up alarms, of all that stand; and a blizzard of them. */
import {
  type Filter,
  hidden_calls,
  listed,
  named,
  newest_call,
  NO_FILTER,
  pressed,
  where_text,
  worded_one,
} from '../core/alarms'
import type { AlarmRowsFound, AlarmRowsQuery, AlarmView, Priority } from '../generated/frame'
import { BOARD } from './fake-board'

/** Titles are the board's, as the backend has them. */
const title_of = (id: string): string | null => BOARD.widgets.find((view) => view.id === id)?.title ?? null
const where = (alarm: AlarmView): string => where_text(alarm, title_of)

/** The answer: `all` in the order of their urgency. */
export function alarm_rows(all: readonly AlarmView[], query: AlarmRowsQuery): AlarmRowsFound {
  const worded = all.map(worded_one)
  const own = (alarm: AlarmView): AlarmView => all.find(({ key }) => key === alarm.key) ?? alarm
  const { priority, which, order, words } = query
  const found = (find: string): ReadonlySet<string> => {
    const filter: Filter = { ...NO_FILTER, find }
    return new Set(listed(worded, filter, order, where).map(({ key }) => key))
  }
  const spelt = words.map((spellings) => spellings.map(found))
  const passing = listed(worded, { priority, which, find: '' }, order, where).filter(({ key }) =>
    spelt.every((sets) => sets.some((set) => set.has(key))),
  )
  const offset = Math.max(0, Math.min(query.offset, passing.length - query.count))
  const at = passing.findIndex(({ key }) => key === query.key)
  const wanted = new Set(query.seen.map(([key, occurrence]) => named({ key, occurrence })))
  const seen = pressed(passing.filter((alarm) => wanted.has(named(alarm))))
  return {
    revision: 1,
    offset,
    rows: passing.slice(offset, offset + Math.min(200, query.count)).map(own),
    matched: passing.length,
    total: all.length,
    calls_hidden: hidden_calls(worded, passing),
    newest: newest_call(all),
    own: all.find(({ key }) => key === query.key) ?? null,
    at: at === -1 ? null : at,
    seen: seen.seen,
    seen_critical: seen.left,
  }
}

const RANKS: readonly Priority[] = ['high', 'medium', 'low', 'low']

/** So many pumps, of which the last ones are the newest. */
export function blizzard(count: number, now_ms: number): (Partial<Omit<AlarmView, 'cause'>> & { cause: string })[] {
  return Array.from({ length: count }, (_, at) => ({
    key: `pumps/P${String(at).padStart(5, '0')}`,
    priority: RANKS[at % RANKS.length] ?? 'low',
    title: `Pump without pressure · P${String(at).padStart(5, '0')}`,
    raised_ms: now_ms - (count - at) * 1_000,
    cause: `pressure = ${(1 + (at % 97) / 7).toFixed(6)}`,
    group: at % 2 === 0 ? 'north' : 'south',
    ...(at % 10 === 9 ? { state: 'acknowledged' as const } : {}),
  }))
}
