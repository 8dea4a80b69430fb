// What reaches the cells, and what is live of it: without a document, with the scripted host's frames.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Frame } from './generated/frame'
import { UNDRAWN_REASON } from './core/freshness'
import { Pull } from './core/pull'
import { FakeHost } from './host/fake'
import { LiveWall } from './wall.svelte'

/** What components do in the next flushes. */
const drawing = vi.hoisted(() => ({ throws: 0 }))

vi.mock('svelte', async (original) => ({
  ...(await original<typeof import('svelte')>()),
  flushSync: (then?: () => void): void => {
    then?.()
    if (drawing.throws === 0) return
    drawing.throws -= 1
    throw new Error('each_key_duplicate')
  },
}))

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', { documentElement: { dataset: {} } })
  drawing.throws = 0
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const freshnesses = (live: LiveWall): string[] => [...new Set(live.cells.map(({ freshness }) => freshness))]

test('a component that throws leaves nothing live, and what can be drawn again is (H1, H7)', async () => {
  const host = FakeHost.from_address('')
  const live = new LiveWall()
  const asked: number[] = []
  const seen: string[][] = []
  let answered = 0
  const pull = new Pull({
    next_frame: (after) => {
      asked.push(after)
      if (asked.length > 1) seen.push(freshnesses(live))
      answered += 1
      // The second frame can't be drawn, nor can what is made stale: whoever pulls goes on all the same.
      if (answered === 2) drawing.throws = 2
      return answered > 3 ? new Promise<Frame>(() => undefined) : Promise.resolve(host.frame(after === 0))
    },
    apply: (frame) => live.apply(frame),
    painted: () => Promise.resolve(1),
    timer: (ms) => ({ done: new Promise((resolve) => setTimeout(resolve, ms)), cancel: () => undefined }),
    now: () => performance.now(),
    heard: () => {
      live.heard()
    },
    silent: () => {
      live.fall_silent()
    },
    undrawn: () => {
      live.cannot_draw()
    },
  })
  pull.start()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual([0, 1])
  expect(freshnesses(live)).toEqual(['stale'])
  expect(live.cells.map(({ reason }) => reason)).toEqual(live.cells.map(() => UNDRAWN_REASON))
  expect(live.frozen_because).toBe(UNDRAWN_REASON)
  expect(live.frozen_at).not.toBeNull()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked).toEqual([0, 1, 0, 3])
  expect(seen).toEqual([['live'], ['stale'], ['live']])
  expect([live.frozen_because, live.frozen_at]).toEqual([null, null])
  pull.pause()
})

test('what its panel can’t draw isn’t live, until it can be (H1)', () => {
  const live = new LiveWall()
  live.apply(FakeHost.from_address('').frame(true))
  const [cell] = live.cells
  if (cell === undefined) throw new Error('a board has widgets')
  live.panel_draws(cell, false)
  expect([cell.freshness, cell.reason]).toEqual(['stale', 'cannot be drawn'])
  expect(freshnesses(live).sort()).toEqual(['live', 'stale'])
  live.panel_draws(cell, true)
  expect(freshnesses(live)).toEqual(['live'])
})
