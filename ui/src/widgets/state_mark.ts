/** On canvases the shapes that states have everywhere: a diamond to act on, a triangle to look at, a dashed ring without meaning. */
import type { State } from '../generated/frame'
import { say } from '../words/say'
import type { Colours } from './paint'

const is_marked = (state: State): state is 'alarm' | 'warning' | 'unknown' =>
  state === 'alarm' || state === 'warning' || state === 'unknown'

/** The word of what isn't normal. */
export function state_word(state: State): string | undefined {
  return is_marked(state) ? say(`state.${state}`) : undefined
}

/** The state's colour as text is written in. */
export function state_ink(colours: Colours, state: State): string {
  if (state === 'alarm') return colours.alarm_text
  if (state === 'warning') return colours.warning_text
  return state === 'unknown' ? colours.quality : colours.value
}

/** A mark so large, around a point; nothing for what is normal. */
export function draw_state_mark(
  ctx: CanvasRenderingContext2D,
  colours: Colours,
  state: State,
  [x, y]: readonly [number, number],
  size: number,
): void {
  if (!is_marked(state)) return
  const half = size / 2
  ctx.save()
  ctx.translate(x, y)
  ctx.beginPath()
  if (state === 'unknown') {
    ctx.arc(0, 0, half * 0.85, 0, 2 * Math.PI)
    ctx.setLineDash([size * 0.25, size * 0.17])
    ctx.lineWidth = size * 0.14
    ctx.strokeStyle = colours.quality
    ctx.stroke()
  } else {
    const points =
      state === 'alarm'
        ? ([
            [0, -half],
            [half, 0],
            [0, half],
            [-half, 0],
          ] as const)
        : ([
            [0, -half * 0.92],
            [half, half * 0.85],
            [-half, half * 0.85],
          ] as const)
    points.forEach(([dx, dy], at) => {
      if (at === 0) ctx.moveTo(dx, dy)
      else ctx.lineTo(dx, dy)
    })
    ctx.fillStyle = state === 'alarm' ? colours.alarm : colours.warning_text
    ctx.fill()
  }
  ctx.restore()
}
