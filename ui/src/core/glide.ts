/** A marker's way from where it is drawn to where it was last seen, in pixels. Never beyond: nothing is guessed. */
import { GLIDE_FPS_MAX, GLIDE_FPS_MIN, GLIDE_STEP_PX } from './limits'

export interface Glide {
  readonly from_x: number
  readonly from_y: number
  readonly to_x: number
  readonly to_y: number
  readonly start_ms: number
  readonly length_ms: number
}

/** The part of the way done, 0 to 1. */
export function progress(glide: Glide, now_ms: number): number {
  if (glide.length_ms <= 0) return 1
  return Math.min(1, Math.max(0, (now_ms - glide.start_ms) / glide.length_ms))
}

export function position(glide: Glide, now_ms: number): { x: number; y: number } {
  const part = progress(glide, now_ms)
  return {
    x: glide.from_x + (glide.to_x - glide.from_x) * part,
    y: glide.from_y + (glide.to_y - glide.from_y) * part,
  }
}

/** Pixels a second. */
export function speed(glide: Glide): number {
  const way = Math.hypot(glide.to_x - glide.from_x, glide.to_y - glide.from_y)
  return glide.length_ms <= 0 ? 0 : (way / glide.length_ms) * 1000
}

/** Repaints a second that the fastest of them needs to move smoothly: slow ones don't cost what fast ones do. */
export function frames_per_second(fastest_px_per_s: number): number {
  return Math.min(GLIDE_FPS_MAX, Math.max(GLIDE_FPS_MIN, fastest_px_per_s / GLIDE_STEP_PX))
}
