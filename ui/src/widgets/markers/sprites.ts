/**
 * Words of a map as small pictures, each drawn once. Text on a canvas that is part of the page makes the browser work out
 * the page's style before every word, and its rim costs more than all the rest of a repaint.
 */
import { isolated } from '../../core/bidi'
import { SIZES } from '../../core/sizes'

export interface Sprite {
  readonly picture: HTMLCanvasElement
  /** Size of the text itself, without the rim. */
  readonly width: number
  readonly height: number
  /** The rim around the text, on every side. */
  readonly rim: number
}

/** Pictures held; a map that shows more different words in turn begins anew. */
const SPRITES_MAX = 512

export class Sprites {
  readonly #held = new Map<string, Sprite>()
  readonly #widths = new Map<string, number>()
  readonly #ruler: CanvasRenderingContext2D
  readonly #rem: number
  readonly #rim_colour: string

  constructor(rem: number, rim_colour: string) {
    this.#rem = rem
    this.#rim_colour = rim_colour
    this.#ruler = pen_of(document.createElement('canvas'))
  }

  get line_height(): number {
    return this.#rem * 2.75
  }

  width(text: string, weight: 400 | 700): number {
    const key = `${String(weight)} ${text}`
    const known = this.#widths.get(key)
    if (known !== undefined) return known
    this.#ruler.font = this.#font(weight)
    const width = Math.ceil(this.#ruler.measureText(text).width)
    if (this.#widths.size >= SPRITES_MAX) this.#widths.clear()
    this.#widths.set(key, width)
    return width
  }

  /** `slant` is how the names of the ground are told from those of what stands on it. */
  text(text: string, weight: 400 | 700, colour: string, slant: '' | 'italic ' = ''): Sprite {
    const key = `${slant}${String(weight)} ${colour} ${text}`
    const known = this.#held.get(key)
    if (known !== undefined) return known
    const sprite = this.#draw(text, weight, colour, slant)
    if (this.#held.size >= SPRITES_MAX) this.#held.clear()
    this.#held.set(key, sprite)
    return sprite
  }

  #draw(text: string, weight: 400 | 700, colour: string, slant: string): Sprite {
    const rim = Math.ceil(this.#rem * 0.2)
    const width = this.width(text, weight)
    const height = Math.ceil(this.line_height)
    const picture = document.createElement('canvas')
    picture.width = width + 2 * rim
    picture.height = height + 2 * rim
    const ctx = pen_of(picture)
    ctx.font = `${slant}${this.#font(weight)}`
    ctx.textBaseline = 'middle'
    ctx.lineJoin = 'round'
    ctx.lineWidth = 2 * rim
    ctx.strokeStyle = this.#rim_colour
    // What runs from right to left stands by itself.
    const said = isolated(text)
    ctx.strokeText(said, rim, rim + height / 2)
    ctx.fillStyle = colour
    ctx.fillText(said, rim, rim + height / 2)
    return { picture, width, height, rim }
  }

  #font(weight: 400 | 700): string {
    return `${String(weight)} ${(SIZES.label * this.#rem).toFixed(1)}px "Roboto Condensed"`
  }
}

function pen_of(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const ctx = canvas.getContext('2d')
  if (ctx === null) throw new Error('no canvas to paint on')
  return ctx
}
