/** A page that is not answered stops believing; one that is not seen asks for nothing. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, HEARTBEAT_MS, on_page } from './harness.mjs'

export async function silence() {
  await check(
    'a host that stops answering makes everything stale within two heartbeats, by the page’s own clock; then live again',
    () =>
      on_page('scenario=live', FULL_HD, async (page) => {
        await all_become(page, 'live')
        // Both instants by the page's own clock: a busy machine's errands are not the page's delay.
        const took_ms = await page.evaluate(async () => {
          // @ts-expect-error the scripted host stands there
          const { host } = globalThis.__wall
          host.hangs = true
          const live = () => document.querySelector('[data-widget]:not([data-freshness="stale"])') !== null
          while (live()) await new Promise((resolve) => setTimeout(resolve, 10))
          return performance.now() - host.answered_ms
        })
        assert.ok(took_ms > HEARTBEAT_MS && took_ms < 3 * HEARTBEAT_MS, `took ${took_ms} ms`)
        await page.waitForTimeout(100)
        const beat = () => page.getAttribute('[data-proof-of-life]', 'data-proof-of-life')
        const stood = await beat()
        await assert_readable(page)
        assert.ok((await page.textContent('[data-notice="backend-silent"]'))?.includes('does not answer'))
        await page.waitForTimeout(1_200)
        assert.equal(await beat(), stood)
        await page.evaluate(() => {
          // @ts-expect-error the scripted host stands there
          globalThis.__wall.host.hangs = false
        })
        await all_become(page, 'live')
        assert.equal((await page.$$('[data-notice="backend-silent"]')).length, 0)
      }),
  )

  await check('a hidden glass asks for nothing, and for everything when it is seen again', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      /** @param {boolean} hidden */
      const set_hidden = (hidden) =>
        page.evaluate((value) => {
          Object.defineProperty(document, 'hidden', { value, configurable: true })
          document.dispatchEvent(new Event('visibilitychange'))
          // @ts-expect-error the scripted host stands there
          return globalThis.__wall.calls.length
        }, hidden)
      /** @param {number} from */
      const calls_since = (from) =>
        page.evaluate((at) => {
          // @ts-expect-error the scripted host stands there
          return /** @type {{ command: string, args: any }[]} */ (globalThis.__wall.calls.slice(at)).filter(
            ({ command }) => command !== 'demo_state',
          )
        }, from)
      const hidden_at = await set_hidden(true)
      await page.waitForTimeout(600)
      assert.deepEqual(await calls_since(hidden_at), [])
      const seen_at = await set_hidden(false)
      await page.waitForTimeout(300)
      const calls = await calls_since(seen_at - 2)
      assert.equal(calls.find(({ command }) => command === 'next_frame')?.args.after, 0)
      assert.equal(calls.find(({ command }) => command === 'glass')?.args.kind, 'visible')
    }),
  )
}
