/**
 * A hand in a panel, at a desk: what it has selected, what it looks for, and how it sorts. There is one hand. What it filters is seen to be
 * filtered and is over after a minute without it, for a wall that shows a part must not be taken for one that shows all (H1).
 */
import type { ColumnSort, Detail, RowsFound, RowsQuery, RowValue } from '../../generated/frame'
import { next_sort, offset_for, type Spot, spot_beside } from '../../core/desk'
import { error_text } from '../../core/format'
import { DESK_ANSWER_MS, DESK_LEFT_MS, DESK_PACE_MS, DESK_SAID_MS } from '../../core/limits'
import type { Host } from '../../host/types'
import { say } from '../../words/say'

/** What a panel that can be entered tells the desk. */
export interface Panel {
  readonly id: string
  /** Whether the backend can be asked: it knows the present alone. */
  readonly asks: () => boolean
  /** Of a table, all of whose rows can be asked for. */
  readonly table: {
    readonly columns: number
    /** Rows that have room. */
    readonly room: () => number
    readonly total: () => number
    /** The rows that the page holds, for where no others can be had. */
    readonly held: () => readonly RowValue[]
    readonly revision: () => number
  } | null
  /** What else can be selected, where it stands. */
  readonly spots: () => readonly Spot[]
}

export type Way = 'left' | 'right' | 'up' | 'down'

class Desk {
  host: Host | null = null
  /** The panel that a hand is in. */
  panel = $state.raw<Panel | null>(null)
  /** What is selected in it. */
  key = $state.raw<string | null>(null)
  /** The place of several that is looked into: its key. What stands there is gone through one by one. */
  group = $state.raw<string | null>(null)
  /** Its place among all rows. */
  at = $state.raw(0)
  offset = $state.raw(0)
  /** The column that a key would sort by. */
  column = $state.raw<number | null>(null)
  sort = $state.raw<ColumnSort | null>(null)
  find = $state.raw('')
  /** Whether somebody writes what is to be found. */
  finding = $state(false)
  /** The rows as the backend has them; null while none have come, or none can be had. */
  found = $state.raw<RowsFound | null>(null)
  /** Whether they are of what is sought now. */
  settled = $state(false)
  fault = $state.raw<string | null>(null)
  /** Whether all that is known of the selected thing is shown. */
  open = $state(false)
  detail = $state.raw<Detail | null>(null)
  detail_fault = $state.raw<string | null>(null)
  /** What was done, in a word, for a moment. */
  said = $state.raw<string | null>(null)

  #timer: ReturnType<typeof setTimeout> | undefined
  #said_timer: ReturnType<typeof setTimeout> | undefined
  #asking = false
  #again = false
  #asked = 0
  #detail_asked = 0
  /** Whether the selected row is still to come. */
  #awaits = false

  /** Whether a table doesn't look as its board says. */
  get alters(): boolean {
    return this.find !== '' || this.sort !== null
  }

  is_in(id: string): boolean {
    return this.panel?.id === id
  }

  /** The keys of those that stand at the place that is looked into; none if none is, or if they stand apart by now. */
  members(): readonly string[] {
    return this.group === null ? [] : this.#members_at(this.group)
  }

  #members_at(key: string): readonly string[] {
    return this.panel?.spots().find((spot) => spot.key === key)?.members ?? []
  }

  enter(panel: Panel): void {
    if (this.is_in(panel.id)) return
    this.leave()
    this.panel = panel
    if (panel.table === null) this.key = panel.spots()[0]?.key ?? null
    this.stay()
    this.ask()
  }

  leave(): void {
    clearTimeout(this.#timer)
    this.#asked += 1
    this.#detail_asked += 1
    this.panel = this.key = this.group = this.sort = this.found = this.fault = this.column = null
    this.detail = this.detail_fault = null
    this.find = ''
    this.settled = false
    this.at = this.offset = 0
    this.finding = this.open = false
  }

  /** Somebody is there. */
  stay(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.leave()
    }, DESK_LEFT_MS)
  }

  /** One thing back: what lies above, the filter, the order, the selection. */
  back(): boolean {
    if (this.panel === null) return false
    this.stay()
    if (this.open && this.group !== null && this.key !== this.group) this.#pick(this.group)
    else if (this.open) {
      this.open = false
      this.group = null
    } else if (this.finding || this.find !== '') this.look_for('', false)
    else if (this.sort !== null) this.sort_by(null)
    else this.leave()
    return true
  }

  look_for(find: string, finding: boolean): void {
    this.stay()
    this.finding = finding
    if (find === this.find) return
    this.find = find
    this.#begin_again()
  }

  sort_by(sort: ColumnSort | null): void {
    this.stay()
    this.sort = sort
    this.#begin_again()
  }

  turn_sort(column: number): void {
    this.column = column
    this.sort_by(next_sort(this.sort, column))
  }

  #begin_again(): void {
    this.offset = this.at = 0
    this.key = null
    this.settled = false
    this.ask()
  }

  get #count(): number {
    const table = this.panel?.table ?? null
    if (table === null) return 0
    // Before the first answer it is known how many there are, but not how many match.
    return (
      this.found?.matched ??
      (this.panel?.asks() === true && !this.alters && this.fault === null ? table.total() : table.held().length)
    )
  }

  /** Where the rows begin that are shown now: as near to where they should as those are that have come. */
  get shown_offset(): number {
    const table = this.panel?.table
    if (table === null || table === undefined) return 0
    const room = table.room()
    const from = this.found?.offset ?? 0
    const count = this.found?.rows.length ?? table.held().length
    return Math.max(from, Math.min(this.offset, from + count - room))
  }

  /** The rows that are shown now. */
  rows(): readonly RowValue[] {
    const table = this.panel?.table
    if (table === null || table === undefined) return []
    const rows = this.found?.rows ?? table.held()
    return rows.slice(this.shown_offset - (this.found?.offset ?? 0))
  }

  /** The row at a place, if it has come. */
  #row_at(at: number): RowValue | undefined {
    const rows = this.found?.rows ?? this.panel?.table?.held() ?? []
    return rows[at - (this.found?.offset ?? 0)]
  }

  go(way: Way): void {
    const { panel } = this
    if (panel === null) return
    this.stay()
    if (panel.table === null) {
      const members = this.members()
      if (this.open && members.length > 0 && (way === 'up' || way === 'down')) {
        const at = members.indexOf(this.key ?? '')
        this.select(
          members[at < 0 ? 0 : Math.max(0, Math.min(members.length - 1, at + (way === 'up' ? -1 : 1)))] ?? null,
        )
        return
      }
      const spots = panel.spots()
      const from = this.group ?? this.key
      const key = from === null ? null : spot_beside(spots, from, way)
      this.select(key ?? (spots.some((spot) => spot.key === from) ? this.key : (spots[0]?.key ?? null)))
      return
    }
    if (way === 'left' || way === 'right') {
      const next = (this.column ?? (way === 'right' ? -1 : panel.table.columns)) + (way === 'right' ? 1 : -1)
      this.column = Math.max(0, Math.min(panel.table.columns - 1, next))
      return
    }
    this.go_to(this.key === null ? this.offset : this.at + (way === 'up' ? -1 : 1))
  }

  /** By so many screens, or to an end. */
  go_far(by: number): void {
    const table = this.panel?.table
    this.stay()
    if (table === null || table === undefined) {
      const spots = this.panel?.spots() ?? []
      this.select(spots.at(by < 0 ? 0 : -1)?.key ?? null)
      return
    }
    this.go_to(Number.isFinite(by) ? this.at + by * Math.max(1, table.room() - 1) : by < 0 ? 0 : this.#count - 1)
  }

  go_to(at: number): void {
    const table = this.panel?.table
    if (table === null || table === undefined || this.#count === 0) return
    this.at = Math.max(0, Math.min(this.#count - 1, at))
    this.offset = offset_for(this.at, this.offset, table.room(), this.#count)
    const row = this.#row_at(this.at)
    // What hasn't come yet is selected when it has.
    this.#awaits = row === undefined
    this.#pick(row?.key ?? null)
    this.ask()
  }

  /** A wheel moves what is shown, whatever is selected. */
  wheel(by: number): void {
    this.key = null
    this.open = false
    this.scroll(by)
    this.at = this.offset
  }

  scroll(by: number): void {
    const table = this.panel?.table
    if (table === null || table === undefined) return
    this.offset = Math.max(0, Math.min(this.offset + by, this.#count - table.room()))
    this.ask()
  }

  select(key: string | null, at?: number): void {
    this.stay()
    if (at !== undefined) this.at = at
    if (this.group !== null && key !== this.group && !this.members().includes(key ?? '')) this.group = null
    this.#pick(key)
  }

  #pick(key: string | null): void {
    if (key === this.key) return
    this.key = key
    this.detail = this.detail_fault = null
    if (this.open) this.#look_into()
  }

  /** Shows the selected thing, or what stands at the selected place. */
  #look_into(): void {
    if (this.key !== null && this.#members_at(this.key).length > 0) this.group = this.key
    else void this.#ask_detail()
  }

  show(): boolean {
    if (this.panel === null || this.key === null) return false
    this.stay()
    this.open = true
    this.#look_into()
    return true
  }

  say(word: string): void {
    this.said = word
    clearTimeout(this.#said_timer)
    this.#said_timer = setTimeout(() => {
      this.said = null
    }, DESK_SAID_MS)
  }

  /** Asks for the rows that are shown: one question at a time, and none more often than the pace. */
  ask(): void {
    const table = this.panel?.table
    if (table === null || table === undefined || this.host === null) return
    if (this.panel?.asks() !== true) {
      this.found = null
      return
    }
    if (this.#asking) this.#again = true
    else void this.#ask()
  }

  async #ask(): Promise<void> {
    const { panel, host } = this
    const table = panel?.table ?? null
    if (panel === null || table === null || host === null) return
    this.#asking = true
    this.#again = false
    const number = (this.#asked += 1)
    const room = table.room()
    const margin = Math.max(10, room)
    const query = {
      widget: panel.id,
      offset: Math.max(0, this.offset - margin),
      count: Math.min(500, room + 2 * margin),
      find: this.find,
      sort: this.sort,
      key: this.key,
    }
    const begun_ms = performance.now()
    const late = setTimeout(() => {
      if (number === this.#asked) this.#lose(say('error.no-answer'))
    }, DESK_ANSWER_MS)
    try {
      const found = await host.rows(query)
      if (number === this.#asked && this.panel === panel) this.#take(found, panel, query)
    } catch (error) {
      if (number === this.#asked) this.#lose(error_text(error))
    } finally {
      clearTimeout(late)
      // A hand takes a fifth of the board's time at most: looking through a hundred thousand rows costs some.
      const rest_ms = Math.min(DESK_ANSWER_MS, Math.max(DESK_PACE_MS, 4 * (performance.now() - begun_ms)))
      setTimeout(() => {
        this.#asking = false
        if (this.#again) void this.#ask()
      }, rest_ms)
    }
  }

  /** Rows that nobody answers for any more are none that may stand there. */
  #lose(fault: string): void {
    this.found = null
    this.fault = fault
  }

  #take(found: RowsFound, panel: Panel, asked: RowsQuery): void {
    const { table } = panel
    if (table === null || found.revision !== table.revision()) return
    this.found = found
    this.fault = null
    this.settled = asked.find === this.find && asked.sort === this.sort
    const room = table.room()
    // What was selected meanwhile is told of by the next answer.
    if (this.key !== null && this.key === asked.key) {
      // It stays selected where it goes; what has gone leaves its place to the next.
      if (found.at !== null) {
        const moved = found.at !== this.at
        this.at = found.at
        if (moved) this.offset = offset_for(this.at, this.offset, room, found.matched)
      } else this.#pick(null)
    }
    this.offset = Math.max(0, Math.min(this.offset, found.matched - room))
    this.at = Math.max(0, Math.min(this.at, found.matched - 1))
    const awaited = this.#awaits ? this.#row_at(this.at) : undefined
    if (awaited !== undefined) {
      this.#awaits = false
      this.#pick(awaited.key)
    }
    const first = this.offset - found.offset
    if (first < 0 || (first + room > found.rows.length && found.offset + found.rows.length < found.matched))
      this.#again = true
  }

  async #ask_detail(): Promise<void> {
    const { panel, key, host } = this
    if (panel?.asks() !== true || key === null || host === null) return
    const number = (this.#detail_asked += 1)
    try {
      const detail = await host.detail(panel.id, key)
      if (number === this.#detail_asked) this.detail = detail
    } catch (error) {
      if (number === this.#detail_asked) this.detail_fault = error_text(error)
    }
  }
}

/** The page's one. */
export const desk = new Desk()
