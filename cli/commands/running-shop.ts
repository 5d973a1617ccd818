import { refusal } from '#kit';

import { askEnvironment, askSupervisor, type SupervisorStatus } from '../local/control-socket.ts';
import { dataFolder } from '../local/data-folder.ts';
import { isGiven, loadSettings, type Resolved } from '../settings.ts';

/**
 * The settings of a command beside a running shop: where nothing else is said, those of
 * the shop that `mesh up` started from this folder. NOT_RUNNING while it still starts.
 */
export async function settingsOfRunningShop(flags: Readonly<Record<string, string | undefined>> = {}): Promise<{
  readonly settings: Resolved;
  readonly supervisor: SupervisorStatus | undefined;
}> {
  const settings = await loadSettings(flags);
  const { controlSocket } = dataFolder(settings.values.MESH_DATA_DIR);
  const supervisor = await askSupervisor(controlSocket);
  if (!supervisor) return { settings, supervisor };
  const shop = await askEnvironment(controlSocket);
  if (!shop) throw refusal('NOT_RUNNING', `the shop (process ${supervisor.pid}) is not up yet, or no longer; wait until \`mesh up\` says that it is`);
  const unsaid = Object.entries(shop).filter(([name]) => !isSaid(name, settings));
  return { settings: await loadSettings({ ...Object.fromEntries(unsaid), ...flags }), supervisor };
}

/**
 * Whether the user has set it, or what stands for it: DATABASE_URL is said for every service and for the events, which are in
 * one place only. Plaintext and demo accounts are for the address of the shop's services alone. An owner of the shop's tables is none of those in a database that the user has set.
 */
function isSaid(name: string, settings: Resolved): boolean {
  const given = (other: string): boolean => isGiven(other, settings);
  if (name === 'MESH_EXPLORER' || name === 'MESH_DEMO_ACCOUNTS') return given(name) || given('MESH_ADVERTISE');
  if (name === 'KAFKA_BROKERS') return given(name) || given('MESH_EVENTS_URL');
  const workers = name.replace('_OWNER_URL', '_URL');
  const ofDatabase = workers === 'MESH_EVENTS_URL' || workers.startsWith('DATABASE_URL_');
  return given(name) || (ofDatabase && (given(workers) || given('DATABASE_URL')));
}
