/** The cases of the sheet: which kind of widget is drawn in which state, at which size and in which light. */

/** @typedef {{ kind: string, state: string, size: keyof typeof SIZES, theme: 'dark' | 'light', far?: true }} Case `far`: read from a distance */

export const SIZES = {
  '1080p': { width: 1920, height: 1080 },
  '4k': { width: 3840, height: 2160 },
  portrait: { width: 1080, height: 1920 },
}
const SIZES_FAR = /** @type {(keyof typeof SIZES)[]} */ (Object.keys(SIZES))
/** A screen of 65 inches, and from where it is read. */
export const FAR = { diagonal_mm: 1651, distance_mm: 4_000 }
export const KINDS = [
  'counter',
  'gauge',
  'bar',
  'table',
  'grouped',
  'log',
  'series',
  'limits',
  'axes',
  'histogram',
  'heat',
  'days',
  'status',
  'tally',
  'timeline',
  'matrix',
  'markers',
  'fenced',
]
const STATES = [
  ...['live', 'stale', 'down', 'refused', 'unknown', 'empty', 'full', 'long', 'one'],
  ...['million', 'rtl', 'negative', 'huge', 'tiny'],
]
/** What is drawn at other sizes and in the other light as well. */
const ELSEWHERE = ['live', 'stale', 'down', 'refused', 'unknown', 'empty', 'full', 'long', 'rtl']
/** What is drawn each time that the tests run; in the second engine what it might do otherwise. */
const QUICK = { chromium: ['live', 'down', 'unknown', 'long', 'rtl'], webkitgtk: ['live', 'down', 'long'] }
/** The states that the wall's promise is about. */
export const KEPT = ['live', 'stale', 'down', 'refused', 'unknown', 'empty', 'full', 'long']
/**
 * Whose pictures are kept, by size. All are drawn and computed; in the second engine, and at other sizes, a few tell what would be otherwise.
 * Letters that aren't shipped are the system's, and another's system has others, so none from right to left.
 *
 * @type {Record<keyof typeof QUICK, Record<keyof typeof SIZES | 'light', readonly string[]>>}
 */
const PICTURES = {
  chromium: { '1080p': KEPT, '4k': ['live', 'down'], portrait: ['live', 'down'], light: ['live'] },
  webkitgtk: { '1080p': ['live', 'down', 'unknown', 'long'], '4k': ['live'], portrait: ['live'], light: [] },
}

/** What shows nothing of a source has no freshness. Where that of its clock's source isn't live it says that it stands. */
export const FURNITURE = ['text', 'clock', 'countdown']
const FURNITURE_STATES = ['live', 'down', 'unknown', 'empty', 'full', 'long', 'one', 'rtl', 'negative']

/** @type {readonly Case[]} */
export const CASES = [...KINDS, ...FURNITURE].flatMap((kind) => {
  const states = FURNITURE.includes(kind) ? FURNITURE_STATES : STATES
  const elsewhere = ELSEWHERE.filter((state) => states.includes(state))
  return [
    ...states.map((state) => /** @type {Case} */ ({ kind, state, size: '1080p', theme: 'dark' })),
    ...elsewhere.flatMap((state) => [
      /** @type {Case} */ ({ kind, state, size: '4k', theme: 'dark' }),
      /** @type {Case} */ ({ kind, state, size: 'portrait', theme: 'dark' }),
      /** @type {Case} */ ({ kind, state, size: '1080p', theme: 'light' }),
    ]),
    ...SIZES_FAR.map((size) => /** @type {Case} */ ({ kind, state: 'live', size, theme: 'dark', far: true })),
  ]
})

/**
 * @param {Case} one
 * @param {keyof typeof QUICK} engine
 */
export const is_quick = ({ state, size, theme, far }, engine) =>
  size === '1080p' && theme === 'dark' && far !== true && QUICK[engine].includes(state)

/** @param {Case} one */
export const name_of = ({ kind, state, size, theme, far }) =>
  `${kind}-${state}-${size}${theme === 'light' ? '-light' : ''}${far === true ? '-far' : ''}`

/**
 * Whether a picture of it is kept.
 *
 * @param {Case} one
 * @param {keyof typeof QUICK} engine
 */
export const is_kept = ({ state, size, theme, far }, engine) =>
  far !== true && PICTURES[engine][theme === 'light' ? 'light' : size].includes(state)
