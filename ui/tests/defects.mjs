/**
 * The checks' own test: a deliberate defect of each kind is put on a sound page, and the check that is there for it must say so, at 1080p, at
 * 4K and in portrait, in both engines. A check that finds nothing on a sound wall proves little by itself.
 *
 *   node tests/defects.mjs [--quick]
 */
import assert from 'node:assert/strict'
import { SIZES } from './cases.mjs'
import { compared, scaled } from './compare.mjs'
import { arc_of, read_glass } from './glass.mjs'
import { check, finish, on_page } from './page/harness.mjs'
import { png, unpng } from './png.mjs'
import { settled } from './settled.mjs'
import { KEPT_COLOURS, KEPT_SCALE, TONE_MAX, UNLIKE_MAX } from './sheet-limits.mjs'
import { slope } from './slope.mjs'
import { webkit } from './webkit.mjs'

/** @typedef {import('./webkit.mjs').View} View */
/** @typedef {Exclude<keyof import('./glass.mjs').Glass, 'texts' | 'scrolls' | 'smallest' | 'smallest_px'>} Finding */

/**
 * What is done to the page, as a style sheet or a script, and what must find it. `text` is of what is then found.
 *
 * @type {readonly { what: string, kind: string, css?: string, run?: () => void, finding: Finding | 'scrolls', text?: RegExp }[]}
 */
const DEFECTS = [
  {
    what: 'a label in the colour of its ground',
    kind: 'counter',
    css: '.name { color: var(--panel) !important }',
    finding: 'faint',
    text: /Shape/,
  },
  {
    what: 'a value in the colour of labels',
    kind: 'counter',
    css: '.figure .value { color: var(--minor) !important }',
    finding: 'faint',
    text: /12\.4/,
  },
  { what: 'a body that is half see-through', kind: 'status', css: '.body { opacity: 0.35 }', finding: 'faint' },
  {
    what: 'a text below the least size',
    kind: 'table',
    css: '[data-widget="w0"] .name { font-size: 2rem !important }',
    finding: 'small',
    text: /Shape 4 by 3/,
  },
  {
    what: 'a text that is shrunk from outside',
    kind: 'log',
    css: '[data-widget="w0"] { transform: scale(0.7) }',
    finding: 'small',
  },
  {
    what: 'a text that leaves its panel',
    kind: 'counter',
    css: '[data-widget="w6"] .figure { transform: translateY(60rem) }',
    finding: 'clipped',
  },
  {
    what: 'a number that is cut',
    kind: 'gauge',
    css: '[data-widget="w0"] .body { width: 6rem !important; overflow: hidden }',
    finding: 'clipped',
  },
  {
    what: 'a mark outside its panel',
    kind: 'counter',
    css: '[data-widget="w3"] .what > svg { transform: translateX(9rem) }',
    finding: 'clipped',
    text: /w3/,
  },
  {
    what: 'a text upon another',
    kind: 'counter',
    css: '[data-widget="w0"] .note { position: absolute; left: 3rem }',
    finding: 'overlapping',
    text: /over the last hour/,
  },
  {
    what: 'a mark upon a text',
    kind: 'counter',
    css: '[data-widget="w0"] .what > svg { transform: translateX(2rem) }',
    finding: 'overlapping',
    text: /mark/,
  },
  {
    what: 'one panel upon another',
    kind: 'log',
    run: () => {
      const [one, other] = ['w5', 'w0'].map(
        (id) => /** @type {HTMLElement} */ (document.querySelector(`[data-widget="${id}"]`)),
      )
      const [from, to] = [one?.getBoundingClientRect(), other?.getBoundingClientRect()]
      one?.style.setProperty('translate', `${to.x - from.x + 20}px ${to.y - from.y + 4}px`)
    },
    finding: 'overlapping',
    text: /w5/,
  },
  {
    what: 'a wall that is larger than its glass',
    kind: 'counter',
    css: 'html, body { height: 120% !important; overflow: visible !important }',
    finding: 'scrolls',
  },
  {
    what: 'a canvas whose words are faint, small, or upon each other',
    kind: 'series',
    run: () => {
      const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('.grid canvas'))
      const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
      pen.font = '8px Roboto'
      pen.fillStyle = '#333333'
      for (const word of ['first', 'other']) pen.fillText(word, 60, 60)
    },
    finding: 'faint',
    text: /first/,
  },
]

/**
 * What must change a picture so much that nobody would keep it: the smallest things that mean something.
 *
 * @type {readonly { what: string, kind: string, state: string, css: string }[]}
 */
const OTHER_LOOKS = [
  {
    what: 'the mark of live is gone',
    kind: 'counter',
    state: 'live',
    css: '[data-widget="w1"] .what > svg { visibility: hidden }',
  },
  { what: 'the hatch is gone', kind: 'counter', state: 'down', css: '[data-hatch] { display: none }' },
  {
    what: 'the dashed edge is gone',
    kind: 'table',
    state: 'down',
    css: '.panel { border-color: transparent !important }',
  },
  {
    what: 'an alarm looks like a warning',
    kind: 'status',
    state: 'live',
    css: ':root { --alarm: var(--warning) !important }',
  },
  { what: 'a state’s mark is gone', kind: 'table', state: 'live', css: '.body svg { visibility: hidden }' },
  { what: 'panels have no ground', kind: 'log', state: 'live', css: ':root { --panel: var(--page) !important }' },
  {
    what: 'what is known no more looks as if it were',
    kind: 'counter',
    state: 'down',
    css: ':root { --stale: var(--value) !important }',
  },
  {
    what: 'a body stands four pixels elsewhere',
    kind: 'counter',
    state: 'live',
    css: '.body { transform: translate(0.4rem, 0.4rem) }',
  },
]

const quick = process.argv.includes('--quick')

/**
 * @param {View} page
 * @param {string} css
 */
const dress = (page, css) =>
  page.evaluate((rules) => {
    // As the policy allows: a style sheet that a script makes.
    const sheet = new CSSStyleSheet()
    for (const rule of rules.split(/(?<=\})\s*/)) if (rule !== '') sheet.insertRule(rule)
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  }, css)

/** @param {View} page */
const undress = (page) =>
  page.evaluate(() => {
    document.adoptedStyleSheets = []
  })

/**
 * @param {string} engine
 * @param {import('./webkit.mjs').OnPage} on
 */
async function try_all(engine, on) {
  for (const [size, glass] of Object.entries(SIZES).slice(0, quick ? 1 : undefined)) {
    for (const kind of new Set(DEFECTS.map((defect) => defect.kind))) {
      await check(`defects: ${engine}: ${size}: ${kind}: each is found`, () =>
        on(`scenario=sheet&demo=no&kind=${kind}&state=live`, glass, async (page) => {
          await page.evaluate(settled)
          for (const { what, css, run, finding, text } of DEFECTS.filter((defect) => defect.kind === kind)) {
            const before = await page.evaluate(read_glass)
            assert.ok(finding === 'scrolls' ? !before.scrolls : before[finding].length === 0, `before: ${what}`)
            if (css !== undefined) await dress(page, css)
            if (run !== undefined) await page.evaluate(run)
            const { scrolls, ...found } = await page.evaluate(read_glass)
            if (finding === 'scrolls') assert.ok(scrolls, `${what} is not found`)
            else
              assert.ok(
                found[finding].some((one) => text?.test(one) ?? true),
                `${what} is not found: ${found[finding].join('; ')}`,
              )
            await undress(page)
          }
        }),
      )
    }
  }
  // In a moment as much as it takes to know that pictures are compared at all.
  for (const { what, kind, state, css } of OTHER_LOOKS.slice(0, quick ? 2 : undefined)) {
    await check(`defects: ${engine}: it is seen that ${what}`, () =>
      on(`scenario=sheet&demo=no&kind=${kind}&state=${state}`, SIZES['1080p'], async (page) => {
        await page.evaluate(settled)
        const small = async () => scaled(unpng(await page.screenshot()), SIZES['1080p'].width / KEPT_SCALE)
        const kept = unpng(png(await small(), KEPT_COLOURS))
        const again = compared(await small(), kept)
        assert.ok(
          again.most <= UNLIKE_MAX && again.tone <= TONE_MAX,
          `as it is: ${again.most} pixels, tone ${again.tone}`,
        )
        await dress(page, css)
        const { most, tone } = compared(await small(), kept)
        assert.ok(most > UNLIKE_MAX || tone > TONE_MAX, `${most} pixels, tone ${tone}`)
      }),
    )
  }
}

await check('defects: capitals of 2.5 rem have 9′ from 5 m on 65 inches at 1080p', async () => {
  assert.equal(arc_of(25 / 1.334, 5_000).toFixed(1), '9.2')
})
await check('defects: what grows is told from what trembles', async () => {
  const tremble = [0.3, -0.2, 0.1, -0.4, 0.2, 0.05, -0.1, 0.3, -0.3, 0.1]
  const still = slope(tremble.map((off, at) => [at / 10, 100 + off]))
  assert.ok(still.low < 0 && still.high > 0)
  const grows = slope(tremble.map((off, at) => [at / 10, 100 + at / 2 + off]))
  assert.ok(grows.low > 3 && grows.high < 7, JSON.stringify(grows))
})

try {
  const browser = await webkit()
  try {
    await Promise.all([try_all('chromium', on_page), try_all('webkitgtk', browser.on_page)])
  } finally {
    await browser.close()
  }
} finally {
  await finish()
}
