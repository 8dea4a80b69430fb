/** How the last lamp test ended, in words. No clock. */
import { age_text } from './format'

/** How a lamp test ended; its result as the backend keeps it. */
interface Last {
  readonly at_ms: number
  readonly passed: number
  readonly failed: number
  readonly untested: number
  readonly ended: string | null
}

/** `8 passed, 3 h ago`; what failed or was not done to its end comes first. */
export function drill_words(last: Last | null, now_ms: number): string {
  if (last === null) return 'never done'
  const result =
    last.ended !== null
      ? 'ended before its end'
      : last.failed > 0
        ? `${String(last.failed)} FAILED`
        : `${String(last.passed)} passed`
  const untested = last.untested > 0 ? `, ${String(last.untested)} not tested` : ''
  return `${result}${untested}, ${age_text(Math.max(0, now_ms - last.at_ms))} ago`
}
