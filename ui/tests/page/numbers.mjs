/** Numbers keep their size and can be read in panels of any size, whatever becomes of their link. */
import assert from 'node:assert/strict'
import { all_become, assert_readable, check, FULL_HD, on_page } from './harness.mjs'

export async function numbers() {
  for (const age_ms of [4_000, 11_000, 45_000, 125_000, 3_540_000, 90_000_000]) {
    for (const scenario of ['down', 'stale', 'catching-up', 'refused']) {
      await check(`${scenario} for ${age_ms / 1000} s is said whole in the lowest panels, in two lines`, () =>
        on_page(`scenario=${scenario}&age=${age_ms}`, FULL_HD, async (page) => {
          await all_become(page, scenario)
          await assert_readable(page)
          const said = await page.$$eval('.single .what', (all) =>
            all.map((what) => {
              const box = (/** @type {string} */ part) => what.querySelector(part)?.getBoundingClientRect()
              const [own, word, age, mark] = [what.getBoundingClientRect(), box('b'), box('.age'), box('svg')]
              return { own, word, age, mark, long: what.querySelector('.age.long') !== null }
            }),
          )
          assert.equal(said.length, 8)
          for (const { own, word, age, mark, long } of said) {
            assert.ok(word && age && mark && mark.width > 10 && mark.height > 10)
            for (const part of [word, age, mark]) {
              assert.ok(part.left >= own.left && part.right <= own.right + 0.5, 'within its place')
              assert.ok(part.top >= own.top - 0.5 && part.bottom <= own.bottom + 0.5, 'within its place')
            }
            const [upper, lower] = scenario === 'catching-up' ? [age, word] : [word, age]
            assert.ok(lower.top >= upper.bottom - 3, 'one below the other')
            if (scenario !== 'catching-up' && !long) assert.equal(age.left, word.left, 'in line')
          }
        }),
      )
    }
  }

  await check('a gauge of any size has a figure that can be read, live or not, and its note gives way first', () =>
    on_page('scenario=gauge', FULL_HD, async (page) => {
      const faults = []
      for (const fault of [null, 'cut']) {
        await page.evaluate((name) => {
          // @ts-expect-error the scripted host stands there
          if (name !== null) return globalThis.__wall.host.demo_fault(name, true)
        }, fault)
        await all_become(page, fault === null ? 'live' : 'down')
        for (const width of [24, 26, 30, 36, 40, 54]) {
          for (let height = 12; height <= 40; height += height < 24 ? 1 : 4) {
            const found = await page.evaluate(async ([wide, high]) => {
              const section = /** @type {HTMLElement} */ (document.querySelector('[data-kind="gauge"]'))
              Object.assign(section.style, { width: `${wide}rem`, height: `${high}rem` })
              for (let frames = 0; frames < 4; frames += 1) await new Promise(requestAnimationFrame)
              const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
              const size = (/** @type {string} */ part) => {
                const one = section.querySelector(part)
                return one?.checkVisibility() === true ? Number.parseFloat(getComputedStyle(one).fontSize) / rem : 0
              }
              const box = (/** @type {string} */ part) => section.querySelector(part)?.getBoundingClientRect()
              const [panel, value] = [box('.panel'), box('.figure .value')]
              const within =
                panel !== undefined &&
                value !== undefined &&
                value.left >= panel.left &&
                value.right <= panel.right &&
                value.top >= panel.top - 1 &&
                value.bottom <= panel.bottom + 1
              const shown = ['.note', '.ends', '.scale > svg'].map((part) => size(part) > 0)
              return { figure: size('.figure'), title: size('.name'), within, shown }
            }, /** @type {const} */ ([width, height]))
            const { figure, title, within, shown } = found
            const said = `${fault ?? 'live'} ${width}×${height}: ${JSON.stringify(found)}`
            if (figure < 2.5 || figure < title || !within) faults.push(said)
            if (height > 15 && figure < 4) faults.push(said)
            const [note, ends, bar] = shown
            if (height > 15 && fault === null && ((note && !ends) || (ends && !bar))) faults.push(said)
          }
        }
      }
      assert.deepEqual(faults, [])
    }),
  )

  await check('a change is judged by word and shape, and a target says how far it is', () =>
    on_page('scenario=sheet&demo=no&kind=counter&state=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      assert.ok((await page.$$('[data-toward="better"]')).length > 0)
      assert.ok((await page.$$('[data-toward="worse"]')).length > 0)
      const shapes = await page.$$eval('[data-toward]', (all) =>
        all.map((one) => ({
          toward: one.getAttribute('data-toward') ?? '-',
          text: one.textContent ?? '',
          pointed: one.querySelector('svg') !== null,
          hollow: one.querySelector('svg.hollow') !== null,
        })),
      )
      for (const { toward, text, pointed, hollow } of shapes) {
        // In the lowest panel by its word alone.
        assert.ok(text.includes(toward), text)
        if (pointed) assert.equal(hollow, toward === 'better')
      }
      assert.equal(await page.textContent('[data-widget="w0"] .deviation'), '−2.6 to target 15')
      assert.match(
        (await page.getAttribute('[data-widget="w0"]', 'aria-label')) ?? '',
        /12\.4 min, 2\.6 below target 15, changed for the better/,
      )
    }),
  )

  await check('an old number has no distance from its target, and its pointer is hollow', () =>
    on_page('scenario=sheet&demo=no&kind=bar&state=stale', FULL_HD, async (page) => {
      await all_become(page, 'stale')
      assert.equal((await page.$$('.deviation, [data-change]')).length, 0)
      const pointers = await page.$$eval('.pointer', (all) => all.map((one) => one.classList.contains('hollow')))
      assert.ok(pointers.length > 0 && pointers.every((hollow) => hollow))
    }),
  )

  for (const scenario of ['live', 'orders', 'pair']) {
    await check(`${scenario}: a number keeps its size when its link goes and comes back`, () =>
      on_page(`scenario=${scenario}`, FULL_HD, async (page) => {
        const sizes = () =>
          page.$$eval('[data-widget] .figure', (all) =>
            all.map((one) => Math.round(Number.parseFloat(getComputedStyle(one).fontSize))),
          )
        await all_become(page, 'live')
        await page.waitForTimeout(300)
        const live = await sizes()
        for (const [fault, freshness] of /** @type {const} */ ([
          ['cut', 'down'],
          ['freeze', 'stale'],
        ])) {
          /** @param {boolean} on */
          const pull = (on) =>
            page.evaluate(([name, is_on]) => {
              // @ts-expect-error the scripted host stands there
              return globalThis.__wall.host.demo_fault(name, is_on)
            }, /** @type {const} */ ([fault, on]))
          await pull(true)
          await all_become(page, freshness)
          await page.waitForTimeout(200)
          assert.deepEqual(await sizes(), live, freshness)
          await pull(false)
          await all_become(page, 'live')
        }
      }),
    )
  }

  await check('what may be incomplete says since when wherever that fits, and the history opens by a click', () =>
    on_page('scenario=orders', FULL_HD, async (page) => {
      await all_become(page, 'live')
      for (const id of ['big', 'lanes', 'open', 'log', 'vans']) {
        assert.match((await page.textContent(`[data-widget="${id}"] [data-lacks]`)) ?? '', /^since \d\d:\d\d:\d\d$/)
      }
      await page.click('[data-lost]')
      await page.waitForSelector('[data-history]')
    }),
  )
}
