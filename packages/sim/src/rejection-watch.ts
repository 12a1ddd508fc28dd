// Unhandled rejections and stray throws during a run belong to the run, not to the host: while it
// lasts, the host's own listeners (a test runner's, say) are set aside, and put back afterwards.
// Where there is no `process`, the global `unhandledrejection` event serves: it comes a little
// later than the event of the run that caused it, and listeners of the page that were there before
// hear it too, though with its default prevented.

import { type HostProcess, hostProcess } from './host.ts'

const EVENTS = ['unhandledRejection', 'uncaughtException'] as const

/** Sends what nobody handles to `report`, until the function that it returns is called. */
export function watchRejections(report: (error: unknown) => void): () => void {
  if (hostProcess !== undefined) return watchProcess(hostProcess, report)
  if (typeof globalThis.addEventListener !== 'function') return () => {}
  const hear = (event: PromiseRejectionEvent) => {
    event.preventDefault()
    report(event.reason)
  }
  globalThis.addEventListener('unhandledrejection', hear)
  return () => globalThis.removeEventListener('unhandledrejection', hear)
}

function watchProcess(host: HostProcess, report: (error: unknown) => void): () => void {
  const setAside = EVENTS.map((event) => {
    const listeners = host.rawListeners(event)
    host.removeAllListeners(event)
    host.on(event, report)
    return { event, listeners }
  })
  return () => {
    for (const { event, listeners } of setAside) {
      host.removeListener(event, report)
      for (const listener of listeners) host.on(event, listener)
    }
  }
}
