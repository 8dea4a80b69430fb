/** What the page says in every scenario, whole and readable. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, freshnesses, FULL_HD, on_page, say, ULTRA_HD } from './harness.mjs'

/**
 * What nobody knows is dashes and a reason, for every kind: not an empty list, and no age (H1).
 *
 * @param {import('playwright-core').Page} page
 */
async function assert_unknown(page) {
  const said = await page.$$eval('[data-widget]', (all) =>
    all.map((one) => ({
      kind: one.getAttribute('data-kind'),
      body: one.querySelector('.body')?.textContent?.replace(/\s+/g, ' ').trim() ?? '',
      reasons: [...one.querySelectorAll('.reason, .why')].filter((reason) => reason.checkVisibility()).length,
      ages: one.querySelectorAll('.age').length,
    })),
  )
  for (const { kind, body, reasons, ages } of said) {
    assert.ok(body.includes('----'), `${kind}: ${body}`)
    assert.doesNotMatch(body, /no rows|nothing|none yet/, `${kind} claims to be empty`)
    assert.deepEqual([reasons, ages], [1, 0], `${kind}: reasons and ages`)
  }
  assert.deepEqual([...new Set(said.map(({ kind }) => kind))].sort(), KINDS)
}

const KINDS = ['counter', 'gauge', 'log', 'markers', 'rate', 'series', 'status', 'table', 'window']

const SCENARIOS = /** @type {const} */ ([
  ['live', 'live', 'live', [FULL_HD]],
  ['flood&theme=light', 'live', 'live', [FULL_HD]],
  ['flood', 'live', 'live', [FULL_HD, ULTRA_HD]],
  ['stale', 'stale', 'live', [FULL_HD, ULTRA_HD]],
  ['stale&theme=light', 'stale', 'live', [FULL_HD]],
  ['flood&theme=night', 'live', 'live', [FULL_HD]],
  ['stale&theme=night', 'stale', 'live', [FULL_HD, ULTRA_HD]],
  ['refused&theme=night', 'refused', 'refused', [FULL_HD]],
  ['notices&theme=night', 'live', 'live', [FULL_HD]],
  ['orders&theme=night', 'live', 'live', [FULL_HD]],
  ['down', 'down', 'waiting', [FULL_HD]],
  ['refused', 'refused', 'refused', [FULL_HD]],
  ['unknown', 'unknown', 'connecting', [FULL_HD]],
  ['empty&language=C', 'live', 'live', [FULL_HD]],
  ['catching-up', 'catching-up', 'live', [FULL_HD]],
  ['notices', 'live', 'live', [FULL_HD]],
  ['sources', 'live', 'live', [FULL_HD]],
  ['gaps', 'live', 'live', [FULL_HD]],
  ['orders', 'live', 'live', [FULL_HD, ULTRA_HD]],
  ['orders-down', 'down', 'waiting', [FULL_HD]],
  ['orders-catching-up', 'catching-up', 'live', [FULL_HD]],
  ['orders-unknown', 'unknown', 'connecting', [FULL_HD]],
])
export async function looks() {
  const looks = SCENARIOS.flatMap(([query, freshness, phase, sizes]) =>
    sizes.map(
      (size) => () =>
        check(`${query} at ${size.width}×${size.height}: ${freshness}, whole and readable`, () =>
          on_page(`scenario=${query}`, size, async (page) => {
            await page.waitForTimeout(400)
            assert.deepEqual(await freshnesses(page), [freshness])
            assert.equal(await page.getAttribute('[data-source]', 'data-phase'), phase)
            await assert_readable(page)
            if (freshness === 'refused') {
              assert.equal(
                (await page.$$('[data-widget="departed"] [data-value]')).length,
                0,
                'a refused value is hidden',
              )
            }
            if (freshness === 'unknown') {
              assert.equal(await page.textContent('[data-kind="counter"] [data-value]'), '----')
              assert.equal(await page.getAttribute('[data-kind="counter"] [data-value]', 'data-value'), '')
              await assert_unknown(page)
            }
          }),
        ),
    ),
  )
  // Two at a time: none of these measures time.
  const lane = async () => {
    for (let look = looks.shift(); look !== undefined; look = looks.shift()) await look()
  }
  await Promise.all([lane(), lane()])

  await check('numbers, rows, tiles, points and markers can be read by a program', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await page.waitForTimeout(500)
      assert.match((await page.getAttribute('[data-widget="departed"] [data-value]', 'data-value')) ?? '', /^\d+$/)
      assert.match((await page.getAttribute('[data-widget="on-time"] [data-value]', 'data-value')) ?? '', /^0\.\d+$/)
      assert.ok((await page.$$('[data-widget="board"] [data-key]')).length > 10)
      assert.equal((await page.$$('[data-widget="airports"] [data-key][data-state]')).length, 3)
      assert.ok(Number(await page.getAttribute('[data-markers]', 'data-markers')) > 10)
      assert.equal(await page.getAttribute('[data-unplaced]', 'data-unplaced'), '1')
      assert.ok(Number(await page.getAttribute('[data-clusters]', 'data-clusters')) > 0)
      assert.match(
        (await page.getAttribute('[data-widget="delay-chart"] [data-points]', 'data-points')) ?? '',
        /^\d+ \d+ \d+$/,
      )
    }),
  )

  await check('stale is told without colour: a hatch, a word, a counting age; change and sparkline are gone', () =>
    on_page('scenario=stale', FULL_HD, async (page) => {
      const age = () => page.textContent('[data-widget="departed"] .age')
      const before = await age()
      assert.equal((await page.$$('[data-hatch]')).length, (await page.$$('[data-widget]')).length)
      assert.equal((await page.$$('[data-change], .spark')).length, 0)
      await page.waitForTimeout(1_300)
      assert.notEqual(await age(), before)
      assert.equal(await page.evaluate(() => document.getAnimations().length), 0)
    }),
  )

  await check('what may be incomplete says so: a count by ≥, gauges, rows and means by a mark', () =>
    on_page('scenario=gaps', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const marked = await page.$$eval('[data-widget]', (all) =>
        all.map((one) => [
          one.getAttribute('data-kind'),
          one.querySelector('.least') !== null,
          one.querySelector('[data-lacks]')?.getAttribute('data-lacks') ?? null,
        ]),
      )
      assert.match((await page.textContent('[data-source]')) ?? '', /lost 3 times in 24 h, the last: filled by replay/)
      for (const [kind, least, lacks] of marked) {
        assert.equal(least, kind === 'counter', `≥ at a ${kind}`)
        if (['counter', 'series'].includes(String(kind))) assert.equal(lacks, null, `mark at a ${kind}`)
        else assert.match(String(lacks), /^since \d\d:\d\d:\d\d$/, `mark at a ${kind}`)
      }
    }),
  )

  await check('of several sources that are live each says so whole, with how its events come where there is room', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const said = () => page.$$eval('[data-source] .words', (all) => all.map((one) => one.textContent?.trim() ?? ''))
      assert.match((await said()).join(), /live by WebSocket/)
      const titles = ['Plant control', 'Tower radar', 'Town weather']
      await say(
        page,
        `sources: ${JSON.stringify(titles)}.map((title, at) => ({ ...frame.sources[0], title, id: at === 0 ? frame.sources[0].id : title }))`,
      )
      await page.waitForFunction(() => document.querySelectorAll('[data-source]').length === 3)
      assert.deepEqual(
        (await said()).map((text) => text.replace(/\s+/g, ' ')),
        titles.map((title) => `${title} live`),
      )
    }),
  )

  await check('a number that two sources give differently shows both, and says so without colour', () =>
    on_page('scenario=disputed', FULL_HD, async (page) => {
      await page.waitForSelector('[data-agreement="disputed"]')
      for (const panel of await page.$$('[data-agreement="disputed"]')) {
        assert.match((await panel.textContent()) ?? '', /disputed/i)
        const said = await panel.$$eval('[data-says]', (all) =>
          all.map((one) => [
            one.getAttribute('data-name'),
            Number(one.querySelector('[data-value]')?.getAttribute('data-value')),
          ]),
        )
        assert.deepEqual(
          said.map(([name]) => name),
          ['Gate system', 'Radar'],
        )
        assert.equal(Math.round(Number(said[1]?.[1]) - Number(said[0]?.[1])), 17)
        assert.equal((await panel.$$('.spark, [data-change]')).length, 0)
      }
      const unchecked = await page.$$eval('[data-agreement="unchecked"]', (all) =>
        all.map((one) => one.querySelector('[data-lacks]')?.getAttribute('data-lacks')),
      )
      assert.ok(unchecked.length > 0)
      assert.ok(unchecked.every((text) => text === 'not compared'))
      await assert_readable(page, 5)
    }),
  )

  for (const size of [FULL_HD, ULTRA_HD]) {
    await check(`a board of one counter fills the screen at ${size.width}×${size.height}`, () =>
      on_page('scenario=one', size, async (page) => {
        await all_become(page, 'live')
        await assert_readable(page, 5)
        const panel = await page.locator('[data-widget]').boundingBox()
        const digits = await page.locator('[data-widget] .value').boundingBox()
        assert.ok(panel !== null && panel.width > size.width * 0.95 && panel.height > size.height * 0.8)
        assert.ok(digits !== null && digits.height > size.height * 0.35, `digits are ${digits?.height} px high`)
      }),
    )
  }

  await check('what overflows in the title keeps its descenders', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      const line = await page.$eval('h1', (one) => one.clientHeight / Number.parseFloat(getComputedStyle(one).fontSize))
      assert.ok(line >= 1.17, `a line of ${line} em`)
    }),
  )

  await check('the end of a long notice can be read', () =>
    on_page('scenario=notices', FULL_HD, async (page) => {
      assert.match((await page.textContent('[data-notice="board"]')) ?? '', /did you mean `counter`\?\s*$/)
    }),
  )

  await check(
    'where the web view does not know the board’s time zone, the clock says UTC and a notice stays (H1)',
    () =>
      on_page('scenario=notices&timezone=America/Gotham', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const notice = await page.textContent('[data-notice="time-zone"]')
        assert.match(notice ?? '', /All times are UTC.*does not know the time zone America\/Gotham.*Update/s)
        assert.match((await page.textContent('.clock .time')) ?? '', /^\d\d:\d\d\s*UTC$/)
        // The notices of the backend stand as well.
        assert.equal((await page.$$('[data-notice]')).length, 3)
        await assert_readable(page)
        await page.keyboard.press('b')
        await page.waitForSelector('[data-past-bar]')
        assert.match((await page.textContent('[data-past-clock]')) ?? '', /^\s*\d\d:\d\d:\d\d\s*UTC\s*$/)
        assert.equal((await page.$$('[data-notice="time-zone"]')).length, 1)
      }),
  )

  await check('a zone that is known says nothing of itself', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      assert.equal(await page.$('[data-zone], [data-notice]'), null)
    }),
  )
}
