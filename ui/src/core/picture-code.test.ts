import { expect, test } from 'vitest'
import { PICTURE_CODE_BLOCKS, picture_code } from './picture-code'

const bits = (version: number) => picture_code(version).map(Number).join('')

// H7: as the backend reads it (src-tauri/src/glass/picture.rs).
test('a version is its low 24 bits and their check', () => {
  expect(picture_code(0)).toHaveLength(PICTURE_CODE_BLOCKS)
  expect(bits(0)).toBe('10' + '0'.repeat(24) + '1010010110100101')
  const check = ((0xabcdef * 0x9e37) % 65_536) ^ 0xabcd ^ 0xa5a5
  expect(bits(0xabcdef)).toBe('10' + '101010111100110111101111' + check.toString(2).padStart(16, '0'))
  expect(bits(2 ** 24 + 5)).toBe(bits(5))
  expect(bits(2 ** 52 + 7)).toBe(bits(7))
})
