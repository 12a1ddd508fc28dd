/** Something sound but for its flaws: methods and values that stand before its own. */
export function flawed<T extends object>(sound: T, flaws: Partial<T>): T {
  return new Proxy(sound, {
    get: (target, name) => {
      if (Object.hasOwn(flaws, name)) return Reflect.get(flaws, name)
      const own: unknown = Reflect.get(target, name, target)
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
}
