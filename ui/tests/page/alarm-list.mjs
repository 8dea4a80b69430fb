/** The list of alarms: what hands do about them by a pointer, a keyboard and a key pad, and what they can't. */
import assert from 'node:assert/strict'
import { CRITICAL, made_up, open, PORTRAIT, SMALL, without_wall } from './alarms.mjs'
import { all_become, assert_readable, check, FULL_HD, on_page, ULTRA_HD } from './harness.mjs'
import { become_kiosk } from './keys.mjs'

/** @typedef {import('playwright-core').Page} Page */

/** What was asked of the backend about alarms. @param {Page} page */
export const asked = (page) =>
  page.evaluate(() => {
    const { __wall } =
      /** @type {{ __wall?: { host: { alarms: { asked: (import('../../src/generated/frame').AlarmAct | import('../../src/generated/frame').AlarmsSeen)[] } } } }} */ (
        globalThis
      )
    return __wall?.host.alarms.asked ?? []
  })

/** @param {Page} page */
export const row_keys = (page) =>
  page.$$eval('.rows [data-alarm-row]', (all) => all.map((one) => one.getAttribute('data-alarm-row')))

/** @param {Page} page */
export const chosen = (page) => page.getAttribute('.rows [aria-selected="true"]', 'data-alarm-row')

/** @param {Page} page @param {string} key */
export async function open_list(page, key = 'a') {
  await all_become(page, 'live')
  await made_up(page, 'alarms.still = true')
  await page.keyboard.press(key)
  await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
}

/** @param {Page} page @param {string} key @param {string} state */
const row_is = (page, key, state) =>
  page.waitForFunction(
    ([key, state]) =>
      document.querySelector(`.rows [data-alarm-row="${String(key)}"]`)?.getAttribute('data-alarm-state') === state,
    [key, state],
    { timeout: 5_000, polling: 30 },
  )

async function by_hand() {
  await check('A opens the list, with what stands in the order of its urgency; the newest that calls is above it', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      const rows = await row_keys(page)
      assert.deepEqual(rows.slice(0, 3), [CRITICAL, 'rate', 'cancelled'])
      assert.equal(await chosen(page), CRITICAL)
      assert.equal(await page.getAttribute('[data-newest]', 'data-newest'), CRITICAL)
      await made_up(page, `alarms.raise({ key: 'late', title: 'Gate open', priority: 'low' })`)
      await page.waitForSelector('[data-newest="late"] [data-alarm-row="late"]')
      assert.equal(await chosen(page), CRITICAL, 'a hand keeps what it has selected')
      assert.match(
        (await open(page, '[data-alarm-about]')) ?? '',
        /Call the tower.*where JFK, Airports.*cause rate 0, held 31/,
      )
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-alarms]'), null)
    }),
  )

  await check('Enter acknowledges: until a frame says so it is being acknowledged, and blinks on (H6)', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await page.keyboard.press('Enter')
      await page.waitForSelector(`.rows [data-alarm-row="${CRITICAL}"][data-standing="pending"] [data-blinks]`, {
        timeout: 2_000,
      })
      assert.match((await open(page, `.rows [data-alarm-row="${CRITICAL}"]`)) ?? '', /acknowledging …/)
      await row_is(page, CRITICAL, 'acknowledged')
      assert.equal(await page.$('[data-standing]'), null)
      assert.equal(await page.$(`[data-alarm="${CRITICAL}"].calls`), null)
      assert.deepEqual(await asked(page), [{ key: CRITICAL, act: { kind: 'acknowledge', occurrence: 12 }, name: null }])
    }),
  )

  await check('what nobody confirms is said not to be after five seconds, and goes on blinking (H6)', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await made_up(page, 'alarms.hangs = true')
      await page.keyboard.press('k')
      await page.waitForSelector(`.rows [data-standing="pending"]`)
      await page.waitForSelector(`.rows [data-alarm-row="${CRITICAL}"][data-standing="unconfirmed"] [data-blinks]`, {
        timeout: 6_500,
      })
      assert.match((await open(page, '[data-alarm-banner]')) ?? '', /NOT CONFIRMED/)
      await page.keyboard.press('Escape')
      await page.waitForSelector(`[data-alarm="${CRITICAL}"].calls [data-blinks]`)
    }),
  )

  await check('what is refused is said in its sentence, and nothing is taken for done', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await made_up(page, `alarms.refuses = 'the journal is read by another wall'`)
      await page.keyboard.press('Enter')
      await page.waitForFunction(() =>
        /not done: the journal is read by another wall/.test(
          document.querySelector('[data-alarm-said]')?.textContent ?? '',
        ),
      )
      assert.equal(await page.$('[data-standing]'), null)
      assert.equal(
        await page.getAttribute(`.rows [data-alarm-row="${CRITICAL}"]`, 'data-alarm-state'),
        'unacknowledged',
      )
    }),
  )

  await check(
    'a screen is acknowledged as it was when the button went down: nothing that comes after, and nothing critical (H6)',
    () =>
      on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        const box = await page.locator('[data-acknowledge="screen"]').boundingBox()
        assert.ok(box !== null)
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
        await page.mouse.down()
        await made_up(page, `alarms.raise({ key: 'after', title: 'Came after', priority: 'high' })`)
        await page.waitForSelector('.rows [data-alarm-row="after"]')
        await page.mouse.up()
        await row_is(page, 'rate', 'acknowledged')
        const [all] = await asked(page)
        assert.ok(all !== undefined && 'seen' in all)
        assert.deepEqual(all.seen.map(([key]) => key).sort(), ['cancelled', 'ontime', 'rate', 'weather'])
        for (const key of ['after', CRITICAL])
          assert.equal(
            await page.getAttribute(`.rows [data-alarm-row="${key}"]`, 'data-alarm-state'),
            'unacknowledged',
            key,
          )
        await page.waitForFunction(() =>
          /4 acknowledged/.test(document.querySelector('[data-alarm-said]')?.textContent ?? ''),
        )
      }),
  )

  await check('all that was seen is acknowledged, and what never stood on the screen is not (H6)', () =>
    on_page('scenario=alarms-flood&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      const first = await row_keys(page)
      await page.keyboard.press('PageDown')
      await page.keyboard.press('PageDown')
      const second = await row_keys(page)
      assert.notDeepEqual(second, first)
      const before = new Set([...first, ...second].filter((key) => key !== CRITICAL))
      await page.keyboard.press('9')
      await page.waitForFunction(() =>
        /acknowledged/.test(document.querySelector('[data-alarm-said]')?.textContent ?? ''),
      )
      const [all] = await asked(page)
      assert.ok(all !== undefined && 'seen' in all)
      assert.deepEqual(new Set(all.seen.map(([key]) => key)), before)
      assert.ok(before.size < 30, `${String(before.size)} of 143`)
    }),
  )

  await check('by a key pad alone: open, move, shelve for half an hour with a reason, off the shelf, close', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await become_kiosk(page)
      await open_list(page, '*')
      await page.keyboard.press('3')
      assert.deepEqual(
        await page.$$eval('[data-ask] [data-minutes]', (all) =>
          all.map((one) => Number(one.getAttribute('data-minutes'))),
        ),
        [15, 30, 60],
        'what is critical an hour at most',
      )
      await page.keyboard.press('0')
      assert.equal(await page.$('[data-ask]'), null)
      await page.keyboard.press('+')
      await page.keyboard.press('+')
      assert.equal(await chosen(page), 'cancelled')
      await page.keyboard.press('-')
      assert.equal(await chosen(page), 'rate')
      await page.keyboard.press('3')
      assert.equal((await page.$$('[data-ask] [data-minutes]')).length, 7)
      await page.keyboard.press('2')
      await page.waitForSelector('[data-ask] [data-words]')
      await page.keyboard.press('1')
      await row_is(page, 'rate', 'shelved')
      assert.deepEqual(await asked(page), [
        { key: 'rate', act: { kind: 'shelve', minutes: 30, reason: 'being worked on' }, name: null },
      ])
      assert.equal(await page.$('[data-alarm="rate"]'), null, 'no band of what is aside')
      await page.keyboard.press('3')
      await row_is(page, 'rate', 'unacknowledged')
      await page.keyboard.press('5')
      await page.keyboard.press('2')
      await page.waitForFunction(() =>
        /somebody is on the way/.test(document.querySelector('[data-comments]')?.textContent ?? ''),
      )
      await page.keyboard.press('0')
      assert.equal(await page.$('[data-alarms]'), null)
    }),
  )

  await check('own words by a keyboard, of three characters at least; out of service and back, reset, silence', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await page.click('.rows [data-alarm-row="cancelled"]')
      await page.click('[data-act="take-out"]')
      await page.keyboard.press('Enter')
      await page.keyboard.type('no')
      await page.keyboard.press('Enter')
      assert.match((await open(page, '[data-ask]')) ?? '', /at least 3 characters/)
      assert.deepEqual(await asked(page), [])
      await page.keyboard.type('t needed in winter')
      await page.keyboard.press('Enter')
      await row_is(page, 'cancelled', 'out-of-service')
      assert.match((await open(page, '[data-alarm-about]')) ?? '', /not needed in winter/)
      await page.click('[data-act="return"]')
      await row_is(page, 'cancelled', 'unacknowledged')
      await page.click('[data-act="silence"]')
      await page.waitForFunction(() =>
        /silenced here/.test(document.querySelector('[data-alarm-said]')?.textContent ?? ''),
      )
      await page.click('.rows [data-alarm-row="movements"]')
      await page.keyboard.press('6')
      await page.waitForSelector('.rows [data-alarm-row="movements"]', { state: 'detached' })
      const acts = await asked(page)
      assert.deepEqual(
        acts.map((one) => ('act' in one ? one.act.kind : 'all')),
        ['take-out', 'return', 'silence', 'reset'],
      )
    }),
  )

  await check(
    'of one that is over under a hand, the next isn’t taken for it: Enter chooses before it acknowledges (H6)',
    () =>
      on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        await made_up(page, `alarms.end('${CRITICAL}')`)
        await page.waitForFunction(() => /it is over/.test(document.querySelector('[data-alarms]')?.textContent ?? ''))
        await page.keyboard.press('Enter')
        await page.waitForSelector('.rows [aria-selected="true"]')
        assert.deepEqual(await asked(page), [])
        assert.equal(await chosen(page), 'rate')
      }),
  )

  await check('filters, orders and words are seen to be on, say what they hide, and go back one by one', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await page.keyboard.press('f')
      assert.deepEqual(await row_keys(page), [CRITICAL])
      await page.waitForSelector('[data-alarms-filtered] [data-alarms-hidden="4"]')
      await page.keyboard.press('f')
      assert.deepEqual(await row_keys(page), ['rate', 'delay'])
      assert.equal(await page.getAttribute('[data-newest]', 'data-newest'), CRITICAL, 'the newest stays in view')
      await page.keyboard.press('w')
      assert.deepEqual(await row_keys(page), ['rate'])
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-alarms-filtered]'), null)
      await page.keyboard.press('/')
      await page.keyboard.type('visibility')
      await page.keyboard.press('Enter')
      assert.deepEqual(await row_keys(page), ['weather'])
      assert.equal(await chosen(page), 'weather')
      await page.keyboard.press('Escape')
      await page.keyboard.press('s')
      assert.equal(await page.getAttribute('[data-alarms-order]', 'data-alarms-order'), 'newest')
      assert.deepEqual((await row_keys(page)).slice(0, 4), [CRITICAL, 'rate', 'delay/EWR', 'cancelled'])
    }),
  )

  await check('who is at the wall is asked once, kept, and written to what he does', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_list(page)
      await page.click('[data-operator]')
      await page.keyboard.type('  Ada 7 ')
      await page.keyboard.press('Enter')
      assert.equal(await open(page, '[data-operator-is]'), 'as Ada 7')
      await page.keyboard.press('Enter')
      await row_is(page, CRITICAL, 'acknowledged')
      assert.deepEqual(
        (await asked(page)).map(({ name }) => name),
        ['Ada 7'],
      )
      assert.match((await open(page, '[data-alarm-about]')) ?? '', /acknowledged Ada 7, /)
      await page.reload()
      await page.waitForSelector('[data-widget]')
      await open_list(page)
      assert.equal(await page.$('[data-operator]'), null, 'not asked again')
      assert.equal(await open(page, '[data-operator-is]'), 'as Ada 7')
      await page.keyboard.press('n')
      await page.waitForSelector('[data-operator]:focus')
    }),
  )
}

async function ways() {
  await check(
    'from the alarm to its widget: the page is turned, and whose it is stands there with all that is known',
    () =>
      on_page('scenario=alarms-pages&demo=no', FULL_HD, async (page) => {
        await open_list(page)
        await page.keyboard.press('.')
        await page.waitForSelector('[data-page="flights"][aria-current="page"]')
        await page.keyboard.press('g')
        await page.waitForSelector('[data-page="now"][aria-current="page"]')
        await page.waitForSelector('[data-detail="JFK"]', { timeout: 5_000 })
        assert.equal(await page.$('[data-alarms]'), null)
        const focused = await page.evaluate(() =>
          document.activeElement?.closest('[data-widget]')?.getAttribute('data-widget'),
        )
        assert.equal(focused, 'airports')
        await page.keyboard.press('Escape')
        await page.keyboard.press('a')
        await page.waitForSelector('[data-alarms] .rows')
        await page.click('.rows [data-alarm-row="movements"]')
        await page.click('[data-act="go"]')
        await page.waitForSelector('[data-page="trends"][aria-current="page"]')
        await page.waitForFunction(() => document.activeElement?.getAttribute('data-widget') === 'movements')
      }),
  )

  await check('the banner opens the list at its alarm, and a list that nobody deals with goes by itself', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await page.clock.install()
      await all_become(page, 'live')
      await page.click('[data-alarm-banner]')
      await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
      assert.equal(await chosen(page), CRITICAL)
      await page.clock.fastForward(121_000)
      await page.waitForFunction(() => document.querySelector('[data-alarms]') === null)
    }),
  )

  await check('? over the list has the keys of the list, and elsewhere the one that opens it', () =>
    on_page('scenario=alarms', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('?')
      assert.match((await open(page, '[data-keys]')) ?? '', /A \* ?alarms/)
      assert.doesNotMatch((await open(page, '[data-keys]')) ?? '', /In the list of alarms/)
      await page.keyboard.press('Escape')
      await open_list(page)
      await page.keyboard.press('?')
      assert.match((await open(page, '[data-keys]')) ?? '', /In the list of alarms.*Enter K ?acknowledge it/)
      assert.doesNotMatch((await open(page, '[data-keys]')) ?? '', /In a chart/)
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-keys]'), null)
      assert.notEqual(await page.$('[data-alarms]'), null, 'one thing at a time')
    }),
  )

  await check('of a board without rules A means nothing', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('a')
      await page.waitForTimeout(300)
      assert.equal(await page.$('[data-alarms], [data-alarm-banner]'), null)
    }),
  )

  for (const [key, band, words] of /** @type {const} */ ([
    ['b', '[data-past-bar]', /RECORDING: as they were, nothing can be done/],
    ['t', '[data-drill-band]', /DRILL: made up, nothing can be done/],
  ])) {
    await check(`looking back and in a lamp test nothing can be done about alarms (${key})`, () =>
      on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
        await all_become(page, 'live')
        await made_up(page, 'alarms.still = true')
        await page.keyboard.press(key)
        await page.waitForSelector(band)
        await page.evaluate(`if (globalThis.__wall.host.drill) globalThis.__wall.host.drill.stays = true`)
        await page.keyboard.press('a')
        await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
        assert.match((await open(page, '[data-alarms]')) ?? '', words)
        assert.equal(await page.$('[data-act="acknowledge"]'), null)
        for (const press of ['Enter', 'k', '1', '8', '9']) await page.keyboard.press(press)
        await page.waitForTimeout(300)
        assert.deepEqual(await asked(page), [])
        const [list, below] = await Promise.all(['[data-alarms]', band].map((one) => page.locator(one).boundingBox()))
        assert.ok(list !== undefined && list !== null && below !== undefined && below !== null)
        assert.ok(list.y + list.height <= below.y + 1, 'what makes it unmistakable stays in sight')
      }),
    )
  }

  for (const [query, size] of /** @type {const} */ ([
    ['alarms', FULL_HD],
    ['alarms&theme=light', ULTRA_HD],
    ['alarms&theme=night', SMALL],
    ['alarms', PORTRAIT],
    ['alarms-flood', FULL_HD],
    ['alarms&language=de', FULL_HD],
  ])) {
    await check(`the list can be read, and all that is asked in it: ${query} at ${size.width}×${size.height}`, () =>
      on_page(`scenario=${query}&demo=no`, size, async (page) => {
        await open_list(page)
        await without_wall(page)
        await assert_readable(page)
        for (const keys of [['3'], ['1'], ['0', '0', '5'], ['0', 'f', 'f']]) {
          for (const key of keys) await page.keyboard.press(key)
          await assert_readable(page)
        }
      }),
    )
  }
}

export async function alarm_list() {
  await by_hand()
  await ways()
}
