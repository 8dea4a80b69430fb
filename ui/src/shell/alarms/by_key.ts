/** One alarm of all that stand: a frame has the most urgent ones alone. */
import { query_of } from '../../core/alarm-rows'
import { NO_FILTER, worded_one } from '../../core/alarms'
import type { AlarmView } from '../../generated/frame'
import type { Host } from '../../host/types'

/** The alarm of this key as it is now; undefined if it doesn't stand, or nobody says. */
export async function alarm_by_key(host: Pick<Host, 'alarm_rows'>, key: string): Promise<AlarmView | undefined> {
  try {
    const none = { offset: 0, room: 0 }
    const { own } = await host.alarm_rows({ ...query_of(none, NO_FILTER, 'urgency', key, new Map()), count: 0 })
    return own === null ? undefined : worded_one(own)
  } catch {
    return undefined
  }
}
