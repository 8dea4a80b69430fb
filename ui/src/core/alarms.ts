/**
 * What of the alarms is shown where. The backend decides what stands and how urgent it is; here it is put in order for an eye and a hand,
 * and nothing is taken for dealt with before the backend says so (H6).
 */
import type { Act, AlarmState, AlarmsView, AlarmView, Priority } from '../generated/frame'
import { numerals_now } from '../words/numerals'
import { say } from '../words/say'
import { number_text } from './format'
import { label_width_em } from './width'

/** The most urgent first, each with what stands in its shape. */
export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const satisfies readonly Priority[]
export const NUMERALS: Readonly<Record<Priority, string>> = { critical: '1', high: '2', medium: '3', low: '4' }

/** More that blink than an eye can tell apart: then only the most urgent one does. */
const BLINKING_MAX = 12
/** Nothing has come of an act after so long: that is said. */
export const CONFIRMED_MS = 5_000
/** Times on the shelf that are offered, minutes. */
const SHELF_MINUTES = [15, 30, 60, 120, 240, 480, 720]
const SHELF_CRITICAL_MINUTES_MAX = 60
/** Digits of a cause's value that count. */
const CAUSE_DIGITS = 4
/** The fewest and most characters of a reason; a comment needs one. */
export const REASON_MIN = 3
export const WORDS_MAX = 500

/** What an alarm asks for: the lists are filtered by it. */
export const WHICH = ['unacknowledged', 'acknowledged', 'aside', 'unsupervised'] as const
export type Which = (typeof WHICH)[number]

const ASIDE: readonly AlarmState[] = ['shelved', 'suppressed', 'out-of-service']
const OVER: readonly AlarmState[] = ['latched-unacknowledged', 'latched-acknowledged', 'returned', 'normal', 'removed']

export function which_of({ state, wants_acknowledgement }: AlarmView): Which {
  if (ASIDE.includes(state)) return 'aside'
  if (state === 'unsupervised') return 'unsupervised'
  return wants_acknowledgement ? 'unacknowledged' : 'acknowledged'
}

/** Whether it calls for somebody. */
export function calls(alarm: AlarmView): boolean {
  return which_of(alarm) === 'unacknowledged'
}

/** Whether its condition holds no more: its shape is hollow then. */
export function is_over({ state }: Pick<AlarmView, 'state'>): boolean {
  return OVER.includes(state)
}

/** Whether what it is judged by is proven to be of now. Where the wall is silent nothing is. */
export function is_believed({ evidence }: AlarmView, silent: boolean): boolean {
  return evidence === 'live' && !silent
}

/** As the page says it: of the loss of a source the backend knows the source's title alone. */
export function worded(view: AlarmsView | null): AlarmsView | null {
  if (view?.list.some(({ source }) => source !== undefined) !== true) return view
  return { ...view, list: view.list.map(worded_one) }
}

/** The same of one that the page hasn't worded yet. */
export function worded_one(alarm: AlarmView): AlarmView {
  return alarm.source === undefined ? alarm : { ...alarm, title: say('alarm.source-lost', { source: alarm.title }) }
}

/** Since when, by the source's clock; of what was never raised by it, by this machine's. Milliseconds since the Unix epoch. */
export function since_ms({ raised_ms, decided_ms }: AlarmView): number | null {
  return raised_ms ?? decided_ms
}

/** The one to deal with first; null if nobody is called. */
export function most_urgent(view: AlarmsView | null): AlarmView | null {
  return view?.list.find(calls) ?? null
}

/** The newest that calls: it is in view whatever else is. */
export function newest_call(list: readonly AlarmView[]): AlarmView | null {
  let newest: AlarmView | null = null
  for (const alarm of list) {
    if (calls(alarm) && (newest === null || (since_ms(alarm) ?? 0) > (since_ms(newest) ?? 0))) newest = alarm
  }
  return newest
}

/** Whether anything is to be said of alarms in the head line. */
export function says_anything(view: AlarmsView | null): view is AlarmsView {
  if (view === null) return false
  const stands = view.counts.some(({ unacknowledged, acknowledged }) => unacknowledged + acknowledged > 0)
  return stands || view.unsupervised > 0 || view.flood !== null || view.lost > 0
}

/** What blinks: what nobody has acknowledged, if it is urgent, holds, and is proven to be of now; a heap of it doesn't. */
export function blinks(alarm: AlarmView, view: AlarmsView | null, silent: boolean): boolean {
  return is_urgent(alarm) && calls(alarm) && !is_over(alarm) && is_believed(alarm, silent) && !is_heap(view)
}

export function is_urgent({ priority }: Pick<AlarmView, 'priority'>): boolean {
  return priority === 'critical' || priority === 'high'
}

/** Whether there are more than an eye can tell apart by their blinking. */
function is_heap(view: AlarmsView | null): boolean {
  const urgent = view?.counts.filter(is_urgent) ?? []
  return urgent.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0) > BLINKING_MAX
}

/** The band on the frame of a widget that an alarm is judged by. */
export interface Band {
  readonly key: string
  readonly title: string
  readonly state: AlarmState
  readonly priority: Priority
  readonly calls: boolean
  readonly over: boolean
  readonly believed: boolean
  readonly blinks: boolean
}

/** By widget: that of its most urgent alarm. What is put aside, and what nobody watches over, has none. */
export function bands(view: AlarmsView | null, silent: boolean): ReadonlyMap<string, Band> {
  const all = new Map<string, Band>()
  for (const alarm of view?.list ?? []) {
    const which = which_of(alarm)
    if (which === 'aside' || which === 'unsupervised' || alarm.state === 'normal' || alarm.state === 'removed') continue
    const band: Band = {
      key: alarm.key,
      title: alarm.title,
      state: alarm.state,
      priority: alarm.priority,
      calls: which === 'unacknowledged',
      over: is_over(alarm),
      believed: is_believed(alarm, silent),
      blinks: blinks(alarm, view, silent),
    }
    for (const id of alarm.widgets) if (!all.has(id)) all.set(id, band)
  }
  return all
}

export const is_same_band = (one: Band | null, two: Band | null): boolean => JSON.stringify(one) === JSON.stringify(two)

export const ORDERS = ['urgency', 'newest', 'priority', 'state', 'title'] as const
export type Order = (typeof ORDERS)[number]

export interface Filter {
  readonly priority: Priority | null
  readonly which: Which | null
  readonly find: string
}
export const NO_FILTER: Filter = { priority: null, which: null, find: '' }

export function is_filtered({ priority, which, find }: Filter): boolean {
  return priority !== null || which !== null || find !== ''
}

/** Words that must all be found. */
export function words_of(find: string): string[] {
  return find.toLowerCase().split(/\s+/).filter(Boolean)
}

/** A word as it is written, and, if it is a number, as it came: without groups, with a point and a plain minus. */
export function spellings(word: string): string[] {
  const { group, point } = numerals_now()
  const whole = group === '' ? word : word.replaceAll(group, '')
  const plain = whole.replace(point, '.').replace('\u2212', '-')
  return plain === word || !/^[-+]?\d*\.?\d*$/.test(plain) || !/\d/.test(plain) ? [word] : [word, plain]
}

/** Those that pass, in the order that is wanted; those of one rank stay in the backend's. `where`: what an alarm's place is called. */
export function listed(
  list: readonly AlarmView[],
  filter: Filter,
  order: Order,
  where: (alarm: AlarmView) => string,
): AlarmView[] {
  const words = words_of(filter.find).map(spellings)
  const passing = list.filter((alarm) => {
    if (filter.priority !== null && alarm.priority !== filter.priority) return false
    if (filter.which !== null && which_of(alarm) !== filter.which) return false
    if (words.length === 0) return true
    const cause = [cause_text(alarm), ...alarm.cause.map(({ value }) => value)]
    const text = [alarm.title, alarm.key, alarm.group ?? '', where(alarm), ...cause].join(' ').toLowerCase()
    return words.every((spelt) => spelt.some((word) => text.includes(word)))
  })
  const rank: Record<Order, (one: AlarmView, two: AlarmView) => number> = {
    urgency: () => 0,
    newest: (one, two) => (since_ms(two) ?? -Infinity) - (since_ms(one) ?? -Infinity) || 0,
    priority: (one, two) => PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(two.priority),
    state: (one, two) => WHICH.indexOf(which_of(one)) - WHICH.indexOf(which_of(two)),
    title: (one, two) => one.title.localeCompare(two.title),
  }
  return passing.sort(rank[order])
}

/** What a filter hides of what calls for somebody. */
export function hidden_calls(list: readonly AlarmView[], shown: readonly AlarmView[]): number {
  return list.filter(calls).length - shown.filter(calls).length
}

/** The next of these, and none after the last. */
export function next_of<T>(all: readonly T[], now: T | null): T | null {
  return all[(now === null ? -1 : all.indexOf(now)) + 1] ?? null
}

/** What a hand acknowledges at once: as it stood before his eyes when he pressed. Critical ones are dealt with one by one. */
export interface Pressed {
  readonly seen: [string, number][]
  /** How many critical ones there are besides. */
  readonly left: number
}

export function pressed(alarms: readonly AlarmView[]): Pressed {
  const calling = alarms.filter(calls)
  const seen = calling.filter(({ priority }) => priority !== 'critical')
  return { seen: seen.map(({ key, occurrence }) => [key, occurrence]), left: calling.length - seen.length }
}

/** What tells an occurrence from all others. */
export const named = ({ key, occurrence }: Pick<AlarmView, 'key' | 'occurrence'>): string =>
  JSON.stringify([key, occurrence])

/**
 * Of what was asked to be acknowledged, what the backend hasn't said to be: the rest is forgotten. `all`: whether these are all that stand; if not, one of
 * which they say nothing is awaited on.
 */
export function awaited(
  asked: ReadonlyMap<string, number>,
  list: readonly AlarmView[],
  all: boolean,
): Map<string, number> {
  const calling = new Set(list.filter(calls).map(named))
  const known = new Set(list.map(({ key }) => key))
  const key_of = (name: string): string => (JSON.parse(name) as [string, number])[0]
  return new Map([...asked].filter(([name]) => calling.has(name) || (!all && !known.has(key_of(name)))))
}

export type ActKind = Act['kind']

/** What can be done about it now. */
export function acts_of(alarm: AlarmView): readonly ActKind[] {
  const { state } = alarm
  const gone = state === 'removed' || state === 'normal'
  const all: readonly (readonly [ActKind, boolean])[] = [
    ['acknowledge', calls(alarm)],
    ['silence', calls(alarm)],
    ['shelve', !gone && !ASIDE.includes(state)],
    ['unshelve', state === 'shelved'],
    ['take-out', !gone && state !== 'out-of-service'],
    ['return', state === 'out-of-service'],
    ['comment', !gone],
    ['reset', state === 'latched-acknowledged'],
  ]
  return all.filter(([, can]) => can).map(([kind]) => kind)
}

/** For how many minutes it may be put on the shelf. */
export function shelf_minutes({ priority }: Pick<AlarmView, 'priority'>): readonly number[] {
  return priority === 'critical' ? SHELF_MINUTES.filter((span) => span <= SHELF_CRITICAL_MINUTES_MAX) : SHELF_MINUTES
}

export function is_reason(words: string): boolean {
  const { length } = [...words.trim()]
  return length >= REASON_MIN && length <= WORDS_MAX
}

/** What its condition was made of: `pressure 9.2, pump on`. What a rule over events says in its own words has no name: it is judged by no widget. */
export function cause_text({
  cause,
  widgets = [],
}: Pick<AlarmView, 'cause'> & { readonly widgets?: readonly string[] }): string {
  const is_own = (name: string): boolean => name === 'text' && widgets.length === 0
  return cause.map(({ name, value }) => (is_own(name) ? value : `${name} ${told(value)}`.trim())).join(', ')
}

/** A number as far as somebody reads it, of whatever else a word. */
function told(value: string): string {
  const [, whole = '', rest = ''] = /^[-+]?(\d+)\.(\d+)$/.exec(value) ?? []
  if (whole === '') return value
  // Leading zeros are none of those that count.
  const zeros = whole === '0' ? (/^0*/.exec(rest)?.[0].length ?? 0) : 0
  const counting = whole === '0' ? CAUSE_DIGITS + zeros : Math.max(0, CAUSE_DIGITS - whole.length)
  return number_text(Number(value), Math.min(rest.length, counting))
}

/** The place of an alarm: whose it is, where one rule watches many and its title doesn't say so, and the widget where to look. */
export function where_text(alarm: AlarmView, title_of: (widget: string) => string | null): string {
  const [first] = alarm.widgets
  const own = whose(alarm)
  const widget = first === undefined ? null : title_of(first)
  return [own === null || alarm.title.includes(own) ? null : own, widget].filter((part) => part !== null).join(', ')
}

/** Whose it is, where one rule watches many: what stands behind the rule's id. */
export function whose({ key }: Pick<AlarmView, 'key'>): string | null {
  const at = key.indexOf('/')
  return at === -1 ? null : key.slice(at + 1)
}

/** What of a line's parts has room: the first is shortened before the others go, those go from the last on. */
export function parts_in(
  room_em: number,
  [first, ...rest]: readonly string[],
  gap_em: number,
): { whole_em: number; parts: string[] } {
  const wanted = rest.filter((part) => part !== '')
  const width = (parts: readonly string[]): number =>
    parts.reduce((sum, part) => sum + gap_em + label_width_em(part), 0)
  const own = label_width_em(first ?? '')
  const parts = [...wanted]
  // The first of the rest is a time: it stays as long as half of the line is the title's.
  while (parts.length > 1 && own + width(parts) > room_em) parts.pop()
  if (parts.length === 1 && own + width(parts) > room_em && width(parts) > room_em / 2) parts.pop()
  return { whole_em: Math.max(2, room_em - width(parts)), parts }
}

/** Where it stands, in a word. */
export function state_word({ state }: Pick<AlarmView, 'state'>): string {
  return say(`alarm.state.${state}`)
}
