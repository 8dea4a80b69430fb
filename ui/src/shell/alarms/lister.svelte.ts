/** A hand in the list of alarms: what it selected, filters, has seen, and is about to do. It goes with the list. */
import { untrack } from 'svelte'
import {
  type ActKind,
  acts_of,
  type Filter,
  is_filtered,
  is_reason,
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
import { is_of, is_partial, of_answer, of_frame, query_of, type Rows, type Seen, seen_too } from '../../core/alarm-rows'
import { offset_for } from '../../core/desk'
import type { Act, AlarmRowsQuery, AlarmsView, AlarmView } from '../../generated/frame'
import type { Host } from '../../host/types'
import { type Key, plain } from '../../words/say'
import { type Answer, Asker } from './asker.svelte'
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

/** What stands, and who can be asked for more of it. */
export interface Stand {
  readonly view: AlarmsView
  readonly host: Host
  readonly revision: number
  /** Whether it is of now: of a record and of a lamp test nothing can be asked. */
  readonly present: boolean
}

export class Lister {
  readonly #stand: () => Stand
  readonly #where: (alarm: AlarmView) => string
  readonly asker: Asker
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
  seen = $state.raw<Seen>(new Map())
  /** A place whose row is selected when it has come. */
  #awaits: number | null = null
  /** Whether the selected row is still to be led to. */
  #seeks = false

  /** Whether more stand than a frame has, and any of them can be asked for. */
  readonly asks: boolean = $derived.by(() => this.#stand().present && is_partial(this.#stand().view))
  /** The rows that are held: a window of all, else all that a frame has. */
  readonly held: Rows = $derived.by(() => {
    const { view } = this.#stand()
    const answer = this.asks ? this.asker.answer : null
    if (answer === null) return of_frame(view, this.filter, this.order, this.#where, this.seen)
    return of_answer(answer.found, answer.view === view ? null : view)
  })
  /** How many stand, as far as they can be looked through; more if these are but the most urgent ones. */
  readonly total: number = $derived.by(() => Math.max(this.#stand().view.total, this.held.of))
  /** Whether these are but the most urgent ones, and nobody can be asked for the rest. */
  readonly only: boolean = $derived.by(
    () => this.held.of < this.total && (!this.#stand().present || this.asker.fault !== null),
  )
  /** Whether the rows are of what is sought now. */
  readonly settled: boolean = $derived.by(() => {
    const answer = this.asks ? this.asker.answer : null
    return answer === null ? !this.asks || this.asker.fault !== null : is_of(answer.asked, this.#query())
  })
  /** Where the rows begin that are shown: as near to where they should as those are that have come. */
  readonly first: number = $derived.by(() => {
    const { offset, rows } = this.held
    return Math.max(offset, Math.min(this.offset, offset + rows.length - this.room))
  })
  readonly shown: readonly AlarmView[] = $derived.by(() => {
    const from = this.first - this.held.offset
    return this.held.rows.slice(from, from + this.room)
  })
  readonly selected: AlarmView | null = $derived.by(() => (this.key === null ? null : this.#known(this.key)))
  /** What is acknowledged at once: what stands on the screen, and all that has stood there. */
  readonly on_screen: Pressed = $derived(pressed(this.shown))
  readonly all_seen: Pressed = $derived(this.held.seen)

  constructor(stand: () => Stand, where: (alarm: AlarmView) => string) {
    this.#stand = stand
    this.#where = where
    const question = (): Stand & { query: AlarmRowsQuery } => ({ ...this.#stand(), query: this.#query() })
    this.asker = new Asker(question, (answer) => {
      this.#take(answer)
    })
  }

  #query(): AlarmRowsQuery {
    return query_of({ offset: this.offset, room: this.room }, this.filter, this.order, this.key, this.seen)
  }

  /** One that stands, as far as it is known here. */
  #known(key: string): AlarmView | null {
    const is_it = (alarm: AlarmView): boolean => alarm.key === key
    const { view } = this.#stand()
    const answer = this.asks ? this.asker.answer : null
    const own = answer?.found.own ?? null
    return (
      this.held.rows.find(is_it) ??
      view.list.find(is_it) ??
      (answer !== null && own !== null && is_it(own)
        ? of_answer({ ...answer.found, rows: [own] }, null).rows[0]
        : null) ??
      null
    )
  }

  /** Asks for what is sought of all, whenever that or what stands has changed. */
  heed(): void {
    void [this.#stand().view, this.#stand().revision, this.filter, this.order, this.key, this.seen]
    void [this.offset, this.room]
    const { asks } = this
    untrack(() => {
      if (asks) this.asker.ask()
      else this.asker.end()
    })
  }

  #take({ found, asked }: Answer): void {
    dealing.settle([...found.rows, ...(found.own === null ? [] : [found.own])], false)
    if (this.#seeks && asked.key === this.key) {
      this.#seeks = false
      if (found.at !== null) this.offset = offset_for(found.at, this.offset, this.room, found.matched)
    }
    if (this.#awaits === null || !is_of(asked, this.#query())) return
    const awaited = found.rows[Math.min(this.#awaits, found.matched - 1) - found.offset]
    if (awaited !== undefined) this.select(awaited.key)
    else if (found.matched === 0) this.#awaits = null
  }

  /** What follows from new rows. */
  follow(): void {
    this.seen = seen_too(this.seen, this.shown)
    if (this.key !== null && this.selected === null && !this.#may_stand(this.key)) {
      this.key = null
      this.gone = true
      this.asking = null
    }
    this.offset = Math.max(0, Math.min(this.offset, this.held.matched - this.room))
  }

  /** Whether one of which nothing is known here may stand all the same, until the backend has said so. */
  #may_stand(key: string): boolean {
    if (!this.asks || this.asker.fault !== null) return false
    const { answer } = this.asker
    return answer === null || answer.asked.key !== key
  }

  select(key: string | null): void {
    if (key !== this.key) this.asking = null
    this.key = key
    this.gone = false
    this.#awaits = null
    const at = this.held.rows.findIndex((alarm) => alarm.key === key)
    this.#seeks = at === -1
    if (at !== -1) this.offset = offset_for(this.held.offset + at, this.offset, this.room, this.held.matched)
  }

  /** The place of the selected one; null if it has none. */
  #place(): number | null {
    const at = this.held.rows.findIndex(({ key }) => key === this.key)
    if (at !== -1) return this.held.offset + at
    const answer = this.asks ? this.asker.answer : null
    return this.key !== null && answer?.asked.key === this.key ? answer.found.at : null
  }

  move(by: number): void {
    const { matched, offset, rows } = this.held
    const from = this.#awaits ?? this.#place() ?? this.first - Math.sign(by)
    const to = Math.max(0, Math.min(matched - 1, Number.isFinite(by) ? from + by : by < 0 ? 0 : Infinity))
    const row = this.settled ? rows[to - offset] : undefined
    this.select(row?.key ?? null)
    if (row !== undefined || (this.settled && matched === 0)) return
    // What hasn't come yet is selected when it has; until then nothing is.
    this.#awaits = to
    this.offset = offset_for(to, this.offset, this.room, matched)
  }

  /** A wheel moves what is shown, whatever is selected. */
  scroll(by: number): void {
    this.offset = Math.max(0, Math.min(this.offset + by, this.held.matched - this.room))
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
