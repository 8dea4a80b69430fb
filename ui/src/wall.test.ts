// What reaches the cells, and what is live of it: without a document, with the scripted host's frames.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Against, Frame } from './generated/frame'
import { undrawn_reason } from './core/freshness'
import { Pull } from './core/pull'
import { FakeHost } from './host/fake'
import { FakeDrill } from './host/fake-drill'
import { FakePast } from './host/fake-past'
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
  vi.stubGlobal('document', { documentElement: { dataset: {}, style: { fontSize: '' } } })
  vi.stubGlobal('innerWidth', 1920)
  vi.stubGlobal('innerHeight', 1080)
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
  expect(live.cells.map(({ reason }) => reason)).toEqual(live.cells.map(() => undrawn_reason()))
  expect(live.frozen_because).toBe(undrawn_reason())
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

test('what two sources say bears the names that they have now, also where the numbers are the same (H1)', () => {
  const live = new LiveWall()
  const said = FakeHost.from_address('?scenario=one').frame(true)
  const against = (titles: Pick<Against, 'title' | 'own_title'>, source = 'radar'): void => {
    const disputed: Against = { source, ...titles, agreement: 'disputed', value: 3, reason: null }
    const widgets = said.widgets.map((patch) => ({ ...patch, quality: { ...patch.quality, against: disputed } }))
    live.apply({ ...said, widgets })
  }
  const titles = (): unknown => [live.cells[0]?.against?.own_title, live.cells[0]?.against?.title]
  against({ own_title: 'Gates', title: 'Radar' })
  expect(titles()).toEqual(['Gates', 'Radar'])
  const kept = live.cells[0]?.against
  against({ own_title: 'Gates', title: 'Radar' })
  // The same object: a widget is touched only if it changed.
  expect(live.cells[0]?.against).toBe(kept)
  against({ own_title: 'Gates', title: 'Tower' })
  expect(titles()).toEqual(['Gates', 'Tower'])
  against({ own_title: 'Stands', title: 'Tower' })
  expect(titles()).toEqual(['Stands', 'Tower'])
})

test.each(['drill', 'past'] as const)(
  'a chart that is lost as a %s ends is hatched from the present’s own proof (H1)',
  (shown) => {
    const live = new LiveWall()
    const said = FakeHost.from_address('').frame(true)
    const tell = (source_ms: number, more: Partial<Frame>): void => {
      const widgets = said.widgets.map((patch) => ({
        ...patch,
        quality: { ...patch.quality, freshness: 'down' as const, live_for_ms: 0, source_ms },
      }))
      live.apply({ ...said, widgets, ...more })
    }
    const chart = (): number | null | undefined =>
      live.cells.find(({ view }) => view.look.kind === 'series')?.known_until_ms
    const aside =
      shown === 'drill' ? { drill: new FakeDrill().view() } : { past: new FakePast(null, 'past').view(true, true) }
    tell(10_000, {})
    expect(chart()).toBe(10_000)
    // A copy has its own, which may be later: the present was lost while it was shown.
    tell(50_000, aside)
    expect(chart()).toBe(50_000)
    tell(20_000, {})
    expect(chart()).toBe(20_000)
  },
)
