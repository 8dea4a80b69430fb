/** How tiles share their panel: which are drawn, how many beside each other, and how large their words are. */
import type { TileValue } from '../../generated/frame'
import { TILES_MAX } from '../../core/limits'
import { LINE, SIZES } from '../../core/sizes'
import { label_width_em } from '../../core/width'
import { say } from '../../words/say'

/** All sizes are in rem, of the panel's own growth. */
export interface Size {
  readonly width: number
  readonly height: number
}

export interface Tiling {
  readonly tiles: readonly TileValue[]
  readonly hidden: number
  /** Whether name and state stand in one line: there is no room for two. */
  readonly in_line: boolean
  /** What the hidden ones are. */
  readonly hidden_states: readonly TileValue['state'][]
  /** What is said of them, and the mark of the worst where that is only how many. */
  readonly more: string
  readonly more_mark: TileValue['state'] | null
  /** Width that a tile has for its words. */
  readonly inner: number
  readonly across: number
  /** Letters of the key, of the state, and of what is small. */
  readonly label: number
  readonly text: number
  readonly small: number
  readonly with_since: boolean
  /** Lines of the detail; none if there is no room. */
  readonly detail_lines: number
}

export const SMALLEST = SIZES.minor
export const GAP = 0.6
/** What a tile needs beside its words: border and padding, both sides. */
const RIM: Size = { width: 2.8, height: 0.8 }
/** The smallest tile that can be read: two lines. */
const LEAST: Size = { width: 12, height: 6.6 }
/** The narrowest of one line. */
const LEAST_LINE_WIDTH = 22
const COUNT_HEIGHT = 3.4
const DETAIL_LINES_MAX = 3
/** A mark and the gap behind it. */
const MARK_EM = 1.15
/** What is exactly as wide as its room must not be shortened by a rounding. */
const SPARE_EM = 0.02
const since_em = (): number => label_width_em(say('quality.since', { time: '22:22' }))
const SHAPE = 1.7

const URGENCY: Record<TileValue['state'], number> = { alarm: 0, warning: 1, unknown: 2, normal: 3, muted: 4 }

export function tiling(all: readonly TileValue[], place: Size): Tiling {
  const room = capacity(place)
  const needed = LEAST.height + (all.length > room ? COUNT_HEIGHT : 0)
  if (place.height < needed) return in_line(all, place)
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
  // The smaller line is never smaller than can be read, and the larger one has what that leaves.
  const label = bounded(
    large * 0.54,
    inner.height / LINE - SMALLEST,
    inner.width / (widest((tile) => tile.label) + SPARE_EM),
  )
  // The mark and its gap stand before the word.
  const text = bounded(large * 0.46, inner.width / (widest((tile) => tile.text) + MARK_EM + SPARE_EM))
  const left = inner.height - (label + text) * LINE
  const small_em = Math.max(since_em(), (detail_em * 1.08) / Math.max(1, detail_lines)) + SPARE_EM
  const small = bounded(left / wanted / LINE, label * 0.7, inner.width / small_em)
  const lines = Math.floor(left / (small * LINE) + 0.02)
  const hidden_states = hidden_of(all, tiles)
  return {
    tiles,
    hidden: hidden_states.length,
    in_line: false,
    hidden_states,
    more: hidden_states.length === 0 ? '' : said_in(hidden_states, place.width / SMALLEST),
    more_mark: null,
    inner: inner.width,
    across,
    label,
    text,
    small,
    // A detail that would be cut is none; it comes before the time.
    with_since: lines >= wanted || (lines >= 1 && lines < detail_lines),
    detail_lines: lines >= detail_lines ? detail_lines : 0,
  }
}

/** Tiles beside each other, the count behind the last where not all have room. */
function in_line(all: readonly TileValue[], { width, height }: Size): Tiling {
  const fit = (room: number): number => Math.max(1, Math.floor((room + GAP) / (LEAST_LINE_WIDTH + GAP)))
  const { tiles, hidden_states, more, more_mark, taken } = line_count(all, width, fit)
  const across = Math.max(1, tiles.length)
  const hidden = hidden_states.length
  const size = bounded(Math.min(SIZES.row, (height - RIM.height) / LINE))
  return {
    tiles,
    hidden,
    in_line: true,
    hidden_states,
    more,
    more_mark,
    inner: (width - taken - GAP * (across - 1)) / across - RIM.width - GAP,
    across,
    label: size,
    text: size,
    small: size,
    with_since: false,
    detail_lines: 0,
  }
}

/** What stands behind tiles in a line, and which of them that leaves room for. */
interface LineCount {
  readonly tiles: readonly TileValue[]
  readonly hidden_states: readonly TileValue['state'][]
  readonly more: string
  readonly more_mark: TileValue['state'] | null
  readonly taken: number
}

/** In words, in few, a number with the mark of the worst, or that alone: what leaves room for the most tiles, and says most. */
function line_count(all: readonly TileValue[], width: number, fit: (room: number) => number): LineCount {
  const none = { tiles: all, hidden_states: [], more: '', more_mark: null, taken: 0 }
  if (all.length <= fit(width)) return none
  const states = all.map(({ state }) => state)
  const forms = [hidden_words, hidden_short, hidden_number].map((words) => ({ words, marked: words === hidden_number }))
  const told = [...forms, { words: hidden_number, marked: false }].map(({ words, marked }): LineCount => {
    const width_of = (hidden: readonly TileValue['state'][]): number =>
      COUNT_GAP + SIZES.minor * (label_width_em(words(hidden)) + (marked ? MARK_EM : 0))
    let taken = width_of(states)
    let tiles = most_urgent(all, fit(width - taken))
    // What is said of fewer may be longer.
    taken = Math.max(taken, width_of(hidden_of(all, tiles)))
    tiles = most_urgent(all, fit(width - taken))
    const hidden_states = hidden_of(all, tiles)
    taken = Math.max(taken, width_of(hidden_states))
    const worst = STATES_TOLD.find((state) => hidden_states.includes(state)) ?? null
    return { tiles, hidden_states, more: words(hidden_states), more_mark: marked ? worst : null, taken }
  })
  const most = Math.max(...told.map(({ tiles }) => tiles.length))
  const best = told.find(({ tiles, taken }) => tiles.length === most && width - taken >= most * TILE_WIDTH)
  return best ?? told.at(-1) ?? none
}

function hidden_of(all: readonly TileValue[], shown: readonly TileValue[]): TileValue['state'][] {
  const seen = new Set(shown)
  return all.filter((tile) => !seen.has(tile)).map(({ state }) => state)
}

function hidden_number(states: readonly TileValue['state'][]): string {
  return `+${String(states.length)}`
}

/** The same in few words: how many, and of the worst how many. */
export function hidden_short(states: readonly TileValue['state'][]): string {
  const more = hidden_number(states)
  const [worst] = STATES_TOLD.filter((state) => states.includes(state))
  if (worst === undefined) return more
  const count = states.filter((other) => other === worst).length
  return `${more}, ${say(`count.${worst}`, { count })}`
}

/** The same in as many words as there is room for. */
function said_in(states: readonly TileValue['state'][], room_em: number): string {
  const forms = [hidden_words, hidden_short].map((words) => words(states))
  return forms.find((form) => label_width_em(form) * 1.03 <= room_em) ?? hidden_number(states)
}

/** Of the name of a tile in a line so much stands at least, in parts of the tile and in em; and of its state's word, or its mark has to do. */
const NAME_SHARE = 0.3
const NAME_LEAST_EM = 3
const WORD_LEAST_EM = 4

/** What the name of a tile in a line has: what its state leaves, and a good part at least. */
export function name_room_em(tile: TileValue, laid: Tiling): number {
  const inner = laid.inner / laid.label
  if (!laid.in_line) return inner
  const least = Math.min(label_width_em(tile.label), Math.max(NAME_LEAST_EM, inner * NAME_SHARE))
  const word = label_width_em(tile.text)
  const has_word = inner - LINE_MARK_EM - least >= Math.min(word, WORD_LEAST_EM)
  return Math.max(least, inner - LINE_MARK_EM - (has_word ? word : 0))
}

/** Whether a time has room in a tile: half a time is none. */
export function fits_small(text: string, { inner, small }: Tiling): boolean {
  return label_width_em(text) * small <= inner
}

/** What the state's word has behind its mark; none where its mark has to do. */
export function word_room_em(tile: TileValue, laid: Tiling): number {
  const inner = laid.inner / laid.text
  if (!laid.in_line) return inner - MARK_EM
  const room = inner - LINE_MARK_EM - Math.min(name_room_em(tile, laid), label_width_em(tile.label))
  return room < Math.min(label_width_em(tile.text), WORD_LEAST_EM) ? 0 : room
}

/** In a line nothing else has a little to spare. */
const LINE_MARK_EM = 1.35

/** The gap before the count behind tiles in a line, in rem. */
const COUNT_GAP = 0.8
/** What is said of the hidden ones leaves at least so much for each tile. */
const TILE_WIDTH = 20

/** What isn't shown, and that none of it is worse than what is said: `+44 more, all normal`. */
export function hidden_words(states: readonly TileValue['state'][]): string {
  const more = say('more', { count: states.length })
  const parts = STATES_TOLD.map((state) => {
    const count = states.filter((other) => other === state).length
    return count === 0 ? '' : say(`count.${state}`, { count })
  }).filter((part) => part !== '')
  if (parts.length > 0) return `${more}, ${parts.join(', ')}`
  return states.every((state) => state === 'muted')
    ? `${more}, ${say('status.all-over')}`
    : `${more}, ${say('status.all-normal')}`
}

const STATES_TOLD = ['alarm', 'warning', 'unknown'] as const

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
