/** Everything by keys: from panel to panel, a list of all of them, and none that has a place on the wall for itself. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page, ULTRA_HD } from './harness.mjs'

/** @param {import('playwright-core').Page} page */
const focused = (page) =>
  page.evaluate(() => document.activeElement?.closest('[data-widget]')?.getAttribute('data-widget') ?? null)

/** The width of the line around what has the focus. @param {import('playwright-core').Page} page */
const ring = (page) =>
  page.evaluate(() => {
    const panel = document.activeElement?.closest('[data-widget]') ?? null
    const style = panel === null ? null : getComputedStyle(panel)
    return style === null || style.outlineStyle === 'none' ? 0 : Number.parseFloat(style.outlineWidth)
  })

/** Takes the pointer away, as a kiosk's window does. @param {import('playwright-core').Page} page */
export const become_kiosk = (page) =>
  page.evaluate(() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('* { cursor: none !important; }')
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  })

export async function keys() {
  await check('arrow keys and Tab lead from panel to panel, with a line around the one; each says what it is', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      assert.equal(await focused(page), null)
      const places = await page.$$eval('[data-widget]', (all) =>
        Object.fromEntries(
          all.map((one) => {
            const { x, y, width, height } = one.getBoundingClientRect()
            return [one.getAttribute('data-widget') ?? '', { x, y, right: x + width, bottom: y + height }]
          }),
        ),
      )
      const place = async () => {
        const found = places[(await focused(page)) ?? '']
        assert.ok(found !== undefined, 'no panel has the focus')
        return found
      }
      await page.keyboard.press('ArrowDown')
      const first = await place()
      assert.ok(
        Object.values(places).every(({ x, y }) => y > first.y - 1 && (y > first.y + 1 || x >= first.x)),
        'it begins at the top left',
      )
      assert.ok((await ring(page)) >= 3, `a line of ${await ring(page)} px`)
      assert.match((await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))) ?? '', /^.+: .+/)
      await page.keyboard.press('ArrowRight')
      const second = await place()
      assert.ok(second.x >= first.right - 1)
      await page.keyboard.press('ArrowDown')
      assert.ok((await place()).y >= second.bottom - 1)
      await page.keyboard.press('ArrowUp')
      await page.keyboard.press('ArrowLeft')
      assert.deepEqual(await place(), first)
      await page.keyboard.press('End')
      const last = await place()
      assert.ok(Object.values(places).every(({ y }) => y <= last.y + 1))
      await page.keyboard.press('Home')
      assert.deepEqual(await place(), first)
      await page.keyboard.press('Tab')
      assert.notDeepEqual(await place(), first)
      await page.keyboard.press('Escape')
      assert.deepEqual([await focused(page), await ring(page)], [null, 0])
      assert.deepEqual(
        await page.evaluate(() => [document.documentElement.scrollTop, document.querySelector('#wall')?.scrollTop]),
        [0, 0],
        'nothing is scrolled',
      )
    }),
  )

  for (const [query, size] of /** @type {const} */ ([
    ['scenario=live', FULL_HD],
    ['scenario=live&theme=light', FULL_HD],
    ['scenario=orders&demo=no', ULTRA_HD],
  ])) {
    await check(`?: a list of all keys, whole and readable, ${query} at ${size.width}×${size.height}`, () =>
      on_page(query, size, async (page) => {
        await all_become(page, 'live')
        await page.keyboard.press('ArrowDown')
        const before = await focused(page)
        await page.keyboard.press('?')
        await page.waitForSelector('[data-keys]')
        const said = (await page.textContent('[data-keys]')) ?? ''
        for (const words of ['lost links', 'look back', 'lamp test', 'the panel beside', 'larger, smaller'])
          assert.ok(said.includes(words), `${words}: ${said}`)
        assert.equal(said.includes('pull a fault'), !query.includes('demo=no'), 'the demo’s keys are a demo’s')
        assert.equal(
          await page.evaluate(() => document.activeElement?.getAttribute('role')),
          'dialog',
          'whoever hears the wall hears that it is there',
        )
        const box = await page.locator('[data-keys]').boundingBox()
        assert.ok(box !== null && box.y >= 0 && box.y + box.height <= size.height, JSON.stringify(box))
        const cut = await page.$eval('[data-keys]', (one) => [
          one.scrollHeight - one.clientHeight,
          one.scrollWidth - one.clientWidth,
        ])
        assert.ok(Math.max(...cut) <= 0, `cut by ${cut}`)
        // It lies upon the wall, which is what it is for.
        await page.$eval('.grid', (one) => {
          ;/** @type {HTMLElement} */ (one).style.visibility = 'hidden'
        })
        const glass = await page.$$eval('[data-keys] :is(dt, dd, h2)', (all) =>
          all.map((one) => one.scrollWidth - one.clientWidth),
        )
        assert.ok(Math.max(...glass) <= 1, 'no line is cut')
        await page.$eval('.grid', (one) => {
          ;/** @type {HTMLElement} */ (one).style.visibility = ''
        })
        await page.keyboard.press('Escape')
        assert.equal(await page.$('[data-keys]'), null)
        assert.equal(await focused(page), before, 'the focus is where it was')
        await page.keyboard.press('?')
        await page.keyboard.press('?')
        assert.equal(await page.$('[data-keys]'), null)
      }),
    )
  }

  await check(
    'no key has a place on the wall for itself; the demo’s handle comes to a hand, and stays while a fault is pulled',
    () =>
      on_page('scenario=live', FULL_HD, async (page) => {
        await all_become(page, 'live')
        await page.waitForSelector('[data-faults]', { state: 'attached' })
        assert.equal(await page.$('kbd'), null)
        const height = () => page.$eval('.grid', (one) => one.clientHeight)
        const before = await height()
        await page.mouse.move(900, 500)
        await page.mouse.move(910, 500)
        await page.waitForSelector('.handle')
        assert.equal(await height(), before)
        await page.click('.handle')
        await page.waitForSelector('[data-faults="open"]')
        await page.keyboard.press(' ')
        await page.waitForFunction(() => /go on/.test(document.querySelector('[data-faults]')?.textContent ?? ''))
        assert.equal((await page.$$('[data-faults="open"]')).length, 1, 'a button that was clicked has no keys')
        await page.keyboard.press('f')
        await page.waitForSelector('[data-faults="closed"]', { state: 'attached' })
        await page.keyboard.press('1')
        await page.waitForFunction(() => /cable cut/.test(document.querySelector('.handle')?.textContent ?? ''))
        await page.waitForTimeout(5_600)
        assert.match((await page.textContent('.handle')) ?? '', /cable cut/)
        assert.equal(await height(), before)
      }),
  )

  await check('the list of lost links opens by a click at what is said of them', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.click('.count [data-lost]')
      await page.waitForSelector('[data-history]')
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      await assert_readable_list(page)
    }),
  )
}

/** @param {import('playwright-core').Page} page */
async function assert_readable_list(page) {
  await page.$eval('.grid', (one) => one.remove())
  await assert_readable(page, 20)
}
