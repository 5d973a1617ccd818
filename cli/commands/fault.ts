import { create, toJson } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';

import { CODES, refusal, systemClock } from '#kit';
import { type OrderedFault, readFaultDocument, readJsonObject, targetText } from '#mesh';
import { FaultPolicySchema } from '#proto/mesh/v1/policy_pb.js';

import { type Output, table } from '../output.ts';
import { deleteDocument } from '../policies/delete-document.ts';
import { requireFaultsAllowed } from '../policies/require-faults-allowed.ts';
import { requireTarget } from '../policies/require-target.ts';
import { readFaults } from '../policies/stored-documents.ts';
import { sweepDocuments } from '../policies/sweep-documents.ts';
import { withDocuments } from '../policies/with-documents.ts';
import { faultInWords } from '../status/fault-in-words.ts';
import { roughTime } from '../status/rough-time.ts';
import { whoAmI } from '../who-am-i.ts';
import { settingsOfRunningShop } from './running-shop.ts';

export interface FaultOptions {
  /** 0: none. */
  readonly delayMs: number;
  readonly abort: string | undefined;
  readonly percent: number;
  readonly forMs: number;
  readonly reason: string;
  /** Who orders it; undefined: the user of this machine. */
  readonly by: string | undefined;
}

/** `mesh fault payment.Charge --delay 2s`: orders it, unless no instance would do it. */
export async function orderFaultCommand(text: string, options: FaultOptions, output: Output, warn: (line: string) => void): Promise<void> {
  const { delayMs, abort, percent, forMs, reason, by } = options;
  if (delayMs === 0 && abort === undefined) throw refusal('INVALID_ARGUMENT', 'say what the calls shall suffer: --delay 2s, --abort UNAVAILABLE, or both');
  const target = await requireTarget(text);
  const nowMs = systemClock.now();
  const document = toJson(FaultPolicySchema, create(FaultPolicySchema, {
    ...{ owner: by ?? whoAmI(), reason, percent, delayMs },
    abort: abort === undefined ? 0 : CODES.findIndex((code) => code === abort),
    createTime: timestampFromMs(nowMs),
    expireTime: timestampFromMs(nowMs + forMs),
  }));
  const written = JSON.stringify(document);
  const fault = readFaultDocument(target, readJsonObject(written), nowMs);
  const { settings } = await settingsOfRunningShop();
  const { instances, allowing } = await withDocuments(settings, async (documents) => {
    const takers = await requireFaultsAllowed(target.service, documents.controlPlane);
    await sweepDocuments(documents, nowMs);
    await documents.put('fault', targetText(target), written);
    return takers;
  });
  if (allowing < instances) warn(`${instances - allowing} of ${instances} instances of ${target.service} do not allow faults (MESH_FAULTS): calls to them go on as usual`);
  output.answer(() => ordered(fault, nowMs), forPrograms(fault));
}

/** `mesh fault list`. */
export async function listFaultsCommand(output: Output): Promise<void> {
  const nowMs = systemClock.now();
  const { settings } = await settingsOfRunningShop();
  const stored = await withDocuments(settings, (documents) => readFaults(documents, nowMs));
  const faults = stored.map(({ fault }) => fault).filter(({ untilMs }) => untilMs > nowMs);
  const rows = faults.map((fault) => [targetText(fault), faultInWords(fault), roughTime(fault.untilMs - nowMs), fault.owner, fault.reason || '-']);
  output.answer(() => (rows.length > 0 ? table([['TARGET', 'WHAT', 'FOR', 'BY', 'WHY'], ...rows]) : 'there are none'), faults.map(forPrograms));
}

/** `mesh fault clear`: to clear what is not there is no error; a target that there is not is one. */
export async function clearFaultsCommand(text: string | undefined, output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const found = await withDocuments(settings, async (documents) => {
    if (text !== undefined) return [await deleteDocument(documents, 'fault', text)];
    const targets = [...(await documents.list('fault')).keys()];
    return Promise.all(targets.map(async (target) => ({ target, deleted: await documents.delete('fault', target) })));
  });
  const cleared = found.filter(({ deleted }) => deleted).map(({ target }) => target);
  const wanted = text === undefined ? '' : ` for ${found[0]?.target}`;
  output.answer(() => (cleared.length > 0 ? `cleared: ${cleared.join(', ')}` : `there is no fault${wanted}`), { cleared });
}

function ordered(fault: OrderedFault, nowMs: number): string {
  const target = targetText(fault);
  return `${target}: ${faultInWords(fault)}, for ${roughTime(fault.untilMs - nowMs)}\nend it sooner with \`npx mesh fault clear ${target}\``;
}

function forPrograms(fault: OrderedFault): object {
  const { percent, delayMs, abort, untilMs, owner, reason } = fault;
  return { target: targetText(fault), percent, delayMs, abort, expireTime: new Date(untilMs).toISOString(), owner, reason };
}
