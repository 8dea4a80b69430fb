import { expect, test } from 'vitest'
import { chosen } from './choice'

const GPU = { renderer: 'Mesa Intel(R) UHD Graphics 620', slow: false }

test('a GPU draws tiles, and nothing else does of its own accord', () => {
  expect(chosen('auto', 'there is a GPU', GPU)).toEqual({
    tiles: true,
    because: `WebGL is drawn by ${GPU.renderer}`,
    amiss: false,
  })
  expect(chosen('auto', 'there is a GPU', { renderer: '', slow: false }).because).toBe('there is a GPU')
  for (const renderer of [
    'Google SwiftShader',
    'llvmpipe (LLVM 19)',
    'Microsoft Basic Render Driver',
    'Software Rasterizer',
  ])
    expect(chosen('auto', 'there is a GPU', { renderer, slow: false }).tiles).toBe(false)
  expect(chosen('auto', 'there is a GPU', { ...GPU, slow: true }).tiles).toBe(false)
  expect(chosen('auto', 'there is a GPU', null)).toMatchObject({ tiles: false, amiss: false })
})

test('what is asked for is done where it can be', () => {
  const software = { renderer: 'llvmpipe', slow: true }
  expect(chosen('tiles', 'the map is set to tiles', software).tiles).toBe(true)
  expect(chosen('tiles', 'the map is set to tiles', null)).toMatchObject({ tiles: false, amiss: true })
  expect(chosen('canvas', 'the map is set to canvas', GPU)).toEqual({
    tiles: false,
    because: 'the map is set to canvas',
    amiss: false,
  })
})

test('a long name is cut', () => {
  expect(chosen('auto', '', { renderer: 'x'.repeat(9_999), slow: false }).because.length).toBeLessThan(160)
})
