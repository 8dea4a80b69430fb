/**
 * The backend answers one question of a kind at a time: a newer one ends the older. Where that wasn't this page's (another monitor's page asks as well) it
 * is asked again.
 */
const SUPERSEDED = 'superseded'
const AGAIN_MS = 1_000
const TRIES = 4

/** Asks, and again where another page's question came between, as long as this one still counts. */
export async function insistent<T>(ask: () => Promise<T>, counts: () => boolean): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      const is_last = tries === TRIES || !counts()
      if (is_last || (error instanceof Error ? error.message : error) !== SUPERSEDED) throw error
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      if (!counts()) throw error
    }
  }
}
