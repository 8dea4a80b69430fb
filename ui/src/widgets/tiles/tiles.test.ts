import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TilesHost } from './host'

const LOOK_MS = 2_000
const GROUNDS_MAX = 6
const look_for_gl = vi.hoisted(() => vi.fn())
const made = vi.hoisted(() => vi.fn())
vi.mock('../paint', () => ({ colours: () => ({}) }))
vi.mock('./choice', async (original) => ({ ...(await original()), look_for_gl }))
vi.mock('./source', () => ({
  FileSource: vi.fn(),
  tileset: () => Promise.resolve({}),
}))
vi.mock('./ground', () => ({
  Ground: class {
    constructor(place: { id: string }, _set: unknown, _dress: unknown, heard: { painted: (by: unknown) => void }) {
      made(place.id)
      setTimeout(() => {
        heard.painted(() => null)
      })
    }
    destroy(): void {
      // Nothing of it is drawn here.
    }
  },
}))

const told = new Map<string, string>()
const host: TilesHost = {
  tiles_open: () => Promise.resolve({ version: '1', map: 'tiles', because: 'the map is set to tiles' }),
  tiles_read: () => Promise.reject(new Error('not asked')),
  tiles_told: (_file, widget, text, amiss) => {
    told.set(widget, `${amiss ? 'amiss: ' : ''}${text}`)
    return Promise.resolve()
  },
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetModules()
  told.clear()
  made.mockReset()
  look_for_gl.mockReset()
})

afterEach(() => {
  vi.useRealTimers()
})

/** @param id the widget's */
async function map(id: string): Promise<{ destroy: () => void }> {
  const { Tiles } = await import('./tiles')
  const place = { element: {} as HTMLElement, id, file: 'city.pmtiles', bounds: [5, 45, 16, 52] as const }
  return new Tiles(host, place, { rem: 10, named: true }, () => undefined)
}

test('a GPU that wasn’t there is looked for again', async () => {
  look_for_gl.mockReturnValue(null)
  const one = await map('one')
  await vi.advanceTimersByTimeAsync(2 * LOOK_MS)
  expect(told.get('one')).toBe('amiss: the web view has no WebGL 2')
  // Not at each look: a web view gives few contexts.
  expect(look_for_gl).toHaveBeenCalledTimes(1)
  look_for_gl.mockReturnValue({ renderer: 'Mesa', slow: false, draw_ms: null })
  await vi.advanceTimersByTimeAsync(600_000 + LOOK_MS)
  expect(told.get('one')).toBe('drawn from tiles: the map is set to tiles')
  await vi.advanceTimersByTimeAsync(1_200_000)
  expect(look_for_gl).toHaveBeenCalledTimes(2)
  one.destroy()
})

test('H5: a map beyond those that a page may have says so, and is drawn as soon as another one goes', async () => {
  look_for_gl.mockReturnValue({ renderer: 'Mesa', slow: false, draw_ms: null })
  const maps: { destroy: () => void }[] = []
  for (let number = 0; number < GROUNDS_MAX; number += 1) maps.push(await map(String(number)))
  await vi.advanceTimersByTimeAsync(LOOK_MS)
  const last = await map('last')
  await vi.advanceTimersByTimeAsync(2 * LOOK_MS)
  expect(made).toHaveBeenCalledTimes(GROUNDS_MAX)
  expect(told.get('last')).toBe(`amiss: ${String(GROUNDS_MAX)} maps of this page are drawn from tiles already`)
  maps[2]?.destroy()
  await vi.advanceTimersByTimeAsync(LOOK_MS + 100)
  expect(made).toHaveBeenLastCalledWith('last')
  expect(told.get('last')).toBe('drawn from tiles: the map is set to tiles')
  for (const one of [...maps, last]) one.destroy()
})
