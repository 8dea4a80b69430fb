/** H1: what was not heard of for long isn't shown as what is. */
import { expect, test } from 'vitest'
import type { TileValue } from '../generated/frame'
import { shown_tiles } from './silent'

const TILE: TileValue = { key: 'a', label: 'A', text: 'open', state: 'normal', detail: '3 waiting', since_ms: 5 }

test('a tile that is silent says so and how it was, and nothing of then besides', () => {
  const tiles = [TILE, { ...TILE, key: 'b', state: 'unknown' as const, lost: true }]
  expect(shown_tiles(tiles).map(({ text, detail }) => [text, detail])).toEqual([
    ['open', '3 waiting'],
    ['silent', 'was open'],
  ])
  expect(shown_tiles([{ ...TILE, text: '', lost: true }])[0]?.detail).toBeNull()
})

test('what says how it is stays what it is', () => {
  const tiles = [TILE]
  expect(shown_tiles(tiles)).toBe(tiles)
})
