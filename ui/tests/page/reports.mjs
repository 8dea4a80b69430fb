/** The pages over the wall: the figures of the alarms, and what happened since somebody looked away. */
import assert from 'node:assert/strict'
import { open, PORTRAIT, SMALL, without_wall } from './alarms.mjs'
import { all_become, assert_readable, check, FULL_HD, on_page, page_now_ms, ULTRA_HD } from './harness.mjs'
import { become_kiosk } from './keys.mjs'

/** @typedef {import('playwright-core').Page} Page */

const HOUR_MS = 3_600_000

/** Has the scripted record answer in another mood. @param {Page} page @param {string} mood */
const in_mood = (page, mood) => page.evaluate(`globalThis.__wall.host.reports.mood = '${mood}'`)

/** What was asked of the backend by this command, oldest first. @param {Page} page @param {string} command */
const asked = (page, command) =>
  page.evaluate((command) => {
    const { __wall } =
      /** @type {{ __wall?: { calls: { command: string, args: { fromMs: number, toMs: number | null, after: number, atMs: number } }[] } }} */ (
        globalThis
      )
    return (__wall?.calls ?? []).filter((one) => one.command === command).map(({ args }) => args)
  }, command)

/** @param {Page} page @param {'report' | 'since'} sheet */
async function open_sheet(page, sheet) {
  await all_become(page, 'live')
  await page.keyboard.press(sheet === 'report' ? 'j' : 'h')
  await page.waitForSelector(
    sheet === 'report' ? '[data-report="report"] [data-figure]' : '[data-report="since"] [data-part]',
  )
  if (sheet === 'since') await done(page)
}

/** All of the record is read. @param {Page} page */
const done = (page) =>
  page.waitForFunction(
    () => !/reading|liest/.test(document.querySelector('[data-part="widgets"]')?.textContent ?? 'reading'),
    undefined,
    { timeout: 5_000, polling: 50 },
  )

/** @param {Page} page */
const figures = (page) =>
  page.$$eval('[data-figure]', (all) =>
    Object.fromEntries(
      all.map((one) => [
        one.getAttribute('data-figure'),
        one.querySelector('[data-verdict]')?.getAttribute('data-verdict') ?? '',
      ]),
    ),
  )

/** A hand was last here so long ago, and the one before it still earlier. @param {number} ago_ms */
const left = (ago_ms) => async (/** @type {Page} */ page) => {
  await page.addInitScript(`localStorage.setItem('touched', String(Date.now() - ${String(ago_ms)}))`)
}

async function report() {
  await check('J tells the figures of this shift, each beside its guide with a word and a shape', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_sheet(page, 'report')
      const [first] = await asked(page, 'alarm_report')
      assert.ok(first !== undefined && first.toMs === null)
      const hour = await page.evaluate(
        (ms) =>
          new Date(ms).toLocaleTimeString('en-GB', {
            timeZone: 'America/New_York',
            hour: '2-digit',
            minute: '2-digit',
          }),
        first.fromMs,
      )
      assert.match(hour, /^(06|14|22):00$/)
      await page.keyboard.press('4')
      // The shift's own mean, which stands there until then, is beyond its guide.
      await page.waitForSelector('[data-figure="mean"] [data-verdict="acceptable"]')
      const [, second] = await asked(page, 'alarm_report')
      assert.ok(second !== undefined && Math.abs(page_now_ms() - 720 * HOUR_MS - second.fromMs) < 10_000)
      assert.deepEqual(await figures(page), {
        mean: 'acceptable',
        max: 'beyond',
        over: 'acceptable',
        flood: 'acceptable',
        top: 'beyond',
        nuisance: 'beyond',
        standing: 'acceptable',
      })
      for (const word of ['acceptable', 'beyond', 'guide 1, limit 2', '1 h 139/15'])
        assert.ok((await open(page, '.figures'))?.includes(word), word)
      assert.equal((await page.$$('[data-figure] svg')).length, 7)
      assert.match((await open(page, '[data-report-told]')) ?? '', /4161 alarms.*unrecorded 2 times/)
      assert.match((await open(page, '[data-priorities]')) ?? '', /critical.*48 of 54.*half 21 s, 95 % 1 min 44 s/)
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-report]'), null)
    }),
  )

  await check('of few alarms no share is judged, of none all is acceptable, and what is not on record is said', () =>
    on_page('scenario=alarms&demo=no&record=few', FULL_HD, async (page) => {
      await open_sheet(page, 'report')
      assert.equal((await figures(page))['top'], 'none')
      assert.match((await open(page, '[data-figure="top"]')) ?? '', /too little to judge/)
      await in_mood(page, 'quiet')
      await page.keyboard.press('2')
      await page.waitForFunction(() =>
        /^0 alarms/.test(document.querySelector('[data-report-told]')?.textContent?.trim() ?? ''),
      )
      assert.equal((await figures(page))['mean'], 'acceptable')
      assert.equal(await page.$('[data-report-lack]'), null)
      await in_mood(page, 'empty')
      await page.keyboard.press('2')
      await page.waitForSelector('[data-report-lack]')
      assert.equal(await open(page, '[data-report-lack]'), 'nothing is on record yet')
      await in_mood(page, 'late')
      await page.keyboard.press('3')
      await page.waitForFunction(() =>
        /the record begins \d\d:\d\d/.test(document.querySelector('[data-report-lack]')?.textContent ?? ''),
      )
      await in_mood(page, 'huge')
      await page.keyboard.press('4')
      await page.waitForFunction(() =>
        /1204 entries of alarms are missing between/.test(
          document.querySelector('[data-report-told]')?.textContent ?? '',
        ),
      )
    }),
  )

  await check('an older answer is marked as one while a newer is read, and an answer that comes too late is none', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_sheet(page, 'report')
      assert.equal(await page.$('[data-older]'), null)
      await in_mood(page, 'slow')
      await page.keyboard.press('3')
      await page.waitForSelector('[data-older]', { timeout: 1_000 })
      assert.match((await open(page, '[data-report-of]')) ?? '', /^OLDER ANSWER: .*Reading: 7 d …$/)
      await in_mood(page, 'rich')
      await page.keyboard.press('2')
      await page.waitForSelector('[data-older]', { state: 'detached' })
      await page.waitForTimeout(1_700)
      assert.match((await open(page, '[data-report-of]')) ?? '', /, 24 h$/)
    }),
  )

  await check('what is refused is said in its sentence, and what stood there is no answer to it', () =>
    on_page('scenario=alarms&demo=no&record=refuses', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('j')
      await page.waitForFunction(() =>
        /the journal is read by another wall/.test(document.querySelector('[data-report-nothing]')?.textContent ?? ''),
      )
      assert.match((await open(page, '[data-report-of]')) ?? '', /^REFUSED/)
      await in_mood(page, 'rich')
      await page.keyboard.press('2')
      await page.waitForSelector('[data-figure]')
      await in_mood(page, 'refuses')
      await page.keyboard.press('3')
      await page.waitForSelector('[data-older]')
      assert.match((await open(page, '[data-report-of]')) ?? '', /^REFUSED/)
    }),
  )

  await check('nothing is claimed while the first answer is waited for', () =>
    on_page('scenario=alarms&demo=no&record=hangs', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('j')
      await page.waitForFunction(() =>
        /reading the record: this shift/.test(document.querySelector('[data-report-nothing]')?.textContent ?? ''),
      )
      assert.equal(await page.$('[data-figure]'), null)
      await page.keyboard.press('0')
      assert.equal(await page.$('[data-report]'), null)
    }),
  )

  await check('a stretch of one’s own is written; what is none, or ends before it begins, is not asked for', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_sheet(page, 'report')
      await page.keyboard.press('5')
      await page.waitForSelector('[data-report-own] input:focus')
      await page.keyboard.type('noon')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Enter')
      assert.match((await open(page, '[data-report-own]')) ?? '', /no such moment/)
      await page.locator('[data-report-own] input').first().fill('3 h')
      await page.locator('[data-report-own] input').last().fill('4 h')
      await page.locator('[data-report-own] input').last().press('Enter')
      assert.match((await open(page, '[data-report-own]')) ?? '', /no such moment/)
      assert.equal((await asked(page, 'alarm_report')).length, 1)
      await page.locator('[data-report-own] input').last().fill('1 h')
      await page.locator('[data-report-own] input').last().press('Enter')
      await page.waitForFunction(() =>
        /, 2 h$/.test(document.querySelector('[data-report-of]')?.textContent?.trim() ?? ''),
      )
      const [, own] = await asked(page, 'alarm_report')
      assert.ok(own !== undefined && own.toMs !== null && own.toMs - own.fromMs === 2 * HOUR_MS)
      await page.keyboard.press('5')
      await page.keyboard.press('Escape')
      assert.notEqual(await page.$('[data-report]'), null, 'one thing back')
      assert.equal(await page.$('[data-report-own]'), null)
    }),
  )

  await check('lists by keys; from an alarm to its widget, from a flood into the record at its beginning', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_sheet(page, 'report')
      await page.keyboard.press('4')
      await page.waitForSelector('[data-listed="floods"] [data-line="0"]')
      await page.keyboard.press('/')
      await page.waitForSelector('[data-listed="chattering"]')
      await page.keyboard.press('ArrowLeft')
      await page.waitForSelector('[data-listed="floods"]')
      // However many lines stand above it: an answer of another span may have stood there until now.
      const flood = '[data-lines="1"] [data-line="0"][aria-selected="true"]'
      for (let line = 0; line < 40 && (await page.$(flood)) === null; line += 1) await page.keyboard.press('ArrowDown')
      await page.waitForSelector(flood)
      const before = page_now_ms()
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-past-bar]')
      assert.equal(await page.$('[data-report]'), null, 'a record has no report over it')
      const [past] = await asked(page, 'past_open')
      assert.ok(past !== undefined && past.atMs < before - 24 * HOUR_MS)
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-past-bar]', { state: 'detached' })
      await open_sheet(page, 'report')
      await page.keyboard.press('4')
      await page.waitForSelector('[data-lines="0"] [data-line="3"]')
      await page.keyboard.press('+')
      assert.match((await open(page, '[data-lines="0"] [aria-selected="true"]')) ?? '', /Kennedy/)
      await page.keyboard.press('g')
      await page.waitForFunction(
        () => document.activeElement?.closest('[data-widget]')?.getAttribute('data-widget') === 'airports',
      )
      assert.equal(await page.$('[data-report]'), null)
    }),
  )

  for (const [key, band, words] of /** @type {const} */ ([
    ['b', '[data-past-bar]', /RECORDING: reports are told in the present alone/],
    ['t', '[data-drill-band]', /DRILL: reports are told when it is over/],
  ])) {
    await check(`looking back and in a lamp test there are no reports, and that is said (${key})`, () =>
      on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
        await open_sheet(page, 'since')
        if (key === 't') await page.evaluate(`globalThis.__wall.host.drill_begin()`)
        else await page.evaluate(`globalThis.__wall.host.past_open(null)`)
        await page.waitForSelector(band)
        assert.equal(await page.$('[data-report]'), null, 'it goes when the wall turns')
        await page.evaluate(`if (globalThis.__wall.host.drill) globalThis.__wall.host.drill.stays = true`)
        for (const sheet of ['j', 'h']) {
          await page.keyboard.press(sheet)
          await page.waitForSelector('[data-reports-said]')
          assert.match((await open(page, '[data-reports-said]')) ?? '', words)
          assert.equal(await page.$('[data-report]'), null)
        }
      }),
    )
  }

  await check(
    'a key pad goes from the list to what happened, to the figures, and back; ? has the keys of a report',
    () =>
      on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
        await become_kiosk(page)
        await all_become(page, 'live')
        await page.keyboard.press('*')
        await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
        await page.keyboard.press('*')
        await page.waitForSelector('[data-report="since"] [data-part]')
        assert.equal(await page.$('[data-alarms]'), null, 'one at a time')
        await page.keyboard.press('?')
        assert.match((await open(page, '[data-keys]')) ?? '', /In a report.*0 to 9 ?what stands beside the digit/)
        assert.doesNotMatch((await open(page, '[data-keys]')) ?? '', /print|In a chart/)
        await page.keyboard.press('?')
        await page.keyboard.press('*')
        await page.waitForSelector('[data-report="report"] [data-figure]')
        await page.keyboard.press('*')
        await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
        assert.equal(await page.$('[data-report]'), null)
        await page.keyboard.press('*')
        await page.waitForSelector('[data-report="since"]')
        await page.keyboard.press('a')
        await page.waitForSelector('[data-alarms] .rows [data-alarm-row]')
        assert.equal(await page.$('[data-report]'), null)
      }),
  )

  await check('what was told a minute ago says that it is of then (H1)', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      for (const sheet of /** @type {const} */ (['report', 'since'])) {
        await open_sheet(page, sheet)
        assert.equal(await page.$('[data-aged]'), null)
        // The backend's clock goes on.
        await page.evaluate(`{
          const { host } = globalThis.__wall
          const frame = host.frame.bind(host)
          host.frame = (all) => ({ ...frame(all), clock: { ...frame(all).clock, wall_ms: Date.now() + 95_000 } })
        }`)
        await page.waitForSelector('[data-aged]')
        assert.match((await open(page, '[data-report-of]')) ?? '', /\. AS OF 1 min AGO: its digit asks anew$/)
        await page.keyboard.press('Escape')
        await page.evaluate(`delete globalThis.__wall.host.frame`)
        await page.waitForTimeout(600)
      }
    }),
  )

  await check('a report that nobody reads goes by itself', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await page.clock.install()
      await all_become(page, 'live')
      await page.keyboard.press('j')
      await page.waitForSelector('[data-report]')
      await page.clock.fastForward(301_000)
      await page.waitForFunction(() => document.querySelector('[data-report]') === null)
    }),
  )
}

async function since() {
  await check('H tells what happened since the last touch: alarms, widgets, links, and what can’t be known', () =>
    on_page(
      'scenario=alarms&demo=no',
      FULL_HD,
      async (page) => {
        await open_sheet(page, 'since')
        const [first] = await asked(page, 'since')
        assert.ok(first !== undefined && first.after === 0)
        assert.ok(Math.abs(page_now_ms() - 3.2 * HOUR_MS - first.fromMs) < 20_000)
        assert.match(
          (await open(page, '[data-report-of]')) ?? '',
          /^since \d\d:\d\d:\d\d until \d\d:\d\d:\d\d: 3 h 12 min$/,
        )
        assert.match(
          (await open(page, '[data-part="alarms"]')) ?? '',
          /^13 ?Alarms ?4 wait for somebody ?4 came and stand ?4 came and went ?1 went that stood ?3 dealt with/,
        )
        const fates = await page.$$eval('[data-alarm-line]', (all) => all.map((one) => one.getAttribute('data-fate')))
        assert.deepEqual(fates.slice(0, 9), [...Array(4).fill('stand'), ...Array(4).fill('gone'), 'went'])
        assert.match(
          (await open(page, '[data-alarm-line="delay"]')) ?? '',
          /acknowledged ?Keller, \d\d:\d\d ?“slots are asked for” Keller/,
        )
        assert.match((await open(page, '[data-part="widgets"]')) ?? '', /^4 ?Left normal ?3 are not normal at the end/)
        assert.match(
          (await open(page, '[data-widget-line="delay"]')) ?? '',
          /12\.4 min → 31\.4 min → 9\.8 min ≤ \d\d:\d\d–≤ \d\d:\d\d · 4 times, 22 min, in doubt 5 min/,
        )
        assert.match((await open(page, '[data-part="losses"]')) ?? '', /^2 ?Lost links.*STILL LOST, lost once, 4 min/)
        assert.match((await open(page, '[data-part="unknown"]')) ?? '', /^1 ?Cannot be known.*the wall did not run/)
        assert.equal(await page.$('[data-since-nothing]'), null)
      },
      { before: left(3.2 * HOUR_MS) },
    ),
  )

  await check('what widgets did comes as it is read; until then nothing is said of how they are now', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('h')
      await page.waitForSelector('[data-widget-line="cancelled"]')
      const early = (await open(page, '[data-part="widgets"]')) ?? ''
      assert.match(early, /^4… ?Left normal ?reading the record: \d+ %/)
      assert.match((await open(page, '[data-widget-line="cancelled"]')) ?? '', /41 flights → 212 flights → …/)
      await done(page)
      assert.match((await open(page, '[data-widget-line="cancelled"]')) ?? '', /41 flights → 212 flights → 212 flights/)
      const calls = await asked(page, 'since')
      assert.deepEqual(
        calls.map(({ after }) => after),
        [0, 1, 2, 3],
      )
      await page.waitForTimeout(600)
      assert.equal((await asked(page, 'since')).length, 4, 'and nothing more is asked')
    }),
  )

  await check('that nothing happened is said where all of it is on record, and nowhere else (H1)', () =>
    on_page('scenario=alarms&demo=no&record=quiet', FULL_HD, async (page) => {
      await open_sheet(page, 'since')
      await page.waitForSelector('[data-since-nothing="proven"]')
      assert.match(
        (await open(page, '[data-since-nothing]')) ?? '',
        /^NOTHING HAPPENED from .* to .* The record covers all of it\./,
      )
      for (const mood of ['doubt', 'empty']) {
        await in_mood(page, mood)
        await page.keyboard.press('5')
        await page.waitForFunction(
          (why) => (document.querySelector('[data-part="unknown"]')?.textContent ?? '').includes(why),
          mood === 'doubt' ? '12 entries of alarms are missing' : 'nothing is kept: there is no journal',
        )
        await page.waitForSelector('[data-since-nothing="seen"]')
        assert.doesNotMatch(
          (await open(page, '[data-report]')) ?? '',
          /NOTHING HAPPENED|covers all of it(?! ?\d)|no alarm came/,
        )
        assert.match((await open(page, '[data-part="alarms"]')) ?? '', /^\? ?Alarms/)
      }
    }),
  )

  await check('while it is read nothing is said to have happened or not', () =>
    on_page('scenario=alarms&demo=no&record=quiet', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('h')
      await page.waitForSelector('[data-report="since"] [data-part]')
      assert.equal(await page.$('[data-since-nothing]'), null)
      assert.match((await open(page, '[data-part="widgets"]')) ?? '', /^0…/)
      assert.match((await open(page, '[data-part="unknown"]')) ?? '', /reading the record/)
      await page.waitForSelector('[data-since-nothing="proven"]')
    }),
  )

  await check('Enter leads to the widget, 9 into the record at the moment of the line', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_sheet(page, 'since')
      await page.keyboard.press('ArrowDown')
      assert.match((await open(page, '[aria-selected="true"]')) ?? '', /Kennedy/)
      for (const part of ['2', '3', '0', '1']) {
        await page.keyboard.press(part === '1' ? 'ArrowRight' : '/')
        if (part === '2') await page.keyboard.press('/')
        await page.waitForSelector(`[data-lines="${part}"] [aria-selected="true"]`)
      }
      await page.keyboard.press('+')
      assert.match((await open(page, '[data-lines] [aria-selected="true"]')) ?? '', /Cancelled today/)
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => document.activeElement?.getAttribute('data-widget') === 'cancelled')
      assert.equal(await page.$('[data-report]'), null)
      await page.keyboard.press('Escape')
      await open_sheet(page, 'since')
      await page.click('[data-alarm-line="delay"]')
      await page.keyboard.press('9')
      await page.waitForSelector('[data-past-bar]')
      const [past] = await asked(page, 'past_open')
      assert.ok(past !== undefined && Math.abs(page_now_ms() - 41 * 60_000 - past.atMs) < 30_000)
    }),
  )

  await check('what can be meant by since: what isn’t known can’t be chosen, and one’s own act is by one’s name', () =>
    on_page(
      'scenario=alarms&demo=no',
      FULL_HD,
      async (page) => {
        await open_sheet(page, 'since')
        assert.equal(await page.isDisabled('[data-report-span="touch"]'), true, 'nobody has been here')
        assert.equal(await page.getAttribute('[data-report-span="shift"]', 'aria-pressed'), 'true')
        await page.waitForSelector('[data-report-span="act"]:not(:disabled)')
        await page.keyboard.press('2')
        await page.waitForFunction(() =>
          /: 1 h 35 min$/.test(document.querySelector('[data-report-of]')?.textContent?.trim() ?? ''),
        )
        await page.keyboard.press('7')
        await page.waitForFunction(() =>
          /: 8 h$/.test(document.querySelector('[data-report-of]')?.textContent?.trim() ?? ''),
        )
        await page.keyboard.press('8')
        await page.waitForSelector('[data-report-own] input:focus')
        await page.keyboard.type('30 min')
        await page.keyboard.press('Enter')
        await page.waitForFunction(() =>
          /: 30 min$/.test(document.querySelector('[data-report-of]')?.textContent?.trim() ?? ''),
        )
        assert.equal(await page.$('[data-older]'), null)
      },
      {
        before: async (page) => {
          await page.addInitScript(`localStorage.setItem('operator', 'Ada')`)
        },
      },
    ),
  )

  await check('a hand that comes back after half an hour is offered the page in a line; it never opens by itself', () =>
    on_page(
      'scenario=alarms&demo=no',
      FULL_HD,
      async (page) => {
        await all_become(page, 'live')
        const grid = await page.$eval('.grid', (one) => one.getBoundingClientRect().toJSON())
        assert.equal(await page.$('[data-since-offer]'), null)
        await page.mouse.move(300, 300)
        await page.waitForSelector('[data-since-offer]')
        assert.match(
          (await open(page, '[data-since-offer]')) ?? '',
          /^H ?since \d\d:\d\d, 45 min ago: 13 alarms, 2 lost links, 4 widgets left normal$/,
        )
        assert.equal(await page.$('[data-report]'), null)
        assert.deepEqual(
          await page.$eval('.grid', (one) => one.getBoundingClientRect().toJSON()),
          grid,
          'nothing moves',
        )
        await page.mouse.move(310, 300)
        await page.click('[data-since-offer]')
        await page.waitForSelector('[data-report="since"] [data-part]')
        assert.equal(await page.$('[data-since-offer]'), null)
        assert.equal(await page.getAttribute('[data-report-span="touch"]', 'aria-pressed'), 'true')
      },
      { before: left(0.75 * HOUR_MS) },
    ),
  )

  for (const [ago_ms, mood, why] of /** @type {const} */ ([
    [0.75 * HOUR_MS, 'quiet', 'nothing happened'],
    [0.2 * HOUR_MS, 'rich', 'the hand was here a moment ago'],
    [0.75 * HOUR_MS, 'refuses', 'the backend refuses'],
  ])) {
    await check(`nothing is offered where ${why}`, () =>
      on_page(
        `scenario=alarms&demo=no&record=${mood}`,
        FULL_HD,
        async (page) => {
          await all_become(page, 'live')
          await page.mouse.move(300, 300)
          await page.waitForTimeout(1_500)
          assert.equal(await page.$('[data-since-offer], [data-report], [data-reports-said]'), null)
        },
        { before: left(ago_ms) },
      ),
    )
  }

  await check('a board without rules has no report, and what happened all the same, by a key pad too', () =>
    on_page('scenario=live&demo=no', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('j')
      await page.waitForTimeout(300)
      assert.equal(await page.$('[data-report]'), null)
      await page.keyboard.press('*')
      await page.waitForSelector('[data-report="since"] [data-part]')
      assert.equal(await page.isDisabled('[data-report-turn]'), true)
      await page.keyboard.press('*')
      assert.equal(await page.$('[data-report]'), null)
    }),
  )
}

async function looks() {
  for (const [query, size] of /** @type {const} */ ([
    ['alarms', FULL_HD],
    ['alarms&theme=light', ULTRA_HD],
    ['alarms&theme=night', SMALL],
    ['alarms', PORTRAIT],
    ['alarms&record=huge', FULL_HD],
    ['alarms&language=de', FULL_HD],
  ])) {
    await check(`both pages can be read: ${query} at ${size.width}×${size.height}`, () =>
      on_page(`scenario=${query}&demo=no`, size, async (page) => {
        await open_sheet(page, 'report')
        await page.keyboard.press('4')
        await page.waitForTimeout(500)
        await without_wall(page)
        await assert_readable(page)
        for (let list = 0; list < 5; list += 1) {
          await page.keyboard.press('/')
          await page.waitForTimeout(60)
          await assert_readable(page)
        }
        // Where there is more to be said than has room, a line to write in takes what is left.
        if (!query.includes('huge')) {
          await page.keyboard.press('5')
          await laid_out(page)
          await assert_readable(page)
          await page.keyboard.press('Escape')
        }
        await page.keyboard.press('h')
        await page.waitForSelector('[data-report="since"] [data-part]')
        await done(page)
        await page.waitForTimeout(100)
        await assert_readable(page)
      }),
    )
  }

  await check('whoever hears the page hears its dialog, its lists with their lines, and each verdict', () =>
    on_page('scenario=alarms&demo=no', FULL_HD, async (page) => {
      await open_sheet(page, 'report')
      await page.keyboard.press('4')
      await page.waitForSelector('[data-lines="0"] [data-line="3"]')
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Alarm report')
      const unnamed = await page.$$eval(
        '[data-report] :is([role="listbox"], [role="img"], [role="tablist"], input)',
        (all) =>
          all
            .filter((one) => (one.getAttribute('aria-label') ?? one.closest('label')?.textContent ?? '') === '')
            .map((one) => one.outerHTML.slice(0, 80)),
      )
      assert.deepEqual(unnamed, [])
      await page.keyboard.press('ArrowDown')
      assert.equal((await page.$$('[data-report] [role="option"][aria-selected="true"]')).length, 1)
      const silent = await page.$$eval(
        '[data-verdict]',
        (all) =>
          all.filter((one) => (one.textContent ?? '').trim() === '' && one.querySelector('[aria-label]') === null)
            .length,
      )
      assert.equal(silent, 0)
    }),
  )
}

/** A list knows its room one frame after what stands beside it has changed, and has its lines by the next. @param {Page} page */
const laid_out = (page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 4; frame += 1) await new Promise((done) => requestAnimationFrame(done))
  })

export async function reports() {
  await report()
  await since()
  await looks()
}
