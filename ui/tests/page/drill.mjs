/** The lamp test. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page, ULTRA_HD } from './harness.mjs'

export async function drill() {
  /**
   * What the page said in one step, or in all of them. Picked there: all of it, asked for again and again, would keep a slow page busy.
   *
   * @param {import('playwright-core').Page} page
   * @param {number | null} [step]
   */
  const drill_seen = (page, step = null) =>
    page.evaluate((only) => {
      const { __wall } =
        /** @type {{ __wall?: { host: { drill?: { seen: import('../../src/generated/frame').GlassSeen[] } | null } } }} */ (
          globalThis
        )
      const all = __wall?.host.drill?.seen ?? []
      return all.filter((one) => only === null || one.step === only)
    }, step)

  /**
   * @param {import('playwright-core').Page} page
   * @param {number} step
   * @param {(seen: import('../../src/generated/frame').GlassSeen) => boolean} is_so
   */
  const saw = async (page, step, is_so) => {
    for (const begun_ms = performance.now(); ; await page.waitForTimeout(30)) {
      const said = await drill_seen(page, step)
      const found = said.find(is_so)
      if (found !== undefined) return found
      const last = JSON.stringify(said.at(-1), null, 1)
      assert.ok(performance.now() - begun_ms < 8_000, `step ${step} within 8 s: ${is_so}; it said ${last}`)
    }
  }

  for (const [query, size] of /** @type {const} */ ([
    ['live', FULL_HD],
    ['live&theme=light', ULTRA_HD],
  ])) {
    await check(`a lamp test is unmistakable, says what is on the glass, and ends by itself (${query})`, () =>
      on_page(`scenario=${query}`, size, async (page) => {
        await all_become(page, 'live')
        await page.keyboard.press('l')
        assert.match((await page.textContent('[data-drill-begin]')) ?? '', /lamp test: never done/)
        await page.keyboard.press('l')
        // From here on, not from when it is expected: whoever looks too late would wait for it without end.
        await page.evaluate(() => {
          /** @type {number[]} */
          const stood = []
          Object.assign(globalThis, { __stood: stood })
          let last = performance.now()
          setInterval(() => {
            const now = performance.now()
            if (now - last > 900 && document.querySelector('main')?.dataset['drill'] === '5') stood.push(now - last)
            last = now
          }, 20)
        })
        await page.keyboard.press('t')
        await page.waitForSelector('[data-drill-band]')
        assert.match(
          (await page.textContent('[data-drill-band]')) ?? '',
          /DRILL · step 1 of 5: baseline · values are a copy/,
        )
        assert.equal(await page.textContent('[data-drill-live]'), 'LIVE: all 16 live')
        const frame = await page.locator('[data-drill-frame]').boundingBox()
        assert.deepEqual(frame, { x: 0, y: 0, width: size.width, height: size.height })
        assert.equal(await page.$('[data-faults]'), null, 'the knobs of the present are away')
        await assert_readable(page)
        const live = await saw(page, 1, (seen) => seen.band && seen.widgets.length === 16)
        for (const one of live.widgets) {
          const { freshness, mark, value, hatch, edge } = one
          assert.deepEqual(
            { freshness, mark, value, hatch, edge },
            { freshness: 'live', mark: true, value: true, hatch: false, edge: false },
            one.id,
          )
        }
        const down = await saw(page, 2, (seen) => seen.widgets.every((one) => one.freshness === 'down'))
        for (const one of down.widgets)
          assert.deepEqual(
            [one.mark, one.word.toLowerCase(), one.hatch, one.edge, one.value],
            [true, 'down', true, true, true],
            one.id,
          )
        assert.match(down.sources[0]?.words ?? '', /connection broken/)
        const refused = await saw(page, 3, (seen) => seen.widgets.every((one) => one.freshness === 'refused'))
        for (const one of refused.widgets)
          assert.deepEqual(
            [one.mark, one.word.toLowerCase(), one.edge, one.value],
            [true, 'refused', true, false],
            one.id,
          )
        const silent = await saw(
          page,
          4,
          (seen) => seen.silent && seen.widgets.every((one) => one.freshness === 'stale'),
        )
        assert.ok(silent.widgets.every((one) => one.mark && one.hatch && one.edge))
        await page.waitForSelector('[data-drill-band]', { state: 'detached', timeout: 8_000 })
        const stood = await page.evaluate(() => /** @type {{ __stood?: number[] }} */ (globalThis).__stood ?? [])
        const longest = Math.max(0, ...stood)
        assert.ok(longest > 950 && longest < 1_900, `it stands still as long as it is told: ${stood}`)
        assert.equal(await page.$('[data-drill-frame]'), null)
        await all_become(page, 'live')
        await page.keyboard.press('l')
        await page.waitForFunction(() =>
          /lamp test: 5 passed, \d+ s ago/.test(document.querySelector('[data-drill-begin]')?.textContent ?? ''),
        )
      }),
    )
  }

  await check('a lamp test finds what can’t be seen, and ends by a key', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('t')
      // In a step in which all of it is there, for as long as this takes.
      await page.evaluate('globalThis.__wall.host.drill.stays = true')
      await saw(page, 1, (seen) => seen.band)
      const hide = (/** @type {string} */ selector, /** @type {string} */ name, /** @type {string} */ value) =>
        page.evaluate(([where, what, how]) => {
          for (const one of document.querySelectorAll(where))
            /** @type {HTMLElement} */ (one).style.setProperty(what, how)
        }, /** @type {const} */ ([selector, name, value]))
      for (const [selector, name, value, part] of /** @type {const} */ ([
        ['[data-widget="departed"] .what > svg', 'opacity', '0', 'mark'],
        ['[data-widget="departed"] .what > svg', 'width', '2px', 'mark'],
        ['[data-widget="departed"] .what > svg', 'margin-left', '-60rem', 'mark'],
        ['[data-widget="departed"] .figure', 'zoom', '0.2', 'value'],
        ['[data-widget="wind"] .box', 'height', '0.4rem', 'value'],
        ['[data-widget="departed"] .body', 'visibility', 'hidden', 'value'],
        ['[data-widget="departed"] .body', 'transform', 'translateX(-4000px)', 'value'],
      ])) {
        await hide(selector, name, value)
        const looks_at = (await drill_seen(page)).length
        for (const begun_ms = performance.now(); ; await page.waitForTimeout(30)) {
          const newer = (await drill_seen(page)).slice(looks_at).at(-1)
          if (newer?.widgets.find(({ id }) => selector.includes(`"${id}"`))?.[part] === false) break
          assert.ok(performance.now() - begun_ms < 8_000, `${name} of ${selector} is not found`)
        }
        await hide(selector, name, '')
      }
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-drill-band]', { state: 'detached' })
      await all_become(page, 'live')
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-bar]')
      await page.keyboard.press('t')
      await page.waitForTimeout(300)
      assert.equal(await page.$('[data-drill-band]'), null, 'not while the past is shown')
    }),
  )

  await check('a lamp test that can’t be done is refused in words', () =>
    on_page('scenario=down', FULL_HD, async (page) => {
      await page.keyboard.press('t')
      await page.waitForSelector('[data-drill-refused]')
      assert.equal(await page.$('[data-drill-band]'), null)
    }),
  )
}
