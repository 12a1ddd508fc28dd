// Node's `process`, by feature detection alone: the core runs in browsers too. Taken when the
// module loads, so that what a test puts in its place later makes no difference.

/** The part of Node's `process` that this package uses. */
export interface HostProcess {
  readonly env?: {
    readonly CI?: string
    readonly SIM_RUNS?: string
    readonly SIM_SEED?: string
    readonly SIM_TOTALS?: string
  }
  readonly _tickCallback?: () => void
  readonly getBuiltinModule?: (id: string) => unknown
  rawListeners(event: string): ((...args: never[]) => void)[]
  removeAllListeners(event: string): unknown
  removeListener(event: string, listener: (...args: never[]) => void): unknown
  on(event: string, listener: (...args: never[]) => void): unknown
}

const candidate = (globalThis as { readonly process?: unknown }).process as HostProcess | undefined

/** Node's `process`, where there is one. */
export const hostProcess: HostProcess | undefined =
  typeof candidate?.rawListeners === 'function' ? candidate : undefined
