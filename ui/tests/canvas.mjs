/**
 * Notes what is written on canvases, so that it can be judged as the document's texts are. Runs in the page, before its own scripts:
 * a canvas's picture alone says nothing of its words.
 */

/**
 * @typedef {{ text: string, x: number, y: number, width: number, height: number, font_px: number, bold: boolean, colour: string, rim: string | null }} Written
 */

export function note_canvas_texts() {
  /** @type {WeakMap<HTMLCanvasElement, Written[]>} */
  const written = new WeakMap()
  let drawn_ms = 0
  Object.assign(globalThis, { __written: written, __drawn_ms: () => drawn_ms })
  const pen = CanvasRenderingContext2D.prototype
  const { fillText, strokeText, drawImage, clearRect } = pen
  /** @type {WeakMap<CanvasRenderingContext2D, { text: string, colour: string }>} */
  const rims = new WeakMap()

  /** @param {CanvasRenderingContext2D} ctx */
  const list_of = (ctx) => {
    const known = written.get(ctx.canvas)
    if (known !== undefined) return known
    /** @type {Written[]} */
    const made = []
    written.set(ctx.canvas, made)
    return made
  }

  pen.strokeText = function (text, x, y, max) {
    rims.set(this, { text, colour: String(this.strokeStyle) })
    return max === undefined ? strokeText.call(this, text, x, y) : strokeText.call(this, text, x, y, max)
  }
  pen.fillText = function (text, x, y, max) {
    const font_px = Number.parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? '0')
    const { width } = this.measureText(text)
    const { a, d, e, f } = this.getTransform()
    const left = this.textAlign === 'right' ? x - width : this.textAlign === 'center' ? x - width / 2 : x
    const top =
      this.textBaseline === 'middle'
        ? y - font_px / 2
        : this.textBaseline === 'top' || this.textBaseline === 'hanging'
          ? y
          : y - font_px * (this.textBaseline === 'bottom' ? 1 : 0.8)
    const rim = rims.get(this)
    // It is of the word that follows at once: another one that reads alike has none.
    rims.delete(this)
    list_of(this).push({
      text,
      x: left * a + e,
      y: top * d + f,
      width: width * a,
      height: font_px * d,
      font_px: font_px * d,
      bold: /\b(700|bold)\b/.test(this.font),
      colour: String(this.fillStyle),
      rim: rim?.text === text ? rim.colour : null,
    })
    return max === undefined ? fillText.call(this, text, x, y) : fillText.call(this, text, x, y, max)
  }
  pen.drawImage = /** @type {typeof drawImage} */ (
    /**
     * @this {CanvasRenderingContext2D}
     * @param {CanvasImageSource} image
     * @param {number[]} place
     */
    function (image, ...place) {
      // A word that was drawn aside and is put into its place.
      if (image instanceof HTMLCanvasElement && place.length === 2) {
        const [x = 0, y = 0] = place
        for (const one of written.get(image) ?? []) list_of(this).push({ ...one, x: one.x + x, y: one.y + y })
      }
      return Reflect.apply(drawImage, this, [image, ...place])
    }
  )
  pen.clearRect = function (x, y, width, height) {
    if (this.canvas.closest?.('.grid') != null) drawn_ms = performance.now()
    if (width >= this.canvas.width && height >= this.canvas.height) written.delete(this.canvas)
    return clearRect.call(this, x, y, width, height)
  }
  // A new size clears it as well.
  for (const side of /** @type {const} */ (['width', 'height'])) {
    const own = Object.getOwnPropertyDescriptor(HTMLCanvasElement.prototype, side)
    if (own?.set === undefined) continue
    const { set } = own
    Object.defineProperty(HTMLCanvasElement.prototype, side, {
      ...own,
      /** @param {number} to */
      set(to) {
        written.delete(/** @type {HTMLCanvasElement} */ (this))
        set.call(this, to)
      },
    })
  }
}
