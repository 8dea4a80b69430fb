import { expect, test } from 'vitest'
import { glass_code } from './glass-code'

test('a code can be read back, and a torn one is told by its check', () => {
  const event_ms = 1_360_335_600_123
  const word = glass_code(event_ms).reduce((bits, white) => bits * 2 + Number(white), 0)
  const code = Math.floor(word / 256)
  expect(code).toBe((event_ms * 4) % 2 ** 24)
  expect(word % 256).toBe((code >> 16) ^ ((code >> 8) & 255) ^ (code & 255) ^ 0xa5)
})
