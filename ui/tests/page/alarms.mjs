/** Alarms, as the wall shows them: the head line, bands on widgets, what blinks, and what is said aloud. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, HEARTBEAT_MS, on_page, ULTRA_HD } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */

export const PORTRAIT = { width: 1080, height: 1920 }
export const SMALL = { width: 1600, height: 900 }
/** The most urgent of the scripted host's. */
export const CRITICAL = 'airports/JFK'

/** Has the scripted host's alarms do this: `alarms` stands for them. @param {Page} page @param {string} what */
export const made_up = (page, what) => page.evaluate(`{ const { alarms } = globalThis.__wall.host; ${what} }`)

/** @param {Page} page @param {string} query */
export const open = (page, query = '') =>
  page.evaluate((query) => document.querySelector(query)?.textContent?.replace(/\s+/g, ' ').trim() ?? null, query)

/** The list is opaque: what it lies upon is not looked at. @param {Page} page */
export const without_wall = (page) =>
  page.evaluate(() => {
    const grid = document.querySelector('.grid')
    if (grid instanceof HTMLElement) grid.style.display = 'none'
  })

/** Where everything of the wall stands. @param {Page} page */
const places = (page) =>
  page.$$eval('[data-widget], [data-widget] .body, [data-source], button.time', (all) =>
    all.map((one) => {
      const { x, y, width, height } = one.getBoundingClientRect()
      return [
        one.closest('[data-widget]')?.getAttribute('data-widget') ?? one.className,
        x,
        y,
        ...(one.matches('li') ? [] : [width, height]),
      ].join(' ')
    }),
  )

export async function alarms() {
  await check('an alarm that comes has its banner and its bands at once, and nothing of the wall moves', () =>
    on_page('scenario=alarms-quiet&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.waitForTimeout(400)
      assert.equal(await page.$('[data-alarm-banner], [data-alarm], [data-alarm-count]'), null, 'calm says nothing')
      // The day goes on: its figures may grow, their places not.
      const before = await places(page)
      await made_up(
        page,
        `alarms.raise({ key: 'tower/JFK', title: 'Kennedy takes no more departures', priority: 'critical', cause: 'rate = 0, held = 31', widgets: ['airports', 'rate'] })`,
      )
      await page.waitForSelector('[data-alarm-banner="tower/JFK"]', { timeout: 2_000 })
      assert.match(
        (await open(page, '[data-alarm-banner]')) ?? '',
        /^1\s*Kennedy takes no more departures\s*since \d\d:\d\d:\d\d\s*JFK, Airports\s*rate 0, held 31$/,
      )
      assert.deepEqual(await places(page), before, 'nothing moved')
      const bands = await page.$$eval('[data-alarm]', (all) =>
        all.map((one) =>
          ['data-widget', 'data-alarm', 'data-alarm-state', 'data-priority'].map((name) => one.getAttribute(name)),
        ),
      )
      assert.deepEqual(bands, [
        ['airports', 'tower/JFK', 'unacknowledged', 'critical'],
        ['rate', 'tower/JFK', 'unacknowledged', 'critical'],
      ])
      await assert_readable(page)
      await made_up(page, `alarms.end('tower/JFK')`)
      await page.waitForSelector('[data-alarm-banner]', { state: 'detached' })
      assert.equal(await page.$('[data-alarm]'), null)
      assert.deepEqual(await places(page), before, 'nor when it went')
    }),
  )

  for (const [query, size] of /** @type {const} */ ([
    ['alarms', FULL_HD],
    ['alarms&theme=light', ULTRA_HD],
    ['alarms&theme=night', FULL_HD],
    ['alarms', PORTRAIT],
    ['alarms', SMALL],
    ['alarms-flood', FULL_HD],
    ['alarms-pages&theme=light', FULL_HD],
  ])) {
    await check(`alarms on the wall can be read: ${query} at ${size.width}×${size.height}`, () =>
      on_page(`scenario=${query}&demo=no`, size, async (page) => {
        await all_become(page, 'live')
        await page.waitForTimeout(400)
        await page.waitForSelector(`[data-alarm-banner="${CRITICAL}"]`)
        await assert_readable(page)
      }),
    )
  }

  await check(
    'how many stand is said by priority, with those that somebody knows of and rules that nobody watches over',
    () =>
      on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const said = await page.$$eval('header [data-alarm-count]', (all) =>
          all.map((one) => one.getAttribute('aria-label')),
        )
        assert.deepEqual(said, [
          'critical: 1 not acknowledged, 0 acknowledged',
          'high: 1 not acknowledged, 1 acknowledged',
          'medium: 2 not acknowledged, 1 acknowledged',
          'low: 1 not acknowledged, 1 acknowledged',
        ])
        assert.equal(
          await page.getAttribute('header [data-alarm-unsupervised]', 'title'),
          '12 rules nobody watches over',
        )
      }),
  )

  await check('what isn’t proven to be of now is hatched, last known, and blinks no more (H1)', () =>
    on_page('scenario=alarms-stale&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'stale')
      await page.waitForSelector('[data-alarm-banner]')
      assert.match((await open(page, '[data-alarm-banner]')) ?? '', /^1\s*\?.*last known/)
      assert.equal(await page.$('[data-blinks]'), null)
      const filled = await page.$eval('[data-alarm-banner]', (one) => getComputedStyle(one).backgroundImage)
      assert.match(filled, /repeating-linear-gradient/)
      await assert_readable(page)
    }),
  )

  await check('where the backend falls silent, alarms are last known too (H1)', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.waitForSelector('[data-alarm-banner] [data-blinks]')
      await page.evaluate('globalThis.__wall.host.hangs = true')
      await page.waitForFunction(() => document.querySelector('[data-notice="backend-silent"]') !== null, undefined, {
        timeout: 4 * HEARTBEAT_MS,
      })
      assert.match((await open(page, '[data-alarm-banner]')) ?? '', /last known/)
      assert.equal(await page.$('[data-blinks]'), null)
    }),
  )

  await check(
    'only what is urgent and not acknowledged blinks, all in step: critical at 2 Hz, high at 0.6; and nothing where less motion is asked for',
    () =>
      on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
        await all_become(page, 'live')
        await made_up(page, 'alarms.still = true')
        const blinking = () =>
          page.$$eval('.mark', (all) =>
            all.flatMap((one) => {
              const [animation] = one.querySelector('b')?.getAnimations() ?? []
              const { duration } = animation?.effect?.getComputedTiming() ?? {}
              return animation === undefined
                ? []
                : [{ priority: one.getAttribute('data-priority'), duration, start: animation.startTime }]
            }),
          )
        assert.deepEqual(await blinking(), [], 'less motion is asked for')
        const still = await page.$eval('[data-alarm="rate"] .mark b', (one) => getComputedStyle(one).backgroundColor)
        await page.emulateMedia({ reducedMotion: 'no-preference' })
        // What blinks begins anew, in step.
        await made_up(
          page,
          `for (const key of ['rate', '${CRITICAL}']) alarms.change(key, { realarms: 2, evidence: 'stale' })`,
        )
        await page.waitForFunction(() => document.querySelector('[data-blinks]') === null)
        await made_up(page, `for (const key of ['rate', '${CRITICAL}']) alarms.change(key, { evidence: 'live' })`)
        await page.waitForSelector('[data-blinks]')
        const all = await blinking()
        assert.deepEqual([...new Set(all.map(({ priority }) => priority))].sort(), ['critical', 'high'])
        assert.ok(all.length >= 4, JSON.stringify(all))
        for (const { priority, duration, start } of all) {
          assert.ok(
            Math.abs(Number(duration) - (priority === 'critical' ? 500 : 1666.7)) < 1,
            `${String(priority)}: ${String(duration)} ms`,
          )
          assert.equal(start, all[0]?.start, 'in step')
        }
        const known = await page.$eval('[data-alarm="delay"] .mark', (one) => one.getAttribute('data-blinks'))
        assert.equal(known, null, 'acknowledged')
        const usual = await page.$eval('[data-alarm="ontime"] .mark b', (one) => getComputedStyle(one).backgroundColor)
        assert.notEqual(still, usual, 'a steady mark of its own where nothing may blink')
      }),
  )

  await check('of a flood one line says so, and only the worst of it blinks nowhere else', () =>
    on_page('scenario=alarms-flood&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.waitForSelector('[data-alarm-banner][data-flood]')
      assert.match((await open(page, '[data-alarm-banner]')) ?? '', /ALARM FLOOD since \d\d:\d\d:\d\d: 143 alarms/)
      assert.equal(await page.$('[data-blinks]'), null)
      assert.equal((await page.$$('[data-alarm-banner]')).length, 1)
    }),
  )

  await check('long titles and those from right to left have their place, and leave it to nothing else', () =>
    on_page('scenario=alarms-quiet&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await made_up(
        page,
        `alarms.raise({ title: '\u05de\u05e9\u05d0\u05d1\u05ea 3 \u05dc\u05d0 \u05e2\u05d5\u05d1\u05d3\u05ea (A-7)', priority: 'high', cause: '\u05dc\u05d7\u05e5 = 9.2', widgets: ['delay', 'board'] });
         alarms.raise({ title: 'The third pump of the western cooling circuit stands and does not start again although it was told so twice, and nobody knows why', priority: 'medium', widgets: ['cancelled-hour'] })`,
      )
      await page.waitForSelector('[data-alarm-banner]')
      await assert_readable(page)
      await page.keyboard.press('a')
      await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
      await without_wall(page)
      await assert_readable(page, 20)
      await page.keyboard.press('ArrowDown')
      await assert_readable(page, 20)
    }),
  )

  await check('who hears the wall hears each alarm once', () =>
    on_page('scenario=alarms-quiet&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.waitForTimeout(1_200)
      await page.evaluate(() => {
        /** @type {string[]} */
        const said = []
        Object.assign(globalThis, { __said: said })
        const region = document.querySelector('[data-spoken]')
        if (region !== null)
          new MutationObserver(() => said.push(region.textContent ?? '')).observe(region, {
            childList: true,
            characterData: true,
            subtree: true,
          })
      })
      await made_up(page, `alarms.raise({ key: 'once', title: 'Pump 3 stands', priority: 'high' })`)
      const said = () => page.evaluate(() => /** @type {{ __said?: string[] }} */ (globalThis).__said ?? [])
      await page.waitForFunction(() =>
        /** @type {{ __said?: string[] }} */ (globalThis).__said?.some((one) =>
          one.includes('alarm, high: Pump 3 stands'),
        ),
      )
      await made_up(page, `alarms.change('once', { evidence: 'stale' })`)
      await page.waitForTimeout(2_500)
      assert.equal((await said()).filter((one) => one.includes('Pump 3')).length, 1)
    }),
  )
}
