/** All that the page may ask of whatever runs it. */
import type { Sight } from '../core/sight'
import type { TilesHost } from '../widgets/tiles/host'
import type {
  AlarmAct,
  AlarmReport,
  AlarmRowsFound,
  AlarmRowsQuery,
  AlarmsSeen,
  Detail,
  Frame,
  GlassSeen,
  RowsFound,
  RowsQuery,
  Since,
  SinceMoments,
} from '../generated/frame'

export const FAULTS = ['cut', 'freeze', 'restart', 'lose-history', 'slow'] as const
export type FaultName = (typeof FAULTS)[number]

/** The demo's knobs. */
export interface DemoState {
  readonly active: boolean
  readonly faults: readonly { readonly name: FaultName; readonly on: boolean }[]
  /** Replay seconds a real second. */
  readonly speed: number
  readonly paused: boolean
  /** The replay's clock, milliseconds since the Unix epoch. */
  readonly replay_ms: number
}

/** How a lamp test ended. */
export interface DrillLast {
  /** When, milliseconds since the Unix epoch. */
  readonly at_ms: number
  readonly passed: number
  readonly failed: number
  readonly untested: number
  /** Why it ended before its end. */
  readonly ended: string | null
}

/** An alarm that somebody wants to see who was told of it by the desktop. */
export interface AlarmSought {
  readonly number: number
  /** Its key; null for all of them. */
  readonly key: string | null
  /** Whether somebody does. */
  readonly is_new: boolean
}

export interface Host extends TilesHost {
  /**
   * What changed after the version that was painted; answers within a heartbeat, and in `rest_ms` milliseconds at the
   * earliest. Asking again is the receipt.
   */
  next_frame(after: number, revision: number, rest_ms: number): Promise<Frame>
  /**
   * Whether the glass can be seen: a hidden one gets nothing. And how wide it is, in the page's pixels; the answer says how large
   * these are.
   */
  glass(kind: 'hidden' | 'visible' | 'resized', width: number): Promise<Sight>
  /** Compares what is shown with what the servers hold now; what differs is corrected. */
  reconcile(): Promise<void>
  /** Rows of a table as they are now, for a hand: of the present alone. */
  rows(query: RowsQuery): Promise<RowsFound>
  /** All that there is of what a widget shows under a key; null if it shows no such thing. */
  detail(widget: string, key: string): Promise<Detail | null>
  /** Does something about one alarm; rejects with a sentence if that is refused. That it is done is told by the frames that follow. */
  alarm_act(act: AlarmAct): Promise<void>
  /** Acknowledges all of these but critical ones, as they were seen; answers how many were. */
  alarms_acknowledge(seen: AlarmsSeen): Promise<number>
  /** Any of the alarms that stand, of the present; rejects with a sentence where the board has no rules. */
  alarm_rows(query: AlarmRowsQuery): Promise<AlarmRowsFound>
  /** The standard's figures of the alarms, from an instant until before another, milliseconds since the Unix epoch; from null: thirty days, to null: now. */
  alarm_report(from_ms: number | null, to_ms: number | null): Promise<AlarmReport>
  /**
   * What changed since an instant. `after`: the version of the answer before, 0 of none; until one is `done` the next says more. A question that a newer one
   * has taken the place of rejects with `superseded`.
   */
  since(from_ms: number, after: number): Promise<Since>
  /** Moments that somebody may mean by that. `name`: who asks, if he said it. */
  since_moments(name: string | null): Promise<SinceMoments>
  /**
   * Waits for somebody who pressed *Show* on a notification, for a minute at most; `after` is null at first, then the number of the answer before. Null
   * in a window that isn't the one that comes to the front.
   */
  alarm_sought(after: number | null): Promise<AlarmSought | null>
  /** Turns a page, or pins the one that is shown; `show` with the number of one, from 0. */
  turn(how: 'next' | 'previous' | 'pin' | 'show', number?: number): Promise<void>
  /** The demo's knobs, or null if this wall is no demo. */
  demo_state(): Promise<DemoState | null>
  demo_fault(name: FaultName, on: boolean): Promise<void>
  demo_speed(speed: number): Promise<void>
  demo_pause(paused: boolean): Promise<void>
  /** Shows what the glass showed: from this instant on, milliseconds since the Unix epoch, or from a minute before now. */
  past_open(at_ms: number | null): Promise<void>
  /** Shows the present again. */
  past_close(): Promise<void>
  past_seek(at_ms: number): Promise<void>
  past_play(playing: boolean): Promise<void>
  /** Record seconds a second, negative for backwards. */
  past_speed(speed: number): Promise<void>
  /** Somebody is there: the wall doesn't go back to the present by itself yet. */
  past_stay(): Promise<void>
  /** Begins a lamp test. */
  drill_begin(): Promise<void>
  /** Ends it at once. */
  drill_end(): Promise<void>
  /** What can be seen on the glass while one runs. */
  drill_seen(seen: GlassSeen): Promise<void>
  /** How the last one ended, or null if there was none. */
  drill_last(): Promise<DrillLast | null>
}
