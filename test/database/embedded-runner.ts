// Runs an embedded Postgres until it is told to stop, for tests that kill the process around it.
import { createLog, MeshError } from '#kit';
import { startEmbeddedPostgres } from '#database/embedded';

import type { RunnerMessage } from './start-runner.ts';

const [, , dataDir = ''] = process.argv;
const tell = (message: RunnerMessage): void => void process.send?.(message);

// As a supervisor does, which stops things in its own order.
process.on('SIGINT', () => undefined);
try {
  const postgres = await startEmbeddedPostgres({ dataDir, log: createLog({ level: 'error' }) });
  process.once('message', () => void postgres.stop().then(() => process.disconnect()));
  tell({ type: 'started', pid: postgres.pid, url: postgres.url('postgres') });
} catch (thrown) {
  const { reason, message } = MeshError.from(thrown);
  tell({ type: 'refused', reason, message });
  process.disconnect();
}
