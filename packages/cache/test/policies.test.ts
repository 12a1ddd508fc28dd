// Every policy keeps the laws of cache-laws.ts.

import {
  FifoCache,
  LfuCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TinyLfuCache,
} from '../src/index.ts'
import { cacheLaws } from './cache-laws.ts'

cacheLaws('LruCache', (options) => new LruCache(options))
cacheLaws('FifoCache', (options) => new FifoCache(options))
cacheLaws('LfuCache', (options) => new LfuCache(options))
cacheLaws('SieveCache', (options) => new SieveCache(options))
cacheLaws('S3FifoCache', (options) => new S3FifoCache(options))
cacheLaws('TinyLfuCache', (options) => new TinyLfuCache(options))
