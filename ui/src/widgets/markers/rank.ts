/** What markers, groups, fences and their names are ranked by. */
import type { State } from '../../generated/frame'

/** How bad each state is: that nobody knows is worse than that all is well, and no alarm. */
export const BAD: Record<State, number> = { muted: 0, normal: 1, unknown: 2, warning: 3, alarm: 4 }

/** A longer label loses its middle, for both its ends tell it from its neighbours. */
export const LABEL_CHARACTERS_MAX = 28
