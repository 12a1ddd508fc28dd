// The main parts of @ashlar/history, on any runtime.
import { checkLinearizable, drawTimeline, parseHistory, register } from '@ashlar/history'

export default () => {
  const history = parseHistory(`
    {"id":1,"type":"invoke","process":"ann","f":"write","key":"x","value":1,"time":0}
    {"id":1,"type":"ok","process":"ann","f":"write","key":"x","time":4}
    {"id":2,"type":"invoke","process":"bob","f":"read","key":"x","time":5}
    {"id":2,"type":"ok","process":"bob","f":"read","key":"x","value":null,"time":6}
  `)
  const { ok } = checkLinearizable(history, register())
  return [!ok, drawTimeline(history).includes('ann')]
}
