import { lookup } from 'node:dns/promises';

import { MODULE_NAMES, type ModuleName } from '#modules';

import { isListening } from '../local/listening.ts';
import { isAt } from '../serving/is-at.ts';
import { portSetting } from '../settings.ts';
import { type Check, fail, type Finding, ok, orElse, type Scene } from './check.ts';

/** A port on which a service has to listen and somebody else does. */
export const ports: Check = {
  name: 'ports',
  async run(scene) {
    const { address } = await lookup(scene.settings.values.MESH_ADVERTISE);
    const fixed = MODULE_NAMES.filter((name) => scene.settings.ports[name] !== 0);
    const found = await Promise.all(fixed.map((name) => lookAtPort(name, address, scene)));
    const free = fixed.length === 0 ? 'every service takes a free port' : 'the port of every service is its own, or free';
    return orElse([...clashes(fixed, scene), ...found.flat()], ok(free));
  },
};

/** Two services that are to have the same one. */
function clashes(names: readonly ModuleName[], { settings }: Scene): Finding[] {
  return [...Map.groupBy(names, (name) => settings.ports[name])].flatMap(([port, sharers]) =>
    sharers.length === 1 ? [] : [fail(`${sharers.join(' and ')} are both to listen on port ${port}`, `change ${sharers.map(portSetting).join(' or ')}`)],
  );
}

async function lookAtPort(name: ModuleName, address: string, scene: Scene): Promise<Finding[]> {
  const port = scene.settings.ports[name];
  if (isItsOwn(name, address, port, scene) || !(await isListening(address, port))) return [];
  const advice = `end what holds it, or set ${portSetting(name)} to another port (0 takes a free one)`;
  return [fail(`port ${port} on ${address} is taken by somebody else, so ${name} cannot start`, advice)];
}

function isItsOwn(name: ModuleName, address: string, port: number, { supervisor, registry }: Scene): boolean {
  if (registry.kind === 'seen' && registry.instances.some((instance) => isAt(instance, name, address, port))) return true;
  // Running but not registered: another check tells of that.
  const first = supervisor?.processes.find((process) => process.name === name || (process.name === 'monolith' && process.services.includes(name)));
  return first !== undefined && first.pid !== undefined;
}
