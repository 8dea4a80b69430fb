/** Draws the scene above the ground. */
import type { Icon, State } from '../../generated/frame'
import { position } from '../../core/glide'
import { TRAIL_SHADES } from '../../core/trail'
import type { Colours } from '../paint'
import type { Sprite, Sprites } from './sprites'
import { icon_of, ICONS } from './icons'
import { draw_fences, draw_shape_names } from './draw_shapes'
import { centre, type Group, type Scene, type Standing } from './scene'

export interface Pen {
  readonly ctx: CanvasRenderingContext2D
  readonly colours: Colours
  /** A marker's size, device pixels. */
  readonly size: number
  /** Device pixels of one rem. */
  readonly rem: number
  readonly sprites: Sprites
}

/**
 * Paints everything that moves. `stale` draws hollow symbols with a cross: last seen there, not known to be there. Where nothing is `known`, dashes
 * stand over the map, and no name lies under them.
 */
export function draw_scene(
  pen: Pen,
  scene: Scene,
  now_ms: number,
  { stale, known, keeps_trails }: { readonly stale: boolean; readonly known: boolean; readonly keeps_trails: boolean },
): void {
  const { ctx } = pen
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height)
  draw_fences(pen, scene, stale)
  if (!known) return
  if (keeps_trails) draw_ways(pen, scene, now_ms)
  else
    for (const group of scene.groups)
      if (group.members.length === 1) draw_trail(pen, group.members[0] as Standing, now_ms)
  draw_places(pen, scene)
  for (const group of scene.groups) {
    if (group.members.length === 1) draw_marker(pen, group.members[0] as Standing, now_ms, stale)
    else draw_cluster(pen, group, now_ms, stale)
  }
  draw_shape_names(pen, scene, stale)
  draw_labels(pen, scene, now_ms, stale)
  draw_place_names(pen, scene)
}

function colour(pen: Pen, state: State, stale: boolean): string {
  if (stale) return pen.colours.stale
  if (state === 'alarm') return pen.colours.alarm
  if (state === 'warning') return pen.colours.warning_text
  if (state === 'unknown') return pen.colours.quality
  return state === 'muted' ? pen.colours.stale : pen.colours.value
}

function draw_trail(pen: Pen, marker: Standing, now_ms: number): void {
  const { ctx } = pen
  const here = position(marker.glide, now_ms)
  ctx.fillStyle = pen.colours.label
  marker.trail.forEach((dot, at) => {
    if (Math.hypot(dot.x - here.x, dot.y - here.y) < pen.size * 0.55) return
    const size = pen.rem * (0.16 + (0.24 * (at + 1)) / marker.trail.length)
    ctx.fillRect(dot.x - size / 2, dot.y - size / 2, size, size)
  })
}

/** How much of a trail's light each shade has, the newest first. */
const SHADES = [0.95, 0.7, 0.5, 0.34]

/** Ways of a shade are one path: what is older is drawn first, so that what is newer lies over it. */
function draw_ways(pen: Pen, scene: Scene, now_ms: number): void {
  const { ctx, rem } = pen
  ctx.save()
  ctx.strokeStyle = pen.colours.label
  ctx.lineWidth = rem * 0.22
  ctx.lineJoin = 'round'
  for (let shade = TRAIL_SHADES - 1; shade >= 0; shade -= 1) {
    ctx.globalAlpha = SHADES[shade] ?? 1
    for (const known of [false, true]) {
      ctx.setLineDash(known ? [] : [rem * 0.5, rem * 0.6])
      ctx.beginPath()
      for (const { marker, steps } of scene.ways) {
        const here = position(marker.glide, now_ms)
        for (const step of steps) {
          if (step.shade !== shade || step.known !== known) continue
          const to = step.to ?? here
          ctx.moveTo(step.from.x, step.from.y)
          ctx.lineTo(to.x, to.y)
        }
      }
      ctx.stroke()
    }
  }
  ctx.restore()
}

function draw_marker(pen: Pen, marker: Standing, now_ms: number, stale: boolean): void {
  const { ctx, size } = pen
  const { x, y } = position(marker.glide, now_ms)
  const { heading, state } = marker.value
  ctx.save()
  ctx.translate(x, y)
  ctx.beginPath()
  const icon = icon_of(marker.value)
  if (icon !== null) {
    const is_ringed = !stale && (state === 'alarm' || state === 'warning' || state === 'unknown')
    draw_icon(pen, icon, heading, colour(pen, state, stale), stale, is_ringed ? IN_RING : 1)
    ctx.restore()
    if (stale) coast_cross(pen, x, y)
    // What is abnormal wears its state's shape as well: its colour alone would say nothing to many.
    else if (is_ringed) ring(pen, x, y, state)
    return
  }
  if (state === 'alarm') {
    diamond(ctx, size * 0.5)
  } else if (state === 'warning') {
    triangle(ctx, size * 0.5)
  } else {
    ctx.arc(0, 0, size * 0.32, 0, 2 * Math.PI)
  }
  if (stale) {
    ctx.strokeStyle = pen.colours.stale
    ctx.lineWidth = pen.rem * 0.18
    ctx.stroke()
  } else {
    ctx.fillStyle = colour(pen, state, stale)
    ctx.fill()
  }
  ctx.restore()
  if (stale) coast_cross(pen, x, y)
}

/** How large an icon is in its state's shape, and that shape. */
const IN_RING = 0.8
const RING = 0.95

const PATHS = new Map<Icon, Path2D>()

/** An icon in a square of 24, with the sea around it, so that it stands off what it lies on. */
function draw_icon(
  { ctx, size, rem, colours }: Pen,
  icon: Icon,
  heading: number | null,
  ink: string,
  stale: boolean,
  scale: number,
): void {
  const { path: text, turns } = ICONS[icon]
  const path = PATHS.get(icon) ?? new Path2D(text)
  PATHS.set(icon, path)
  const unit = (size * scale) / 24
  const turn = ((heading ?? 0) * Math.PI) / 180
  ctx.save()
  if (turns) ctx.rotate(turn)
  ctx.scale(unit, unit)
  ctx.lineJoin = 'round'
  ctx.lineWidth = (rem * 0.3) / unit
  ctx.strokeStyle = colours.sea
  ctx.stroke(path)
  if (stale) {
    ctx.lineWidth = (rem * 0.18) / unit
    ctx.strokeStyle = ink
    ctx.stroke(path)
  } else {
    ctx.fillStyle = ink
    ctx.fill(path, 'evenodd')
  }
  ctx.restore()
  if (turns || heading === null) return
  // What stands upright has a pointer at its side.
  ctx.save()
  ctx.rotate(turn)
  ctx.beginPath()
  ctx.moveTo(0, -size * 0.98)
  ctx.lineTo(size * 0.2, -size * 0.66)
  ctx.lineTo(-size * 0.2, -size * 0.66)
  ctx.closePath()
  ctx.fillStyle = ink
  ctx.fill()
  ctx.restore()
}

export function diamond(ctx: CanvasRenderingContext2D, half: number): void {
  ctx.moveTo(0, -half)
  ctx.lineTo(half, 0)
  ctx.lineTo(0, half)
  ctx.lineTo(-half, 0)
  ctx.closePath()
}

export function triangle(ctx: CanvasRenderingContext2D, half: number): void {
  ctx.moveTo(0, -half)
  ctx.lineTo(half, half * 0.8)
  ctx.lineTo(-half, half * 0.8)
  ctx.closePath()
}

function ring(pen: Pen, x: number, y: number, state: State): void {
  const { ctx, size } = pen
  ctx.save()
  ctx.translate(x, y)
  ctx.beginPath()
  if (state === 'alarm') diamond(ctx, size * RING)
  else if (state === 'warning') triangle(ctx, size * RING)
  else ctx.arc(0, 0, size * 0.7, 0, 2 * Math.PI)
  if (state === 'unknown') ctx.setLineDash([size * 0.25, size * 0.15])
  ctx.strokeStyle = colour(pen, state, false)
  ctx.lineWidth = pen.rem * 0.18
  ctx.stroke()
  ctx.restore()
}

function coast_cross(pen: Pen, x: number, y: number): void {
  const { ctx, size } = pen
  const half = size * 0.28
  ctx.strokeStyle = pen.colours.stale
  ctx.lineWidth = pen.rem * 0.18
  ctx.beginPath()
  ctx.moveTo(x - half, y - half)
  ctx.lineTo(x + half, y + half)
  ctx.moveTo(x + half, y - half)
  ctx.lineTo(x - half, y + half)
  ctx.stroke()
}

function draw_cluster(pen: Pen, group: Group, now_ms: number, stale: boolean): void {
  const { ctx, rem } = pen
  const { x, y } = centre(group, now_ms)
  const text = String(group.members.length)
  const half = rem * (text.length > 2 ? 2.3 : 1.75)
  ctx.beginPath()
  ctx.arc(x, y, half, 0, 2 * Math.PI)
  ctx.fillStyle = pen.colours.panel
  ctx.fill()
  ctx.strokeStyle = colour(pen, group.state === 'muted' ? 'normal' : group.state, stale)
  ctx.lineWidth = rem * 0.2
  if (stale) ctx.setLineDash([rem * 0.5, rem * 0.35])
  ctx.stroke()
  ctx.setLineDash([])
  if (!stale) state_mark(pen, group.state, x + half * 0.72, y - half * 0.72)
  const count = pen.sprites.text(text, 700, stale ? pen.colours.stale : pen.colours.value)
  write(pen, count, x - count.width / 2, y + rem * 0.1)
}

/** A state's shape beside what has it, as at a group's circle: a colour alone would say nothing to many. */
export function state_mark({ ctx, size, rem, colours }: Pen, state: State, x: number, y: number): void {
  if (state !== 'alarm' && state !== 'warning' && state !== 'unknown') return
  ctx.save()
  ctx.translate(x, y)
  ctx.beginPath()
  if (state === 'alarm') diamond(ctx, size * 0.36)
  else if (state === 'warning') triangle(ctx, size * 0.36)
  else ctx.arc(0, 0, size * 0.26, 0, 2 * Math.PI)
  ctx.lineWidth = rem * 0.4
  ctx.strokeStyle = colours.sea
  ctx.stroke()
  if (state === 'unknown') {
    ctx.fillStyle = colours.panel
    ctx.fill()
    ctx.setLineDash([size * 0.2, size * 0.12])
    ctx.lineWidth = rem * 0.18
    ctx.strokeStyle = colours.quality
    ctx.stroke()
  } else {
    ctx.fillStyle = state === 'alarm' ? colours.alarm : colours.warning_text
    ctx.fill()
  }
  ctx.restore()
}

function draw_places(pen: Pen, scene: Scene): void {
  const { ctx, rem } = pen
  for (const { x, y, box } of scene.places) {
    if (box !== null) {
      ctx.strokeStyle = pen.colours.label
      ctx.lineWidth = rem * 0.12
      ctx.beginPath()
      ctx.moveTo(x, y)
      // The leader ends at the nearest point of the label.
      ctx.lineTo(
        Math.min(Math.max(x, box.x - rem * 0.2), box.x + box.width + rem * 0.2),
        Math.min(Math.max(y, box.y), box.y + box.height),
      )
      ctx.stroke()
    }
    ctx.fillStyle = pen.colours.page
    ctx.strokeStyle = pen.colours.value
    ctx.lineWidth = rem * 0.22
    ctx.beginPath()
    ctx.rect(x - rem * 0.35, y - rem * 0.35, rem * 0.7, rem * 0.7)
    ctx.fill()
    ctx.stroke()
  }
}

/** Names of places lie above everything: what moves comes and goes, they are what one looks for. */
function draw_place_names(pen: Pen, scene: Scene): void {
  for (const { text, box } of scene.places) {
    if (box !== null) write(pen, pen.sprites.text(text, 700, pen.colours.value), box.x, box.y + box.height / 2)
  }
}

function draw_labels(pen: Pen, scene: Scene, now_ms: number, stale: boolean): void {
  for (const label of scene.labels) {
    const owner = scene.owner(label)
    if (owner === undefined) continue
    const { x, y } = position(owner.glide, now_ms)
    const { state, box } = label
    if (label.led) {
      pen.ctx.strokeStyle = stale ? pen.colours.stale : pen.colours.label
      pen.ctx.lineWidth = pen.rem * 0.12
      pen.ctx.beginPath()
      pen.ctx.moveTo(x, y)
      // It ends at the nearest point of the label.
      pen.ctx.lineTo(
        x + Math.min(Math.max(0, box.x - pen.rem * 0.2), box.x + box.width + pen.rem * 0.2),
        y + Math.min(Math.max(0, box.y), box.y + box.height),
      )
      pen.ctx.stroke()
    }
    const fill =
      state === 'alarm' && !stale ? pen.colours.alarm_text : colour(pen, state === 'normal' ? 'muted' : state, stale)
    write(pen, pen.sprites.text(label.text, 400, fill), x + label.box.x, y + label.box.y + label.box.height / 2)
  }
}

/** Puts a word with its left end at `x` and its middle at `y`, on whole pixels. */
export function write({ ctx }: Pen, { picture, height, rim }: Sprite, x: number, y: number): void {
  ctx.drawImage(picture, Math.round(x - rim), Math.round(y - height / 2 - rim))
}
