/**
 * A host without a backend: it tells a made-up day in scenarios, for looking at the page and for its tests. It is in no
 * build: `main.ts` asks for it in development only, and the page's test brings it from outside.
 */
import { fake_tiles, upon_tiles } from './fake-tiles'
import type { Sight } from '../core/sight'
import { empty } from './fake-empty'
import { outages } from './fake-outages'
import type {
  Against,
  BoardView,
  Detail,
  Frame,
  Freshness,
  GlassSeen,
  Quality,
  RowsFound,
  RowsQuery,
  SourceView,
  WidgetPatch,
  WidgetValue,
  WidgetView,
} from '../generated/frame'
import { Busy } from './fake-busy'
import { BOARD, GAUGE_BOARD, ONE_BOARD, whole } from './fake-board'
import { Changes } from './fake-changes'
import { HOUR_MS, MIDNIGHT_MS } from './fake-day'
import { ORDERS, orders_value, PAIR } from './fake-orders'
import { FakeDrill } from './fake-drill'
import { calls_value, furnished, FURNITURE_KINDS, furniture_board, type FurnitureKind } from './fake-furniture'
import { SHAPES, SHEET_KINDS, SHEET_MS, SHEET_STATES, sheet_board, sheet_freshness, sheet_value } from './fake-sheet'
import type { SheetKind, SheetState } from './fake-sheet'
import { DESK_BOARD, desk_detail, desk_rows, desk_value } from './fake-desk'
import { FakePages, PAGES_BOARD } from './fake-pages'
import { FakePast } from './fake-past'
import { FakeAlarms } from './fake-alarms'
import { FakeReports, type Mood, MOODS } from './fake-reports'
import { Rush } from './fake-rush'
import { LINE_STATES, NOTICES, REASONS, said_of, source_view } from './fake-source'
import { type DemoState, type DrillLast, type FaultName, FAULTS, type Host } from './types'

export const SCENARIOS = [
  ...([
    'live',
    'stale',
    'down',
    'refused',
    'unknown',
    'empty',
    'flood',
    'catching-up',
    'silent',
    'notices',
    'sources',
    'gaps',
  ] as const),
  ...([
    'one',
    'gauge',
    'rush',
    'idle',
    'busy',
    'orders',
    'orders-down',
    'orders-catching-up',
    'orders-unknown',
    'pair',
  ] as const),
  ...(['furniture', 'pages', 'past', 'past-odd', 'disputed'] as const),
  ...([
    'desk',
    'alarms',
    'alarms-quiet',
    'alarms-flood',
    'alarms-stale',
    'alarms-pages',
    'alarms-blizzard',
    'sheet',
  ] as const),
] as const
export type Scenario = (typeof SCENARIOS)[number]

/** Those that have another board than the usual one. */
const BOARDS: Partial<Record<Scenario, BoardView>> = {
  one: ONE_BOARD,
  gauge: GAUGE_BOARD,
  desk: DESK_BOARD,
  pages: PAGES_BOARD,
  'alarms-pages': PAGES_BOARD,
}

/** A number of the address, if it is there. */
const number = (text: string | null): number | null => (text === null ? null : Number(text))

export interface FakeOptions {
  readonly scenario: Scenario
  /** Hour of the day at which it begins, New York time. */
  readonly hour: number
  /** Replay seconds a real second. */
  readonly speed: number
  readonly theme: 'dark' | 'light'
  /** Whether the room is dark. */
  readonly night?: boolean
  readonly demo: boolean
  /** How old everything is that isn't live, when the page begins. */
  readonly age_ms?: number
  /** Another time zone than the made-up day's. */
  readonly timezone?: string | null
  /** What the board says of how it is spoken and written. */
  readonly speech?: Pick<BoardView, 'language' | 'locale'>
  /** Events a second of the busy wall, and how many times faster its time goes. */
  readonly busy?: { readonly rate: number; readonly hurry: number }
  /** What the record tells. */
  readonly mood?: Mood
  /** How large the glass is. */
  readonly sight: Sight
  /** What of the case sheet is shown. */
  readonly sheet?: { readonly kind: SheetKind | FurnitureKind; readonly state: SheetState }
}

const HEARTBEAT_MS = 1_000
/** Of every two numbers one is disputed, and the other can't be compared. */
function disputed(view: WidgetView, value: WidgetValue): Against | null {
  if (value.kind !== 'number' || value.value === null) return null
  const names = { source: 'radar', title: 'Radar', own_title: 'Gate system' }
  return view.place.row === 1
    ? { ...names, agreement: 'unchecked', value: null, reason: 'Radar is down' }
    : { ...names, agreement: 'disputed', value: value.value + 17, reason: null }
}

export class FakeHost implements Host {
  readonly #options: FakeOptions
  readonly #started_ms = performance.now()
  readonly #began_ms = Date.now()
  #checked_at_ms: number | null = null
  readonly #pages = new FakePages()
  /** For the page's tests. */
  readonly alarms: FakeAlarms
  readonly reports: FakeReports
  #version = 0
  readonly #changes = new Changes()
  #faults = new Map<FaultName, boolean>(FAULTS.map((name) => [name, false]))
  #speed: number
  #paused = false
  #replay_ms: number
  #replay_at_ms = performance.now()
  /** Set to make the host fall silent, as a backend that hangs. */
  hangs = false
  /** Set when the board is read again and says otherwise how it is spoken. */
  speech: Pick<BoardView, 'language' | 'locale'> = {}
  /** Set when the room becomes dark, or light again. */
  night: boolean
  /** When it last answered, on the page's clock. */
  answered_ms = 0
  readonly #rush = new Rush()
  readonly #busy: Busy
  #past: FakePast | null = null
  #turned = false
  /** The lamp test that runs; for the page's tests. */
  drill: FakeDrill | null = null
  #drill_last: DrillLast | null = null

  constructor(options: FakeOptions) {
    this.#options = options
    this.night = options.night ?? false
    this.#speed = options.speed
    this.#replay_ms = MIDNIGHT_MS + options.hour * HOUR_MS
    this.alarms = new FakeAlarms(options.scenario, () => this.#now())
    this.reports = new FakeReports(options.mood ?? 'rich', () => this.#now())
    this.#busy = new Busy(options.busy?.rate ?? 1_000, options.busy?.hurry ?? 1)
  }

  static from_address(search: string): FakeHost {
    const asked = new URLSearchParams(search)
    const scenario = SCENARIOS.find((name) => name === asked.get('scenario')) ?? 'live'
    const host = new FakeHost({
      scenario,
      hour: Number(asked.get('hour') ?? (scenario === 'flood' ? 16.2 : 12.6)),
      speed: Number(asked.get('speed') ?? 60),
      theme: asked.get('theme') === 'light' ? 'light' : 'dark',
      night: asked.get('theme') === 'night',
      demo: asked.get('demo') !== 'no',
      age_ms: Number(asked.get('age') ?? 12_000),
      timezone: asked.get('timezone'),
      speech: {
        ...(asked.has('board-language') ? { language: asked.get('board-language') ?? '' } : {}),
        ...(asked.has('board-locale') ? { locale: asked.get('board-locale') ?? '' } : {}),
      },
      busy: { rate: Number(asked.get('rate') ?? 1_000), hurry: Number(asked.get('hurry') ?? 1) },
      mood: MOODS.find((mood) => mood === asked.get('record')) ?? 'rich',
      sight: { px_per_mm: number(asked.get('px-per-mm')), distance_mm: number(asked.get('distance')) },
      sheet: {
        kind: [...SHEET_KINDS, ...FURNITURE_KINDS].find((kind) => kind === asked.get('kind')) ?? 'counter',
        state: SHEET_STATES.find((state) => state === asked.get('state')) ?? 'live',
      },
    })
    return host
  }

  readonly tiles_open = fake_tiles.tiles_open
  readonly tiles_read = fake_tiles.tiles_read
  readonly tiles_told = fake_tiles.tiles_told

  async next_frame(after: number, _revision: number, rest_ms: number): Promise<Frame> {
    if (this.hangs || (this.#options.scenario === 'silent' && after > 0)) return new Promise(() => undefined)
    const waits: Partial<Record<Scenario, number>> = { flood: 4, rush: 1, idle: HEARTBEAT_MS, busy: this.#busy.wait_ms }
    const wait_ms = after === 0 ? 0 : (waits[this.#options.scenario] ?? 250)
    await new Promise((resolve) => setTimeout(resolve, Math.max(wait_ms, rest_ms)))
    const held_ms = this.drill?.holds_back_ms ?? 0
    if (held_ms > 0) await new Promise((resolve) => setTimeout(resolve, held_ms))
    this.answered_ms = performance.now()
    if (this.drill?.is_over === true) await this.drill_end()
    this.drill?.go_on()
    if (this.#past?.is_over === true) await this.past_close()
    const all = after === 0 || this.#turned
    this.#turned = false
    const frame = {
      ...upon_tiles(this.frame(all)),
      ...(this.night ? { night: true } : {}),
      ...this.alarms.part(all, this.#past !== null),
    }
    if (this.drill !== null) return { ...frame, revision: 3, drill: this.drill.view() }
    if (this.#past === null) return frame
    const past = this.#past.view(all, this.#options.scenario !== 'past-odd')
    return { ...frame, revision: 2, clock: { ...frame.clock, wall_ms: past.at_ms }, past }
  }

  frame(all: boolean): Frame {
    const now = this.#now()
    this.#version += 1
    if (all) this.#changes.forget()
    const { scenario, theme } = this.#options
    if (scenario === 'rush') return this.#rushed(all)
    if (scenario === 'busy') return this.#hurried(all)
    if (scenario === 'sheet') return this.#sheet(all)
    if (scenario === 'pair' || scenario === 'furniture' || scenario.startsWith('orders')) return this.#shop(all)
    const board = BOARDS[scenario] ?? BOARD
    const shown = (view: WidgetView): WidgetValue => (scenario === 'desk' ? desk_value(view, now) : whole(view, now))
    const widgets = board.widgets.map((view): WidgetPatch => {
      // A backend that knows nothing sends the kind's empty value.
      const value = scenario === 'unknown' || scenario === 'empty' ? empty(shown(view)) : shown(view)
      if (scenario === 'gaps' && value.kind === 'number') value.at_least = view.look.kind === 'counter'
      const against = scenario === 'disputed' ? disputed(view, value) : null
      const quality = { ...this.#quality(now), against }
      return { id: view.id, quality, value: value === null ? null : this.#changes.of(view.id, value) }
    })
    return {
      version: this.#version,
      board: all
        ? {
            ...board,
            theme,
            timezone: this.#options.timezone ?? board.timezone,
            ...this.#options.speech,
            ...this.speech,
          }
        : null,
      revision: 1,
      clock: {
        wall_ms: Date.now(),
        board_ms: now,
        // A replay whose source isn't live stands at its last proven time.
        speed: this.#paused || this.#freshness() !== 'live' ? 0 : this.#speed,
        label: 'Replay of 8 February 2013',
      },
      heartbeat_ms: HEARTBEAT_MS,
      sources:
        scenario === 'sources'
          ? LINE_STATES.map((freshness, at) => ({
              ...this.#source(freshness),
              id: `line-${at}`,
              title: `Line ${at + 1}`,
            }))
          : [this.#source()],
      widgets,
      notices: scenario === 'notices' ? NOTICES : [],
      ...(scenario.endsWith('pages') ? { page: this.#pages.shown() } : {}),
      outages: all ? outages(now) : null,
    }
  }

  /** Nothing moves: each frame says that its instant is still the same. */
  #sheet(all: boolean): Frame {
    const { theme, sheet } = this.#options
    const { kind, state } = sheet ?? { kind: 'counter', state: 'live' }
    const furniture = FURNITURE_KINDS.find((one) => one === kind)
    const board =
      furniture === undefined
        ? sheet_board(kind as SheetKind, state)
        : furniture_board(furniture, state, SHAPES, SHEET_MS)
    const freshness = sheet_freshness(state)
    const live = freshness === 'live'
    const quality: Quality = {
      ...this.#quality(SHEET_MS),
      freshness,
      reason: REASONS[freshness] ?? null,
      ...said_of(freshness),
      age_ms: live ? 200 : 12_000,
      live_for_ms: live ? 4_800 : 0,
      source_ms: freshness === 'unknown' ? null : SHEET_MS - (live ? 0 : 12_000),
    }
    return {
      version: this.#version,
      board: all ? { ...board, theme } : null,
      revision: 1,
      // What has no freshness of its own stands with the replay of a source that isn't live.
      clock:
        furniture !== undefined && !live
          ? { wall_ms: SHEET_MS, board_ms: SHEET_MS, speed: 0, label: 'Replay' }
          : { wall_ms: SHEET_MS, board_ms: SHEET_MS, speed: 1, label: null },
      heartbeat_ms: HEARTBEAT_MS,
      sources: [this.#source(freshness)],
      widgets: board.widgets.map((view, at) => ({
        id: view.id,
        quality,
        value: all ? sheet_value(view, state, at) : null,
      })),
      notices: [],
      outages: all ? [] : null,
    }
  }

  #rushed(all: boolean): Frame {
    const wall_ms = Date.now()
    const base = {
      version: this.#version,
      revision: 1,
      clock: { wall_ms, board_ms: wall_ms, speed: 1, label: null },
      heartbeat_ms: HEARTBEAT_MS,
      sources: [this.#source()],
      notices: [],
      outages: null,
    }
    return this.#rush.next(base, all ? 60 : 17, all, this.#quality(wall_ms))
  }

  #hurried(all: boolean): Frame {
    const wall_ms = Math.floor(this.#busy.now())
    const base = {
      version: this.#version,
      revision: 1,
      clock: { wall_ms, board_ms: wall_ms, speed: 1, label: null },
      heartbeat_ms: HEARTBEAT_MS,
      sources: [this.#source()],
      notices: [],
      outages: all ? [] : null,
    }
    return this.#busy.next(base, all, this.#quality(wall_ms))
  }

  /** In real time, by a source that was met a while ago: what came before isn't known. */
  #shop(all: boolean): Frame {
    const { scenario, theme } = this.#options
    const wall_ms = Date.now()
    const board = scenario === 'furniture' ? furnished(PAIR, this.#began_ms) : scenario === 'pair' ? PAIR : ORDERS
    const quality = { ...this.#quality(wall_ms), basis: 'unknown' as const, incomplete_until_ms: wall_ms - 100_000 }
    const widgets = board.widgets.map((view): WidgetPatch => {
      const value = view.id === 'calls' ? calls_value(this.#began_ms) : orders_value(view, wall_ms)
      return { id: view.id, quality, value: scenario === 'orders-unknown' ? empty(value) : value }
    })
    return {
      version: this.#version,
      board: all ? { ...board, theme } : null,
      revision: 1,
      clock: { wall_ms, board_ms: wall_ms, speed: 1, label: null },
      heartbeat_ms: HEARTBEAT_MS,
      sources: [this.#source()],
      widgets,
      notices: [],
      outages: all ? outages(wall_ms) : null,
    }
  }

  #now(): number {
    const real = performance.now()
    const still =
      this.#paused ||
      ['stale', 'alarms-stale', 'down', 'refused', 'silent', 'unknown', 'idle'].includes(this.#options.scenario)
    if (!still) this.#replay_ms += (real - this.#replay_at_ms) * this.#speed
    this.#replay_at_ms = real
    return Math.floor(this.#replay_ms)
  }

  #freshness(): Freshness {
    if (this.drill !== null) return this.drill.freshness
    const scenario = this.#options.scenario.replace(/^(?:orders|alarms)-/, '')
    if (
      scenario === 'stale' ||
      scenario === 'down' ||
      scenario === 'refused' ||
      scenario === 'unknown' ||
      scenario === 'catching-up'
    )
      return scenario
    return this.#faults.get('cut') === true ? 'down' : this.#faults.get('freeze') === true ? 'stale' : 'live'
  }

  #quality(now: number): Quality {
    const freshness = this.#freshness()
    const live = freshness === 'live'
    const age_ms = live ? 200 : (this.#options.age_ms ?? 12_000) + (performance.now() - this.#started_ms)
    return {
      freshness,
      reason: REASONS[freshness] ?? null,
      ...said_of(freshness),
      age_ms,
      limit_ms: 5_000,
      live_for_ms: live ? 4_800 : 0,
      source_ms: freshness === 'unknown' ? null : now - 40 * 60_000,
      received_ago_ms: age_ms,
      basis: this.#options.scenario === 'gaps' ? 'unknown' : 'proven',
      incomplete_until_ms: this.#options.scenario === 'gaps' ? now - 40 * 60_000 : null,
      rejected: null,
      against: null,
    }
  }

  #source(freshness = this.#freshness()): SourceView {
    const has_gaps = this.#options.scenario === 'gaps'
    return source_view(freshness, { version: this.#version, checked_at_ms: this.#checked_at_ms, has_gaps })
  }

  past_open(at_ms: number | null): Promise<void> {
    if (this.#options.scenario === 'one') return Promise.reject(new Error('the journal has no record of the glass'))
    this.#past = new FakePast(at_ms, this.#options.scenario)
    this.#turned = true
    return Promise.resolve()
  }

  /** The board was read again. */
  reload(speech: Pick<BoardView, 'language' | 'locale'>): void {
    this.speech = speech
    this.#turned = true
  }

  past_close(): Promise<void> {
    this.#turned = this.#past !== null
    this.#past = null
    return Promise.resolve()
  }

  past_seek(at_ms: number): Promise<void> {
    this.#past?.seek(at_ms)
    return Promise.resolve()
  }

  past_play(playing: boolean): Promise<void> {
    this.#past?.play(playing)
    return Promise.resolve()
  }

  past_speed(speed: number): Promise<void> {
    this.#past?.speed(speed)
    return Promise.resolve()
  }

  past_stay(): Promise<void> {
    this.#past?.stay()
    return Promise.resolve()
  }

  drill_begin(): Promise<void> {
    if (this.#options.scenario === 'down') return Promise.reject(new Error('no source is live'))
    this.drill = new FakeDrill()
    this.#turned = true
    return Promise.resolve()
  }

  drill_end(): Promise<void> {
    if (this.drill !== null) {
      const ended = this.drill.is_over ? null : 'at the wall'
      this.#drill_last = { at_ms: Date.now(), passed: 5, failed: 0, untested: 0, ended }
    }
    this.#turned = this.drill !== null
    this.drill = null
    return Promise.resolve()
  }

  drill_seen(seen: GlassSeen): Promise<void> {
    this.drill?.take(seen)
    return Promise.resolve()
  }

  drill_last(): Promise<DrillLast | null> {
    return Promise.resolve(this.#drill_last)
  }

  glass(): Promise<Sight> {
    return Promise.resolve(this.#options.sight)
  }

  turn(how: 'next' | 'previous' | 'pin' | 'show', number?: number): Promise<void> {
    this.#pages.turn(how, number)
    return Promise.resolve()
  }

  readonly alarm_act: Host['alarm_act'] = (act) => this.alarms.act(act)
  /** There is no desktop that could tell of one. */
  readonly alarm_sought: Host['alarm_sought'] = () => Promise.resolve(null)
  readonly alarms_acknowledge: Host['alarms_acknowledge'] = (seen) => this.alarms.acknowledge(seen)
  readonly alarm_rows: Host['alarm_rows'] = (query) => this.alarms.rows(query)
  readonly alarm_report: Host['alarm_report'] = (...of) => this.reports.alarm_report(...of)
  readonly since: Host['since'] = (...of) => this.reports.since(...of)
  readonly since_moments: Host['since_moments'] = (...of) => this.reports.since_moments(...of)

  /** Set to make a hand's questions fail. */
  deaf = false

  rows(query: RowsQuery): Promise<RowsFound> {
    return this.deaf
      ? Promise.reject(new Error('the backend has ended'))
      : Promise.resolve(desk_rows(query, this.#now()))
  }

  detail(widget: string, key: string): Promise<Detail | null> {
    return Promise.resolve(desk_detail(widget, key, this.#now()))
  }

  reconcile(): Promise<void> {
    this.#checked_at_ms = Date.now()
    return Promise.resolve()
  }

  demo_state(): Promise<DemoState | null> {
    if (!this.#options.demo) return Promise.resolve(null)
    const faults = FAULTS.map((name) => ({ name, on: this.#faults.get(name) ?? false }))
    return Promise.resolve({
      active: true,
      faults,
      speed: this.#speed,
      paused: this.#paused,
      replay_ms: this.#replay_ms,
    })
  }

  demo_fault(name: FaultName, on: boolean): Promise<void> {
    this.#faults.set(name, on)
    return Promise.resolve()
  }

  demo_speed(speed: number): Promise<void> {
    this.#now()
    this.#speed = speed
    return Promise.resolve()
  }

  demo_pause(paused: boolean): Promise<void> {
    this.#now()
    this.#paused = paused
    return Promise.resolve()
  }
}
