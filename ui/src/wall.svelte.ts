/**
 * The wall as components read it. Frames go into the plain {@link Wall}; what changed is handed to reactive cells, so
 * that a widget is touched only if it changed.
 */
import { flushSync } from 'svelte'
import type {
  Against,
  AlarmsView,
  BoardView,
  DrillView,
  Frame,
  Freshness,
  FurnitureView,
  Notice,
  Outage,
  PageShown,
  PastMarks,
  PastView,
  Place,
  Quality,
  SourceView,
  SpanView,
  WidgetView,
} from './generated/frame'
import { is_same } from './core/against'
import { type Band, bands, is_same_band, worded } from './core/alarms'
import { ends_after_ms, is_current, judge, silent_reason, undrawn_reason, type Verdict } from './core/freshness'
import { age_text, Zone } from './core/format'
import type { Held } from './core/held'
import { may_lack } from './core/lacks'
import { Lane } from './core/lane'
import { CHARTS_MS, FRAME_MS_MAX, FRAME_MS_MIN, ROWS_MS } from './core/limits'
import { root_size } from './core/glass'
import { type Extent, growth, page_layout } from './core/layout'
import { turned } from './core/pages'
import { type Seen, see, type Sight } from './core/sight'
import { type Across, letters, on_glass } from './core/span'
import { newest_ms, type Widget, Wall } from './core/wall'
import { WIDGETS } from './widgets'
import { date_locale } from './words/numerals'
import { say, spoken_language } from './words/say'

/** One widget's reactive state. */
export class Cell {
  view: WidgetView
  /** Where it stands on this glass. */
  place: Place
  /** Where it stands if it is drawn over several monitors, a part of it on each. */
  across = $state.raw<Across | null>(null)
  /** What it shows: a number with every frame, all else at the pace of its lane. */
  value = $state.raw<Held | null>(null)
  /** A number as its sparkline and change have it: at the pace of charts. */
  trend = $state.raw<Held | null>(null)
  freshness = $state.raw<Freshness>('unknown')
  reason = $state.raw<string | null>(null)
  /** The age as it stands beside the value; null where none belongs. */
  age = $state.raw<string | null>(null)
  /** What may be missing from it that its value doesn't tell by itself: `since 14:05:09`, or `incomplete`. */
  lacks = $state.raw<string | null>(null)
  /** How many events it could not use, and why the newest. */
  rejected = $state.raw<{ count: number; reason: string } | null>(null)
  /** What a second source says of the same quantity; null while this one isn't current. */
  against = $state.raw<Against | null>(null)
  /** The board's time of the newest proof: from here on a chart knows nothing. Null while it is current. */
  known_until_ms = $state.raw<number | null>(null)
  /** The most urgent alarm that it is judged by; null if none stands. */
  alarm = $state.raw<Band | null>(null)
  /** Whether its panel can't draw it. */
  undrawn = false

  constructor(view: WidgetView) {
    this.view = $state.raw(view)
    this.place = $state.raw(view.place)
  }
}

export interface ClockText {
  readonly time: string
  readonly seconds: string
  /** ` PM`, where a day has twice twelve hours. */
  readonly half: string
  readonly date: string
}

export class LiveWall {
  readonly wall = new Wall()
  board = $state.raw<BoardView | null>(null)
  /** Every widget's, of all pages. */
  cells = $state.raw<readonly Cell[]>([])
  /** Those of the page that is shown. */
  shown = $state.raw<readonly Cell[]>([])
  /** What stands there besides. */
  furniture = $state.raw<readonly FurnitureView[]>([])
  /** Which page is shown, as the backend has it; null if the board is one page. */
  page = $state.raw<PageShown | null>(null)
  /** Its number. Of a record it may be another one than the backend says: a hand turned to it. */
  page_number = $state.raw(0)
  /** The grid as far as it is used. */
  extent = $state.raw<Extent>({ columns: 1, rows: 1 })
  /** This window's part of a picture over several monitors; null if it shows all of a page. */
  span = $state.raw<SpanView | null>(null)
  /** Panels that lie across an edge of it, and the ids of all that lie across a bezel and should not. */
  across = $state.raw<readonly Across[]>([])
  cut = $state.raw<readonly string[]>([])
  /** How many times larger its letters are than those of a page of its own. */
  letters = $state.raw(1)
  sources = $state.raw<readonly SourceView[]>([])
  notices = $state.raw<readonly Notice[]>([])
  /** How much larger text is than the glass has room for by itself, and why that isn't enough. */
  seen = $state.raw<Seen>({ larger: 1, notice: null })
  /** How many times larger a hand wants it, on a desktop. */
  zoom = $state.raw(1)
  /** What stands of alarms; null of a board without rules. */
  alarms = $state.raw<AlarmsView | null>(null)
  /** The links' history, newest first. */
  outages = $state.raw<readonly Outage[]>([])
  /** Whether somebody looks at them. */
  history_open = $state(false)
  /** Set while the past is shown. */
  past = $state.raw<PastView | null>(null)
  /** Set while a lamp test runs: what is shown is a copy. */
  drill = $state.raw<DrillView | null>(null)
  /** Stretches on the record's time line. */
  marks = $state.raw<PastMarks>({ holes: [], losses: [] })
  clock = $state.raw<ClockText | null>(null)
  /** This machine's clock as of the newest frame, whole seconds, milliseconds since the Unix epoch. */
  wall_ms = $state.raw(0)
  /** The board's time, milliseconds since the Unix epoch, as of the newest frame. */
  board_ms = $state.raw(0)
  /** The same at the pace of charts, which move with it. */
  slow_board_ms = $state.raw(0)
  speed = $state.raw(1)
  replay_label = $state.raw<string | null>(null)
  zone = $state.raw(new Zone('UTC'))
  /** The language and locale of what is said: all of it is said anew in another. */
  speech = $state.raw('')
  /** Whole seconds of the backend's clock that came with the newest frame: moves only while frames travel. */
  beat = $state.raw(0)
  version = $state.raw(0)
  /** The source's time of the newest event in what is shown, milliseconds since the Unix epoch; none yet if null. */
  newest_ms = $state.raw<number | null>(null)
  /** The same of the rows that are shown, which follow at their own pace. */
  rows_newest_ms = $state.raw<number | null>(null)
  /** Kept once the first frame is on the glass. What is heavy and can wait is loaded after it: numbers come first. */
  readonly first_paint: Promise<void>
  /** Why nothing that stands is of now; null while it is. `frozen_at` says since when by the page's clock, in the board's zone. */
  frozen_because = $state.raw<string | null>(null)
  frozen_at = $state.raw<string | null>(null)
  silent_age = $state.raw('')

  readonly #cell_of = new Map<string, Cell>()
  readonly #rows = new Lane(ROWS_MS)
  readonly #charts = new Lane(CHARTS_MS)
  #first_painted: () => void = () => undefined
  #gap_timer: ReturnType<typeof setTimeout> | null = null
  /** When the newest gap between two frames was. */
  #gap_at_ms = -Infinity
  #pulse_timer: ReturnType<typeof setTimeout> | null = null
  #pulse_at_ms = Infinity
  #slow_clock_ms = -Infinity
  #heard_ms = 0
  #sight: Sight = { px_per_mm: null, distance_mm: null }
  #notices_text = ''
  /** As they came. */
  #alarms: AlarmsView | null = null
  #banded: readonly [AlarmsView | null, readonly Cell[], boolean] = [null, [], false]
  /** Whether the room is dark. */
  #night = false
  /** The page of a record that a hand turned to. */
  #own_page: number | null = null
  readonly #after_paint = new Set<() => void>()

  constructor() {
    this.first_paint = new Promise((resolve) => {
      this.#first_painted = resolve
    })
  }

  /** Whether the backend is silent, or what it says can't be drawn. */
  get silent(): boolean {
    return this.frozen_because !== null
  }

  /** How many times larger text is than the glass has room for by itself: what has measured it is made anew with it. */
  get text_scale(): number {
    return this.seen.larger * this.#zoom_now() * this.letters
  }

  /** A lamp test looks at the whole wall, so nothing of it may be outside. */
  #zoom_now(): number {
    return this.drill === null ? this.zoom : Math.min(1, this.zoom)
  }

  /** Of a wall that is larger than its window, how many times; 1 where all of it is seen. */
  get magnified(): number {
    return Math.max(1, this.#zoom_now())
  }

  take_zoom(zoom: number): void {
    this.zoom = zoom
    this.#set_text()
  }

  #set_text(): void {
    // Before anything is drawn or measured anew by it.
    document.documentElement.style.fontSize = root_size(this.text_scale, innerWidth, innerHeight)
  }

  /** How much larger than usual a widget's text is. */
  growth_of(cell: Cell): number {
    // As large on each of its monitors.
    return cell.across === null ? this.growth_at(cell.place) : 1
  }

  /** The same of whatever stands there. */
  growth_at(place: Place): number {
    return growth(place, this.extent, this.shown.length + this.furniture.length)
  }

  /** Calls this each time that a frame is on the glass; returns what ends it. */
  after_paint(then: () => void): () => void {
    this.#after_paint.add(then)
    return () => {
      this.#after_paint.delete(then)
    }
  }

  /** What was applied is on the glass. */
  painted(): void {
    this.#first_painted()
    this.between_frames()
    for (const then of this.#after_paint) then()
  }

  /**
   * Takes a frame over and puts it into the document. False if it can't be applied to what is held. It throws if it can't be drawn:
   * then {@link cannot_draw} must follow, for half of it may stand there.
   */
  apply(frame: Frame): boolean {
    const now = performance.now()
    const applied = this.wall.apply(frame, now)
    if (applied === null) return false
    flushSync(() => {
      // What couldn't be drawn is over if this can be.
      this.frozen_because = null
      this.#take_past(frame)
      const night = frame.night ?? false
      const turned = night !== this.#night
      this.#night = night
      // Who looks back, and a lamp test, has all of the page.
      this.#take_span(this.past === null && this.drill === null ? (frame.span ?? null) : null)
      if (applied.board) this.#take_board()
      else if (turned && this.wall.board !== null) this.#set_theme(this.wall.board)
      this.#take_page(frame, applied.board)
      this.#take_values(applied.values, applied.board, now)
      this.#take_head(frame, now)
      this.newest_ms = newest_ms(frame)
      this.#tell_rows()
      this.#judge(now)
    })
    this.frozen_at = null
    this.#arm_pulse(now)
    this.#arm_gap(now)
    return true
  }

  heard(): void {
    // An answer that can't be drawn is none to whoever looks at the glass.
    if (this.frozen_because === undrawn_reason()) return
    this.#heard_ms = performance.now()
    if (!this.silent) return
    this.frozen_because = null
    this.frozen_at = null
  }

  fall_silent(): void {
    this.#freeze(silent_reason())
  }

  /** What the backend said can't be drawn, or half of it: nothing of what stands is live (H1). */
  cannot_draw(): void {
    this.#freeze(undrawn_reason())
  }

  #freeze(because: string): void {
    const now = performance.now()
    this.frozen_at ??= this.clock === null ? null : this.clock.time + this.clock.seconds + this.clock.half
    this.frozen_because = because
    try {
      flushSync(() => {
        this.#judge(now)
      })
    } catch {
      // What can't be drawn may throw again. Whoever pulls must go on all the same (H7).
    }
    this.#arm_pulse(now)
  }

  /** Whether a widget can be drawn by its panel: where it can't, nobody sees what is live (H1). */
  panel_draws(cell: Cell, draws: boolean): void {
    cell.undrawn = !draws
    this.#judge(performance.now())
  }

  #take_past({ past, drill }: Frame): void {
    // Where a chart's knowledge ended is another question in the present than in a record or a copy.
    const turned = (this.past === null) !== (past === undefined) || (this.drill === null) !== (drill === undefined)
    if (turned) for (const cell of this.cells) cell.known_until_ms = null
    const tested = (this.drill === null) !== (drill === undefined)
    this.drill = drill ?? null
    if (tested && this.zoom > 1) this.#set_text()
    this.past = past ?? null
    if (past?.marks != null) this.marks = past.marks
  }

  #take_span(span: SpanView | null): void {
    if (JSON.stringify(span) === JSON.stringify(this.span)) return
    this.span = span
    this.take_sight(this.#sight)
  }

  /** How large the glass is, and from how far it is read. */
  take_sight(sight: Sight): void {
    this.#sight = sight
    this.letters = this.span === null ? 1 : letters(this.span, { width: innerWidth, height: innerHeight })
    this.#set_text()
    if (this.board === null) return
    this.#look_at(this.board)
    this.#arrange(this.board)
  }

  /** Makes text as large as it has to be there. */
  #look_at(board: BoardView): void {
    const seen = see(board, this.#sight, innerWidth, innerHeight, this.span)
    if (seen.larger === this.seen.larger && seen.notice?.text === this.seen.notice?.text) return
    this.seen = seen
    this.#set_text()
  }

  #take_board(): void {
    const { board } = this.wall
    if (board === null) return
    this.#set_theme(board)
    this.#look_at(board)
    const speech = `${spoken_language()} ${date_locale()}`
    if (this.zone.name !== board.timezone || this.speech !== speech) this.zone = new Zone(board.timezone)
    this.speech = speech
    for (const id of this.#cell_of.keys()) {
      if (this.wall.widgets.has(id)) continue
      this.#cell_of.delete(id)
      this.#rows.forget(id)
      this.#charts.forget(id)
    }
    this.cells = board.widgets.map((view) => {
      let cell = this.#cell_of.get(view.id)
      if (cell?.view.look.kind !== view.look.kind) {
        cell = new Cell(view)
        this.#cell_of.set(view.id, cell)
      }
      cell.view = view
      return cell
    })
  }

  /** Paints for the room as it is now. */
  #set_theme(board: BoardView): void {
    const theme = this.#night ? 'night' : board.theme === 'light' ? 'light' : 'dark'
    // Canvases read the tokens when they are built, so these come first.
    document.documentElement.dataset['theme'] = theme
    this.board = { ...board, theme }
  }

  #take_page(frame: Frame, is_new: boolean): void {
    if (this.past === null || is_new) this.#own_page = null
    this.page = frame.page ?? null
    const number = this.#own_page ?? frame.page?.number ?? 0
    if (number !== this.page_number || is_new) this.#show_page(number)
  }

  #show_page(number: number): void {
    this.page_number = number
    if (this.board !== null) this.#arrange(this.board)
  }

  /** Puts the page that is shown on this glass. */
  #arrange(board: BoardView): void {
    const window = { width: innerWidth, height: innerHeight }
    const is_map = (id: string): boolean => this.#cell_of.get(id)?.view.look.kind === 'markers'
    const page = page_layout(board, this.page_number)
    const { extent, places, across, cut } = on_glass(page, this.span, window, is_map)
    ;[this.across, this.cut] = [across.filter(({ whole }) => !whole), cut]
    this.shown = this.cells.filter(({ view }) => places.has(view.id))
    for (const cell of this.shown) {
      cell.place = places.get(cell.view.id) ?? cell.view.place
      cell.across = across.find(({ id, whole }) => whole && id === cell.view.id) ?? null
    }
    // Whether a panel can draw is known again once it is tried.
    for (const cell of this.cells) if (!places.has(cell.view.id)) cell.undrawn = false
    const furniture = (board.furniture ?? []).filter(({ id }) => places.has(id))
    this.furniture = furniture.map((view) => ({ ...view, place: places.get(view.id) ?? view.place }))
    if (extent.columns !== this.extent.columns || extent.rows !== this.extent.rows) this.extent = extent
  }

  /** Turns a page of a record, whose pages turned as they did then until somebody turns one. False if no record is shown. */
  turn_past(how: 'next' | 'previous' | 'pin' | number): boolean {
    if (this.past === null) return false
    const number = turned(this.page_number, how, this.board?.pages?.length ?? 0)
    if (number !== null) {
      this.#own_page = number
      this.#show_page(number)
    }
    return true
  }

  /** Hands on what changed, at the pace of its kind; all of it if the board is new. */
  #take_values(ids: readonly string[], all: boolean, now: number): void {
    for (const id of ids) {
      const cell = this.#cell_of.get(id)
      const widget = this.wall.widgets.get(id)
      if (cell === undefined || widget === undefined) continue
      const lane = this.#lane_of(cell)
      if (all) lane?.pass(id, now)
      if (all || lane === null || lane.offer(id, now)) cell.value = widget.value
      if (lane !== null) continue
      if (all) this.#charts.pass(id, now)
      if (all || this.#charts.offer(id, now)) cell.trend = widget.value
    }
  }

  #lane_of(cell: Cell): Lane | null {
    const { pace } = WIDGETS[cell.view.look.kind]
    return pace === 'rows' ? this.#rows : pace === 'charts' ? this.#charts : null
  }

  /** Between two frames: what waits in a lane and is due, one lane at a time. */
  between_frames(): void {
    const now = performance.now()
    // The lanes take turns, so each has to do in one gap what comes up in two.
    const gap_ms = 2 * Math.min(FRAME_MS_MAX, Math.max(FRAME_MS_MIN, now - this.#gap_at_ms))
    this.#gap_at_ms = now
    const lane = this.#rows.next_ms() <= this.#charts.next_ms() ? this.#rows : this.#charts
    const due = lane.due(now, gap_ms)
    if (due.length > 0) {
      flushSync(() => {
        for (const id of due) {
          lane.pass(id, now)
          const cell = this.#cell_of.get(id)
          if (cell === undefined) continue
          const value = this.wall.widgets.get(id)?.value ?? null
          if (this.#lane_of(cell) === null) cell.trend = value
          else cell.value = value
        }
        if (lane === this.#rows) this.#tell_rows()
      })
    }
    this.#arm_gap(now)
  }

  /** Frames may stop before everything has passed. */
  #arm_gap(now: number): void {
    if (this.#gap_timer !== null) clearTimeout(this.#gap_timer)
    this.#gap_timer = null
    const next_ms = Math.min(this.#rows.next_ms(), this.#charts.next_ms())
    if (next_ms === Infinity) return
    this.#gap_timer = setTimeout(
      () => {
        this.between_frames()
      },
      Math.max(0, next_ms - now) + FRAME_MS_MIN,
    )
  }

  #tell_rows(): void {
    const waits = this.cells.some((cell) => this.#rows.holds(cell.view.id))
    if (!waits) this.rows_newest_ms = this.newest_ms
  }

  #take_head(frame: Frame, now: number): void {
    const { clock } = frame
    const { time, half, ...face } = this.zone.face(clock.board_ms)
    // At sixty times real time the seconds would only flicker.
    const seconds = clock.speed > 2 ? '' : face.seconds
    const date = this.zone.date(clock.board_ms)
    if (this.clock?.time !== time || this.clock.seconds !== seconds || this.clock.date !== date) {
      this.clock = { time, seconds, half, date }
    }
    this.board_ms = clock.board_ms
    this.#take_slow_clock(now)
    this.speed = clock.speed
    this.replay_label = clock.label
    this.beat = Math.floor((frame.past?.now_ms ?? clock.wall_ms) / 1000)
    this.wall_ms = Math.floor(clock.wall_ms / 1000) * 1000
    this.version = frame.version
    this.sources = frame.sources
    if (this.outages !== this.wall.outages) this.outages = this.wall.outages
    if (this.#alarms !== this.wall.alarms) {
      this.#alarms = this.wall.alarms
      this.alarms = worded(this.#alarms)
    }
    const text = JSON.stringify(frame.notices)
    if (text !== this.#notices_text) {
      this.#notices_text = text
      this.notices = frame.notices
    }
  }

  /** Frames come once a second at least, so no timer is needed. */
  #take_slow_clock(now: number): void {
    if (now - this.#slow_clock_ms < CHARTS_MS) return
    this.#slow_clock_ms = now
    this.slow_board_ms = this.board_ms
  }

  #judge(now: number): void {
    this.#take_bands()
    for (const widget of this.wall.widgets.values()) {
      const cell = this.#cell_of.get(widget.view.id)
      if (cell === undefined) continue
      // What is past doesn't age while one looks at it: each frame says how old it was.
      const since = this.past === null ? now - widget.received_ms : 0
      this.#take_verdict(cell, widget, judge(widget.quality, since, this.frozen_because))
    }
    if (this.silent) this.silent_age = age_text(now - this.#heard_ms)
  }

  /** Puts each alarm on the widgets that it is judged by, when one of the three has changed. */
  #take_bands(): void {
    const of = [this.alarms, this.cells, this.silent] as const
    if (of.every((one, at) => one === this.#banded[at])) return
    this.#banded = of
    const all = bands(this.alarms, this.silent)
    for (const cell of this.cells) {
      const band = all.get(cell.view.id) ?? null
      if (!is_same_band(cell.alarm, band)) cell.alarm = band
    }
  }

  #take_verdict(cell: Cell, widget: Widget, judged: Verdict): void {
    const verdict =
      cell.undrawn && is_current(judged.freshness)
        ? { ...judged, freshness: 'stale' as const, reason: say('reason.cannot-draw'), tells_age: false }
        : judged
    cell.freshness = verdict.freshness
    cell.reason = verdict.reason
    cell.age = verdict.tells_age && verdict.age_ms !== null ? age_text(verdict.age_ms) : null
    const { rejected } = widget.quality
    if (cell.rejected?.count !== rejected?.count) cell.rejected = rejected
    const current = is_current(verdict.freshness)
    const against = current ? widget.quality.against : null
    if (!is_same(cell.against, against)) cell.against = against
    cell.lacks = may_lack(widget.view, widget.quality, widget.value)
      ? this.#lack_text(widget.quality, current)
      : against?.agreement === 'unchecked'
        ? say('quality.not-compared')
        : null
    const known_ms = widget.quality.source_ms ?? this.board_ms
    if (current) cell.known_until_ms = null
    else if (this.past !== null) cell.known_until_ms = known_ms
    else cell.known_until_ms ??= known_ms
  }

  #lack_text({ incomplete_until_ms }: Quality, current: boolean): string {
    if (incomplete_until_ms === null) return say('quality.incomplete')
    // Rounded up: it doesn't vouch for a moment that nobody has.
    const from = this.zone.instant(Math.ceil(incomplete_until_ms / 1000) * 1000, this.board_ms)
    // Beside DOWN a *since* would be taken for that of the loss.
    return current ? say('quality.since', { time: from }) : say('quality.before', { time: from })
  }

  /** Ages count once a second, and *live* ends when it ends; a wall that is live and heard needs neither. */
  #arm_pulse(now: number): void {
    let wait_ms = Infinity
    for (const widget of this.past === null ? this.wall.widgets.values() : []) {
      const since = now - widget.received_ms
      const verdict = judge(widget.quality, since, this.frozen_because)
      if (verdict.tells_age && verdict.age_ms !== null) wait_ms = Math.min(wait_ms, 1000 - (verdict.age_ms % 1000) + 1)
      const ends = ends_after_ms(widget.quality)
      if (ends !== null && since <= ends) wait_ms = Math.min(wait_ms, ends - since + 1)
    }
    if (this.silent) wait_ms = Math.min(wait_ms, 1000)
    // An earlier pulse is early enough: it looks again. So a flood of frames doesn't set a timer each.
    if (!Number.isFinite(wait_ms) || now + wait_ms >= this.#pulse_at_ms) return
    if (this.#pulse_timer !== null) clearTimeout(this.#pulse_timer)
    this.#pulse_at_ms = now + wait_ms
    this.#pulse_timer = setTimeout(() => {
      this.#pulse_timer = null
      this.#pulse_at_ms = Infinity
      const later = performance.now()
      this.#judge(later)
      this.#arm_pulse(later)
    }, wait_ms)
  }
}
