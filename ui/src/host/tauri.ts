/** The one door to the backend: commands, answered one by one. No events, no channels. */
import { invoke } from '@tauri-apps/api/core'
import type { Frame } from '../generated/frame'
import type { DemoState, Host } from './types'

export const tauri: Host = {
  next_frame: (after, revision, rest_ms) => invoke<Frame>('next_frame', { after, revision, restMs: rest_ms }),
  glass: (kind) => invoke('glass', { kind }),
  demo_state: () => invoke<DemoState | null>('demo_state'),
  demo_fault: (name, on) => invoke('demo_fault', { name, on }),
  demo_speed: (speed) => invoke('demo_speed', { speed }),
  demo_pause: (paused) => invoke('demo_pause', { paused }),
}
