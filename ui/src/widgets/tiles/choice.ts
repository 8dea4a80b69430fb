/** Whether a map's ground is drawn from tiles: by what was asked for, what the program knows of the machine, and what the page finds of WebGL. */

/** `auto`: the machine has a GPU as far as the program knows. */
export type MapAsked = 'auto' | 'canvas' | 'tiles'

/** What the page found of WebGL 2. */
export interface Gl {
  /** What draws, in its own words; empty if it doesn't say. */
  readonly renderer: string
  /** Whether the web view itself says that it would be slow. */
  readonly slow: boolean
}

export interface Choice {
  readonly tiles: boolean
  /** Why, in one line. */
  readonly because: string
  /** Whether that isn't what was asked for. */
  readonly amiss: boolean
}

/** Names of what draws without a GPU. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|swrast|lavapipe/i
const RENDERER_CHARACTERS_MAX = 120

/** `because` is the program's own reason for what it asks. */
export function chosen(asked: MapAsked, because: string, gl: Gl | null): Choice {
  if (asked === 'canvas') return { tiles: false, because, amiss: false }
  if (gl === null) return { tiles: false, because: 'the web view has no WebGL 2', amiss: asked === 'tiles' }
  const named = gl.renderer.slice(0, RENDERER_CHARACTERS_MAX)
  if (asked === 'tiles') return { tiles: true, because, amiss: false }
  if (SOFTWARE.test(named)) return { tiles: false, because: `WebGL is drawn by software: ${named}`, amiss: false }
  if (gl.slow) return { tiles: false, because: 'the web view says that WebGL would be slow here', amiss: false }
  return { tiles: true, because: named === '' ? because : `WebGL is drawn by ${named}`, amiss: false }
}

/** Looks for WebGL 2, once: a web view gives few contexts. */
export function look_for_gl(): Gl | null {
  const made = (slow: boolean): Gl | null => {
    const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: !slow })
    if (gl === null) return null
    const info = gl.getExtension('WEBGL_debug_renderer_info')
    const renderer: unknown = gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL)
    gl.getExtension('WEBGL_lose_context')?.loseContext()
    return { renderer: typeof renderer === 'string' ? renderer : '', slow }
  }
  return made(false) ?? made(true)
}
