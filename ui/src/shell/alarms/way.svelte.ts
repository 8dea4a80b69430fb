/** Whether the list of alarms lies over the wall, and which one is wanted in it. */
class Way {
  open = $state(false)
  /** The key of the alarm that is wanted. */
  wanted = $state.raw<string | null>(null)

  show(key: string | null): void {
    this.wanted = key
    this.open = true
  }

  close(): void {
    this.open = false
    this.wanted = null
  }
}

/** The page's one. */
export const way = new Way()
