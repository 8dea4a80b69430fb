/** The demo’s knobs. */
import assert from 'node:assert/strict'
import { all_become, check, FULL_HD, on_page } from './harness.mjs'

export async function demo() {
  await check('keys pull the demo’s faults and the panel says which', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await page.waitForSelector('[data-faults]', { state: 'attached' })
      await page.keyboard.press('f')
      await page.waitForSelector('[data-faults="open"]')
      assert.equal((await page.$$('[data-fault]')).length, 5)
      await page.keyboard.press('1')
      await page.waitForSelector('[data-fault="cut"][data-on="true"]')
      assert.match((await page.textContent('.handle')) ?? '', /close · cable cut/)
      await all_become(page, 'down')
      await page.keyboard.press('1')
      await all_become(page, 'live')
      await page.click('[data-fault="freeze"]')
      await all_become(page, 'stale')
    }),
  )
}
