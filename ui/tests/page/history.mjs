/** The list of lost links. */
import assert from 'node:assert/strict'
import { all_become, check, FULL_HD, on_page } from './harness.mjs'

export async function history() {
  await check('a key lists the lost links with their cause and end, within the glass, and takes the list away', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      assert.equal(await page.$('[data-history]'), null)
      await page.keyboard.press('l')
      const rows = await page.$$eval('[data-history] tr', (all) =>
        all.map((row) => [row.getAttribute('data-became'), row.textContent]),
      )
      assert.equal(rows.length, 16)
      assert.equal(rows[1]?.[0], 'unknown')
      assert.match(rows[1]?.[1] ?? '', /30 min 0 s.*nothing heard for 5 s.*events missing/s)
      const box = await (await page.$('[data-history]'))?.boundingBox()
      assert.ok(
        box && box.x >= 0 && box.y + box.height <= FULL_HD.height && box.x + box.width <= FULL_HD.width,
        JSON.stringify(box),
      )
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-history]'), null)
    }),
  )

  await check('R in the list of lost links asks for a comparison with the server, and says what was refused', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const asked = () =>
        page.evaluate(() => {
          // @ts-expect-error the scripted host stands there
          const calls = /** @type {{ command: string, args: unknown }[]} */ (globalThis.__wall.calls)
          return calls.filter(({ command }) => command === 'reconcile').map(({ args }) => args)
        })
      await page.keyboard.press('r')
      assert.deepEqual(await asked(), [], 'the key means nothing without the list')
      await page.keyboard.press('l')
      assert.match((await page.textContent('[data-history] [data-compare]')) ?? '', /compare with the server now R/)
      await page.keyboard.press('r')
      assert.deepEqual(await asked(), [{}], 'one question, about every source')
      await page.keyboard.press('Shift+R')
      await page.keyboard.press('Control+Shift+ArrowRight')
      assert.equal((await asked()).length, 2)
      await page.evaluate(() => {
        // @ts-expect-error the scripted host stands there
        globalThis.__wall.host.reconcile = () => Promise.reject(new Error('no wall runs'))
      })
      await page.click('[data-compare]')
      await page.waitForFunction(() => document.querySelector('[data-history]')?.textContent?.includes('no wall runs'))
      await page.keyboard.press('l')
      await page.keyboard.press('r')
      assert.equal((await asked()).length, 3, 'the list is gone, and with it the key')
    }),
  )
}
