/** Nothing on the wall jumps, and nothing of it grows with time. */
import assert from 'node:assert/strict'
import { all_become, check, FULL_HD, on_page } from './harness.mjs'

const WATCHED_MS = 5_000
/** What has a place of its own. What moves within it because its own words changed is no jump. */
const PLACED = [
  'main, header, h1, .clock, .count, [data-widget], .panel, h2, .name, .note, .body, .box, .scale, .ends, canvas, .plot',
  '.heading, .heading > span, .trend, ul, ol, li > .label, li > .detail',
].join(', ')

export async function still() {
  for (const scenario of ['live', 'alarms', 'orders', 'rush', 'busy&rate=10000&hurry=60']) {
    await check(`${scenario}: nothing jumps, and nothing is left behind`, () =>
      on_page(`scenario=${scenario}`, FULL_HD, async (page) => {
        await all_become(page, 'live')
        await page.waitForTimeout(1_000)
        const seen = await page.evaluate(async ([watched_ms, placed]) => {
          /** @type {Set<string>} */
          const jumps = new Set()
          const observer = new PerformanceObserver((list) => {
            for (const { sources } of /** @type {any[]} */ (list.getEntries())) {
              for (const { node } of sources)
                if (node instanceof Element && node.matches(placed)) jumps.add(node.outerHTML.slice(0, 120))
            }
          })
          observer.observe({ type: 'layout-shift' })
          const elements = () => document.querySelectorAll('*').length
          const before = elements()
          await new Promise((resolve) => setTimeout(resolve, watched_ms))
          observer.disconnect()
          return { jumps: [...jumps], before, after: elements() }
        }, /** @type {const} */ ([WATCHED_MS, PLACED]))
        assert.deepEqual(seen.jumps, [])
        assert.ok(seen.after <= seen.before * 1.05, `${seen.before} elements became ${seen.after}`)
      }),
    )
  }
}
