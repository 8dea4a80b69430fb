/** Larger and smaller by hand, on a desktop. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page } from './harness.mjs'
import { become_kiosk } from './keys.mjs'

/** @param {import('playwright-core').Page} page */
const rem_px = (page) =>
  page.evaluate(() => Math.round(Number.parseFloat(getComputedStyle(document.documentElement).fontSize)))
/** @param {import('playwright-core').Page} page */
const wall = (page) => page.$eval('main', (one) => [one.clientWidth, one.clientHeight])

export async function zoom() {
  await check('Ctrl and + − 0: from a half, on which more fits, to three times, which is scrolled; remembered', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const rows = () => page.$$eval('[data-widget="board"] [data-place]', (all) => all.length)
      const before = await rows()
      for (let step = 0; step < 6; step += 1) await page.keyboard.press('Control+-')
      assert.equal(await rem_px(page), 5)
      assert.deepEqual(await wall(page), [FULL_HD.width, FULL_HD.height])
      await page.waitForTimeout(500)
      assert.ok((await rows()) > before, `${await rows()} rows, ${before} before`)
      await assert_readable(page)
      await page.keyboard.press('Control+0')
      assert.equal(await rem_px(page), 10)
      for (let step = 0; step < 12; step += 1) await page.keyboard.press('Control+Equal')
      assert.equal(await rem_px(page), 30)
      assert.deepEqual(await wall(page), [3 * FULL_HD.width, 3 * FULL_HD.height])
      const code = await page.locator('[data-picture-code]').boundingBox()
      assert.ok(
        code !== null && code.x + code.width <= FULL_HD.width && code.y < FULL_HD.height,
        'the code stays in its corner',
      )
      await page.keyboard.press('End')
      const last = await page.evaluate(() => document.activeElement?.getBoundingClientRect().top ?? Infinity)
      assert.ok(last < FULL_HD.height, `the panel that has the focus is at ${last}`)
      assert.equal(await page.evaluate(() => localStorage.getItem('zoom')), '3')
      // Those who begin anew find it as it was.
      await page.reload()
      await page.waitForSelector('[data-magnified]')
      assert.equal(await rem_px(page), 30)
      await page.keyboard.press('t')
      await page.waitForSelector('[data-drill-band]')
      assert.deepEqual(await wall(page), [FULL_HD.width, FULL_HD.height], 'a lamp test looks at all of it')
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-magnified]')
    }),
  )

  await check('a kiosk is as large as it is', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await become_kiosk(page)
      await page.keyboard.press('Control+Equal')
      await page.keyboard.press('Control+-')
      assert.equal(await rem_px(page), 10)
    }),
  )
}
