// The contract of `Engine.adopt?` is in adopting-engine.ts.
export type { AdoptingEngine, AdoptOptions, AdoptProgress } from './adopting-engine.ts'
