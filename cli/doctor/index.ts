import type { Check } from './check.ts';
import { clocks } from './clocks.ts';
import { events } from './events.ts';
import { mails } from './mails.ts';
import { ports } from './ports.ts';
import { processes } from './processes.ts';
import { registrations } from './registrations.ts';
import { roles } from './roles.ts';
import { sagas } from './sagas.ts';
import { schema } from './schema.ts';
import { settings } from './settings.ts';
import { versions } from './versions.ts';

export type { Scene } from './check.ts';
export { type Diagnosis, runChecks } from './run-checks.ts';
export { lookAround, type Surroundings } from './scene.ts';

/** Every check, in the order in which they are shown. */
export function allChecks(node: string): readonly Check[] {
  return [ports, versions(node), registrations, processes, clocks, schema, roles, sagas, events, mails, settings];
}
