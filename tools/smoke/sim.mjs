// The main parts of @ashlar/sim, on any runtime: the same seed, the same world.
import { simulate } from '@ashlar/sim'

const world = (s) => {
  s.node('echo', ({ onMessage, send }) => onMessage((text, from) => send(from, text)))
  s.client('ann', async ({ send, sleep }) => {
    for (let i = 0; i < 10; i++) {
      send('echo', `${i}`)
      await sleep(5)
    }
  })
}

export default async () => {
  const options = { seed: 7, horizonMs: 200 }
  const [one, two] = [await simulate(options, world), await simulate(options, world)]
  return [one.hash === two.hash, one.events > 10]
}
