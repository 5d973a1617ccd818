import { type DeadLetterFilter, discardDeadLetter, listDeadLetters, replayDeadLetter, replayDeadLetters, type Settlement } from '#events';
import { MeshError } from '#kit';

import { inEachConsumer, whereDead } from '../events/consumer-tables.ts';
import { deadLetterForPrograms, renderDeadLetters } from '../events/render-dead-letters.ts';
import { type Output, table } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { settingsOfRunningShop } from './running-shop.ts';

/** `mesh events dead`: what consumers have given up, the newest first. */
export async function listDeadCommand(only: DeadLetterFilter, limit: number, output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const pages = await inEachConsumer(settings, (database) => listDeadLetters(database, only, { size: limit, after: undefined }));
  // Ids are UUIDv7.
  const newest = pages.flat().sort((one, other) => (one.deadLetterId < other.deadLetterId ? 1 : -1));
  const shown = newest.slice(0, limit);
  const areMore = newest.length > shown.length;
  const forPeople = (): string => (shown.length > 0 ? renderDeadLetters(shown) + (areMore ? '\nthere are more; see --limit' : '') : 'there are none');
  output.answer(forPeople, { deadLetters: shown.map(deadLetterForPrograms), areMore });
}

/** What became of one that was to be replayed; no trouble: its consumer gets it again. */
interface Outcome {
  readonly deadLetterId: string;
  readonly trouble?: string;
}

/** `mesh events replay` of these. Resolves with the exit code: 1 when one of them cannot be. */
export async function replayNamedCommand(ids: readonly string[], by: Settlement, output: Output): Promise<number> {
  const { settings } = await settingsOfRunningShop();
  const outcomes: Outcome[] = [];
  for (const id of ids) outcomes.push(await replayOne(id, by, settings));
  output.answer(() => table(outcomes.map(({ deadLetterId, trouble }) => [deadLetterId, trouble ?? 'is handed to its consumer again'])), { outcomes });
  return outcomes.every(({ trouble }) => trouble === undefined) ? 0 : 1;
}

async function replayOne(deadLetterId: string, by: Settlement, settings: Resolved): Promise<Outcome> {
  try {
    await whereDead(deadLetterId, settings, (database) => replayDeadLetter(database, deadLetterId, by));
    return { deadLetterId };
  } catch (thrown) {
    const { reason, message } = MeshError.from(thrown);
    // Those are of this one alone; what else goes wrong, such as a database that is away, is the same for all.
    if (reason !== 'DEAD_LETTER_NOT_FOUND' && reason !== 'DEAD_LETTER_SETTLED') throw thrown;
    return { deadLetterId, trouble: `${message} (${reason})` };
  }
}

/** `mesh events replay` of all that a group has given up, or that were given up for a reason. */
export async function replayMatchingCommand(only: Pick<DeadLetterFilter, 'group' | 'reason'>, by: Settlement, output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const counts = await inEachConsumer(settings, (database) => replayDeadLetters(database, only, by));
  const replayed = counts.reduce((sum, count) => sum + count, 0);
  output.answer(() => `${replayed === 1 ? '1 event is' : `${replayed} events are`} handed to ${replayed === 1 ? 'its consumer' : 'their consumers'} again`, { replayed });
}

/** `mesh events discard`. DEAD_LETTER_NOT_FOUND, DEAD_LETTER_SETTLED. */
export async function discardCommand(deadLetterId: string, by: Settlement, output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  await whereDead(deadLetterId, settings, (database) => discardDeadLetter(database, deadLetterId, by));
  output.answer(() => `${deadLetterId} is discarded; \`npx mesh events dead --state discarded\` still shows it`, { discarded: deadLetterId });
}
