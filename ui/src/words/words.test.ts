import { afterEach, expect, test } from 'vitest'
import { de } from './de'
import { en } from './en'
import { grouped, grouped_digits, numerals_of, write_numbers_as } from './numerals'
import { pseudo } from './pseudo'
import { known_language, missing_language, say, speak, spoken_language } from './say'

afterEach(async () => {
  await speak('en', 'en')
})

function names(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort()
}

const LANGUAGES = { de, pseudo }

for (const [language, words] of Object.entries(LANGUAGES)) {
  test(`${language} has each text of English, with the same placeholders in every form that the language needs`, () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(en).sort())
    const plurals = new Intl.PluralRules(language === 'pseudo' ? 'en' : language).resolvedOptions().pluralCategories
    for (const [key, english] of Object.entries(en)) {
      const text = words[key as keyof typeof en]
      expect(typeof text, key).toBe(typeof english)
      if (typeof english === 'string') expect(names(text as string), key).toEqual(names(english))
      else {
        const forms = text as Record<string, string>
        expect(Object.keys(forms).sort(), key).toEqual([...plurals].sort())
        for (const form of Object.values(forms)) {
          // `once` needs no number.
          const needed = names(english.other).filter((name) => name !== 'count')
          expect(
            names(form).filter((name) => name !== 'count'),
            key,
          ).toEqual(needed)
          if (form === forms['other']) expect(names(form), key).toContain('count')
        }
      }
    }
  })
}

test('a text is of the language that is spoken, its number of the locale', async () => {
  expect(say('outage.events', { count: 1 })).toBe('1 event')
  expect(say('outage.events', { count: 12_345 })).toBe('12\u2009345 events')
  await speak('de', 'de')
  expect(spoken_language()).toBe('de')
  expect(say('outage.events', { count: 1 })).toBe('1 Ereignis')
  expect(say('outage.events', { count: 12_345 })).toBe('12.345 Ereignisse')
  expect(missing_language()).toBeNull()
})

test('a language is found by its tag, its first part or a machine’s name of a locale; else it is English', () => {
  expect(known_language('de-AT')).toBe('de')
  expect(known_language('de_DE.UTF-8')).toBe('de')
  expect(known_language('en-GB')).toBe('en')
  expect(known_language('C')).toBe('en')
  expect(known_language('xx')).toBe('en')
})

test('numbers are written as a locale has them; English without a country as the wall always has', () => {
  expect(grouped(1234)).toBe('1234')
  expect(grouped(-12_345)).toBe('\u221212\u2009345')
  write_numbers_as('en-IN')
  expect(grouped_digits('123456789')).toBe('12,34,56,789')
  write_numbers_as('de-CH')
  expect(grouped_digits('12345')).toMatch(/^12['’]345$/)
  write_numbers_as('de')
  expect(grouped_digits('1234')).toBe('1.234')
  expect(numerals_of('ar-EG').point.length).toBe(1)
  expect(numerals_of('no such locale').point).toBe('.')
})

test('in the language for tests every text is bracketed and longer', () => {
  for (const text of Object.values(pseudo)) {
    for (const form of typeof text === 'string' ? [text] : Object.values(text)) expect(form).toMatch(/^⟦.*⟧$/)
  }
})
