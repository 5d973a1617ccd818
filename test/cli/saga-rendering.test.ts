import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect } from 'chai';

import { renderSagas } from '../../cli/saga/render-list.ts';
import { renderSaga } from '../../cli/saga/render-saga.ts';
import { InterventionKind, ListSagasResponseSchema, SagaSchema, SagaState, SagaStepResult, SagaStepState } from '#proto/shop/order/v1/saga_pb.js';

const BEGAN_MS = Date.parse('2026-01-02T03:04:05.000Z');
const TRACE = 'a'.repeat(32);
const OTHER_TRACE = 'b'.repeat(32);

function saga(more: MessageInitShape<typeof SagaSchema> = {}) {
  return create(SagaSchema, {
    ...{ sagaId: 's-1', definition: 'place-order', version: 1, orderId: 'o-1', state: SagaState.RUNNING, traceId: TRACE },
    ...{ createTime: timestampFromMs(BEGAN_MS), updateTime: timestampFromMs(BEGAN_MS + 40) },
    steps: [
      { name: 'reserve', state: SagaStepState.DONE },
      { name: 'charge', state: SagaStepState.CURRENT },
    ],
    ...more,
  });
}

describe('mesh saga show', () => {
  it('draws what has been done, and names a trace where it is another than that of the request', () => {
    const done = { beginTime: timestampFromMs(BEGAN_MS), endTime: timestampFromMs(BEGAN_MS + 12), attempts: 1, result: SagaStepResult.DONE };
    const text = renderSaga(
      saga({
        history: [
          { ...done, step: 'reserve', traceId: TRACE },
          { ...done, step: 'charge', traceId: OTHER_TRACE, attempts: 3, result: SagaStepResult.OPEN, error: { reason: 'UNREACHABLE', message: 'payment does not answer' } },
        ],
      }),
    );
    expect(text.split('\n').slice(-3)).to.deep.equal([
      'TRIED      TRIES  RESULT   BEGAN                     TOOK   TRACE                             WHY',
      '  reserve  1      done     2026-01-02T03:04:05.000Z  12 ms',
      `  charge   3      goes on  2026-01-02T03:04:05.000Z  12 ms  ${OTHER_TRACE}  UNREACHABLE: payment does not answer`,
    ]);
  });

  it('says until when a saga waits', () => {
    expect(renderSaga(saga({ nextTime: timestampFromMs(BEGAN_MS + 60_000) }))).to.include('goes on  2026-01-02T03:05:05.000Z');
  });

  it('says that nobody knows its definition in its version', () => {
    const unknown = saga({ version: 7, versionUnknown: true, steps: [] });
    expect(renderSaga(unknown)).to.include('place-order v7').and.include('waits for one that does');
    expect(renderSagas(create(ListSagasResponseSchema, { sagas: [unknown] }))).to.match(/place-order v7 +running +- .* VERSION_UNKNOWN$/);
  });

  it('tells a step that was skipped from one that was done by hand', () => {
    const by = { who: 'ada', why: 'ticket 42', time: timestampFromMs(BEGAN_MS) };
    const text = renderSaga(
      saga({
        state: SagaState.COMPLETED,
        steps: [{ name: 'reserve', state: SagaStepState.DONE }, { name: 'charge', state: SagaStepState.SKIPPED }],
        interventions: [
          { ...by, kind: InterventionKind.RESOLVE, step: 'reserve' },
          { ...by, kind: InterventionKind.SKIP, step: 'charge' },
        ],
      }),
    );
    expect(text).to.match(/^ {2}charge +skipped$/m);
    expect(text.split('\n').slice(-2)).to.deep.equal([
      '2026-01-02T03:04:05.000Z  ada resolved "reserve": ticket 42',
      '2026-01-02T03:04:05.000Z  ada skipped "charge": ticket 42',
    ]);
  });
});
