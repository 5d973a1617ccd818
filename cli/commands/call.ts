import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

import { parseDurationMs, refusal, systemClock } from '#kit';
import { isModuleName, MODULE_NAMES, type ModuleName } from '#modules';

import { type Caller, createCaller } from '../calling/caller.ts';
import { type Credentials, readCredentials } from '../calling/credentials.ts';
import { explainFailure } from '../calling/explain-failure.ts';
import { type Header, readHeader } from '../calling/header.ts';
import { invoke } from '../calling/invoke.ts';
import { reflectMethod } from '../calling/reflected-method.ts';
import { bearer, signInAs } from '../calling/sign-in.ts';
import { closestName } from '../did-you-mean.ts';
import type { Output } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { INTERRUPTED } from '../signals.ts';
import { settingsOfRunningShop } from './running-shop.ts';

export interface CallOptions {
  readonly header: readonly string[];
  readonly deadline: string;
  /** Who signs in first. Left out: nobody, and the call is the operator's alone. */
  readonly as?: string;
}

interface Call {
  readonly service: ModuleName;
  readonly method: string;
  readonly body: string;
  readonly headers: readonly Header[];
  readonly deadlineMs: number;
  readonly credentials: Credentials | undefined;
}

/**
 * `mesh call order.PlaceOrder '{…}'`: any method of any service, found through the
 * registry, described by the server. Resolves with the exit code: Ctrl-C ends the call.
 */
export async function callCommand(target: string, body: string | undefined, options: CallOptions, output: Output): Promise<number> {
  const deadlineMs = readDeadline(options.deadline);
  const headers = options.header.map(readHeader);
  const request = { ...readTarget(target), deadlineMs, headers, body: await readBody(body) };
  const { settings } = await settingsOfRunningShop();
  const call = { ...request, credentials: await readWho(options.as, headers, settings) };
  const caller = await createCaller(settings);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    await send(call, caller, output, AbortSignal.any([interrupted.signal, output.readerGone]));
    return 0;
  } catch (thrown) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    if (output.readerGone.aborted) return 0;
    throw explainFailure(thrown, call);
  } finally {
    process.off('SIGINT', interrupt);
    await caller.stop();
  }
}

async function readWho(name: string | undefined, headers: readonly Header[], { values }: Resolved): Promise<Credentials | undefined> {
  if (name === undefined) return undefined;
  if (headers.some(([header]) => header === 'authorization')) throw refusal('INVALID_ARGUMENT', '--as sends the header authorization; leave out one of the two');
  return readCredentials(name, values);
}

async function send({ service, method, body, headers, deadlineMs, credentials }: Call, caller: Caller, output: Output, signal: AbortSignal): Promise<void> {
  const authorization = credentials ? Object.entries(bearer(await signInAs(credentials, caller, signal))) : [];
  const channel = caller.mesh.channel(service, caller.service);
  const deadline = systemClock.now() + deadlineMs;
  const reflected = await reflectMethod(channel, method, deadline);
  for await (const answer of invoke({ channel, method: reflected, body, headers: [...headers, ...authorization], deadline, tracer: caller.tracer, signal })) {
    output.answer(() => JSON.stringify(answer, null, reflected.definition.responseStream ? undefined : 2), answer);
  }
}

/** `order.PlaceOrder`, or the full name `shop.order.v1.OrderService/PlaceOrder`. */
function readTarget(target: string): { service: ModuleName; method: string } {
  const full = /^shop\.([a-z]+)\.v\d+\.[A-Za-z]+\/[A-Za-z]+$/.exec(target)?.[1];
  const [short = '', method = ''] = target.split(/\.(.*)/s);
  const service = full ?? short;
  if (isModuleName(service) && (full ?? method)) return { service, method: full ? target : method };
  if (!full && !/^[a-z]+\.[A-Za-z/.0-9]+$/.test(target)) {
    throw refusal('INVALID_ARGUMENT', `"${target}" is not a method; write it like order.GetOrder (services: ${MODULE_NAMES.join(', ')})`);
  }
  const meant = closestName(service, MODULE_NAMES);
  throw refusal('UNKNOWN_SERVICE', `there is no service ${service}${meant ? `; did you mean ${meant}?` : ''} (services: ${MODULE_NAMES.join(', ')})`);
}

function readDeadline(deadline: string): number {
  const deadlineMs = readTime(deadline);
  if (deadlineMs > 0) return deadlineMs;
  throw refusal('INVALID_ARGUMENT', `--deadline: ${deadline} leaves no time for a call; allow it some, such as 2s`);
}

function readTime(time: string): number {
  try {
    return parseDurationMs(time);
  } catch (thrown) {
    throw refusal('INVALID_ARGUMENT', `--deadline: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/** The argument itself, `@file`, or `-` for standard input; nothing is an empty request. */
async function readBody(body: string | undefined): Promise<string> {
  if (body === undefined) return '{}';
  if (body === '-') return text(process.stdin);
  if (!body.startsWith('@')) return body;
  try {
    return readFileSync(body.slice(1), 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal('INVALID_ARGUMENT', `cannot read the request from ${body.slice(1)}: ${why}`, { cause });
  }
}
