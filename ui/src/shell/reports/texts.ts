/** What both pages write alike. */
import { number_text, relative_text, span_text } from '../../core/format'
import type { AlarmReport, AlarmSaid } from '../../generated/frame'
import { say } from '../../words/say'
import type { LiveWall } from '../../wall.svelte'

const HOUR_MS = 3_600_000
/** Between a question and its answer. */
const NEAR_MS = 10_000

/** `0.4 %`, `12 %` */
export const percent_text = (percent: number): string =>
  `${number_text(percent, percent !== 0 && Math.abs(percent) < 9.95 ? 1 : 0)}\u00a0%`

/** Of when something is: `06:00–14:02:11, 8 h 2 min`. */
export function stretch_text(live: LiveWall, { from_ms, to_ms }: Pick<AlarmReport, 'from_ms' | 'to_ms'>): string {
  const now_ms = live.beat * 1000
  return say('report.of', {
    from: live.zone.instant(from_ms, now_ms),
    to: live.zone.instant(to_ms, now_ms),
    span: whole_text(to_ms - from_ms),
  })
}

export function who_text({ name, station }: Pick<AlarmSaid, 'name' | 'station'>): string {
  return name ?? say('alarm.somebody', { station })
}

/** `12 min`: from a minute on without seconds. */
export const length_text = (ms: number): string => relative_text(0, Math.max(0, ms), 'ago')

/** The same of a stretch that was asked for: in whole hours or days where it is as good as that. */
export function whole_text(ms: number): string {
  const hours = Math.round(ms / HOUR_MS)
  if (hours === 0 || Math.abs(ms - hours * HOUR_MS) >= NEAR_MS) return length_text(ms)
  return hours < 48 ? say('age.h', { h: String(hours) }) : span_text(hours * HOUR_MS)
}
