/** A hand at a desk: it goes into a table, finds, sorts, reads one row with its event, and what it changed is seen and goes by itself. */
import assert from 'node:assert/strict'
import { become_kiosk } from './keys.mjs'
import { all_become, assert_readable, check, FULL_HD, on_page, ULTRA_HD } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */

const TABLE = '[data-widget="calls"]'

/** The keys of the rows, from the top. @param {Page} page */
const rows = (page) =>
  page.$$eval(`${TABLE} [data-key]`, (all) =>
    all
      .map((one) => ({ key: one.getAttribute('data-key') ?? '', at: one.getBoundingClientRect().y }))
      .sort((a, b) => a.at - b.at)
      .map(({ key }) => key),
  )

/** @param {Page} page */
const strip = (page) =>
  page.evaluate(() => document.querySelector('[data-strip]')?.textContent?.replace(/\s+/g, ' ').trim() ?? null)

/** @param {Page} page */
const selected = (page) =>
  page.evaluate(() => document.querySelector('[data-widget="calls"] .selected')?.getAttribute('data-key') ?? null)

/** @param {Page} page @param {string | null} wanted */
const is_selected = (page, wanted) =>
  page.waitForFunction(
    (wanted) =>
      (document.querySelector('[data-widget="calls"] .selected')?.getAttribute('data-key') ?? null) === wanted,
    wanted,
    { timeout: 5_000, polling: 50 },
  )

/** @param {Page} page */
async function into_table(page) {
  await all_become(page, 'live')
  await page.focus(TABLE)
  await page.keyboard.press('Enter')
  await is_selected(page, '0')
}

/** @param {Page} page @param {string} part */
const strip_says = (page, part) =>
  page.waitForFunction((part) => document.querySelector('[data-strip]')?.textContent?.includes(part) ?? false, part, {
    timeout: 8_000,
    polling: 50,
  })

export async function desk() {
  await check('keys go through all of a hundred thousand rows, of which the document holds a screenful', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await into_table(page)
      const first = await rows(page)
      await page.keyboard.press('ArrowDown')
      await is_selected(page, '1')
      await page.keyboard.press('End')
      await is_selected(page, '99999')
      const last = await rows(page)
      assert.equal(last.at(-1), '99999')
      assert.ok(last.length <= first.length + 1, `${String(last.length)} rows in the document`)
      await page.keyboard.press('PageUp')
      await page.keyboard.press('Home')
      await is_selected(page, '0')
      for (let down = 0; down < 30; down += 1) await page.keyboard.press('ArrowDown')
      await is_selected(page, '30')
      assert.ok((await rows(page)).includes('30'))
      await page.keyboard.press('Escape')
      await is_selected(page, null)
      assert.deepEqual(await rows(page), first, 'as the board says again')
    }),
  )

  for (const [query, size] of /** @type {const} */ ([
    ['scenario=desk&demo=no', FULL_HD],
    ['scenario=desk&demo=no&theme=light', ULTRA_HD],
  ])) {
    await check(`what is filtered or sorted says so, with what it hides, and can be read (${query})`, () =>
      on_page(query, size, async (page) => {
        await into_table(page)
        await page.keyboard.press('/')
        await page.keyboard.type('held chest')
        await strip_says(page, 'of')
        await page.keyboard.press('Enter')
        await strip_says(page, 'FILTERED')
        await strip_says(page, 'hidden')
        const said = (await strip(page)) ?? ''
        assert.match(said, /FILTERED h.*t 3.?334 of 100.000 match hidden .*20.000.*16.666/)
        await page.waitForFunction(() =>
          [...document.querySelectorAll('[data-widget="calls"] [data-key]')].every((row) =>
            /held/.test(row.textContent ?? ''),
          ),
        )
        await assert_readable(page, 20)
        await page.keyboard.press('Escape')
        await page.keyboard.press('ArrowRight')
        await page.keyboard.press('s')
        await strip_says(page, 'SORTED')
        await page.keyboard.press('s')
        await page.waitForFunction(() => document.querySelector('[data-widget="calls"] [data-key="99999"]') !== null)
        await assert_readable(page, 20)
        await page.keyboard.press('Escape')
        assert.equal(await strip(page), null)
      }),
    )
  }

  await check('a filter without a hand is gone after a minute (H1)', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await page.clock.install()
      await into_table(page)
      await page.keyboard.press('/')
      await page.keyboard.type('held')
      await strip_says(page, 'find')
      await page.clock.fastForward(61_000)
      await page.waitForFunction(() => document.querySelector('[data-strip]') === null)
      await is_selected(page, null)
    }),
  )

  await check('a row is shown with its event, as it came; what is no longer kept is said', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await into_table(page)
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-raw]')
      const text = (await page.textContent('[data-detail]')) ?? ''
      for (const part of ['Dispatch centre', 'call.changed', 'k3x9:0', '"46', 'Cardiac arrest', 'אבים']) {
        assert.ok(text.includes(part.replace('"', '')), part)
      }
      assert.equal(await page.$eval('[data-raw]', (raw) => raw.querySelectorAll('script, a, img').length), 0)
      for (let down = 0; down < 9; down += 1) await page.keyboard.press('ArrowDown')
      await page.waitForFunction(
        () => document.querySelector('[data-detail]')?.textContent?.includes('no longer kept') ?? false,
      )
      assert.equal(await page.$('[data-raw]'), null)
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-detail]'), null)
      assert.equal(await selected(page), '9')
    }),
  )

  await check('lines and tiles are selected where they stand', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.focus('[data-widget="crews"]')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-selected="crew-0"]')
      await page.keyboard.press('ArrowRight')
      await page.waitForSelector('[data-selected="crew-1"]')
      await page.keyboard.press('ArrowDown')
      await page.waitForSelector('[data-selected="crew-4"]')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-detail="crew-4"]')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-selected]'), null)
      await page.focus('[data-widget="lines"]')
      await page.keyboard.press('Enter')
      await page.keyboard.press('ArrowDown')
      await page.waitForSelector('[data-selected="11"]')
    }),
  )

  await check('a pointer does the same: a click selects, a second one shows, a heading sorts, a wheel scrolls', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.click(`${TABLE} [data-key="2"]`)
      await is_selected(page, '2')
      await page.click(`${TABLE} [data-key="2"]`)
      await page.waitForSelector('[data-detail="2"]')
      await page.keyboard.press('Escape')
      await page.hover(`${TABLE} [data-key="2"]`)
      await page.mouse.wheel(0, 300)
      await page.waitForFunction(() => document.querySelector('[data-widget="calls"] [data-key="0"]') === null)
      await page.click(`${TABLE} [data-column="0"]`)
      await strip_says(page, 'SORTED')
      await strip_says(page, 'Call ▲')
    }),
  )

  await check('rows that nobody answers for are shown no more (H1)', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await into_table(page)
      await page.keyboard.press('/')
      await page.keyboard.type('chest')
      await strip_says(page, 'match')
      await page.evaluate('globalThis.__wall.host.deaf = true')
      await strip_says(page, 'the backend has ended')
      assert.ok((await rows(page)).includes('0'), 'all rows, as frames bring them')
    }),
  )

  await check('of a record there is what was on the glass: no filter, no order, no event', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await into_table(page)
      await page.keyboard.press('/')
      await page.keyboard.type('held')
      await strip_says(page, 'match')
      await page.evaluate('globalThis.__wall.host.past_open(null)')
      await page.waitForFunction(() => document.querySelector('main.past') !== null)
      await page.waitForFunction(() => document.querySelector('[data-strip]') === null)
      const asked = () =>
        page.evaluate(
          'globalThis.__wall.calls.filter(({ command }) => command === "rows" || command === "detail").length',
        )
      await page.focus(TABLE)
      await page.keyboard.press('Enter')
      await is_selected(page, '0')
      const before = await asked()
      await page.keyboard.press('/')
      await page.keyboard.press('s')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-detail="0"]')
      const text = (await page.textContent('[data-detail]')) ?? ''
      assert.match(text, /was live/)
      assert.match(text, /a record has what was on the glass/)
      assert.deepEqual([await strip(page), await page.$('[data-raw]'), await asked()], [null, null, before])
    }),
  )

  await check('nobody goes into anything in a kiosk, or while it is refused', () =>
    on_page('scenario=desk&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await become_kiosk(page)
      await page.focus(TABLE)
      await page.keyboard.press('Enter')
      await page.keyboard.press('/')
      await page.click(`${TABLE} [data-key="2"]`)
      assert.deepEqual([await selected(page), await strip(page)], [null, null])
    }),
  )
}
