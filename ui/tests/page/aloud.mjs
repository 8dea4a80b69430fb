/** Who hears the wall hears each value with its state, and at once when it can't be believed any more. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page, say } from './harness.mjs'

export async function aloud() {
  await check(
    'each panel is a group that says its title, its value and its state, and what changes is said aloud',
    () =>
      on_page('scenario=live', FULL_HD, async (page) => {
        await all_become(page, 'live')
        await page.waitForTimeout(1_200)
        const labels = await page.$$eval('[data-widget]', (all) =>
          all.map((one) => one.getAttribute('aria-label') ?? ''),
        )
        assert.equal(labels.length, 16)
        assert.ok(
          labels.every((label) => /^.+: .+/.test(label)),
          labels.join('\n'),
        )
        assert.ok(
          labels.some((label) => /^Cancelled today: \d+, warning$/.test(label)),
          labels.join('\n'),
        )
        const regions = await page.$$('[aria-live="polite"]')
        assert.equal(regions.length, 1)
        await page.evaluate(() => {
          // @ts-expect-error the scripted host stands there
          return globalThis.__wall.host.demo_fault('cut', true)
        })
        await all_become(page, 'down')
        await page.waitForFunction(() =>
          /down \d+ s.*more$/.test(document.querySelector('[data-spoken]')?.textContent ?? ''),
        )
        await page.waitForFunction(() =>
          [...document.querySelectorAll('[data-widget]')].every((one) =>
            /, down/.test(one.getAttribute('aria-label') ?? ''),
          ),
        )
      }),
  )

  await check('a notice of what is missing never wears the tick of what is done', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await say(page, `notices: [{ id: 'odd', state: 'muted', text: 'no notification can be shown', detail: [] }]`)
      const notice = await page.waitForSelector('[data-notice="odd"] svg')
      assert.match((await notice.getAttribute('class')) ?? '', /^note\b/)
      await assert_readable(page)
    }),
  )
}
