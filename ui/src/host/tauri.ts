/** The one door to the backend: commands, answered one by one. No events, no channels. */
import { invoke } from '@tauri-apps/api/core'
import type { Sight } from '../core/sight'
import type { AlarmReport, AlarmRowsFound, Detail, Frame, RowsFound, Since, SinceMoments } from '../generated/frame'
import type { TilesFile } from '../widgets/tiles/host'
import type { AlarmSought, DemoState, DrillLast, Host } from './types'

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms))

export const tauri: Host = {
  next_frame: (after, revision, rest_ms) => invoke<Frame>('next_frame', { after, revision, restMs: rest_ms }),
  glass: (kind, width) => invoke<Sight>('glass', { kind, width }),
  reconcile: () => invoke('reconcile'),
  rows: (query) => invoke<RowsFound>('rows', { query }),
  detail: (widget, key) => invoke<Detail | null>('detail', { widget, key }),
  alarm_act: (act) => invoke('alarm_act', { act }),
  alarms_acknowledge: (seen) => invoke<number>('alarms_acknowledge', { seen }),
  alarm_rows: (query) => invoke<AlarmRowsFound>('alarm_rows', { query }),
  alarm_report: (from_ms, to_ms) =>
    invoke<AlarmReport>('alarm_report', { fromMs: rounded(from_ms), toMs: rounded(to_ms) }),
  since: (from_ms, after) => invoke<Since>('since', { fromMs: Math.round(from_ms), after }),
  since_moments: (name) => invoke<SinceMoments>('since_moments', { name }),
  alarm_sought: (after) => invoke<AlarmSought | null>('alarm_sought', { after }),
  turn: (how, number) => invoke('turn', { how, number }),
  demo_state: () => invoke<DemoState | null>('demo_state'),
  demo_fault: (name, on) => invoke('demo_fault', { name, on }),
  demo_speed: (speed) => invoke('demo_speed', { speed }),
  demo_pause: (paused) => invoke('demo_pause', { paused }),
  past_open: (at_ms) => invoke('past_open', { atMs: at_ms }),
  past_close: () => invoke('past_close'),
  past_seek: (at_ms) => invoke('past_seek', { atMs: Math.round(at_ms) }),
  past_play: (playing) => invoke('past_play', { playing }),
  past_speed: (speed) => invoke('past_speed', { speed }),
  past_stay: () => invoke('past_stay'),
  drill_begin: () => invoke('drill_begin'),
  drill_end: () => invoke('drill_end'),
  drill_seen: (seen) => invoke('drill_seen', { seen }),
  drill_last: () => invoke<DrillLast | null>('drill_last'),
  tiles_open: (file) => invoke<TilesFile>('tiles_open', { file }),
  tiles_read: (file, version, offset, length) => invoke<ArrayBuffer>('tiles_read', { file, version, offset, length }),
  tiles_told: (file, widget, text, amiss) => invoke('tiles_told', { file, widget, text, amiss }),
}
