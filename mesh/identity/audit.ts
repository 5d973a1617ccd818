import type { Clock, Log, Stoppable } from '#kit';

/** A refusal like one that has just been logged waits so long for a line of its own. */
const QUIET_MS = 10_000;
/** Kinds of refusals that are told apart within that time; further ones are counted together. */
const MAX_KINDS = 1_000;

/** What a line says beside `name: audit`; nothing secret. */
export type AuditFields = Readonly<Record<string, string | number | undefined>>;

/** Writes down who was refused, for whoever watches over the mesh: lines at level warn whose `name` is `audit`. */
export interface Audit extends Stoppable {
  /** `kind` tells refusals apart that are worth a line each. */
  note(kind: string, sentence: string, fields: AuditFields): void;
}

interface Recent {
  readonly sentence: string;
  readonly fields: AuditFields;
  loggedMs: number;
  /** Since then, without a line. */
  leftOut: number;
}

/**
 * A caller that tries on is one line in ten seconds and not thousands. How many were left out stands in the next line of
 * the kind as `leftOut`, which comes 20 s later at most, also where nothing more happens.
 */
export function createAudit({ log, clock }: { readonly log: Log; readonly clock: Clock }): Audit {
  const audit = log.child({ name: 'audit' });
  const recent = new Map<string, Recent>();
  const ending = new AbortController();
  let isSweeping = false;

  function write({ sentence, fields, leftOut }: Recent): void {
    audit.warn({ ...fields, ...(leftOut > 0 && { leftOut }) }, sentence);
  }

  function sweep(nowMs: number, quietMs: number): void {
    for (const [kind, entry] of recent) {
      if (nowMs - entry.loggedMs < quietMs) continue;
      if (entry.leftOut === 0) {
        recent.delete(kind);
        continue;
      }
      write(entry);
      entry.leftOut = 0;
      entry.loggedMs = nowMs;
    }
  }

  async function sweepUntilEmpty(): Promise<void> {
    isSweeping = true;
    while (recent.size > 0 && !ending.signal.aborted) {
      await clock.sleep(QUIET_MS, ending.signal).catch(() => {});
      if (!ending.signal.aborted) sweep(clock.now(), QUIET_MS);
    }
    isSweeping = false;
  }

  return {
    note(kind, sentence, fields) {
      const isMore = recent.size >= MAX_KINDS && !recent.has(kind);
      const key = isMore ? '' : kind;
      const known = recent.get(key);
      if (known) {
        known.leftOut += 1;
        return;
      }
      const entry = isMore ? { sentence: 'calls of many more kinds were refused', fields: {} } : { sentence, fields };
      recent.set(key, { ...entry, loggedMs: clock.now(), leftOut: 0 });
      write({ ...entry, loggedMs: 0, leftOut: 0 });
      if (!isSweeping) void sweepUntilEmpty();
    },
    async stop() {
      ending.abort();
      sweep(clock.now(), -Infinity);
    },
  };
}
