import { expect, test } from 'vitest'
import { dice } from '../../core/dice.test-support'
import { Reader } from './reader.svelte'

test('a hand goes through all lists line by line, past empty ones, and stops at both ends', () => {
  const reader = new Reader(() => [2, 0, 3])
  reader.rooms = [5, 5, 5]
  const way = Array.from({ length: 6 }, () => {
    reader.move(1)
    return [reader.part, reader.at]
  })
  expect(way).toEqual([
    [0, 0],
    [0, 1],
    [2, 0],
    [2, 1],
    [2, 2],
    [2, 2],
  ])
  for (let line = 0; line < 3; line += 1) reader.move(-1)
  expect([reader.part, reader.at]).toEqual([0, 1])
  reader.turn(1)
  expect([reader.part, reader.at]).toEqual([2, 0])
  reader.turn(1)
  expect([reader.part, reader.at]).toEqual([2, 0])
  reader.turn(1, { around: true })
  expect([reader.part, reader.at]).toEqual([0, 0])
})

test('where nothing is listed nothing is chosen', () => {
  const reader = new Reader(() => [0, 0])
  reader.move(1)
  reader.turn(1, { around: true })
  expect(reader.at).toBeNull()
})

test('whatever a hand does, and lists do meanwhile, the line it is at is one that there is, and has room', () => {
  const roll = dice(11)
  let counts = [5, 40, 0, 7]
  const reader = new Reader(() => counts)
  reader.rooms = [3, 6, 2, 9]
  for (let turn = 0; turn < 5_000; turn += 1) {
    const did = roll(6)
    if (did === 0) reader.turn(roll(2) === 0 ? 1 : -1, { around: roll(2) === 0 })
    else if (did === 1) reader.scroll(roll(4), roll(9) - 4)
    else if (did === 2) {
      counts = counts.map(() => roll(30))
      reader.begin()
    } else reader.move([1, -1, 8, -8, 1e9, -1e9][roll(6)] ?? 1)
    for (const [part, count] of counts.entries()) {
      expect(reader.offset(part)).toBeGreaterThanOrEqual(0)
      expect(reader.offset(part)).toBeLessThanOrEqual(Math.max(0, count - reader.room(part)))
    }
    const { part, at } = reader
    if (at === null) continue
    expect(at).toBeLessThan(counts[part] ?? 0)
    if (did === 1) continue
    expect(at).toBeGreaterThanOrEqual(reader.offset(part))
    expect(at).toBeLessThan(reader.offset(part) + reader.room(part))
  }
})
