/**
 * Every text of the page that isn't data, in the language of the board. The words of a language stand in a file of its own beside this one; what a
 * file lacks can't be built, and a text is asked for by its key with what its placeholders need.
 *
 * English is always there. Another language is loaded before the first frame is painted, so no text changes under an eye.
 */
import { en } from './en'
import type { Heard } from './en-heard'
import { grouped, write_numbers_as } from './numerals'

export type Key = keyof typeof en

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string }
/** What a language's file has: as many forms as the language needs where English has two. */
export type Words = { readonly [K in Key]: (typeof en)[K] extends string ? string : Forms }

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type Text<K extends Key> = (typeof en)[K] extends string
  ? (typeof en)[K]
  : (typeof en)[K] extends { readonly other: infer Other extends string }
    ? Other
    : never
type Filled<K extends Key> = {
  readonly [N in Names<Text<K>>]: (typeof en)[K] extends string
    ? string | number
    : N extends 'count'
      ? number
      : string | number
}
type Filling<K extends Key> = [Names<Text<K>>] extends [never] ? [] : [Filled<K>]

/** A language's file: the page's own texts, and what is said in place of the backend's sentences that have no code. */
interface Spoken {
  readonly words: Words
  readonly heard: Heard
}

/** Languages besides English, each with its file. */
const LOADERS: Readonly<Record<string, () => Promise<Spoken>>> = {
  de: async () => await import('./de').then(({ de, heard }) => ({ words: de, heard })),
  // A language for tests: every text is longer, accented and between brackets.
  'en-XA': async () => await import('./pseudo').then(({ pseudo, heard }) => ({ words: pseudo, heard })),
}
export const LANGUAGES: readonly string[] = ['en', ...Object.keys(LOADERS)]

interface Speech {
  readonly language: string
  readonly words: Words
  readonly plural: Intl.PluralRules
  /** A language whose words could not be loaded. */
  readonly missing: string | null
  /** English sentences of the backend's, each with that of this language; null for English, which is the backend's own. */
  readonly heard: readonly (readonly [string, string])[] | null
}

const ENGLISH: Speech = { language: 'en', words: en, plural: new Intl.PluralRules('en'), missing: null, heard: null }
let speech: Speech = ENGLISH

/** The language that the page has words for: the whole tag, else its first part; English for one without a file. */
export function known_language(tag: string): string {
  const wanted = tag.replace('_', '-').replace(/[.@].*/, '')
  const whole = LANGUAGES.find((one) => one.toLowerCase() === wanted.toLowerCase())
  return whole ?? LANGUAGES.find((one) => one === wanted.split('-')[0]?.toLowerCase()) ?? 'en'
}

/**
 * From here on texts are of this language, and numbers and dates of this locale. If its words can't be loaded they are English, and `missing_language`
 * says so. What was said before stays as it was said.
 */
export async function speak(tag: string, locale: string): Promise<void> {
  const language = known_language(tag)
  write_numbers_as(locale)
  if (language === speech.language && speech.missing === null) return
  const load = LOADERS[language]
  if (load === undefined) {
    speech = ENGLISH
    return
  }
  try {
    const { words, heard } = await load()
    const plural = new Intl.PluralRules(language)
    speech = { language, words, plural, missing: null, heard: sentences_of(words, heard) }
  } catch {
    speech = { ...ENGLISH, missing: language }
  }
}

/** What is said by codes comes without them too, such as from an older record; so do levels, ways and steps within a sentence. */
const SAID_TOO = /^(?:said|freshness|transport|drill\.step)\./
/** They would fit whatever has a colon, an `of` or a blank. */
const TOO_WIDE: readonly string[] = ['said.because', 'said.not-live', 'said.level']

function sentences_of(words: Words, heard: Heard): readonly (readonly [string, string])[] {
  const said = (Object.keys(en) as Key[]).flatMap((key): (readonly [string, string])[] => {
    const [english, own] = [en[key], words[key]]
    const is_one = SAID_TOO.test(key) && !TOO_WIDE.includes(key) && typeof english === 'string'
    return is_one && typeof own === 'string' ? [[english, own]] : []
  })
  return [...said, ...Object.entries(heard)]
}

/** The sentences that the backend says without a code, each with that of this language; null in English. */
export function heard_sentences(): readonly (readonly [string, string])[] | null {
  return speech.heard
}

/** The language that texts are of. */
export function spoken_language(): string {
  return speech.language
}

/** The language whose words could not be loaded; null if nothing is missing. */
export function missing_language(): string | null {
  return speech.missing
}

/** A text of the page. */
export function say<K extends Key>(key: K, ...[filling]: Filling<K>): string {
  const text: string | Forms = speech.words[key]
  const filled = (filling ?? {}) as Readonly<Record<string, string | number>>
  const count = Number(filled['count'] ?? 0)
  const form = typeof text === 'string' ? text : (text[speech.plural.select(count)] ?? text.other)
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = filled[name]
    return value === undefined ? whole : typeof value === 'number' ? grouped(value) : value
  })
}

/** A text without placeholders, of a key that is worked out. */
export function plain(key: Key): string {
  const text: string | Forms = speech.words[key]
  return typeof text === 'string' ? text : text.other
}
