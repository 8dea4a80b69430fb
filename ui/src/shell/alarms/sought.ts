/** Who pressed *Show* on an alarm's notification is led to its widget, in the window that came to the front for it. */
import { is_partial } from '../../core/alarm-rows'
import type { AlarmView } from '../../generated/frame'
import type { Host } from '../../host/types'
import type { LiveWall } from '../../wall.svelte'
import { alarm_by_key } from './by_key'
import { go_to } from './go'
import { way } from './way.svelte'

/** After a refusal it is asked again. */
const AGAIN_MS = 5_000
/** A window that was minimised shows what it had then until its next frame. */
const FRESH_MS = 5_000

/** Leads there from now on; ends it by what it answers. */
export function hear_sought(live: LiveWall, host: Host): () => void {
  let ends = false
  const rest = (): Promise<void> => new Promise((done) => setTimeout(done, AGAIN_MS))
  const listen = async (): Promise<void> => {
    let after: number | null = null
    while (!ends) {
      try {
        const sought = await host.alarm_sought(after)
        // No other window comes to the front.
        if (sought === null) return
        after = sought.number
        if (sought.is_new) await lead(live, host, sought.key)
      } catch {
        await rest()
      }
    }
  }
  void listen()
  return () => {
    ends = true
  }
}

/** To the widget, until it has the focus; where there is none on this glass, or no such alarm any more, to the list. What is looked at of the past is left for it. */
export async function lead(live: LiveWall, host: Host, key: string | null): Promise<void> {
  if (live.past !== null) await host.past_close()
  const alarm = key === null ? undefined : await find(live, host, key)
  way.close()
  const going = alarm === undefined ? null : go_to(live, host, alarm)
  // Whoever is told that it has led there must find it so: a page that is loaded anew before is led again.
  if (going !== null) await going
  else if (live.alarms !== null) way.show(key)
}

/** The alarm, as soon as a frame has it, or the backend says that it is beyond what a frame has; undefined if neither does for long enough. */
function find(live: LiveWall, host: Host, key: string): Promise<AlarmView | undefined> {
  const found = (): AlarmView | undefined => live.alarms?.list.find((one) => one.key === key)
  return new Promise((done) => {
    const own = found()
    if (own !== undefined) {
      done(own)
      return
    }
    const end = (beyond?: AlarmView): void => {
      stop()
      clearTimeout(timer)
      done(found() ?? beyond)
    }
    let asked = false
    const ask = (): void => {
      if (asked || live.alarms === null || !is_partial(live.alarms)) return
      asked = true
      void alarm_by_key(host, key).then((beyond) => {
        if (beyond !== undefined) end(beyond)
      })
    }
    const stop = live.after_paint(() => {
      if (found() !== undefined) end()
      else ask()
    })
    const timer = setTimeout(end, FRESH_MS)
    ask()
  })
}
