/** What the line of pages says. Which one is shown is decided by the backend. */
import type { PageMark, PageShown, PageView } from '../generated/frame'
import { say } from '../words/say'

/** How a page is that nobody sees now, in a few words; nothing if all is well. */
export function page_words({ state, unwell }: PageMark): string {
  const words = state === 'alarm' ? [say('state.alarm')] : state === 'warning' ? [say('state.warning')] : []
  if (unwell > 0) words.push(say('pages.unwell', { count: unwell }))
  return words.join(', ')
}

/** How much of its time the page that is shown has left, from 0 to 1; null if nothing turns it. */
export function share_left(shown: PageShown | null, pages: readonly PageView[]): number | null {
  const dwell_ms = shown === null ? undefined : pages[shown.number]?.dwell_ms
  if (shown?.left_ms == null || dwell_ms === undefined || dwell_ms <= 0) return null
  return Math.min(1, shown.left_ms / dwell_ms)
}

/** The numbers of the pages that turn on this glass, in their order: all of `count`, unless the screen has some of its own. */
export function own_pages(shown: PageShown | null, count: number): number[] {
  const own = shown?.own?.filter((number) => number < count)
  return own === undefined || own.length === 0 ? Array.from({ length: count }, (_, number) => number) : own
}

/** The page of a record that a hand turns to, of `count`; null if that is nothing to turn to. */
export function turned(from: number, how: 'next' | 'previous' | 'pin' | number, count: number): number | null {
  if (count < 2 || how === 'pin') return null
  if (how === 'next') return (from + 1) % count
  if (how === 'previous') return (from + count - 1) % count
  return how < count ? how : null
}
