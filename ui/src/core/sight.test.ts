// Sizes in minutes of arc: what a reader at the stated distance can read.
import { expect, test } from 'vitest'
import type { BoardView } from '../generated/frame'
import { ARC_MIN, arc_minutes, largest, see } from './sight'

const board = (
  columns: number,
  rows: number,
  width: number,
  height: number,
  more: Partial<BoardView> = {},
): BoardView => ({
  title: 'T',
  timezone: 'UTC',
  theme: 'dark',
  columns,
  rows,
  widgets: [
    {
      id: 'w',
      title: 'W',
      note: null,
      source: 's',
      place: { column: 1, row: 1, width, height },
      look: { kind: 'status' },
    },
  ],
  ...more,
})

/** 65 inches at 1920×1080. */
const WALL = { px_per_mm: 1.334, distance_mm: null }

test('arcs are those of the tables', () => {
  // 13.3 mm from three metres are 15 minutes, 54 pixels of 65 inches from five some 20.
  expect(arc_minutes(13.3, 3000)).toBeCloseTo(15.2, 1)
  expect(arc_minutes((0.711 * 54) / 1.334, 5000)).toBeCloseTo(19.8, 1)
})

test('text is as large as the glass has room for, until it has to be larger', () => {
  const roomy = board(4, 3, 2, 1)
  expect(see(roomy, WALL, 1920, 1080).larger).toBe(1)
  const near = see({ ...roomy, viewing_distance_mm: 2500 }, WALL, 1920, 1080)
  expect(near).toEqual({ larger: 1, notice: null })
  const far = see({ ...roomy, viewing_distance_mm: 4000 }, WALL, 1920, 1080)
  expect(far.notice).toBeNull()
  const mm = (0.711 * 2.5 * 10 * far.larger) / 1.334
  expect(arc_minutes(mm, 4000)).toBeCloseTo(ARC_MIN, 1)
  // Twice the pixels on the same glass change nothing.
  expect(see({ ...roomy, viewing_distance_mm: 4000 }, { ...WALL, px_per_mm: 2.668 }, 3840, 2160).larger).toBeCloseTo(
    far.larger,
    3,
  )
})

test('what has no room for it says so', () => {
  const crowded = board(12, 10, 3, 1, { viewing_distance_mm: 6000 })
  const seen = see(crowded, WALL, 1920, 1080)
  expect(seen.larger).toBe(largest(crowded, 192, 108))
  expect(seen.notice?.text).toContain('from 6 m')
  expect(see(crowded, { px_per_mm: null, distance_mm: null }, 1920, 1080).notice?.detail[0]).toContain('--screen')
})

test('a window on a desk is read from the desk', () => {
  const seen = see(board(12, 10, 3, 1, { viewing_distance_mm: 6000 }), { px_per_mm: 3.7, distance_mm: 700 }, 1920, 1080)
  expect(seen).toEqual({ larger: 1, notice: null })
})
