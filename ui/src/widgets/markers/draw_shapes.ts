/** Draws layers on the ground, once, and fences above them, which change. */
import type { State } from '../../generated/frame'
import { hatch, mixed } from '../paint'
import { diamond, type Pen, state_mark, triangle, write } from './draw'
import type { Scene } from './scene'
import { type Fence, MARK_ROOM } from './shape_names'
import type { LaidLayer, Run } from './shapes'

type Ctx = CanvasRenderingContext2D

function trace(ctx: Ctx, { points, unstroked }: Run, close: boolean): void {
  points.forEach(([x, y], at) => {
    if (at === 0 || unstroked.has(at)) ctx.moveTo(x, y)
    else ctx.lineTo(x, y)
  })
  if (close) ctx.closePath()
}

/** Areas to be filled: with the edges of the map as well. */
function fill(ctx: Ctx, areas: readonly (readonly Run[])[], style: string | CanvasPattern): void {
  ctx.fillStyle = style
  for (const rings of areas) {
    ctx.beginPath()
    for (const { points } of rings) trace(ctx, { points, unstroked: new Set() }, true)
    ctx.fill('evenodd')
  }
}

function stroke(ctx: Ctx, areas: readonly (readonly Run[])[]): void {
  ctx.beginPath()
  for (const ring of areas.flat()) trace(ctx, ring, false)
  ctx.stroke()
}

/** The inks of a layer's shape: grey, unless its state says otherwise. */
function inks({ colours }: Pen, state: State): { readonly line: string; readonly area: string | null } {
  if (state === 'alarm') return { line: colours.alarm, area: mixed(colours.alarm, colours.land, 0.3) }
  if (state === 'warning') return { line: colours.warning_text, area: mixed(colours.warning_text, colours.land, 0.25) }
  if (state === 'muted') return { line: colours.border, area: null }
  return { line: colours.coast, area: mixed(colours.coast, colours.land, 0.18) }
}

/** Layers, the first lowest. */
export function draw_layers(pen: Pen, layers: readonly LaidLayer[]): void {
  const { ctx, rem, size } = pen
  ctx.save()
  ctx.lineJoin = 'round'
  for (const { draw, shapes } of layers) {
    for (const { areas, state } of draw === 'line' ? [] : shapes) {
      const { area } = inks(pen, state)
      ctx.globalAlpha = 0.75
      if (area !== null) fill(ctx, areas, area)
    }
    ctx.globalAlpha = 1
    for (const { areas, lines, state } of shapes) {
      ctx.strokeStyle = inks(pen, state).line
      ctx.lineWidth = rem * (state === 'alarm' || state === 'warning' ? 0.28 : 0.16)
      stroke(ctx, areas)
      ctx.lineWidth = rem * 0.34
      stroke(ctx, [lines])
    }
    for (const { points, state } of shapes) {
      for (const [x, y] of points) {
        ctx.beginPath()
        // What is abnormal has its state's shape: its colour alone would say nothing to many.
        if (state === 'alarm') shifted(ctx, x, y, () => diamond(ctx, size * 0.32))
        else if (state === 'warning') shifted(ctx, x, y, () => triangle(ctx, size * 0.32))
        else ctx.arc(x, y, size * 0.18, 0, 2 * Math.PI)
        ctx.fillStyle = state === 'normal' ? pen.colours.label : inks(pen, state).line
        ctx.fill()
        ctx.strokeStyle = pen.colours.sea
        ctx.lineWidth = rem * 0.12
        ctx.stroke()
      }
    }
  }
  ctx.restore()
}

function shifted(ctx: Ctx, x: number, y: number, draw: () => void): void {
  ctx.translate(x, y)
  draw()
  ctx.translate(-x, -y)
}

/** How a fence looks: solid where it tells of something, dashed where not, dotted where nobody knows. */
function fence_ink(pen: Pen, fence: Fence, stale: boolean): { ink: string; dash: number[]; wide: number } {
  const { colours, rem } = pen
  const dashed = [rem * 1.1, rem * 0.6]
  if (stale || fence.value === null) return { ink: colours.stale, dash: dashed, wide: 0.24 }
  const { state } = fence.value
  if (state === 'alarm') return { ink: colours.alarm, dash: [], wide: 0.4 }
  if (state === 'warning') return { ink: colours.warning_text, dash: [], wide: 0.4 }
  if (state === 'unknown') return { ink: colours.quality, dash: [rem * 0.3, rem * 0.5], wide: 0.32 }
  return { ink: colours.label, dash: dashed, wide: 0.24 }
}

/** Outlines of fences: they lie under the markers. */
export function draw_fences(pen: Pen, scene: Scene, stale: boolean): void {
  const { ctx, rem, colours } = pen
  ctx.save()
  ctx.lineJoin = 'round'
  for (const fence of scene.fences) {
    const { ink, dash, wide } = fence_ink(pen, fence, stale)
    const tells = dash.length === 0
    if (tells || fence.value?.state === 'unknown') {
      ctx.globalAlpha = tells ? 0.45 : 0.3
      fill(ctx, fence.areas, hatch(ctx, ink, rem))
      ctx.globalAlpha = 1
    }
    // A rim of the ground's own colour, so that it stands off whatever it lies on.
    ctx.strokeStyle = colours.sea
    ctx.lineWidth = rem * (wide + 0.24)
    stroke(ctx, fence.areas)
    ctx.strokeStyle = ink
    ctx.lineWidth = rem * wide
    ctx.setLineDash(dash)
    stroke(ctx, fence.areas)
    ctx.setLineDash([])
  }
  ctx.restore()
}

/** Names of fences with what they say, and of layers' shapes. */
export function draw_shape_names(pen: Pen, scene: Scene, stale: boolean): void {
  const { ctx, colours, size, sprites } = pen
  for (const { text, box } of scene.shape_labels) {
    write(pen, sprites.text(text, 400, colours.label, 'italic '), box.x, box.y + box.height / 2)
  }
  for (const fence of scene.fences) {
    if (fence.label === null) continue
    const { text, box } = fence.label
    const state = fence.value?.state ?? 'normal'
    const is_marked = state === 'alarm' || state === 'warning' || state === 'unknown'
    const middle = box.y + box.height / 2
    if (is_marked && !stale) state_mark(pen, state, box.x + size * 0.36, middle)
    const ink =
      stale || fence.value === null
        ? colours.stale
        : state === 'alarm'
          ? colours.alarm_text
          : state === 'warning'
            ? colours.warning_text
            : colours.value
    write(pen, sprites.text(text, 700, ink), box.x + (is_marked ? size * MARK_ROOM : 0), middle)
  }
  ctx.globalAlpha = 1
}
