/**
 * The ground of a map from a site's own tiles, for as long as all is well with them: the file, the machine, WebGL. Otherwise the map has the ground that is
 * shipped, and this looks again. Loaded only where a board names a file, and what draws only where that is to be drawn.
 */
import { colours } from '../paint'
import { type Choice, chosen, look_for_gl } from './choice'
import type { Ground, Standing } from './ground'
import type { TilesHost } from './host'
import type { Dress } from './style'

/** How often the file is looked at: another one is drawn within so long. */
const LOOK_MS = 2_000
/** What failed is tried again after so long, or as soon as it is another file. */
const REST_MS = 600_000
/** A GPU that is lost so often within that time is left alone for as long. */
const LOSSES_MAX = 3
/** A web view gives some sixteen contexts to a page, and takes the oldest one away for another. */
const GROUNDS_MAX = 6

export interface Place {
  readonly element: HTMLElement
  /** The widget's. */
  readonly id: string
  readonly file: string
  readonly bounds: readonly [number, number, number, number]
}

/** How it is to look; its colours are the theme's. */
export type Looks = Omit<Dress, 'colours'>

/** Tiles are painted: what is above is drawn by this from now on. Null: by the shipped ground's. */
export type Drawn = (by: Standing | null) => void

let gl: ReturnType<typeof look_for_gl> | undefined
let looked_ms = 0
let grounds = 0

/** What the page found of WebGL. A GPU that isn't there now may be back later, as after a rest of the machine. */
function found_gl(measures: boolean): ReturnType<typeof look_for_gl> {
  const now = performance.now()
  if (gl === undefined || (gl === null && now - looked_ms >= REST_MS)) {
    gl = look_for_gl(measures)
    looked_ms = now
  }
  return gl
}

export class Tiles {
  readonly #host: TilesHost
  readonly #place: Place
  #looks: Looks
  readonly #drawn: Drawn
  #ground: Ground | null = null
  #version: string | null = null
  /** The version that failed, and until when it isn't tried again. */
  #failed: { readonly version: string; readonly until_ms: number } | null = null
  #losses: readonly number[] = []
  #told = ''
  #timer: ReturnType<typeof setTimeout> | undefined
  #over = false

  constructor(host: TilesHost, place: Place, looks: Looks, drawn: Drawn) {
    this.#looks = looks
    this.#host = host
    this.#place = place
    this.#drawn = drawn
    void this.#look()
  }

  /** Its element has another size. */
  resize(): void {
    this.#ground?.resize()
  }

  /** It is to look otherwise, or the theme is another one. */
  dress(looks: Looks): void {
    this.#looks = looks
    this.#ground?.dress({ ...looks, colours: colours() })
  }

  destroy(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#leave()
  }

  async #look(): Promise<void> {
    let version: string | null = null
    try {
      const found = await this.#host.tiles_open(this.#place.file)
      if (this.#over) return
      version = found.version
      const choice = chosen(found.map, found.because, found.map === 'canvas' ? null : found_gl(found.map === 'auto'))
      if (!choice.tiles) this.#stand_back(choice)
      else if (version !== this.#version && !this.#rests(version)) await this.#draw(version, choice)
    } catch (error) {
      if (!this.#over) this.#fail(error, version)
    }
    if (!this.#over) this.#timer = setTimeout(() => void this.#look(), LOOK_MS)
  }

  #rests(version: string): boolean {
    return this.#failed !== null && this.#failed.version === version && performance.now() < this.#failed.until_ms
  }

  async #draw(version: string, { because }: Choice): Promise<void> {
    const { file } = this.#place
    if (this.#ground === null && this.#lacks_room()) return
    const [{ FileSource, tileset }, { Ground }] = await Promise.all([import('./source'), import('./ground')])
    const set = await tileset(new FileSource(this.#host, file, version), this.#place.bounds)
    if (this.#over) return
    this.#leave()
    if (this.#lacks_room()) return
    this.#ground = new Ground(
      this.#place,
      set,
      { ...this.#looks, colours: colours() },
      {
        painted: (by) => {
          this.#failed = null
          this.#tell(`drawn from tiles: ${because}`, false)
          this.#drawn(by)
        },
        lost: () => {
          this.#lose(version)
        },
        failed: (error) => {
          if (version === this.#version) this.#fail(error, version)
        },
      },
    )
    grounds += 1
    this.#version = version
  }

  /** It isn't the file that fails: another map's room may be free at any moment, as when a page turns. */
  #lacks_room(): boolean {
    if (grounds < GROUNDS_MAX) return false
    this.#fail(new Error(`${String(GROUNDS_MAX)} maps of this page are drawn from tiles already`), null)
    return true
  }

  #lose(version: string): void {
    const now = performance.now()
    this.#losses = [...this.#losses.filter((at) => now - at < REST_MS), now]
    if (this.#losses.length >= LOSSES_MAX) {
      this.#fail(new Error('the web view loses its GPU again and again'), version)
      return
    }
    this.#tell('the web view has lost its GPU', true)
    this.#drawn(null)
  }

  /** By choice. That nothing draws tiles here is a lack only where they were asked for. */
  #stand_back({ because, amiss }: Choice): void {
    this.#leave()
    this.#tell(because, amiss)
    this.#drawn(null)
  }

  #fail(error: unknown, version: string | null): void {
    this.#leave()
    if (version !== null) this.#failed = { version, until_ms: performance.now() + REST_MS }
    this.#tell(error instanceof Error ? error.message : String(error), true)
    this.#drawn(null)
  }

  #leave(): void {
    if (this.#ground !== null) {
      grounds -= 1
      this.#ground.destroy()
    }
    this.#ground = null
    this.#version = null
  }

  /** A lost word costs nothing: the ground itself says which it is. */
  #tell(text: string, amiss: boolean): void {
    const told = `${String(amiss)} ${text}`
    if (told === this.#told) return
    this.#told = told
    const { file, id } = this.#place
    this.#host.tiles_told(file, id, text.slice(0, 500), amiss).catch(() => undefined)
  }
}
