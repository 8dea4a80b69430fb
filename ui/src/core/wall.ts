/** The whole wall as the page holds it: what frames said, applied. No DOM, no clock of its own. */
import type {
  AlarmsView,
  BoardView,
  ClockView,
  Frame,
  Notice,
  Outage,
  Quality,
  SourceView,
  WidgetView,
} from '../generated/frame'
import { type Held, NeedsWhole, patched } from './held'
import { say } from '../words/say'

/** Before its first patch a widget has never had a value. */
export const unknown_quality = (): Quality => ({
  freshness: 'unknown',
  reason: say('reason.first'),
  age_ms: null,
  limit_ms: 0,
  live_for_ms: 0,
  source_ms: null,
  received_ago_ms: null,
  basis: 'unknown',
  incomplete_until_ms: null,
  rejected: null,
  against: null,
})

export interface Widget {
  view: WidgetView
  quality: Quality
  value: Held | null
  /** When the quality came, on the page's monotonic clock. */
  received_ms: number
}

/** What a frame changed. */
export interface Applied {
  readonly board: boolean
  /** Widgets whose value changed. */
  readonly values: readonly string[]
}

export class Wall {
  board: BoardView | null = null
  clock: ClockView | null = null
  heartbeat_ms: number | null = null
  sources: readonly SourceView[] = []
  notices: readonly Notice[] = []
  /** The links' history, newest first. */
  outages: readonly Outage[] = []
  /** Null of a board without rules. */
  alarms: AlarmsView | null = null
  version = 0
  revision = 0
  readonly widgets = new Map<string, Widget>()

  /**
   * Applies a frame that came at `now_ms`. Returns null if it can't be applied to what is held: then nothing of it was
   * taken over, and the next pull must ask for everything.
   */
  apply(frame: Frame, now_ms: number): Applied | null {
    if (frame.board === null && (this.board === null || frame.revision !== this.revision)) return null
    const views = new Map((frame.board ?? this.board)?.widgets.map((view) => [view.id, view]))
    let values: Map<string, Held>
    try {
      values = this.#values(frame, views)
    } catch (error) {
      if (error instanceof NeedsWhole) return null
      throw error
    }
    if (frame.board !== null) this.#take_board(frame.board, now_ms)
    for (const patch of frame.widgets) {
      const widget = this.widgets.get(patch.id)
      if (widget === undefined) continue
      widget.quality = patch.quality
      widget.received_ms = now_ms
      widget.value = values.get(patch.id) ?? widget.value
    }
    this.version = frame.version
    this.revision = frame.revision
    this.clock = frame.clock
    this.heartbeat_ms = frame.heartbeat_ms
    this.sources = frame.sources
    this.notices = frame.notices
    this.outages = frame.outages ?? this.outages
    // A board that is sent anew has all of them with it, or none.
    this.alarms = frame.alarms ?? (frame.board === null ? this.alarms : null)
    return { board: frame.board !== null, values: [...values.keys()] }
  }

  #values(frame: Frame, views: ReadonlyMap<string, WidgetView>): Map<string, Held> {
    const values = new Map<string, Held>()
    for (const { id, value } of frame.widgets) {
      const view = views.get(id)
      if (value === null || view === undefined) continue
      values.set(id, patched(this.widgets.get(id)?.value ?? null, view.look, value))
    }
    return values
  }

  #take_board(board: BoardView, now_ms: number): void {
    this.board = board
    const kept = new Set(board.widgets.map((view) => view.id))
    for (const id of this.widgets.keys()) if (!kept.has(id)) this.widgets.delete(id)
    for (const view of board.widgets) {
      const known = this.widgets.get(view.id)
      if (known === undefined) {
        this.widgets.set(view.id, { view, quality: unknown_quality(), value: null, received_ms: now_ms })
      } else {
        // A widget that became another kind holds nothing of that kind.
        if (known.view.look.kind !== view.look.kind) known.value = null
        known.view = view
      }
    }
  }
}

/** The source's time of the newest event in what is shown, milliseconds since the Unix epoch; null if there is none. */
export function newest_ms(frame: Frame): number | null {
  let newest: number | null = null
  for (const { quality } of frame.widgets) {
    if (quality.source_ms !== null && (newest === null || quality.source_ms > newest)) newest = quality.source_ms
  }
  return newest
}
