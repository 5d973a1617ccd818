import { MeshError, type Reason, REASONS, refusal } from '#kit';

import type { Migrator } from '../serving/tables.ts';
import { type ChildMessage, isMigratedMessage } from './messages.ts';

/** What a process has of its supervisor. */
type Channel = Pick<NodeJS.Process, 'on' | 'connected' | 'send'>;

/** Below a supervisor, which alone knows the owner of the tables: it is asked to bring them up to date. */
export function createSupervisedMigrator(channel: Channel): Migrator {
  const asked = new Map<string, PromiseWithResolvers<readonly string[]>>();

  channel.on('message', (message: unknown) => {
    if (!isMigratedMessage(message)) return;
    const { schema, trouble } = message;
    const answer = asked.get(schema);
    asked.delete(schema);
    // The reason has travelled as text; one that is not in the catalogue is INTERNAL.
    if (trouble) answer?.reject(new MeshError(REASONS[trouble.reason as Reason] ?? 'INTERNAL', trouble.reason, trouble.message));
    else answer?.resolve([]);
  });
  channel.on('disconnect', () => {
    for (const { reject } of asked.values()) reject(refusal('CANCELLED', 'the supervisor has ended while tables were to be brought up to date'));
    asked.clear();
  });

  return ({ schema, components }) => {
    const before = asked.get(schema);
    if (before) return before.promise;
    const answer = Promise.withResolvers<readonly string[]>();
    if (!channel.connected) return Promise.reject(refusal('CANCELLED', 'the supervisor has ended; start the shop again'));
    asked.set(schema, answer);
    const message: ChildMessage = { kind: 'outdated', schema, components };
    channel.send?.(message);
    return answer.promise;
  };
}
