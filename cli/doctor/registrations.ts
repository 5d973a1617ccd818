import type { InstanceHealth } from '#discovery';
import { MODULE_NAMES, type ModuleName } from '#modules';

import type { SupervisorStatus } from '../local/control-messages.ts';
import { lookAt } from '../local/listening.ts';
import { consulOrigin } from '../serving/consul-origin.ts';
import type { Resolved } from '../settings.ts';
import { type Check, fail, type Finding, ok, orElse, skip, warn } from './check.ts';

/** Registrations behind which there is no process, and services that nobody serves. */
export const registrations: Check = {
  name: 'registrations',
  async run({ registry, settings, supervisor }) {
    if (registry.kind === 'none') return [skip(registry.why)];
    if (registry.kind === 'silent') return [fail(registry.error.message, '')];
    const { instances } = registry;
    const found = await Promise.all(instances.map((instance) => lookAtInstance(instance, settings)));
    const count = `${instances.length} ${instances.length === 1 ? 'instance' : 'instances'}`;
    const unserved = instances.length > 0 || supervisor ? lookForServices(instances, supervisor) : [];
    return orElse([...found.flat(), ...unserved], ok(instances.length === 0 ? 'no instance is registered' : `somebody listens for each of the ${count} that are registered`));
  },
};

/** Where no instance at all is registered, and no shop runs, nothing is missed. */
function lookForServices(instances: readonly InstanceHealth[], supervisor: SupervisorStatus | undefined): Finding[] {
  const unserved = MODULE_NAMES.filter((name) => !instances.some(({ service, healthy }) => service === name && healthy));
  const unhealthy = unserved.filter((name) => instances.some(({ service }) => service === name));
  const absent = unserved.filter((name) => !unhealthy.includes(name));
  return [...noneHealthy(unhealthy), ...absent.map((name) => noneThere(name, supervisor))];
}

/** One line for all: most often they have one cause. */
function noneHealthy(names: readonly ModuleName[]): Finding[] {
  if (names.length === 0) return [];
  const [calls, logs, databases] = names.length === 1 ? ['it fails', 'its log', 'its database is'] : ['them fails', 'their logs', 'their database is'];
  return [fail(`no instance of ${names.join(', ')} passes its check, so every call to ${calls}`, `see ${logs}; most often ${databases} away`)];
}

function noneThere(name: ModuleName, supervisor: SupervisorStatus | undefined): Finding {
  return fail(`${name} has no instance, so every call to it fails`, `start it: \`npx mesh ${supervisor ? `scale ${name} 1` : `serve ${name}`}\``);
}

async function lookAtInstance({ id, address, port, healthy }: InstanceHealth, settings: Resolved): Promise<Finding[]> {
  const sight = await lookAt(address, port);
  if (sight === 'listening') return [];
  if (sight === 'unreachable') return [warn(`${id} is registered at ${address}:${port}, which cannot be reached from this machine`, 'nothing, if it runs in a network that this machine is no part of')];
  const advice = `Consul forgets it about a minute after its check has failed; at once: ${deregistration(id, settings)}`;
  const says = `${id} is registered at ${address}:${port}, where nobody listens`;
  // Its check has failed: nobody is sent there any more.
  return [healthy ? fail(`${says}; calls go there`, advice) : warn(says, advice)];
}

/** To be typed into a shell. The token gets into no arguments, which every user of the machine can read, and is not shown here. */
function deregistration(id: string, { values }: Resolved): string {
  const { CONSUL_HTTP_TOKEN: token, CONSUL_HTTP_TOKEN_FILE: tokenFile, CONSUL_CACERT: authority } = values;
  const shown = tokenFile === '' ? '$CONSUL_HTTP_TOKEN' : `$(cat ${quotedForShell(tokenFile)})`;
  const isOpen = token === '' && tokenFile === '';
  // `printf` is part of the shell and no process of its own.
  const header = isOpen ? '' : `printf 'X-Consul-Token: %s' "${shown}" | `;
  const trust = authority === '' ? '' : ` --cacert ${quotedForShell(authority)}`;
  return `${header}curl -X PUT${isOpen ? '' : ' -H @-'}${trust} ${consulOrigin(values.CONSUL_HTTP_ADDR)}/v1/agent/service/deregister/${encodeURIComponent(id)}`;
}

function quotedForShell(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
