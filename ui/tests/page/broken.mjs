/** What can’t be drawn says so, stops nothing else, and is never taken for live. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, freshnesses, FULL_HD, on_page, say } from './harness.mjs'

export async function broken() {
  await check(
    'a source that was lost twice at one instant stands twice in the list, however often that comes (H7)',
    () =>
      on_page('', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const rows = () => page.$$eval('[data-history] tr', (all) => all.map((row) => row.getAttribute('data-became')))
        await say(page, `outages: [one({ cause: 'red' }), one({ cause: 'blue', became: 'unknown' })]`)
        await page.keyboard.press('l')
        await page.waitForFunction(() => document.querySelectorAll('[data-history] tr').length === 2)
        assert.deepEqual(await rows(), ['proven', 'unknown'])
        await say(page, `outages: [one({}), one({}), one({ became: 'snapshot' })]`)
        await page.waitForFunction(() => document.querySelectorAll('[data-history] tr').length === 3)
        assert.deepEqual(await rows(), ['proven', 'proven', 'snapshot'])
        assert.deepEqual(await freshnesses(page), ['live'])
      }),
  )

  await check('a part that can’t be drawn says so, stops no other, and comes back (H7)', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('l')
      await page.waitForSelector('[data-history]')
      for (const [name, said, there] of /** @type {const} */ ([
        ['the history of links', `outages: [bad(one({}), 'cause')]`, '[data-history] tr'],
        ['the head line', `sources: frame.sources.map((source) => bad(source, 'words'))`, 'header [data-source]'],
        [
          'what has to be noticed',
          `notices: [Object.assign(bad({}, 'text'), { id: 'odd', state: 'alarm', detail: [], toJSON: () => Math.random() })]`,
          '',
        ],
      ])) {
        await say(page, said)
        const words = await page.waitForSelector(`[data-undrawn="${name}"]`)
        assert.match((await words.textContent()) ?? '', /cannot be drawn: bad/)
        await page.waitForTimeout(1_500)
        assert.equal(await page.getAttribute('[data-undrawn]', 'data-undrawn'), name, 'only that')
        assert.deepEqual(await freshnesses(page), ['live'])
        await say(page, 'outages: [one({})]')
        await page.waitForSelector('[data-undrawn]', { state: 'detached' })
        if (there !== '') await page.waitForSelector(there)
      }
    }),
  )

  await check('a chart whose key holds a line break is drawn, and no error of it stays (H1)', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const chart = (/** @type {string} */ keys) =>
        say(
          page,
          `widgets: frame.widgets.map((one) => one.id !== 'delay-chart' ? one : { ...one, value: { kind: 'series', whole: true,
            lines: ${keys}.map((key, at) => ({ key, points: [[frame.clock.board_ms - 3600000, at + 1]] })), gaps: [] } })`,
        )
      const drawn = (/** @type {string} */ value) =>
        page.waitForSelector(`[data-widget="delay-chart"][data-freshness="live"] [data-value="${value}"]`)
      await chart(`['A\\nB', 'C']`)
      await drawn('1 2')
      await page.waitForTimeout(500)
      assert.deepEqual(await freshnesses(page), ['live'])
      assert.equal((await page.$$('[data-undrawn]')).length, 0)
      await page.waitForSelector('[data-widget="delay-chart"] canvas')
      // A key that can't be drawn: the plot comes back with the next one that can.
      await chart(`[{ toJSON() { throw new Error('bad') } }, 'C']`)
      await page.waitForSelector('[data-widget="delay-chart"][data-freshness="stale"] [data-undrawn]')
      await chart(`['C']`)
      await drawn('1')
      await page.waitForSelector('[data-widget="delay-chart"] canvas')
      assert.equal((await page.$$('[data-undrawn]')).length, 0)
    }),
  )

  await check(
    'a widget that can’t be drawn is not live, nor counted as such, until another value can be drawn (H1)',
    () =>
      on_page('', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const count = () => page.getAttribute('.count', 'data-live')
        assert.equal(await count(), '16')
        const tiles = `widgets: frame.widgets.map((one) => (one.id === 'airports' ? { ...one, value: status() } : one))`
        await say(
          page,
          tiles.replace('status()', `{ ...status(), tiles: status().tiles.map((tile) => bad(tile, 'text')) }`),
        )
        const panel = '[data-widget="airports"]'
        await page.waitForSelector(`${panel}[data-freshness="stale"] [data-undrawn]`)
        assert.match((await page.textContent(panel)) ?? '', /cannot be drawn: bad/)
        assert.equal((await page.$$(`${panel} .what svg.live, ${panel} [data-key]`)).length, 0)
        // It is tried again with each value, and never taken for live on the way.
        const live = await page.evaluate(async () => {
          let live = 0
          for (let frames = 0; frames < 60; frames += 1) {
            await new Promise(requestAnimationFrame)
            live += document.querySelectorAll('[data-widget="airports"][data-freshness="live"]').length
          }
          return live
        })
        assert.equal(live, 0)
        assert.equal(await count(), '15')
        await assert_readable(page)
        await say(page, tiles)
        await page.waitForSelector(`${panel}[data-freshness="live"] [data-key]`)
        assert.equal((await page.$$('[data-undrawn]')).length, 0)
        assert.equal(await count(), '16')
      }),
  )

  await check(
    'a frame that can’t be drawn leaves nothing live, says so, and everything is asked for again (H1, H7)',
    () =>
      on_page('', FULL_HD, async (page) => {
        await all_become(page, 'live')
        await say(page, `notices: bad({}, 'toJSON')`)
        await all_become(page, 'stale')
        await page.waitForTimeout(700)
        assert.match((await page.textContent('[data-notice="backend-silent"]')) ?? '', /WALL FROZEN.*cannot be drawn/s)
        assert.equal(await page.getAttribute('.count', 'data-live'), '0')
        assert.deepEqual(await freshnesses(page), ['stale'], 'an answer alone makes nothing live')
        await assert_readable(page)
        const asked = await page.evaluate(() => {
          // @ts-expect-error the scripted host stands there
          const calls = /** @type {{ command: string, args: any }[]} */ (globalThis.__wall.calls)
          return calls.findLast(({ command }) => command === 'next_frame')?.args.after
        })
        assert.equal(asked, 0)
        await say(page, '')
        await all_become(page, 'live')
        assert.equal((await page.$$('[data-notice="backend-silent"]')).length, 0)
      }),
  )
}
