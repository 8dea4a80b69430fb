/**
 * Whoever sees colours otherwise must tell the wall's states apart as well: of every two, either the colours differ enough to an eye
 * without one of its three cones, or the marks do without any colour; lines of a chart by their dashes.
 * Computed from colours and marks, and then from pictures of widgets as such an eye sees them.
 *
 *   node tests/blind.mjs [--quick]
 */
import assert from 'node:assert/strict'
import { CASES, SIZES } from './cases.mjs'
import { scaled } from './compare.mjs'
import { DISTANCE_MIN, distance as distance_of, EYES, part_apart } from './eyes.mjs'
import { check, finish, FULL_HD, on_page } from './page/harness.mjs'
import { unpng } from './png.mjs'
import { settled } from './settled.mjs'

/** Of the pixels that either of two marks covers, the part in which they must differ. */
const MASK_SHARE_MIN = 0.25
const MASK_PX = 24

/** @param {string} hex */
const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))
/**
 * @param {string} one
 * @param {string} other
 * @param {number[][]} eye
 */
const distance = (one, other, eye) => distance_of(rgb(one), rgb(other), eye)

/**
 * The pixels that each mark covers, without its colour.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 */
const masks = (page, selector) =>
  page.$$eval(
    selector,
    async (all, px) => {
      /** @type {Record<string, number[]>} */
      const found = {}
      for (const one of all) {
        const name = /** @type {SVGElement} */ (one).classList[0] ?? ''
        if (name in found) continue
        const copy = /** @type {SVGElement} */ (one.cloneNode(true))
        copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
        const [from, to] = [one, copy].map((svg) => [svg, ...svg.querySelectorAll('*')])
        for (const [at, shape] of from.entries()) {
          const style = getComputedStyle(shape)
          const black = (/** @type {string} */ paint) => (paint === 'none' ? 'none' : '#000')
          to[at]?.setAttribute('fill', black(style.fill))
          to[at]?.setAttribute('stroke', black(style.stroke))
          to[at]?.setAttribute('stroke-width', style.strokeWidth)
          to[at]?.setAttribute('stroke-dasharray', style.strokeDasharray)
        }
        copy.setAttribute('fill', 'none')
        copy.setAttribute('stroke', 'none')
        const canvas = document.createElement('canvas')
        canvas.width = canvas.height = px
        const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
        pen.scale(px / 24, px / 24)
        pen.translate(12, 12)
        for (const shape of copy.querySelectorAll('circle, path')) {
          const path = new Path2D(shape.getAttribute('d') ?? undefined)
          if (shape.tagName === 'circle') path.arc(0, 0, Number(shape.getAttribute('r')), 0, 2 * Math.PI)
          pen.setLineDash((shape.getAttribute('stroke-dasharray')?.match(/[\d.]+/g) ?? []).map(Number))
          pen.lineWidth = Number.parseFloat(shape.getAttribute('stroke-width') ?? '1')
          if (shape.getAttribute('fill') !== 'none') pen.fill(path)
          if (shape.getAttribute('stroke') !== 'none') pen.stroke(path)
        }
        const { data } = pen.getImageData(0, 0, px, px)
        found[name] = Array.from({ length: px * px }, (_, at) => ((data[4 * at + 3] ?? 0) > 127 ? 1 : 0))
      }
      return found
    },
    MASK_PX,
  )

/**
 * @param {number[] | undefined} one
 * @param {number[] | undefined} other
 */
function masks_differ(one, other) {
  if (one === undefined || other === undefined) return false
  let [either, unlike] = [0, 0]
  for (const [at, is] of one.entries()) {
    if (is || other[at]) either += 1
    if (is !== other[at]) unlike += 1
  }
  return either > 0 && unlike / either >= MASK_SHARE_MIN
}

/** @param {import('playwright-core').Page} page */
const tokens = (page) =>
  page.evaluate(() => {
    const style = getComputedStyle(document.documentElement)
    const names = [
      'alarm',
      'warning',
      'quality',
      'value',
      'minor',
      'past',
      'drill',
      ...[1, 2, 3, 4, 5, 6].map((at) => `line-${at}`),
    ]
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]))
  })

/** The colour that each mark has. */
const COLOUR_OF = {
  states: { alarm: 'alarm', warning: 'warning', unknown: 'quality', normal: 'minor', muted: 'minor' },
  freshnesses: {
    live: 'minor',
    polling: 'minor',
    'catching-up': 'quality',
    stale: 'quality',
    down: 'quality',
    refused: 'quality',
    unknown: 'quality',
  },
}

/**
 * @template Value
 * @param {readonly Value[]} all
 */
const pairs = (all) => all.flatMap((one, at) => all.slice(at + 1).map((other) => /** @type {const} */ ([one, other])))

/** Which part of a wall must look otherwise in two states, and of what the usual eye sees otherwise. */
const APART_MIN = 0.004
const APART_SHARE_MIN = 0.6
/** @type {readonly ('dark' | 'light' | 'night')[]} */
const THEMES = ['dark', 'light', 'night']
const DARK = THEMES.slice(0, 1)
const FRESHNESSES = ['live', 'stale', 'down', 'refused', 'unknown']
/** All that tells a freshness without a hue is taken away, and hues are put in its place that are one to whoever has no middle cone. */
const HUE_ALONE = {
  common: `.what, .reason, .hidden, header { visibility: hidden } [data-hatch] { display: none } .panel { border-style: none !important }
    .body, .body * { color: #999 !important }`,
  of: { live: '.body { background: #7a8a2a }', stale: '.body { background: #b07818 }' },
}

/**
 * A kind's wall in a state, at half of its size.
 *
 * @param {string} kind
 * @param {string} state
 * @param {'dark' | 'light' | 'night'} theme
 * @param {string} [css]
 */
async function picture(kind, state, theme, css) {
  /** @type {import('./png.mjs').Picture | undefined} */
  let found
  await on_page(`scenario=sheet&demo=no&kind=${kind}&state=${state}&theme=${theme}`, SIZES['1080p'], async (page) => {
    await page.evaluate(settled)
    if (css !== undefined)
      await page.evaluate((rules) => {
        const sheet = new CSSStyleSheet()
        sheet.replaceSync(rules)
        document.adoptedStyleSheets = [sheet]
      }, css)
    found = scaled(unpng(await page.screenshot()), SIZES['1080p'].width / 2)
  })
  assert.ok(found !== undefined)
  return found
}

/**
 * What an eye can't tell apart of pictures in several states.
 *
 * @param {Record<string, import('./png.mjs').Picture>} pictures
 */
function alike(pictures) {
  return pairs(Object.keys(pictures)).flatMap(([one, other]) => {
    const parts = Object.entries(EYES).map(
      ([eye, matrix]) => /** @type {const} */ ([eye, part_apart(pictures[one], pictures[other], matrix)]),
    )
    const usual = parts[0]?.[1] ?? 0
    return parts
      .filter(([, part]) => part < Math.max(APART_MIN, APART_SHARE_MIN * usual))
      .map(
        ([eye, part]) => `${one} and ${other} by ${eye}: ${(100 * part).toFixed(2)} % of ${(100 * usual).toFixed(2)} %`,
      )
  })
}

try {
  const quick = process.argv.includes('--quick')
  const kinds = [...new Set(CASES.filter(({ state }) => state === 'refused').map(({ kind }) => kind))]
  for (const kind of quick ? ['counter'] : kinds) {
    for (const theme of quick ? DARK : THEMES) {
      await check(`${kind}: pictures of ${FRESHNESSES.join(', ')} are apart to every eye (${theme})`, async () => {
        /** @type {Record<string, import('./png.mjs').Picture>} */
        const pictures = {}
        for (const state of FRESHNESSES) pictures[state] = await picture(kind, state, theme)
        assert.deepEqual(alike(pictures), [])
      })
    }
  }
  await check('what is told by a hue alone is found', async () => {
    const pictures = {
      live: await picture('counter', 'live', 'dark', HUE_ALONE.common + HUE_ALONE.of.live),
      stale: await picture('counter', 'stale', 'dark', HUE_ALONE.common + HUE_ALONE.of.stale),
    }
    const found = alike(pictures)
    assert.ok(
      found.some((one) => one.includes('deuteranopia')),
      `found: ${found.join('; ')}`,
    )
    assert.ok(!found.some((one) => one.includes('usual')), `found: ${found.join('; ')}`)
  })

  for (const theme of THEMES) {
    for (const [what, query, selector, colour_of] of /** @type {const} */ ([
      ['states', `sheet&kind=status`, '[data-widget="w5"] li svg', COLOUR_OF.states],
      ['freshnesses', 'sources', '[data-source] > svg', COLOUR_OF.freshnesses],
    ])) {
      await check(`${what} are told apart without a cone, or by their marks alone (${theme})`, () =>
        on_page(`scenario=${query}&theme=${theme}`, FULL_HD, async (page) => {
          await page.waitForSelector(selector)
          const [colours, shapes] = [await tokens(page), await masks(page, selector)]
          const names = Object.keys(colour_of)
          assert.deepEqual(Object.keys(shapes).sort(), [...names].sort(), 'all are there')
          const alike = pairs(names).flatMap(([one, other]) =>
            masks_differ(shapes[one], shapes[other])
              ? []
              : Object.entries(EYES).flatMap(([eye, matrix]) => {
                  const of = /** @type {Record<string, string>} */ (colour_of)
                  const apart = distance(colours[of[one]], colours[of[other]], matrix)
                  return apart >= DISTANCE_MIN ? [] : [`${one} and ${other} by ${eye}: ${apart.toFixed(1)}`]
                }),
          )
          assert.deepEqual(alike, [])
        }),
      )
    }

    await check(`a number's colours, and the first two lines of a chart, are apart to every eye (${theme})`, () =>
      on_page(`scenario=live&theme=${theme}`, FULL_HD, async (page) => {
        const colours = await tokens(page)
        const alike = Object.entries(EYES).flatMap(([eye, matrix]) =>
          pairs(['alarm', 'warning', 'quality', 'value']).flatMap(([one, other]) => {
            const apart = distance(colours[one], colours[other], matrix)
            return apart >= DISTANCE_MIN ? [] : [`${one} and ${other} by ${eye}: ${apart.toFixed(1)}`]
          }),
        )
        assert.deepEqual(alike, [])
        // The first two have no dashes, so how light they are must do.
        for (const [eye, matrix] of Object.entries(EYES)) {
          const apart = distance(colours['line-1'], colours['line-2'], matrix)
          assert.ok(apart >= DISTANCE_MIN, `the first two lines by ${eye}: ${apart.toFixed(1)}`)
        }
      }),
    )
  }
} finally {
  await finish()
}
