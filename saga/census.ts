import type { Database, Statement } from '#database';
import type { Log } from '#kit';

import type { DefinitionRegistry } from './registry.ts';

/** How many sagas of the table are in which state, whichever instance has them. */
export interface Census {
  /** On their way, forward or back. */
  readonly open: number;
  /** Those of them that nobody holds: they wait for their next try or their timer. */
  readonly waiting: number;
  readonly stuck: number;
  /** Open, of a definition or version that this process does not know. */
  readonly unknownVersion: number;
}

// Both halves go by partial indexes: what is finished is not counted, nor read.
const COUNT: Statement = {
  name: 'saga.census',
  text: `SELECT definition, version, false AS stuck, waiting, count(*)::integer AS count FROM saga
           WHERE status IN ('RUNNING', 'COMPENSATING') GROUP BY definition, version, waiting
         UNION ALL SELECT '', 0, true, true, count(*)::integer FROM saga WHERE status = 'STUCK'`,
};

interface Row {
  readonly definition: string;
  readonly version: number;
  readonly stuck: boolean;
  readonly waiting: boolean;
  readonly count: number;
}

export interface CensusTaker {
  /** Counts, and warns of sagas that nobody here knows how to run: once, until there are others or more of them. */
  take(): Promise<void>;
  /** As last counted. */
  read(): Census;
}

export function createCensusTaker(database: Database, registry: DefinitionRegistry, log: Log): CensusTaker {
  let last: Census = { open: 0, waiting: 0, stuck: 0, unknownVersion: 0 };

  function warn(unknown: readonly Row[]): void {
    const versions = [...new Set(unknown.map(({ definition, version }) => `${definition} version ${version}`))];
    log.warn({ sagas: sum(unknown), versions }, 'sagas wait for a process that knows their definition: start one, or go on registering that version');
  }

  return {
    async take() {
      const rows = await database.query<Row>(COUNT, []);
      const open = rows.filter(({ stuck }) => !stuck);
      const unknown = open.filter((row) => !registry.find(row));
      const unknownVersion = sum(unknown);
      if (unknownVersion > last.unknownVersion) warn(unknown);
      last = { open: sum(open), waiting: sum(open.filter(({ waiting }) => waiting)), stuck: sum(rows.filter(({ stuck }) => stuck)), unknownVersion };
    },
    read: () => last,
  };
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}
