/** What of a map isn't drawn is said in its corner. */
import type { HeldMarkers } from '../../core/held'
import { MARKERS_MAX } from '../../core/limits'
import { SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { say } from '../../words/say'

/** Around the words, in rem. */
export const CORNER_REM = 1.6

/** How many markers lack something that there was no room for. */
export interface Lacks {
  readonly labels: number
  readonly trails: number
  /** Shapes of layers, and fences, without their name. */
  readonly names: number
  /** Shapes of layers that aren't drawn. */
  readonly shapes: number
}

export const NOTHING_LACKS: Lacks = { labels: 0, trails: 0, names: 0, shapes: 0 }

/** A map narrower than this, in rem, has the words short: they lie upon what it shows. */
const SHORT_REM = 60

/** What stands in the corner of a map that has so much room, rem: in full where that has one line, else short, else how many in all. */
export function corner_words(held: HeldMarkers, room_rem: number, lacks = NOTHING_LACKS): string {
  const fits = (words: string): boolean => SIZES.minor * label_width_em(words) + CORNER_REM <= room_rem
  const forms = [room_rem < SHORT_REM, true].map((short) => missing_words(held, short, lacks))
  return forms.find(fits) ?? say('more', { count: missing(held, lacks).reduce((sum, count) => sum + count, 0) })
}

function missing(held: HeldMarkers, { labels, trails, names, shapes }: Lacks): number[] {
  const drawn = Math.min(held.by_key.size, MARKERS_MAX)
  return [Math.max(0, held.total - held.unplaced - drawn), held.unplaced, labels + names, trails, shapes]
}

export function missing_words(held: HeldMarkers, short: boolean, lacks = NOTHING_LACKS): string {
  const [hidden = 0, unplaced = 0, unnamed = 0, trails = 0, shapes = 0] = missing(held, lacks)
  const parts = [
    hidden > 0 ? say('map.hidden', { count: hidden }) : '',
    unplaced === 0 ? '' : say(short ? 'map.unplaced-short' : 'map.unplaced', { count: unplaced }),
    unnamed === 0 ? '' : say(short ? 'map.unnamed-short' : 'map.unnamed', { count: unnamed }),
    trails === 0 ? '' : say(short ? 'map.trails-short' : 'map.trails', { count: trails }),
    shapes === 0 ? '' : say(short ? 'map.shapes-short' : 'map.shapes', { count: shapes }),
  ]
  return parts.filter((part) => part !== '').join(', ')
}
