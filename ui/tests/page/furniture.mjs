/** Texts, clocks and countdowns: they count for nothing in what is live, and what goes by the clock stands with the backend (H1). */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page, say } from './harness.mjs'

/** @param {import('playwright-core').Page} page */
const shown = (page) =>
  page.evaluate(() => ({
    calls: [...document.querySelectorAll('[data-widget="calls"] .row > :is(.ago, .until)')].map(
      (one) => one.textContent,
    ),
    clock: document.querySelector('[data-furniture="clocks"] .body')?.textContent ?? '',
    count: document.querySelector('[data-furniture="shift"] [data-count]')?.textContent ?? '',
    standing: [...document.querySelectorAll('[data-furniture]')].map((one) => one.getAttribute('data-standing')),
    hatches: document.querySelectorAll('[data-furniture] [data-hatch]').length,
    labels: [...document.querySelectorAll('[data-furniture]')].map((one) => one.getAttribute('aria-label') ?? ''),
  }))

export async function furniture() {
  await check('furniture counts for nothing in what is live, and is read as it stands', () =>
    on_page('scenario=furniture', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.waitForTimeout(300)
      assert.match((await page.textContent('.count')) ?? '', /^\s*3 of 3 live/)
      assert.equal((await page.$$('[data-widget]')).length, 3)
      assert.equal((await page.$$('[data-furniture]')).length, 3)
      await assert_readable(page, 20)
      const { labels, standing, hatches } = await shown(page)
      assert.deepEqual([standing, hatches], [[null, null, null], 0])
      assert.equal(labels[0], 'text')
      assert.match(
        labels[1] ?? '',
        /^Our sites: Zurich \d\d:\d\d \w{3} \d+ \w{3}, New York \d\d:\d\d .*Tokyo \d\d:\d\d/,
      )
      assert.match(labels[2] ?? '', /^Shift ends: 00:0\d:\d\d left, until \d\d:\d\d, 99 % of the way, alarm$/)
      assert.deepEqual(
        await page.$$eval('[data-furniture="notes"] .item > p', (all) => all.map((one) => one.textContent)),
        ['Dock 3 is closed until 22:00', 'Count the returns at midnight'],
      )
    }),
  )

  await check('a clock and a countdown go with the backend, stand with it, say so, and go on with it', () =>
    on_page('scenario=furniture', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const first = await shown(page)
      assert.match(first.calls.join(' '), /^Waits Due in \d+ s \d\d s (2 h 59|3 h 0) min [67] min ago$/)
      await page.waitForFunction(
        ({ clock, count, calls }) =>
          document.querySelector('[data-furniture="clocks"] .body')?.textContent !== clock &&
          document.querySelector('[data-widget="calls"] [data-key="C1"] .ago')?.textContent !== calls[2] &&
          document.querySelector('[data-furniture="shift"] [data-count]')?.textContent !== count,
        first,
      )
      const places = () =>
        page.$$eval('[data-furniture] .time, [data-furniture] [data-count]', (all) =>
          all.map((one) => {
            const { x, y, width, height } = one.getBoundingClientRect()
            return [x, y, width, height].map(Math.round)
          }),
        )
      const stood_at = await places()
      await page.evaluate(() => {
        // @ts-expect-error the scripted host stands there
        globalThis.__wall.host.hangs = true
      })
      await all_become(page, 'stale')
      const silent = await shown(page)
      assert.deepEqual(silent.standing, [null, 'stopped', 'stopped'])
      assert.equal(silent.hatches, 2)
      assert.match(silent.labels[1] ?? '', /stopped, the wall’s backend does not answer$/)
      const struck = await page.$$eval('[data-furniture="clocks"] .time', (all) =>
        all.map((one) => getComputedStyle(one).textDecorationLine),
      )
      assert.deepEqual([...new Set(struck)], ['line-through'])
      assert.deepEqual(await places(), stood_at, 'nothing jumps')
      await assert_readable(page, 20)
      await page.waitForTimeout(1_300)
      const later = await shown(page)
      assert.deepEqual(
        [later.clock, later.count, later.calls],
        [silent.clock, silent.count, silent.calls],
        'no time of their own',
      )
      await page.evaluate(() => {
        // @ts-expect-error the scripted host stands there
        globalThis.__wall.host.hangs = false
      })
      await all_become(page, 'live')
      const again = await shown(page)
      assert.deepEqual([again.standing, again.hatches], [[null, null, null], 0])
      assert.notEqual(again.count, silent.count)
    }),
  )

  await check('a time that stands for another reason says which, and what is over may be gone', () =>
    on_page('scenario=furniture', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await say(page, `clock: { ...frame.clock, speed: 0, label: 'Replay' }`)
      await page.waitForSelector('[data-furniture="clocks"][data-standing="paused"]')
      assert.equal((await shown(page)).hatches, 0)
      await say(
        page,
        `clock: { ...frame.clock, speed: 0, label: 'Replay' }, sources: frame.sources.map((one) => ({ ...one, freshness: 'down', phase: 'waiting' }))`,
      )
      await page.waitForSelector('[data-furniture="clocks"][data-standing="not-live"]')
      assert.equal((await shown(page)).hatches, 2)
      await assert_readable(page, 20)
      await say(page, `clock: { ...frame.clock, speed: 1, board_ms: frame.clock.board_ms + 8 * 60_000 }`)
      await page.waitForFunction(() =>
        /^Shift ends: 00:0\d:\d\d ago, since \d\d:\d\d, 100 % of the way, alarm$/.test(
          document.querySelector('[data-spoken]')?.textContent ?? '',
        ),
      )
      const over = `{ is: 'once', to_ms: now - 9_000, from_ms: null, after: 'hide' }`
      await say(
        page,
        `board: frame.board === null ? null : { ...frame.board, furniture: frame.board.furniture.map((one) =>
          one.id === 'shift' ? { ...one, look: { ...one.look, until: ${over} } } : one) }`,
      )
      await page.evaluate(() => {
        // Everything anew, as after a reload of the file.
        for (const hidden of [true, false]) {
          Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
          document.dispatchEvent(new Event('visibilitychange'))
        }
      })
      await page.waitForFunction(() => document.querySelector('[data-furniture="shift"]') === null)
      assert.equal((await page.$$('[data-furniture]')).length, 2)
    }),
  )
}
