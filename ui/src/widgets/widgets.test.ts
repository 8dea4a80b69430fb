// What is shown of more than fits: never silently cut.
import { describe, expect, test } from 'vitest'
import type { State, TileValue } from '../generated/frame'
import { figure_size } from './figure/figure'
import { fitting, spacious } from './log/log'
import { label_width_em } from '../core/width'
import { bar_window, fitting_ends, spread, time_ticks } from './series/axis'
import { hidden_short, hidden_words, name_room_em, SMALLEST, tiling, word_room_em } from './status/status'
import { column_widths } from './table/widths'

describe('figure', () => {
  const room = { width: 2_000, height: 400, digits_em: 1.7, mark_em: 0.75, small_em: 1.5, small_px: 25 }

  test('fills its box, however large it is', () => {
    expect(figure_size(room)).toEqual({ figure_px: 368, small_px: 368 * 0.42 })
    expect(figure_size({ ...room, height: 2_000 }).figure_px).toBeCloseTo(2_000 / (2.45 + 1.5 * 0.42))
  })

  test('in a small box the unit stays as large as can be read, and the digits take what is left', () => {
    const { figure_px, small_px } = figure_size({ ...room, width: 120, height: 60 })
    expect(small_px).toBe(25)
    expect(figure_px * 2.45 + small_px * 1.5).toBeCloseTo(120)
  })
})

describe('log', () => {
  const lines = [{ rows: 1 }, { rows: 2 }, { rows: 1 }, { rows: 1 }]

  test('all lines if they fit, else one row is kept for the count', () => {
    expect(fitting(lines, 5)).toHaveLength(4)
    expect(fitting(lines, 4)).toHaveLength(2)
    expect(fitting(lines, 3)).toHaveLength(1)
    expect(fitting(lines, 0)).toHaveLength(0)
    expect(fitting([], 3)).toHaveLength(0)
  })
})

test('a log of few lines in a large panel has larger ones', () => {
  expect(spacious([{ rows: 1 }], 14)).toBe(true)
  expect(spacious([{ rows: 1 }], 5)).toBe(false)
  expect(
    spacious(
      Array.from({ length: 9 }, () => ({ rows: 1 })),
      14,
    ),
  ).toBe(false)
})

describe('status', () => {
  const tile = (at: number, state: State = 'normal'): TileValue => ({
    key: String(at),
    label: `T${String(at)}`,
    text: 'open',
    state,
    detail: '16 of 25 cancelled',
    since_ms: 0,
  })
  const tiles = (count: number): TileValue[] => Array.from({ length: count }, (_, at) => tile(at))

  test('few tiles are large and say everything', () => {
    const laid = tiling(tiles(3), { width: 59, height: 19 })
    expect(laid).toMatchObject({ hidden: 0, across: 3, with_since: true })
    expect(laid.detail_lines).toBeGreaterThanOrEqual(2)
    expect(laid.label).toBeGreaterThan(4)
  })

  test('no word is smaller than can be read; what has no room is counted', () => {
    for (const count of [1, 5, 12, 40, 200]) {
      const laid = tiling(tiles(count), { width: 59, height: 19 })
      expect(laid.tiles.length + laid.hidden).toBe(count)
      expect(Math.min(laid.label, laid.text, laid.small)).toBeGreaterThanOrEqual(SMALLEST)
      const down = Math.ceil(laid.tiles.length / laid.across)
      expect(19 / down).toBeGreaterThan(5)
      expect(59 / laid.across).toBeGreaterThan(11)
    }
  })

  test('what somebody must act on is never among the hidden', () => {
    const all = tiles(60)
    all[57] = tile(57, 'alarm')
    all[40] = tile(40, 'warning')
    const { tiles: shown, hidden } = tiling(all, { width: 59, height: 19 })
    expect(hidden).toBeGreaterThan(0)
    expect(shown.map(({ key }) => key)).toEqual(expect.arrayContaining(['57', '40']))
    // In their own order.
    expect(shown.map(({ key }) => Number(key))).toEqual([...shown.map(({ key }) => Number(key))].sort((a, b) => a - b))
  })
})

describe('hidden tiles', () => {
  const tile = (at: number, state: State = 'normal'): TileValue => ({
    key: String(at),
    label: `T${String(at)}`,
    text: 'open',
    state,
    detail: null,
    since_ms: 0,
  })
  const many = (count: number): TileValue[] => Array.from({ length: count }, (_, at) => tile(at))

  test('how many are drawn follows the panel, and all that the backend keeps have room on a large one', () => {
    expect(tiling(many(150), { width: 189, height: 96 }).hidden).toBe(0)
    expect(tiling(many(500), { width: 189, height: 96 }).tiles.length).toBeGreaterThan(150)
    expect(tiling(many(500), { width: 400, height: 200 }).hidden).toBe(0)
    expect(tiling(many(150), { width: 40, height: 20 }).tiles.length).toBeLessThan(10)
  })

  test('it is said what they are, in a low panel as far as that has room', () => {
    expect(hidden_words(['normal', 'warning', 'warning', 'alarm'])).toBe('+4 more, 1 alarm, 2 warnings')
    expect(hidden_words(['normal', 'muted'])).toBe('+2 more, all normal')
    expect(hidden_short(['normal', 'warning', 'warning', 'unknown'])).toBe('+4, 2 warnings')
    expect(hidden_short(['normal', 'normal'])).toBe('+2')
    const all = many(30).map((one, at) => (at % 3 === 0 ? { ...one, state: 'warning' as const } : one))
    for (const [width, more] of [
      [36, /^\+\d+$/],
      [41, /^\+\d+, \d+ warnings?$/],
      [180, /^\+\d+(?: more)?, \d+ warnings?$/],
    ] as const) {
      const laid = tiling(all, { width, height: 4 })
      expect(laid.in_line).toBe(true)
      expect(laid.tiles.length + laid.hidden).toBe(30)
      expect(laid.more, String(width)).toMatch(more)
      expect(laid.more_mark).toBe(width === 36 ? 'warning' : null)
      expect(laid.inner).toBeGreaterThan(10)
    }
  })
})

describe('table', () => {
  test('a column that needs more takes it from those that can spare it, and the row stays as wide', () => {
    const widths = column_widths([
      { share: 90, need: 60 },
      { share: 90, need: 90 },
      { share: 90, need: 105 },
    ])
    expect(widths).toEqual([75, 90, 105])
  })

  test('where nobody can spare anything the board’s shares hold', () => {
    // prettier-ignore
    expect(column_widths([{ share: 50, need: 60 }, { share: 50, need: 50 }])).toEqual([50, 50])
    // prettier-ignore
    expect(column_widths([{ share: 50, need: 80 }, { share: 50, need: 40 }])).toEqual([60, 40])
  })

  test('a short text has all that it needs before a long one has more than its least', () => {
    const long = { share: 60, need: 120, soft: true, least: 50 }
    expect(column_widths([long, { share: 20, need: 30, soft: true, least: 50 }])).toEqual([50, 30])
    expect(column_widths([long, { share: 20, need: 15, soft: true, least: 50 }])).toEqual([65, 15])
  })
})

describe('tiles with little room', () => {
  test('what is said of hidden tiles fits, and a tile in a line has a name and a whole word, or its mark alone', () => {
    const all = Array.from({ length: 80 }, (_, at) => ({
      ...{ key: String(at), label: `Lane ${String(at)}`, text: 'lost', detail: null, since_ms: 0 },
      state: (['alarm', 'warning', 'unknown', 'normal'] as const)[at % 4] ?? 'normal',
    }))
    for (let width = 10; width < 70; width += 1.5) {
      const { more } = tiling(all, { width, height: 20 })
      expect(label_width_em(more) * SMALLEST, more).toBeLessThanOrEqual(width)
      const line = tiling(all, { width, height: 4 })
      for (const tile of line.tiles) {
        const [name, word] = [name_room_em(tile, line), word_room_em(tile, line)]
        expect(word === 0 || word >= label_width_em(tile.text)).toBe(true)
        expect(name).toBeGreaterThan(0)
      }
    }
  })
})

describe('series', () => {
  test('no two ticks of time say the same, and none reaches beyond the plot', () => {
    for (const length_ms of [60_000, 120_000, 300_000, 3_600_000, 43_200_000]) {
      for (const width_em of [4, 11, 26, 60]) {
        const to_ms = Date.UTC(2026, 10, 26, 3, 21, 49)
        const { ticks_ms, with_seconds } = time_ticks(to_ms - length_ms, to_ms, width_em, 0)
        const texts = ticks_ms.map((at) => new Date(at).toISOString().slice(11, with_seconds ? 19 : 16))
        expect(new Set(texts).size).toBe(texts.length)
        const em = (at: number): number => ((at - to_ms + length_ms) / length_ms) * width_em
        for (const at of ticks_ms) {
          expect(em(at)).toBeGreaterThanOrEqual(0.9)
          expect(em(at)).toBeLessThanOrEqual(width_em - 0.5)
        }
      }
    }
  })

  test('bars that are still filling have all of their bucket’s width', () => {
    const look = { draw: 'bars', keep_ms: 60_000, bucket_ms: 10_000 }
    expect(bar_window(look, 101_000)).toEqual({ from_ms: 50_000, to_ms: 110_000 })
    expect(bar_window({ ...look, draw: 'line' }, 101_000)).toEqual({ from_ms: 41_000, to_ms: 101_000 })
  })

  test('labels of more lines than there is room for are counted, and none is cut', () => {
    const ends = Array.from({ length: 5 }, (_, at) => ({ at, text: `Lane ${String(at)}`, y: 40 + at }))
    const labels = fitting_ends(ends, 3)
    expect(labels.map(({ text }) => text)).toEqual(['Lane 0', 'Lane 1', '+3 more'])
    spread(labels, 10, 50, 20)
    expect(labels.map(({ y }) => y)).toEqual([10, 30, 50])
    expect(fitting_ends(ends, 5)).toHaveLength(5)
  })
})
