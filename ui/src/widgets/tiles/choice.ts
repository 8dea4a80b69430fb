/** Whether a map's ground is drawn from tiles: by what was asked for, what the program knows of the machine, and what the page finds of WebGL. */

/** `auto`: the machine has a GPU as far as the program knows. */
export type MapAsked = 'auto' | 'canvas' | 'tiles'

/** What the page found of WebGL 2. */
export interface Gl {
  /** What draws, in its own words; empty if it doesn't say. */
  readonly renderer: string
  /** Milliseconds that a trial took; null where none was made. */
  readonly draw_ms: number | null
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
/** What WebKit says on every machine, Apple's or not. */
const MASKED = /^(Apple GPU|WebKit WebGL)$/
/** A processor of two cores takes 90 ms and more, a small GPU 10. */
const TRIAL_MS_MAX = 30
const TRIAL_PX = 512
const TRIAL_ROUNDS = 128
const VERTICES = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1); }`
const POINTS = `#version 300 es
precision highp float;
uniform int rounds;
out vec4 colour;
void main() {
  vec4 v = gl_FragCoord;
  for (int i = 0; i < rounds; i++) v = sin(v.yzwx * 1.7 + v);
  colour = v;
}`

/** `because` is the program's own reason for what it asks. */
export function chosen(asked: MapAsked, because: string, gl: Gl | null): Choice {
  if (asked === 'canvas') return { tiles: false, because, amiss: false }
  if (gl === null) return { tiles: false, because: 'the web view has no WebGL 2', amiss: asked === 'tiles' }
  const named = gl.renderer.slice(0, RENDERER_CHARACTERS_MAX)
  if (asked === 'tiles') return { tiles: true, because, amiss: false }
  if (SOFTWARE.test(named)) return { tiles: false, because: `WebGL is drawn by software: ${named}`, amiss: false }
  if (gl.slow) return { tiles: false, because: 'the web view says that WebGL would be slow here', amiss: false }
  const took = gl.draw_ms === null ? '' : `a trial of WebGL took ${String(Math.round(gl.draw_ms))} ms`
  if (gl.draw_ms !== null && gl.draw_ms > TRIAL_MS_MAX)
    return { tiles: false, because: `${took}, as long as by software`, amiss: false }
  const why = [because, took].filter((words) => words !== '').join('; ')
  return { tiles: true, because: named === '' ? why : `WebGL is drawn by ${named}`, amiss: false }
}

/** Looks for WebGL 2, once: a web view gives few contexts. `measures`: whether it is to be tried where it doesn't say by what it is drawn. */
export function look_for_gl(measures: boolean): Gl | null {
  const made = (slow: boolean): Gl | null => {
    const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: !slow })
    if (gl === null) return null
    const info = gl.getExtension('WEBGL_debug_renderer_info')
    const named: unknown = gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL)
    const renderer = typeof named === 'string' && !MASKED.test(named) ? named : ''
    const draw_ms = measures && renderer === '' ? trial_ms(gl) : null
    gl.getExtension('WEBGL_lose_context')?.loseContext()
    return { renderer, slow, draw_ms }
  }
  return made(false) ?? made(true)
}

/** Milliseconds for a picture of 512 × 512 points with as much to work out as a processor can't in that time and any GPU can; the better of two. */
function trial_ms(gl: WebGL2RenderingContext): number | null {
  const program = gl.createProgram()
  for (const [kind, text] of [
    [gl.VERTEX_SHADER, VERTICES],
    [gl.FRAGMENT_SHADER, POINTS],
  ] as const) {
    const shader = gl.createShader(kind)
    if (shader === null) return null
    gl.shaderSource(shader, text)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  gl.useProgram(program)
  gl.canvas.width = gl.canvas.height = TRIAL_PX
  gl.viewport(0, 0, TRIAL_PX, TRIAL_PX)
  const rounds = gl.getUniformLocation(program, 'rounds')
  const drawn_ms = (count: number): number => {
    const begun = performance.now()
    gl.uniform1i(rounds, count)
    gl.drawArrays(gl.TRIANGLES, 0, 3)
    // What is read must be drawn.
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4))
    return performance.now() - begun
  }
  // A first one is made ready for.
  drawn_ms(1)
  const took = Math.min(drawn_ms(TRIAL_ROUNDS), drawn_ms(TRIAL_ROUNDS))
  return gl.getError() === gl.NO_ERROR ? took : null
}
