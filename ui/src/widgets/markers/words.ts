/** What of a map isn't drawn is said in its corner. */
import type { HeldMarkers } from '../../core/held'
import { MARKERS_MAX } from '../../core/limits'

/** A map narrower than this, in rem, has the words short. */
export const SHORT_REM = 60

/** How many markers lack something that there was no room for. */
export interface Lacks {
  readonly labels: number
  readonly trails: number
}

export const NOTHING_LACKS: Lacks = { labels: 0, trails: 0 }

export function missing_words(held: HeldMarkers, short: boolean, { labels, trails } = NOTHING_LACKS): string {
  const drawn = Math.min(held.by_key.size, MARKERS_MAX)
  const hidden = Math.max(0, held.total - held.unplaced - drawn)
  const parts = [
    hidden > 0 ? `+${String(hidden)} not drawn` : '',
    held.unplaced === 0
      ? ''
      : short
        ? `+${String(held.unplaced)} unplaced`
        : `${String(held.unplaced)} more without a position`,
    labels === 0 ? '' : short ? `+${String(labels)} unnamed` : `+${String(labels)} without a label`,
    trails === 0 ? '' : short ? `+${String(trails)} trails` : `+${String(trails)} without a trail`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}
