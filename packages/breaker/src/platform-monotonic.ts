// The platform's clock, the default of the option `monotonic`. The object is looked up when a
// breaker is made, not at each reading: in Node the global is a getter, and costs half as much as
// the reading itself, which is half of what a breaker costs. One function for all breakers, so that
// they can share their settings; another one if a test has put its own clock there.

let latest: { readonly clock: Performance; readonly monotonic: () => number } | undefined

/** Reads elapsed milliseconds off the platform. */
export function platformMonotonic(): () => number {
  const clock = globalThis.performance
  if (latest?.clock !== clock) latest = { clock, monotonic: () => clock.now() }
  return latest.monotonic
}
