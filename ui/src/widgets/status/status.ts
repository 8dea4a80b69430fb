/** How tiles share their panel: which are drawn, how many beside each other, and how large their words are. */
import type { TileValue } from '../../generated/frame'
import { TILES_MAX } from '../../core/limits'
import { label_width_em } from '../../core/width'

/** All sizes are in rem, of the panel's own growth. */
export interface Size {
  readonly width: number
  readonly height: number
}

export interface Tiling {
  readonly tiles: readonly TileValue[]
  readonly hidden: number
  readonly across: number
  /** Letters of the key, of the state, and of what is small. */
  readonly label: number
  readonly text: number
  readonly small: number
  readonly with_since: boolean
  /** Lines of the detail; none if there is no room. */
  readonly detail_lines: number
}

export const SMALLEST = 2.5
export const GAP = 0.6
/** What a tile needs beside its words: border and padding, both sides. */
const RIM: Size = { width: 2.4, height: 0.8 }
/** The smallest tile that can be read: two lines. */
const LEAST: Size = { width: 12, height: 6.6 }
const COUNT_HEIGHT = 3.4
const DETAIL_LINES_MAX = 3
const LINE = 1.15
const SHAPE = 1.7

const URGENCY: Record<TileValue['state'], number> = { alarm: 0, warning: 1, unknown: 2, normal: 3, muted: 4 }

export function tiling(all: readonly TileValue[], place: Size): Tiling {
  const room = capacity(place)
  const fits = all.length <= room
  const height = fits ? place.height : Math.max(0, place.height - COUNT_HEIGHT)
  const tiles = fits ? all : most_urgent(all, capacity({ ...place, height }))
  const across = columns(tiles.length, { ...place, height })
  const down = Math.max(1, Math.ceil(tiles.length / across))
  const inner = {
    width: (place.width - GAP * (across - 1)) / across - RIM.width,
    height: (height - GAP * (down - 1)) / down - RIM.height,
  }
  const widest = (of: (tile: TileValue) => string): number =>
    Math.max(1, ...tiles.map((tile) => label_width_em(of(tile))))
  // What is small is known first: since when, and the lines that the longest detail needs. The rest is for what is large.
  const detail_em = Math.max(0, ...tiles.map(({ detail }) => label_width_em(detail ?? '')))
  const detail_lines = Math.min(DETAIL_LINES_MAX, Math.ceil((detail_em * SMALLEST * 1.08) / inner.width))
  const wanted = 1 + detail_lines
  const large = Math.max(inner.height * 0.4, inner.height - wanted * SMALLEST * LINE) / LINE
  const label = bounded(large * 0.54, inner.width / widest((tile) => tile.label))
  // The mark and its gap stand before the word.
  const text = bounded(large * 0.46, inner.width / (widest((tile) => tile.text) + 1.15))
  const left = inner.height - (label + text) * LINE
  const small = bounded(left / wanted / LINE, label * 0.7)
  const lines = Math.floor(left / (small * LINE) + 0.02)
  return {
    tiles,
    hidden: all.length - tiles.length,
    across,
    label,
    text,
    small,
    // A detail that would be cut is none; it comes before the time.
    with_since: lines >= wanted || (lines >= 1 && lines < detail_lines),
    detail_lines: lines >= detail_lines ? detail_lines : 0,
  }
}

function bounded(...sizes: number[]): number {
  return Math.max(SMALLEST, Math.min(...sizes))
}

function capacity({ width, height }: Size): number {
  const count = (of: number, least: number): number => Math.max(1, Math.floor((of + GAP) / (least + GAP)))
  return Math.min(TILES_MAX, count(width, LEAST.width) * count(height, LEAST.height))
}

/** If not all fit, those that somebody must act on do; in their own order. */
function most_urgent(all: readonly TileValue[], count: number): readonly TileValue[] {
  const kept = new Set([...all].sort((a, b) => URGENCY[a.state] - URGENCY[b.state]).slice(0, count))
  return all.filter((tile) => kept.has(tile))
}

/** As near to the shape of a card as the place allows, and none smaller than can be read. */
function columns(count: number, { width, height }: Size): number {
  let best = 1
  let best_off = Infinity
  for (let across = 1; across <= count; across += 1) {
    const down = Math.ceil(count / across)
    const [tile_width, tile_height] = [width / across, height / down]
    const small = tile_width < LEAST.width || tile_height < LEAST.height ? 10 : 0
    const off = small + Math.abs(Math.log(tile_width / tile_height / SHAPE)) + (across * down - count) * 0.6
    if (off < best_off) {
      best_off = off
      best = across
    }
  }
  return best
}
