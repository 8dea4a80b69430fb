// A text is as large as it has room for, and no line of it is lost without being counted.
import { expect, test } from 'vitest'
import { dice } from '../../core/dice.test-support'
import { cut, fitting_size, lines_of_pieces } from './fit'

test('the largest size that fits, and the least if none does', () => {
  expect(fitting_size(2.5, 6, 0.5, () => true)).toBe(6)
  expect(fitting_size(2.5, 6, 0.5, () => false)).toBe(2.5)
  for (const most of [2.5, 3, 4.4, 5.9]) {
    const size = fitting_size(2.5, 6, 0.1, (of) => of <= most + 1e-9)
    expect(size).toBeLessThanOrEqual(most + 1e-9)
    expect(size).toBeGreaterThan(most - 0.11)
  }
  expect(fitting_size(2.5, 2, 0.1, () => true)).toBe(2.5)
})

test('pieces beside each other are one line, whatever their sizes', () => {
  const lines = lines_of_pieces([
    { top: 40, bottom: 60 },
    { top: 2, bottom: 22 },
    { top: 0, bottom: 24 },
    { top: 44, bottom: 58 },
  ])
  expect(lines).toEqual([
    { top: 0, bottom: 24 },
    { top: 40, bottom: 60 },
  ])
  expect(lines_of_pieces([])).toEqual([])
})

test('what fits is whole', () => {
  expect(cut([{ top: 0, bottom: 20 }], 20, 25)).toBeNull()
  expect(cut([], 0, 25)).toBeNull()
})

test('of what doesn’t, whole lines are shown, the others are counted, and the count has room', () => {
  const roll = dice(7)
  for (let turn = 0; turn < 300; turn += 1) {
    let top = 0
    const lines = Array.from({ length: 1 + roll(30) }, () => {
      const line = { top: top + roll(9), bottom: top + 9 + roll(40) }
      top = line.bottom
      return line
    })
    const height = 10 + roll(600)
    const found = cut(lines, height, 31)
    if (found === null) {
      expect(lines.at(-1)?.bottom).toBeLessThanOrEqual(height)
      continue
    }
    expect(found.hidden).toBeGreaterThan(0)
    const shown = lines.slice(0, lines.length - found.hidden)
    expect(found.height).toBe(shown.at(-1)?.bottom ?? 0)
    if (shown.length > 0) expect(found.height + 31).toBeLessThanOrEqual(height)
  }
})
