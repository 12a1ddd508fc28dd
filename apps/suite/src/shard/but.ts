// An object like another but for some of its members: how twins are broken and parts are watched.

/** The same object with other members in place of some; its methods still see the original. */
export function but<T extends object>(target: T, overrides: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (name in overrides) return Reflect.get(overrides, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
