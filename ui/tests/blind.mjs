/**
 * Whoever sees colours otherwise must tell the wall's states apart as well: of every two, either the colours differ enough to an eye
 * without one of its three cones, or the marks do without any colour; lines of a chart by their dashes.
 *
 * The simulation is that of Machado, Oliveira and Fernandes (2009) at full severity, the distance CIE76.
 */
import assert from 'node:assert/strict'
import { check, finish, FULL_HD, on_page } from './page/harness.mjs'

/** Two colours of less are one to somebody who looks from afar. */
const DISTANCE_MIN = 14
/** Of the pixels that either of two marks covers, the part in which they must differ. */
const MASK_SHARE_MIN = 0.25
const MASK_PX = 24

/** @type {Record<string, number[][]>} */
const EYES = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

/** @param {string} hex */
const linear = (hex) =>
  [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })

/** @param {number[]} rgb */
function lab(rgb) {
  const [r, g, b] = rgb.map((part) => Math.min(1, Math.max(0, part)))
  const f = (/** @type {number} */ t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116)
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b)
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

/**
 * @param {string} one
 * @param {string} other
 * @param {number[][]} eye
 */
function distance(one, other, eye) {
  const seen = (/** @type {string} */ hex) => {
    const rgb = linear(hex)
    return lab(eye.map((row) => row.reduce((sum, part, at) => sum + part * rgb[at], 0)))
  }
  const [a, b] = [seen(one), seen(other)]
  return Math.hypot(...a.map((part, at) => part - b[at]))
}

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

try {
  for (const theme of ['dark', 'light']) {
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
