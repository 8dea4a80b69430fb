/** How the last lamp test ended, in words. No clock. */
import { age_text } from './format'
import { say } from '../words/say'

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
  if (last === null) return say('drill.never')
  const result =
    last.ended !== null
      ? say('drill.ended')
      : last.failed > 0
        ? say('drill.failed', { count: last.failed })
        : say('drill.passed', { count: last.passed })
  const untested = last.untested > 0 ? `, ${say('drill.untested', { count: last.untested })}` : ''
  return `${result}${untested}, ${say('age.ago', { age: age_text(Math.max(0, now_ms - last.at_ms)) })}`
}

/** The steps of a lamp test, by their names as the backend has them (`engine/src/drill/step.rs`), in one word each. */
const STEPS = ['baseline', 'cut', 'half-open', 'gap', 'refusal', 'stale', 'no-answer', 'page-stalls'] as const

function step_of(name: string): (typeof STEPS)[number] | undefined {
  return STEPS.find((step) => step === name.replace(' ', '-'))
}

/** A step's name; one that isn't known here has its own. */
export function step_name(name: string): string {
  const step = step_of(name)
  return step === undefined ? name : say(`drill.step.${step}`)
}

/** What must be shown in a step. */
export function step_expects({ name, expects }: { readonly name: string; readonly expects: string }): string {
  const step = step_of(name)
  return step === undefined ? expects : say(`drill.expects.${step}`)
}
