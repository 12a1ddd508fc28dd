// The main parts of @ashlar/clock, on any runtime.
import {
  CausalBuffer,
  Dvv,
  HybridLogicalClock,
  LamportClock,
  MatrixClock,
  VectorClock,
  VersionVector,
} from '@ashlar/clock'

export default () => {
  const first = new Dvv().put('a', VersionVector.empty, 'oslo')
  const second = new Dvv().put('b', VersionVector.empty, 'rome')
  const heard = []
  const buffer = new CausalBuffer({ deliver: (text) => void heard.push(text) })
  buffer.receive('rome', VersionVector.of({ oslo: 1, rome: 1 }), 'answer')
  buffer.receive('oslo', VersionVector.of({ oslo: 1 }), 'question')
  return [
    first.sync(second).values().length === 2,
    heard.join() === 'question,answer',
    new HybridLogicalClock({ node: 'oslo' }).now().wall > 0,
    [LamportClock, MatrixClock, VectorClock].every((each) => typeof each === 'function'),
  ]
}
