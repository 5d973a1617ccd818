import type { ChildProcess } from 'node:child_process';

import { MeshError, refusal } from '#kit';
import type { ModuleName } from '#modules';

import { isChildMessage, type MigratedMessage } from './messages.ts';
import type { TablesOwner } from './tables-owner.ts';

const refuseTables: TablesOwner = async () => {
  throw refusal('SCHEMA_OUTDATED', 'nobody here may bring these tables up to date; run `mesh migrate`');
};

/** Brings tables up to date whenever a process with these services finds some of its own to be old, and tells it how that went. */
export function answerOutdated(child: ChildProcess, services: readonly ModuleName[], tablesOwner: TablesOwner = refuseTables): void {
  child.on('message', (message) => {
    if (!isChildMessage(message) || message.kind !== 'outdated') return;
    const { schema } = message;
    const answer = (trouble?: MigratedMessage['trouble']): void => {
      const migrated: MigratedMessage = { kind: 'migrated', schema, ...(trouble && { trouble }) };
      // One that has ended meanwhile needs no answer.
      if (child.connected) child.send(migrated, () => {});
    };
    tablesOwner(services, message).then(
      () => answer(),
      (thrown: unknown) => {
        const { reason, message: sentence } = MeshError.from(thrown);
        answer({ reason, message: sentence });
      },
    );
  });
}
