/** Against burn-in: the wall stands a little elsewhere every three minutes, and what the backend reads off it doesn't. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page, say } from './harness.mjs'

const STEP_MS = 180_000

export async function shift() {
  await check(
    'every three minutes by a pixel, within two; codes stay, nothing is cut, and under a hand nothing moves',
    () =>
      on_page('scenario=live&glass-code', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const place = (/** @type {string} */ of) =>
          page.$$eval(of, (all) => all.map((one) => [one.getBoundingClientRect().x, one.getBoundingClientRect().y]))
        const begun_ms = Date.UTC(2026, 10, 28, 18)
        const at = async (/** @type {number} */ step) => {
          await say(page, `clock: { ...frame.clock, wall_ms: ${begun_ms + step * STEP_MS} }`)
          await page.waitForFunction(
            (seconds) => document.querySelector('[data-proof-of-life]')?.getAttribute('data-proof-of-life') === seconds,
            String(Math.floor((begun_ms + step * STEP_MS) / 1000)),
          )
          return [...(await place('main')), ...(await place('[data-widget]'))]
        }
        const codes = await place('[data-picture-code], canvas.top, canvas.bottom')
        assert.equal(codes.length, 3)
        const first = await at(0)
        const seen = new Set()
        for (let step = 0; step < 25; step += 1) {
          const now = await at(step)
          const moved = now.map(([x = 0, y = 0], one) =>
            [x - (first[one]?.[0] ?? 0), y - (first[one]?.[1] ?? 0)].join(),
          )
          assert.equal(new Set(moved).size, 1, 'all of it moves as one')
          const [x = 0, y = 0] = now[0] ?? []
          assert.ok(Math.abs(x) <= 2 && Math.abs(y) <= 2, `${x} ${y}`)
          seen.add(moved[0])
          if (step % 6 === 0) await assert_readable(page)
          assert.deepEqual(await place('[data-picture-code], canvas.top, canvas.bottom'), codes, 'codes stay')
        }
        assert.ok(seen.size > 15, `${seen.size} places`)
        const before = await at(25)
        await page.mouse.move(600, 300)
        await page.mouse.move(640, 300)
        await page.waitForSelector('.handle')
        assert.deepEqual(await at(28), before, 'under a hand')
        await page.waitForSelector('.handle', { state: 'detached', timeout: 8_000 })
        await page.waitForFunction((x_y) => {
          const { x, y } = document.querySelector('main')?.getBoundingClientRect() ?? { x: 0, y: 0 }
          return `${x},${y}` !== x_y
        }, before[0]?.join() ?? '')
      }),
  )
}
