/** Text that is as large as it must be from where it is read. */
import assert from 'node:assert/strict'
import { assert_readable, check, FULL_HD, on_page, ULTRA_HD } from './harness.mjs'

/** Pixels a millimetre of 65 inches. */
const WALL = { 1920: 1.334, 3840: 2.668 }

/** @param {import('playwright-core').Page} page */
const rem_px = (page) => page.evaluate(() => Number.parseFloat(getComputedStyle(document.documentElement).fontSize))

export async function sight() {
  for (const scenario of ['live', 'stale', 'orders']) {
    for (const size of [FULL_HD, ULTRA_HD]) {
      await check(
        `${scenario} at ${size.width}×${size.height} from six metres: larger, whole and readable, and it says what is lacking`,
        () =>
          on_page(
            `scenario=${scenario}&distance=6000&px-per-mm=${WALL[size.width === 1920 ? 1920 : 3840]}`,
            size,
            async (page) => {
              await page.waitForSelector('[data-notice="sight"]')
              const larger = (await rem_px(page)) / (size.width / 192)
              // Rows of an eighth of the glass have next to no room.
              assert.ok(larger > (scenario === 'orders' ? 1.3 : 1) && larger <= 1.6, `larger by ${larger}`)
              await page.waitForTimeout(400)
              await assert_readable(page)
            },
          ),
      )
    }
  }
  await check('from a desk nothing is larger', () =>
    on_page('scenario=live&distance=700&px-per-mm=3.7', FULL_HD, async (page) => {
      await page.waitForSelector('[data-widget]')
      assert.equal((await rem_px(page)).toFixed(3), '10.000')
      assert.equal(await page.$('[data-notice="sight"]'), null)
    }),
  )
}
