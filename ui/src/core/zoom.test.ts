import { expect, test } from 'vitest'
import { zoom_from, zoom_of } from './zoom'

test('from a half to three times, step by step, and back at once', () => {
  const seen = [1]
  for (let at = 0; at < 20; at += 1) seen.push(zoom_from(seen.at(-1) ?? 1, '+'))
  expect(Math.max(...seen)).toBe(3)
  for (let at = 0; at < 20; at += 1) seen.push(zoom_from(seen.at(-1) ?? 1, '-'))
  expect(Math.min(...seen)).toBe(0.5)
  expect(seen.at(-1)).toBe(0.5)
  expect(zoom_from(0.5, '0')).toBe(1)
})

test('what was remembered is believed only if it is one of them', () => {
  expect(['1.5', '0.5', null, '', 'NaN', '-2', '900', '1.4999'].map(zoom_of)).toEqual([1.5, 0.5, 1, 1, 1, 1, 1, 1])
})
