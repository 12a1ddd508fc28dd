// The main parts of @ashlar/ring, on any runtime.
import { assignSlots, HashRing, jumpHash, MaglevTable, Rendezvous } from '@ashlar/ring'

export default () => {
  const nodes = ['basalt', 'granite', 'marble']
  const ring = new HashRing(nodes)
  const grown = ring.with('slate')
  const keys = Array.from({ length: 500 }, (_, i) => `user:${i}`)
  const moved = keys.filter((key) => ring.get(key) !== grown.get(key))
  return [
    moved.length > 0 && moved.every((key) => grown.get(key)?.id === 'slate'),
    new Set(ring.getN('user:42', 3).map(({ id }) => id)).size === 3,
    nodes.includes(new Rendezvous(nodes).get('user:42')?.id ?? ''),
    nodes.includes(new MaglevTable(nodes).get('user:42')?.id ?? ''),
    jumpHash(42n, 1) === 0,
    assignSlots(nodes, { slots: 64 }).get('user:42') !== undefined,
  ]
}
