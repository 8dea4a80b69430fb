/** Whether the time that the wall shows goes on, and why not: nothing here has a clock of its own (H1). */
import type { Freshness } from '../generated/frame'
import { is_current } from './freshness'

export interface Times {
  /** Whether the backend is silent, or what it says can't be drawn. */
  readonly silent: boolean
  readonly past: unknown
  readonly replay_label: string | null
  readonly speed: number
  readonly sources: readonly { readonly freshness: Freshness }[]
}

export interface Standing {
  readonly code: 'stopped' | 'recorded' | 'not-live' | 'paused'
  /** Whether it isn't what one who stands before it would take it for. */
  readonly loud: boolean
}

/** Whether a replay stands because its source isn't live: it is neither paused nor running, as far as one knows. */
export function replay_stands({ replay_label, speed, sources }: Omit<Times, 'silent' | 'past'>): boolean {
  return (replay_label !== null || speed === 0) && !sources.slice(0, 1).every(({ freshness }) => is_current(freshness))
}

/** Why times aren't of now; null while they are. */
export function standing(times: Times): Standing | null {
  if (times.silent) return { code: 'stopped', loud: true }
  if (times.past !== null) return { code: 'recorded', loud: false }
  if (replay_stands(times)) return { code: 'not-live', loud: true }
  return times.speed === 0 ? { code: 'paused', loud: false } : null
}
