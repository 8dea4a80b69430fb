/** The page in other languages: in one for tests, whose texts stand between brackets, what isn't from a message file stands out. */
import assert from 'node:assert/strict'
import { settled } from '../settled.mjs'
import { all_become, assert_readable, check, FULL_HD, on_page, say } from './harness.mjs'

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

  await check('where a language’s words can’t be loaded, the wall is English and says so', () =>
    on_page(
      'scenario=live&language=de',
      FULL_HD,
      async (page) => {
        await all_become(page, 'live')
        const notice = await page.textContent('[data-notice="language"]')
        assert.match(notice ?? '', /The texts of the language de could not be loaded: they are English/)
        assert.match((await page.textContent('.count')) ?? '', /16 of 16 live/)
        await assert_readable(page)
      },
      {
        before: async (page) => {
          await page.route(/\/assets\/de-[^/]*\.js$/, (route) =>
            route.fulfill({ body: 'throw new Error("torn")', contentType: 'text/javascript' }),
          )
        },
      },
    ),
  )

  for (const kind of ['table', 'grouped', 'log', 'markers', 'status', 'timeline', 'tally', 'text']) {
    await check(`right to left: a ${kind} sets each text by its own direction, and turns nothing beside it`, () =>
      on_page(`scenario=sheet&demo=no&kind=${kind}&state=rtl`, FULL_HD, async (page) => {
        await page.evaluate(settled)
        const { bare, count, direction, loose } = await page.evaluate(() => {
          const rtl = /[\u0590-\u08ff]/
          const bare = []
          let count = 0
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
          for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
            const text = node.textContent ?? ''
            const element = node.parentElement
            if (!rtl.test(text) || element === null || element.closest('[data-spoken]') !== null) continue
            count += 1
            const sets_own = (/** @type {Element | null} */ up) =>
              up !== null && /plaintext|isolate/.test(getComputedStyle(up).unicodeBidi)
            if (element.closest('bdi, [dir="auto"]') === null && !sets_own(element) && !sets_own(element.parentElement))
              bare.push(text)
          }
          const written = /** @type {{ __written?: WeakMap<Element, { text: string }[]> }} */ (globalThis).__written
          const loose = []
          for (const canvas of document.querySelectorAll('canvas'))
            for (const { text } of written?.get(canvas) ?? []) {
              if (!rtl.test(text)) continue
              count += 1
              // Beside something else it stands by itself.
              const isolated = text.replace(/[\u2066-\u2068][^\u2069]*\u2069/g, '')
              if (rtl.test(isolated) && /[\u2066-\u2069]/.test(text)) loose.push(text)
            }
          return { bare, count, loose, direction: getComputedStyle(document.body).direction }
        })
        assert.ok(count >= 3, `only ${count} texts from right to left`)
        assert.deepEqual([bare, loose, direction], [[], [], 'ltr'])
        await assert_readable(page, 10)
      }),
    )
  }

  await check('right to left: a number beside a name, and the parts of a row, stay where they are', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      /** Where the cells of the first row stand, in the order of the columns. */
      const places = () =>
        page.$$eval('[data-widget="board"] [data-key]', (rows) =>
          [...(rows[0]?.children ?? [])].map((one) => Math.round(one.getBoundingClientRect().x)),
        )
      await say(
        page,
        `widgets: frame.widgets.map((one) => one.id !== 'board' || one.value === null ? one : { ...one, value: { ...one.value,
          rows: one.value.rows.map((row) => ({ ...row, cells: row.cells.map((cell) =>
            cell.is === 'text' ? { is: 'text', as: '12 \u05e7\u05d5 (A-3) \u0639\u0631\u0628\u064a 7' } : cell) })) } })`,
      )
      await page.waitForFunction(() =>
        /\u05e7\u05d5/.test(document.querySelector('[data-widget="board"]')?.textContent ?? ''),
      )
      const after = await places()
      assert.ok(after.length >= 3)
      assert.deepEqual(
        after,
        [...after].sort((a, b) => a - b),
      )
      await assert_readable(page)
    }),
  )

  await check(
    'a board’s language and locale are those of its wall, whatever the machine’s; read again, they change at once',
    () =>
      on_page('scenario=live&board-locale=de-AT', FULL_HD, async (page) => {
        await all_become(page, 'live')
        assert.match((await page.textContent('.count')) ?? '', /16 von 16 live/)
        assert.match((await page.textContent('.clock .date')) ?? '', /^(Freitag|Samstag)/)
        /** @param {{ language?: string, locale?: string }} speech */
        const reload = (speech) =>
          page.evaluate((to) => {
            const { __wall } = /** @type {{ __wall?: { host: { reload: (speech: object) => void } } }} */ (
              /** @type {unknown} */ (globalThis)
            )
            __wall?.host.reload(to)
          }, speech)
        const says = (/** @type {string} */ text) =>
          page.waitForFunction((part) => document.querySelector('.count')?.textContent?.includes(part) ?? false, text)
        await reload({ language: 'en', locale: 'en-US' })
        await says('16 of 16 live')
        assert.match((await page.textContent('.clock .time')) ?? '', /^\d{1,2}:\d\d\s*[AP]M$/)
        await assert_readable(page)
        await reload({ language: 'de', locale: 'de-CH' })
        await says('16 von 16 live')
        await all_become(page, 'live')
        await assert_readable(page)
      }),
  )

  for (const scenario of ['live', 'down', 'gaps', 'notices', 'sources', 'disputed'])
    await check(`a board that is read again in another language leaves no word of the one before: ${scenario}`, () =>
      on_page(`scenario=${scenario}&board-locale=en-XA`, FULL_HD, async (page) => {
        await page.waitForFunction(() => document.body.textContent.includes('⟦'))
        await page.evaluate(() => {
          const { __wall } = /** @type {{ __wall?: { host: { reload: (speech: object) => void } } }} */ (
            /** @type {unknown} */ (globalThis)
          )
          __wall?.host.reload({ language: 'en', locale: 'en' })
        })
        // In the document with its attributes, and on canvases once they are drawn anew.
        await page.waitForFunction(() => {
          const { __written } = /** @type {{ __written?: WeakMap<Element, { text: string }[]> }} */ (globalThis)
          const drawn = [...document.querySelectorAll('canvas')].flatMap((one) => __written?.get(one) ?? [])
          return ![document.documentElement.outerHTML, ...drawn.map(({ text }) => text)].some((one) =>
            one.includes('⟦'),
          )
        })
        await assert_readable(page)
      }),
    )

  await check(
    'what the backend says, by codes or in English, is said in the language of the wall; another’s own words stay as they are',
    () =>
      on_page('scenario=down&language=de', FULL_HD, async (page) => {
        await all_become(page, 'down')
        assert.match(
          (await page.textContent('[data-source]')) ?? '',
          /vor 12 s verloren: Verbindung unter.* … .*schlossen, nächster Versuch in 20 s/,
        )
        const labels = await page.$$eval('[data-widget]', (all) =>
          all.map((one) => one.getAttribute('aria-label') ?? ''),
        )
        assert.ok(
          labels.every((label) =>
            label.includes('Verbindung verloren: Verbindung abgewiesen, nächster Versuch in 3 s'),
          ),
          labels[0],
        )
        await say(
          page,
          `notices: [{ id: 'file', state: 'warning', text: 'a.toml is gone: the last good board goes on',
        said: { code: 'board-gone', file: 'a.toml' }, detail: [] }]`,
        )
        await page.waitForFunction(() =>
          document.querySelector('[data-notice="file"]')?.textContent?.includes('a.toml ist verschwunden'),
        )
      }),
  )
}
