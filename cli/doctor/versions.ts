import { VERSION } from '../version.ts';
import { type Check, fail, type Finding, ok, orElse, type Scene, warn } from './check.ts';

/** The oldest Node that runs TypeScript as it is. */
const OLDEST_NODE = 24;

/** A Node that is too old, or programs of different versions at work. `node` is this process's own version. */
export function versions(node: string): Check {
  return {
    name: 'versions',
    run: async (scene) => orElse([...oldNode(node), ...otherSupervisor(scene), ...otherInstances(scene)], ok(`Node ${node}; this program and all that run are ${VERSION}`)),
  };
}

function oldNode(node: string): Finding[] {
  if (Number(node.split('.')[0]) >= OLDEST_NODE) return [];
  return [fail(`Node ${node} is too old`, `use ${OLDEST_NODE} or later; \`npm ci\` brings one for the scripts of this repository`)];
}

function otherSupervisor({ supervisor }: Scene): Finding[] {
  if (!supervisor || supervisor.version === VERSION) return [];
  return [warn(`the shop that runs was started by version ${supervisor.version}, this program is ${VERSION}`, 'start it again: `npx mesh down`, `npx mesh up`')];
}

/** One line for each version: while a new one is rolled out there are many instances of the old one. */
function otherInstances({ registry }: Scene): Finding[] {
  const instances = registry.kind === 'seen' ? registry.instances : [];
  const others = Map.groupBy(instances.filter(({ version }) => version !== VERSION), ({ version }) => version);
  return [...others].map(([version, list]) =>
    warn(`${list.map(({ id }) => id).join(', ')}: of version ${version}, this program is ${VERSION}`, 'start them again with this one, unless a new version is just being rolled out'),
  );
}
