/** Alarms of a record: as they stood then, calling nobody, and gone without a trace when the present is back. */
import assert from 'node:assert/strict'
import { CRITICAL, made_up, open } from './alarms.mjs'
import { all_become, assert_readable, check, FULL_HD, on_page } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */

/** Which alarms have bands, by widget. @param {Page} page */
const banded = (page) =>
  page.$$eval('[data-widget][data-alarm]', (all) =>
    Object.fromEntries(all.map((one) => [one.getAttribute('data-widget'), one.getAttribute('data-alarm')])),
  )

/** @param {Page} page */
async function look_back(page) {
  await all_become(page, 'live')
  await made_up(page, 'alarms.still = true')
  await page.waitForSelector(`[data-alarm-banner="${CRITICAL}"]`)
  await page.keyboard.press('b')
  await page.waitForSelector('[data-past-bar]')
}

export async function alarms_past() {
  await check('a record has its own alarms: what stood then, and nothing that came since (H1)', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await look_back(page)
      await page.waitForSelector('[data-alarm-banner="delay"]')
      assert.deepEqual(await banded(page), { delay: 'delay' })
      assert.equal((await page.$$('[data-alarm-count]')).length, 1)
      assert.equal(await page.getAttribute('[data-alarm-count]', 'data-alarm-count'), 'high')
      // What is raised in the present doesn't come into the record.
      await made_up(page, `alarms.raise({ key: 'now', title: 'Of now', priority: 'critical', widgets: ['rate'] })`)
      await page.waitForTimeout(800)
      assert.deepEqual(await banded(page), { delay: 'delay' })
      await page.keyboard.press('a')
      await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
      assert.deepEqual(
        await page.$$eval('.rows [data-alarm-row]', (all) => all.map((one) => one.getAttribute('data-alarm-row'))),
        ['delay'],
      )
      assert.match((await open(page, '[data-alarms]')) ?? '', /RECORDING/)
    }),
  )

  await check('nothing of a record blinks, nor stands in the white of what would', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await look_back(page)
      await page.waitForSelector('[data-alarm-banner="delay"]')
      for (const motion of /** @type {const} */ (['no-preference', 'reduce'])) {
        await page.emulateMedia({ reducedMotion: motion })
        const turns = await page.$$eval('.mark b', (all) => all.map((one) => getComputedStyle(one).animationName))
        assert.ok(turns.length >= 2)
        assert.deepEqual([...new Set(turns)], ['none'], motion)
        const white = await page.evaluate(() => {
          const probe = document.body.appendChild(document.createElement('i'))
          probe.style.color = 'var(--value)'
          const { color } = getComputedStyle(probe)
          probe.remove()
          return color
        })
        const grounds = await page.$$eval('.mark b', (all) => all.map((one) => getComputedStyle(one).backgroundColor))
        assert.ok(!grounds.includes(white), motion)
      }
    }),
  )

  await check('a record without alarms has none, and back in the present all stand as they stand', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await made_up(page, 'alarms.stood = []')
      await look_back(page)
      await page.waitForSelector('[data-alarm-banner]', { state: 'detached' })
      assert.deepEqual(await banded(page), {})
      assert.equal(await page.$('[data-alarm-count]'), null)
      await page.keyboard.press('Escape')
      await page.waitForSelector(`[data-alarm-banner="${CRITICAL}"]`)
      assert.equal((await banded(page))['airports'], CRITICAL)
      assert.equal(await page.$('[data-past-bar]'), null)
    }),
  )

  await check('a record that has alarms can be read', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await look_back(page)
      await page.waitForSelector('[data-alarm-banner="delay"]')
      await page.$eval('[data-past-watermark]', (one) => one.remove())
      await page.waitForTimeout(300)
      await assert_readable(page)
    }),
  )
}
