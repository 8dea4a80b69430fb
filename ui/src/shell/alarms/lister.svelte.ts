/** A hand in the list of alarms: what it selected, filters, has seen, and is about to do. It goes with the list. */
import {
  type ActKind,
  acts_of,
  type Filter,
  hidden_calls,
  is_filtered,
  is_reason,
  listed,
  named,
  next_of,
  NO_FILTER,
  type Order,
  ORDERS,
  type Pressed,
  pressed,
  PRIORITIES,
  shelf_minutes,
  WHICH,
} from '../../core/alarms'
import { offset_for } from '../../core/desk'
import type { Act, AlarmsView, AlarmView } from '../../generated/frame'
import { type Key, plain } from '../../words/say'
import { dealing } from './dealing.svelte'

/** Keys of reasons and comments that need no keyboard. */
const REASONS: readonly Key[] = [
  'alarm.reason.work',
  'alarm.reason.parts',
  'alarm.reason.sensor',
  'alarm.reason.nuisance',
  'alarm.reason.test',
]
const COMMENTS: readonly Key[] = [
  'alarm.comment.seen',
  'alarm.comment.way',
  'alarm.comment.called',
  'alarm.comment.watched',
]

/** What stands beside each digit. */
export const DIGITS: Readonly<Record<string, readonly ActKind[]>> = {
  '1': ['acknowledge'],
  '2': ['silence'],
  '3': ['shelve', 'unshelve'],
  '4': ['take-out', 'return'],
  '5': ['comment'],
  '6': ['reset'],
}

/** What is still to be said of an act: how long, then why, or what. */
export interface Asking {
  readonly alarm: AlarmView
  readonly kind: 'shelve' | 'take-out' | 'comment'
  readonly minutes: number | null
}

export class Lister {
  readonly #view: () => AlarmsView
  readonly #where: (alarm: AlarmView) => string
  filter = $state.raw<Filter>(NO_FILTER)
  order = $state.raw<Order>('urgency')
  /** The selected one. */
  key = $state.raw<string | null>(null)
  /** Whether the one that was selected is over: no other takes its place under a hand that is about to press. */
  gone = $state.raw(false)
  offset = $state.raw(0)
  /** Rows that have room. */
  room = $state.raw(1)
  asking = $state.raw<Asking | null>(null)
  /** Puts a keyboard into the field for own words, while there is one. */
  write: (() => void) | null = null
  /** Whether somebody writes what is to be found. */
  finding = $state.raw(false)
  /** Occurrences that have been before somebody's eyes since the list was opened. */
  seen = $state.raw<ReadonlySet<string>>(new Set())

  readonly rows: readonly AlarmView[] = $derived.by(() =>
    listed(this.#view().list, this.filter, this.order, this.#where),
  )
  readonly shown: readonly AlarmView[] = $derived(this.rows.slice(this.offset, this.offset + this.room))
  readonly hidden: number = $derived.by(() => hidden_calls(this.#view().list, this.rows))
  readonly selected: AlarmView | null = $derived.by(() => this.#view().list.find(({ key }) => key === this.key) ?? null)
  /** What is acknowledged at once: what stands on the screen, and all that has stood there. */
  readonly on_screen: Pressed = $derived(pressed(this.shown))
  readonly all_seen: Pressed = $derived(pressed(this.rows.filter((alarm) => this.seen.has(named(alarm)))))

  constructor(view: () => AlarmsView, where: (alarm: AlarmView) => string) {
    this.#view = view
    this.#where = where
  }

  /** What follows from new rows. */
  follow(): void {
    const fresh = this.shown.filter((alarm) => !this.seen.has(named(alarm)))
    if (fresh.length > 0) this.seen = new Set([...this.seen, ...fresh.map(named)])
    if (this.key !== null && this.selected === null) {
      this.key = null
      this.gone = true
      this.asking = null
    }
    this.offset = Math.max(0, Math.min(this.offset, this.rows.length - this.room))
  }

  select(key: string | null): void {
    if (key !== this.key) this.asking = null
    this.key = key
    this.gone = false
    const at = this.rows.findIndex((alarm) => alarm.key === key)
    if (at !== -1) this.offset = offset_for(at, this.offset, this.room, this.rows.length)
  }

  move(by: number): void {
    const at = this.rows.findIndex(({ key }) => key === this.key)
    const from = at === -1 ? this.offset - Math.sign(by) : at
    const to = Math.max(0, Math.min(this.rows.length - 1, Number.isFinite(by) ? from + by : by < 0 ? 0 : Infinity))
    this.select(this.rows[to]?.key ?? null)
  }

  /** A wheel moves what is shown, whatever is selected. */
  scroll(by: number): void {
    this.offset = Math.max(0, Math.min(this.offset + by, this.rows.length - this.room))
  }

  turn_order(): void {
    this.order = next_of(ORDERS, this.order) ?? ORDERS[0]
    this.offset = 0
  }

  turn_priority(): void {
    this.#sift({ priority: next_of(PRIORITIES, this.filter.priority) })
  }

  turn_which(): void {
    this.#sift({ which: next_of(WHICH, this.filter.which) })
  }

  look_for(find: string, finding: boolean): void {
    this.finding = finding
    this.#sift({ find })
  }

  #sift(part: Partial<Filter>): void {
    this.filter = { ...this.filter, ...part }
    this.offset = 0
  }

  /** One thing back; false if there is none. */
  back(): boolean {
    if (this.asking !== null) {
      this.asking =
        this.asking.kind === 'shelve' && this.asking.minutes !== null ? { ...this.asking, minutes: null } : null
    } else if (this.finding || is_filtered(this.filter)) {
      this.finding = false
      this.#sift(NO_FILTER)
    } else return false
    return true
  }

  /** Does this about the selected one, or asks what else must be said. */
  act(kind: ActKind): void {
    const alarm = this.selected
    if (alarm === null || !acts_of(alarm).includes(kind)) return
    switch (kind) {
      case 'acknowledge':
        void dealing.act(alarm, { kind, occurrence: alarm.occurrence })
        return
      case 'shelve':
      case 'take-out':
      case 'comment':
        this.asking = { alarm, kind, minutes: null }
        return
      default:
        void dealing.act(alarm, { kind })
    }
  }

  /** Times that are offered, where one is to be chosen first. */
  get spans(): readonly number[] {
    return this.asking?.kind === 'shelve' && this.asking.minutes === null ? shelf_minutes(this.asking.alarm) : []
  }

  /** Words that are offered. */
  get offered(): readonly string[] {
    if (this.asking === null || this.spans.length > 0) return []
    return (this.asking.kind === 'comment' ? COMMENTS : REASONS).map(plain)
  }

  choose_span(minutes: number): void {
    if (this.asking !== null) this.asking = { ...this.asking, minutes }
  }

  /** Whether such words are enough. */
  suffices(words: string): boolean {
    return this.asking?.kind === 'comment' ? words.trim() !== '' : is_reason(words)
  }

  choose_words(words: string): void {
    const { asking } = this
    if (asking === null || !this.suffices(words)) return
    const reason = words.trim()
    const act: Act =
      asking.kind === 'comment'
        ? { kind: 'comment', words: reason }
        : asking.kind === 'take-out'
          ? { kind: 'take-out', reason }
          : { kind: 'shelve', minutes: asking.minutes ?? 0, reason }
    this.asking = null
    void dealing.act(asking.alarm, act)
  }

  /** A digit, in what is asked or among the acts; false if nothing stands beside it. */
  digit(digit: string): boolean {
    const at = Number(digit) - 1
    if (this.asking !== null) {
      const [span, words] = [this.spans[at], this.offered[at]]
      if (span !== undefined) this.choose_span(span)
      else if (words !== undefined) this.choose_words(words)
      return span !== undefined || words !== undefined
    }
    const kinds = DIGITS[digit] ?? []
    const kind = this.selected === null ? undefined : acts_of(this.selected).find((one) => kinds.includes(one))
    if (kind !== undefined) this.act(kind)
    return kind !== undefined
  }
}
