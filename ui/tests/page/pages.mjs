/** Pages: one is on the glass, the others say how they are, and a hand turns them. */
import assert from 'node:assert/strict'
import { all_become, check, FULL_HD, on_page } from './harness.mjs'

const PORTRAIT = { width: 1080, height: 1920 }

/** @param {import('playwright-core').Page} page */
const shown = (page) =>
  page.evaluate(() => ({
    page: document.querySelector('[data-page][aria-current="page"]')?.getAttribute('data-page'),
    widgets: [...document.querySelectorAll('[data-widget]')].map((one) => one.getAttribute('data-widget')),
  }))

export async function pages() {
  await check('one page is on the glass, and the count is of all', () =>
    on_page('scenario=pages&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const now = await shown(page)
      assert.equal(now.page, 'now')
      assert.ok(now.widgets.includes('departed') && !now.widgets.includes('board'), now.widgets.join())
      assert.match(await page.innerText('.count'), /^16 of 16 live/)
      await page.keyboard.press('.')
      await page.waitForSelector('[data-widget="board"]')
      const flights = await shown(page)
      assert.deepEqual(flights, { page: 'flights', widgets: ['board', 'air', 'log'] })
      const alarmed = await page.innerText('[data-page="now"]')
      assert.match(alarmed, /alarm/)
    }),
  )
  await check('pages are turned and pinned by keys and by the pointer', () =>
    on_page('scenario=pages&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      for (const [key, id] of [
        ['3', 'trends'],
        ['PageUp', 'flights'],
        ['PageDown', 'trends'],
        ['.', 'now'],
        [',', 'trends'],
      ]) {
        await page.keyboard.press(String(key))
        await page.waitForSelector(`[data-page="${id}"][aria-current="page"]`)
      }
      await page.keyboard.press('p')
      await page.waitForSelector('[data-pinned]')
      assert.equal(await page.locator('[data-page="trends"] .left').count(), 0)
      await page.click('[data-page="now"]')
      await page.waitForSelector('[data-page="now"][aria-current="page"]')
      assert.equal(await page.locator('[data-pinned]').count(), 0)
    }),
  )
  await check('the pages of a record are turned without asking the backend', () =>
    on_page('scenario=pages&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-clock]')
      await page.keyboard.press('.')
      await page.waitForSelector('[data-page="flights"][aria-current="page"]')
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-page="now"][aria-current="page"]')
    }),
  )
  await check('a name that is too long is cut and nothing lies upon another', () =>
    on_page('scenario=pages&demo=no', PORTRAIT, async (page) => {
      await all_become(page, 'live')
      const boxes = await page.evaluate(() =>
        [...document.querySelectorAll('nav > *')]
          .map((one) => one.getBoundingClientRect())
          .map(({ left, right }) => ({ left, right })),
      )
      boxes.slice(1).forEach((box, at) => assert.ok(box.left >= (boxes[at]?.right ?? 0), JSON.stringify(boxes)))
      assert.ok((boxes.at(-1)?.right ?? 0) <= PORTRAIT.width, JSON.stringify(boxes))
    }),
  )
}
