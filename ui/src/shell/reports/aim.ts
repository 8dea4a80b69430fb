/** From a line of a page to where it can be looked at. */
import { error_text } from '../../core/format'
import type { Host } from '../../host/types'
import type { LiveWall } from '../../wall.svelte'
import { go_to } from '../alarms/go'
import type { Aim } from './lists'
import { reports } from './open.svelte'
import { say } from '../../words/say'

/** `either` is to the widget, if it has one. Why it couldn't be done, in words; null if it was, or leads nowhere. */
export async function follow(
  live: LiveWall,
  host: Host,
  aim: Aim,
  to: 'widget' | 'past' | 'either',
): Promise<string | null> {
  if (to !== 'past' && aim.widgets.length > 0) {
    if (go_to(live, host, aim) === null) return say('alarms.no-such-widget')
    reports.close()
    return null
  }
  if (to === 'widget' || aim.past_ms === null) return null
  try {
    await host.past_open(aim.past_ms)
    reports.close()
    return null
  } catch (error) {
    return error_text(error)
  }
}
