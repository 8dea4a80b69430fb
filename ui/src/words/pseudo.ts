/** A language for tests, made from English: accented, some 40 % longer, between brackets, so that a text that isn't from here stands out. */
import { heard as german } from './de-heard'
import { en } from './en'
import type { Heard } from './en-heard'
import type { Words } from './say'

const ACCENTS: Readonly<Record<string, string>> = {
  ...{ a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú', c: 'ç', n: 'ñ', y: 'ý' },
  ...{ A: 'Á', E: 'É', I: 'Í', O: 'Ó', U: 'Ú', C: 'Ç', N: 'Ñ', Y: 'Ý' },
}

function accented(text: string): string {
  const letters = text.replace(/\{\w+\}/g, '').length
  const said = text.replace(/\{\w+\}|\w/g, (part) => ACCENTS[part] ?? part)
  return `⟦${said}${'~'.repeat(Math.round(letters * 0.4))}⟧`
}

export const pseudo = Object.fromEntries(
  Object.entries(en).map(([key, text]) => [
    key,
    typeof text === 'string'
      ? accented(text)
      : Object.fromEntries(Object.entries(text).map(([form, of]) => [form, accented(of)])),
  ]),
) as unknown as Words

/** The backend's sentences too: every language's file has them all, in English, beside its own. */
export const heard = Object.fromEntries(
  Object.keys(german).map((english) => [
    english,
    /\p{L}/u.test(english.replace(/\{\w+\}/g, '')) ? accented(english) : english,
  ]),
) as unknown as Heard
