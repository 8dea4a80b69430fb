/** What of a map isn't drawn is said in its corner. */
import type { HeldMarkers } from '../../core/held'
import { MARKERS_MAX } from '../../core/limits'

/** A map narrower than this, in rem, has the words short. */
export const SHORT_REM = 60

export function missing_words(held: HeldMarkers, short: boolean, unlabelled = 0): string {
  const drawn = Math.min(held.by_key.size, MARKERS_MAX)
  const hidden = Math.max(0, held.total - held.unplaced - drawn)
  const parts = [
    hidden > 0 ? `+${String(hidden)} not drawn` : '',
    held.unplaced === 0
      ? ''
      : short
        ? `+${String(held.unplaced)} unplaced`
        : `${String(held.unplaced)} more without a position`,
    unlabelled === 0 ? '' : short ? `+${String(unlabelled)} unnamed` : `+${String(unlabelled)} without a label`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}
