// No pixel has an edge upon it for ever, and nobody sees anything move.
import { expect, test } from 'vitest'
import { SHIFT_MS, SHIFT_PX, shift_at } from './shift'

const steps = Array.from({ length: 96 }, (_, at) => shift_at(Date.UTC(2026, 10, 28, 18) + at * SHIFT_MS))

test('each step is one pixel in one direction, for three minutes, within two pixels', () => {
  steps.forEach((here, at) => {
    expect(Math.max(Math.abs(here.x), Math.abs(here.y))).toBeLessThanOrEqual(SHIFT_PX)
    const next = steps[at + 1]
    if (next !== undefined) expect(Math.abs(here.x - next.x) + Math.abs(here.y - next.y)).toBe(1)
  })
  expect(shift_at(10 * SHIFT_MS + 1)).toBe(shift_at(11 * SHIFT_MS - 1))
  expect(SHIFT_MS).toBe(180_000)
})

test('all places of the square have their turn', () => {
  expect(new Set(steps.map(({ x, y }) => `${String(x)} ${String(y)}`)).size).toBe((2 * SHIFT_PX + 1) ** 2)
})

test('a clock from before 1970 has a place as well', () => {
  expect(shift_at(-1).x).toBeGreaterThanOrEqual(-SHIFT_PX)
})
