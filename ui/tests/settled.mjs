/** When a page has come to rest. Runs in the page. */

/** Resolves once nothing of the wall has changed for a while in which frames came, in the document or on a canvas, and all faces are there. */
export function settled() {
  const QUIET_MS = 400
  const REST_MS_MAX = 60_000
  return /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      const begun_ms = performance.now()
      let changed_ms = performance.now()
      // A window that gets its size late lays everything out anew, and no element of it is another one.
      const shape = () => [innerWidth, innerHeight, getComputedStyle(document.documentElement).fontSize].join(' ')
      let shaped = shape()
      const watch = new MutationObserver((all) => {
        // What each frame says of itself is no change of what it shows.
        if (all.some(({ attributeName }) => !/^data-(version|picture-code|proof-of-life)$/.test(attributeName ?? '')))
          changed_ms = performance.now()
      })
      const main = document.querySelector('main') ?? document.body
      watch.observe(main, { subtree: true, childList: true, characterData: true, attributes: true })
      const { __drawn_ms: drawn_ms = () => 0 } = /** @type {{ __drawn_ms?: () => number }} */ (globalThis)
      const timer = setInterval(() => {
        if (shape() !== shaped) [shaped, changed_ms] = [shape(), performance.now()]
        const rests =
          document.fonts.status === 'loaded' && performance.now() - Math.max(changed_ms, drawn_ms()) >= QUIET_MS
        if (!rests && performance.now() - begun_ms < REST_MS_MAX) return
        clearInterval(timer)
        watch.disconnect()
        if (rests) resolve()
        else reject(new Error('the page does not come to rest'))
      }, 25)
    })
  )
}
