/** Which page lies over the wall: the figures of the alarms, or what happened since somebody looked away. */
export type Sheet = 'report' | 'since'

class Reports {
  open = $state<Sheet | null>(null)

  show(sheet: Sheet): void {
    this.open = sheet
  }

  close(): void {
    this.open = null
  }
}

/** The page's one. */
export const reports = new Reports()
