// H3: a frame is taken over whole or not at all, and what a page can't apply asks for everything.
import { expect, test } from 'vitest'
import type { BoardView, Frame, WidgetPatch } from '../generated/frame'
import { unknown_quality, Wall } from './wall'

const BOARD: BoardView = {
  title: 't',
  timezone: 'UTC',
  theme: 'dark',
  columns: 1,
  rows: 1,
  widgets: [
    {
      id: 'rows',
      title: 'rows',
      note: null,
      source: 's',
      place: { column: 1, row: 1, width: 1, height: 1 },
      look: { kind: 'table', columns: [], limit: 5 },
    },
  ],
}

function frame(version: number, more: Partial<Frame> = {}): Frame {
  return {
    version,
    board: null,
    revision: 1,
    clock: { wall_ms: 0, board_ms: 0, speed: 1, label: null },
    heartbeat_ms: 1_000,
    sources: [],
    widgets: [],
    notices: [],
    outages: null,
    ...more,
  }
}

function rows(keys: string[], whole: boolean, order: string[] | null = keys): WidgetPatch {
  return {
    id: 'rows',
    quality: { ...unknown_quality(), freshness: 'live' },
    value: {
      kind: 'table',
      whole,
      rows: keys.map((key) => ({ key, cells: [], state: 'normal' })),
      removed: [],
      order,
      total: keys.length,
      at_least: false,
    },
  }
}

test('before a board nothing can be applied', () => {
  expect(new Wall().apply(frame(1), 0)).toBeNull()
})

test('another revision without its board can’t be applied', () => {
  const wall = new Wall()
  wall.apply(frame(1, { board: BOARD }), 0)
  expect(wall.apply(frame(2, { revision: 2 }), 0)).toBeNull()
  expect(wall.version).toBe(1)
})

test('a widget without a patch is unknown, not empty', () => {
  const wall = new Wall()
  wall.apply(frame(1, { board: BOARD }), 0)
  expect(wall.widgets.get('rows')).toMatchObject({ value: null, quality: { freshness: 'unknown' } })
})

test('a frame with one part that can’t be applied changes nothing', () => {
  const wall = new Wall()
  wall.apply(frame(1, { board: BOARD, widgets: [rows(['a'], true)] }), 0)
  const before = wall.widgets.get('rows')?.value
  expect(wall.apply(frame(2, { widgets: [rows([], false, ['a', 'ghost'])] }), 0)).toBeNull()
  expect(wall.widgets.get('rows')?.value).toBe(before)
  expect(wall.version).toBe(1)
})

test('a reloaded board drops what is gone and what became another kind', () => {
  const wall = new Wall()
  wall.apply(frame(1, { board: BOARD, widgets: [rows(['a'], true)] }), 0)
  const [view] = BOARD.widgets
  if (view === undefined) throw new Error('the board has a widget')
  wall.apply(frame(2, { revision: 2, board: { ...BOARD, widgets: [{ ...view, look: { kind: 'log', limit: 5 } }] } }), 0)
  expect(wall.widgets.get('rows')?.value).toBeNull()
  wall.apply(frame(3, { revision: 3, board: { ...BOARD, widgets: [] } }), 0)
  expect(wall.widgets.size).toBe(0)
})
