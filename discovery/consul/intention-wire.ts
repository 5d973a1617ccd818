import { ANY_SERVICE, type Intention, type IntentionAction, type IntentionPermission, type IntentionRule, precedenceOf, type WantedIntention } from '../intention.ts';
import { unavailable } from './failure.ts';
import { fromPermission, given, isJson, type Json, listOf, strangeField, toAction, toPermission } from './intention-permission-wire.ts';

/** The kind of configuration entry that holds the intentions of one destination. */
export const INTENTIONS_KIND = 'service-intentions';

/** Such an entry, with whatever else is in it: it goes back as it came. */
export interface IntentionEntry {
  readonly sources: readonly Json[];
  readonly rest: Json;
  readonly index: number;
}

/** What `GET /v1/connect/intentions` and `/match` list (https://developer.hashicorp.com/consul/api-docs/connect/intentions). */
export function toIntentions(body: unknown): readonly Intention[] {
  // Consul answers null for an empty list of matches.
  if (body !== null && !Array.isArray(body)) throw unreadable();
  return listOf(body).map(toIntention);
}

/** The list of one name in the answer of `/match`. */
export function matchesOf(body: unknown, name: string): readonly Intention[] {
  if (!isJson(body) || !(name in body)) throw unreadable();
  return toIntentions(body[name]);
}

/** `GET /v1/config/service-intentions/:name`. */
export function toEntry(body: unknown): IntentionEntry {
  if (!isJson(body)) throw unreadable();
  const { Sources, CreateIndex: _created, ModifyIndex, Hash: _hash, ...rest } = body;
  if (typeof ModifyIndex !== 'number') throw unreadable();
  return { sources: listOf(Sources).filter(isJson), rest, index: ModifyIndex };
}

/** A source of an entry that stands for a service of this mesh. */
export function isSource(source: Json, name: string): boolean {
  return source['Name'] === name && elsewhereOf(source['Namespace'], source['Partition'], source['Peer'], source['SamenessGroup']) === undefined;
}

export function fromIntention({ source, rule, description }: WantedIntention): Json {
  const said = rule.kind === 'action' ? { Action: rule.action } : { Permissions: rule.permissions.map(fromPermission) };
  return { Name: source, ...said, Type: 'consul', ...(description !== '' && { Description: description }) };
}

/**
 * Reads `GET /v1/agent/self`: `default_intention_policy`, else what the default of the access
 * control lists is. Consul's proxies go by these; `/v1/connect/intentions/check` of 1.19 knows
 * only the second.
 */
export function toDefaultAction(body: unknown): IntentionAction | undefined {
  const config = isJson(body) ? body['DebugConfig'] : undefined;
  if (!isJson(config)) return undefined;
  const said = toAction(config['DefaultIntentionPolicy']);
  const acl = config['ACLResolverSettings'];
  return said ?? (isJson(acl) ? toAction(acl['ACLDefaultPolicy']) : undefined);
}

function toIntention(wire: unknown): Intention {
  if (!isJson(wire)) throw unreadable();
  const { SourceName, DestinationName, Description, Precedence, ModifyIndex } = wire;
  if (typeof SourceName !== 'string' || typeof DestinationName !== 'string') throw unreadable();
  const names = { source: SourceName, destination: DestinationName };
  const elsewhere = elsewhereOf(wire['SourceNS'], wire['SourcePartition'], wire['SourcePeer'], wire['SourceSamenessGroup']);
  return {
    ...names,
    rule: toRule(wire),
    description: typeof Description === 'string' ? Description : '',
    precedence: typeof Precedence === 'number' ? Precedence : precedenceOf(names),
    index: typeof ModifyIndex === 'number' ? ModifyIndex : 0,
    ...(elsewhere !== undefined && { elsewhere }),
  };
}

/**
 * What Consul says of an intention, up to 1.21 and Enterprise. A field that is new may narrow whom it lets in, as `JWT` did when
 * it came: then nobody is let in, and `mesh why` names the field.
 */
const FIELDS: ReadonlySet<string> = new Set([
  ...['ID', 'Description', 'Meta', 'Hash', 'CreatedAt', 'UpdatedAt', 'CreateIndex', 'ModifyIndex', 'Precedence'],
  ...['SourceName', 'SourceNS', 'SourcePartition', 'SourcePeer', 'SourceSamenessGroup', 'SourceType'],
  ...['DestinationName', 'DestinationNS', 'DestinationPartition', 'DefaultAddr', 'DefaultPort'],
  ...['Action', 'Permissions', 'JWT'],
]);

function toRule(wire: Json): IntentionRule {
  if (wire['JWT'] !== undefined && wire['JWT'] !== null) return { kind: 'unusable', problem: 'it asks for a JWT' };
  const strange = strangeField(wire, FIELDS) ?? (given(wire['Permissions']) && !Array.isArray(wire['Permissions']) ? 'Permissions that are no list' : undefined);
  if (strange !== undefined) return { kind: 'unusable', problem: `it asks for ${strange}` };
  const permissions: IntentionPermission[] = [];
  for (const permission of listOf(wire['Permissions']).map(toPermission)) {
    if ('problem' in permission) return { kind: 'unusable', problem: `it asks for ${permission.problem}` };
    permissions.push(permission);
  }
  if (permissions.length > 0) return { kind: 'permissions', permissions };
  const action = toAction(wire['Action']);
  return action ? { kind: 'action', action } : { kind: 'unusable', problem: 'it neither allows nor denies' };
}

/** Peers, partitions and namespaces: this mesh is in the default ones, which a wildcard namespace includes. */
function elsewhereOf(namespace: unknown, partition: unknown, peer: unknown, group: unknown): string | undefined {
  if (isNamed(peer)) return `peer ${peer}`;
  if (isNamed(group)) return `sameness group ${group}`;
  if (isNamed(partition) && partition !== 'default') return `partition ${partition}`;
  return isNamed(namespace) && namespace !== 'default' && namespace !== ANY_SERVICE ? `namespace ${namespace}` : undefined;
}

function isNamed(name: unknown): name is string {
  return typeof name === 'string' && name !== '';
}

function unreadable(): Error {
  return unavailable('refused', 'what answers at CONSUL_HTTP_ADDR does not answer about intentions as Consul does; is another program listening there?');
}
