/**
 * Every scenario in the language for tests, whose texts are accented, longer by half and between brackets: no word of the page's own is left in
 * English, and texts of another length still fit.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { FURNITURE, KINDS } from '../cases.mjs'
import { read_glass } from '../glass.mjs'
import { settled } from '../settled.mjs'
import { all_become, check, FULL_HD, on_page } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */

/** What a frame says by codes, which are never shown as they are: the keys under which they stand. */
const CODES = [
  ...['kind', 'state', 'freshness', 'phase', 'transport', 'continuity', 'basis', 'agreement', 'became', 'draw'],
  ...['order', 'format', 'theme', 'better', 'toward', 'is', 'why', 'align', 'expect', 'outcome', 'code'],
  ...['priority', 'evidence', 'nuisance', 'last', 'then', 'now'],
]

/**
 * Notes each text that the page is given: that is data. Runs in the page, after the scripted host.
 *
 * @param {readonly string[]} codes
 */
function note_data(codes) {
  const internals =
    /** @type {{ __TAURI_INTERNALS__: { invoke: (command: string, args: unknown) => Promise<unknown> } }} */ (
      /** @type {unknown} */ (globalThis)
    ).__TAURI_INTERNALS__
  /** @type {Set<string>} */
  const data = new Set()
  Object.assign(globalThis, { __data: data })
  /** @param {unknown} part @param {string} key */
  const take = (part, key) => {
    if (typeof part === 'string') {
      if (!codes.includes(key)) data.add(part)
    } else if (Array.isArray(part)) for (const one of part) take(one, key)
    else if (typeof part === 'object' && part !== null)
      for (const [name, one] of Object.entries(part)) {
        // Names that are no part of the frame's form are data as well.
        if (name === 'icons' && typeof one === 'object' && one !== null)
          for (const word of Object.keys(one)) data.add(word)
        // What has a code is said by that, and its English words are never shown.
        if (!('said' in part && ['words', 'reason', 'text'].includes(name))) take(one, name)
      }
  }
  const { invoke } = internals
  internals.invoke = async (command, args) => {
    const answer = await invoke(command, args)
    take(answer, command)
    return answer
  }
}

/** All that the page says: its texts, what stands on canvases, and what is read aloud. Runs in the page. */
function read_words() {
  const where = (/** @type {Element} */ element) =>
    `${element.closest('[data-widget], [data-furniture]')?.getAttribute('data-widget') ?? 'shell'}/${element.getAttribute('class') ?? element.tagName}`
  /** @type {{ text: string, where: string }[]} */
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement
    if (element === null || element.closest('script, style') !== null) continue
    texts.push({ text: node.textContent ?? '', where: where(element) })
  }
  for (const element of document.querySelectorAll(
    '[title], [aria-label], [placeholder], [aria-valuetext], [alt], [aria-description]',
  )) {
    for (const name of ['title', 'aria-label', 'placeholder', 'aria-valuetext', 'alt', 'aria-description']) {
      const text = element.getAttribute(name)
      if (text !== null) texts.push({ text, where: `${where(element)}@${name}` })
    }
  }
  const written = /** @type {{ __written?: WeakMap<Element, { text: string }[]> }} */ (globalThis).__written
  for (const canvas of document.querySelectorAll('canvas'))
    for (const { text } of written?.get(canvas) ?? []) texts.push({ text, where: `${where(canvas)} (canvas)` })
  const noted = /** @type {{ __data?: Iterable<string> }} */ (/** @type {unknown} */ (globalThis))
  const data = [...(noted.__data ?? [])]
  return { texts, data }
}

/** What times and numbers have besides, by locale or by the standard: names of days and months, and units. */
const BY_LOCALE = (() => {
  const words = new Set(['UTC', 'NaN', 'e', 'Esc', 'Tab', 'Enter'])
  for (let month = 0; month < 12; month += 1)
    for (const style of /** @type {const} */ (['long', 'short']))
      words.add(new Date(Date.UTC(2024, month, 3)).toLocaleDateString('en-GB', { month: style, timeZone: 'UTC' }))
  for (let day = 1; day <= 7; day += 1)
    for (const style of /** @type {const} */ (['long', 'short']))
      words.add(new Date(Date.UTC(2024, 0, day)).toLocaleDateString('en-GB', { weekday: style, timeZone: 'UTC' }))
  return words
})()

/** Innermost first: a text may stand in another one. One that is broken over lines or has lost its middle has one of its brackets. @param {string} text */
function without_own(text) {
  let left = text
  for (let before = ''; before !== left;) {
    before = left
    left = left.replace(/⟦[^⟦⟧]*⟧/g, ' ')
  }
  return left.replace(/⟦.*$/s, ' ').replace(/^.*⟧/s, ' ')
}

/** What the backend says in English and the page in its own language: data, but never to be shown as it came. Short ones may be data's own words. */
const HEARD = [
  ...['en-heard.ts', 'en-heard-kinds.ts']
    .map((name) => readFileSync(new URL(`../../src/words/${name}`, import.meta.url), 'utf8'))
    .join('')
    .matchAll(/^ {2}(['"])(.*)\1,$/gm),
]
  .map(([, , sentence = '']) => sentence)
  .filter((sentence) => sentence.length > 12 && sentence.includes(' ') && !/[{\\]/.test(sentence))

/**
 * What is neither from the message file, nor data, nor by locale.
 *
 * @param {{ texts: { text: string, where: string }[], data: string[] }} read
 */
function foreign({ texts, data }) {
  const known = [...new Set(data.flatMap((one) => [one, ...one.split(/\n/)]).map((one) => one.trim()))]
    .filter((one) => /\p{L}/u.test(one))
    .sort((a, b) => b.length - a.length)
  const whole = new Set(known)
  const joined = known.join('\n')
  const found = new Set()
  for (const { text, where } of texts) {
    if (!/\p{L}/u.test(text)) continue
    let left = without_own(text.replace(/[\u2066-\u2069\u200e\u200f]/g, ''))
    const unsaid = HEARD.find((sentence) => left.includes(sentence))
    if (unsaid !== undefined) found.add(`${where}: ${text.trim()} [${unsaid}]`)
    if (whole.has(text.trim())) continue
    for (const one of known) {
      if (!/\p{L}/u.test(left)) break
      if (
        one.length > 2
          ? left.includes(one)
          : new RegExp(`(?<!\\p{L})${one.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}(?!\\p{L})`, 'u').test(left)
      )
        left = left.replaceAll(one, ' ')
    }
    // Of a text that is broken over lines, or whose middle has no room, pieces are left.
    const words = left.split(/…|\s{2,}/).filter((piece) => {
      const own = piece.trim()
      // Of a short name of a day a letter may be left.
      if (!/\p{L}/u.test(own) || (own.length === 1 && left.includes('…')) || (own.length > 1 && joined.includes(own)))
        return false
      return own
        .split(/[^\p{L}\p{N}’'-]+/u)
        .some(
          (word) =>
            /\p{L}/u.test(word) && !BY_LOCALE.has(word) && !/[áéíóúçñýÁÉÍÓÚÇÑÝ~]/.test(word) && !joined.includes(word),
        )
    })
    if (words.length > 0)
      found.add(`${where}: ${text.trim()}${words.join('|') === text ? '' : ` [${words.join('|').trim()}]`}`)
  }
  return [...found]
}

/**
 * @param {string} query
 * @param {(page: Page) => Promise<void>} use
 * @param {{ width: number, height: number }} [size]
 */
const in_pseudo = (query, use, size = FULL_HD) =>
  on_page(`${query}&language=en-XA`, size, use, {
    before: async (page) => {
      await page.addInitScript(note_data, CODES)
    },
  })

/** @param {Page} page */
async function assert_own_words(page) {
  assert.deepEqual(foreign(await page.evaluate(read_words)), [], 'neither from the message file nor data')
}

/**
 * Nothing is cut or lies upon something else. The watermark is a ground through which one reads.
 *
 * @param {Page} page
 * @param {string} [but] a panel that counts for nothing
 */
async function assert_fits(page, but = '') {
  await page.evaluate(() => {
    document.querySelector('[data-past-watermark]')?.remove()
  })
  const { clipped, overlapping } = await page.evaluate(read_glass)
  const counts = (/** @type {string} */ where) => but === '' || !where.includes(but)
  assert.deepEqual(clipped.filter(counts), [], 'cut off')
  assert.deepEqual(overlapping.filter(counts), [], 'upon each other')
}

/** All of the scripted host's, but the one that is drawn by its kinds and the one that is measured. */
const SCENARIOS = [
  ...[
    'live',
    'stale',
    'down',
    'refused',
    'unknown',
    'empty',
    'flood',
    'catching-up',
    'silent',
    'notices',
    'sources',
    'gaps',
  ],
  ...[
    'one',
    'gauge',
    'rush',
    'idle',
    'orders',
    'orders-down',
    'orders-catching-up',
    'orders-unknown',
    'pair',
    'furniture',
  ],
  ...['pages', 'past', 'past-odd', 'disputed', 'desk'],
  ...['alarms', 'alarms-quiet', 'alarms-flood', 'alarms-stale', 'alarms-pages'],
]
const STATES = ['live', 'down', 'empty', 'full']

/** What lies over the wall: the key that opens it, where, and whether all of the wall makes room for it. */
const OVER = /** @type {const} */ ([
  ['?', '[data-keys]', 'live', false],
  ['l', '[data-history]', 'gaps', false],
  ['l', '[data-history]', 'sources', false],
  ['f', '[data-faults="open"]', 'live', false],
  ['?', '[data-keys]', 'alarms-pages', false],
  ['a', '[data-alarms]', 'alarms', false],
  ['a', '[data-alarms]', 'alarms-flood', false],
  ['b', '[data-past-bar]', 'past-odd', true],
  ['b', '[data-past-bar]', 'live', true],
  ['t', '[data-drill-band]', 'live', true],
])

/** Words that are longer than any language's by as much need a glass that is higher by a fifth: on a lower one the figures scroll. */
const HIGHER = { width: 1920, height: 1300 }
/** The pages over the wall: the key, where, and what the scripted record tells. */
const REPORTS = /** @type {const} */ ([
  ['j', '[data-report="report"] [data-figure]', 'alarms', HIGHER],
  ['j', '[data-report="report"] [data-figure]', 'alarms&record=empty', HIGHER],
  ['h', '[data-report="since"] [data-part]', 'alarms', FULL_HD],
  ['h', '[data-report="since"] [data-part]', 'alarms&record=late', FULL_HD],
  ['h', '[data-report="since"] [data-part]', 'alarms&record=doubt', FULL_HD],
  ['h', '[data-report="since"] [data-part]', 'alarms&record=huge', FULL_HD],
])

export async function pseudo() {
  for (const scenario of SCENARIOS) {
    await check(
      `in the language for tests, ${scenario}: no word is English, nothing is cut or lies upon something else`,
      () =>
        in_pseudo(`scenario=${scenario}`, async (page) => {
          // A backend that is silent says so after some heartbeats.
          await page.waitForTimeout(scenario === 'silent' ? 5_000 : 400)
          await assert_own_words(page)
          await assert_fits(page)
        }),
    )
  }

  for (const [key, opened, scenario, makes_room] of OVER) {
    await check(`in the language for tests, ${opened} over ${scenario}: no word is English, nothing is cut`, () =>
      in_pseudo(`scenario=${scenario}`, async (page) => {
        await all_become(page, 'live')
        await page.keyboard.press(key)
        await page.waitForSelector(opened)
        await page.waitForTimeout(300)
        await assert_own_words(page)
        if (makes_room) await assert_fits(page)
        else assert.deepEqual((await page.evaluate(read_glass)).clipped, [], 'cut off')
      }),
    )
  }

  for (const [key, sheet, query, size] of REPORTS) {
    await check(`in the language for tests, ${sheet} of ${query}: no word is English, nothing is cut`, () =>
      in_pseudo(
        `scenario=${query}&demo=no`,
        async (page) => {
          await all_become(page, 'live')
          await page.keyboard.press(key)
          await page.waitForSelector(sheet)
          if (key === 'j') await page.keyboard.press('4')
          // Until all of the record is read.
          await page.waitForTimeout(key === 'j' ? 300 : 1_500)
          for (let turn = 0; turn < 6; turn += 1) {
            await assert_own_words(page)
            assert.deepEqual((await page.evaluate(read_glass)).clipped, [], 'cut off')
            await page.keyboard.press(key === 'j' ? '/' : 'ArrowDown')
          }
          await page.keyboard.press(key === 'j' ? '5' : '8')
          await page.waitForSelector('[data-report-own]')
          await assert_own_words(page)
        },
        size,
      ),
    )
  }

  await check('in the language for tests a row’s detail and a filter name their facts', () =>
    in_pseudo('scenario=desk&demo=no', async (page) => {
      await all_become(page, 'live')
      await page.focus('[data-widget="calls"]')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-widget="calls"] .selected')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-detail]')
      await page.waitForTimeout(300)
      await assert_own_words(page)
    }),
  )

  const cases = [...KINDS, ...FURNITURE].flatMap((kind) => STATES.map((state) => ({ kind, state })))
  for (const { kind, state } of cases) {
    await check(`in the language for tests, a ${kind} that is ${state}: no word is English, and its words fit`, () =>
      in_pseudo(`scenario=sheet&demo=no&kind=${kind}&state=${state}`, async (page) => {
        await page.evaluate(settled)
        await assert_own_words(page)
        // The smallest panel of all, a sixth of the glass by an eighth, has no room for a loud word that is longer by half than any of a language.
        await assert_fits(page, state === 'down' ? 'w7/' : '')
      }),
    )
  }
}
