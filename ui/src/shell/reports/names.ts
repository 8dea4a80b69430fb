/** What an alarm of the record is called, by the board as it is now. */
import { whose } from '../../core/alarms'
import type { AlarmName } from '../../generated/frame'
import { say } from '../../words/say'

type Names = Readonly<Record<string, AlarmName>>

/** Its title, with whose it is where one rule watches many; its key where the rule is gone. */
export function name_of(names: Names, key: string): string {
  const name = names[key]
  if (name === undefined) return key
  if (name.source !== undefined) return say('alarm.source-lost', { source: name.title })
  const own = whose({ key })
  return own === null || name.title.includes(own) ? name.title : `${name.title}, ${own}`
}

/** Where to look: the widgets that it is judged by. */
export const widgets_of = (names: Names, key: string): string[] => names[key]?.widgets ?? []
