// A fleet on the user's own PostgreSQL servers, as the module that `--config` names tells of it.

import { DDL, openPlace, type ReshardPlace } from './postgres-reshard-fleet.ts'

const place = JSON.parse(process.env.FLEET ?? 'null') as ReshardPlace

export default { ...openPlace(place), ddl: DDL }
