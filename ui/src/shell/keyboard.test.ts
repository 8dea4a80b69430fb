import { expect, test } from 'vitest'
import type { Stroke } from '../core/keys'
import { Keyboard } from './keyboard'

const stroke = (key: string): Stroke => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  shiftKey: false,
  repeat: false,
})

test('who lies above is asked first, and lets pass what means nothing to it', () => {
  const keyboard = new Keyboard()
  const done: string[] = []
  let history_open = true
  const ends = keyboard.hear({
    'past-close': () => done.push('past') > 0,
    'history-close': () => history_open && done.push('history') > 0,
  })
  expect(keyboard.press(stroke('Escape'))).toBe(true)
  history_open = false
  expect(keyboard.press(stroke('Escape'))).toBe(true)
  expect(done).toEqual(['history', 'past'])
  ends()
  expect(keyboard.press(stroke('Escape'))).toBe(false)
  expect(keyboard.is_heard('past-close')).toBe(false)
})

test('of several that hear the same gesture the first that means it does it', () => {
  const keyboard = new Keyboard()
  const done: number[] = []
  for (const at of [1, 2, 3]) keyboard.hear({ 'chart-leave': () => at > 1 && done.push(at) > 0 })
  expect(keyboard.press(stroke('Escape'))).toBe(true)
  expect(done).toEqual([2])
})
