import { HTTPException } from 'hono/http-exception';

import { badRequest, badValue, type Fields, fieldsOf, isFields, parseFields, refuseOthers } from './fields.ts';
import { boundedList, boundedText, readAction, readPermission } from './intention-permission-request.ts';
import type { IntentionWrite, SourceRecord } from './intention-records.ts';

export const INTENTIONS_KIND = 'service-intentions';

const ANY = '*';
/** What Consul answers with a source is taken back with it. */
const SOURCE_FIELDS = ['Name', 'Action', 'Permissions', 'Precedence', 'Type', 'Description', 'Namespace', 'Partition'];
const ENTRY_FIELDS = ['Kind', 'Name', 'Sources', 'Meta', 'Namespace', 'Partition', 'CreateIndex', 'ModifyIndex', 'Hash'];

/** Reads the body of `PUT /v1/config` (https://developer.hashicorp.com/consul/api-docs/config#apply-configuration). */
export function readIntentionEntry(text: string): IntentionWrite {
  const body = parseFields(text);
  if (body['Kind'] !== INTENTIONS_KIND) {
    const message = `the embedded agent keeps configuration entries of kind ${INTENTIONS_KIND} only; run Consul and set CONSUL_HTTP_ADDR to use others`;
    throw new HTTPException(501, { message });
  }
  refuseOthers(body, ENTRY_FIELDS, 'configuration entry');
  refuseTenancy(body);
  const name = readName(body, 'Name', 'Name');
  const sources = boundedList(body, 'Sources', INTENTIONS_KIND).map((source, index) => readSource(source, name, `Sources[${index}]`));
  if (sources.length === 0) throw badValue('At least one source is required');
  const twice = sources.findIndex(({ Name }, index) => sources.findIndex((other) => other.Name === Name) !== index);
  if (twice >= 0) throw badValue(`Sources[${twice}] defines "${sources[twice]?.Name}" more than once`);
  return { name, sources: sortSources(sources), meta: fieldsOf(body, 'Meta') };
}

/** Reads the body of `PUT /v1/connect/intentions/exact`; the names are in the address. */
export function readExactIntention(text: string, source: string, destination: string): SourceRecord {
  const body = parseFields(text);
  const sent = { ...pick(body, ['Action', 'Permissions', 'Description']), Name: source };
  return readSource(sent, readName({ Name: destination }, 'Name', 'Name'), 'Sources[0]');
}

export function sortSources(sources: readonly SourceRecord[]): readonly SourceRecord[] {
  return sources.toSorted((one, other) => other.Precedence - one.Precedence);
}

function readSource(sent: unknown, destination: string, at: string): SourceRecord {
  if (!isFields(sent)) throw badValue(`${at} must be an object`);
  refuseOthers(sent, SOURCE_FIELDS, 'source');
  refuseTenancy(sent);
  const name = readName(sent, 'Name', `${at}.Name`);
  const permissions = boundedList(sent, 'Permissions', at).map((permission, index) => readPermission(permission, `${at}.Permissions[${index}]`));
  const action = boundedText(sent, 'Action', at);
  if (permissions.length > 0 && action !== '') throw badValue(`${at}.Action must be omitted if Permissions are specified`);
  if (permissions.length > 0 && destination === ANY) throw badValue(`${at}.Permissions cannot be specified on intentions with wildcarded destinations`);
  if ((boundedText(sent, 'Type', at) || 'consul') !== 'consul') throw badValue(`${at}.Type must be set to 'consul'`);
  const description = boundedText(sent, 'Description', at);
  if (description.length > 512) throw badValue(`${at}.Description exceeds maximum length 512`);
  return {
    Name: name,
    ...(permissions.length > 0 ? { Permissions: permissions } : { Action: readAction(action, at) }),
    Precedence: (destination === ANY ? 6 : 9) - (name === ANY ? 1 : 0),
    Type: 'consul',
    ...(description !== '' && { Description: description }),
  };
}

/** A name, or the wildcard alone. */
function readName(fields: Fields, field: string, at: string): string {
  const name = boundedText(fields, field, at);
  if (name === '') throw badValue(`${at} is required`);
  if (name.length > 128) throw badRequest(`${at} must have at most 128 characters`);
  if (name !== ANY && name.includes(ANY)) throw badValue(`${at}: wildcard character '*' cannot be used with partial values`);
  return name;
}

/** Consul without a licence refuses others as well. */
function refuseTenancy(fields: Fields): void {
  for (const field of ['Namespace', 'Partition']) {
    const value = fields[field] ?? '';
    if (value !== '' && value !== 'default') throw badRequest(`Invalid ${field}: only "default" is there`);
  }
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (name in fields ? [[name, fields[name]]] : [])));
}
