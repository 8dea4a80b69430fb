/** What may be missing from what a widget shows. */
import type { Quality, WidgetView } from '../generated/frame'
import { shows_value } from './freshness'
import type { Held } from './held'

/**
 * Whether a widget has to be marked as incomplete. A chart hatches its gaps, and a number that may be too low says so beside its
 * digits. What a gauge misses may be its newest event.
 */
export function may_lack(view: WidgetView, quality: Quality, value: Held | null): boolean {
  const is_complete = quality.incomplete_until_ms === null && quality.basis !== 'unknown'
  if (is_complete || !shows_value(quality.freshness)) return false
  if (view.look.kind === 'series' || view.look.kind === 'heat' || view.look.kind === 'timeline') return false
  if (value?.kind === 'tally' && value.at_least) return false
  return value?.kind !== 'number' || !value.at_least
}
