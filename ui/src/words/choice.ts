/** Which language a wall speaks, and by which locale it writes numbers and dates. */
import type { BoardView } from '../generated/frame'
import { known_language, LANGUAGES } from './say'

export interface Choice {
  readonly language: string
  readonly locale: string
}

function base(tag: string): string {
  return tag.split(/[-_.@]/)[0]?.toLowerCase() ?? ''
}

function has_words(tag: string): boolean {
  return LANGUAGES.some((one) => one.toLowerCase() === tag.toLowerCase() || one === base(tag))
}

/**
 * What the page's address asks for comes first, for looking at it; then the board's `language`; then the language of its `locale`, then the machine's,
 * where there are words for it; else it is English. The locale is the board's; else the machine's, if it is of that language; else the language's own,
 * which for English is the wall's own style.
 */
export function chosen(
  asked: string | null,
  board: Pick<BoardView, 'language' | 'locale'> | null,
  machine: string,
): Choice {
  const wished = [asked, board?.language, board?.locale, machine].find((tag) => tag != null && has_words(tag))
  const language = known_language(wished ?? 'en')
  if (asked !== null) return { language, locale: language === 'en' ? 'en' : asked }
  if (board?.locale !== undefined) return { language, locale: board.locale }
  return { language, locale: language !== 'en' && base(machine) === language ? machine : language }
}
