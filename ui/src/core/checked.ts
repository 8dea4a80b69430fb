import type { SourceView } from '../generated/frame'
import { age_text } from './format'
import { say } from '../words/say'

/** What is known of a source's comparisons with its server, in one line. */
export function checked_words({ checked_ago_ms, drift }: Pick<SourceView, 'checked_ago_ms' | 'drift'>): string {
  const found = drift === 0 ? say('checked.none') : say('checked.drift', { count: drift })
  if (checked_ago_ms === null) return drift === 0 ? say('checked.never') : found
  return say('checked.ago', { age: age_text(checked_ago_ms), found })
}
