/** Layers and fences of a map: what the backend says of who is inside stands there, and nothing of it is said as live when nobody knows. */
import assert from 'node:assert/strict'
import { assert_readable, check, FULL_HD, on_page, say, ULTRA_HD } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */

const MAP = '[data-widget="w5"]'

/**
 * A van by the harbour, as the backend has it: where it is, what it is, and what the fences say.
 *
 * @param {string} state
 * @param {string} fence what is said of the harbour
 * @param {string} [quality]
 * @param {number} [lat]
 */
const van = (state, fence, quality = 'one.quality', lat = 47.3) => {
  const told = state === 'warning' ? ', fence: 1' : ''
  const quiet = "{ state: 'normal', inside: 0, unknown: 0 }"
  return `widgets: frame.widgets.map((one) => ({ ...one, quality: ${quality}, value: { kind: 'markers', whole: true, removed: [],
    total: 1, unplaced: 0, gaps: [], fences: [${quiet}, ${fence}, ${quiet}, ${quiet}],
    markers: [{ key: 'v', lat: ${String(lat)}, lon: 11.3, heading: null, label: 'Van', state: '${state}', icon: null, trail: [],
      trail_whole: true${told} }] } }))`
}

/** Words on the largest map's canvases. @param {Page} page */
const words = (page) =>
  page.evaluate((map) => {
    const { __written: written } = /** @type {{ __written?: WeakMap<Element, import('../canvas.mjs').Written[]> }} */ (
      globalThis
    )
    return [...document.querySelectorAll(`${map} canvas`)].flatMap((canvas) =>
      (written?.get(canvas) ?? []).map(({ text }) => text.replace(/[\u2066-\u2069]/g, '')),
    )
  }, MAP)

/** @param {Page} page @param {string} word @param {boolean} [there] */
async function says(page, word, there = true) {
  const by = Date.now() + 6_000
  while ((await words(page)).includes(word) !== there) {
    if (Date.now() > by) assert.fail(`${there ? 'no' : 'still'} ${word} among ${(await words(page)).join(', ')}`)
    await page.waitForTimeout(50)
  }
}

export async function fences() {
  await check('a van that goes into a fence is told of there and at the van, by words as well as colour', () =>
    on_page('scenario=sheet&demo=no&kind=fenced&state=live', FULL_HD, async (page) => {
      await page.waitForSelector(`${MAP} [data-fences]`)
      await says(page, 'Harbour  3 +1?')
      // On its way out and in within the time that the fence allows, it counts as where it was.
      await say(page, van('normal', "{ state: 'normal', inside: 0, unknown: 0 }", 'one.quality', 46.3))
      await says(page, 'Harbour  0')
      await say(page, van('normal', "{ state: 'normal', inside: 0, unknown: 0 }"))
      await says(page, 'Van')
      await say(page, van('warning', "{ state: 'warning', inside: 1, unknown: 0 }"))
      await says(page, 'Harbour  1')
      await says(page, 'Van · Harbour')
      const told = await page.getAttribute(`${MAP} [data-fences]`, 'data-fences')
      assert.match(told ?? '', /Harbour:warning:1\+0/)
      await assert_readable(page, 10)
    }),
  )

  await check(
    'what was lost is said to be unknown, what is old stands hollow, and under dashes stands no name (H1)',
    () =>
      on_page('scenario=sheet&demo=no&kind=fenced&state=live', FULL_HD, async (page) => {
        await page.waitForSelector(`${MAP} [data-fences]`)
        await say(page, van('unknown', "{ state: 'unknown', inside: 0, unknown: 1 }"))
        await says(page, 'Harbour  +1?')
        await says(page, 'Van · Harbour', false)
        const quality = (/** @type {string} */ freshness) => `{ ...one.quality, freshness: '${freshness}' }`
        await say(page, van('warning', "{ state: 'warning', inside: 1, unknown: 0 }", quality('stale')))
        await page.waitForSelector(`${MAP} .markers.stale`)
        await says(page, 'Harbour  1')
        await say(page, van('warning', "{ state: 'warning', inside: 1, unknown: 0 }", quality('unknown')))
        await page.waitForSelector(`${MAP} .dashes`)
        await says(page, 'Harbour  1', false)
        assert.deepEqual(await words(page), [], 'names under the dashes')
      }),
  )

  for (const size of [FULL_HD, ULTRA_HD]) {
    await check(
      `names of fences, shapes and markers can be read at ${String(size.width)}, long ones as well`,
      async () => {
        for (const state of ['live', 'long', 'rtl', 'full']) {
          await on_page(`scenario=sheet&demo=no&kind=fenced&state=${state}`, size, async (page) => {
            await page.waitForSelector(`${MAP} [data-fences]`)
            await page.waitForFunction(
              // @ts-expect-error noted by the test
              (map) => globalThis.__written.has(document.querySelectorAll(`${map} canvas`)[1]),
              MAP,
              { timeout: 10_000 },
            )
            await assert_readable(page, 8)
          })
        }
      },
    )
  }

  await check('a circle of several is gone into by keys and by a pointer, and each in it is reached', () =>
    on_page('scenario=sheet&demo=no&kind=fenced&state=full', FULL_HD, async (page) => {
      await page.waitForSelector(`${MAP} [data-clusters]:not([data-clusters="0"])`)
      await page.focus(MAP)
      await page.keyboard.press('Enter')
      await page.waitForSelector(`${MAP} [data-selected]`)
      // From one to the next until a circle is reached.
      const is_group = () =>
        page.$eval(`${MAP} [data-selected]`, (one) => one.getAttribute('data-selected')?.startsWith('\u001f') ?? false)
      for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowRight', 'ArrowDown']) {
        if (await is_group()) break
        await page.keyboard.press(key)
      }
      assert.ok(await is_group(), 'no circle was reached')
      await page.keyboard.press('Enter')
      const list = await page.waitForSelector('[data-members]')
      const count = Number(await list.getAttribute('data-members'))
      assert.ok(count > 1)
      assert.match((await page.textContent('[data-detail] h2')) ?? '', new RegExp(`${String(count)} together`))
      await page.keyboard.press('ArrowDown')
      const first = await page.textContent('[data-members] .chosen')
      await page.keyboard.press('ArrowDown')
      const second = await page.textContent('[data-members] .chosen')
      assert.notEqual(first, second)
      await page.waitForSelector('[data-detail] .facts')
      await page.keyboard.press('Escape')
      await page.waitForFunction(() => document.querySelector('[data-members] .chosen') === null)
      await page.click('[data-members] button >> nth=1')
      await page.waitForSelector('[data-members] .chosen')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-detail]', { state: 'detached' })
      // The same by a pointer: one click selects, another shows.
      const box = await page.$eval(`${MAP} [data-selected]`, (one) => one.getBoundingClientRect().toJSON())
      await page.keyboard.press('Escape')
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
      await page.mouse.click(x, y)
      await page.waitForSelector(`${MAP} [data-selected]`)
      await page.mouse.click(x, y)
      await page.waitForSelector('[data-members]')
    }),
  )
}
