/** A chart under a hand: what stands at an instant, and a part of its time. A kiosk has none of that. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page } from './harness.mjs'
import { read_glass } from '../glass.mjs'
import { become_kiosk } from './keys.mjs'

const CHART = '[data-widget="delay-chart"]'

/** @param {import('playwright-core').Page} page */
async function plot(page) {
  const box = await page.locator(`${CHART} .plot`).boundingBox()
  assert.ok(box !== null)
  /** @param {number} share */
  const at = (share) => ({ x: box.x + box.width * share, y: box.y + box.height * 0.5 })
  return { box, at }
}

/** @param {import('playwright-core').Page} page */
async function cursor(page) {
  const said = await page.$(`${CHART} [data-cursor]`)
  return said === null
    ? null
    : { start: Number(await said.getAttribute('data-cursor')), text: ((await said.textContent()) ?? '').trim() }
}

/** @param {import('playwright-core').Page} page */
const looked_at = (page) => page.getAttribute(`${CHART} [data-points]`, 'data-looked-at')

/** @param {import('playwright-core').Page} page @param {number} from @param {number} to */
async function drag(page, from, to) {
  const { at } = await plot(page)
  await page.mouse.move(at(from).x, at(from).y)
  await page.mouse.down()
  await page.mouse.move(at((from + to) / 2).x, at(from).y)
  await page.mouse.move(at(to).x, at(to).y)
  await page.mouse.up()
}

export async function chart() {
  await check('a pointer names the time and each line’s value there, within the chart', () =>
    on_page('scenario=live&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const { at, box } = await plot(page)
      await page.mouse.move(at(0.4).x, at(0.4).y)
      for (const share of [0.4, 0.2, 0.6]) {
        await page.mouse.move(at(share).x, at(share).y)
        await page.waitForSelector(`${CHART} [data-cursor]`)
        const said = await cursor(page)
        assert.match(said?.text ?? '', /\d\d:\d\d.*–\d\d:\d\d/)
        for (const line of ['EWR', 'JFK', 'LGA']) assert.ok(said?.text.includes(line), said?.text)
        const there = await page.locator(`${CHART} [data-cursor]`).boundingBox()
        assert.ok(
          there !== null && there.x >= box.x - 1 && there.x + there.width <= box.x + box.width + 1,
          JSON.stringify([there, box]),
        )
      }
      await page.mouse.move(5, 5)
      await page.waitForFunction((chart) => document.querySelector(`${chart} [data-cursor]`) === null, CHART)
    }),
  )

  await check('dragging looks at a part of the time and says so; Esc shows all of it', () =>
    on_page('scenario=live&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      assert.equal(await looked_at(page), null)
      await drag(page, 0.3, 0.55)
      assert.notEqual(await looked_at(page), null)
      await page.mouse.move(5, 5)
      await page.waitForTimeout(600)
      const written = await page.evaluate((chart) => {
        const canvas = document.querySelector(`${chart} canvas`)
        // @ts-expect-error noted by the test
        return canvas === null ? [] : globalThis.__written.get(canvas).map(({ text }) => text)
      }, CHART)
      assert.ok(
        written.some((/** @type {string} */ text) => /^only .*\d\d:\d\d.*Esc for all$/.test(text)),
        written.join(', '),
      )
      // Names, and no value that would be taken for that of now.
      assert.ok(written.some((/** @type {string} */ text) => text.includes('EWR')))
      await assert_readable(page)
      await page.keyboard.press('Escape')
      assert.equal(await looked_at(page), null)
      await drag(page, 0.5, 0.504)
      assert.equal(await looked_at(page), null, 'a click is no stretch')
    }),
  )

  await check(
    'by keys: Enter goes into the chart, arrows from value to value, + and − change its time, Esc leaves',
    () =>
      on_page('scenario=live&demo=no', FULL_HD, async (page) => {
        await all_become(page, 'live')
        await page.focus(CHART)
        await page.keyboard.press('Enter')
        const first = await cursor(page)
        assert.ok(first !== null)
        await page.keyboard.press('ArrowLeft')
        const second = await cursor(page)
        assert.ok(second !== null && second.start < first.start, `${second?.start} ${first.start}`)
        await page.keyboard.press('Shift+ArrowLeft')
        const third = await cursor(page)
        assert.equal(second.start - (third?.start ?? 0), 10 * (first.start - second.start))
        await page.keyboard.press('+')
        assert.notEqual(await looked_at(page), null)
        assert.equal((await cursor(page))?.start, third?.start, 'what one looks at stays')
        await page.keyboard.press('Escape')
        assert.equal(await looked_at(page), null)
        assert.notEqual(await cursor(page), null)
        await page.keyboard.press('Escape')
        assert.equal(await cursor(page), null)
        assert.equal(await page.evaluate((chart) => document.activeElement?.matches(chart), CHART), true)
        await page.keyboard.press('ArrowUp')
        assert.equal(await page.evaluate((chart) => document.activeElement?.matches(chart), CHART), false)
      }),
  )

  await check('a kiosk has no cursor and no part of the time, by whichever hand', () =>
    on_page('scenario=live&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await become_kiosk(page)
      const { at } = await plot(page)
      await page.mouse.move(at(0.4).x, at(0.4).y)
      await page.mouse.move(at(0.45).x, at(0.4).y)
      assert.equal(await cursor(page), null)
      await drag(page, 0.3, 0.6)
      assert.equal(await looked_at(page), null)
      await page.focus(CHART)
      await page.keyboard.press('Enter')
      assert.equal(await cursor(page), null)
      await page.keyboard.press('?')
      assert.doesNotMatch((await page.textContent('[data-keys]')) ?? '', /In a chart|larger, smaller/)
    }),
  )

  /** @type {readonly (readonly [string, RegExp, RegExp, boolean])[]} */
  const READ = [
    ['heat', /^\d\d:\d\d–\d\d:\d\d.*Lane \d/, /Lane 2/, true],
    ['days', /\d\d:\d\d–\d\d:\d\d/, /\d\d:\d\d–\d\d:\d\d/, true],
    ['histogram', /\d.*value/, /\d.*value/, false],
    ['timeline', /\d\d:\d\d.*Bay 1/, /Bay 1/, false],
  ]
  for (const [kind, under_pointer, below, has_rows] of READ) {
    await check(`${kind}: a pointer and keys read what stands there; Esc leaves`, () =>
      on_page(`scenario=sheet&demo=no&kind=${kind}&state=live`, FULL_HD, async (page) => {
        const panel = '[data-widget="w5"]'
        const read = async () => ((await page.textContent(`${panel} [data-cursor]`)) ?? '').replace(/\s+/g, ' ').trim()
        const at = async () => Number(await page.getAttribute(`${panel} [data-cursor]`, 'data-cursor'))
        await page.waitForTimeout(400)
        const body = await page.locator(`${panel} .body`).boundingBox()
        assert.ok(body !== null)
        for (const share of [0.4, 0.45, 0.5]) {
          await page.mouse.move(body.x + body.width * share, body.y + body.height * 0.4)
        }
        await page.waitForSelector(`${panel} [data-cursor]`)
        assert.match(await read(), under_pointer)
        await page.mouse.move(5, 5)
        await page.waitForFunction((of) => document.querySelector(`${of} [data-cursor]`) === null, panel)
        await page.focus(panel)
        await page.keyboard.press('Enter')
        const first = await at()
        await page.keyboard.press('ArrowLeft')
        const second = await at()
        assert.ok(second < first, `${String(second)} ${String(first)}`)
        await page.keyboard.press('Shift+ArrowLeft')
        assert.ok(Math.abs(second - (await at()) - 10 * (first - second)) < 1, 'ten at once')
        if (has_rows) {
          await page.keyboard.press(kind === 'days' ? 'ArrowUp' : 'ArrowDown')
          assert.equal(await page.evaluate((of) => document.activeElement?.matches(of), panel), true)
        }
        assert.match(await read(), below)
        await assert_readable_but_for_the_cursor(page)
        await page.keyboard.press('Escape')
        assert.equal(await page.locator(`${panel} [data-cursor]`).count(), 0)
        await page.keyboard.press('ArrowUp')
        assert.equal(await page.evaluate((of) => document.activeElement?.matches(of), panel), false)
      }),
    )
    await check(`${kind}: a kiosk has no cursor`, () =>
      on_page(`scenario=sheet&demo=no&kind=${kind}&state=live`, FULL_HD, async (page) => {
        const panel = '[data-widget="w5"]'
        await become_kiosk(page)
        const body = await page.locator(`${panel} .body`).boundingBox()
        assert.ok(body !== null)
        for (const share of [0.4, 0.5]) await page.mouse.move(body.x + body.width * share, body.y + body.height * 0.4)
        await page.focus(panel)
        await page.keyboard.press('Enter')
        assert.equal(await page.locator(`${panel} [data-cursor]`).count(), 0)
      }),
    )
  }

  await check('bars are selected where they stand, and shown with their event', () =>
    on_page('scenario=sheet&demo=no&kind=tally&state=live', FULL_HD, async (page) => {
      const panel = '[data-widget="w5"]'
      await page.waitForSelector(`${panel} [data-key]`)
      await page.focus(panel)
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-selected]')
      const first = await page.getAttribute('[data-selected]', 'data-selected')
      await page.keyboard.press('ArrowDown')
      await page.waitForFunction(
        (before) => document.querySelector('[data-selected]')?.getAttribute('data-selected') !== before,
        first,
      )
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-detail]')
      assert.match((await page.textContent('[data-detail]')) ?? '', /name.*Lane \d.*value.*\d/s)
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      assert.equal(await page.locator('[data-selected]').count(), 0)
    }),
  )
  await check('a cell of a grid as well', () =>
    on_page('scenario=sheet&demo=no&kind=matrix&state=live', FULL_HD, async (page) => {
      await page.waitForSelector('[data-widget="w5"] [data-key]')
      await page.focus('[data-widget="w5"]')
      await page.keyboard.press('Enter')
      await page.keyboard.press('ArrowRight')
      await page.waitForSelector('[data-selected]')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-detail]')
      assert.match((await page.textContent('[data-detail]')) ?? '', /name.*state/s)
    }),
  )

  /** What a hand reads lies upon what is drawn, on a ground of its own: it is whole, and large and clear enough.
   * @param {import('playwright-core').Page} page
   */
  async function assert_readable_but_for_the_cursor(page) {
    const glass = await page.evaluate(read_glass)
    assert.deepEqual([glass.small, glass.clipped, glass.faint, glass.scrolls], [[], [], [], false])
  }

  /** What stands on a panel's canvas.
   * @param {import('playwright-core').Page} page
   * @param {string} id
   */
  const written_in = (page, id) =>
    page.evaluate((of) => {
      const canvas = document.querySelector(`[data-widget="${of}"] canvas`)
      // @ts-expect-error noted by the test
      return canvas === null ? [] : globalThis.__written.get(canvas).map(({ text }) => text)
    }, id)

  /** @type {readonly (readonly [string, string, readonly string[], readonly string[]])[]} */
  const SAID = [
    ['limits', 'live', ['warning', '20.4', '12', '48'], []],
    // Of an old value nobody says what it means (H1).
    ['limits', 'down', ['20.4', '12'], ['warning', 'alarm', '23.1']],
    ['axes', 'live', ['min', '°C', '23 °C', 'web 1.7'], []],
    ['histogram', 'live', ['3108 values', 'p50 13.6', '12'], []],
    ['histogram', 'full', ['at least 3108 values'], []],
    ['heat', 'live', ['Lane 1', 'unknown'], []],
    ['days', 'live', ['Thu 26 Nov', '12', '50'], []],
  ]
  for (const [kind, state, said, unsaid] of SAID) {
    await check(`${kind}, ${state}: ${said.join(', ')}`, () =>
      on_page(`scenario=sheet&demo=no&kind=${kind}&state=${state}`, FULL_HD, async (page) => {
        await page.waitForTimeout(600)
        const written = await written_in(page, 'w0')
        for (const text of said) assert.ok(written.includes(text), `no ${text} in ${written.join(' | ')}`)
        for (const text of unsaid) assert.ok(!written.includes(text), `${text} in ${written.join(' | ')}`)
      }),
    )
  }

  await check('rows of a heat map that have no room are counted', () =>
    on_page('scenario=sheet&demo=no&kind=heat&state=full', FULL_HD, async (page) => {
      await page.waitForTimeout(600)
      const [rows, more] = await page.$eval('[data-widget="w0"] [data-rows]', (one) => [
        one.getAttribute('data-rows'),
        one.getAttribute('data-more'),
      ])
      assert.ok(Number(more) > 0 && Number(rows) === 80, `${rows} ${more}`)
      const written = await written_in(page, 'w0')
      assert.ok(written.includes(`+${more} more rows`), written.join(' | '))
    }),
  )
}
