import { refusal, systemClock } from '#kit';
import { effectivePolicy, type EffectiveNumber, type PolicyDocument, readJsonObject, readPolicyDocument, type Target, targetText } from '#mesh';

import { type Output, table } from '../output.ts';
import { deleteDocument } from '../policies/delete-document.ts';
import { inShort, numberInWords, numbersLost } from '../policies/policy-in-words.ts';
import { readText } from '../policies/read-text.ts';
import { requireEffect, requirePolicySettings } from '../policies/require-policy-settings.ts';
import { requireTarget } from '../policies/require-target.ts';
import { readPolicies } from '../policies/stored-documents.ts';
import { sweepDocuments } from '../policies/sweep-documents.ts';
import { withDocuments } from '../policies/with-documents.ts';
import { roughTime } from '../status/rough-time.ts';
import { whoAmI } from '../who-am-i.ts';
import { settingsOfRunningShop } from './running-shop.ts';

export interface SetPolicyOptions {
  /** undefined: until it is deleted. */
  readonly forMs: number | undefined;
  readonly reason: string | undefined;
  /** Who sets it; undefined: the owner that the document names, else the user of this machine. */
  readonly by: string | undefined;
}

/** `mesh policy show`: what holds in the processes of the shop that have the settings of this one. */
export async function showPolicyCommand(text: string, output: Output): Promise<void> {
  const target = await requireTarget(text);
  const nowMs = systemClock.now();
  const { settings } = await settingsOfRunningShop();
  const stored = await withDocuments(settings, readPolicies);
  const documents = new Map(stored.flatMap(({ target: of, document }) => (document ? [[of, document]] : [])));
  const numbers = effectivePolicy(target, { documents, settings: await requirePolicySettings(settings.values.MESH_POLICY) }, nowMs);
  output.answer(() => shown(numbers, documents, nowMs), numbers.map((number) => ({ ...number, value: asWritten(number.value) })));
}

/** `mesh policy set`: the whole document of a target. */
export async function setPolicyCommand(text: string, argument: string, { forMs, reason, by }: SetPolicyOptions, output: Output): Promise<void> {
  const target = await requireTarget(text);
  const nowMs = systemClock.now();
  const json = {
    owner: whoAmI(),
    ...readJsonObject(await readText(argument, 'the document')),
    createTime: new Date(nowMs).toISOString(),
    ...(by !== undefined && { owner: by }),
    ...(reason !== undefined && { reason }),
    ...(forMs !== undefined && { expireTime: new Date(nowMs + forMs).toISOString() }),
  };
  const document = readPolicyDocument(target, json);
  requireEffect(document);
  if (document.expiresMs <= nowMs) throw refusal('INVALID_ARGUMENT', 'the document has expired: its expireTime is past; leave it out, or use --for');
  const { settings } = await settingsOfRunningShop();
  const lost = await withDocuments(settings, async (documents) => {
    await sweepDocuments(documents, nowMs);
    const before = (await readPolicies(documents)).find((stored) => stored.target === targetText(target));
    await documents.put('policy', targetText(target), JSON.stringify(json));
    return numbersLost(before?.document, document);
  });
  const inPlaceOf = lost === '' ? '' : `\nin place of: ${lost}`;
  output.answer(() => `${targetText(target)}: ${inShort(document)}${lasting(document, nowMs)}${inPlaceOf}\nsee what holds with \`npx mesh policy show ${quoted(target)}\``, { target: targetText(target), ...json });
}

/** `mesh policy list`. */
export async function listPoliciesCommand(output: Output): Promise<void> {
  const nowMs = systemClock.now();
  const { settings } = await settingsOfRunningShop();
  const stored = await withDocuments(settings, readPolicies);
  const rows = stored.map(({ target, document, problem }) =>
    document ? [target, inShort(document), until(document, nowMs), document.owner, document.reason || '-'] : [target, `cannot be used: ${problem}`, '-', '-', '-'],
  );
  output.answer(
    () => (rows.length > 0 ? table([['TARGET', 'SETS', 'FOR', 'BY', 'WHY'], ...rows]) : 'there are none: settings and defaults hold'),
    stored.map(({ target, text, problem }) => (problem === undefined ? { target, document: readJsonObject(text) } : { target, problem })),
  );
}

/** `mesh policy delete`: to delete what is not there is no error; a target that there is not is one. */
export async function deletePolicyCommand(text: string, output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const { target, deleted } = await withDocuments(settings, (documents) => deleteDocument(documents, 'policy', text));
  output.answer(() => (deleted ? `deleted: ${target}` : `there is no document for ${target}`), { deleted: deleted ? [target] : [] });
}

function shown(numbers: readonly EffectiveNumber[], documents: ReadonlyMap<string, PolicyDocument>, nowMs: number): string {
  return table([['NUMBER', 'VALUE', 'FROM'], ...numbers.map(({ name, value, origin }) => [name, numberInWords(value), `${origin}${voucher(origin, documents, nowMs)}`])]);
}

/** Who stands behind a document, and how long it holds. */
function voucher(origin: string, documents: ReadonlyMap<string, PolicyDocument>, nowMs: number): string {
  const document = origin.startsWith('document ') ? documents.get(origin.slice('document '.length)) : undefined;
  return document ? ` (${document.owner}${lasting(document, nowMs)})` : '';
}

/** As a document would say it: JSON knows no Infinity. */
function asWritten(value: EffectiveNumber['value']): EffectiveNumber['value'] {
  return value === Infinity ? 0 : value;
}

function until({ expiresMs }: PolicyDocument, nowMs: number): string {
  if (expiresMs === Infinity) return 'ever';
  return expiresMs > nowMs ? roughTime(expiresMs - nowMs) : 'over';
}

function lasting(document: PolicyDocument, nowMs: number): string {
  return document.expiresMs === Infinity ? '' : `, for ${until(document, nowMs)}`;
}

/** For a shell, in which * means something else. */
function quoted(target: Target): string {
  return target.service === '*' ? '\'*\'' : targetText(target);
}
