/**
 * What hands ask of the backend about alarms. Nothing is taken for done before a frame says so (H6): until then it is awaited, after a while it is
 * said that nobody has confirmed it, and it calls on as before.
 */
import { untrack } from 'svelte'
import { awaited, CONFIRMED_MS, named, type Pressed } from '../../core/alarms'
import { error_text } from '../../core/format'
import type { Act, AlarmView } from '../../generated/frame'
import type { Host } from '../../host/types'
import { say } from '../../words/say'

const SAID_MS = 6_000
const NAME = 'operator'

function remembered(): string | null {
  try {
    return localStorage.getItem(NAME)
  } catch {
    // A web view without storage forgets.
    return null
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(NAME, name)
  } catch {
    // As above.
  }
}

class Dealing {
  host: Host | null = null
  /** Who is at the wall: empty without a name, null if nobody was asked yet. */
  name = $state.raw<string | null>(remembered())
  /** What came of the newest act, for as long as it takes to read. */
  said = $state.raw<{ readonly words: string; readonly refused: boolean } | null>(null)
  /** When each occurrence was asked to be acknowledged, on the page's clock. */
  #asked = $state.raw<ReadonlyMap<string, number>>(new Map())
  #now_ms = $state.raw(0)
  #timer: ReturnType<typeof setTimeout> | undefined

  /** How far it has come that this occurrence be acknowledged; null if nobody asked. */
  standing(alarm: Pick<AlarmView, 'key' | 'occurrence'>): 'pending' | 'unconfirmed' | null {
    const asked_ms = this.#asked.get(named(alarm))
    if (asked_ms === undefined) return null
    return this.#now_ms - asked_ms >= CONFIRMED_MS ? 'unconfirmed' : 'pending'
  }

  keep_name(name: string): void {
    this.name = name.trim()
    remember(this.name)
  }

  /** It was said how these stand. `all`: whether no others do. */
  settle(list: readonly AlarmView[], all: boolean): void {
    const asked = untrack(() => this.#asked)
    if (asked.size > 0) this.#asked = awaited(asked, list, all)
  }

  async act(alarm: AlarmView, act: Act): Promise<void> {
    if (this.host === null) return
    const acknowledges = act.kind === 'acknowledge'
    if (acknowledges) this.#await([[alarm.key, alarm.occurrence]])
    try {
      await this.host.alarm_act({ key: alarm.key, act, name: this.#signed() })
      // That it is acknowledged is seen where it stands.
      if (!acknowledges) this.#say(`${alarm.title}: ${say(`alarm.did.${act.kind}`)}`, false)
    } catch (error) {
      if (acknowledges) this.#forget([[alarm.key, alarm.occurrence]])
      this.#say(say('alarms.refused', { why: error_text(error) }), true)
    }
  }

  /** All of these, as they were when the hand pressed. */
  async acknowledge({ seen }: Pressed): Promise<void> {
    if (this.host === null || seen.length === 0) return
    this.#await(seen)
    try {
      const count = await this.host.alarms_acknowledge({ seen, name: this.#signed() })
      this.#say(say('alarms.acknowledged', { count }), false)
    } catch (error) {
      this.#forget(seen)
      this.#say(say('alarms.refused', { why: error_text(error) }), true)
    }
  }

  #signed(): string | null {
    return this.name === null || this.name === '' ? null : this.name
  }

  #await(seen: readonly (readonly [string, number])[]): void {
    const now_ms = performance.now()
    const asked = new Map(this.#asked)
    for (const [key, occurrence] of seen) asked.set(named({ key, occurrence }), now_ms)
    this.#asked = asked
    this.#now_ms = now_ms
    setTimeout(() => {
      this.#now_ms = performance.now()
    }, CONFIRMED_MS + 1)
  }

  #forget(seen: readonly (readonly [string, number])[]): void {
    const asked = new Map(this.#asked)
    for (const [key, occurrence] of seen) asked.delete(named({ key, occurrence }))
    this.#asked = asked
  }

  #say(words: string, refused: boolean): void {
    this.said = { words, refused }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.said = null
    }, SAID_MS)
  }
}

/** The page's one. */
export const dealing = new Dealing()
