import type { SourceView } from '../generated/frame'
import { age_text } from './format'

/** What is known of a source's comparisons with its server, in one line. */
export function checked_words({ checked_ago_ms, drift }: Pick<SourceView, 'checked_ago_ms' | 'drift'>): string {
  const found =
    drift === 0
      ? 'no difference'
      : drift === 1
        ? '1 difference corrected since the start'
        : `${drift.toLocaleString('en-GB')} differences corrected since the start`
  if (checked_ago_ms === null) return drift === 0 ? 'not compared with the server yet' : found
  return `compared with the server ${age_text(checked_ago_ms)} ago: ${found}`
}
