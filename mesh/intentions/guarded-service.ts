import { context, trace } from '@opentelemetry/api';

import type { IntentionStore } from '#discovery';
import type { Clock, MeshError, Stoppable } from '#kit';

import type { Reply, ServerCall, ServerInterceptor } from '../call.ts';
import { createCertificateCheck } from '../identity/require-certificate.ts';
import type { Method } from '../method.ts';
import type { Audit } from '../identity/audit.ts';
import type { DefaultAction } from './default-action.ts';
import { type Denial, denialOf, intentionDenied, intentionsUnknown } from './denial.ts';
import type { GuardState } from './guard-state.ts';
import { createHeldCalls } from './held-calls.ts';
import { createLiveIntentions } from './live-intentions.ts';
import { createOpenStreams } from '../open-streams.ts';
import { createQuestion } from './question.ts';
import { createSightings } from '../identity/sightings.ts';
import type { IntentionVerdict } from './verdict.ts';

export interface GuardedServiceOptions {
  readonly store: Pick<IntentionStore, 'watch'>;
  readonly defaultAction: Pick<DefaultAction, 'current' | 'suspect'>;
  readonly permissive: boolean;
  readonly audit: Pick<Audit, 'note'>;
  readonly clock: Clock;
}

/** The guard of one service. */
export interface GuardedService extends Stoppable {
  /** Resolves once it is known who may call, and when it stops. */
  readonly ready: Promise<void>;
  link(method: Method): ServerInterceptor;
  /** The default may have changed. */
  refresh(): void;
  read(): GuardState;
}

export function guardService(service: string, { store, defaultAction, permissive, audit, clock }: GuardedServiceOptions): GuardedService {
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  const certificates = createCertificateCheck(service, { permissive, audit, clock });
  const question = createQuestion();
  const held = createHeldCalls(() => intentionsUnknown(service));
  const streams = createOpenStreams();
  const denials = createSightings<Denial>(clock);
  const checks = { allow: { intention: 0, default: 0 }, deny: { intention: 0, default: 0 } };
  let endedStreams = 0;

  const live = createLiveIntentions(service, {
    ...{ store, defaultAction },
    onChange() {
      endedStreams += streams.end(whyNot);
      held.letOn();
      isReady();
    },
  });

  function verdictOn(call: ServerCall): IntentionVerdict | undefined {
    return live.current?.check(call.peer.service, service, question.about(call));
  }

  function deny(call: ServerCall, verdict: IntentionVerdict): MeshError {
    const { peer, method } = call;
    const denial = denialOf(peer.service, service, method, verdict);
    const { source, rule, permission } = denial;
    const kind = `${source} ${method.fullName} ${rule} ${permission}`;
    denials.note(kind, denial);
    trace.getSpan(call.context)?.addEvent('mesh.denied', spanAttributes(denial));
    const fields = { source, destination: service, method: method.fullName, intention: rule, permission, address: peer.address || undefined };
    // A stream is ended by news of the control plane, outside its call.
    context.with(call.context, () => audit.note(`${service} ${kind}`, 'a call was refused by intention', fields));
    return intentionDenied(denial, method, verdict);
  }

  /** Of a stream that was let in. */
  function whyNot(call: ServerCall): MeshError | undefined {
    const verdict = verdictOn(call);
    return verdict?.allowed === false ? deny(call, verdict) : undefined;
  }

  return {
    ready,
    link: (method) => (next) => {
      const pass = method.requestStreams || method.responseStreams ? streams.keeping(next) : next;
      const judge = (call: ServerCall): Promise<Reply> => {
        const verdict = verdictOn(call);
        // No call comes here before the first list; if one did, it would be kept out.
        if (!verdict) return Promise.reject(intentionsUnknown(service));
        checks[verdict.allowed ? 'allow' : 'deny'][verdict.by] += 1;
        return verdict.allowed ? pass(call) : Promise.reject(deny(call, verdict));
      };
      return (call) => {
        const refused = certificates.check(call);
        if (refused) return Promise.reject(refused);
        return live.current ? judge(call) : held.wait(call).then(() => judge(call));
      };
    },
    refresh: live.refresh,
    read: () => ({
      ...{ permissive, endedStreams },
      defaultAction: defaultAction.current,
      intentions: live.count,
      checks: structuredClone(checks),
      held: held.size,
      withoutCertificate: certificates.read(),
      denials: denials.read(),
    }),
    async stop() {
      await live.stop();
      held.refuseAll();
      isReady();
    },
  };
}

function spanAttributes({ source, destination, method, rule, permission }: Denial) {
  return {
    'mesh.denied.source': source,
    'mesh.denied.destination': destination,
    'mesh.denied.method': method,
    'mesh.denied.intention': rule,
    ...(permission !== undefined && { 'mesh.denied.permission': permission }),
  };
}
