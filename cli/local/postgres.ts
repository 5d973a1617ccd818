import { backoffMs, type Lifecycle, type Log, systemClock, systemRandom } from '#kit';

export interface PostgresOptions {
  readonly dataDir: string;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  /** Told what takes time, and what happened. */
  readonly report: (what: string) => void;
}

/** The URL of a database by its name. */
export type DatabaseUrl = (database: string) => string;

/** Starts the embedded Postgres and starts it again when it ends by itself: its URLs stay the same, and the services reconnect. */
export async function keepPostgres({ dataDir, lifecycle, log, report }: PostgresOptions): Promise<DatabaseUrl> {
  const { startEmbeddedPostgres } = await import('#database/embedded');
  const start = () => startEmbeddedPostgres({ dataDir, log, onProgress: report });
  let postgres = await start();
  const stopping = new AbortController();

  async function keepUp(): Promise<void> {
    for (let attempt = 0; ; ) {
      await Promise.race([postgres.ended, aborted(stopping.signal)]);
      if (stopping.signal.aborted) return;
      attempt += 1;
      report('ended; starting it again');
      log.warn('Postgres ended by itself');
      // It gives back what the one that ended still holds: the folder's ownership, its socket.
      await postgres.stop();
      try {
        postgres = await start();
        attempt = 0;
        report(`process ${postgres.pid}`);
      } catch (err) {
        log.error({ err }, 'Postgres could not be started again');
        await systemClock.sleep(backoffMs(attempt, 500, 30_000, systemRandom), stopping.signal).catch(() => undefined);
      }
    }
  }

  const kept = keepUp();
  lifecycle.onStop('postgres', async () => {
    stopping.abort();
    await kept;
    await postgres.stop();
  });
  report(`process ${postgres.pid}, data in ${postgres.dataDir}`);
  return (database) => postgres.url(database);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
