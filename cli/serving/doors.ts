import { EXPLORER_PORT, type ServiceIdentity } from '#discovery';
import { refusal } from '#kit';
import type { Hosting, ListenAs, Listening } from '#mesh';
import type { ModuleName } from '#modules';

import { EXPLORER } from '../caller-names.ts';
import type { Resolved } from '../settings.ts';
import { isLoopback } from './loopback.ts';
import { listenOnOwnPort, type PortSurroundings } from './own-port.ts';
import type { WayDown } from './way-down.ts';

/** The ports of one service, which its way down closes. */
export interface Doors {
  /** What siblings call, and what is registered. */
  readonly mtlsPort: number;
  /** What people type: the explorer's port where there is one. */
  readonly port: number;
  /** What the registration says of them. */
  readonly metadata: Readonly<Record<string, string>>;
  /** NOT_SERVING at each of them. */
  drain(): void;
}

interface Surroundings extends PortSurroundings {
  readonly wayDown: WayDown;
  /** Cuts the waits of the way down short. */
  readonly hurry: (() => void)[];
}

/**
 * Opens the port that is set for a service, for callers with a certificate. With MESH_EXPLORER that port is the explorer's,
 * and callers with a certificate get a free one.
 */
export async function openDoors(name: ModuleName, { listen }: Pick<Hosting, 'listen'>, identity: ServiceIdentity, surroundings: Surroundings): Promise<Doors> {
  const { settings, address } = surroundings;
  const open: Listening[] = [];

  async function openAt(port: number, as: ListenAs): Promise<Listening> {
    const listening = await listen(address, port, as);
    open.push(listening);
    // At once: the next one may be refused.
    addToWayDown(name, listening, surroundings);
    return listening;
  }

  const drain = (): void => open.forEach((listening) => listening.drain());
  const mtls: ListenAs = { kind: 'mtls', identity, permissive: settings.values.MESH_MTLS === 'permissive' };
  const atOwnPort = (as: ListenAs): Promise<Listening> => listenOnOwnPort(name, (port) => openAt(port, as), surroundings);
  if (!settings.values.MESH_EXPLORER) {
    const { port } = await atOwnPort(mtls);
    return { mtlsPort: port, port, metadata: {}, drain };
  }
  const { port } = await atOwnPort({ kind: 'plaintext', peer: EXPLORER });
  const { port: mtlsPort } = await openAt(0, mtls);
  return { mtlsPort, port, metadata: { [EXPLORER_PORT]: String(port) }, drain };
}

function addToWayDown(name: ModuleName, listening: Listening, { wayDown, hurry }: Surroundings): void {
  wayDown.servers.onStop(`${name} server`, listening.stop);
  wayDown.noticed.onStop(`${name} is noticed to leave`, listening.untilQuiet);
  hurry.push(listening.hurry);
}

/** INVALID_SETTING where others than this machine would reach a port in plaintext, or accounts whose passwords everybody knows. */
export function requireLocal({ values }: Resolved, address: string): void {
  if (isLoopback(address)) return;
  const where = `MESH_ADVERTISE is ${values.MESH_ADVERTISE}, which other machines may reach`;
  if (values.MESH_DEMO_ACCOUNTS) throw refusal('INVALID_SETTING', `MESH_DEMO_ACCOUNTS makes accounts whose passwords everybody knows, and ${where}; leave out one of them`);
  if (!values.MESH_EXPLORER) return;
  throw refusal('INVALID_SETTING', `MESH_EXPLORER opens ports in plaintext, and ${where}; leave out one of them (\`mesh cert\` makes a certificate for grpcurl)`);
}
