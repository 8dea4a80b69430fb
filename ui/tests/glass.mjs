/** What can be read off a page: texts and their boxes, what cuts them off, what lies upon what, and contrast. Runs in the page. */

/**
 * @typedef {{ text: string, x: number, y: number, width: number, height: number, where: string }} TextBox
 * @typedef {{ texts: number, clipped: string[], overlapping: string[], faint: string[], small: string[], scrolls: boolean, smallest_px: number, smallest: string }} Glass
 */

/**
 * Minutes of arc of the capitals of a text of `mm`, by its size, from `distance_mm`. Capitals of both faces have 0.711 of it.
 *
 * @param {number} mm
 * @param {number} distance_mm
 */
export const arc_of = (mm, distance_mm) => (Math.atan((0.711 * mm) / distance_mm) * 180 * 60) / Math.PI

/** @returns {Glass} */
export function read_glass() {
  /** @param {Element} element */
  const where = (element) =>
    `${element.closest('[data-widget]')?.getAttribute('data-widget') ?? 'shell'}/${element.getAttribute('class') ?? element.tagName}`

  /** @type {(TextBox & { element: Element })[]} */
  const boxes = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent?.trim() ?? ''
    const element = node.parentElement
    // What is said aloud is not on the glass.
    if (text === '' || element === null || !element.checkVisibility() || element.closest('[data-spoken]')) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    // What a text has no room for is counted below it. Letters of another face may have a higher box than their line.
    const end = element.closest('[data-cut]')?.getBoundingClientRect().bottom ?? Infinity
    for (const { x, y, width, height } of range.getClientRects()) {
      if (width > 0 && height > 0 && y + height * 0.2 < end - 1)
        boxes.push({ text, x, y, width, height, where: where(element), element })
    }
  }

  // What stands on canvases, as `note_canvas_texts` has noted it, in the page's pixels.
  const written = /** @type {{ __written?: WeakMap<Element, import('./canvas.mjs').Written[]> }} */ (globalThis)
    .__written
  const on_canvas = [...document.querySelectorAll('canvas')].flatMap((canvas) => {
    const rect = canvas.getBoundingClientRect()
    const scale = rect.width / canvas.width
    if (!canvas.checkVisibility({ visibilityProperty: true })) return []
    return (written?.get(canvas) ?? []).map((one) => ({
      ...one,
      x: rect.x + one.x * scale,
      y: rect.y + one.y * scale,
      width: one.width * scale,
      height: one.height * scale,
      font_px: one.font_px * scale,
      element: /** @type {Element} */ (canvas),
      where: where(canvas),
    }))
  })

  // Signs of a state or a freshness. The air around what is drawn is a fifth to each side.
  const marks = [...document.querySelectorAll('svg[viewBox="-12 -12 24 24"]')].flatMap((element) => {
    const { x, y, width, height } = element.getBoundingClientRect()
    if (!element.checkVisibility({ visibilityProperty: true }) || width === 0) return []
    const air = width * 0.2
    return [
      {
        element,
        text: '',
        where: where(element),
        x: x + air,
        y: y + air,
        width: width - 2 * air,
        height: height - 2 * air,
      },
    ]
  })

  // A line's box is higher than its letters: what counts is the part in which there is ink.
  const px = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  const ink = boxes.map((box) => ({ ...box, y: box.y + box.height * 0.2, height: box.height * 0.6 }))

  const clipped = []
  for (const box of [...ink, ...on_canvas, ...marks]) {
    const slack = px * 0.15
    const edges = [{ left: 0, top: 0, right: innerWidth, bottom: innerHeight }]
    for (let up = /** @type {Element | null} */ (box.element); up !== null; up = up.parentElement) {
      if (getComputedStyle(up).overflow !== 'visible') edges.push(up.getBoundingClientRect())
    }
    const outside = edges.some(
      (edge) =>
        box.x < edge.left - slack ||
        box.y < edge.top - slack ||
        box.x + box.width > edge.right + slack ||
        box.y + box.height > edge.bottom + slack,
    )
    if (outside) clipped.push(`${box.where}: ${box.text}`)
  }

  const overlapping = []
  for (let a = 0; a < ink.length; a += 1) {
    for (let b = a + 1; b < ink.length; b += 1) {
      const [one, two] = [ink[a], ink[b]]
      if (one.element === two.element) continue
      const wide = Math.min(one.x + one.width, two.x + two.width) - Math.max(one.x, two.x)
      const high = Math.min(one.y + one.height, two.y + two.height) - Math.max(one.y, two.y)
      if (wide > px * 0.1 && high > px * 0.1) overlapping.push(`${one.where}: ${one.text} / ${two.where}: ${two.text}`)
    }
  }

  for (const [at, one] of on_canvas.entries()) {
    // One word upon another in one canvas, and a word of a canvas upon one of the document.
    for (const two of [...on_canvas.slice(at + 1).filter(({ element }) => element === one.element), ...ink]) {
      const wide = Math.min(one.x + one.width, two.x + two.width) - Math.max(one.x, two.x)
      const high = Math.min(one.y + 0.8 * one.height, two.y + two.height) - Math.max(one.y + 0.2 * one.height, two.y)
      // What has a ground of its own hides what lies beneath, and can be read.
      const is_covered = two.element.matches('.unplaced') && two.element !== one.element
      if (!is_covered && wide > px * 0.3 && high > px * 0.3)
        overlapping.push(`${one.where}: ${one.text} / ${two.where}: ${two.text}`)
    }
  }

  for (const mark of marks)
    for (const one of ink) {
      const wide = Math.min(one.x + one.width, mark.x + mark.width) - Math.max(one.x, mark.x)
      const high = Math.min(one.y + one.height, mark.y + mark.height) - Math.max(one.y, mark.y)
      if (wide > px * 0.2 && high > px * 0.2) overlapping.push(`${one.where}: ${one.text} / ${mark.where}: its mark`)
    }

  // A line of a number's way upon its words.
  for (const way of document.querySelectorAll('svg.spark')) {
    const { x, y, width, height } = way.getBoundingClientRect()
    if (!way.checkVisibility({ visibilityProperty: true })) continue
    for (const one of ink) {
      const wide = Math.min(one.x + one.width, x + width) - Math.max(one.x, x)
      const high = Math.min(one.y + one.height, y + height) - Math.max(one.y, y)
      if (wide > px * 0.3 && high > px * 0.3) overlapping.push(`${one.where}: ${one.text} / ${where(way)}: its line`)
    }
  }

  /** @param {string} colour */
  const channels = (colour) =>
    colour.startsWith('#')
      ? [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
      : (colour.match(/[\d.]+/g) ?? []).map(Number)
  /** @param {number[]} rgb */
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((channel) => {
      const part = channel / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  /** @param {Element} element */
  const ground = (element) => {
    for (let up = /** @type {Element | null} */ (element); up !== null; up = up.parentElement) {
      const colour = channels(getComputedStyle(up).backgroundColor)
      if (colour.length === 3 || (colour[3] ?? 0) > 0.99) return colour
    }
    return [0, 0, 0]
  }
  /**
   * What an element's colour comes to on its ground: whatever makes it or what it stands in see-through counts.
   *
   * @param {Element} element
   * @param {number[]} rgba
   * @param {number[]} below
   */
  const seen_on = (element, rgba, below) => {
    let part = rgba[3] ?? 1
    for (let up = /** @type {Element | null} */ (element); up !== null; up = up.parentElement)
      part *= Number(getComputedStyle(up).opacity)
    return [0, 1, 2].map((at) => part * (rgba[at] ?? 0) + (1 - part) * (below[at] ?? 0))
  }
  const faint = []
  for (const { element, text, colour, rim, bold } of on_canvas) {
    const below = rim === null ? ground(element) : channels(rim)
    const one = luminance(seen_on(element, channels(colour), below))
    const two = luminance(below)
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)
    // A line's newest value; its name is in the line's colour.
    const value =
      bold &&
      /^[−\d][\d.\u2009]*$/.test(text) &&
      element.closest('[data-kind="series"][data-freshness="live"]') !== null
    if (ratio < (value ? 7 : 4.5)) faint.push(`${where(element)}: ${text} ${ratio.toFixed(2)}`)
  }
  for (const { element, text } of boxes) {
    const below = ground(element)
    const one = luminance(seen_on(element, channels(getComputedStyle(element).color), below))
    const two = luminance(below)
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)
    const live = element.closest('[data-freshness="live"]') !== null
    // Values in their plain or warning look are read from afar; what is filled, minor or dimmed keeps the lower floor.
    const value =
      live &&
      element.matches(
        '.figure:not(.none) .value, .row.normal > span:not(.null, .missing, .empty), .row.warning .tag, li:is(.normal, .warning) .text',
      )
    if (ratio < (value ? 7 : 4.5)) faint.push(`${where(element)}: ${text} ${ratio.toFixed(2)}`)
  }

  // The smallest size of ui/src/theme/tokens.css. What a style says is not what stands there if something shrinks it from outside.
  const sizes = [
    ...boxes.map(({ element, text, height }) => ({
      // A box of the shipped faces is 1.17 times as high.
      font_px: Math.min(Number.parseFloat(getComputedStyle(element).fontSize), height / 1.15),
      text,
      where: where(element),
    })),
    ...on_canvas,
  ]
  const small = []
  let [smallest_px, smallest] = [Infinity, '']
  for (const { font_px, text, where: at } of sizes) {
    if (font_px / px < 2.49) small.push(`${at}: ${text} ${(font_px / px).toFixed(2)}`)
    if (font_px < smallest_px) [smallest_px, smallest] = [font_px, `${at}: ${text}`]
  }

  const page = document.scrollingElement ?? document.body
  const scrolls = page.scrollWidth > innerWidth || page.scrollHeight > innerHeight
  return { texts: boxes.length + on_canvas.length, clipped, overlapping, faint, small, scrolls, smallest_px, smallest }
}
