import { HTTPException } from 'hono/http-exception';

import { parseGoDurationMs } from './duration.ts';
import { badRequest, type Fields, fieldsOf, flagOf, integerOf, isFields, listOf, parseFields, refuseOthers, textOf } from './fields.ts';
import type { CheckDefinition, CheckStatus, ServiceRecord } from './records.ts';

/** A registration as it was sent, read and completed with Consul's defaults. */
export interface RegistrationRequest extends Omit<ServiceRecord, 'checks' | 'createIndex' | 'modifyIndex'> {
  readonly checks: readonly RequestedCheck[];
}

export interface RequestedCheck extends CheckDefinition {
  readonly status: CheckStatus;
}

const SERVICE_FIELDS = ['Name', 'ID', 'Address', 'Port', 'Tags', 'Meta', 'Weights', 'Check', 'Checks'];
const CHECK_FIELDS = ['Name', 'CheckID', 'Notes', 'GRPC', 'GRPCUseTLS', 'TLSSkipVerify', 'Interval', 'Timeout', 'Status', 'DeregisterCriticalServiceAfter'];
const STATUSES: readonly CheckStatus[] = ['passing', 'warning', 'critical'];

/** Consul raises shorter ones to these. */
const MIN_INTERVAL_MS = 1_000;
const MIN_FORGET_AFTER_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 10_000;

/** Reads the body of `PUT /v1/agent/service/register` (https://developer.hashicorp.com/consul/api-docs/agent/service#register-service). */
export function readRegistration(text: string): RegistrationRequest {
  const body = parseFields(text);
  refuseOthers(body, SERVICE_FIELDS, 'service');
  const service = textOf(body, 'Name');
  if (service === '') throw badRequest('Missing service name');
  const id = textOf(body, 'ID') || service;
  return {
    id,
    service,
    address: textOf(body, 'Address'),
    port: integerOf(body, 'Port', { min: 0, max: 65_535, fallback: 0 }),
    tags: listOf(body, 'Tags').map(String),
    meta: readMeta(fieldsOf(body, 'Meta')),
    weights: readWeights(fieldsOf(body, 'Weights')),
    checks: readChecks(body, id, service),
  };
}

function readMeta(meta: Fields): Readonly<Record<string, string>> {
  const keys = Object.keys(meta);
  if (keys.length > 64) throw badRequest('Invalid Service Meta: at most 64 keys');
  const bad = keys.find((key) => !/^[A-Za-z0-9_-]{1,128}$/.test(key));
  if (bad !== undefined) throw badRequest(`Invalid Service Meta: "${bad}" is not a key`);
  return Object.fromEntries(keys.map((key) => [key, textOf(meta, key)]));
}

function readWeights(weights: Fields): ServiceRecord['weights'] {
  const range = { min: 1, max: 65_535, fallback: 1 };
  return { Passing: integerOf(weights, 'Passing', range), Warning: integerOf(weights, 'Warning', range) };
}

function readChecks(body: Fields, id: string, service: string): readonly RequestedCheck[] {
  const sent = [...listOf(body, 'Checks'), ...(body['Check'] ? [body['Check']] : [])];
  return sent.map((check, position) => {
    if (!isFields(check)) throw badRequest('Request decode failed: a check must be an object');
    const checkId = textOf(check, 'CheckID') || `service:${id}${sent.length > 1 ? `:${position + 1}` : ''}`;
    return readCheck(check, checkId, service);
  });
}

function readCheck(check: Fields, checkId: string, service: string): RequestedCheck {
  refuseOthers(check, CHECK_FIELDS, 'check');
  const grpc = textOf(check, 'GRPC');
  if (grpc === '') throw new HTTPException(501, { message: 'the embedded agent runs gRPC checks only; run Consul for others' });
  const forgetAfter = textOf(check, 'DeregisterCriticalServiceAfter');
  const status = textOf(check, 'Status') || 'critical';
  return {
    checkId,
    name: textOf(check, 'Name') || `Service '${service}' check`,
    notes: textOf(check, 'Notes'),
    grpc,
    tls: readTls(check),
    intervalMs: Math.max(MIN_INTERVAL_MS, readDuration(check, 'Interval', 0)),
    timeoutMs: readDuration(check, 'Timeout', DEFAULT_TIMEOUT_MS),
    ...(forgetAfter !== '' && {
      forgetAfterMs: Math.max(MIN_FORGET_AFTER_MS, readDuration(check, 'DeregisterCriticalServiceAfter', 0)),
    }),
    status: STATUSES.find((known) => known === status) ?? 'critical',
  };
}

/** Consul's agent follows a certificate to the authorities in its own configuration, which this one has not. */
function readTls(check: Fields): boolean {
  const tls = flagOf(check, 'GRPCUseTLS');
  if (!tls || flagOf(check, 'TLSSkipVerify')) return tls;
  throw new HTTPException(501, { message: 'the embedded agent verifies no certificate of whom it checks; set TLSSkipVerify too, or run Consul' });
}

function readDuration(check: Fields, name: string, fallbackMs: number): number {
  const text = textOf(check, name);
  const parsed = text === '' ? fallbackMs : parseGoDurationMs(text);
  if (parsed === undefined) throw badRequest(`Request decode failed: ${name} "${text}" is not a duration such as 2s`);
  return parsed;
}
