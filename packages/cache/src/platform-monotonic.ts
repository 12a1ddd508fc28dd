// The platform's clock, the default of the option `monotonic`. The object is looked up when a
// cache is made, not at each reading: in Node the global is a getter, and costs half as much as
// the reading itself.

/** Reads elapsed milliseconds off the platform. */
export function platformMonotonic(): () => number {
  const clock = globalThis.performance
  return () => clock.now()
}
