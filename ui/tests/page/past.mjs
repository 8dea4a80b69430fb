/** Looking back. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page } from './harness.mjs'

export async function past() {
  await check('looking back is unmistakable, goes where a hand wants, and leaves nothing behind', () =>
    on_page('scenario=past', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.click('[data-past-open]')
      await page.waitForSelector('[data-past-bar]')
      const at = async () => Number(await page.getAttribute('[data-past-bar]', 'data-past-at'))
      const bar = (/** @type {'playing' | 'pace'} */ name) => page.getAttribute('[data-past-bar]', `data-${name}`)
      const until = async (/** @type {() => Promise<boolean>} */ is_so) => {
        for (const begun_ms = performance.now(); !(await is_so()); await page.waitForTimeout(50)) {
          assert.ok(performance.now() - begun_ms < 10_000, `not so within 10 s: ${is_so}; it is at ${await at()}`)
        }
      }
      // The frame goes all around, the mark is on the glass, and the clock is the record's.
      const frame = await page.locator('[data-past-frame]').boundingBox()
      assert.deepEqual(frame, { x: 0, y: 0, width: FULL_HD.width, height: FULL_HD.height })
      const border = await page.$eval('[data-past-frame]', (one) => getComputedStyle(one).borderTopWidth)
      assert.ok(Number.parseFloat(border) >= 10, border)
      assert.match((await page.textContent('[data-past-watermark]')) ?? '', /RECORDING · \d+ \w+ \d\d:\d\d:\d\d/)
      assert.match((await page.textContent('.clock')) ?? '', /RECORDING/)
      assert.equal(Number(await page.getAttribute('[data-past-clock]', 'data-past-clock')), await at())
      assert.match((await page.textContent('.count')) ?? '', /were live/)
      assert.equal(await page.textContent('[data-past-live]'), 'LIVE: all 16 live')
      const words = await page.$$eval('[data-quality] b', (all) => [...new Set(all.map((one) => one.textContent))])
      assert.deepEqual(words, ['was live'], 'no widget says that it is live')
      const box = await page.locator('[data-past-bar]').boundingBox()
      assert.ok(box !== null && box.y + box.height <= FULL_HD.height && box.width <= FULL_HD.width)
      const overflow = await page.$eval('[data-past-bar]', (one) => one.scrollWidth - one.clientWidth)
      assert.ok(overflow <= 0, `${overflow} px of the bar are outside`)
      // Where the hands go.
      const begun = await at()
      await page.keyboard.press('ArrowLeft')
      await until(async () => (await at()) === begun - 10_000)
      await page.keyboard.press('Shift+ArrowRight')
      await until(async () => (await at()) === begun + 50_000)
      await page.keyboard.press('[')
      await until(async () => (await at()) < begun - 230_000)
      await page.click('[data-past-timeline]')
      await until(async () => Math.abs((await at()) - (begun - 3_540_000)) < 60_000)
      await page.click('[data-past-pace="60"]')
      await page.keyboard.press(' ')
      await until(async () => (await bar('playing')) === 'true')
      const playing = await at()
      await until(async () => (await at()) > playing + 20_000)
      await page.click('[data-past-play="back"]')
      await until(async () => (await bar('pace')) === '-60')
      assert.equal(await page.$('[data-faults]'), null, 'the knobs of the present are away')
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-past-bar]', { state: 'detached' })
      assert.equal(await page.$('[data-past-watermark], [data-past-frame]'), null)
      assert.match((await page.textContent('.count')) ?? '', /16 of 16\s+live/)
      await all_become(page, 'live')
    }),
  )

  await check('a record that is not whole says so in words, and the present is heard from its corner', () =>
    on_page('scenario=past-odd&theme=light', FULL_HD, async (page) => {
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-said]')
      const said = (await page.textContent('[data-past-said]')) ?? ''
      assert.match(said, /RECORD CHANGED OR DAMAGED.*NOT SEEN/s)
      assert.equal(await page.textContent('[data-past-live].unwell'), 'LIVE: 2 down of 16')
      // Lying upon everything is what a watermark is for.
      await page.$eval('[data-past-watermark]', (one) => {
        ;/** @type {HTMLElement} */ (one).style.display = 'none'
      })
      await assert_readable(page)
    }),
  )

  await check('what can’t be looked back at is said, and the present stays', () =>
    on_page('scenario=one', FULL_HD, async (page) => {
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-refused]')
      assert.equal(await page.$('[data-past-bar]'), null)
    }),
  )
}
