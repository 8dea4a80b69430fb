/** The list of alarms where more stand than a frame has: it tells of all, and of what it can't tell it says so (H1, H6). */
import assert from 'node:assert/strict'
import { asked, chosen, open_list, row_keys } from './alarm-list.mjs'
import { CRITICAL, made_up, open, PORTRAIT, without_wall } from './alarms.mjs'
import { assert_readable, check, FULL_HD, on_page, ULTRA_HD } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */

/** So many pumps stand in the blizzard, besides the usual day's twelve. */
const PUMPS = 5_000

/** @param {Page} page @param {string} selector @param {RegExp} words */
const says = (page, selector, words) =>
  page.waitForFunction(
    ([selector, words]) =>
      new RegExp(String(words)).test(
        (document.querySelector(String(selector))?.textContent ?? '').replace(/\s+/g, ' '),
      ),
    [selector, words.source],
    { timeout: 5_000, polling: 30 },
  )

/** @param {Page} page @param {string} words */
async function find(page, words) {
  await page.keyboard.press('/')
  await page.keyboard.type(words)
  await page.keyboard.press('Enter')
}

/** @param {Page} page @param {string} key */
const is_chosen = (page, key) => page.waitForSelector(`.rows [aria-selected="true"][data-alarm-row="${key}"]`)

/** @param {Page} page @param {number} count */
const matches = (page, count) => page.waitForSelector(`[data-alarms-matched="${String(count)}"]`)

async function all_of_them() {
  await check('of 5,000 any is found by words, and the numbers are of all that stand', () =>
    on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      assert.equal(await chosen(page), CRITICAL)
      await says(page, 'footer', /↓ 4\d\d\d|↓ 50\d\d/)
      await find(page, 'p04321')
      await matches(page, 1)
      assert.deepEqual(await row_keys(page), ['pumps/P04321'])
      await is_chosen(page, 'pumps/P04321')
      assert.match((await open(page, '[data-alarms-filtered]')) ?? '', /1 of 5012 HIDDEN: 450\d not acknowledged/)
      assert.match((await open(page, '[data-alarm-about]')) ?? '', /Pump without pressure · P04321/)
      await page.keyboard.press('Escape')
      await find(page, 'south pressure')
      await matches(page, PUMPS / 2)
      await page.keyboard.press('f')
      await page.keyboard.press('f')
      await says(page, '[data-alarms-filtered]', /^((?!…).)*$/)
      await page.waitForFunction(
        () => document.querySelector('.rows [data-priority]:not([data-priority="high"])') === null,
      )
    }),
  )

  await check('the newest that calls stands above all others, though it is none of the most urgent 200', () =>
    on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await made_up(
        page,
        `alarms.raise({ key: 'late', title: 'Gate open', priority: 'low', raised_ms: Date.now() + 1e9 })`,
      )
      await page.waitForSelector('[data-newest="late"] [data-alarm-row="late"]')
      assert.equal(await chosen(page), CRITICAL, 'a hand keeps what it has selected')
      await find(page, 'p00007')
      await matches(page, 1)
      assert.equal(await page.getAttribute('[data-newest]', 'data-newest'), 'late')
      await page.click('[data-newest] [data-alarm-row]')
      await says(page, '[data-alarm-about]', /Gate open/)
      assert.deepEqual(await row_keys(page), ['pumps/P00007'], 'a filter stays')
    }),
  )

  await check(
    'from end to end: what comes next is the next in the order of all, and nothing is selected before it is there',
    () =>
      on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        await page.keyboard.press('s')
        await is_chosen(page, CRITICAL)
        await page.keyboard.press('End')
        await page.waitForFunction(() => document.querySelector('.rows [aria-selected="true"]:last-child') !== null)
        await says(page, 'footer', /^\s*↑ 500\d/)
        const last = await row_keys(page)
        await page.keyboard.press('PageUp')
        await page.keyboard.press('PageUp')
        await page.waitForFunction(
          (last) => document.querySelector('.rows [data-alarm-row]')?.getAttribute('data-alarm-row') !== last,
          last[0] ?? '',
        )
        const before = await row_keys(page)
        assert.equal(before.length, last.length)
        await page.keyboard.press('Home')
        await page.waitForFunction(() => document.querySelector('.rows [aria-selected="true"]:first-child') !== null)
        for (let at = 0; at < 60; at += 1) await page.keyboard.press('ArrowDown')
        await says(page, 'footer', /↑ 5\d/)
        await page.waitForSelector('.rows [aria-selected="true"]')
      }),
  )

  await check(
    'at once is acknowledged what stood on the screen and nothing else, wherever in the list it is (H6)',
    () =>
      on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        await find(page, 'p0420')
        await matches(page, 10)
        const shown = await row_keys(page)
        await page.keyboard.press('8')
        await says(page, '[data-alarm-said]', /\d acknowledged/)
        const [all] = await asked(page)
        assert.ok(all !== undefined && 'seen' in all)
        const keys = all.seen.map(([key]) => key)
        assert.ok(keys.length > 0 && keys.every((key) => shown.includes(key)), JSON.stringify([keys, shown]))
        // The backend says of each that it is, though no frame has it.
        await page.waitForFunction(
          (keys) =>
            keys.every((key) => {
              const row = document.querySelector(`.rows [data-alarm-row="${key}"]`)
              return row === null || row.getAttribute('data-alarm-state') === 'acknowledged'
            }) && document.querySelector('[data-standing]') === null,
          keys,
        )
        assert.match((await open(page, '[data-acknowledge="seen"]')) ?? '', /all seen: [0-9]$/)
        await page.keyboard.press('Escape')
        await says(page, 'footer', /↓ 500\d/)
        await page.keyboard.press('Home')
        await is_chosen(page, CRITICAL)
        for (let at = 0; at < 2; at += 1) await page.keyboard.press('PageDown')
        await says(page, '[data-acknowledge="seen"]', /all seen: [1-3]\d$/)
      }),
  )

  await check(
    'that an alarm is acknowledged which no frame has is awaited, and nothing is taken for done before (H6)',
    () =>
      on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        await find(page, 'p00003')
        await matches(page, 1)
        await is_chosen(page, 'pumps/P00003')
        await page.keyboard.press('k')
        await page.waitForSelector('.rows [data-alarm-row="pumps/P00003"][data-standing="pending"]')
        await page.waitForSelector('.rows [data-alarm-row="pumps/P00003"][data-alarm-state="acknowledged"]')
        assert.equal(await page.$('[data-standing]'), null)
      }),
  )
}

async function without_answers() {
  await check(
    'where nobody answers for the rest, the list says that it has but the most urgent ones, and comes back (H1)',
    () =>
      on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        await find(page, 'p04321')
        await matches(page, 1)
        await made_up(page, 'alarms.deaf = true')
        await made_up(page, `alarms.raise({ key: 'one-more', title: 'One more', priority: 'low' })`)
        await page.waitForSelector('[data-alarms-only="200"]')
        assert.match((await open(page, '[data-alarms-filtered]')) ?? '', /0 of 200.*ONLY the 200 most urgent of 5013/)
        assert.match((await open(page, '[data-alarm-said]')) ?? '', /the rest cannot be listed: the backend has ended/)
        assert.deepEqual(await row_keys(page), [])
        await made_up(page, 'alarms.deaf = false')
        await matches(page, 1)
        assert.equal(await page.$('[data-alarms-only]'), null)
        assert.deepEqual(await row_keys(page), ['pumps/P04321'])
      }),
  )

  await check(
    'an answer that is older than what the wall knows looks so after a second, and is gone after three (H1)',
    () =>
      on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        await find(page, 'p0432')
        await matches(page, 10)
        assert.equal(await page.$('.rows .doubtful'), null)
        await made_up(page, 'alarms.slow_ms = 60000')
        await made_up(page, `alarms.raise({ key: 'one-more', title: 'One more', priority: 'low' })`)
        await page.waitForSelector('.rows .doubtful', { timeout: 2_500 })
        assert.match((await open(page, '[data-alarms] .newest')) ?? '', /OLDER ANSWER/)
        assert.equal(await page.$('.rows [data-alarm-row]:not(.doubtful)'), null)
        await page.waitForSelector('[data-alarms-only="200"]', { timeout: 5_000 })
        assert.equal(await page.$('.rows .doubtful'), null, 'what stands there is of the frame')
      }),
  )

  await check('it asks four times a second at most, however often alarms change', () =>
    on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      const count = () => /** @type {Promise<number>} */ (page.evaluate('__wall.host.alarms.rows_asked'))
      const before = await count()
      const begun = Date.now()
      for (let at = 0; at < 30; at += 1) {
        await made_up(page, `alarms.raise({ key: 'more-${String(at)}', title: 'More', priority: 'low' })`)
        await page.keyboard.press(at % 2 === 0 ? 'ArrowDown' : 'ArrowUp')
        await page.waitForTimeout(50)
      }
      const most = ((Date.now() - begun) / 1_000) * 4 + 2
      const own = (await count()) - before
      assert.ok(own > 1 && own <= most, `${String(own)} of ${String(most)}`)
    }),
  )

  await check('of a record more stood than it lists: that is said, and nothing is asked (H1)', () =>
    on_page('scenario=alarms-blizzard&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await page.keyboard.press('Escape')
      await made_up(page, 'alarms.stood = __wall.host.alarms.all()')
      const before = await page.evaluate('__wall.host.alarms.rows_asked')
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-bar]')
      await page.keyboard.press('a')
      await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
      await says(page, '[data-alarms]', /ONLY the 200 most urgent of 5012/)
      assert.equal(await page.evaluate('__wall.host.alarms.rows_asked'), before)
    }),
  )
}

async function looks() {
  for (const [query, size] of /** @type {const} */ ([
    ['alarms-blizzard', FULL_HD],
    ['alarms-blizzard&theme=light', ULTRA_HD],
    ['alarms-blizzard&language=de', FULL_HD],
    ['alarms-blizzard&language=en-XA', PORTRAIT],
  ])) {
    await check(`the list of thousands can be read: ${query} at ${size.width}×${size.height}`, () =>
      on_page(`scenario=${query}&demo=no`, size, async (page) => {
        await open_list(page)
        await find(page, 'pressure')
        await matches(page, PUMPS)
        await without_wall(page)
        await assert_readable(page)
        await made_up(page, 'alarms.deaf = true')
        await made_up(page, `alarms.raise({ key: 'one-more', title: 'One more', priority: 'low' })`)
        await page.waitForSelector('[data-alarms-only]')
        await assert_readable(page)
      }),
    )
  }
}

export async function alarm_rows() {
  await all_of_them()
  await without_answers()
  await looks()
}
