import { expect, test } from 'vitest'
import { chosen } from './choice'

const GPU = { renderer: 'Mesa Intel(R) UHD Graphics 620', slow: false, draw_ms: null }

test('a GPU draws tiles, and nothing else does of its own accord', () => {
  expect(chosen('auto', 'there is a GPU', GPU)).toEqual({
    tiles: true,
    because: `WebGL is drawn by ${GPU.renderer}`,
    amiss: false,
  })
  expect(chosen('auto', 'there is a GPU', { renderer: '', slow: false, draw_ms: null }).because).toBe('there is a GPU')
  for (const renderer of [
    'Google SwiftShader',
    'llvmpipe (LLVM 19)',
    'Microsoft Basic Render Driver',
    'Software Rasterizer',
  ])
    expect(chosen('auto', 'there is a GPU', { renderer, slow: false, draw_ms: null }).tiles).toBe(false)
  expect(chosen('auto', 'there is a GPU', { ...GPU, slow: true }).tiles).toBe(false)
  expect(chosen('auto', 'there is a GPU', null)).toMatchObject({ tiles: false, amiss: false })
})

test('what is asked for is done where it can be', () => {
  const software = { renderer: 'llvmpipe', slow: true, draw_ms: null }
  expect(chosen('tiles', 'the map is set to tiles', software).tiles).toBe(true)
  expect(chosen('tiles', 'the map is set to tiles', null)).toMatchObject({ tiles: false, amiss: true })
  expect(chosen('canvas', 'the map is set to canvas', GPU)).toEqual({
    tiles: false,
    because: 'the map is set to canvas',
    amiss: false,
  })
})

test('a long name is cut', () => {
  expect(chosen('auto', '', { renderer: 'x'.repeat(9_999), slow: false, draw_ms: null }).because.length).toBeLessThan(
    160,
  )
})

test('where WebKit doesn’t say what draws, a trial does', () => {
  const of = (draw_ms: number) => chosen('auto', 'there is a GPU', { renderer: '', slow: false, draw_ms })
  expect(of(4.2)).toEqual({ tiles: true, because: 'there is a GPU; a trial of WebGL took 4 ms', amiss: false })
  expect(of(94)).toEqual({ tiles: false, because: 'a trial of WebGL took 94 ms, as long as by software', amiss: false })
  expect(chosen('tiles', 'the map is set to tiles', { renderer: '', slow: false, draw_ms: 94 }).tiles).toBe(true)
})
