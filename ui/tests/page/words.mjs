/** The page in other languages: in one for tests, whose texts stand between brackets, what isn't from a message file stands out. */
import assert from 'node:assert/strict'
import { all_become, check, FULL_HD, on_page } from './harness.mjs'

/** Texts of a page that are no data: its list of keys, and the word of each panel's link. */
const TOLD = '[data-keys] h2, [data-keys] dd, [data-lost], .what > b'

export async function words() {
  await check('in the language for tests all that the page says of itself is from its message file', () =>
    on_page('scenario=live&language=en-XA', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('?')
      await page.waitForSelector('[data-keys]')
      const texts = await page.$$eval(TOLD, (all) => all.map((one) => one.textContent?.trim() ?? ''))
      assert.ok(texts.length > 15, String(texts.length))
      assert.deepEqual(
        texts.filter((text) => text !== '' && !text.startsWith('⟦')),
        [],
      )
      const titles = await page.$$eval(
        'header [title], [data-proof-of-life][aria-label], nav[aria-label], [role=dialog]',
        (all) =>
          all
            .filter((one) => !one.hasAttribute('data-source'))
            .map((one) => one.getAttribute('title') ?? one.getAttribute('aria-label') ?? ''),
      )
      assert.deepEqual(
        titles.filter((text) => !text.includes('⟦')),
        [],
      )
    }),
  )

  await check('a wall in German says what it knows in German, and writes numbers as people there do', () =>
    on_page('scenario=live&language=de', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const labels = await page.$$eval('[data-widget]', (all) => all.map((one) => one.getAttribute('aria-label') ?? ''))
      assert.ok(
        labels.some((label) => /\d (Zeilen|Marken|Balken|Kacheln)/.test(label)),
        labels.join('\n'),
      )
      assert.ok(
        labels.some((label) => /Warnung|Alarm/.test(label)),
        labels.join('\n'),
      )
      assert.ok(!labels.some((label) => /\b(rows|warning|target|changed for)\b/.test(label)), labels.join('\n'))
      assert.ok(!(await page.$('[data-notice="language"]')))
    }),
  )
}
