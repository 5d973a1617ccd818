import { OPERATOR } from '../../cli/caller-names.ts';

/** The rules of one service's token: what its process asks Consul for, and nothing else. */
export function servicePolicy(name: string, called: readonly string[]): string {
  const siblings = called.map((sibling) => `service "${sibling}" {\n  policy = "read"\n}\n`);
  return [
    HEAD,
    '# Itself: registration and health, certificate, and to read its own intentions, not to write those.\n',
    `service "${name}" {\n  policy     = "write"\n  intentions = "read"\n}\n`,
    '\n# Where those are that it calls. Their intentions are not denied to it: of several policies a denial wins, and a process\n# of two services could not read its own.\n',
    ...siblings,
    '\n# Consul hides instances on a node that one may not read.\nnode_prefix "" {\n  policy = "read"\n}\n',
    '\n# What operators steer. A caller needs what is said of others too, so this is one prefix for all.\n',
    'key_prefix "shopmesh/policies/mesh/" {\n  policy = "read"\n}\n',
  ].join('');
}

/** What `mesh ps`, `why`, `doctor`, `policy list`, `intentions list`, `call` and their like need. */
export function readingPolicy(): string {
  return [
    HEAD,
    '# Who is there, how they are, and all intentions.\n',
    'service_prefix "" {\n  policy = "read"\n}\n',
    'node_prefix "" {\n  policy = "read"\n}\n',
    '\n# The agent\'s configuration says what holds where no intention decides.\n',
    'agent_prefix "" {\n  policy = "read"\n}\n',
    '\nkey_prefix "shopmesh/policies/" {\n  policy = "read"\n}\n',
    '\n# The certificate with which operators\' commands call services.\n',
    `service "${OPERATOR}" {\n  policy     = "write"\n  intentions = "read"\n}\n`,
  ].join('');
}

/** What `mesh policy`, `fault` and `intentions allow|deny|delete` need on top. */
export function steeringPolicy(services: readonly string[]): string {
  const writable = services.map((name) => `service "${name}" {\n  policy     = "read"\n  intentions = "write"\n}\n`);
  return [
    HEAD,
    '# On top of operator-read.\n',
    'key_prefix "shopmesh/policies/" {\n  policy = "write"\n}\n',
    '\n# Intentions of each service of this shop; not those of \'*\', which are everybody\'s in this Consul.\n',
    ...writable,
  ].join('');
}

export const HEAD = '# Written by `npx node deploy/consul/write.ts` after what the services declare; a test holds it to that.\n\n';
