/** The night set: it comes and goes with the frames, at once, and is dimmer without being harder to read. */
import assert from 'node:assert/strict'
import { unpng } from '../png.mjs'
import { settled } from '../settled.mjs'
import { all_become, check, FULL_HD, on_page } from './harness.mjs'

/** Of the dark set's light, the most that the night's has. */
const LIGHT_MAX = 0.7
/** Of 255: what a wall of LEDs shows as two. */
const STEPS_MIN = 8
/** As docs/design-language.md has it of what is fixed. */
const FIXED_MAX = 0.35
const KINDS = ['gauge', 'series', 'heat', 'markers', 'table']

/** The light of a channel, as sRGB has it: of 1. @param {number} level of 255 */
function linear(level) {
  const part = level / 255
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}

/** @param {import('../png.mjs').Picture} picture */
function light({ pixels }) {
  let sum = 0
  for (let at = 0; at < pixels.length; at += 4) {
    for (const [channel, weight] of [0.2126, 0.7152, 0.0722].entries()) {
      sum += weight * linear(pixels[at + channel] ?? 0)
    }
  }
  return sum / pixels.length
}

/**
 * What is drawn of the board, without the head line, which shows the time.
 *
 * @param {import('playwright-core').Page} page
 */
async function drawn(page) {
  await page.evaluate(settled)
  return page.locator('.grid').screenshot()
}

/**
 * @param {import('playwright-core').Page} page
 * @param {boolean} night
 */
const turn = (page, night) =>
  page.evaluate(async (is) => {
    const { host } = /** @type {any} */ (globalThis).__wall
    host.night = is
    while (document.documentElement.dataset['theme'] !== (is ? 'night' : 'dark')) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }, night)

export async function night() {
  for (const kind of KINDS) {
    await check(`${kind}: what becomes dark is what was begun dark, and comes back as it was; no fade`, async () => {
      const query = `scenario=sheet&demo=no&kind=${kind}&state=live`
      /** @type {Buffer | undefined} */
      let begun
      await on_page(`${query}&theme=night`, FULL_HD, async (page) => {
        begun = await drawn(page)
      })
      await on_page(query, FULL_HD, async (page) => {
        const dark = await drawn(page)
        await turn(page, true)
        assert.equal(await page.evaluate(() => document.getAnimations().length), 0)
        const became = await drawn(page)
        assert.ok(begun?.equals(became), 'another picture than that of a wall that began at night')
        const part = light(unpng(became)) / light(unpng(dark))
        assert.ok(part < LIGHT_MAX, `${(100 * part).toFixed(0)} % of the dark set's light`)
        await turn(page, false)
        assert.ok(dark.equals(await drawn(page)), 'another picture than before')
      })
    })
  }

  await check('grounds are as far apart as a wall of LEDs needs', () =>
    on_page('scenario=live&theme=night', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const grounds = await page.evaluate(() => {
        const style = getComputedStyle(document.documentElement)
        return ['page', 'panel', 'rule'].map((name) =>
          Number.parseInt(style.getPropertyValue(`--${name}`).trim().slice(1, 3), 16),
        )
      })
      for (const [at, ground] of grounds.slice(1).entries())
        assert.ok(ground - (grounds[at] ?? 0) >= STEPS_MIN, grounds.join())
    }),
  )

  for (const theme of ['dark', 'night']) {
    await check(
      `what stands at one place for years has at most ${100 * FIXED_MAX} % of the screen's light (${theme})`,
      () =>
        on_page(`scenario=live&theme=${theme}`, FULL_HD, async (page) => {
          await all_become(page, 'live')
          const colours = await page.$$eval('h1, [data-widget] h2', (all) =>
            all.map((one) => getComputedStyle(one).color),
          )
          assert.ok(colours.length > 10, `${colours.length} titles`)
          for (const colour of new Set(colours)) {
            const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map((one) => linear(Number(one)))
            const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
            assert.ok(light <= FIXED_MAX, `${colour}: ${light.toFixed(2)}`)
          }
        }),
    )
  }
}
