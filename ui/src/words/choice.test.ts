import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chosen } from './choice'
import { LANGUAGES } from './say'

const said = (...of: Parameters<typeof chosen>): string => Object.values(chosen(...of)).join(' ')

test('without a word of the board the machine’s language is spoken where there are words for it', () => {
  expect(said(null, null, 'de-AT')).toBe('de de-AT')
  expect(said(null, {}, 'fr-FR')).toBe('en en')
  // English without a locale is the wall's own style.
  expect(said(null, {}, 'en-US')).toBe('en en')
  expect(said(null, {}, 'C')).toBe('en en')
})

test('the board’s language comes first, then that of its locale', () => {
  expect(said(null, { language: 'de' }, 'en-US')).toBe('de de')
  expect(said(null, { language: 'de' }, 'de-CH')).toBe('de de-CH')
  expect(said(null, { language: 'en' }, 'de-AT')).toBe('en en')
  expect(said(null, { locale: 'de-AT' }, 'en-US')).toBe('de de-AT')
  expect(said(null, { language: 'en', locale: 'de-CH' }, 'de-AT')).toBe('en de-CH')
  // No words are there for it: the machine's language, with its numbers.
  expect(said(null, { locale: 'fr-FR' }, 'de-AT')).toBe('de fr-FR')
  expect(said(null, { locale: 'en-US' }, 'de-AT')).toBe('en en-US')
})

test('what the address asks for comes before all', () => {
  expect(said('en-XA', { language: 'de' }, 'de')).toBe('en-XA en-XA')
  expect(said('de', { language: 'en', locale: 'en-US' }, 'en')).toBe('de de')
})

test('the languages that a board may name are those that there are words for', () => {
  const rust = readFileSync(join(import.meta.dirname, '../../../src-tauri/board/src/config/shape_language.rs'), 'utf8')
  const list = /LANGUAGES[^=]*= &\[(.*?)\];/s.exec(rust)?.[1] ?? ''
  const named = [...list.matchAll(/\("([\w-]+)", "[\w-]+", /g)].map(([, tag]) => tag)
  expect(named).toEqual(LANGUAGES.filter((tag) => tag !== 'en-XA'))
})
